"""Rules of the editor: what is completed, inserted and repaired, how things are said; knows no Qt."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import Finding, Kind, Severity, State
from kb_app.entries.path_blocks import CHOICES

CURSOR = "\u0001"
"""Stands in a snippet where the cursor goes."""

PICTURE_HINT = "describe the picture"
"""Alternative text of a pasted picture until the user writes one."""


class Place(StrEnum):
    """What a line of the text is."""

    BODY = "body"
    FRONT = "front matter"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of text to insert: name, key, text with `CURSOR`, whether it needs lines of its own."""

    name: str
    key: str
    text: str
    icon: str
    is_block: bool = True


_ATTRIBUTES = f"- Time: {CURSOR}\n- Risk: \n- Reversible: \n- Blast: "
_STEPS = "\n\n1. Step.\n   - Verify: \n   - Undo: "
SNIPPETS: tuple[Snippet, ...] = (
    Snippet("Mitigation", "Alt+M", f"## Mitigation\n{_ATTRIBUTES}{_STEPS}", "shield-alert"),
    Snippet("Fix forward", "Alt+F", f"## Fix forward\n{_ATTRIBUTES}{_STEPS}", "wrench"),
    Snippet("Step with verification", "Alt+S", f"1. {CURSOR}\n   - Verify: \n   - Undo: ", "list-ordered"),
    Snippet("Attributes", "Alt+A", _ATTRIBUTES, "list"),
    Snippet("Code block", "Alt+C", f"```sh\n{CURSOR}\n```", "code"),
    Snippet("Placeholder", "Alt+P", f"<{CURSOR}>", "puzzle", is_block=False),
)


# --- completion -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """An entry that can be linked: its title and its path below the root."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion: what is listed and what is inserted."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Completions:
    """What could stand at the cursor.

    Attributes:
        start: column of the line from which on text is replaced.
        items: best first, at most 12.
        is_asked: nothing was begun yet; show them only when the user asks.
    """

    start: int = 0
    items: tuple[Suggestion, ...] = ()
    is_asked: bool = False

    def __bool__(self) -> bool:
        return bool(self.items)


MAX_SUGGESTIONS = 12
_ATTRIBUTE_NAMES = (
    "Time", "Risk", "Reversible", "Blast", "Approval", "Restores", "Data", "Contains", "Confidence",
)  # fmt: skip
_NESTED_NAMES = ("Verify", "Undo", "Expect", "If not", "Confirm")
_CHOICES = {**CHOICES, "approval": ("none", "before"), "time": ("5m", "10m", "30m", "1h")}
_FRONT_VALUES = {
    "kind": tuple(kind.value for kind in Kind),
    "state": tuple(state.value for state in State),
    "audience": ("internal", "partner", "public"),
    "severity": ("sev1", "sev2", "sev3", "sev4"),
    "fix_status": ("none", "open", "released", "wontfix"),
    "type": ("service", "datastore", "job", "gateway", "library", "external"),
    "rollback": ("yes", "limited", "no"),
    "push_allowed": ("yes", "no"),
}
_FRONT_KEYS = (
    "kind", "title", "product", "component", "tags", "state", "audience", "owner", "reviewed",
    "review_every", "aliases", "related", "signatures", "affected", "fixed_in", "environment", "fix_status",
    "tracker", "alerts", "severity", "answers", "depends_on", "levers", "rollback", "rollback_note",
    "deploy_time", "push_allowed",
)  # fmt: skip
_VALUE = re.compile(r"^\s*(?:- )?(?P<key>[A-Za-z_ ]{2,14}):\s*(?P<begun>[\w-]*)$")
_BULLET = re.compile(r"^(?P<indent>\s*)- (?P<begun>[A-Za-z ]{0,12})$")
_KEY_BEGUN = re.compile(r"^(?P<begun>[a-z_]{1,14})$")
_WIKI = re.compile(r"\[\[(?P<begun>[^\[\]\n]{0,60})$")
_LINK = re.compile(r"\[(?P<label>[^\[\]\n]{0,200})\]\((?P<begun>[^()\s]{0,120})$")
_PLACEHOLDER = re.compile(r"<(?P<begun>[a-zA-Z][\w-]{0,40})?$")
PLACEHOLDERS = re.compile(r"<([a-zA-Z][\w-]{1,40})>")
_HTML = frozenset(("br", "p", "b", "i", "details", "summary", "kbd", "sub", "sup", "img", "a", "div", "span"))


def completions(
    line: str,
    place: Place,
    *,
    path: str = "",
    targets: Sequence[LinkTarget] = (),
    placeholders: Callable[[], Sequence[str]] = tuple,
) -> Completions:
    """Return what could stand at the end of ``line``.

    Args:
        line: the text of the line before the cursor.
        place: what the line is.
        path: the entry's path; links are made relative to it.
        targets: entries that can be linked.
        placeholders: asked for the names used in the text, when they are needed.
    """
    if place is Place.FRONT:
        return _front(line)
    if (match := _PLACEHOLDER.search(line)) is not None:
        begun = match.group("begun") or ""
        names = _starting(placeholders(), begun)
        return Completions(match.start(), tuple(Suggestion(f"<{n}>", f"<{n}>") for n in names))
    if place is Place.CODE:
        return Completions()
    return _link(line, path, targets) or _value(line, _CHOICES) or _bullet(line)


def _front(line: str) -> Completions:
    found = _value(line, _FRONT_VALUES)
    if found.items or (match := _KEY_BEGUN.match(line)) is None:
        return found
    keys = _starting(_FRONT_KEYS, match.group("begun"))
    return Completions(0, tuple(Suggestion(key, f"{key}: ") for key in keys))


def _value(line: str, choices: dict[str, tuple[str, ...]]) -> Completions:
    match = _VALUE.match(line)
    if match is None:
        return Completions()
    begun = match.group("begun")
    values = _starting(choices.get(match.group("key").strip().lower(), ()), begun)
    if values == (begun,):
        return Completions()
    return Completions(match.start("begun"), tuple(Suggestion(value, value) for value in values))


def _bullet(line: str) -> Completions:
    match = _BULLET.match(line)
    if match is None:
        return Completions()
    begun = match.group("begun")
    names = _starting(_NESTED_NAMES if match.group("indent") else _ATTRIBUTE_NAMES, begun)
    items = tuple(Suggestion(name, f"{name}: ") for name in names)
    return Completions(match.start("begun"), items, is_asked=not begun)


def _link(line: str, path: str, targets: Sequence[LinkTarget]) -> Completions | None:
    if (match := _WIKI.search(line)) is not None:
        found = matching_targets(targets, match.group("begun"))
        items = tuple(Suggestion(t.title, f"[{t.title}]({relative_link(path, t.path)})") for t in found)
        return Completions(match.start(), items)
    if (match := _LINK.search(line)) is not None:
        begun = match.group("begun")
        found = matching_targets(targets, begun or match.group("label"))
        items = tuple(Suggestion(t.title, f"{relative_link(path, t.path)})") for t in found)
        return Completions(match.start("begun"), items)
    return None


def matching_targets(targets: Sequence[LinkTarget], begun: str) -> tuple[LinkTarget, ...]:
    """Return entries whose title or path holds every word of ``begun``, titles that start so first."""
    words = begun.lower().split()
    ranked = []
    for target in targets:
        title = target.title.lower()
        text = f"{title} {target.path.lower()}"
        if all(word in text for word in words):
            ranked.append((not title.startswith(begun.lower()), title, target))
    return tuple(target for _, _, target in sorted(ranked, key=lambda row: row[:2])[:MAX_SUGGESTIONS])


def relative_link(path: str, target: str) -> str:
    """Return a link from the entry at ``path`` to the one at ``target``, both below the root."""
    link = posixpath.relpath(target, posixpath.dirname(path) or ".")
    return link.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def placeholders_in(text: str) -> tuple[str, ...]:
    """Return the names of placeholders in a text, most frequent first."""
    counts: dict[str, int] = {}
    for name in PLACEHOLDERS.findall(text):
        if name.lower() not in _HTML:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: -counts[name]))


def _starting(values: Iterable[str], begun: str) -> tuple[str, ...]:
    lowered = begun.lower()
    return tuple(value for value in values if value.lower().startswith(lowered))[:MAX_SUGGESTIONS]


def link_targets(catalogue: Catalogue | None) -> tuple[LinkTarget, ...]:
    """Return the entries of a catalogue as targets of links."""
    return tuple(LinkTarget(card.title, card.path) for card in catalogue.cards) if catalogue else ()


# --- findings and their repair ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding as the editor lists it; ``repair`` names the one-click repair, empty when there is none."""

    line: int
    severity: Severity
    message: str
    advice: str
    code: str
    repair: str = ""


_REPAIRS = {
    "heading-space": "Put a blank",
    "missing-attributes": "Add the attributes",
    "missing-verify": "Add Verify",
    "destructive-step": "Add Undo",
    "one-way": "Add the other way",
    "no-path": "Add both ways",
    "path-todo": "Write “None known.”",
    "misspelt-key": "Rename the key",
    "unclosed-fence": "Close the block",
    "no-signature": "Add signatures",
    "no-alert": "Add alerts",
    "no-owner": "Add an owner",
    "control-characters": "Delete them",
    "front-matter-unclosed": "Close it",
}
_PICTURE = re.compile(r"!\[(?P<alt>[^\]\n]{0,300})\]\((?P<target>[^)\s]{1,300})\)")


def problems_of(findings: Iterable[Finding], text: str) -> tuple[Problem, ...]:
    """Return what the editor lists: the findings of lint, and pictures without a description, by line."""
    rows = [Problem(f.line, f.severity, f.message, f.fix, f.code, _REPAIRS.get(f.code, "")) for f in findings]
    for number, line in enumerate(text.split("\n"), 1):
        for match in _PICTURE.finditer(line):
            if match.group("alt").strip().lower() in ("", PICTURE_HINT, "image"):
                rows.append(
                    Problem(
                        number,
                        Severity.WARNING,
                        f"The picture {match.group('target')} has no description",
                        "Say what it shows, for those who cannot see it and for the search.",
                        "picture-description",
                    )
                )
    order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    return tuple(sorted(rows, key=lambda row: (row.line, order.index(row.severity))))


def next_problem(problems: Sequence[Problem], line: int, step: int) -> Problem | None:
    """Return the next problem below (step 1) or above (step -1) ``line``, around the ends."""
    if not problems:
        return None
    if step > 0:
        return next((p for p in problems if p.line > line), problems[0])
    return next((p for p in reversed(problems) if p.line < line), problems[-1])


def repaired(text: str, problem: Problem) -> str:
    """Return the text with one problem repaired as far as that can be done without knowing the subject."""
    repair = _REPAIR_OF.get(problem.code)
    lines = text.split("\n")
    if repair is None or not 1 <= problem.line <= len(lines):
        return text
    return "\n".join(repair(lines, problem))


def _heading_space(lines: list[str], problem: Problem) -> list[str]:
    number = problem.line - 1
    lines[number] = re.sub(r"^(#{1,6})(?=\S)", r"\1 ", lines[number])
    return lines


def _attributes(lines: list[str], problem: Problem) -> list[str]:
    _, _, names = problem.message.rpartition(" does not state ")
    at = problem.line
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip().startswith("<!--")):
        at += 1
    while at < len(lines) and re.match(r"- \w+:", lines[at]):
        at += 1
    has_own_block = at > problem.line and re.match(r"- \w+:", lines[at - 1])
    if not has_own_block:
        at = problem.line
    added = [f"- {name.strip()}: " for name in names.split(",")]
    gap = [] if has_own_block or (at < len(lines) and not lines[at].strip()) else [""]
    return [*lines[:at], *added, *gap, *lines[at:]]


_NUMBERED = re.compile(r"^\s{0,3}\d+[.)]\s")


def _end_of_step(lines: Sequence[str], start: int) -> int:
    """Return the index after the last line of the step that starts at index ``start``."""
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith((" ", "\t"))):
        end += 1
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _verify(lines: list[str], problem: Problem) -> list[str]:
    at = problem.line
    last = -1
    while at < len(lines) and not re.match(r"#{1,6}\s", lines[at]):
        if _NUMBERED.match(lines[at]):
            last = at
        at += 1
    if last < 0:
        end = at
        while end > problem.line and not lines[end - 1].strip():
            end -= 1
        return [*lines[:end], "", "1. Check.", "   - Verify: ", *lines[end:]]
    end = _end_of_step(lines, last)
    return [*lines[:end], "   - Verify: ", *lines[end:]]


def _undo(lines: list[str], problem: Problem) -> list[str]:
    end = _end_of_step(lines, problem.line - 1)
    return [*lines[:end], "   - Undo: ", *lines[end:]]


def _section(name: str, body: Sequence[str]) -> list[str]:
    return ["", f"## {name}", *body]


def _both_ways(lines: list[str], _problem: Problem) -> list[str]:
    return [
        *_trimmed(lines),
        *_section("Mitigation", ["None known."]),
        *_section("Fix forward", ["None known.", ""]),
    ]


def _other_way(lines: list[str], problem: Problem) -> list[str]:
    if problem.message.endswith("a mitigation"):
        at = problem.line - 1
        return [*lines[:at], "## Mitigation", "None known.", "", *lines[at:]]
    return [*_trimmed(lines), *_section("Fix forward", ["None known.", ""])]


def _trimmed(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _none_known(lines: list[str], problem: Problem) -> list[str]:
    return [*lines[: problem.line], "None known.", *lines[problem.line :]]


def _rename_key(lines: list[str], problem: Problem) -> list[str]:
    match = re.search(r"The key '(.+?)' is not known; '(.+?)' is", problem.message)
    if match is not None:
        old, new = match.groups()
        for number, line in enumerate(lines[:80]):
            if line.startswith(f"{old}:"):
                lines[number] = new + line[len(old) :]
                break
    return lines


def _close_fence(lines: list[str], problem: Problem) -> list[str]:
    mark = re.match(r"\s*(`{3,}|~{3,})", lines[problem.line - 1])
    return [*_trimmed(lines), mark.group(1) if mark else "```", ""]


def _with_key(lines: list[str], row: str) -> list[str]:
    for number, line in enumerate(lines[1:80], 1):
        if lines[0].rstrip() == "---" and line.rstrip() == "---":
            return [*lines[:number], row, *lines[number:]]
    return ["---", row, "---", *lines]


def _without_controls(lines: list[str], _problem: Problem) -> list[str]:
    return ["".join(c for c in line if c == "\t" or unicodedata.category(c) != "Cc") for line in lines]


def _close_front(lines: list[str], _problem: Problem) -> list[str]:
    at = next(
        (n for n, line in enumerate(lines[1:], 1) if not re.match(r"[\w-]+:|\s*- |\s+\S", line)), len(lines)
    )
    return [*lines[:at], "---", *lines[at:]]


_REPAIR_OF: dict[str, Callable[[list[str], Problem], list[str]]] = {
    "heading-space": _heading_space,
    "missing-attributes": _attributes,
    "missing-verify": _verify,
    "destructive-step": _undo,
    "one-way": _other_way,
    "no-path": _both_ways,
    "path-todo": _none_known,
    "misspelt-key": _rename_key,
    "unclosed-fence": _close_fence,
    "no-signature": lambda lines, _: _with_key(lines, 'signatures: [""]'),
    "no-alert": lambda lines, _: _with_key(lines, "alerts: []"),
    "no-owner": lambda lines, _: _with_key(lines, 'owner: "@"'),
    "control-characters": _without_controls,
    "front-matter-unclosed": _close_front,
}


# --- pictures ---------------------------------------------------------------------------------------------


def picture_path(path: str, taken: Iterable[str]) -> str:
    """Return where a pasted picture goes: beside the entry, named after it, not among ``taken``."""
    stem, used = path.rsplit(".", 1)[0], set(taken)
    number = 1
    while (candidate := f"{stem}-{number}.png") in used:
        number += 1
    return candidate


def picture_names(path: str) -> tuple[str, ...]:
    """Return the first names that pictures of the entry at ``path`` may have."""
    stem = path.rsplit(".", 1)[0]
    return tuple(f"{stem}-{number}.png" for number in range(1, 100))


def picture_markdown(path: str) -> tuple[str, int, int]:
    """Return the Markdown of a picture, and the range in it to be written over with a description."""
    text = f"![{PICTURE_HINT}]({relative_link(path, path)})"
    return text, 2, 2 + len(PICTURE_HINT)


# --- words ------------------------------------------------------------------------------------------------


def age_text(at: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago ``at`` was, in a few words."""
    seconds = (now - at).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h ago"
    days = int(seconds // 86_400)
    return "yesterday" if days == 1 else f"{days} days ago"


def counts_text(problems: Sequence[Problem]) -> str:
    """Return how many problems of each weight there are, in words."""
    if not problems:
        return "Nothing to improve"
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "hint"}
    parts = []
    for severity, name in names.items():
        count = sum(problem.severity is severity for problem in problems)
        if count:
            parts.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
    return ", ".join(parts)
