"""Proposals that need an answer: what they ask, and sending the answer; no network is used."""

from __future__ import annotations

from kb_app.gitstore.answers import Choices, OpenDraft, answered, open_draft, open_proposal
from kb_app.gitstore.proposals import Draft, ProposeOutcome
from kb_app.paths import AppFolders
from kb_app.settings import load_settings
from kb_app.workspace.sharing import proposing_store, usable_store


def question_of(folders: AppFolders, proposal_id: str) -> OpenDraft:
    """Return what a proposal asks; nothing changes.

    Raises:
        UsageError: when there is none of that id.
        EnvironmentFault: when there is no Git that can be used, or it cannot be read.
    """
    return open_proposal(usable_store(folders).queue, proposal_id)


def question_of_draft(
    folders: AppFolders, clone_name: str, draft: Draft, *, supersedes: str = ""
) -> OpenDraft:
    """Return what a draft asks that was written from ``Draft.base``; nothing changes.

    Raises:
        UsageError: when there is no such copy of a knowledge base.
        EnvironmentFault: when there is no Git that can be used, or it cannot be read.
    """
    return open_draft(usable_store(folders).queue, clone_name, draft, supersedes=supersedes)


def send_answer(folders: AppFolders, opened: OpenDraft, choices: Choices) -> ProposeOutcome:
    """Propose a draft with its choices made.

    Raises:
        UsageError: when a choice is missing, or a text holds the marks of a merge.
        EnvironmentFault: when there is no Git that can be used.
    """
    return answered(proposing_store(folders, load_settings(folders)).queue, opened, choices)
