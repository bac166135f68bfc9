"""From text to terms: one pass of one pattern, the same for pages and for questions.

Every token of a text gives up to three sorts of terms, all in lower case and without accents:

* *words*: the parts of a token (``KubePodCrashLooping`` → kube, pod, crash, looping; ``lease_lost`` → lease,
  lost; characters of Chinese, Japanese and Korean → overlapping pairs). Words keep their order; phrases and
  proximity are measured on them.
* *whole tokens*: what the author wrote in one piece, symbols kept (``kube_pod_status_phase``, ``5.7.133``,
  ``0x8004de8a``, ``--flag``, ``.net``, ``c++``). They are kept beside the words, and count for exact matches.
* *stems*: only when a question is answered: words of one stem are grouped in the index (`stem_of`).

Decision: no stems in the postings. A prefix typed by hand ("connecti") is a prefix of words, not of stems,
and an exact form can be ranked above its relatives only while both are told apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from whoosh.lang.porter import stem as _porter_stem

MAX_TOKEN = 64
"""Longer tokens (base64, generated names) are cut for the index: nobody types them whole."""

_ASCII_TOKEN = re.compile(r"[A-Za-z0-9_.\-+#]+")
_TOKEN = re.compile(r"[\w.\-+#]+")  # three times slower, so for text that needs it only
_ASCII_TOKEN_OR_BREAK = re.compile(r"[A-Za-z0-9_.\-+#]+|\n")
_TOKEN_OR_BREAK = re.compile(r"[\w.\-+#]+|\n")
_EDGES = re.compile(r"^(?P<lead>--?|\.)?(?P<body>\w.*?)(?P<tail>\+\+|#)?[.\-_+#]*$", re.DOTALL)

_PLAIN = {
    0xDF: "ss", 0xE6: "ae", 0xC6: "AE", 0x153: "oe", 0x152: "OE", 0xF8: "o", 0xD8: "O", 0x142: "l",
    0x141: "L", 0x111: "d", 0x110: "D", 0x131: "i",
}  # fmt: skip
"""Letters that no accent can be taken from, and how they are typed without them."""
_FOLDING = {
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\uff07`\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u2033\u00ab\u00bb\uff02"), '"'),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u2000\u2001\u2002\u2003\u2009\u3000"), " "),
    **_PLAIN,
    # zero-width characters, soft hyphen, direction marks, variation selectors: nobody sees them
    **dict.fromkeys(
        [0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], None
    ),
    **dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0xFE00, 0xFE10)], None),
}

_POSSESSIVE = re.compile(r"'(?<=[A-Za-z]')(?:s\b)?", re.IGNORECASE)  # the character first: found at once
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+|[^\W_a-zA-Z0-9]+")
_CJK_RANGES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_CJK = re.compile(f"[{_CJK_RANGES}]")
_CJK_RUN = re.compile(f"[{_CJK_RANGES}]+|[^{_CJK_RANGES}]+")
_JOINERS = re.compile(r"[._\-+#]+")


def fold(text: str) -> str:
    """Return ``text`` with look-alike characters made one and accents removed; case is kept."""
    if text.isascii():
        return _POSSESSIVE.sub("", text) if "'" in text else text
    text = text.translate(_FOLDING)
    if text.isascii():
        return _POSSESSIVE.sub("", text) if "'" in text else text
    text = unicodedata.normalize("NFKC", text)
    decomposed = unicodedata.normalize("NFD", text)
    if len(decomposed) != len(text):
        kept = "".join(c for c in decomposed if unicodedata.category(c) != "Mn" or c in "\u3099\u309a")
        text = unicodedata.normalize("NFC", kept)
    return _POSSESSIVE.sub("", text)


def fold_lines(texts: Sequence[str]) -> str:
    """Return ``texts`` folded and joined by line breaks; only lines that need it are treated one by one."""
    text = "\n".join(texts)
    if not text.isascii():
        lines = list(texts)
        others = [number for number, line in enumerate(lines) if not line.isascii()]
        alike = "\n".join([lines[number] for number in others]).translate(_FOLDING).split("\n")
        for number, line in zip(others, alike, strict=True):
            lines[number] = line if line.isascii() else fold(line)
        text = "\n".join(lines)
    return _POSSESSIVE.sub("", text) if "'" in text else text


def raw_tokens(text: str) -> list[str]:
    """Return the tokens of folded ``text`` as written, in order; punctuation may cling to them."""
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)


def lines_and_tokens(text: str) -> list[str]:
    """Return the tokens of folded ``text`` in order, with a line break as a token of its own."""
    return (_ASCII_TOKEN_OR_BREAK if text.isascii() else _TOKEN_OR_BREAK).findall(text)


def split_token(token: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a raw token's words in order, and its whole forms that are not themselves words.

    >>> split_token("KubePodCrashLooping")
    (('kube', 'pod', 'crash', 'looping'), ('kubepodcrashlooping',))
    >>> split_token("--dry-run")
    (('dry', 'run'), ('dry-run', '--dry-run'))
    >>> split_token("restart.")
    (('restart',), ())
    """
    if token.isalpha() and token.isascii() and (token.islower() or token.isupper() or token.istitle()):
        return (token[:MAX_TOKEN].lower(),), ()
    edges = _EDGES.match(token.strip("_")[:MAX_TOKEN])
    if edges is None:
        return _split_clinging(token)
    bare, lead, tail = edges["body"].rstrip(".-_+#"), edges["lead"] or "", edges["tail"] or ""
    if not bare:
        return (), ()
    words = [word for piece in _JOINERS.split(bare) for word in _split_piece(piece)]
    whole = bare.lower()
    wholes = [whole] if len(words) != 1 or words[0] != whole else []
    if lead and whole[0].isalpha():
        wholes.append(lead + whole)
    if tail and len(whole) <= 2:
        wholes.append(whole + tail)
    if not whole.isascii() and len(whole) > 1 and _CJK.match(whole[-1]):
        wholes.append(whole[-1])  # no pair begins with the last character, and it may be asked for alone
    return tuple(words), tuple(wholes)


def _split_clinging(token: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a token with unusual punctuation before it ("...word", "##word")."""
    stripped = token.lstrip("._-+#")
    return split_token(stripped) if stripped and stripped != token else ((), ())


def _split_piece(piece: str) -> list[str]:
    if not piece:
        return []
    if piece.islower() or piece.isupper() or piece.isdigit():
        return _split_scripts(piece.lower())
    parts = _CAMEL.findall(piece)
    words: list[str] = []
    for part in parts:
        if len(part) == 1 and len(parts) > 1 and part.isalpha() and part.isascii():
            # iSCSI, eBPF, vCPU: the lone letter is no word; "iscsi" stays findable as the whole token
            continue
        words.extend(_split_scripts(part.lower()))
    return words or [piece.lower()]


def _split_scripts(word: str) -> list[str]:
    if word.isascii() or not _CJK.search(word):
        return [word]
    words: list[str] = []
    for run in _CJK_RUN.findall(word):
        if not _CJK.match(run) or len(run) == 1:
            words.append(run)
        else:
            words.extend(run[i : i + 2] for i in range(len(run) - 1))
    return words


def is_ideogram(word: str) -> bool:
    """Tell whether ``word`` is one character of Chinese, Japanese or Korean: the start of pairs."""
    return len(word) == 1 and _CJK.match(word) is not None


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` (not yet folded), in order."""
    words: list[str] = []
    for token in raw_tokens(fold(text)):
        words.extend(split_token(token)[0])
    return words


@lru_cache(maxsize=200_000)
def stem_of(word: str) -> str:
    """Return the stem that ``word`` shares with its inflections; a word with digits or symbols is its own."""
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    stem: str = _porter_stem(word)  # type: ignore[no-untyped-call]
    return stem
