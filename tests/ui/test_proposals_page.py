"""The page of drafts and proposals: its order, its words, what can be done with each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from kb_app.gitstore.proposals import ProposalState
from kb_app.ui.common.theme import Theme
from kb_app.ui.editor.proposals import Contributions, ProposalsPage, split_proposals
from kb_app.ui.shots.contributing import sample_contributions

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def page(qtbot: QtBot) -> ProposalsPage:
    Theme.current()
    page = ProposalsPage()
    qtbot.addWidget(page)
    page.show()
    return page


def texts(page: ProposalsPage) -> list[str]:
    return [label.text() for label in page.findChildren(QLabel) if label.isVisible()]


def test_what_needs_an_answer_comes_first_and_what_is_done_last() -> None:
    found = sample_contributions(NOW)
    under_way, done = split_proposals(tuple(reversed(found.proposals)))
    assert [p.state for p in under_way] == [
        ProposalState.NEEDS_ANSWER,
        ProposalState.QUEUED,
        ProposalState.IN_REVIEW,
        ProposalState.PROPOSED,
    ]
    assert [p.state for p in done] == [ProposalState.MERGED]


def test_the_states_are_said_in_plain_words(page: ProposalsPage, qtbot: QtBot) -> None:
    page.show_contributions(sample_contributions(NOW), NOW)
    qtbot.waitUntil(lambda: "Waiting for the network" in texts(page))
    shown = texts(page)
    for word in ("Needs an answer", "In review", "Proposed", "Merged", "Drafts (2)", "On their way (4)"):
        assert word in shown
    assert not any("branch" in text.lower() or "commit" in text.lower() for text in shown)


def test_nothing_written_says_how_to_begin(page: ProposalsPage, qtbot: QtBot) -> None:
    page.show_contributions(Contributions(), NOW)
    qtbot.waitUntil(lambda: "Nothing written yet" in texts(page))
    assert not page.send_button.isVisible()


def test_a_draft_is_continued_by_its_button(page: ProposalsPage, qtbot: QtBot) -> None:
    found = sample_contributions(NOW)
    page.show_contributions(found, NOW)
    [first, *_] = page.findChildren(QPushButton, "rowAction")
    with qtbot.waitSignal(page.continue_requested) as caught:
        first.click()
    assert caught.args == [found.drafts[0]]


def test_a_refused_proposal_is_sent_again_and_one_with_a_conflict_answered(page: ProposalsPage) -> None:
    found = sample_contributions(NOW)
    refused = found.proposals[0]
    sent = replace(refused, id="sent", pushed_at=NOW)
    page.show_contributions(Contributions((), (refused, sent)), NOW)
    names = [button.text() for button in page.findChildren(QPushButton, "rowAction") if not button.isHidden()]
    assert names == ["Send again", "Answer"]


def test_the_proposal_of_an_entry_is_found_by_its_folder() -> None:
    found = replace(sample_contributions(NOW), roots={"platform-docs": "/kb"})
    assert found.under_way("/kb", "nginx/bad-gateway.md") == found.proposals[3]  # the merged one is not meant
    assert found.under_way("/other", "nginx/bad-gateway.md") is None
    assert found.under_way("/kb", "else.md") is None
