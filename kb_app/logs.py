"""One rotating log file; secrets are removed on the way in, one record stays one line."""

from __future__ import annotations

import logging
import logging.handlers
import re
import unicodedata
from pathlib import Path

MAX_BYTES = 1_000_000
KEPT_FILES = 3
HANDLER_NAME = "kb_app"

_SECRET = re.compile(
    r"""(?ix)
    (?P<url>://)[^/\s@]{1,2000}@   # user:token@host, whatever the scheme
    | (?P<key>(?:private_|access_)?token|password|passwd|secret|authorization|api[_-]?key)
      (?P<sep>["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s&"',;]+
    """
)


def redact(text: str) -> str:
    """Return ``text`` without credentials in URLs, query strings and headers."""

    def hide(match: re.Match[str]) -> str:
        return f"{match['url']}***@" if match["url"] else f"{match['key']}{match['sep']}***"

    return _SECRET.sub(hide, text)


def visible(text: str) -> str:
    """Return ``text`` with control and format characters as escapes, so that one line stays one line."""
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else f"\\u{ord(c):04x}"
        for c in text
    )


class _SafeFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        head, *trace = super().format(record).split("\n")
        return "\n".join([visible(redact(head)), *("    " + visible(redact(line)) for line in trace)])


def start_logging(folder: Path, *, process: str, level: int = logging.INFO) -> None:
    """Send records to ``folder/<process>.log``; an unwritable folder costs the log, not the start."""
    handler: logging.Handler
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / f"{process}.log",
            maxBytes=MAX_BYTES,
            backupCount=KEPT_FILES,
            encoding="utf-8",
            delay=True,
        )
    except OSError:
        handler = logging.NullHandler()
    root = logging.getLogger()
    for previous in [h for h in root.handlers if h.get_name() == HANDLER_NAME]:
        root.removeHandler(previous)
        previous.close()
    handler.set_name(HANDLER_NAME)
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(level)
