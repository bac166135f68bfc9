"""Bringing indexes up to date and asking them, for callers that may wait (the command line, tests, benches).

The window does the same through worker processes; see ``kb_app/ui/common/workers.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from kb_app.paths import private_folder
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.indexing import update_index
from kb_app.search.model import IndexProgress, IndexReport, SearchAnswer, SearchRequest
from kb_app.workspace.bases import OpenBase, Workspace
from kb_app.workspace.copies import prefer_copies
from kb_app.workspace.layers import copies_in, overlay_of


def bring_up_to_date(
    base: OpenBase,
    *,
    on_progress: Callable[[IndexProgress], None] | None = None,
    rebuild: bool = False,
    paths: Collection[str] | None = None,
) -> IndexReport:
    """Index what changed in ``base`` since the last time: of ``paths`` alone, when the caller knows them.

    Raises:
        EnvironmentFault: when the folder or the cache cannot be used.
    """
    private_folder(base.index_folder.parent)
    return update_index(
        base.root,
        base.name,
        base.index_folder,
        base.config,
        on_progress=on_progress,
        rebuild=rebuild,
        paths=paths,
    )


def open_engine(bases: Sequence[OpenBase]) -> SearchEngine:
    """Return an engine over the indexes of ``bases``."""
    return SearchEngine.open([IndexedBase(b.name, b.index_folder, b.config) for b in bases])


def find(workspace: Workspace, request: SearchRequest) -> SearchAnswer:
    """Ask all open knowledge bases at once.

    Raises:
        EnvironmentFault: when an index cannot be read or built.
    """
    for base in workspace.bases:
        bring_up_to_date(base)
    engine = open_engine(workspace.bases)
    try:
        return with_copies_first(workspace, engine.search(request))
    finally:
        engine.close()


def with_copies_first(workspace: Workspace, answer: SearchAnswer) -> SearchAnswer:
    """Return an answer in which the user's own copies stand in the place of what they were copied from.

    Raises:
        EnvironmentFault: when the copies cannot be read.
    """
    overlay = overlay_of(workspace)
    return answer if overlay is None else prefer_copies(answer, copies_in(overlay))
