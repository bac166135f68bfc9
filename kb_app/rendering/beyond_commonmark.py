"""Syntax that runbooks use and CommonMark does not know: callouts, directives, generator tags.

Pure functions on one line each; `kb_app.rendering.commonmark_blocks` puts the blocks together. Covered are
GitHub and DocFX (``> [!NOTE]``), mkdocs (``!!! note``), Docusaurus, Pandoc and DocFX (``:::note``), MyST
(```` ```{note} ````, ``(label)=``), and the tags of Hugo, Jekyll, Liquid, ERB and DocToc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Names that authors give to callouts, by the kind that they are shown as.
_KINDS = {
    "note": "note note info information abstract summary tldr question help faq example seealso quote cite "
    "admonition topic versionadded versionchanged",
    "tip": "tip hint todo best-practice",
    "important": "important attention",
    "warning": "warning caution deprecated warn",
    "danger": "danger error bug failure fail missing alert",
    "success": "success check done",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}

_FOLDED = frozenset({"details", "dropdown", "collapse", "spoiler", "expand"})

#: Directives whose lines only steer a generator; what lies between them is ordinary text.
_DROPPED = frozenset({"zone", "moniker", "row", "column", "tabs", "tab", "grid", "container"})

_CODE_DIRECTIVES = frozenset({"code", "code-block", "sourcecode", "code-cell", "literalinclude", "prompt"})

_DIAGRAMS = frozenset(
    {"mermaid", "plantuml", "puml", "dot", "graphviz", "ditaa", "blockdiag", "seqdiag", "d2"}
)

CONTENTS_START = "START doctoc"
CONTENTS_END = "END doctoc"

FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,80})\]:[ \t]*")
DEFINITION = re.compile(r":[ \t]{1,3}(?=\S)")
OPTION = re.compile(r":[a-z][\w-]*:")
LABEL = re.compile(r"\(([\w.:-]{1,80})\)=$")

_ALERT = re.compile(r"\[!([A-Za-z][\w-]{1,30})\][+-]?[ \t]*(.*)$")
_BOLD_ALERT = re.compile(
    r"\*\*(Note|Tip|Hint|Info|Important|Warning|Caution|Danger|Attention)[:!]?\*\*:?\s*", re.IGNORECASE
)
_ADMONITION = re.compile(r"(!!!|\?\?\?\+?)[ \t]+([A-Za-z][\w-]*)[\w \t-]*?(?:[ \t]+\"(.*)\")?$")
_DIRECTIVE = re.compile(r"[ \t]*(?:\{([A-Za-z][\w:-]*)\}|([A-Za-z][\w-]*))(?:\[(.*?)\])?[ \t]*(.*?)$")
_DIRECTIVE_ATTRIBUTE = re.compile(r"([\w-]+)=\"([^\"]*)\"")
_CONTENTS = re.compile(r"(?:\[\[_?TOC_?\]\]|\[TOC\])$", re.IGNORECASE)
_GENERATOR_LINE = re.compile(
    r"(?:(?:\{\{[<%](?:(?![<%]\}\}).)*[%>]\}\}|\{%(?:(?!%\}).)*%\}|<%(?:(?!%>).)*%>)\s*)+$"
)
_ATTRIBUTE_LIST = re.compile(r"\{:[ \t]*(?:[#.][\w-]+|[\w-]+=)[^{}]*\}$")
_TEXT_ATTRIBUTE = re.compile(r"\b(?:caption|title|ref|relref)\b")
_COMMENTS = re.compile(r"(?:<!--(?:(?!-->).)*-->[ \t]*)+")
_HEADING_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]*[#.][\w.:-]{1,80}[^{}]*\}$")


@dataclass(frozen=True, slots=True)
class Callout:
    """A framed remark.

    Attributes:
        tag: ``callout``, ``details`` (folded), ``group`` (no frame) or ``pre`` (a diagram's source).
        kind: one of `kb_app.rendering.sanitising.CALLOUT_KINDS`; the language of a diagram.
        title: to show; empty when the author wants none.
        text: Markdown that stands for the whole directive, which then has no body.
        is_dropped: the line only steers a generator.
    """

    tag: str = "callout"
    kind: str = "note"
    title: str = ""
    text: str = ""
    is_dropped: bool = False


def _titled(name: str, title: str | None) -> Callout:
    """Return the callout for a name; ``title`` None means that the author gave none."""
    kind = _KIND_OF.get(name.lower(), "note")
    return Callout(kind=kind, title=name.replace("-", " ").capitalize() if title is None else title.strip())


def alert(text: str) -> tuple[Callout | None, str]:
    """Read the start of a block quote, ``[!NOTE]`` with an optional title or ``**Note:**``.

    Args:
        text: of its first paragraph.

    Returns:
        The callout, or None, and the rest of the paragraph.
    """
    first, _, rest = text.partition("\n")
    found = _ALERT.match(first)
    if found and found[1].lower() in _KIND_OF:
        return _titled(found[1], found[2] or None), rest
    bold = _BOLD_ALERT.match(text)
    return (_titled(bold[1], None), text[bold.end() :]) if bold else (None, text)


def admonition(line: str) -> Callout | None:
    """Read ``!!! note "Title"`` or ``??? note`` (folded)."""
    found = _ADMONITION.match(line)
    if not found:
        return None
    callout = _titled(found[2], found[3])
    if found[1].startswith("???"):
        return Callout(tag="details", kind=callout.kind, title=callout.title)
    return callout


def directive(mark: str, rest: str) -> Callout | None:
    """Read what follows the colons or backticks of a directive.

    Args:
        mark: the run of colons, backticks or tildes.
        rest: the line after it.
    """
    is_colons = mark[0] == ":"
    if not is_colons and not rest.lstrip().startswith("{"):
        return None  # an ordinary fence
    found = _DIRECTIVE.match(rest)
    if not found:
        return None
    name = (found[1] or found[2]).lower()
    if is_colons:
        if name.endswith("-end") or name in _DROPPED:
            return Callout(is_dropped=True)
        if name in _DIAGRAMS:
            return Callout(tag="pre", kind=name)
        if rest.rstrip().endswith(":::"):
            return Callout(text=_single_line(name, rest))
    elif name not in _KIND_OF and name not in _FOLDED:
        return None  # {code-block} and everything unknown is shown as code
    title = found[3] if found[3] is not None else found[4].strip("\"' ") or None
    if name in _FOLDED:
        return Callout(tag="details", title=title or "Details")
    if name in _KIND_OF:
        if name == "admonition" and title:
            return Callout(title=title)
        return _titled(name, title)
    return Callout(tag="group")


def _single_line(name: str, rest: str) -> str:
    """Return Markdown for a directive on one line, such as ``:::image … :::``."""
    attributes = dict(_DIRECTIVE_ATTRIBUTE.findall(rest))
    source = attributes.get("source", "")
    if name == "image":
        alt = re.sub(r"[\[\]]", "", attributes.get("alt-text", ""))
        return f"![{alt}](<{source}>)"
    return f"`{rest.strip().removesuffix(':::').strip()}`"


def language_of(information: str) -> str:
    """Return the language that a fence's information string names, in lower case, or an empty text."""
    information = information.strip()
    found = re.match(r"\{([\w-]+)\}[ \t]*(\w[\w+#.-]*)?", information)
    if found:
        return (found[2] or "").lower() if found[1].lower() in _CODE_DIRECTIVES else found[1].lower()
    word = information.strip("{} ").removeprefix(".").split(maxsplit=1)
    return re.split(r"[,:;{]", word[0])[0].lower() if word else ""


def is_diagram(language: str) -> bool:
    """Tell whether code in ``language`` describes a picture."""
    return language in _DIAGRAMS


def is_for_the_generator(line: str) -> bool:
    """Tell whether a line holds only a table of contents mark, or template tags without text for people."""
    if _CONTENTS.match(line) or _ATTRIBUTE_LIST.match(line):
        return True
    return bool(_GENERATOR_LINE.match(line)) and not _TEXT_ATTRIBUTE.search(line)


def after_comments(line: str) -> str | None:
    """Return what follows the comments that a line starts with; None for no comment or nothing after it."""
    found = _COMMENTS.match(line)
    return line[found.end() :] if found and found.end() < len(line) else None


def without_label(heading: str) -> str:
    """Return a heading without the attributes at its end, such as ``{#label}``."""
    found = _HEADING_ATTRIBUTES.search(heading) if heading.endswith("}") else None
    return heading[: found.start()] if found else heading
