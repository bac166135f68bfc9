"""What every command gets: the parsed options, the folders, and where to write."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import TextIO

from kb_app.paths import AppFolders
from kb_app.plain import to_plain
from kb_app.settings import Settings, load_settings
from kb_app.workspace.bases import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class Context:
    """One run of a command.

    Attributes:
        options: parsed options of the command.
        folders: the user's folders.
        out: standard output.
        err: standard error.
        source: standard input.
    """

    options: argparse.Namespace
    folders: AppFolders
    out: TextIO
    err: TextIO
    source: TextIO

    @property
    def wants_json(self) -> bool:
        """Tell whether standard output has to be one JSON document."""
        return bool(self.options.json)

    def settings(self) -> Settings:
        """Return the user's choices."""
        return load_settings(self.folders)

    def workspace(self) -> Workspace:
        """Open the knowledge bases that ``--kb`` names, else the configured ones, else the bundled content.

        Raises:
            UsageError: when a wanted one is unknown.
            EnvironmentFault: when a wanted one cannot be read.
        """
        workspace = open_workspace(self.options.kb or (), self.folders, self.settings())
        for missing in workspace.unopened:
            self.warn(f"{missing.title}. {missing.hint}.")
        return workspace

    def say(self, text: str = "") -> None:
        """Write a line of the result."""
        print(text, file=self.out)

    def warn(self, text: str) -> None:
        """Write a line to standard error."""
        print(text, file=self.err, flush=True)

    def give(self, value: object) -> None:
        """Write ``value`` as the one JSON document of this run."""
        json.dump(to_plain(value), self.out, ensure_ascii=False, indent=2)
        self.out.write("\n")

    def progress(self, text: str) -> None:
        """Show ``text`` on the progress line of a terminal; elsewhere nothing."""
        if self.err.isatty():
            self.err.write(f"\r\x1b[2K{text}")
            self.err.flush()

    def end_progress(self) -> None:
        """Clear the progress line."""
        if self.err.isatty():
            self.err.write("\r\x1b[2K")
            self.err.flush()

    def pasted(self) -> str:
        """Return what standard input holds, or nothing when it is a terminal."""
        return "" if self.source.isatty() else self.source.read()


def standard_streams() -> tuple[TextIO, TextIO, TextIO]:
    """Return input, output and error as UTF-8 that never fails on odd characters."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    return sys.stdin, sys.stdout, sys.stderr
