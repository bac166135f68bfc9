"""A knowledge base: its optional ``kb.yml``, its files, and who owns what.

Nothing here writes. Symbolic links that lead out of the root, devices, pipes, oversize files and binaries are
skipped with a reason; a tree of any depth is walked without recursion.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kb_app.entries.front_matter import FrontMatter, read_mapping
from kb_app.entries.model import KnowledgeBaseConfig, Note, Severity
from kb_app.entries.source import MAX_ENTRY_BYTES
from kb_app.errors import EnvironmentFault

CONFIG_NAME = "kb.yml"
SUFFIXES = (".md", ".mdx", ".markdown", ".html.md.erb")
"""File names that may be entries, lower case. Source: survey of 48,000 pages."""
MAX_FILES = 500_000
MAX_CONFIG_BYTES = 64 * 1024

_IGNORED_FOLDERS = frozenset((
    ".git", ".github", ".gitlab", ".hg", ".svn", ".idea", ".vscode", ".venv", "venv", "node_modules",
    "vendor", "archetypes", "issue_template", "pull_request_template", "__pycache__",
))  # fmt: skip
_RECORD_FOLDERS = ("incidents", "feedback")
"""Folders at the root that hold records and remarks, not entries."""
_IGNORED_STEMS = frozenset((
    "code_of_conduct", "changelog", "pull_request_template", "issue_template", "provenance",
))  # fmt: skip
_IGNORED_ROOT_STEMS = frozenset((
    "contributing", "license", "licence", "security", "governance", "maintainers", "adopters", "authors",
    "agents", "notice", "support", "releasing",
))  # fmt: skip
"""Files about a repository, not about what it describes, where the name is in capitals, as is the custom;
deeper in the tree, or as ``security.md``, such names may be topics."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be an entry: path relative to the root with ``/``, and what its status said.

    Attributes:
        mtime_ns: time of the last change of its bytes.
        ctime_ns: time of the last change of its status (of its creation where the system is not POSIX).
        inode: its number, 0 where the system has none.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found.

    Attributes:
        files: sorted by path.
        skipped: path and reason (one sentence), sorted by path; files left out by rule are not listed.
    """

    files: tuple[FoundFile, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


# --- globs ------------------------------------------------------------------------------------------------


_GLOB_TOKEN = re.compile(r"(?:\*\*/)+|\*+|.", re.DOTALL)
_QUICK_WILDCARDS = 3
_QUICK_PATH = 300
"""Up to so many wildcards and characters a pattern is fast whatever the path; beyond, it may take hours."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A path glob, read.

    ``*`` and ``?`` stay inside a folder, ``**`` crosses folders, a trailing ``/`` means everything below, a
    glob without a slash (but a trailing one) matches at any depth, a leading ``/`` ties it to the root.

    Attributes:
        tokens: ``**/``, ``**``, ``*``, ``?`` or one character each.
        is_folder: it stands for what lies below, not for the name itself.
        pattern: the same as a regular expression, or None when that could become slow.
    """

    tokens: tuple[str, ...]
    is_folder: bool
    pattern: re.Pattern[str] | None

    def fits(self, path: str) -> bool:
        """Tell whether ``path`` or one of its folders fits."""
        if self.pattern is not None and len(path) <= _QUICK_PATH:
            return self.pattern.fullmatch(path) is not None
        return _fits(self.tokens, path, is_folder=self.is_folder)


@lru_cache(maxsize=1024)
def read_glob(glob: str) -> Glob:
    """Return ``glob`` ready for use."""
    text = glob.strip()
    bare = text.rstrip("/")
    tokens = [] if "/" in bare else ["**/"]
    for token in _GLOB_TOKEN.findall(bare.lstrip("/")):
        tokens.append("**/" if token.startswith("**/") else "**" if token.startswith("**") else token)
    is_folder = text.endswith("/")
    wild = sum(1 for token in tokens if token[0] == "*")
    written = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    source = "".join(written.get(token, re.escape(token)) for token in tokens)
    source += "/.*" if is_folder else "(?:/.*)?"
    pattern = re.compile(source, re.DOTALL) if wild <= _QUICK_WILDCARDS else None
    return Glob(tuple(tokens), is_folder, pattern)


def _fits(tokens: Sequence[str], path: str, *, is_folder: bool) -> bool:
    """Match by following all ways at once: time grows with path times tokens, never faster."""
    end = len(tokens)
    states = _entered({0}, tokens)
    for character in path:
        if character == "/" and end in states:
            return True  # one of the path's folders fits
        reached: set[int] = set()
        inside: set[int] = set()  # states that have read a part of what their wildcard stands for
        for state in states:
            index = state if state >= 0 else ~state
            if index == end:
                continue
            glyph = tokens[index]
            if glyph == "**/":
                inside.add(~index)
                if character == "/":
                    reached.add(index + 1)
            elif glyph == "**" or (glyph == "*" and character != "/"):
                reached.add(index)
            elif glyph == character or (glyph == "?" and character != "/"):
                reached.add(index + 1)
        states = _entered(reached, tokens) | inside
        if not states:
            return False
    return end in states and not is_folder


def _entered(states: set[int], tokens: Sequence[str]) -> set[int]:
    """Return ``states`` and those that are reached by letting wildcards stand for nothing."""
    found = set(states)
    for state in states:
        index = state
        while index < len(tokens) and tokens[index] in ("*", "**", "**/"):
            index += 1
            found.add(index)
    return found


def matches(glob: str, path: str) -> bool:
    """Tell whether ``path`` or one of its folders fits ``glob``, as `Glob` describes."""
    return read_glob(glob).fits(path)


# --- kb.yml -----------------------------------------------------------------------------------------------


def load_config(root: Path) -> KnowledgeBaseConfig:
    """Read ``kb.yml`` and the ownership files of the knowledge base at ``root``; all of them may be absent.

    Raises:
        EnvironmentFault: when ``root`` is not a folder that can be read.
    """
    if not root.is_dir():
        raise EnvironmentFault(f"{root} is not a folder", "Choose the folder that holds the Markdown files")
    raw, notes = _small_file(root, CONFIG_NAME)
    return config_from(raw.decode("utf-8-sig", "replace"), notes=notes, owners=_owners(root))


def config_from(
    text: str, *, notes: Sequence[Note] = (), owners: Sequence[tuple[str, str]] = ()
) -> KnowledgeBaseConfig:
    """Return what the text of a ``kb.yml`` says; what cannot be understood becomes a note."""
    table = read_mapping(text.replace("\r\n", "\n")) if text.strip() else FrontMatter()
    found = [*notes, *table.notes]
    known = {"name", "description", "ignore", "lint_ignore", "synonyms", "language", "products", "components"}
    for key in table.values:
        if key not in known and not key.startswith(("products.", "components.")):
            message = f"kb.yml has no setting {key!r}; it is not used"
            found.append(Note("kb-yml-unknown-key", Severity.WARNING, message, table.lines.get(key)))
    return KnowledgeBaseConfig(
        name=table.text("name"),
        description=table.text("description"),
        products=_mapping(table, "products."),
        components=_mapping(table, "components."),
        ignore=table.items("ignore"),
        lint_ignore=table.items("lint_ignore"),
        synonyms=tuple(group for item in table.items("synonyms") if len(group := _group(item)) > 1),
        language=table.text("language") or "en",
        notes=tuple(found),
        owners=tuple(owners),
    )


def _mapping(table: FrontMatter, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): table.text(key) for key in table.values if key.startswith(prefix)}


def _group(item: str) -> tuple[str, ...]:
    return tuple(word for part in item.split(",") if (word := " ".join(part.split())))


def _small_file(root: Path, relative: str) -> tuple[bytes, tuple[Note, ...]]:
    path = root / relative
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode) or not _is_below(root, path):
            return b"", (Note("kb-yml-unreadable", Severity.WARNING, f"{relative} is not an ordinary file"),)
        if state.st_size > MAX_CONFIG_BYTES:
            return b"", (
                Note("kb-yml-large", Severity.WARNING, f"{relative} is above 64 KB and is not read"),
            )
        return path.read_bytes(), ()
    except FileNotFoundError:
        return b"", ()
    except OSError as error:
        message = f"{relative} cannot be read: {error.strerror or error}"
        return b"", (Note("kb-yml-unreadable", Severity.WARNING, message),)


def _is_below(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


# --- owners -----------------------------------------------------------------------------------------------

_CODEOWNERS = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
_MAX_OWNER_FOLDERS = 2_000


def _owners(root: Path) -> tuple[tuple[str, str], ...]:
    """Return (glob, owner) pairs, least specific first: ``OWNERS`` files, then the first ``CODEOWNERS``."""
    pairs = list(_owners_files(root))
    for name in _CODEOWNERS:
        raw, _ = _small_file(root, name)
        if raw:
            pairs.extend(_codeowners(raw.decode("utf-8", "replace")))
            break
    return tuple(pairs)


def _codeowners(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) > 1 and not words[0].startswith(("[", "^", "!")):
            yield words[0], words[1]


def _owners_files(root: Path) -> Iterator[tuple[str, str]]:
    """Look for ``OWNERS`` in the upper three levels of folders, nearest to the root first."""
    folders, seen = [""], 0
    for _ in range(4):
        deeper: list[str] = []
        for folder in folders:
            if (seen := seen + 1) > _MAX_OWNER_FOLDERS:
                return
            try:
                with os.scandir(root / folder) as items:
                    names = sorted((i.name, i.is_dir(follow_symlinks=False)) for i in items)
            except OSError:
                continue
            for name, is_folder in names:
                path = f"{folder}{name}"
                if name == "OWNERS" and not is_folder:
                    raw, _ = _small_file(root, path)
                    if owner := _first_approver(raw.decode("utf-8", "replace")):
                        yield f"/{folder}**", owner
                elif is_folder and not _is_ignored_folder(name):
                    deeper.append(f"{path}/")
        folders = deeper


def _first_approver(text: str) -> str:
    table = read_mapping(text)
    if approvers := table.items("approvers", "reviewers"):
        return approvers[0]
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return next((line for line in lines if line and ":" not in line and not line.startswith("-")), "")


# --- the walk ---------------------------------------------------------------------------------------------


def _is_ignored_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED_FOLDERS


def is_entry_name(name: str, *, at_root: bool = False) -> bool:
    """Tell whether a file of this name may be an entry, before ``kb.yml`` has a say."""
    lowered = name.lower()
    if not lowered.endswith(SUFFIXES) or name.startswith("."):
        return False
    written = name.split(".", 1)[0]
    stem = written.lower().replace("-", "_")
    is_about_repository = at_root and written.isupper() and stem in _IGNORED_ROOT_STEMS
    return stem not in _IGNORED_STEMS and not is_about_repository


def is_entry_path(path: str, config: KnowledgeBaseConfig) -> bool:
    """Tell whether ``path`` (relative, ``/``-separated) may be an entry of the knowledge base."""
    *folders, name = path.split("/")
    if not is_entry_name(name, at_root=not folders) or any(_is_ignored_folder(folder) for folder in folders):
        return False
    if folders and folders[0] in _RECORD_FOLDERS:
        return False
    return not any(matches(glob, path) for glob in config.ignore)


def walk(root: Path, config: KnowledgeBaseConfig) -> Walk:
    """Return the files below ``root`` that may be entries.

    Raises:
        EnvironmentFault: when ``root`` itself cannot be listed.
    """
    files: list[FoundFile] = []
    skipped: list[tuple[str, str]] = []
    base = root.resolve()
    folders = [""]
    ignore = [read_glob(glob) for glob in config.ignore]
    while folders:
        folder = folders.pop()
        try:
            items = _listed(base, folder)
        except OSError as error:
            if not folder:
                raise EnvironmentFault(
                    f"{root} cannot be read: {error.strerror or error}",
                    "Choose a folder that holds Markdown files and that you may read",
                ) from error
            skipped.append((folder.rstrip("/"), f"The folder cannot be read: {error.strerror or error}"))
            continue
        for item in items:
            path = f"{folder}{item.name}"
            if any(glob.fits(path) for glob in ignore):
                continue
            if _is_folder(item):
                if not _is_ignored_folder(item.name) and path not in _RECORD_FOLDERS:
                    folders.append(f"{path}/")
            elif is_entry_name(item.name, at_root=not folder):
                found = _examined(base, item, path)
                if isinstance(found, str):
                    skipped.append((_shown(path), found))
                else:
                    files.append(found)
        if len(files) >= MAX_FILES:
            skipped.append((folder, f"More than {MAX_FILES} files; the rest is left out"))
            break
    return Walk(tuple(sorted(files, key=lambda f: f.path)), tuple(sorted(skipped)))


def look_at(root: Path, paths: Iterable[str], config: KnowledgeBaseConfig) -> Walk:
    """Return what `walk` would say about the files ``paths`` alone; those that are no entries are left out.

    Raises:
        EnvironmentFault: when ``root`` is not a folder that can be read.
    """
    if not root.is_dir():
        raise EnvironmentFault(f"{root} is not a folder", "Choose the folder that holds the Markdown files")
    base = root.resolve()
    files: list[FoundFile] = []
    skipped: list[tuple[str, str]] = []
    listed: dict[str, dict[str, os.DirEntry[str]]] = {}
    for path in sorted(set(paths)):
        folder, _, name = path.rpartition("/")
        if "" in path.split("/") or not is_entry_path(path, config):
            continue
        if folder not in listed:
            listed[folder] = _listed_inside(base, folder)
        item = listed[folder].get(name)
        if item is None or _is_folder(item):
            continue
        found = _examined(base, item, path)
        if isinstance(found, str):
            skipped.append((_shown(path), found))
        else:
            files.append(found)
    return Walk(tuple(files), tuple(skipped))


def _listed_inside(base: Path, folder: str) -> dict[str, os.DirEntry[str]]:
    """Return the items of a folder by name; none when it is not there or reached through a link."""
    try:
        if (base / folder).resolve(strict=True) != base / folder:
            return {}
        return {item.name: item for item in _listed(base, folder)}
    except (OSError, RuntimeError):
        return {}


def _listed(base: Path, folder: str) -> Iterable[os.DirEntry[str]]:
    with os.scandir(os.path.join(base, folder)) as items:  # noqa: PTH118  (a Path per folder costs a third more)
        return list(items)


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _unsafe(path: str) -> str | None:
    """Return why ``path`` is not one that `safe_join` opens again, or None."""
    if "\\" in path or ":" in path:
        return "The path holds a backslash or a colon"
    if path.isascii() and path.isprintable():
        return None
    categories = {unicodedata.category(character) for character in path}
    if "Cs" in categories:
        return "The file name is not valid UTF-8"
    return "The path holds an invisible character" if categories & {"Cc", "Cf"} else None


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _examined(base: Path, item: os.DirEntry[str], path: str) -> FoundFile | str:
    """Return the file, or why it is skipped."""
    if (reason := _unsafe(path)) is not None:
        return reason
    try:
        if item.is_symlink():
            target = Path(item.path).resolve(strict=True)
            if not target.is_relative_to(base):
                return "The symbolic link leads out of the knowledge base"
            if target.is_file() and is_entry_name(target.name):
                return "The symbolic link leads to a file that is read in its own place"
        state = item.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        return f"The file cannot be read: {getattr(error, 'strerror', None) or error}"
    if not stat.S_ISREG(state.st_mode):
        return "It is not an ordinary file"
    if state.st_size > MAX_ENTRY_BYTES:
        return (
            f"The file has {state.st_size // 1024} KB; {MAX_ENTRY_BYTES // 1024} KB is the most that is read"
        )
    return FoundFile(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
