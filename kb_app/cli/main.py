"""Parsing and dispatch; expected errors become one sentence and an exit code, never a traceback."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from kb_app import __version__
from kb_app.cli import bases, contributing, deciding, doctor, entries, finding, records
from kb_app.cli.context import Context, standard_streams
from kb_app.errors import ExitCode, KbError
from kb_app.logs import start_logging
from kb_app.paths import app_folders

_log = logging.getLogger(__name__)

Command = Callable[[Context], int]


class _Parser(argparse.ArgumentParser):
    """Argparse with the project's form of an error: one sentence, one hint."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and leave with the usage exit code."""
        sentence = message[:1].upper() + message[1:]
        sys.stderr.write(f"kb: {sentence}. Type '{self.prog} --help'.\n")
        raise SystemExit(int(ExitCode.USAGE))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; ``command`` in its result is the function to run."""
    top = _Parser(
        prog="kb", description="Find the entry, mitigate, fix forward.", parents=[_globals(top=True)]
    )
    top.add_argument("--version", action="version", version=f"kb_app {__version__}")
    verbs = top.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    def add(name: str, command: Command, help_text: str) -> argparse.ArgumentParser:
        verb: argparse.ArgumentParser = verbs.add_parser(
            name, help=help_text, description=help_text, parents=[_globals(top=False)]
        )
        verb.set_defaults(command=command)
        return verb

    for module in (finding, entries, bases, contributing, deciding, records, doctor):
        module.register(add)
    return top


def _globals(*, top: bool) -> _Parser:
    """Return the global options; they are taken before and after the verb."""
    options = _Parser(add_help=False)
    default = None if top else argparse.SUPPRESS
    options.add_argument(
        "--kb",
        action=_Collect,
        metavar="PATH|NAME",
        default=default,
        help="knowledge base, repeatable (default: the configured ones, else the bundled content)",
    )
    options.add_argument(
        "--json",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="one JSON document on standard output",
    )
    return options


class _Collect(argparse.Action):
    """Collect a repeatable option given before and after the verb into one list."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's signature
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002 - argparse's signature
    ) -> None:
        collected = list(getattr(namespace, self.dest, None) or [])
        setattr(namespace, self.dest, [*collected, values])


def main(words: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    source, out, err = standard_streams()
    folders = app_folders()
    try:
        options = parser().parse_args(list(words))
        start_logging(folders.logs, process="command-line")
        code = int(options.command(Context(options, folders, out, err, source)))
        out.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(ExitCode.USAGE)
    except KbError as error:
        err.write(f"kb: {error}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        err.write("kb: stopped.\n")
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough, as with `kb list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except Exception:  # noqa: BLE001 - the last resort of the program: a sentence now, the trace in the log
        _log.exception("a command failed")
        err.write(
            f"kb: Something unexpected went wrong. The log in {folders.logs} says what; send it along.\n"
        )
        return int(ExitCode.ENVIRONMENT)
    return code
