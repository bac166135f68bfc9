"""Correcting an event: which of its values can be edited, and the new data from what was typed (no Qt)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.incidents.events import EVENT_FIELDS, Event, EventType, format_time, parse_time

MAX_OPTIONAL = 7
"""Of an event with more fields than that, only those that hold something are offered."""


class ValueKind(StrEnum):
    """How a value is typed."""

    TEXT = "text"
    NUMBER = "number"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Editable:
    """One value of an event that can be edited.

    Attributes:
        name: its member.
        label: its name and meaning for people.
        value: as it stands, as text.
        kind: how it is typed.
        is_required: it may not be emptied.
    """

    name: str
    label: str
    value: str
    kind: ValueKind
    is_required: bool


def can_correct(event: Event) -> bool:
    """Tell whether an event can be corrected: not a correction, not a seal, not of a newer version."""
    return event.type in set(EventType) and event.type not in (EventType.CORRECT, EventType.SEAL)


def editables(event: Event) -> tuple[Editable, ...]:
    """Return what can be edited of an event; inputs of a decision and the like stay as they are."""
    fields = EVENT_FIELDS[EventType(event.type)]
    offers_all = len(fields) <= MAX_OPTIONAL
    found = []
    for field in fields:
        value = event.data.get(field.name)
        kind = _kind(value)
        if kind is None or (value is None and not field.is_required and not offers_all):
            continue
        label = f"{field.name.replace('_', ' ')}: {field.help}"
        found.append(Editable(field.name, label, _as_text(value), kind, field.is_required))
    return tuple(found)


def _kind(value: object) -> ValueKind | None:
    if value is None or isinstance(value, str):
        return ValueKind.TEXT
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return ValueKind.NUMBER
    is_texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return ValueKind.LIST if is_texts else None


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def corrected_data(event: Event, fields: Sequence[Editable], typed: Mapping[str, str]) -> dict[str, object]:
    """Return the new data, whole: what was not offered stays.

    Raises:
        ValueError: when a number is none; the message is a sentence.
    """
    data = dict(event.data)
    for field in fields:
        text = typed.get(field.name, field.value).strip()
        if text == field.value.strip():
            continue
        if not text:
            data.pop(field.name, None)
        elif field.kind is ValueKind.LIST:
            data[field.name] = [part.strip() for part in text.split(",") if part.strip()]
        elif field.kind is ValueKind.NUMBER:
            data[field.name] = _number(field.name, text)
        else:
            data[field.name] = text
    return data


def _number(name: str, text: str) -> int | float:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise ValueError(f"{name} is a number, “{text}” is none") from error


def time_text(at: dt.datetime) -> str:
    """Return a time as it is typed: ``2025-06-01 02:11:09``, UTC."""
    return format_time(at).replace("T", " ").removesuffix("Z")


def parse_typed_time(text: str, before: dt.datetime) -> dt.datetime | None:
    """Return the time that was typed (UTC); None when it is the one before.

    Raises:
        ValueError: when it is no time; the message is a sentence.
    """
    words = text.strip().removesuffix("Z").replace("T", " ").strip()
    if len(words) == len("2025-06-01 02:11"):
        words += ":00"
    at = parse_time(f"{words.replace(' ', 'T')}Z")
    if at is None:
        raise ValueError("Write the time as 2025-06-01 02:11:09 (UTC)")
    return None if at == before.replace(microsecond=0) else at
