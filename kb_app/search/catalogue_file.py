"""The cards of a knowledge base as one file in its index folder: names are searchable before texts are.

One line per entry: its path as JSON, a tab, its card as JSON; the first line holds the format and a hash of
the rest. An update exchanges lines without reading the cards in them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from kb_app.durable import write_atomically
from kb_app.entries.model import EntryCard, Kind, State

CARDS = "cards.jsonl"
_VERSION = 1
_FIELDS = tuple(field.name for field in dataclasses.fields(EntryCard))
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode  # made once: half of the time


def card_line(card: EntryCard) -> bytes:
    """Return the line of a card, without its end."""
    return path_key(card.path) + b"\t" + card_json(card)


def path_key(path: str) -> bytes:
    """Return a path as it starts a line."""
    return _encode(path).encode()


def card_json(card: EntryCard) -> bytes:
    """Return a card as compact JSON."""
    # texts, tuples of texts, string enumerations and days: all of them JSON knows, but for the day
    plain = {name: getattr(card, name) for name in _FIELDS}
    return _encode(plain).encode()


def read_lines(folder: Path) -> dict[bytes, bytes] | None:
    """Return path key to line; None when there is no file or it is not what was written."""
    try:
        data = (folder / CARDS).read_bytes()
    except OSError:
        return None
    head, _, body = data.partition(b"\n")
    if head != _head(body):
        return None
    return {line.partition(b"\t")[0]: line for line in body.split(b"\n") if line}


def write_lines(folder: Path, lines: Mapping[bytes, bytes]) -> None:
    """Write the lines in the order of their paths, in place of those before.

    Raises:
        EnvironmentFault: when the file cannot be written.
    """
    body = b"\n".join(lines[key] for key in sorted(lines))
    write_atomically(folder / CARDS, _head(body) + b"\n" + body)


def _head(body: bytes) -> bytes:
    return f"{_VERSION} {hashlib.sha256(body).hexdigest()}".encode()


def load_cards(folder: Path) -> tuple[EntryCard, ...]:
    """Return the cards, sorted by path; empty when there are none yet or the file is not what was written."""
    lines = read_lines(folder) or {}
    try:
        cards = [_card(json.loads(line.partition(b"\t")[2])) for line in lines.values()]
    except (ValueError, TypeError, KeyError):
        return ()
    return tuple(sorted(cards, key=lambda card: card.path))


_LISTS = tuple(f.name for f in fields(EntryCard) if str(f.type).startswith("tuple"))


def _card(plain: dict[str, Any]) -> EntryCard:
    """Return the card of one line.

    Written out, because thousands are read at a time and the general codec takes ten times as long.
    """
    plain["kind"], plain["state"] = Kind(plain["kind"]), State(plain["state"])
    reviewed = plain.get("reviewed")
    plain["reviewed"] = dt.date.fromisoformat(reviewed) if reviewed else None
    for name in _LISTS:
        plain[name] = tuple(plain.get(name, ()))
    return EntryCard(**plain)
