from __future__ import annotations

import pytest

from kb_app.entries.model import (
    Command,
    Duration,
    Path,
    PathAttributes,
    PathKind,
    Placeholder,
    PlannedPath,
    ResponsePlan,
    Span,
    State,
    Step,
)
from kb_app.ui.steps.state import (
    Lane,
    attributes_of,
    cleaned,
    decide_copy,
    inline_html,
    lanes_of,
    placeholder_names,
    plain_words,
    resolve_link,
    step_key,
    target_of,
)

SPAN = Span(1, 2)


def command(text: str, *names: str, language: str = "sh", destructive: bool = False) -> Command:
    placeholders = tuple(Placeholder(f"<{name}>", name) for name in names)
    return Command(text, language, SPAN, placeholders=placeholders, is_destructive=destructive)


def path(name: str, *steps: Step, kind: PathKind = PathKind.MITIGATION, **fields: object) -> Path:
    values: dict[str, object] = {"is_typed": True, **fields}
    return Path(kind, name=name, heading=f"Mitigation: {name}", anchor=name, span=SPAN, steps=steps, **values)  # type: ignore[arg-type]


def planned(one: Path, origin: str = "own", title: str = "Entry") -> PlannedPath:
    return PlannedPath(one, origin, "a/entry.md", title, State.VERIFIED)


def step(number: int, text: str, *commands: Command) -> Step:
    return Step(number, text, SPAN, commands=commands)


def test_the_current_step_is_the_first_that_is_not_ticked() -> None:
    lane, _ = lanes_of(ResponsePlan((planned(path("drain", step(1, "one"), step(2, "two"))),)))
    [view] = lane.paths
    first, second = view.steps
    assert view.current(frozenset()) == first
    assert view.current(frozenset({first.key})) == second
    assert view.current(frozenset({first.key, second.key})) is None
    assert view.done_count(frozenset({second.key, "other"})) == 1


def test_a_tick_is_lost_when_the_step_says_something_else_now() -> None:
    before = step_key("e.md", "drain", step(1, "Drain the node", command("kubectl drain a")))
    assert before == step_key("e.md", "drain", step(1, "Drain the node", command("kubectl drain a")))
    assert before != step_key("e.md", "drain", step(1, "Drain the node", command("kubectl drain b")))
    assert before != step_key("other.md", "drain", step(1, "Drain the node", command("kubectl drain a")))


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("own", ""),
        ("linked", "from linked entry Redis memory"),
        ("component", "from the component: Redis memory"),
        ("product", "from the product: Redis memory"),
    ],
)
def test_where_a_path_comes_from_is_said(origin: str, text: str) -> None:
    lane, _ = lanes_of(ResponsePlan((planned(path("x"), origin, "Redis memory"),)))
    assert lane.paths[0].origin == text
    assert bool(lane.paths[0].origin_path) is bool(text)


def test_an_untyped_path_says_that_it_may_be_either() -> None:
    lane, _ = lanes_of(ResponsePlan((planned(path("x", is_typed=False)),)))
    assert lane.paths[0].remark == "mitigation or repair: not stated"


def test_an_empty_lane_says_why() -> None:
    none_known = planned(path("none", kind=PathKind.FIX, is_none=True))
    _, fix = lanes_of(ResponsePlan((), (none_known,)))
    assert fix.paths == ()
    assert "no fix is known" in fix.empty_text
    mitigate, _ = lanes_of(ResponsePlan(is_complete=False))
    assert "still being read" in mitigate.empty_text


def test_attributes_that_are_not_stated_read_so() -> None:
    rows = attributes_of(PathAttributes(time=Duration("5-15m", 5, 15), risk="high", other={"owner": "team"}))
    assert [(row.label, row.text, row.tone) for row in rows] == [
        ("Time", "5-15m", ""),
        ("Risk", "high", "danger"),
        ("Reversible", "not stated", ""),
        ("Blast radius", "not stated", ""),
        ("Approval", "not stated", ""),
        ("Owner", "team", ""),
    ]


def test_values_are_asked_for_once() -> None:
    lane, _ = lanes_of(
        ResponsePlan((planned(path("x", step(1, "a", command("k <pod> <ns>", "pod", "ns")),
                                   step(2, "b", command("k <pod>", "pod")))),))
    )  # fmt: skip
    assert placeholder_names(lane.paths) == ("pod", "ns")


def test_a_harmless_command_is_copied_without_a_question_and_without_its_final_newline() -> None:
    decision = decide_copy(command("kubectl get pods\n"), {})
    assert decision.is_silent
    assert decision.text == "kubectl get pods"


def test_a_missing_value_blocks_the_copy_and_is_named() -> None:
    decision = decide_copy(command("kubectl get pod <pod> -n <ns>", "pod", "ns"), {"ns": "prod", "pod": " "})
    assert decision.missing == ("pod",)
    assert not decision.is_silent


def test_values_are_quoted_for_the_shell() -> None:
    decision = decide_copy(command("kubectl get pod <pod>", "pod"), {"pod": "a; rm -rf /"})
    assert decision.text == "kubectl get pod 'a; rm -rf /'"


def test_a_destructive_command_names_its_target() -> None:
    decision = decide_copy(command("sudo kubectl delete pod <pod> -n prod", "pod"), {"pod": "web-1"})
    assert decision.target == "delete pod web-1 -n prod"
    assert not decision.is_silent


def test_hidden_characters_block_the_copy_and_are_named_by_code_point() -> None:
    decision = decide_copy(command("ls \u202etxt.sh\u200b"), {})
    assert [hazard.split()[0] for hazard in decision.hazards] == ["U+202E", "U+200B"]
    assert decision.clean_text == "ls txt.sh"
    assert not decision.is_silent


def test_letters_that_cannot_be_made_plain_have_no_clean_text() -> None:
    decision = decide_copy(command("curl ex\u0430mple.com"), {})
    assert decision.hazards
    assert decision.clean_text == ""


def test_several_lines_are_shown_before_they_are_copied() -> None:
    decision = decide_copy(command("cd /tmp\nls"), {})
    assert decision.is_multiline
    assert not decision.is_silent


def test_a_value_that_cannot_be_put_in_safely_is_refused() -> None:
    decision = decide_copy(command("kubectl get pod <pod>", "pod"), {"pod": "a\x1b]52;c;x\x07b"})
    assert decision.refusal
    assert not decision.is_silent


def test_typographic_quotes_and_dashes_become_plain() -> None:
    assert cleaned("echo “a” –n\u00a0x") == 'echo "a" -n x'


def test_a_long_target_is_shortened() -> None:
    assert len(target_of("rm -rf " + "/very/long" * 30)) == 80
    assert target_of("") == ""


def test_inline_markdown_becomes_a_label_and_html_stays_text() -> None:
    html = inline_html("Run `a<b>` **now** on <script>x</script> see [the page](x.md#y)", mono_family="Mono")
    assert "<script>" not in html
    assert "a&lt;b&gt;" in html
    assert "<b>now</b>" in html
    assert '<a href="x.md#y">the page</a>' in html


def test_a_link_target_cannot_leave_its_attribute() -> None:
    assert '"' not in inline_html('[x](a"onclick=1)', mono_family="Mono").replace('<a href="', "").replace(
        '">', ""
    )


def test_a_screen_reader_gets_plain_words() -> None:
    assert plain_words("Run `kubectl get` **now**, see [page](x.md)") == "Run kubectl get now, see page"


def test_lanes_stand_in_their_order() -> None:
    assert [lane.lane for lane in lanes_of(ResponsePlan())] == [Lane.MITIGATE, Lane.FIX]


@pytest.mark.parametrize(
    ("target", "resolved"),
    [
        ("wal.md#slots", "pg/wal.md#slots"),
        ("../redis/oom.md", "redis/oom.md"),
        ("/nginx/reload.md", "nginx/reload.md"),
        ("a%20b.md", "pg/a b.md"),
        ("#undo", "pg/full.md#undo"),
        ("https://example.org/a#b", "https://example.org/a#b"),
        ("../../etc/passwd", ""),
        ("file:///etc/passwd", ""),
        ("javascript:alert(1)", ""),
        ("..\\..\\x", ""),
        ("", ""),
    ],
)
def test_a_link_in_a_step_is_relative_to_its_entry_and_stays_inside(target: str, resolved: str) -> None:
    assert resolve_link("pg/full.md", target) == resolved


def test_only_a_hard_break_breaks_a_line() -> None:
    assert inline_html("one\ntwo", mono_family="m") == "one two"
    assert inline_html("one  \ntwo\\\nthree", mono_family="m") == "one<br>two<br>three"
