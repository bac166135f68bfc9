"""Events: their envelope, their types, and what the data of each type must hold.

Data holds handles and ticket ids, never customer data; credentials in texts are removed before writing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kb_app.errors import UsageError
from kb_app.incidents.canonical import NotCanonicalError, canonical, parse
from kb_app.logs import redact

FORMAT_VERSION = 1
MAX_TEXT = 20_000
MAX_LINE_BYTES = 262_144
LATE_AFTER = dt.timedelta(minutes=15)
"""An event written this much later than it happened is shown as a late entry."""

_DEVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_ENVELOPE = frozenset({"v", "seq", "prev", "dev", "by", "at", "rec", "type", "data", "hash"})


class EventType(StrEnum):
    """What an event says."""

    OPENED = "opened"
    IMPACT = "impact"
    ENTRY_USED = "entry-used"
    DECISION = "decision"
    OVERRIDE = "override"
    APPROVAL = "approval"
    ACTION = "action"
    DEPLOY = "deploy"
    MITIGATED = "mitigated"
    FIXED = "fixed"
    REVIEW = "review"
    FOLLOWUP = "followup"
    KNOWLEDGE = "knowledge"
    HANDOVER = "handover"
    NOTE = "note"
    CORRECT = "correct"
    SEAL = "seal"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        seq: 1-based place in its device's file.
        prev: hash of the event before it, or of the file's origin.
        dev: device that wrote it.
        by: who wrote it, a handle or an address.
        at: when it happened, as claimed; UTC, whole seconds.
        rec: when it was written, by the device's clock; UTC, whole seconds.
        type: one of `EventType`, or a word from a newer version.
        data: what happened; which keys depends on ``type``.
        hash: SHA-256 over the canonical JSON of everything else.
    """

    seq: int
    prev: str
    dev: str
    by: str
    at: dt.datetime
    rec: dt.datetime
    type: str
    data: Mapping[str, object] = field(default_factory=dict)
    hash: str = ""

    @property
    def is_late(self) -> bool:
        """Tell whether it was written more than 15 minutes after it happened."""
        return self.rec - self.at > LATE_AFTER

    def text(self, key: str) -> str:
        """Return the text under ``key``; empty when there is none."""
        value = self.data.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under ``key``; empty when there is none."""
        value = self.data.get(key)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def origin_hash(incident_id: str, device: str) -> str:
    """Return what the first event of a device's file is chained to: it binds the file to its record."""
    return digest(canonical({"dev": device, "incident": incident_id}))


def digest(raw: bytes) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of ``raw``."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def format_time(moment: dt.datetime) -> str:
    """Return an aware time as ``2025-06-01T02:11:09Z``, fractions of a second dropped."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: object) -> dt.datetime | None:
    """Return the UTC time that ``text`` spells in exactly that form, or None."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def sealed(event: Event) -> Event:
    """Return ``event`` with its hash."""
    return Event(
        seq=event.seq,
        prev=event.prev,
        dev=event.dev,
        by=event.by,
        at=event.at,
        rec=event.rec,
        type=event.type,
        data=event.data,
        hash=hash_of(envelope(event)),
    )


def envelope(event: Event) -> dict[str, object]:
    """Return the members that are written for ``event``, ``hash`` included when it has one."""
    members: dict[str, object] = {
        "v": FORMAT_VERSION,
        "seq": event.seq,
        "prev": event.prev,
        "dev": event.dev,
        "by": event.by,
        "at": format_time(event.at),
        "rec": format_time(event.rec),
        "type": event.type,
        "data": dict(event.data),
    }
    return members | {"hash": event.hash} if event.hash else members


def hash_of(members: Mapping[str, object]) -> str:
    """Return the hash over the canonical JSON of ``members`` without ``hash``."""
    return digest(canonical({name: value for name, value in members.items() if name != "hash"}))


def to_line(event: Event) -> bytes:
    """Return the line that is appended for ``event``, line end included.

    Raises:
        UsageError: when it is too long, or holds a value that JSON cannot.
    """
    try:
        line = canonical(envelope(event)) + b"\n"
    except NotCanonicalError as error:
        raise UsageError(f"The event cannot be written: {error}") from error
    if len(line) > MAX_LINE_BYTES:
        raise UsageError(
            f"The event is longer than {MAX_LINE_BYTES} bytes",
            "Attach long texts as files and name their hash",
        )
    return line


def from_line(line: bytes) -> Event:
    """Return the event that a line without its line end holds; hash and chain are not checked here.

    Raises:
        NotCanonicalError: when it is not an event; the position is a byte offset in the line, where known.
    """
    members = parse(line)
    if not isinstance(members, dict):
        raise NotCanonicalError("it is not an object", 0)
    missing = _ENVELOPE - members.keys()
    if missing or members.keys() - _ENVELOPE:
        names = ", ".join(sorted(missing or members.keys() - _ENVELOPE))
        raise NotCanonicalError(f"it {'lacks' if missing else 'has unknown'} {names}")
    if members["v"] != FORMAT_VERSION:
        raise NotCanonicalError(f"its version {members['v']!r} is not known")
    at, rec = parse_time(members["at"]), parse_time(members["rec"])
    seq, data = members["seq"], members["data"]
    texts = [members[name] for name in ("prev", "dev", "by", "type", "hash")]
    if at is None or rec is None or not isinstance(seq, int) or isinstance(seq, bool):
        raise NotCanonicalError("its seq, at or rec is not well formed")
    if not isinstance(data, dict) or not all(isinstance(text, str) for text in texts):
        raise NotCanonicalError("its members are not of their types")
    prev, dev, by, kind, own_hash = (str(text) for text in texts)
    return Event(seq, prev, dev, by, at, rec, kind, data, own_hash)


def is_device_name(text: str) -> bool:
    """Tell whether ``text`` may name a device (and its file): lower-case letters, digits, hyphens."""
    return _DEVICE.fullmatch(text) is not None


# What the data of each type must hold

Check = Callable[[object], str | None]
"""Returns what is wrong with a value, completing "title …", or None."""


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an event's data.

    Attributes:
        name: the member.
        check: what its value must be.
        is_required: it must be there.
        help: what it means.
    """

    name: str
    check: Check
    is_required: bool
    help: str


def _is_text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "must be a text"
    return f"is longer than {MAX_TEXT} characters" if len(value) > MAX_TEXT else None


def _is_any_text(value: object) -> str | None:
    return None if isinstance(value, str) and len(value) <= MAX_TEXT else "must be a text"


def _is_time(value: object) -> str | None:
    return None if parse_time(value) else "must be a UTC time such as 2025-06-01T02:11:09Z"


def _is_number(value: object) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if is_number else "must be a number from 1"


def _is_minutes(value: object) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return None if is_number else "must be minutes from 0"


def _is_list(value: object) -> str | None:
    return None if isinstance(value, list) else "must be a list"


def _is_object(value: object) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def _is_truth(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _one_of(*words: str) -> Check:
    def check(value: object) -> str | None:
        return None if value in words else f"must be one of {', '.join(words)}"

    return check


def _is_hash(value: object) -> str | None:
    return None if isinstance(value, str) and _HASH.fullmatch(value) else "must be sha256: and 64 hex digits"


def _is_heads(value: object) -> str | None:
    if not isinstance(value, dict):
        return "must be an object of devices"
    for device, head in value.items():
        if not is_device_name(device) or not isinstance(head, dict):
            return "must name devices with seq and hash"
        if _is_number(head.get("seq")) or _is_hash(head.get("hash")):
            return f"has no seq and hash for {device}"
    return None


def _required(name: str, check: Check, meaning: str) -> Field:
    return Field(name, check, is_required=True, help=meaning)


def _optional(name: str, check: Check, meaning: str) -> Field:
    return Field(name, check, is_required=False, help=meaning)


RECOMMENDATIONS = (
    "contain",
    "normal-change",
    "escalate",
    "fix-forward",
    "mitigate-then-fix",
    "parallel",
)
FOLLOWUP_KINDS = ("fix", "remove-mitigation", "prevent", "merge-back", "written-review")
STEP_RESULTS = (
    "started",
    "done",
    "skipped",
    "failed",
    "copied",
    "waiting",
    "wait-over",
    "undone",
    "taken-over",
    "ended",
)
AUDIENCES = ("internal", "partner", "public")
_SEVERITY = _one_of("sev1", "sev2", "sev3", "sev4")

EVENT_FIELDS: Mapping[EventType, tuple[Field, ...]] = {
    EventType.OPENED: (
        _required("title", _is_text, "what is wrong, in a few words"),
        _optional("severity", _SEVERITY, "sev1 to sev4"),
        _optional("alert", _is_text, "name of the alert"),
        _optional("ticket", _is_text, "id of the ticket"),
        _optional("tracker", _is_text, "link to the issue"),
        _optional("detected", _is_text, "how, or when, it was noticed"),
        _optional("services", _is_list, "what is affected"),
        _optional("tags", _is_list, "topics a policy may name"),
        _optional("lead", _is_text, "who leads"),
    ),
    EventType.IMPACT: (
        _optional("impact", _one_of("minor", "degraded", "down"), "how badly users are hit"),
        _optional("data", _one_of("none", "possible", "active"), "whether data is being damaged"),
        _optional("trend", _one_of("stable", "worsening", "recovering"), "where it is going"),
        _optional("scope", _one_of("instance", "cell", "region", "global"), "what is broken"),
        _optional("severity", _SEVERITY, "when it changed"),
    ),
    EventType.ENTRY_USED: (
        _required("entry", _is_text, "id of the entry"),
        _optional("blob", _is_text, "its version, a Git blob id"),
        _required("result", _one_of("worked", "partly", "no"), "whether it helped"),
        _optional("is_known", _is_truth, "the entry existed before the incident"),
        _optional("note", _is_text, "what was off"),
    ),
    EventType.DECISION: (
        _required("inputs", _is_object, "incident, mitigation and fix as weighed"),
        _optional("gates", _is_list, "gates that were closed"),
        _required("rule", _one_of(*(f"D{n}" for n in range(1, 9))), "which rule"),
        _required("recommendation", _one_of(*RECOMMENDATIONS), "what it said"),
        _optional("review", _one_of("before", "after"), "when the fix is reviewed"),
        _optional("vrule", _one_of("V1", "V2", "V3"), "which rule set that"),
        _optional("obligations", _is_list, "ids of what is owed"),
        _required("policy", _is_text, "Git blob id of the policy"),
        _optional("review_due_minutes", _is_minutes, "review after deployment is due then"),
        _optional("followup_due_minutes", _is_minutes, "follow-ups are due then"),
        _optional("independent_of", _is_list, "who may not review"),
        _optional("forbidden", _is_list, "tags that are never pushed unreviewed"),
        _optional("timebox_minutes", _is_minutes, "how long the fix is tried before falling back"),
        _optional("entry", _is_text, "id of the entry that was decided on"),
        _optional("late_reason", _is_text, "why it was only written down afterwards"),
    ),
    EventType.OVERRIDE: (
        _required("chosen", _one_of(*RECOMMENDATIONS), "what is done instead"),
        _required("reason", _is_text, "one line"),
    ),
    EventType.APPROVAL: (
        _required("who", _is_text, "who approved"),
        _required("how", _one_of("standing", "verbal", "written", "self"), "in which way"),
        _optional("what", _is_text, "path or change"),
        _optional("change", _is_text, "id of the change"),
        _optional("policy", _is_text, "policy version that gives a standing approval"),
    ),
    EventType.ACTION: (
        _required("path", _is_text, "which path"),
        _required("result", _one_of(*STEP_RESULTS), "what happened to the step or the run"),
        _optional("step", _is_number, "1-based"),
        _optional("run", _is_text, "id of the run"),
        _optional("way", _one_of("mitigation", "fix", "lever"), "which way out"),
        _optional("entry", _is_text, "id of the entry"),
        _optional("blob", _is_text, "its version"),
        _optional("steps", _is_list, "texts of the steps when the run began"),
        _optional("command", _is_any_text, "as copied, values filled in"),
        _optional("note", _is_any_text, "what was seen"),
        _optional("minutes", _is_minutes, "how long to wait"),
        _optional("due", _is_time, "when a wait is over"),
        _optional("undoes", _is_object, "dev and seq of the event taken back"),
        _optional("owner", _is_text, "who carries it out"),
    ),
    EventType.DEPLOY: (
        _required("change", _is_text, "id of the change"),
        _required("env", _is_text, "where to"),
        _optional("repo", _is_text, "service or repository"),
        _optional("author", _is_text, "who wrote the change"),
        _optional("deployer", _is_text, "who deployed it, when not the writer of the event"),
        _optional("review", _one_of("before", "after"), "when it is reviewed"),
        _optional("due", _is_time, "when the review is due"),
        _optional("way", _one_of("mitigation", "fix"), "what it is for"),
        _optional("authority", _is_text, "by what right it went out"),
        _optional("tests", _is_text, "evidence of tests, or why there is none"),
    ),
    EventType.MITIGATED: (_required("signal", _is_text, "what proves it"),),
    EventType.FIXED: (_required("signal", _is_text, "what proves it"),),
    EventType.REVIEW: (
        _required("change", _is_text, "id of the change"),
        _required("reviewer", _is_text, "who reviewed"),
        _required("verdict", _one_of("pass", "pass-with-followup", "revert"), "what they found"),
        _optional("note", _is_text, "why"),
    ),
    EventType.FOLLOWUP: (
        _required("state", _one_of("opened", "closed"), "opened or closed"),
        _required("kind", _one_of(*FOLLOWUP_KINDS), "what for"),
        _optional("id", _is_text, "to tell several of one kind apart"),
        _optional("owner", _is_text, "who does it"),
        _optional("due", _is_time, "by when"),
        _optional("url", _is_text, "where it is tracked"),
        _optional("signal", _is_text, "what proves it is done"),
        _optional("text", _is_text, "what is to be done"),
    ),
    EventType.KNOWLEDGE: (
        _required("how", _one_of("link", "flag", "fix", "add"), "what was done"),
        _required("entry", _is_text, "id of the entry"),
        _optional("note", _is_text, "what was learned"),
    ),
    EventType.HANDOVER: (
        _required("to", _is_text, "to whom"),
        _required("text", _is_text, "what they need to know"),
    ),
    EventType.NOTE: (
        _required("text", _is_text, "what was seen"),
        _optional("audience", _one_of(*AUDIENCES), "who may read it; internal when absent"),
        _optional("attachments", _is_list, "name and hash of files kept elsewhere"),
        _optional("ticket", _is_text, "id of a ticket that belongs to the incident"),
        _optional("tracker", _is_text, "link to its issue"),
    ),
    EventType.CORRECT: (
        _required("seq", _is_number, "which event"),
        _optional("dev", lambda v: None if is_device_name(str(v)) else "must be a device", "of which device"),
        _required("reason", _is_text, "why"),
        _required("data", _is_object, "the new data, whole"),
        _optional("at", _is_time, "when it really happened"),
    ),
    EventType.SEAL: (
        _required("heads", _is_heads, "device to seq and hash of its last event"),
        _optional("reason", _is_text, "why it is closed although something is open"),
    ),
}


def problems(kind: str, data: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the data of an event, one sentence each; empty when it is right."""
    try:
        fields = EVENT_FIELDS[EventType(kind)]
    except ValueError:
        return [f"“{kind}” is not a type of event"]
    found = [
        f"{field.name} is missing: {field.help}"
        for field in fields
        if field.is_required and field.name not in data
    ]
    checks = {field.name: field.check for field in fields}
    for name, value in data.items():
        if name not in checks:
            found.append(f"“{name}” does not belong to a {kind} event")
        elif problem := checks[name](value):
            found.append(f"{name} {problem}")
    if kind == EventType.IMPACT and not data:
        found.append("nothing is stated")
    return found


def checked(kind: EventType, data: Mapping[str, object]) -> dict[str, object]:
    """Return ``data`` ready to be written: absent values dropped, credentials removed from texts.

    Raises:
        UsageError: when it does not fit its type.
    """
    kept = {name: _plain(value) for name, value in data.items() if value is not None}
    found = problems(kind, kept)
    if found:
        raise UsageError(f"This is not a {kind} event: {'; '.join(found)}")
    return {name: _cleaned(value) for name, value in kept.items()}


def _plain(value: object) -> object:
    """Return ``value`` as JSON has it: lists for tuples, texts for times; a day is due until its end, UTC."""
    if isinstance(value, dt.datetime):
        return format_time(value)
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T23:59:59Z"
    return list(value) if isinstance(value, tuple) else value


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
