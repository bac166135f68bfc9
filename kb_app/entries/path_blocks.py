"""Path blocks: mitigations, fixes and levers of a page, with attributes and steps."""

from __future__ import annotations

from collections.abc import Sequence

from kb_app.entries.model import Path, PathKind, Role, Section
from kb_app.entries.outline import Outline, heading_meaning

_KINDS = {Role.MITIGATION: PathKind.MITIGATION, Role.FIX: PathKind.FIX, Role.LEVER: PathKind.LEVER}


def paths_of(
    outline: Outline, sections: Sequence[Section], *, is_schema: bool = False, detail: bool = True
) -> tuple[Path, ...]:
    """Return the paths of a page in order."""
    found = []
    for section in sections:
        if section.role in _KINDS:
            body = "\n".join(outline.lines[section.span.first_line : section.span.last_line]).strip("\n")
            found.append(
                Path(
                    _KINDS[section.role],
                    is_schema,
                    heading_meaning(section.title).name,
                    section.title,
                    section.anchor,
                    section.span,
                    body=body,
                )
            )
    return tuple(found)
