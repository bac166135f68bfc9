"""What one sees when a way out has worked, as the entry says that an incident was worked by.

All of it may read the disk: not for the window's thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import KnowledgeBaseConfig, ResponsePlan
from kb_app.entries.reading import read_entry
from kb_app.entries.response import resolve_plan
from kb_app.errors import KbError
from kb_app.incidents.events import EventType
from kb_app.incidents.timeline import IncidentState
from kb_app.search.catalogue_file import load_cards

MAX_LINE = 120
_USES = frozenset({EventType.ACTION, EventType.DECISION, EventType.ENTRY_USED, EventType.KNOWLEDGE})


def entry_in_use(state: IncidentState, *, is_fix: bool) -> str:
    """Return the id of the entry last used in a record; empty when it names none.

    One whose steps were taken that very way counts before all others: a fix may stand in another entry than
    the mitigation.
    """
    used = [
        moment.data for moment in state.moments if moment.data.type in _USES and moment.data.text("entry")
    ]
    ways = ("fix",) if is_fix else ("mitigation", "lever")
    that_way = [event for event in used if event.type == EventType.ACTION and event.text("way") in ways]
    last = next(reversed(that_way or used), None)
    return last.text("entry") if last is not None else ""


def verify_line(plan: ResponsePlan, *, is_fix: bool) -> str:
    """Return the last verify line of the first path that way, at most `MAX_LINE` characters; may be empty."""
    paths = plan.fixes if is_fix else plan.mitigations
    found = [step.verify for planned in paths[:1] for step in planned.path.steps if step.verify]
    return " ".join(found[-1].split())[:MAX_LINE] if found else ""


def verify_line_of(
    places: Iterable[tuple[Path, Path, KnowledgeBaseConfig]], name: str, *, is_fix: bool
) -> str:
    """Return the verify line of the entry that a record names; empty when no knowledge base has one.

    Args:
        places: root, index folder and configuration of each open knowledge base.
        name: id, alias or path of the entry.
        is_fix: of the fix, else of the mitigation.
    """
    for root, folder, config in places:
        catalogue = Catalogue(load_cards(folder))
        card = catalogue.find(name)
        if card is None:
            continue
        read = partial(read_entry, root, config=config)
        try:
            return verify_line(resolve_plan(read(card.path), catalogue, read), is_fix=is_fix)
        except KbError:
            return ""
    return ""
