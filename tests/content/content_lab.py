"""What the tests of the starter content share: an entry's steps as text to run, and a search over it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kb_app.entries.commands import command_language, fill, placeholders_of
from kb_app.entries.model import Command, Entry, PathKind, Span, Step

CODE_SPAN = re.compile(r"`([^`]+)`")
SHELLS = ("bash", "sh")


@dataclass(frozen=True, slots=True)
class Shell:
    """A step's command, filled in, and the language it is written in."""

    language: str
    text: str

    @property
    def is_shell(self) -> bool:
        return self.language in SHELLS


@dataclass(frozen=True, slots=True)
class Lab:
    """The content to test with.

    Attributes:
        entries: by id.
        find: pastes a text into the search and gives the id of the first hit.
        found: ids of entries whose failure a real server printed and the search found first.
        used: ids of entries whose own commands were taken to be run.
    """

    entries: Mapping[str, Entry]
    find: Callable[[str], str]
    found: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def has_signature(self, entry_id: str, printed: str) -> bool:
        """Tell whether a printed text holds one of the entry's own signatures."""
        for signature in self.entries[entry_id].signatures:
            if len(signature) > 2 and signature.startswith("/") and signature.endswith("/"):
                if re.search(signature[1:-1], printed):
                    return True
            elif signature in printed:
                return True
        return False

    def assert_known(self, entry_id: str, printed: str) -> None:
        """Check that the text a server printed holds the entry's signature and finds the entry first."""
        assert self.has_signature(entry_id, printed), f"{entry_id} has no signature for {printed!r}"
        found = self.find(printed)
        assert found == entry_id, f"{printed!r} finds {found} first, not {entry_id}"
        self.found.add(entry_id)

    def steps(self, entry_id: str, kind: str, *, which: int = 0) -> tuple[Step, ...]:
        paths = [p for p in self.entries[entry_id].paths if p.kind is PathKind(kind) and not p.is_none]
        return paths[which].steps

    def command(
        self,
        entry_id: str,
        kind: str,
        number: int,
        values: Mapping[str, str] | None = None,
        *,
        which: int = 0,
    ) -> Shell:
        """Return the one command of a step, filled in."""
        step = self.steps(entry_id, kind, which=which)[number - 1]
        assert len(step.commands) == 1, f"{entry_id}: step {number} of its {kind} has not one command"
        self.used.add(entry_id)
        return _filled(step.commands[0], values or {})

    def check(
        self,
        entry_id: str,
        kind: str,
        number: int,
        values: Mapping[str, str] | None = None,
        *,
        which: int = 0,
        attribute: str = "verify",
    ) -> Shell:
        """Return the first command in a step's Verify (or other) line, filled in."""
        text = getattr(self.steps(entry_id, kind, which=which)[number - 1], attribute)
        found = CODE_SPAN.search(text)
        assert found, f"{entry_id}: step {number} of its {kind} has no command in {attribute}"
        language = command_language(found.group(1)) or ""
        placeholders = placeholders_of(found.group(1), language)
        return _filled(Command(found.group(1), language, Span(1, 1), placeholders=placeholders), values or {})


def fenced(entry: Entry, language: str) -> list[str]:
    """Return the code blocks of one language, without the indentation of the step they belong to."""
    blocks = re.findall(rf"^([ ]*)```{language}\n(.*?)^\1```", entry.text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE).strip() for indent, block in blocks]


def code_spans(entry: Entry) -> list[str]:
    """Return what stands between back-ticks in running text."""
    return CODE_SPAN.findall(re.sub(r"```.*?```", "", entry.text, flags=re.DOTALL))


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its ``<name>`` placeholders filled in, ``name`` for what is not listed."""
    return re.sub(r"<([a-z_]+)>", lambda match: values.get(match.group(1), "name"), text)


def _filled(command: Command, values: Mapping[str, str]) -> Shell:
    text = fill(command, {name.replace("_", "-"): value for name, value in values.items()})
    still_open = [p.raw for p in placeholders_of(text, command.language) if p.raw.startswith("<")]
    assert not still_open, f"not filled in: {still_open} in {text!r}"
    return Shell(command.language, text)


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until a condition holds, at most ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)
