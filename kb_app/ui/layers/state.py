"""What the reader says about copies and their origins; knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from kb_app.logs import visible
from kb_app.workspace.copies import Copies
from kb_app.workspace.layers import CopyState, OriginNews
from kb_app.workspace.origins import Origin


@dataclass(frozen=True, slots=True)
class BannerText:
    """What the banner says: tone of its bar, icon, one sentence, its button's label (or none), tooltip."""

    tone: str
    icon: str
    text: str
    action: str = ""
    detail: str = ""


def copy_banner(origin: Origin, state: CopyState | None) -> BannerText:
    """Return what is said on a copy; ``state`` is None until its origin was looked at."""
    name, base = visible(origin.path.rpartition("/")[2]), visible(origin.base)
    text, detail = f"Your copy of {name} from {base}", f"{base} / {visible(origin.path)}"
    if state is None or state.news is OriginNews.SAME:
        return BannerText("info", "layers", text, "Open the original", detail)
    if state.news is OriginNews.MOVED_ON:
        return BannerText(
            "mitigate", "git-compare", f"{text}: the original changed since", "See what changed", detail
        )
    if state.news is OriginNews.GONE:
        gone = f"{text}: the original is not there any more"
        return BannerText("mitigate", "file-question-mark", gone, detail=detail)
    return BannerText("info", "layers", f"{text}, which is not open", detail=detail)


def original_banner(copies: Copies, base: str, path: str) -> BannerText | None:
    """Return what is said on an entry of which there is a copy, else None."""
    if not copies.of(base, path):
        return None
    return BannerText(
        "info", "layers", "You have a copy of this entry that says something else", "Open my copy"
    )
