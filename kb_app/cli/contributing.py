"""``kb sync``, ``kb propose``, ``kb proposals``: exchanging with the remotes of knowledge bases."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.errors import EnvironmentFault, ExitCode, UsageError
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.proposals import ProposeOutcome
from kb_app.logs import visible
from kb_app.workspace.contributing import patch_of, propose_draft, proposed_title
from kb_app.workspace.drafts import DraftStore
from kb_app.workspace.editing import editable
from kb_app.workspace.sharing import (
    SyncedBase,
    failed,
    proposals,
    propose_text,
    sync_bases,
    usable_store,
)


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    add("sync", sync, "Bring knowledge bases that came from a Git URL up to date; send waiting proposals.")
    verb = add("propose", propose, "Propose a draft or a new text of an entry; the next sync sends it.")
    verb.add_argument("path", nargs="?", default="", help="the entry's path inside the knowledge base")
    verb.add_argument("--draft", default="", metavar="ID", help="a draft, as kb proposals --drafts lists it")
    verb.add_argument("--title", default="", help="what changes, one line (of a draft: made from it)")
    verb.add_argument("--why", default="", help="why, in a few sentences")
    verb.add_argument("--file", default="-", metavar="FILE", help="the new text (default: standard input)")
    verb.add_argument("--example", action="store_true", help="what may be a secret is only an example")
    verb = add("proposals", list_proposals, "Show proposals and how far they are.")
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--drafts", action="store_true", help="the drafts instead")
    what.add_argument("--patch", metavar="ID", help="print a proposal or a draft as a patch")
    what.add_argument("--withdraw", metavar="ID", help="stop sending and following a proposal")
    what.add_argument("--again", metavar="ID", help="send a refused proposal again")


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
    outcome = _propose_draft(context) if context.options.draft else _propose_text(context)
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


def _propose_text(context: Context) -> ProposeOutcome:
    options = context.options
    if not options.path or not options.title:
        raise UsageError("A proposal needs a path and --title, or --draft ID", "Type 'kb propose --help'")
    bases = context.workspace().bases
    if len(bases) != 1:
        raise UsageError("Several knowledge bases are open", "Name the one to change with --kb")
    return propose_text(
        context.folders,
        bases[0],
        FileEdit(options.path, _content(context)),
        title=options.title,
        body=options.why,
        accept_doubtful=options.example,
    )


def _propose_draft(context: Context) -> ProposeOutcome:
    options = context.options
    store = DraftStore(context.folders.drafts)
    draft = store.get(options.draft)
    base = next((b for b in context.workspace().bases if str(b.root) == draft.root), None)
    if base is None:
        raise UsageError(f"{draft.knowledge_base} is not open", "Name it with --kb")
    title = options.title or proposed_title(draft, editable(store.base_of(draft)).shown)
    settings = context.settings()
    return propose_draft(context.folders, settings, base, draft, title=title, accept_doubtful=options.example)


def _content(context: Context) -> bytes:
    if context.options.file == "-":
        return context.source.read().encode()
    try:
        return Path(context.options.file).read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"The file {context.options.file} cannot be read: {error.strerror}") from error


def list_proposals(context: Context) -> int:
    """Show the queue of proposals or the drafts, or change one of them."""
    options = context.options
    if options.patch:
        return _print_patch(context, options.patch)
    if options.withdraw or options.again:
        queue = usable_store(context.folders).queue
        changed = queue.withdraw(options.withdraw) if options.withdraw else queue.send_again(options.again)
        if context.wants_json:
            context.give({"id": changed.id, "state": changed.state})
        else:
            context.say(f"{changed.title}: {changed.state}")
        return ExitCode.DONE
    if options.drafts:
        return _list_drafts(context)
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


def _print_patch(context: Context, wanted: str) -> int:
    """Print a draft or a proposal as a patch, byte for byte as far as standard output takes it."""
    store = DraftStore(context.folders.drafts)
    draft = next((d for d in store.all() if d.id == wanted), None)
    patch = patch_of(store, draft) if draft is not None else usable_store(context.folders).queue.patch(wanted)
    text = patch.decode("utf-8", "surrogateescape")
    if context.wants_json:
        context.give({"id": wanted, "patch": text})
    elif hasattr(context.out, "buffer"):
        context.out.flush()
        context.out.buffer.write(patch)
    else:
        context.out.write(text)
    return ExitCode.DONE


def _list_drafts(context: Context) -> int:
    drafts = DraftStore(context.folders.drafts).all()
    if context.wants_json:
        context.give(
            [
                {
                    "id": d.id,
                    "knowledge_base": d.knowledge_base,
                    "path": d.path,
                    "title": d.title,
                    "is_new": d.is_new,
                    "saved_at": d.saved_at,
                }
                for d in drafts
            ]
        )
    for draft in () if context.wants_json else drafts:
        context.say(f"{draft.id}  {draft.saved_at:%Y-%m-%d %H:%M}  {visible(draft.title or draft.path)}")
    return ExitCode.DONE if drafts else ExitCode.FINDINGS
