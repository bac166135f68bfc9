"""Lint: what would make an entry better at three in the morning, as rules with stable codes.

Severities: an *error* misleads a reader or leaks a secret; a *warning* costs a responder time; *info* is
coaching. A good entry, with both ways out, stated attributes and a verification, has no finding at all.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.commands import SHELLS
from kb_app.entries.model import (
    Command,
    Entry,
    Finding,
    Kind,
    Note,
    Path,
    PathKind,
    Role,
    Severity,
    State,
    Step,
)
from kb_app.entries.path_blocks import CHOICES
from kb_app.entries.quoting import ShellPlaces
from kb_app.entries.response import leads_out
from kb_app.entries.secrets import secrets_in
from kb_app.entries.suspicious import suspicious_characters

MAX_STEPS_PER_PATH = 9
"""Source: cockpit checklists keep to five to nine items."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that lint looks at.

    Attributes:
        code: stable slug.
        severity: of its findings.
        help: why it matters, one sentence.
        fix: what to do, one sentence.
    """

    code: str
    severity: Severity
    help: str
    fix: str


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
RULES: tuple[Rule, ...] = (
    Rule("secret", _E, "A secret in Git is a leaked secret.", "Remove it, and revoke it: history keeps it."),
    Rule("possible-secret", _W, "This may be a password.", "If it is one, remove it, and change it."),
    Rule("front-matter-broken", _E, "Broken YAML hides values from search and facets.",
         "Quote values that hold a colon, and remove template tags."),
    Rule("front-matter-unclosed", _E, "Without the closing line the body may be taken for front matter.",
         "Add a line with three dashes after the last key."),
    Rule("front-matter-large", _W, "Front matter above 8 KB is not read.", "Move long text into the body."),
    Rule("front-matter-duplicate-key", _W, "Of two equal keys only the last one counts.",
         "Keep one of them."),
    Rule("front-matter-merge-key", _W, "Merge keys are not read.", "Write the values out."),
    Rule("unknown-value", _E, "A misspelt value counts as not stated.", "Use one of the values named."),
    Rule("bad-date", _W, "A date that cannot be read counts as never reviewed.", "Write it as YYYY-MM-DD."),
    Rule("bad-duration", _W, "A duration without a unit counts as unknown.",
         "Write it like 10m, 1.5h or 180d."),
    Rule("misspelt-key", _I, "A misspelt key is kept but not used.", "Rename it if the known key is meant."),
    Rule("duplicate-id", _E, "Links and records by this id are ambiguous.",
         "Give one of the entries another id."),
    Rule("duplicate-alert", _I, "Of two runbooks for one alert a responder has to choose.",
         "Merge the pages, or link one from the other."),
    Rule("unclosed-fence", _E, "A strict reader loses everything below an open code block.",
         "Close the code block with a line of backticks."),
    Rule("unclosed-html", _W, "An open comment or block hides what follows in other programs.", "Close it."),
    Rule("not-utf-8", _W, "Text that is not UTF-8 shows wrong letters elsewhere.", "Save the file as UTF-8."),
    Rule("control-characters", _W, "Control characters break copying and search.", "Delete them."),
    Rule("oversize", _W, "Only the start of a very large page is read.", "Split the page."),
    Rule("empty", _W, "An empty page answers nothing.", "Write it, or delete it."),
    Rule("heading-space", _I, "Without a blank after # it is not a heading.", "Put a blank after the marks."),
    Rule("no-path", _W, "A reader in an incident finds no way out here.",
         'Add a "Mitigation" or a "Fix forward" section; "None known." is an answer, too.'),
    Rule("path-todo", _W, "A heading that promises a way out and holds none wastes time.",
         'Write the steps, write "None known.", or remove the heading.'),
    Rule("path-untyped", _I, "The page does not tell a stopgap from a repair.",
         'Split it into "Mitigation" and "Fix forward", or state Time, Risk and Reversible.'),
    Rule("dead-end", _I, "From here a reader in an incident finds no way out, not even by links.",
         "Add a lever, or link the entries that hold the ways out."),
    Rule("one-way", _I, "Only one of the two ways out is written down.",
         'Add the other one; "None known." is an answer, too.'),
    Rule("missing-attributes", _I, "What is not stated is assumed pessimistically in decisions.",
         "Add bullets such as Time: 10m below the heading, or Time: not stated where only a team can know."),
    Rule("attribute-value", _W, "A misspelt attribute counts as not stated.", "Use one of the values named."),
    Rule("missing-verify", _I, "Without a verification nobody knows whether it worked.",
         "Add a nested bullet Verify: with what one should see."),
    Rule("destructive-step", _W, "A step that deletes, drops or restarts should say how to go back.",
         "Add a nested bullet Undo: or Confirm: to the step."),
    Rule("setting-not-loaded", _W, "A changed setting that nobody loads changes nothing.",
         "Add the step that reloads or restarts, or say that the setting needs none."),
    Rule("placeholder", _W, "This value cannot be filled in safely by a program.",
         "Move it out of the here-document, back quotes or comment, or give it a telling name."),
    Rule("suspicious-character", _W, "The command holds a character that is not what it looks like.",
         "Type the character again as plain ASCII."),
    Rule("too-many-steps", _I, "People lose their place in more than nine steps.",
         "Split the path or use a script."),
    Rule("approval-not-honoured", _I, '"Approval: none" counts only in a verified entry.',
         "Have the owner verify the entry, or state who approves."),
    Rule("no-signature", _W, "A known fix is found by what the machine said.",
         "Add signatures, or put the exact message into a code block under Symptoms."),
    Rule("bad-signature", _W, "A pattern that is not a regular expression is never found.",
         "Correct what stands between the slashes, or write the message as plain text."),
    Rule("signature-not-shown", _I, "Nobody can compare the screen with a message the page does not show.",
         "Put the message into a code block under Symptoms."),
    Rule("no-alert", _I, "A runbook is found by its alert.", "Add alerts: or answers: to the front matter."),
    Rule("no-source", _I, "A claim about versions cannot be checked without its source.",
         "Link the vendor's page, with its version."),
    Rule("no-owner", _I, "Nobody is asked to keep this page true.", "Add owner: or a CODEOWNERS file."),
    Rule("broken-link", _W, "A link that leads nowhere costs time when there is none.",
         "Correct or remove it."),
    Rule("broken-anchor", _I, "The page has no such heading.", "Correct the part after #."),
    Rule("file-name", _W, "The file cannot be checked out everywhere.",
         "Use letters, digits, dashes and dots, and no reserved name."),
    Rule("case-twin", _W, "Two names that differ in case only clash on Windows and macOS.",
         "Rename one of them."),
)  # fmt: skip
RULE_OF = {rule.code: rule for rule in RULES}

_Hit = tuple[str, int, str]
_Check = Callable[[Entry, Catalogue | None], Iterator[_Hit]]


def lint_entry(
    entry: Entry, catalogue: Catalogue | None, ignored: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Return the findings for one entry, by line, the gravest first within a line.

    Args:
        entry: as read, with details.
        catalogue: for ids and links; without it those rules are left out.
        ignored: codes of rules that do not hold here (`KnowledgeBaseConfig.lint_ignore`).
    """
    hits = [hit for check in _CHECKS for hit in check(entry, catalogue)]
    findings = [
        Finding(code, RULE_OF[code].severity, entry.path, max(1, line), message, RULE_OF[code].fix)
        for code, line, message in dict.fromkeys(hits)
        if code not in ignored
    ]
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return tuple(sorted(findings, key=lambda f: (f.line, order[f.severity], f.code)))


# --- the file -----------------------------------------------------------------------------------------------


def _notes(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    yield from ((note.code, note.line or 1, note.message) for note in entry.notes if _is_finding(note))


def _is_finding(note: Note) -> bool:
    return note.code in RULE_OF


def _secrets(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    for secret in secrets_in(entry.text.split("\n")):
        yield (
            "secret" if secret.is_certain else "possible-secret",
            secret.line,
            f"This looks like {secret.what}",
        )


_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')


def _file_name(entry: Entry, catalogue: Catalogue | None) -> Iterator[_Hit]:
    if reason := name_problem(entry.path):
        yield "file-name", 1, reason
    if catalogue is not None:
        for twin in catalogue.twins_of(entry.path):
            yield "case-twin", 1, f"{twin} differs from this file's name in case only"


def name_problem(path: str) -> str:
    """Return why ``path`` cannot be checked out everywhere, as one sentence; empty text when it can."""
    if len(path) > 200:
        return "The path is longer than 200 characters, too long for Windows in most folders"
    if path != unicodedata.normalize("NFC", path):
        return "The path is not in composed Unicode form (NFC); macOS and Linux see two different names"
    for part in path.split("/"):
        if _RESERVED.fullmatch(part):
            return f"{part} is a device name on Windows"
        if match := _FORBIDDEN.search(part):
            return f"The name {part!r} holds {match.group()!r}, which Windows does not allow"
        if part != part.rstrip(". ") or part != part.lstrip(" "):
            return f"The name {part!r} starts or ends with a blank or a dot, which Windows drops"
        if any(unicodedata.category(c) in ("Cf", "Cc", "Zl", "Zp") for c in part):
            return f"The name {part!r} holds an invisible character"
    return ""


_KNOWN_KEYS = (
    "id", "kind", "title", "product", "component", "tags", "state", "audience", "owner", "reviewed",
    "review_every", "aliases", "related", "signatures", "affected", "fixed_in", "environment",
    "fix_status", "tracker", "alerts", "severity", "answers", "depends_on", "levers", "rollback",
    "rollback_note", "deploy_time", "push_allowed",
)  # fmt: skip
_OTHER_KEYS = frozenset((
    "owners", "tag", "alias", "type", "date", "draft", "weight", "version", "versions", "category",
    "level", "categories", "description", "author", "authors", "section", "parent", "layout", "menu",
    "slug", "url",
))  # fmt: skip


def _keys(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    for key in entry.front_matter:
        lowered = key.lower()
        if lowered in _KNOWN_KEYS or lowered in _OTHER_KEYS or len(lowered) < 5:
            continue
        close = difflib.get_close_matches(lowered, _KNOWN_KEYS, n=1, cutoff=0.85)
        if close and close[0] not in entry.front_matter:
            yield "misspelt-key", 1, f"The key {key!r} is not known; {close[0]!r} is"


def _names(entry: Entry, catalogue: Catalogue | None) -> Iterator[_Hit]:
    if catalogue is None:
        return
    if "id" in entry.provenance:
        others = [card.path for card in catalogue.with_id(entry.id) if card.path != entry.path]
        if others:
            yield "duplicate-id", 1, f"The id {entry.id!r} is also the id of {others[0]}"
    for alert in entry.alerts:
        if entry.is_stub or entry.kind is not Kind.RUNBOOK:
            break  # an alert may well have several known fixes
        cards = (c for c in catalogue.by_alert(alert) if c.kind is Kind.RUNBOOK and not c.is_stub)
        others = [card.path for card in cards if card.path != entry.path]
        if others and others[0] not in entry.related:
            yield "duplicate-alert", 1, f"The alert {alert} is also served by {others[0]}"


_NO_BLANK = re.compile(r"#{2,6}[A-Za-z]")


def _headings(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    is_code = False
    for number, line in enumerate(entry.text.split("\n"), 1):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code and _NO_BLANK.match(line):
            yield "heading-space", number, "There is no blank between # and the heading's text"


# --- the ways out -------------------------------------------------------------------------------------------

_PATH_ROLES = (Role.MITIGATION, Role.FIX, Role.LEVER)


def _ways_out(entry: Entry, catalogue: Catalogue | None) -> Iterator[_Hit]:
    if entry.is_stub or entry.state is State.RETIRED:
        return
    starts = {path.span.first_line for path in entry.paths}
    held = [path.span for path in entry.paths]
    for section in entry.sections:
        inside = any(section.span.first_line < s.first_line <= section.span.last_line for s in held)
        if section.role in _PATH_ROLES and section.span.first_line not in starts and not inside:
            yield "path-todo", section.span.first_line, f'The section "{section.title}" holds no way out yet'
    if not entry.paths and entry.kind in (Kind.RUNBOOK, Kind.KNOWN_FIX):
        yield "no-path", entry.body_line, "No path yet: neither a mitigation nor a fix is written down"
    yield from _both_ways(entry)
    if catalogue is not None and entry.kind is Kind.INTERNALS and not leads_out(entry, catalogue):
        yield "dead-end", entry.body_line, "Neither this entry nor what it links to holds a way out"


def _both_ways(entry: Entry) -> Iterator[_Hit]:
    typed = [path for path in entry.paths if path.is_typed]
    for path in entry.paths:
        if not path.is_typed and not path.is_none:
            yield (
                "path-untyped",
                path.span.first_line,
                f'"{path.heading}" does not tell a stopgap from a repair',
            )
    if entry.kind not in (Kind.RUNBOOK, Kind.KNOWN_FIX) or not typed or len(typed) < len(entry.paths):
        return
    kinds = {path.kind for path in typed}
    if PathKind.FIX not in kinds:
        yield "one-way", typed[0].span.first_line, "Nothing is said about a fix"
    elif kinds == {PathKind.FIX}:
        yield "one-way", typed[0].span.first_line, "Nothing is said about a mitigation"


def _paths(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    has_verify_section = any(section.role is Role.VERIFY for section in entry.sections)
    for path in entry.paths:
        if path.is_none:
            continue
        line, name = path.span.first_line, path.heading
        yield from _attributes(entry, path)
        if len(path.steps) > MAX_STEPS_PER_PATH:
            yield "too-many-steps", line, f'"{name}" has {len(path.steps)} steps'
        is_verified = has_verify_section or any(step.verify or step.expect for step in path.steps)
        if not is_verified:
            yield "missing-verify", line, f'"{name}" does not say how one sees that it worked'
        for step in path.steps:
            yield from _step(step)
        yield from _settings(path)


_CHANGES_SETTING = re.compile(r"\balter\s+system\s+(?:re)?set\b", re.IGNORECASE)
_LOADS_SETTING = re.compile(r"pg_reload_conf|\breload|\brestart|\bSIGHUP\b", re.IGNORECASE)


def _settings(path: Path) -> Iterator[_Hit]:
    """Yield steps after which a changed setting is loaded by no later step of the path."""
    told = [_told_by(step) for step in path.steps]
    for number, step in enumerate(path.steps):
        changes = any(_CHANGES_SETTING.search(command.text) for command in step.commands)
        if changes and not _LOADS_SETTING.search(" ".join((*told[number:], path.outro))):
            yield (
                "setting-not-loaded",
                step.span.first_line,
                f"Step {step.number} changes a setting that no step of this way loads",
            )


def _told_by(step: Step) -> str:
    return " ".join((step.text, step.expect, *(command.text for command in step.commands)))


def _attributes(entry: Entry, path: Path) -> Iterator[_Hit]:
    line, stated = path.span.first_line, path.attributes
    missing = [
        label
        for label, value in (("Time", stated.time), ("Risk", stated.risk), ("Reversible", stated.reversible))
        if value is None and label.lower() not in (*stated.other, *stated.left_open)
    ]
    if missing:
        yield "missing-attributes", line, f'"{path.heading}" does not state {", ".join(missing)}'
    for name, choices in CHOICES.items():
        if name in stated.other:
            yield (
                "attribute-value",
                line,
                f"{name.title()}: {stated.other[name]!r} is not one of {', '.join(choices)}",
            )
    if "time" in stated.other:
        yield "attribute-value", line, f"Time: {stated.other['time']!r} is not a duration such as 10m or 1.5h"
    if stated.approval == "none" and entry.state is not State.VERIFIED:
        yield (
            "approval-not-honoured",
            line,
            f'"{path.heading}" needs no approval, but the entry is {entry.state}',
        )


def _step(step: Step) -> Iterator[_Hit]:
    if any(command.is_destructive for command in step.commands) and not (step.undo or step.confirm):
        yield (
            "destructive-step",
            step.span.first_line,
            f"Step {step.number} deletes, restarts or overwrites",
        )
    for command in step.commands:
        yield from _command(command)


_VAGUE = frozenset(
    ("value", "x", "xx", "xxx", "foo", "bar", "here", "something", "string", "placeholder", "todo")
)


def _command(command: Command) -> Iterator[_Hit]:
    line = command.span.first_line
    places = ShellPlaces(command.text) if command.placeholders and command.language in SHELLS else None
    for placeholder in command.placeholders:
        if placeholder.name in _VAGUE:
            yield "placeholder", line, f"The name of {placeholder.raw} does not tell what to fill in"
        elif places is not None and places.at(command.text.find(placeholder.raw)) == "?":
            yield "placeholder", line, f"{placeholder.raw} stands where a value cannot be quoted safely"
    for character in suspicious_characters(command.text)[:3]:
        message = f"The command holds {character.code_point} ({character.name}): {character.why}"
        yield "suspicious-character", line + character.line - 1, message


def _finding_again(entry: Entry, _: Catalogue | None) -> Iterator[_Hit]:
    if entry.is_stub or entry.state is State.RETIRED:
        return
    if entry.kind is Kind.KNOWN_FIX and not entry.signatures and not entry.alerts:
        yield "no-signature", 1, "The known fix has neither a signature nor an alert"
    yield from _signatures(entry)
    if entry.kind is Kind.RUNBOOK and not entry.alerts and not entry.answers and not entry.signatures:
        yield "no-alert", 1, "The runbook names no alert"
    if not entry.owner and entry.kind is not Kind.NOTE:
        yield "no-owner", 1, "The entry has no owner"
    claims = [key for key in ("affected", "fixed_in") if getattr(entry, key)]
    if claims and not any(link.target.startswith(("https://", "http://")) for link in entry.links):
        yield "no-source", 1, f"{claims[0]} is stated and no page outside is linked"


def _signatures(entry: Entry) -> Iterator[_Hit]:
    if entry.provenance.get("signatures") != "from front matter":
        return
    shown = _one_blank("\n".join(entry.text.split("\n")[entry.body_line - 1 :]))
    for signature in entry.signatures:
        if len(signature) > 2 and signature[0] == signature[-1] == "/":
            try:
                re.compile(signature[1:-1])
            except re.error as error:
                yield "bad-signature", 1, f"{signature} is not a regular expression: {error}"
        elif _one_blank(signature) not in shown:
            yield "signature-not-shown", 1, f'The page does not show the message "{signature}"'


def _one_blank(text: str) -> str:
    return " ".join(text.split()).casefold()


# --- links --------------------------------------------------------------------------------------------------

_ENTRY_TARGET = re.compile(r"[^:{}<>\s]+\.(?:md|mdx|markdown)", re.IGNORECASE)


def _links(entry: Entry, catalogue: Catalogue | None) -> Iterator[_Hit]:
    anchors = {section.anchor for section in entry.sections}
    for link in entry.links:
        bare, _, fragment = link.target.partition("#")
        if not bare and fragment:
            if (
                fragment.lower() not in anchors
                and fragment not in anchors
                and f'"{fragment}"' not in entry.text
            ):
                yield "broken-anchor", link.line, f"The page has no heading #{fragment}"
        elif (
            catalogue is not None
            and not link.is_image
            and _ENTRY_TARGET.fullmatch(bare.split("?", 1)[0])
            and catalogue.resolve_link(entry.path, link.target) is None
        ):
            yield "broken-link", link.line, f"{bare} leads to no entry"


_CHECKS: tuple[_Check, ...] = (
    _notes,
    _secrets,
    _file_name,
    _keys,
    _names,
    _headings,
    _ways_out,
    _paths,
    _finding_again,
    _links,
)
