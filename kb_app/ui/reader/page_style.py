"""The document's style sheet: sizes, spacing and colours of what `page_html` prepares.

`QTextDocument` ignores borders, radius and padding but on cells. Vertical margins of neighbouring paragraphs
collapse, but a table takes no notice of the paragraph before it, so tables bring their own upper margin.
"""

from __future__ import annotations

from kb_app.ui.common.fonts import MONO_FAMILY, UI_FAMILY
from kb_app.ui.common.tokens import Tokens
from kb_app.ui.reader.page_html import CALLOUTS, INDENT, Mark, hidden_color

_HEADINGS = (
    ("h1", 25, 0, 8, "text"),
    ("h2", 18, 30, 8, "text"),
    ("h3", 15, 24, 6, "text"),
    ("h4", 14, 20, 4, "text"),
    ("h5", 13, 18, 4, "text2"),
    ("h6", 13, 18, 4, "text2"),
)
"""Tag, size, space above and below in pixels at 100 %, colour."""


def page_css(tokens: Tokens, zoom: float) -> str:
    """Return the document's style sheet: ``tokens``' colours, sizes scaled by ``zoom`` (> 0).

    Line heights are given in whole pixels, which Qt takes as the least height of a line: a picture makes its
    line taller, and numbers of lists, which Qt draws on whole pixels, keep the text's baseline.
    """

    def px(pixels: float) -> str:
        return f"{pixels * zoom:.1f}px"

    def line(pixels: float) -> str:
        return f"{round(pixels * zoom)}px"

    rules = [
        f"body,p,li,td,th,div{{font-family:'{UI_FAMILY}';font-size:{px(14)};line-height:{line(22)}}}",
        f"body,p,li,td,th,div{{color:{tokens.text}}}",
        f"p{{margin-top:{px(8)};margin-bottom:{px(10)}}}",
        *(
            f"{name}{{font-family:'{UI_FAMILY}';font-size:{px(size)};font-weight:600;"
            f"margin-top:{px(above)};margin-bottom:{px(below)};color:{tokens.color(color)}}}"
            for name, size, above, below, color in _HEADINGS
        ),
        f"h1{{letter-spacing:{-0.4 * zoom:.2f}px;line-height:{line(34)}}}",
        f"h2{{letter-spacing:{-0.15 * zoom:.2f}px}}",
        f"a{{color:{tokens.accent};text-decoration:none}}",
        f"ul,ol{{margin-top:{px(6)};margin-bottom:{px(4)}}}",
        f"li{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        f"li p{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        f"li ul,li ol{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        "ul,li.task{list-style-type:none}",  # bullets are painted; inner lists inherit it in Qt
        "ol,ol li{list-style-type:decimal}",
        f"li.task{{text-indent:{px(-21)}}}",
        f"dt{{font-weight:600;margin-top:{px(8)}}}dd{{margin-left:{px(INDENT)};margin-bottom:{px(6)}}}",
        f"hr{{background-color:{tokens.border};margin-top:{px(20)};margin-bottom:{px(20)}}}",
        "b,strong{font-weight:600}",
        f"code,kbd{{font-family:'{MONO_FAMILY}';font-size:{px(12.5)}}}",
        f"table.grid code{{font-size:{px(12)}}}",
        f"code{{background-color:{hidden_color(Mark.INLINE_CODE)}}}",
        f"kbd{{background-color:{hidden_color(Mark.KEY)};color:{tokens.text2}}}",
        f"pre{{font-family:'{MONO_FAMILY}';font-size:{px(12.5)};line-height:{line(20)};white-space:pre-wrap}}",
        f"pre{{margin-top:0;margin-bottom:0;color:{tokens.text}}}",
        f"pre.plain{{margin-top:{px(8)}}}",
        f"td.code{{padding:{px(10)};padding-left:{px(14)};padding-right:{px(44)}}}",
        f"table.diagram td.code{{padding-top:{px(32)}}}",
        f"td.callout{{padding-top:{px(8)};padding-bottom:{px(11)};padding-left:{px(18)};padding-right:{px(14)}}}",
        f"td.callout p{{margin-top:{px(2)};margin-bottom:{px(8)}}}",
        "td.callout p.callout-title{margin-top:0;margin-bottom:0;font-weight:600}",
        f"td.quote{{padding-left:{px(16)};padding-bottom:{px(4)}}}",
        f"td.quote,td.quote p,td.quote li{{color:{tokens.text2}}}",
        f"td.details{{padding-top:{px(7)};padding-bottom:{px(6)};padding-left:{px(12)};padding-right:{px(14)}}}",
        f"p.summary{{margin-top:0;margin-bottom:{px(2)};font-weight:500}}p.summary a{{color:{tokens.text}}}",
        "table.grid{border-collapse:collapse}",
        f"table.grid td,table.grid th{{padding:{px(7)};padding-left:{px(11)};padding-right:{px(11)}}}",
        f"table.grid td,table.grid th{{padding-top:{px(5)};line-height:{line(19)}}}",
        f"table.grid td,table.grid th{{font-size:{px(13)};border:0px}}",
        f"table.grid th{{font-weight:600;color:{tokens.text2};font-size:{px(12)}}}",
        f"span.link-broken{{color:{tokens.danger};background-color:{hidden_color(Mark.LINK_BROKEN)}}}",
        f"span.link-out{{color:{tokens.text2};background-color:{hidden_color(Mark.LINK_OUT)}}}",
        f"span.image-out{{color:{tokens.text3};background-color:{hidden_color(Mark.PICTURE_OUT)}}}",
        "img.icon{vertical-align:middle}",
        *(
            f"td.{mark.name.lower()} p.callout-title{{color:{tokens.color(c)}}}"
            for mark, (_, c) in CALLOUTS.items()
        ),
        *_syntax(tokens),
    ]
    return "\n".join(rules)


def _syntax(tokens: Tokens) -> tuple[str, ...]:
    """Return rules for Pygments' short class names. Source: `pygments.token.STANDARD_TYPES`."""
    groups = (
        ("k kc kd kn kp kr kt nt ow gh", tokens.syntax_keyword),
        ("s s1 s2 sa sb sc dl sd se sh si sr ss sx gi", tokens.syntax_string),
        ("c c1 ch cm cp cpf cs gp go", tokens.syntax_comment),
        ("nb bp nc nf fm na nd ne nn nl", tokens.syntax_name),
        ("m mb mf mh mi mo il nv vc vg vi vm no l ld", tokens.syntax_number),
        ("err gd gr gt", tokens.danger),
    )
    return tuple(
        ",".join(f"span.{name}" for name in names.split()) + f"{{color:{color}}}" for names, color in groups
    )
