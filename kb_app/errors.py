"""Errors that are expected: each is one sentence for the user and one next step.

Everything that is not a `KbError` is a bug and reaches the crash report.

    KbError
    ├── UsageError          the command or the input is wrong             exit 2
    ├── EnvironmentFault    git, network, folder, permission               exit 3
    └── LimitReached        a deadline or a size cap stopped the work      exit 3
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line: done, findings or nothing found, usage, environment."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    ENVIRONMENT = 3


class KbError(Exception):
    """An expected failure.

    Attributes:
        title: what happened, one sentence without a full stop.
        hint: what the user can do next, one sentence; empty when there is nothing.
        exit_code: what the command line returns for it.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.title}. {self.hint}" if self.hint else f"{self.title}."


class UsageError(KbError):
    """The command, the option or the input text is not one this program understands."""

    exit_code = ExitCode.USAGE


class EnvironmentFault(KbError):
    """Something around the program is missing or refuses: a folder, a permission, git, the network."""

    exit_code = ExitCode.ENVIRONMENT


class LimitReached(KbError):
    """A deadline passed or a size cap was met before the work was done."""

    exit_code = ExitCode.ENVIRONMENT
