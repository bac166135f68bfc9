"""Rules of the step columns: what stands in them, which step is next, what may be copied.

Nothing here knows Qt. Ticks belong to a run of the entry that is open; they never reach a document.
"""

from __future__ import annotations

import html
import posixpath
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from urllib.parse import unquote

from kb_app.entries.model import Command, PathAttributes, PathKind, PlannedPath, ResponsePlan, State, Step
from kb_app.errors import UsageError
from kb_app.logs import visible

NOT_STATED = "not stated"


class Lane(StrEnum):
    """The two columns."""

    MITIGATE = "mitigate"
    FIX = "fix"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing to know about a path before taking it; an empty value reads "not stated".

    ``tone`` is ``ok``, ``warn``, ``danger`` or empty; it only repeats what the words say.
    """

    label: str
    value: str
    tone: str = ""

    @property
    def is_stated(self) -> bool:
        """Tell whether the entry says it."""
        return bool(self.value)

    @property
    def text(self) -> str:
        """Return the value in words."""
        return self.value or NOT_STATED


@dataclass(frozen=True, slots=True)
class StepView:
    """A step and the key its tick is kept under."""

    key: str
    step: Step


@dataclass(frozen=True, slots=True)
class PathView:
    """A way out as its card shows it.

    Attributes:
        key: unique among the paths of the plan.
        name: for people.
        origin: ``from the component``, ``from linked entry X``; empty for the entry's own.
        origin_path: file of the entry it comes from, to be opened; empty for the entry's own.
        attributes: time, risk, reversible, blast radius, approval, then what else the entry states.
        steps: in order.
        body: Markdown to show when there are no steps.
        anchor: of the heading in the entry that holds it.
        entry_path: file of the entry that holds it; links in its text are relative to that.
        remark: what to know about the path as a whole (not typed, not verified), or empty.
        intro, outro: Markdown that stands before the first and after the last step: conditions, remarks.
        way: ``mitigation``, ``fix`` or ``lever``.
        is_own: the entry that is open holds it.
        planned: the path itself.
    """

    key: str
    name: str
    origin: str
    origin_path: str
    attributes: tuple[Attribute, ...]
    steps: tuple[StepView, ...]
    body: str
    anchor: str
    entry_path: str
    remark: str = ""
    intro: str = ""
    outro: str = ""
    way: str = ""
    is_own: bool = True
    planned: PlannedPath | None = field(default=None, compare=False, repr=False)

    def done_count(self, done: frozenset[str]) -> int:
        """Return how many of its steps are ticked."""
        return sum(1 for step in self.steps if step.key in done)

    def current(self, done: frozenset[str]) -> StepView | None:
        """Return the first step that is not ticked."""
        return next((step for step in self.steps if step.key not in done), None)


@dataclass(frozen=True, slots=True)
class LaneView:
    """One column.

    Attributes:
        lane: which.
        paths: best origin first.
        empty_text: what to say when there is no path.
    """

    lane: Lane
    paths: tuple[PathView, ...]
    empty_text: str = ""


def lanes_of(plan: ResponsePlan) -> tuple[LaneView, LaneView]:
    """Return both columns for a plan, mitigation first."""
    mitigate = tuple(_path_view(p, i) for i, p in enumerate(plan.mitigations) if not p.path.is_none)
    fixes = tuple(_path_view(p, i) for i, p in enumerate(plan.fixes) if not p.path.is_none)
    return (
        LaneView(Lane.MITIGATE, mitigate, _empty_text(Lane.MITIGATE, plan)),
        LaneView(Lane.FIX, fixes, _empty_text(Lane.FIX, plan)),
    )


def _empty_text(lane: Lane, plan: ResponsePlan) -> str:
    planned = plan.mitigations if lane is Lane.MITIGATE else plan.fixes
    if any(p.path.is_none for p in planned):
        known = "mitigation" if lane is Lane.MITIGATE else "fix"
        return f"The entry says that no {known} is known."
    if not plan.is_complete:
        return "Linked entries are still being read."
    return "No path yet: neither this entry nor what it links to says how."


def _path_view(planned: PlannedPath, position: int) -> PathView:
    path = planned.path
    key = f"{path.kind.value}:{planned.entry_path}:{path.anchor}:{position}"
    steps = tuple(StepView(step_key(planned.entry_path, path.anchor, step), step) for step in path.steps)
    is_own = planned.origin == "own"
    return PathView(
        key=key,
        name=_capitalised(path.name or path.heading),
        origin="" if is_own else _origin_text(planned),
        origin_path="" if is_own else planned.entry_path,
        attributes=attributes_of(path.attributes),
        steps=steps,
        body=path.body,
        intro=path.intro,
        outro=path.outro,
        anchor=path.anchor,
        entry_path=planned.entry_path,
        remark=_remark(planned),
        way=path.kind.value,
        is_own=is_own,
        planned=planned,
    )


_PROGRAMS = frozenset(("kubectl", "psql", "nginx", "redis", "etcd", "etcdctl", "kubeadm", "kubelet", "git"))


def resolve_link(entry_path: str, target: str) -> str:
    """Return what a link in a step leads to: an address as it is, else ``path#anchor`` from the root.

    An empty text means nowhere: out of the knowledge base, or another scheme.
    """
    if target.lower().startswith(("https://", "http://", "mailto:")):
        return target
    path, hash_sign, anchor = target.partition("#")
    if ":" in path or "\\" in path:
        return ""
    if not path:
        return f"{entry_path}#{anchor}" if anchor else ""
    base = "" if path.startswith("/") else posixpath.dirname(entry_path)
    joined = posixpath.normpath(posixpath.join(base, unquote(path.lstrip("/"))))
    return "" if joined.startswith("..") or joined == "." else f"{joined}{hash_sign}{anchor}"


def _capitalised(text: str) -> str:
    """Return ``text`` with a large first letter, unless it begins with a name such as ``kubectl``."""
    first = text.split(maxsplit=1)[0] if text.split() else ""
    return text[:1].upper() + text[1:] if first.isalpha() and first not in _PROGRAMS else text


def _origin_text(planned: PlannedPath) -> str:
    title = planned.entry_title or planned.entry_path
    if planned.origin == "component":
        return f"from the component: {title}"
    if planned.origin == "product":
        return f"from the product: {title}"
    return f"from linked entry {title}"


def _remark(planned: PlannedPath) -> str:
    if not planned.path.is_typed:
        return "mitigation or repair: not stated"
    if planned.path.kind is PathKind.LEVER and planned.origin != "own":
        return "a general lever, not written for this problem"
    if planned.entry_state is State.RETIRED:
        return "its entry is retired"
    return ""


def step_key(entry_path: str, anchor: str, step: Step) -> str:
    """Return the key of a step's tick; it changes with the text, so that a new step is never ticked."""
    text = "\n".join((step.text, *(command.text for command in step.commands)))
    return f"{entry_path}#{anchor}/{step.number}:{zlib.crc32(text.encode()):08x}"


_TONES: Mapping[tuple[str, str], str] = {
    ("risk", "low"): "ok",
    ("risk", "medium"): "warn",
    ("risk", "high"): "danger",
    ("reversible", "yes"): "ok",
    ("reversible", "partly"): "warn",
    ("reversible", "no"): "danger",
    ("blast", "region"): "warn",
    ("blast", "global"): "danger",
    ("data", "loses"): "danger",
}


def attributes_of(known: PathAttributes) -> tuple[Attribute, ...]:
    """Return what is known about a path; the first five are always there, stated or not."""

    def attribute(label: str, value: str | None, name: str) -> Attribute:
        return Attribute(label, value or "", _TONES.get((name, (value or "").lower()), ""))

    rows = [
        Attribute("Time", known.time.text if known.time else ""),
        attribute("Risk", known.risk, "risk"),
        attribute("Reversible", known.reversible, "reversible"),
        attribute("Blast radius", known.blast, "blast"),
        attribute("Approval", known.approval, "approval"),
    ]
    if known.restores:
        rows.append(Attribute("Restores", known.restores))
    if known.data:
        rows.append(attribute("Data", {"loses": "may be lost"}.get(known.data, known.data), "data"))
    if known.contains:
        rows.append(Attribute("Contains", "stops further damage"))
    if known.confidence:
        rows.append(Attribute("Confidence", known.confidence))
    rows.extend(Attribute(name.capitalize(), value) for name, value in known.other.items())
    return tuple(rows)


def placeholder_names(paths: Iterable[PathView]) -> tuple[str, ...]:
    """Return every value the commands of ``paths`` ask for, in order of first appearance."""
    names = (
        placeholder.name
        for path in paths
        for view in path.steps
        for command in view.step.commands
        for placeholder in command.placeholders
    )
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class CopyDecision:
    """What happens when a command is to be copied.

    Attributes:
        text: what would be put on the clipboard; final newline stripped.
        missing: names of values that are not filled in; nothing may be copied before they are.
        refusal: why a value cannot be put in safely; nothing may be copied.
        hazards: sentences about characters that hide something, by code point; the plain copy is blocked.
        clean_text: ``text`` with ordinary characters in their place; empty when that cannot be told.
        is_multiline: it runs several commands when pasted; shown before it is copied.
        target: for a destructive command what it acts on, in its own words; empty for harmless ones.
    """

    text: str
    missing: tuple[str, ...] = ()
    refusal: str = ""
    hazards: tuple[str, ...] = ()
    clean_text: str = ""
    is_multiline: bool = False
    target: str = ""

    @property
    def is_silent(self) -> bool:
        """Tell whether it can be copied without a question."""
        return not (self.missing or self.refusal or self.hazards or self.is_multiline or self.target)


def decide_copy(command: Command, values: Mapping[str, str]) -> CopyDecision:
    """Return what copying ``command`` with ``values`` comes to."""
    from kb_app.entries import commands  # large tables of patterns: not before the window shows

    missing = tuple(p.name for p in command.placeholders if not values.get(p.name, "").strip())
    if missing:
        return CopyDecision(command.text, missing=tuple(dict.fromkeys(missing)))
    filled = {name: value.strip() for name, value in values.items()}
    try:
        text = commands.fill(command, filled)
    except UsageError as error:
        return CopyDecision(command.text, refusal=str(error))
    review = commands.review_copy(text, command.language)
    hazards = tuple(
        f"{c.code_point} {c.name} in line {c.line}, column {c.column} ({c.why})" for c in review.suspicious
    )
    is_destructive = command.is_destructive or review.is_destructive
    clean = cleaned(review.text) if hazards else ""
    if clean and commands.review_copy(clean).suspicious:
        clean = ""
    return CopyDecision(
        review.text,
        hazards=hazards,
        clean_text=clean,
        is_multiline=review.is_multiline,
        target=target_of(review.text) if is_destructive else "",
    )


_PLAIN_TWINS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
    }
)


def cleaned(text: str) -> str:
    """Return ``text`` with plain blanks, quotes and hyphens, without what is invisible or acts on its own."""
    plain = text.translate(_PLAIN_TWINS)
    kept = []
    for character in plain:
        category = unicodedata.category(character)
        if category == "Zs":
            kept.append(" ")
        elif character in "\n\t" or category not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"):
            kept.append(character)
    return "".join(kept)


_DESTRUCTIVE_WORD = (
    r"(?i)\b(delete|del|drop|drain|kill|pkill|killall|rm|rmdir|truncate|restart|reboot|shutdown|destroy|purge|"
    r"remove|evict|terminate\w*|pg_terminate_backend|flushall|flushdb|reset|rollback|undo|scale|cordon|stop|"
    r"format|mkfs\S*|dd|wipe\w*|overwrite|uninstall|detach|revoke)\b"
)
_MAX_TARGET = 80


def target_of(text: str) -> str:
    """Return the words of a destructive command that say what is done to what, at most 80 characters.

    The line that holds the destructive word counts, from that word on.
    """
    for line in text.splitlines():
        if match := re.search(_DESTRUCTIVE_WORD, line):
            words = line[match.start() :].strip()
            return words if len(words) <= _MAX_TARGET else words[: _MAX_TARGET - 1] + "…"
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= _MAX_TARGET else first[: _MAX_TARGET - 1] + "…"


@cache
def _inline() -> re.Pattern[str]:
    """Return what stands out in a step's text; compiled with the first step, not at start."""
    return re.compile(
        r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)"
        r"|!?\[(?P<label>[^\]]*)\]\((?P<target>[^()\s]*(?:\([^()\s]*\))?)(?:\s+\"[^\"]*\")?\)"
        r"|(?:\*\*|__)(?P<strong>.+?)(?:\*\*|__)"
        r"|(?<!\w)[*_](?P<emphasis>[^*_\s][^*_]*?)[*_](?!\w)",
        re.DOTALL,
    )


_LONG_WORD = re.compile(r"[^\s&;<>]{20,}")


def inline_html(markdown: str, *, mono_family: str) -> str:
    """Return a step's Markdown as the small HTML of a label: code, bold, emphasis, links; all else as text.

    Long words get places to break, so that a path does not widen its column. Links keep their target for the
    window to decide about; nothing is opened from here.
    """
    parts, position = [], 0
    for match in _inline().finditer(markdown):
        parts.append(_escaped(markdown[position : match.start()]))
        parts.append(_inline_part(match, mono_family))
        position = match.end()
    parts.append(_escaped(markdown[position:]))
    return _HARD_BREAK.sub("<br>", "".join(parts)).replace("\n", " ")


_HARD_BREAK = re.compile(r"(?: {2,}|\\)\n")


def inline_text(text: str) -> str:
    """Return foreign text for a rich-text label, letter by letter, long words with places to break."""
    return _escaped(text).replace("\n", "<br>")


def _inline_part(match: re.Match[str], mono_family: str) -> str:
    if (code := match["code"]) is not None:
        return f"<span style=\"font-family:'{mono_family}'; font-size:12px\">{_escaped(code.strip())}</span>"
    if (text := match["label"]) is not None:
        target = html.escape(match["target"], quote=True)
        return f'<a href="{target}">{_escaped(text or match["target"])}</a>' if target else _escaped(text)
    if (strong := match["strong"]) is not None:
        return f"<b>{_escaped(strong)}</b>"
    return f"<i>{_escaped(match['emphasis'])}</i>"


def _escaped(text: str) -> str:
    shown = "\n".join(visible(line) for line in text.split("\n"))
    return _LONG_WORD.sub(_with_breaks, html.escape(shown, quote=False))


def _with_breaks(match: re.Match[str]) -> str:
    return re.sub(r"([/._\-:=,])", "\\1\N{ZERO WIDTH SPACE}", match[0])


def plain_words(markdown: str) -> str:
    """Return a step's Markdown as plain words, for screen readers."""

    def words(match: re.Match[str]) -> str:
        return next((g for g in (match[n] for n in ("code", "label", "strong", "emphasis")) if g), "")

    return " ".join(_inline().sub(words, markdown).split())
