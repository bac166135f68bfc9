import doctest
import json

import pytest

from kb_app.search import masking
from kb_app.search.masking import is_paste, mask, read_paste


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(masking).failed == 0


@pytest.mark.parametrize(
    "kept",
    [
        "5.7.133",
        "0x8004de8a",
        "HTTP 503",
        "1.24.6",
        "v1.24.6",
        "exit code 137",
        "version 1.24",
        "status=404",
        "AADSTS50020",
        "ORA-00942",
        "x509",
        "etcd-0",
    ],
)
def test_what_names_the_problem_is_kept(kept: str) -> None:
    assert kept in mask(f"it says {kept} here")


@pytest.mark.parametrize(
    "volatile",
    [
        "2024-05-01T10:00:00.123Z",
        "2024-05-01 10:00:00,123",
        "May  1 10:00:00",
        "01/May/2024:10:00:00 +0000",
        "10.1.2.3",
        "10.1.2.3:8080",
        "2001:db8:0:1:1:1:1:1",
        "550e8400-e29b-41d4-a716-446655440000",
        "0xc000123456789",
        "sha256:abcdef0123456789",
        "12:34:56",
        "12.5s",
        "1048576",
        "[12345]",
        "98.6%",
        "anna@example.org",
        "aa:bb:cc:dd:ee:ff",
    ],
)
def test_what_differs_at_every_occurrence_is_removed(volatile: str) -> None:
    assert mask(f"it says {volatile} here").split() == ["it", "says", "here"]


def test_the_hash_of_a_pod_is_removed_and_its_name_kept() -> None:
    assert mask("pod checkout-api-7d9f8b6c5d-x2x9z crashed").split() == ["pod", "checkout-api", "crashed"]


def test_several_lines_are_a_paste_and_a_few_words_are_not() -> None:
    assert is_paste("first line\nsecond line")
    assert not is_paste("disk full on the database host")
    assert not is_paste('kind:fix component:gateway "lease lost"')


def test_one_line_of_a_log_is_a_paste() -> None:
    assert is_paste('E0312 10:11:12.123456 1 reflector.go:138] Failed to watch *v1.Pod: "pods is forbidden"')
    assert is_paste(
        '{"level":"error","msg":"Cannot reach primary","error":"dial tcp 10.1.1.1:5432: refused"}'
    )


def test_trouble_counts_more_than_routine() -> None:
    text = "INFO GET /healthz 200\nERROR connection refused by upstream"
    weights = {line.text.split()[0]: line.weight for line in read_paste(text).lines}
    assert weights["ERROR"] > weights["INFO"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"alerts": [{"labels": {"alertname": "DiskFull"}}]}),
        "alertname = DiskFull\nseverity = page",
        "[FIRING:2] DiskFull (node a)\nhello",
        "runbook_url: https://books.example.org/x/DiskFull.html",
        "https://books.example.org/x/DiskFull/",
    ],
)
def test_alerts_are_found_by_their_labels(text: str) -> None:
    assert "DiskFull" in read_paste(text).alerts


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, "\x00" * 1000, "a@" * 50_000, "0:" * 50_000]
)
def test_hostile_pastes_are_read(text: str) -> None:
    assert read_paste(text).alerts == ()


def test_of_a_long_paste_the_trouble_is_read() -> None:
    lines = [f"line {n} of routine" for n in range(5_000)]
    lines[3_900] = "the disk is corrupted"
    assert any("corrupted" in line.text for line in read_paste("\n".join(lines)).lines)
