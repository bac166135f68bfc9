"""Writing one text in four ways: Markdown, Jira and Confluence wiki markup, HTML, plain text.

Whatever comes from a record is somebody's text: control and format characters are shown as escapes, and the
signs of the target markup are escaped, so that a title cannot become a link, a table or a mention.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from kb_app.incidents.events import Event, EventType
from kb_app.logs import visible


class Form(StrEnum):
    """The ways to write a text."""

    MARKDOWN = "markdown"
    JIRA = "jira"
    HTML = "html"
    PLAIN = "plain"


class Writer(Protocol):
    """Writes headings, lists, tables and code; every argument is plain text and is escaped."""

    def heading(self, level: int, text: str) -> str:
        """Return a heading of ``level`` 1 to 6."""

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""

    def bullets(self, items: Sequence[str]) -> str:
        """Return a list."""

    def numbered(self, items: Sequence[str]) -> str:
        """Return a numbered list."""

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table; every row has as many cells as ``head``."""

    def code(self, text: str) -> str:
        """Return ``text`` as it is, in a block of code."""

    def join(self, blocks: Sequence[str]) -> str:
        """Return the blocks as one text that ends with a line end."""


def one_line(text: str) -> str:
    """Return ``text`` on one line, control and format characters shown as escapes."""
    return visible(" ".join(text.split())).strip()


def safe_lines(text: str) -> list[str]:
    """Return the lines of ``text``, each with control and format characters shown as escapes."""
    return [visible(line.replace("\t", "    ")) for line in re.split(r"\r\n|\r|\n", text)]


class Markdown:
    """GitHub's and GitLab's Markdown."""

    _SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
    _LEADING_SIGN = re.compile(r"^([#=+-])")
    _LEADING_NUMBER = re.compile(r"^(\d{1,9})([.)])")

    @classmethod
    def escape(cls, text: str) -> str:
        """Return ``text`` so that it shows as written."""
        escaped = cls._SPECIAL.sub(r"\\\1", one_line(text))
        escaped = re.sub(r"&(?=#?\w+;)", "&amp;", escaped)
        escaped = re.sub(r"!(?=\\\[)", r"\\!", escaped)
        escaped = re.sub(r"(^|(?<=[\s(]))@(?=\w)", "&#64;", escaped)  # no mention
        escaped = cls._LEADING_SIGN.sub(r"\\\1", escaped)
        return cls._LEADING_NUMBER.sub(r"\1\\\2", escaped)

    @classmethod
    def cell(cls, text: str) -> str:
        """Return ``text`` for a cell of a table."""
        return cls.escape(text) or " "

    def heading(self, level: int, text: str) -> str:
        """Return a heading."""
        return f"{'#' * level} {self.escape(text)}"

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""
        return self.escape(text)

    def bullets(self, items: Sequence[str]) -> str:
        """Return a list."""
        return "\n".join(f"- {self.escape(item)}" for item in items)

    def numbered(self, items: Sequence[str]) -> str:
        """Return a numbered list."""
        return "\n".join(f"{n}. {self.escape(item)}" for n, item in enumerate(items, 1))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table."""
        lines = [head, ["---"] * len(head)]
        text = [f"| {' | '.join(self.cell(c) for c in head)} |", f"|{'|'.join(lines[1])}|"]
        return "\n".join([*text, *(f"| {' | '.join(self.cell(c) for c in row)} |" for row in rows)])

    def code(self, text: str) -> str:
        """Return a fenced block; the fence is longer than any in the text."""
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        return "\n".join([fence, *safe_lines(text), fence])

    def join(self, blocks: Sequence[str]) -> str:
        """Return the blocks with a blank line between them."""
        return "\n\n".join(block for block in blocks if block) + "\n"


class Jira:
    """Jira's wiki markup, which Confluence's wiki editor reads too.

    A backslash escapes the signs of text effects, links, macros and tables; doubled it would be a line break,
    so a backslash itself is written as an entity, as are the dots of ``h1.`` and ``bq.`` at the beginning.
    """

    _SPECIAL = re.compile(r"([{}\[\]|*_+^~!]|(?<!\w)-|-(?!\w)|^#|(?<=\?)\?)")
    _BLOCK = re.compile(r"^(h[1-6]|bq)\.")

    @classmethod
    def escape(cls, text: str) -> str:
        """Return ``text`` so that it shows as written; a hyphen inside a word stays as it is."""
        line = re.sub(r"&(?=#?\w+;)", "&amp;", one_line(text)).replace("\\", "\0")
        line = cls._SPECIAL.sub(r"\\\1", line)
        return cls._BLOCK.sub(r"\1&#46;", line).replace("\0", "&#92;")

    def heading(self, level: int, text: str) -> str:
        """Return a heading."""
        return f"h{level}. {self.escape(text)}"

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""
        return self.escape(text)

    def bullets(self, items: Sequence[str]) -> str:
        """Return a list."""
        return "\n".join(f"* {self.escape(item)}" for item in items)

    def numbered(self, items: Sequence[str]) -> str:
        """Return a numbered list."""
        return "\n".join(f"# {self.escape(item)}" for item in items)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table."""
        lines = [f"||{'||'.join(self.escape(c) or ' ' for c in head)}||"]
        lines += [f"|{'|'.join(self.escape(c) or ' ' for c in row)}|" for row in rows]
        return "\n".join(lines)

    def code(self, text: str) -> str:
        """Return a block; a closing mark inside the text is broken up."""
        lines = [line.replace("{noformat}", "{ noformat}") for line in safe_lines(text)]
        return "\n".join(["{noformat}", *lines, "{noformat}"])

    def join(self, blocks: Sequence[str]) -> str:
        """Return the blocks with a blank line between them."""
        return "\n\n".join(block for block in blocks if block) + "\n"


class Html:
    """A fragment of HTML without styles, scripts or links."""

    @staticmethod
    def escape(text: str) -> str:
        """Return ``text`` so that it shows as written."""
        return html.escape(one_line(text))

    def heading(self, level: int, text: str) -> str:
        """Return a heading."""
        return f"<h{level}>{self.escape(text)}</h{level}>"

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""
        return f"<p>{self.escape(text)}</p>"

    def bullets(self, items: Sequence[str]) -> str:
        """Return a list."""
        return "<ul>" + "".join(f"<li>{self.escape(item)}</li>" for item in items) + "</ul>"

    def numbered(self, items: Sequence[str]) -> str:
        """Return a numbered list."""
        return "<ol>" + "".join(f"<li>{self.escape(item)}</li>" for item in items) + "</ol>"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table."""
        top = "".join(f'<th scope="col">{self.escape(c)}</th>' for c in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{self.escape(c)}</td>" for c in row) + "</tr>\n" for row in rows
        )
        return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"

    def code(self, text: str) -> str:
        """Return a block."""
        return "<pre>" + html.escape("\n".join(safe_lines(text))) + "</pre>"

    def join(self, blocks: Sequence[str]) -> str:
        """Return the blocks, one a line."""
        return "\n".join(block for block in blocks if block) + "\n"


class Plain:
    """Text without any markup, for mails and chats."""

    def heading(self, level: int, text: str) -> str:
        """Return a heading; the first two levels are underlined."""
        line = one_line(text)
        return f"{line}\n{('=' if level == 1 else '-') * len(line)}" if level <= 2 else f"{line}:"

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""
        return one_line(text)

    def bullets(self, items: Sequence[str]) -> str:
        """Return a list."""
        return "\n".join(f"- {one_line(item)}" for item in items)

    def numbered(self, items: Sequence[str]) -> str:
        """Return a numbered list."""
        return "\n".join(f"{n}. {one_line(item)}" for n, item in enumerate(items, 1))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table as columns of text."""
        cells = [[one_line(c) for c in row] for row in (head, *rows)]
        widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
        )

    def code(self, text: str) -> str:
        """Return the lines indented."""
        return "\n".join(f"    {line}" for line in safe_lines(text))

    def join(self, blocks: Sequence[str]) -> str:
        """Return the blocks with a blank line between them."""
        return "\n\n".join(block for block in blocks if block) + "\n"


def writer_of(form: Form) -> Writer:
    """Return the writer for ``form``."""
    writers: dict[Form, Writer] = {
        Form.MARKDOWN: Markdown(),
        Form.JIRA: Jira(),
        Form.HTML: Html(),
        Form.PLAIN: Plain(),
    }
    return writers[form]


def describe(event: Event) -> str:
    """Return what an event says, one sentence for people, plain text."""
    sentence = _SENTENCES.get(event.type)
    return sentence(event) if sentence is not None else f"{event.type}"


def _parts(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _named(label: str, value: str) -> str:
    return f"{label} {value}" if value else ""


def _opened(event: Event) -> str:
    about = _parts(
        event.text("severity"), _named("alert", event.text("alert")), _named("ticket", event.text("ticket"))
    )
    return f"Opened: {event.text('title')}" + (f" ({about})" if about else "")


def _impact(event: Event) -> str:
    return "Impact: " + _parts(
        event.text("impact"),
        _named("data at risk", event.text("data")),
        event.text("trend"),
        _named("scope", event.text("scope")),
        event.text("severity"),
    )


def _decision(event: Event) -> str:
    review = f", review {event.text('review')} deployment" if event.text("review") else ""
    policy = event.text("policy")[:12]
    text = f"Decided: {event.text('recommendation')} by rule {event.text('rule')}{review} (policy {policy})"
    late = event.text("late_reason")
    return f"{text}; written down afterwards: {late}" if late else text


def _action(event: Event) -> str:
    step = event.data.get("step")
    where = f"step {step} of “{event.text('path')}”" if isinstance(step, int) else f"“{event.text('path')}”"
    verb = {
        "started": "Began",
        "done": "Did",
        "skipped": "Skipped",
        "failed": "Failed:",
        "copied": "Copied the command of",
        "waiting": "Waits in",
        "wait-over": "The wait is over in",
        "undone": "Took back the last mark of",
        "taken-over": "Took over",
        "ended": "Ended",
    }.get(event.text("result"), event.text("result"))
    due = f" until {event.text('due')}" if event.text("due") else ""
    details = _parts(event.text("command"), event.text("note"))
    return f"{verb} {where}{due}" + (f": {details}" if details else "")


def _deploy_text(event: Event) -> str:
    review = f", review {event.text('review')}" if event.text("review") else ""
    due = f" due {event.text('due')}" if event.text("due") else ""
    repo = f"{event.text('repo')} " if event.text("repo") else ""
    return f"Deployed {repo}{event.text('change')} to {event.text('env')}{review}{due}"


def _followup(event: Event) -> str:
    verb = "Opened" if event.text("state") == "opened" else "Closed"
    more = _parts(
        event.text("text"),
        _named("owner", event.text("owner")),
        _named("due", event.text("due")),
        event.text("url"),
        event.text("signal"),
    )
    return f"{verb} follow-up: {event.text('kind')}" + (f" ({more})" if more else "")


_SENTENCES: Mapping[str, Callable[[Event], str]] = {
    EventType.OPENED: _opened,
    EventType.IMPACT: _impact,
    EventType.ENTRY_USED: lambda e: f"Used entry {e.text('entry')}: {e.text('result')}",
    EventType.DECISION: _decision,
    EventType.OVERRIDE: lambda e: f"Chose otherwise: {e.text('chosen')} ({e.text('reason')})",
    EventType.APPROVAL: lambda e: (
        f"Approved by {e.text('who')} ({_parts(e.text('how'), e.text('what'), e.text('change'))})"
    ),
    EventType.ACTION: _action,
    EventType.DEPLOY: _deploy_text,
    EventType.MITIGATED: lambda e: f"Mitigated: {e.text('signal')}",
    EventType.FIXED: lambda e: f"Fixed: {e.text('signal')}",
    EventType.REVIEW: lambda e: (
        f"Review of {e.text('change')} by {e.text('reviewer')}: {_parts(e.text('verdict'), e.text('note'))}"
    ),
    EventType.FOLLOWUP: _followup,
    EventType.KNOWLEDGE: lambda e: f"Knowledge: {e.text('how')} {e.text('entry')}",
    EventType.HANDOVER: lambda e: f"Handed over to {e.text('to')}: {e.text('text')}",
    EventType.NOTE: lambda e: e.text("text"),
    EventType.CORRECT: lambda e: (
        f"Corrected event {e.data.get('seq')} of {e.text('dev') or e.dev}: {e.text('reason')}"
    ),
    EventType.SEAL: lambda e: "Closed and sealed" + (f": {e.text('reason')}" if e.text("reason") else ""),
}
