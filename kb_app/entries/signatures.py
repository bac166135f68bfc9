"""Signatures of an entry: what the machine said, word for word."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence

from kb_app.entries.front_matter import FrontMatter
from kb_app.entries.model import Role, Section
from kb_app.entries.outline import CODE_SPAN, Outline

MAX_SIGNATURES = 20
MAX_PATTERN = 300
MAX_MATCHED_TEXT = 500
MAX_PAIRS = 400
"""Longest pattern tried, characters of a text it is tried on, and pairs tried for one question."""
_NOT_A_MESSAGE = re.compile(
    r"\s*(?:[$#>%]\s|(?:sudo\s+)?(?:kubectl|oc|docker|helm|curl|psql|redis-cli|systemctl|journalctl|git"
    r"|cat|grep|aws|gcloud|az)\s"
    r"|[\w.-]+:\s*[\w./-]*$|[-{}\[\]();,]*$|[|+=-]{3,}|apiVersion:|NAME\s)"
)

_TROUBLE = re.compile(
    r"error|fail|denied|refus|reject|timed? ?out|cannot|can't|couldn't|could not|unable|invalid|illegal"
    r"|exception|panic"
    r"|fatal|warn|unexpected|too (?:many|large|big|long)|exceed|no space|not (?:found|allowed|ready|enough"
    r"|exist|support)"
    r"|killed|abort|backoff|back-off|corrupt|conflict|missing|unknown|unreachable|unavailable|crash"
    r"|deadlock|exhausted"
    r"|evicted|x509|0x[0-9a-f]{6,}|\b[45]\d\d\b|错误|失败|超时",
    re.IGNORECASE,
)


def infer_signatures(
    values: FrontMatter, outline: Outline, sections: Sequence[Section], provenance: MutableMapping[str, str]
) -> tuple[str, ...]:
    """Return signatures as written, else code spans and fenced lines under the symptoms; at most 20."""
    if written := values.items("signatures"):
        provenance["signatures"] = "from front matter"
        return tuple(dict.fromkeys(written))
    found: dict[str, None] = {}
    for section in sections:
        if section.role is Role.SYMPTOMS:
            for number in range(section.span.first_line, section.span.last_line):
                for text in _messages(outline, number):
                    found[text] = None
                if len(found) >= MAX_SIGNATURES:
                    break
    if found:
        provenance["signatures"] = "from the symptoms"
    return tuple(found)[:MAX_SIGNATURES]


def _messages(outline: Outline, index: int) -> list[str]:
    line = outline.lines[index][:2_000]
    if outline.code[index]:
        candidates = [] if line.lstrip().startswith(("```", "~~~", "<")) else [line.strip()]
    elif "`" in line:
        candidates = [match.group(2).strip() for match in CODE_SPAN.finditer(line)]
    else:
        return []
    return [text for text in candidates if _is_message(text, is_code_block=bool(outline.code[index]))]


def _is_message(text: str, *, is_code_block: bool) -> bool:
    if is_code_block and _TROUBLE.search(text) is None:
        return False
    return 12 <= len(text) <= 400 and len(text.split()) >= 3 and _NOT_A_MESSAGE.match(text) is None


def pattern_of(signature: str) -> str:
    """Return the regular expression of a signature written ``/like this/``; empty for plain text."""
    is_pattern = 2 < len(signature) <= MAX_PATTERN and signature[0] == signature[-1] == "/"
    return signature[1:-1] if is_pattern else ""


def pattern_pairs(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, str]]:
    """Return each pattern of one entry with each plain signature of the other, for `first_hit`."""
    return [
        (pattern, text[:MAX_MATCHED_TEXT])
        for patterns, texts in ((theirs, ours), (ours, theirs))
        for pattern in filter(None, map(pattern_of, patterns))
        for text in texts
        if not pattern_of(text)
    ]


def first_hit(pairs: Sequence[Sequence[str]]) -> int:
    """Return the number of the first pair whose pattern is found in its text, -1 when none is.

    A pattern may be written so that this takes years: it is to be called only in a worker that is killed
    when it does not answer in time. One that cannot be read, or fits everything, is no hit.
    """
    for number, (pattern, text) in enumerate(pairs[:MAX_PAIRS]):
        try:
            wanted = re.compile(pattern[:MAX_PATTERN])
            if not wanted.search("") and wanted.search(text[:MAX_MATCHED_TEXT]):
                return number
        except (re.error, RecursionError, OverflowError):
            continue
    return -1
