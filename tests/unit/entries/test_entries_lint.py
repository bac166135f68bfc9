from __future__ import annotations

from pathlib import Path

import pytest

from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import walk
from kb_app.entries.lint import RULE_OF, RULES, lint_entry, name_problem
from kb_app.entries.model import Entry, Finding, KnowledgeBaseConfig, Severity
from kb_app.entries.reading import parse_entry, read_entry
from kb_app.entries.secrets import secrets_in
from kb_app.entries.source import MAX_ENTRY_BYTES

EXAMPLES = Path(__file__).parents[2] / "data" / "lint"
PLAIN = KnowledgeBaseConfig()
CLEAN = (EXAMPLES / "no-owner" / "good" / "memory-full.md").read_bytes()


def entries_in(folder: Path) -> list[Entry]:
    """Return an example's entries: its files, or a clean entry for each name that Git cannot hold."""
    names, generated = folder / "names.txt", folder / "generated.txt"
    if names.exists():
        return [parse_entry(name, CLEAN, PLAIN) for name in names.read_text("utf-8").splitlines()]
    if generated.exists():
        text = generated.read_bytes()
        return [parse_entry("big.md", CLEAN + text * (MAX_ENTRY_BYTES // len(text) + 1), PLAIN)]
    return [read_entry(folder, file.path, PLAIN) for file in walk(folder, PLAIN).files]


def findings_in(folder: Path) -> list[Finding]:
    entries = entries_in(folder)
    catalogue = Catalogue(card_of(entry, "kb") for entry in entries)
    return [finding for entry in entries for finding in lint_entry(entry, catalogue)]


def test_every_rule_has_a_bad_and_a_good_example_and_help() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {rule.code for rule in RULES}
    assert len(RULE_OF) == len(RULES)
    for rule in RULES:
        assert rule.help.endswith(".")
        assert rule.fix.endswith(".")


@pytest.mark.parametrize("code", sorted(RULE_OF))
def test_the_bad_example_breaks_the_rule(code: str) -> None:
    found = [finding for finding in findings_in(EXAMPLES / code / "bad") if finding.code == code]
    assert found
    for finding in found:
        assert finding.severity is RULE_OF[code].severity
        assert finding.line >= 1
        assert not finding.message.endswith(".")
        assert finding.fix == RULE_OF[code].fix


@pytest.mark.parametrize("code", sorted(RULE_OF))
def test_the_good_example_has_no_finding_at_all(code: str) -> None:
    assert findings_in(EXAMPLES / code / "good") == []


@pytest.mark.parametrize(
    "name", (EXAMPLES / "file-name" / "bad" / "names.txt").read_text("utf-8").splitlines()
)
def test_each_unportable_name_is_told(name: str) -> None:
    assert name_problem(name)


def test_findings_are_ordered_by_line_and_gravity() -> None:
    raw = b"---\nkind: known-fix\nstate: nonsense\n---\n# A\n## Cause\nx\n"
    findings = lint_entry(parse_entry("aux.md", raw, PLAIN), None)
    assert [(f.line, f.code) for f in findings] == [
        (1, "file-name"), (1, "no-signature"), (1, "no-owner"), (3, "unknown-value"), (5, "no-path"),
    ]  # fmt: skip
    assert findings[3].severity is Severity.ERROR


def test_both_ways_are_asked_for() -> None:
    head = b"---\nkind: runbook\n---\n# T\n"
    for section, asked in ((b"## Workaround\nGo.\n", "a fix"), (b"## Permanent fix\nGo.\n", "a mitigation")):
        found = lint_entry(parse_entry("x.md", head + section, PLAIN), None)
        assert [f.message for f in found if f.code == "one-way"] == [f"Nothing is said about {asked}"]


def test_a_time_without_a_unit_is_told() -> None:
    raw = b"# T\n## Workaround\n- Time: soon\n\n1. Go.\n"
    found = [f for f in lint_entry(parse_entry("x.md", raw, PLAIN), None) if f.code == "attribute-value"]
    assert [f.message for f in found] == ["Time: 'soon' is not a duration such as 10m or 1.5h"]


def test_a_placeholder_needs_a_telling_name() -> None:
    raw = b"# T\n## Workaround\n\n1. Go: `kubectl get <value>`\n"
    found = [f for f in lint_entry(parse_entry("x.md", raw, PLAIN), None) if f.code == "placeholder"]
    assert [(f.line, f.message) for f in found] == [(4, "The name of <value> does not tell what to fill in")]


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "token ghp_" + "a1B2" * 9,
        "glpat-" + "x1Y2z3" * 4,
        "xoxb-" + "123456789012-abcdef",
        "curl https://bob:s3cr3tw0rd9@host.example/",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N",
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
        "key = sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    ],
)
def test_secrets_are_known_by_their_shape(line: str) -> None:
    assert [(found.line, found.is_certain) for found in secrets_in(["x", line])] == [(2, True)]


@pytest.mark.parametrize(
    "line",
    [
        "password: <password>",
        "password=$PASSWORD",
        "password: changeme123",
        "https://user:password@host/",
        "https://user:<token>@host/",
        "secretName: my-secret-1",
        "token: /var/run/secrets/token1",
        "passwordPolicy: required1x",
        "api_key: abcdefgh",
    ],
)
def test_stand_ins_are_no_secrets(line: str) -> None:
    assert secrets_in([line]) == ()


def test_a_secret_is_not_repeated_in_the_finding() -> None:
    secret = "AKIA" + "Q7ZK3MDPW9XELT4V"
    (finding,) = [
        f for f in lint_entry(parse_entry("x.md", secret.encode(), PLAIN), None) if f.code == "secret"
    ]
    assert secret not in finding.message


def test_an_attribute_left_to_the_team_is_no_finding() -> None:
    raw = (EXAMPLES / "missing-attributes" / "bad" / "memory-full.md").read_text("utf-8")
    entry = parse_entry("memory-full.md", raw.encode(), PLAIN)
    [missing] = [f for f in lint_entry(entry, None) if f.code == "missing-attributes"]
    lines = raw.split("\n")
    for label in missing.message.rpartition(" state ")[2].split(", "):
        lines.insert(missing.line, f"- {label}: not stated")
    assert "missing-attributes" not in {
        f.code for f in lint_entry(parse_entry("memory-full.md", "\n".join(lines).encode(), PLAIN), None)
    }


def test_a_rule_that_does_not_hold_here_is_left_out() -> None:
    entry = parse_entry("a.md", b"---\nkind: known-fix\n---\n# A\n## Cause\nThe limit.\n", PLAIN)
    codes = {f.code for f in lint_entry(entry, None)}
    assert "no-owner" in codes
    assert {f.code for f in lint_entry(entry, None, ("no-owner",))} == codes - {"no-owner"}
