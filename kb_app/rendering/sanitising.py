"""The last gate before the window: an allow-list of tags, attributes, classes, addresses and characters.

Everything upstream builds only what the dialect of `kb_app.rendering.model` knows; this gate does not rely on
that. It is idempotent: cleaning clean HTML changes nothing.

Decision: nh3 (ammonia) parses as a browser does, so nothing survives that only looks harmless. Its own rules
keep addresses without a scheme (``//host``, and the same with backslashes), remote images, and bidirectional
and zero-width characters; those are refused here.
"""

from __future__ import annotations

import re

import nh3

_BLOCK_TAGS = {
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote",
    "hr", "table", "thead", "tbody", "tfoot", "tr", "th", "td",
}  # fmt: skip
_INLINE_TAGS = {
    "a", "img", "br", "em", "strong", "b", "i", "u", "s", "code", "kbd", "sub", "sup", "small", "span",
}  # fmt: skip

ALLOWED_TAGS = frozenset(_BLOCK_TAGS | _INLINE_TAGS)

ALLOWED_ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href", "name", "title"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "ol": frozenset({"start"}),
    "table": frozenset({"width"}),
    "th": frozenset({"align", "colspan", "rowspan"}),
    "td": frozenset({"align", "colspan", "rowspan"}),
    "p": frozenset({"align"}),
    "span": frozenset({"title"}),
}

CALLOUT_KINDS = ("note", "tip", "important", "warning", "danger", "success")

_FRAMES = {"code", "diagram", "callout", "quote", "grid", "details", *CALLOUT_KINDS}

#: Pygments' short class names: one or two lower-case letters, at times with a digit. Source: pygments.token.
_TOKEN_CLASSES = {
    "bp", "c", "c1", "ch", "cm", "cp", "cpf", "cs", "dl", "err", "esc", "fm", "g", "gd", "ge", "ges", "gh",
    "gi", "go", "gp", "gr", "gs", "gt", "gu", "il", "k", "kc", "kd", "kn", "kp", "kr", "kt", "l", "ld", "m",
    "mb", "mf", "mh", "mi", "mo", "n", "na", "nb", "nc", "nd", "ne", "nf", "ni", "nl", "nn", "no", "nt", "nv",
    "nx", "o", "ow", "p", "pm", "py", "s", "s1", "s2", "sa", "sb", "sc", "sd", "se", "sh", "si", "sr", "ss",
    "sx", "vc", "vg", "vi", "vm", "w", "x",
}  # fmt: skip

ALLOWED_CLASSES: dict[str, frozenset[str]] = {
    "table": frozenset(_FRAMES),
    "td": frozenset(_FRAMES),
    "pre": frozenset({"code", "plain"}),
    "p": frozenset({"callout-title", "summary"}),
    "li": frozenset({"task"}),
    "span": frozenset({"image-out", "link-out", "link-broken", *_TOKEN_CLASSES}),
}

LINK_SCHEMES = frozenset({"https", "http", "mailto", "kb"})
IMAGE_SCHEMES = frozenset({"kb", "icon"})

_MAX_ROUNDS = 8

_NUMBER = re.compile(r"[0-9]{1,4}%?")
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "start"})


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value to keep for one attribute, or None to drop it."""
    if name == "src":
        return value if value.partition(":")[0] in IMAGE_SCHEMES else None
    if name == "href":
        return value if value.startswith("#") or value.partition(":")[0].lower() in LINK_SCHEMES else None
    if name in _NUMBERS and not (tag == "ol" or _NUMBER.fullmatch(value)):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(ALLOWED_TAGS),
    clean_content_tags={"script", "style"},
    attributes={tag: set(names) for tag, names in ALLOWED_ATTRIBUTES.items()},
    attribute_filter=_attribute,
    allowed_classes={tag: set(names) for tag, names in ALLOWED_CLASSES.items()},
    url_schemes=set(LINK_SCHEMES | IMAGE_SCHEMES),
    link_rel=None,
    strip_comments=True,
)

#: Characters that hide or reorder text, or that only a terminal knows: controls but tab and line feed, soft
#: hyphen, zero-width and bidirectional marks, invisible operators, fillers, tags, the byte order mark.
#: Source: Unicode categories Cc and Cf; the zero-width joiner and the variation selectors stay, because emoji
#: and Indic scripts need them. Noncharacters and lone surrogates cannot be shown at all.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def reveal_hidden(text: str) -> str:
    """Replace characters that hide or reorder text by their code point, for example ``‹U+202E›``."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


def sanitise(html: str) -> str:
    """Return ``html`` with nothing but the dialect's tags, attributes, classes and addresses.

    Cleaning misnested HTML moves elements, which cleaning again may move once more; so it is done until
    nothing changes. The pages written here do not change in the first round.
    """
    for _ in range(_MAX_ROUNDS):
        clean = _CLEANER.clean(html)
        if clean == html:
            break
        html = clean
    return html
