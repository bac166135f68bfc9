"""A file to an `Entry`: the one place where the parsers of this package meet."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path as FilePath

from kb_app.entries import inference as infer
from kb_app.entries.front_matter import FrontMatter, read_front_matter
from kb_app.entries.inference import Findings
from kb_app.entries.links import links_of, related_files
from kb_app.entries.model import Entry, KnowledgeBaseConfig, Path, Section, Severity
from kb_app.entries.outline import Outline, outline_of, sections_of
from kb_app.entries.path_blocks import paths_of
from kb_app.entries.signatures import infer_signatures
from kb_app.entries.source import MAX_ENTRY_BYTES, SourceText, decode
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.paths import safe_join


def parse_entry(relative: str, raw: bytes, config: KnowledgeBaseConfig, *, detail: bool = True) -> Entry:
    """Return the entry that the bytes of a file say; pure, never raises whatever they are.

    Args:
        relative: path in the knowledge base, ``/``-separated.
        raw: the file's bytes.
        config: the knowledge base's settings.
        detail: read steps, commands and links too. Without it paths carry their span, attributes and body
            only, and links and the related entries found by them are empty: enough for lists and the index.
    """
    source = decode(raw)
    lines = source.text.split("\n")
    values = read_front_matter(lines)
    outline = outline_of(lines, values.body_line)
    sections = sections_of(outline, values.body_line)
    is_schema = not infer.SCHEMA_KEYS.isdisjoint(values.values)
    paths = paths_of(outline, sections, is_schema=is_schema, detail=detail)
    return _entry(relative, raw, config, _Parsed(source, values, outline, sections, paths), detail=detail)


class _Parsed:
    __slots__ = ("outline", "paths", "sections", "source", "values")

    def __init__(
        self,
        source: SourceText,
        values: FrontMatter,
        outline: Outline,
        sections: tuple[Section, ...],
        paths: tuple[Path, ...],
    ) -> None:
        self.source = source
        self.values = values
        self.outline = outline
        self.sections = sections
        self.paths = paths


def _entry(relative: str, raw: bytes, config: KnowledgeBaseConfig, parsed: _Parsed, *, detail: bool) -> Entry:
    values, outline, sections, paths = parsed.values, parsed.outline, parsed.sections, parsed.paths
    findings = Findings([*parsed.source.notes, *values.notes, *outline.notes])
    _note_templates(outline, values.body_line, findings)
    title, headline = infer.infer_title(relative, values, outline, findings)
    alerts = infer.infer_alerts(relative, values, outline, sections, findings)
    kind = infer.infer_kind(
        relative, values, sections=sections, paths=paths, alerts=alerts, findings=findings
    )
    state = infer.infer_state(values, findings)
    product, component = infer.infer_place(relative, values, config, findings)
    reviewed, every = infer.infer_review(values, kind, findings)
    links = links_of(outline, values.body_line) if detail else ()
    return Entry(
        path=relative,
        id=_written_id(relative, values, findings),
        title=title,
        kind=kind,
        state=state,
        audience=infer.infer_audience(values, findings),
        product=product,
        component=component,
        owner=infer.infer_owner(relative, values, config, findings),
        tags=infer.infer_tags(relative, values),
        text=parsed.source.text,
        body_line=values.body_line,
        size_bytes=len(raw),
        content_hash=hashlib.sha256(raw).hexdigest(),
        headline=headline,
        stem=infer.stem_of(relative),
        reviewed=reviewed,
        review_every_days=every,
        aliases=values.items("aliases", "redirect_from"),
        related=values.items("related") or related_files(relative, links, findings.provenance),
        alerts=alerts,
        signatures=infer_signatures(values, outline, sections, findings.provenance),
        answers=values.items("answers"),
        affected=values.items("affected", "versions", "appliesto"),
        environment=values.items("environment"),
        depends_on=values.items("depends_on"),
        levers=values.items("levers"),
        severity=infer.infer_severity(values, findings),
        fixed_in=values.text("fixed_in"),
        fix_status=values.text("fix_status"),
        tracker=values.text("tracker"),
        rollback=values.text("rollback"),
        rollback_note=values.text("rollback_note"),
        deploy_time=values.text("deploy_time"),
        push_allowed=values.text("push_allowed"),
        summary=infer.infer_summary(values, outline, sections),
        is_stub=infer.infer_stub(outline, values.body_line, title, state),
        paths=paths,
        sections=sections,
        links=links,
        notes=tuple(findings.notes),
        front_matter=values.values,
        provenance=findings.provenance,
    )


_TEMPLATE_MARKS = ("{{<", "{{%", "{% ", "{%-", "<%")


def _note_templates(outline: Outline, body_line: int, findings: Findings) -> None:
    """Say where tags of a site generator begin: they are shown as text, what they stand for is not known."""
    for number in range(body_line, len(outline.lines) + 1):
        line = outline.lines[number - 1]
        if ("{" in line or "<%" in line) and not outline.code[number - 1]:
            mark = next((mark for mark in _TEMPLATE_MARKS if mark in line), None)
            if mark is not None:
                message = f"The page holds template tags ({mark} …); they are shown as they are written"
                findings.note("template-tags", message, number, Severity.INFO)
                return


def _written_id(relative: str, values: FrontMatter, findings: Findings) -> str:
    written = values.text("id")
    if written and infer.slug_id(written) == written:
        findings.provenance["id"] = "from front matter"
        return written
    return infer.id_of(relative)


def read_entry(root: FilePath, relative: str, config: KnowledgeBaseConfig) -> Entry:
    """Read the file ``relative`` below ``root``.

    Raises:
        UsageError: when ``relative`` leads out of the knowledge base or names something that is no file.
        EnvironmentFault: when the file is gone, too large or cannot be read.
    """
    return parse_entry(relative, read_bytes(root, relative), config)


def read_bytes(root: FilePath, relative: str) -> bytes:
    """Return the bytes of the file ``relative`` below ``root``, at most `MAX_ENTRY_BYTES` of them and one.

    Raises:
        UsageError: when ``relative`` leads out of the knowledge base or names something that is no file.
        EnvironmentFault: when the file is gone or cannot be read.
    """
    path = safe_join(root, relative)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe must not block
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123  (opened by descriptor)
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{relative} is not an ordinary file")
            return file.read(MAX_ENTRY_BYTES + 1)
    except FileNotFoundError as error:
        raise EnvironmentFault(
            f"{relative} is gone", "Bring the list up to date; it was deleted or renamed"
        ) from error
    except IsADirectoryError as error:
        raise UsageError(f"{relative} is a folder") from error
    except OSError as error:
        raise EnvironmentFault(
            f"{relative} cannot be read: {error.strerror or error}", "Check the permissions of the file"
        ) from error
