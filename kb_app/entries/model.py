"""What an entry is, once read: frozen values only, 1-based inclusive line spans, no I/O.

Every value that was inferred rather than written carries its origin in ``Entry.provenance``, in words that
complete the sentence "kind: runbook, …" (``"from headings"``, ``"from the folder known-fixes/"``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What sort of knowledge an entry holds."""

    INTERNALS = "internals"
    KNOWN_FIX = "known-fix"
    RUNBOOK = "runbook"
    NOTE = "note"


class State(StrEnum):
    """How far an entry may be trusted (KCS: work in progress, not validated, validated, archived)."""

    DRAFT = "draft"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    RETIRED = "retired"


class Audience(StrEnum):
    """Who may read an entry's customer-safe parts."""

    INTERNAL = "internal"
    PARTNER = "partner"
    PUBLIC = "public"


class Role(StrEnum):
    """What a section is for, told from its heading."""

    MEANING = "meaning"
    SYMPTOMS = "symptoms"
    IMPACT = "impact"
    CAUSE = "cause"
    DIAGNOSIS = "diagnosis"
    MITIGATION = "mitigation"
    FIX = "fix"
    LEVER = "lever"
    VERIFY = "verify"
    UNDO = "undo"
    ESCALATION = "escalation"
    OTHER = "other"


class PathKind(StrEnum):
    """Which of the two ways out a path is; a lever is a component's generic mitigation."""

    MITIGATION = "mitigation"
    FIX = "fix"
    LEVER = "lever"


class Severity(StrEnum):
    """Weight of a note or a lint finding."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of the file, 1-based, both ends included."""

    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the file that the reader should know; never a reason not to show it.

    Attributes:
        code: stable slug, for example ``front-matter-broken``.
        severity: how much it matters.
        message: one sentence.
        line: 1-based line, or None when it is about the whole file.
    """

    code: str
    severity: Severity
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that has to be filled in before a command can run.

    Attributes:
        raw: the text to replace, for example ``<pod>``, ``$NODE``, ``{{ .Name }}``.
        name: what to ask for, for example ``pod``; equal names share one value.
    """

    raw: str
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to run or paste, cut from a code block or a code span.

    Attributes:
        text: the command without prompt and without output; may hold several lines (continuations, SQL).
        language: the fence's language in lower case, or empty.
        span: lines in the file.
        output: lines that follow the command as its expected output; empty when there are none.
        placeholders: in order of first appearance, no repeats.
        is_destructive: it deletes, drains, drops, kills, restarts or overwrites.
    """

    text: str
    language: str
    span: Span
    output: str = ""
    placeholders: tuple[Placeholder, ...] = ()
    is_destructive: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step of a path.

    Attributes:
        number: 1-based position in its path.
        text: the instruction as Markdown, without nested attributes and without code blocks.
        span: lines in the file.
        commands: in order.
        verify: how one sees that it worked.
        expect: what the command prints.
        undo: how to take it back.
        if_not: what to do when the verification fails.
        confirm: what to know before a step that cannot be taken back.
        details: further nested text, Markdown, in order.
    """

    number: int
    text: str
    span: Span
    commands: tuple[Command, ...] = ()
    verify: str = ""
    expect: str = ""
    undo: str = ""
    if_not: str = ""
    confirm: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duration:
    """A time span as written and as counted.

    Attributes:
        text: as written, for example ``5-15m``.
        low_minutes: lower bound, ≥ 0.
        high_minutes: upper bound, ≥ low; this one counts in decisions.
    """

    text: str
    low_minutes: float
    high_minutes: float


@dataclass(frozen=True, slots=True)
class PathAttributes:
    """What is known about a path; None or empty reads "not stated".

    Attributes:
        time: how long it takes.
        risk: ``low``, ``medium`` or ``high``.
        reversible: ``yes``, ``partly`` or ``no``.
        blast: blast radius: ``instance``, ``cell``, ``region`` or ``global``.
        approval: ``none``, ``before`` or who has to agree.
        restores: ``full`` or ``partial``.
        data: ``safe`` or ``loses``.
        contains: True when it stops ongoing damage to data.
        confidence: ``guess``, ``likely`` or ``proven``.
        other: further ``Name: value`` bullets, names in lower case.
        left_open: names of attributes that the page itself calls "not stated": its readers' team states them.
    """

    time: Duration | None = None
    risk: str | None = None
    reversible: str | None = None
    blast: str | None = None
    approval: str | None = None
    restores: str | None = None
    data: str | None = None
    contains: bool | None = None
    confidence: str | None = None
    other: Mapping[str, str] = field(default_factory=dict)
    left_open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A way out: a mitigation, a fix forward or a lever.

    Attributes:
        kind: which way.
        is_typed: False when the page does not say whether it stops the bleeding or removes the cause, as in
            old runbooks whose "Mitigation" holds both; the interface says so.
        name: what follows the colon of the heading, else the heading.
        heading: the heading as written.
        anchor: in-page anchor of the heading.
        span: lines of the whole section, heading included.
        attributes: what is known about it.
        steps: in order; empty when the section is prose only.
        body: the section's Markdown without heading and without attribute bullets.
        is_none: the section says that there is no such way ("none known").
        intro: Markdown between the attributes and the first step; the whole body when there are no steps.
        outro: Markdown after the last step.
    """

    kind: PathKind
    is_typed: bool
    name: str
    heading: str
    anchor: str
    span: Span
    attributes: PathAttributes = PathAttributes()
    steps: tuple[Step, ...] = ()
    body: str = ""
    is_none: bool = False
    intro: str = ""
    outro: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what lies under it until the next heading of its level or above.

    Attributes:
        level: 1 to 6; 0 for text before the first heading.
        title: the heading's text without Markdown.
        role: what it is for.
        anchor: GitHub-style slug, unique in the page.
        span: lines, heading included.
        own_last_line: last line before the first sub-heading; equals ``span.last_line`` without sub-headings.
    """

    level: int
    title: str
    role: Role
    anchor: str
    span: Span
    own_last_line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image in the text.

    Attributes:
        target: as written.
        text: the label or the alternative text.
        line: 1-based.
        is_image: it is an image.
    """

    target: str
    text: str
    line: int
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One Markdown file, read.

    Attributes:
        path: relative to its knowledge base, ``/``-separated.
        id: slug, unique in its knowledge base where the author kept it so.
        title: for people.
        kind, state, audience, product, component, owner, tags: facets; empty text means unknown.
        headline: first H1 as written in the text when it differs from ``title``, else empty.
        stem: file name without its extensions.
        reviewed: day of the last review, if known.
        review_every_days: how long a review holds.
        aliases, related, alerts, signatures, answers, affected, environment, depends_on, levers: as in the
            front matter, or found in the text.
        severity: ``sev1`` to ``sev4`` or empty.
        fixed_in, fix_status, tracker, rollback, rollback_note, deploy_time, push_allowed: as written.
        summary: one or two plain sentences for lists.
        is_stub: front matter only, "moved to …", deprecated or a bare list of links; ranked lower.
        paths: mitigations, fixes and levers in order of appearance.
        sections: in order; covers the whole body (from ``body_line`` on).
        links: in order.
        notes: what was odd about the file.
        front_matter: every key as plain text or a tuple of texts, unknown ones too.
        provenance: field name to where its value came from.
        text: decoded text, line ends made LF; front matter included.
        body_line: 1-based line where the body starts.
        size_bytes: of the file.
        content_hash: SHA-256 of the file's bytes, hexadecimal.
    """

    path: str
    id: str
    title: str
    kind: Kind
    state: State
    audience: Audience
    product: str
    component: str
    owner: str
    tags: tuple[str, ...]
    text: str
    body_line: int
    size_bytes: int
    content_hash: str
    headline: str = ""
    stem: str = ""
    reviewed: dt.date | None = None
    review_every_days: int = 365
    aliases: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    levers: tuple[str, ...] = ()
    severity: str = ""
    fixed_in: str = ""
    fix_status: str = ""
    tracker: str = ""
    rollback: str = ""
    rollback_note: str = ""
    deploy_time: str = ""
    push_allowed: str = ""
    summary: str = ""
    is_stub: bool = False
    paths: tuple[Path, ...] = ()
    sections: tuple[Section, ...] = ()
    links: tuple[Link, ...] = ()
    notes: tuple[Note, ...] = ()
    front_matter: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def has(self, kind: PathKind) -> bool:
        """Tell whether the entry itself holds a usable path of ``kind``."""
        return any(path.kind is kind and not path.is_none for path in self.paths)


@dataclass(frozen=True, slots=True)
class EntryCard:
    """The part of an entry that lists, facets and plans need; stored in the index and in the catalogue.

    Attributes: as in `Entry`; ``knowledge_base`` is the name of the knowledge base it lies in, ``has`` holds
        ``mitigation``, ``fix`` and ``lever`` where the entry has such paths of its own, ``links`` the targets
        of its links to other files.
    """

    knowledge_base: str
    path: str
    id: str
    title: str
    kind: Kind
    state: State
    product: str
    component: str
    owner: str = ""
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    severity: str = ""
    has: tuple[str, ...] = ()
    reviewed: dt.date | None = None
    summary: str = ""
    is_stub: bool = False
    content_hash: str = ""
    affected: tuple[str, ...] = ()
    fixed_in: str = ""
    links: tuple[str, ...] = ()
    review_every_days: int = 0


@dataclass(frozen=True, slots=True)
class PlannedPath:
    """A path and where it comes from.

    Attributes:
        path: the path.
        origin: ``own``, ``linked``, ``component`` or ``product``.
        entry_path: file of the entry that holds it.
        entry_title: its title, to be shown.
        entry_state: its state: a path is as trustworthy as its entry.
    """

    path: Path
    origin: str
    entry_path: str
    entry_title: str
    entry_state: State


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """The two ways out for an entry: its own, else linked entries', else the component's, else the product's.

    Attributes:
        mitigations: best origin first, document order within.
        fixes: likewise.
        is_complete: False while the catalogue that linked paths are looked up in is not there yet.
    """

    mitigations: tuple[PlannedPath, ...] = ()
    fixes: tuple[PlannedPath, ...] = ()
    is_complete: bool = True

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no path at all ("no path yet")."""
        return not self.mitigations and not self.fixes


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of lint.

    Attributes:
        code: stable rule code, for example ``E001`` or a slug.
        severity: how much it matters.
        path: file.
        line: 1-based; 1 for the whole file.
        message: one sentence.
        fix: what to do, one sentence; may be empty.
    """

    code: str
    severity: Severity
    path: str
    line: int
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeBaseConfig:
    """``kb.yml`` at the root of a knowledge base; every key is optional.

    Attributes:
        name: shown and used in ``--kb``; empty means the folder's name.
        description: one line.
        products: glob to product name.
        components: glob to component name.
        ignore: globs of paths that are not entries, besides the built-in ones.
        lint_ignore: codes of lint rules that this knowledge base does not follow.
        synonyms: groups of words that mean the same.
        language: BCP 47 tag of the texts.
        notes: what was wrong with the file.
        owners: (glob, owner) pairs from ``OWNERS`` and ``CODEOWNERS`` files, the last match counts.
    """

    name: str = ""
    description: str = ""
    products: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    lint_ignore: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()
    language: str = "en"
    notes: tuple[Note, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
