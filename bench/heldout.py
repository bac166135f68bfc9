"""A second set of judged queries, made by rule from pages that nothing was ever set on.

    python -m bench.heldout FOLDER

Four kinds, at most `PER_KIND` of each for every corpus of the scale archive, drawn with a fixed seed:

* *howto*: a heading that begins with a verb of doing ("Rotate the keys", "How to …");
* *symptom*: a heading that tells of trouble ("Pods stuck in Terminating");
* *summary*: the ``description`` or ``summary`` of the front matter;
* *anchor*: the text of a link from another page, unlike the title of the page it leads to.

The page that the text was taken from, or the link leads to, is the answer. The text itself is taken out of
the pages that are indexed, everywhere, so that a page has to be found by what else it says. Of pages with one
file name (versions of a manual) the last one is kept. Absolute figures are low, as other pages may answer too
and are not judged: compare figures of this set with each other only.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from kb_app.search.analysis import words_of
from kb_app.search.concepts import FUNCTION_WORDS
from kb_app.search.documents import is_aside

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "corpora-scale.tar.xz"
PER_KIND = 30
MIN_PAGES = 40
SEED = 20_24
_HEADING = re.compile(r"^#{2,4}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^(?:title:[ \t]*(.+)|#[ \t]+(.+))$", re.MULTILINE)
_SUMMARY = re.compile(r"^(?:description|summary):[ \t]*[\"']?([^\n\"'|>]{20,200})", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\[\]`!<>{}]{8,80})\]\(([^()\s]{2,200})\)")
_DOING_WORDS = """
add allow attach backup build change check clean collect configure connect convert create customize
debug decommission delete deploy diagnose disable drain drop enable evict expand export extend find
fix force generate get grant import increase inspect install investigate limit list load log manage
merge migrate monitor move provision reclaim recover reduce remove rename replace request reset
resize resolve restart restore revoke rotate run scale schedule secure send set setup shrink start
stop store switch test trace transfer troubleshoot tune uninstall update upgrade use validate verify
view
"""
_DOING = frozenset(_DOING_WORDS.split())
_TROUBLE = re.compile(
    r"\b(?:fail(?:s|ed|ing|ure|ures)?|errors?|stuck|cannot|can't|unable|not|slow|crash\w*|lost|missing"
    r"|time(?:s|d)?[ -]?outs?|hangs?|unavailable|refused|denied|high|wrong|invalid|corrupt\w*"
    r"|unexpected(?:ly)?|unhealthy|full|expired|blocked|problems?|issues?|too (?:many|large|long))\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[`*_]|\{[#:][^{}]*\}|<[^<>]*>|\]\([^()]*\)|\[")


def _content_words(text: str) -> list[str]:
    return [word for word in words_of(text) if word not in FUNCTION_WORDS and len(word) > 1]


def _kind_of_heading(text: str) -> str:
    words = words_of(text)
    if _TROUBLE.search(text):
        return "symptom"
    first = words[0] if words else ""
    is_doing = first in _DOING or (
        first.endswith("ing") and {first[:-3], first[:-3] + "e", first[:-4]} & _DOING
    )
    return "howto" if is_doing or words[:2] == ["how", "to"] else ""


def _stem(path: str) -> str:
    bare = path.split("#", 1)[0].split("?", 1)[0].rstrip("/")
    return re.sub(r"\.(?:md|html?|mdx|markdown)$", "", bare.rsplit("/", 1)[-1]).lower()


def _is_record(path: str) -> bool:
    """Tell whether a page is a note of a release or a post: nobody looks for these in need."""
    return any(is_aside(part) and not part.lstrip("v")[:1].isdigit() for part in path.split("/"))


class _Corpus:
    """The pages of one corpus, one for each file name, and the texts found in them."""

    def __init__(self, root: Path) -> None:
        chosen = {_stem(str(path)): path for path in sorted(root.rglob("*.md")) if not path.is_symlink()}
        self.pages = {
            str(path.relative_to(root)): path.read_text(encoding="utf-8", errors="replace")
            for stem, path in sorted(chosen.items())
            if stem not in ("readme", "index", "_index")
        }
        self._records = {path for path in self.pages if _is_record(path)}
        self._by_stem = {_stem(path): path for path in self.pages}
        self._titles = {
            path: set(_content_words((m[1] or m[2]) if (m := _TITLE.search(text)) else ""))
            for path, text in self.pages.items()
        }

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Yield (kind, text as written, page that it leads to)."""
        for path, text in self.pages.items():
            if path in self._records:
                continue
            for match in _HEADING.finditer(text):
                if kind := _kind_of_heading(_MARKUP.sub("", match[1])):
                    yield kind, match[1], path
            if match := _SUMMARY.search(text[:4_000]):
                yield "summary", match[1].strip(), path
            for label, target in _LINK.findall(text):
                to = self._by_stem.get(_stem(target), "") if "://" not in target else ""
                if to and to != path and self._is_unlike(label, to):
                    yield "anchor", label, to

    def _is_unlike(self, label: str, path: str) -> bool:
        words = set(_content_words(label))
        return len(words & self._titles[path]) * 2 <= len(words)


def make(archive: Path, folder: Path) -> Mapping[str, int]:
    """Write ``pages/CORPUS/…`` and ``queries.jsonl`` below ``folder``; return the number of each kind."""
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(archive) as packed:
            packed.extractall(unpacked, filter="data")
        tops = [Path(unpacked)]
        while len(tops) == 1:
            tops = sorted(p for p in tops[0].iterdir() if p.is_dir())
        queries = [query for root in tops for query in _corpus(root, folder / "pages" / root.name)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
    return Counter(str(query["kind"]) for query in queries)


def _corpus(root: Path, target: Path) -> list[dict[str, object]]:
    corpus = _Corpus(root)
    if len(corpus.pages) < MIN_PAGES:
        return []
    leads: dict[tuple[str, ...], set[str]] = defaultdict(set)
    written: dict[tuple[str, ...], set[str]] = defaultdict(set)
    kinds: dict[tuple[str, ...], str] = {}
    for kind, text, path in corpus.texts():
        words = tuple(_content_words(_MARKUP.sub("", text)))
        if 3 <= len(words) <= 20:
            leads[words].add(path)
            written[words].add(text)
            kinds.setdefault(words, kind)
    source = random.Random(f"{SEED} {root.name}")
    chosen: list[tuple[str, ...]] = []
    for kind in ("howto", "symptom", "summary", "anchor"):
        of_kind = sorted(words for words, paths in leads.items() if kinds[words] == kind and len(paths) == 1)
        chosen += source.sample(of_kind, min(PER_KIND, len(of_kind)))
    gone = sorted({text for words in chosen for text in written[words]}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, gone)) or r"(?!)")
    for path, text in corpus.pages.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(pattern.sub("", text), encoding="utf-8")
    return [
        {
            "id": f"{root.name}-{kinds[words]}-{number}",
            "corpus": root.name,
            "kind": kinds[words],
            "query": _MARKUP.sub("", min(written[words])),
            "relevant": [{"path": next(iter(leads[words])), "grade": 3}],
        }
        for number, words in enumerate(chosen)
    ]


def main() -> int:
    """Make the set in a folder."""
    print(dict(make(ARCHIVE, Path(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
