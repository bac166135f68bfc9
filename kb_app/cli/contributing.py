"""``kb sync``, ``kb propose``, ``kb proposals``: exchanging with the remotes of knowledge bases."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.errors import EnvironmentFault, ExitCode, UsageError
from kb_app.gitstore.commits import FileEdit
from kb_app.logs import visible
from kb_app.workspace.sharing import SyncedBase, failed, proposals, propose_text, sync_bases


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    add("sync", sync, "Bring knowledge bases that came from a Git URL up to date; send waiting proposals.")
    verb = add("propose", propose, "Propose a new text of an entry; it is sent with the next sync.")
    verb.add_argument("path", help="the entry's path inside the knowledge base")
    verb.add_argument("--title", required=True, help="what changes, one line")
    verb.add_argument("--why", default="", help="why, in a few sentences")
    verb.add_argument("--file", default="-", metavar="FILE", help="the new text (default: standard input)")
    add("proposals", list_proposals, "Show proposals and how far they are.")


def sync(context: Context) -> int:
    """Bring every open knowledge base up to date and report on each."""
    synced = sync_bases(context.folders, context.workspace().bases)
    if context.wants_json:
        context.give([_sync_row(base) for base in synced])
    for base in () if context.wants_json else synced:
        if base.result is None:
            context.say(f"{base.name}: a folder that is read as it is")
            continue
        outcome = base.result.sync
        context.say(f"{base.name}: {outcome.sentence} {outcome.hint}".rstrip())
        for change in outcome.changes:
            context.say(f"  {change.status} {visible(change.path)}")
    is_well = all(b.result is None or b.result.sync.is_current for b in synced)
    return ExitCode.DONE if is_well else ExitCode.ENVIRONMENT


def _sync_row(base: SyncedBase) -> dict[str, object]:
    if base.result is None:
        return {"name": base.name, "end": "folder", "sentence": "", "hint": "", "changes": []}
    outcome = base.result.sync
    changes = [{"path": visible(c.path), "status": str(c.status)} for c in outcome.changes]
    return {
        "name": base.name,
        "end": outcome.end.value,
        "sentence": outcome.sentence,
        "hint": outcome.hint,
        "changes": changes,
        "proposals": base.result.push.sentence,
    }


def propose(context: Context) -> int:
    """Queue a proposal."""
    bases = context.workspace().bases
    if len(bases) != 1:
        raise UsageError("Several knowledge bases are open", "Name the one to change with --kb")
    content = _content(context)
    options = context.options
    outcome = propose_text(
        context.folders, bases[0], FileEdit(options.path, content), title=options.title, body=options.why
    )
    if not outcome.is_ok or outcome.proposal is None:
        raise failed(outcome)
    for warning in outcome.warnings:
        context.warn(warning)
    if context.wants_json:
        context.give(
            {"id": outcome.proposal.id, "state": outcome.proposal.state, "branch": outcome.proposal.branch}
        )
    else:
        context.say(outcome.sentence)
    return ExitCode.DONE


def _content(context: Context) -> bytes:
    if context.options.file == "-":
        return context.source.read().encode()
    try:
        return Path(context.options.file).read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"The file {context.options.file} cannot be read: {error.strerror}") from error


def list_proposals(context: Context) -> int:
    """Show the queue of proposals."""
    queued = proposals(context.folders)
    if context.wants_json:
        context.give(
            [
                {"id": p.id, "knowledge_base": p.clone, "title": p.title, "state": p.state, "page": p.page}
                for p in queued
            ]
        )
    for proposal in () if context.wants_json else queued:
        context.say(
            f"{proposal.id}  {proposal.state:<14} {visible(proposal.title)}  {proposal.problem}".rstrip()
        )
    return ExitCode.DONE if queued else ExitCode.FINDINGS
