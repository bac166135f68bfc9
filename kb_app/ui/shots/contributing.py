"""Pictures of contributing: the editor, its sheet, drafts and proposals."""

from __future__ import annotations

import dataclasses
import datetime as dt

from kb_app.gitstore.leaks import Leak
from kb_app.gitstore.proposals import Proposal, ProposalState
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.editor.feature import EditorFeature
from kb_app.ui.editor.proposals import Contributions
from kb_app.ui.search.state import Query
from kb_app.ui.shots.camera import Camera
from kb_app.workspace.drafts import TextDraft

WORDS = "replication slot disk full"
UNKNOWN = """2026-03-04 02:11:09.871 UTC [4711] ERROR:  the frob quux 4.2.1 refused the zyzzogeton handshake
2026-03-04 02:11:09.872 UTC [4711] DETAIL:  peer 10.0.0.7 sent protocol 9, see OPS-4711"""


def take_contributing(camera: Camera) -> None:
    """Take the editor with preview and lint, completion, the sheet, a leak, the page of proposals."""
    window = camera.window
    feature = window.feature(EditorFeature)
    writing = feature.writing
    camera.ask(Query(typed=WORDS))
    window.results.list.open_current()
    camera.wait()
    assert camera.desk.current is not None
    ref: EntryRef = camera.desk.current.ref
    feature.edit(ref)
    page = writing.page
    camera.wait_until(lambda: page.editing is not None and page.editing.draft.path == ref.path)
    text = page.edit.text()
    page.edit.replace_text(
        text.replace("- Risk: low", "- Risk: ", 1).replace("   - Verify:", "   - Look:", 1)
    )
    camera.wait_until(lambda: page.is_settled and bool(page.preview.page()))
    camera.wait(600)
    camera.shoot("20-editor")
    at = next((n for n, line in enumerate(page.edit.text().split("\n"), 1) if line.startswith("- Risk:")), 1)
    page.edit.go_to_line(at)
    page.edit.complete(is_asked=True)
    camera.wait()
    camera.shoot_widget("21-editor-completion", page.edit.completion_popup())
    page.edit.completion_popup().hide()
    page.show_sheet()
    page.sheet.ask(
        "Correct Mitigation of the slot entry", "It goes to the owners as a proposal.", needs_name=False
    )
    camera.shoot("22-propose")
    page.sheet.ask(
        "Correct Mitigation of the slot entry", "It goes to the owners as a proposal.", needs_name=True
    )
    page.sheet.show_leaks((Leak(ref.path, 21, "a password", is_certain=False),))
    camera.shoot("23-propose-leak")
    page.close_sheet()
    page.ask_to_propose()
    camera.wait_until(lambda: page.is_asking)
    camera.shoot("24-propose-folder")
    assert page.editing is not None
    writing.store.set_aside(page.editing.draft.id)
    page.finish()
    _proposals(camera)
    window.show_panes()
    _flag(camera)
    _write_down(camera)


def _flag(camera: Camera) -> None:
    """Take the quick flag, and the question whether "it worked" is shared."""
    window = camera.window
    flagging = window.feature(EditorFeature).writing.flagging
    window.results.list.open_current()
    camera.wait()
    flagging.flag()
    flagging.bar.line.setText("The volume cannot be grown on the new storage class")
    camera.shoot("27-flag")
    flagging.bar.hide()
    flagging.worked()
    camera.shoot("28-it-worked-asked-once")
    flagging.bar.hide()


def _write_down(camera: Camera) -> None:
    """Take a paste that nothing fits: the button, the draft made of it, and the draft found again."""
    window = camera.window
    feature = window.feature(EditorFeature)
    camera.ask(Query(pasted=UNKNOWN))
    camera.shoot("29-no-match")
    feature.write_down()
    page = feature.writing.page
    camera.wait_until(lambda: page.editing is not None and page.editing.is_saved)
    camera.wait(800)
    camera.shoot("30-written-down")
    page.leave()
    camera.wait_until(lambda: bool(feature.drafts))
    camera.ask(Query(pasted=UNKNOWN + "\n"))
    camera.wait(300)
    camera.shoot("31-being-worked-on")
    for draft in feature.drafts:
        feature.writing.store.set_aside(draft.id)
    feature.writing.look_for_drafts()
    camera.ask(Query())


def _proposals(camera: Camera) -> None:
    writing = camera.window.feature(EditorFeature).writing
    page = writing.proposals_page
    camera.window.show_page(page)
    camera.wait()
    now = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
    page.show_contributions(Contributions(), now)
    camera.shoot("25-proposals-empty")
    page.show_contributions(sample_contributions(now), now)
    camera.shoot("26-proposals")


def sample_contributions(now: dt.datetime) -> Contributions:
    """Return drafts and proposals in every state."""
    draft = TextDraft(
        "20260304T100000-abcdef",
        "platform-docs",
        "/nowhere",
        "postgresql/replication-slot.md",
        "Replication slot keeps WAL until the disk is full",
        "",
        now - dt.timedelta(hours=2),
        now - dt.timedelta(minutes=12),
    )
    new = dataclasses.replace(
        draft,
        id="20260303T100000-abcdee",
        path="known-fixes/lease-renewal-timed-out.md",
        title="lease lost: renewal timed out",
        is_new=True,
        saved_at=now - dt.timedelta(days=1, hours=2),
    )
    titles = (
        ("Correct Mitigation of nginx 502 after a deploy", ProposalState.NEEDS_ANSWER),
        ("Add etcd: mvcc: database space exceeded", ProposalState.QUEUED),
        ("Correct Verify of Redis is out of memory", ProposalState.IN_REVIEW),
        ("Write the undo of the failover runbook", ProposalState.PROPOSED),
        ("Say which version fixes the checkpoint stall", ProposalState.MERGED),
    )
    found = [
        Proposal(
            id=f"p{number}",
            number=number,
            clone="platform-docs",
            title=title,
            branch=f"proposal/{number}",
            target="main",
            base="0" * 40,
            paths=("nginx/bad-gateway.md",),
            created_at=now - dt.timedelta(hours=3 * number),
            state=state,
            commit="1" * 40,
            page="https://git.example.org/docs/pull/7" if state is ProposalState.IN_REVIEW else "",
            problem="Somebody changed the same lines meanwhile" if number == 1 else "",
            hint="Open it, bring both texts together, and propose it anew" if number == 1 else "",
        )
        for number, (title, state) in enumerate(titles, 1)
    ]
    return Contributions((draft, new), tuple(found))
