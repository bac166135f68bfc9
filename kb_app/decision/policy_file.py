"""``policy.yml``: text to `Policy` and findings with line numbers; a commented file from the table of keys.

The file comes from a shared repository, so it is read as plain text values only: no aliases, no merge keys,
no types, capped in size and depth (a 363-byte file of merge keys keeps a YAML loader busy for ever).

Decision: a mistake may never skip a review. Where a key that guards review cannot be understood, or the whole
file cannot, ``push_when_down`` becomes ``review-first`` until the file is mended.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from kb_app.decision.durations import parse_minutes
from kb_app.decision.policy import (
    INDEPENDENT_OF,
    KEYS_BY_NAME,
    POLICY_KEYS,
    Freeze,
    KeyKind,
    Policy,
    PolicyKey,
    blob_id,
)
from kb_app.decision.values import Confidence, PushWhenDown, Reversible, Risk
from kb_app.entries.model import Finding, Severity

FILE_NAME = "policy.yml"
MAX_CHARACTERS = 65_536
MAX_DEPTH = 8
MAX_EVENTS = 10_000
_GUARDS = frozenset({"push_when_down", "never_unreviewed", "freeze"})
_GROUPS = frozenset(key.key.split(".", maxsplit=1)[0] for key in POLICY_KEYS if "." in key.key)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class _BadValueError(ValueError):
    """A value that does not fit; the message completes "…: "."""


@dataclass(slots=True)
class _Findings:
    found: list[Finding] = field(default_factory=list)

    def add(self, code: str, line: int, message: str, fix: str = "", *, is_error: bool = True) -> None:
        severity = Severity.ERROR if is_error else Severity.WARNING
        self.found.append(Finding(code, severity, FILE_NAME, line, message, fix))


def read_policy(raw: bytes) -> tuple[Policy, tuple[Finding, ...]]:
    """Return the policy that a file's bytes describe, with the Git blob id of just these bytes.

    As `load_policy`; bytes that are not UTF-8 are a finding, and the default policy applies.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        finding = Finding("policy-broken", Severity.ERROR, FILE_NAME, line, "The policy is not UTF-8 text")
        return Policy(revision=blob_id(raw), push_when_down=PushWhenDown.REVIEW_FIRST), (finding,)
    policy, findings = load_policy(text)
    return dataclasses.replace(policy, revision=blob_id(raw)), findings


def load_policy(text: str) -> tuple[Policy, tuple[Finding, ...]]:
    """Return the policy that ``text`` describes and what is wrong with the text, by line.

    Whatever cannot be understood is a finding and keeps its default; everything else applies. Never raises
    on content. The revision is the blob id of the text as UTF-8; `read_policy` takes the file's own bytes.
    """
    findings = _Findings()
    revision = blob_id(text.encode("utf-8", "surrogatepass"))
    root = _compose(text, findings)
    if root is None:
        push = PushWhenDown.REVIEW_FIRST if findings.found else Policy().push_when_down
        return Policy(revision=revision, push_when_down=push), tuple(findings.found)
    changes = _read_settings(root, findings, inside="")
    components, products = _read_overrides(root, findings)
    policy = dataclasses.replace(
        Policy(),
        overrides_components=components,
        overrides_products=products,
        revision=revision,
        **changes,  # type: ignore[arg-type]  # fields by construction of POLICY_KEYS
    )
    return policy, tuple(sorted(findings.found, key=lambda f: f.line))


def _compose(text: str, findings: _Findings) -> yaml.MappingNode | None:
    if len(text) > MAX_CHARACTERS:
        findings.add("policy-too-large", 1, f"The policy is longer than {MAX_CHARACTERS} characters")
        return None
    try:
        if not _is_within_caps(text, findings):
            return None
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        findings.add(
            "policy-broken",
            mark.line + 1 if mark is not None else 1,
            f"The policy is not valid YAML: {problem}",
            "Until it is mended the default policy is used, and every fix is reviewed first",
        )
        return None
    if node is None or _is_empty(node):
        return None
    if not isinstance(node, yaml.MappingNode):
        findings.add("policy-broken", _line(node), "The policy is not a list of keys", "Write 'slack: 5m'")
        return None
    return node


def _is_within_caps(text: str, findings: _Findings) -> bool:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.BaseLoader)):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            findings.add("policy-alias", line, "Anchors and aliases are not read", "Write the value out")
            return False
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            findings.add("policy-too-large", line, "The policy is nested too deeply or too long")
            return False
        if isinstance(event, yaml.DocumentStartEvent) and count > 1:
            findings.add("policy-broken", line, "The policy holds a second document", "Remove it")
            return False
    return True


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _pairs(node: yaml.MappingNode, findings: _Findings) -> Iterator[tuple[str, int, yaml.Node]]:
    """Yield key, line and value; a repeated key counts once, where it stands first."""
    seen: set[str] = set()
    for key_node, value in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            findings.add("policy-bad-key", _line(key_node), "A key must be plain text")
            continue
        key = str(key_node.value)
        if key in seen:
            findings.add(
                "policy-repeated-key",
                _line(key_node),
                f"'{key}' is given twice; the first value counts",
                "Remove one of them",
            )
            continue
        seen.add(key)
        yield key, _line(key_node), value


def _read_settings(node: yaml.MappingNode, findings: _Findings, *, inside: str) -> dict[str, object]:
    """Return field to value for every key below ``node`` that is known and well written."""
    changes: dict[str, object] = {}
    for key, line, value in _pairs(node, findings):
        if key == "overrides" and not inside:
            continue
        if key in _GROUPS:
            if isinstance(value, yaml.MappingNode):
                for name, sub_line, sub_value in _pairs(value, findings):
                    _read_setting(f"{key}.{name}", sub_line, sub_value, findings, changes)
            elif not _is_empty(value):
                findings.add("policy-bad-value", line, f"'{key}' must hold keys of its own", _example(key))
            continue
        _read_setting(key, line, value, findings, changes)
    return changes


def _example(group: str) -> str:
    names = [key.key.split(".")[1] for key in POLICY_KEYS if key.key.startswith(f"{group}.")]
    return f"Write {group}: with {', '.join(names)} below it"


def _read_setting(
    name: str, line: int, value: yaml.Node, findings: _Findings, changes: dict[str, object]
) -> None:
    key = KEYS_BY_NAME.get(name)
    if key is None:
        near = difflib.get_close_matches(name, [*KEYS_BY_NAME, "overrides"], n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "It has no effect"
        if near and near[0] in _GUARDS:
            changes["push_when_down"] = PushWhenDown.REVIEW_FIRST
            hint += " Until it is mended, every fix is reviewed first"
        findings.add("policy-unknown-key", line, f"'{name}' is not a key of the policy", hint, is_error=False)
        return
    if _is_empty(value):
        if key.kind in (KeyKind.WORDS, KeyKind.FREEZES):
            changes[key.field] = ()
        return
    try:
        read = _READERS[key.kind](key, value)
    except _BadValueError as error:
        is_guard = name in _GUARDS
        then = "every fix is reviewed first until it is mended" if is_guard else "it has no effect"
        message = f"{name}: {error}; {then}"
        findings.add("policy-bad-value", _line(value), message, f"Write {key.kind.value}")
        if is_guard:
            changes["push_when_down"] = PushWhenDown.REVIEW_FIRST
        return
    if changes.get(key.field) is not PushWhenDown.REVIEW_FIRST:  # set by a mistake further up
        changes[key.field] = read


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in ("", "~", "null")


def _scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _BadValueError("a single value is expected")
    return str(node.value).strip()


def _items(node: yaml.Node) -> list[str]:
    if isinstance(node, yaml.SequenceNode):
        return [_scalar(item) for item in node.value]
    return [part for part in (p.strip() for p in _scalar(node).split(",")) if part]


def _duration(_key: PolicyKey, node: yaml.Node) -> object:
    text = _scalar(node)
    minutes = parse_minutes(text)
    if minutes is None:
        bare = text.replace(".", "", 1).isdigit()
        raise _BadValueError(f"'{text}' has no unit" if bare else f"'{text}' is not a time")
    return minutes


def _word(kind: Callable[[str], object]) -> Callable[[PolicyKey, yaml.Node], object]:
    def read(_key: PolicyKey, node: yaml.Node) -> object:
        text = _scalar(node)
        try:
            return kind(text.lower())
        except ValueError:
            raise _BadValueError(f"'{text}' is not one of the values") from None

    return read


def _words(key: PolicyKey, node: yaml.Node) -> object:
    words = tuple(dict.fromkeys(word.lower() for word in _items(node)))
    if key.key == "post_review.independent_of":
        unknown = [word for word in words if word not in INDEPENDENT_OF]
        if unknown:
            raise _BadValueError(f"'{unknown[0]}' is not one of {', '.join(INDEPENDENT_OF)}")
    return words


def _freezes(_key: PolicyKey, node: yaml.Node) -> object:
    return tuple(_freeze(item) for item in _items(node))


def _freeze(text: str) -> Freeze:
    first, dots, last = (part.strip() for part in text.partition(".."))
    days = []
    for part in (first, last if dots else first):
        if not _DAY.fullmatch(part):
            raise _BadValueError(f"'{text}' is not a day or a range of days")
        try:
            days.append(dt.date.fromisoformat(part))
        except ValueError:
            raise _BadValueError(f"'{part}' is not a day of the calendar") from None
    if days[1] < days[0]:
        raise _BadValueError(f"'{text}' ends before it begins")
    return Freeze(days[0], days[1])


_READERS: Mapping[KeyKind, Callable[[PolicyKey, yaml.Node], object]] = {
    KeyKind.DURATION: _duration,
    KeyKind.RISK: _word(Risk),
    KeyKind.CONFIDENCE: _word(Confidence),
    KeyKind.REVERSIBLE: _word(Reversible),
    KeyKind.PUSH: _word(PushWhenDown),
    KeyKind.WORDS: _words,
    KeyKind.FREEZES: _freezes,
}


def _read_overrides(
    root: yaml.MappingNode, findings: _Findings
) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, object]]]:
    overrides: dict[str, dict[str, dict[str, object]]] = {"components": {}, "products": {}}
    # repeated keys of the root were reported by _read_settings
    node = next((value for key, _, value in _pairs(root, _Findings()) if key == "overrides"), None)
    if node is None or _is_empty(node):
        return overrides["components"], overrides["products"]
    if not isinstance(node, yaml.MappingNode):
        findings.add("policy-bad-value", _line(node), "'overrides' must hold components or products")
        return overrides["components"], overrides["products"]
    for group, line, names in _pairs(node, findings):
        if group not in overrides:
            near = difflib.get_close_matches(group, overrides, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "Write components or products"
            findings.add(
                "policy-unknown-key", line, f"'{group}' cannot be overridden for", hint, is_error=False
            )
        elif isinstance(names, yaml.MappingNode):
            for name, name_line, settings in _pairs(names, findings):
                if isinstance(settings, yaml.MappingNode):
                    overrides[group][name.lower()] = _read_settings(settings, findings, inside=name)
                elif not _is_empty(settings):
                    findings.add("policy-bad-value", name_line, f"'{name}' must hold keys of the policy")
        elif not _is_empty(names):
            findings.add("policy-bad-value", line, f"'{group}' must hold names with keys of the policy")
    return overrides["components"], overrides["products"]


def policy_template() -> str:
    """Return the default policy as a file with a comment for each key; it reads back without findings."""
    lines = [
        "# How this team decides between mitigating and fixing forward.",
        "# Every decision stores this file's Git blob id, so that it is judged by the rules then in force.",
    ]
    group = ""
    for key in POLICY_KEYS:
        head, _, name = key.key.rpartition(".")
        if head and head != group:
            lines.append(f"{head}:")
        group = head
        indent = "  " if head else ""
        lines += [f"{indent}# {key.help}", f"{indent}{name}: {key.default}"]
    lines += [
        "# Other values for single components or products, for example:",
        "#   components: {billing-api: {push_when_down: review-first}}",
        "overrides:",
        "  components: {}",
        "  products: {}",
    ]
    return "\n".join(lines) + "\n"
