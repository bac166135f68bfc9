"""Frozen dataclasses to JSON-ready values and back.

One codec serves worker messages, settings and ``--json`` output, so that a field is spelt once. Enumerations
travel as their values, dates as ISO 8601, tuples as lists, mappings as objects.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """Return ``value`` as dicts, lists, strings, numbers, booleans and None.

    Raises:
        TypeError: for a type that has no JSON form here.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(to_plain(k)): to_plain(v) for k, v in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [to_plain(v) for v in items]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_plain(kind: type[T], plain: object) -> T:
    """Return the ``kind`` that ``plain`` describes; unknown keys are ignored, absent ones take defaults.

    Raises:
        ValueError: when a required key is absent or a value does not fit its type.
    """
    return typing.cast("T", _read(kind, plain))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, plain: Any) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any or kind is object:
        return plain
    if origin in (typing.Union, types.UnionType):
        return _read_union(typing.get_args(kind), plain)
    if origin is tuple:
        return _read_tuple(typing.get_args(kind), plain)
    if origin is not None and issubclass(origin, Mapping):
        key, value = typing.get_args(kind)
        return {_read(key, k): _read(value, v) for k, v in _expect(dict, plain).items()}
    if origin in (list, frozenset, set):
        return origin(_read(typing.get_args(kind)[0], v) for v in _expect(list, plain))
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, _expect(dict, plain))
    return _read_scalar(kind, plain)


def _read_union(options: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and types.NoneType in options:
        return None
    for option in options:
        if option is types.NoneType:
            continue
        try:
            return _read(option, plain)
        except (ValueError, TypeError):
            continue
    raise ValueError(f"{plain!r} fits none of {options}")


def _read_tuple(options: tuple[Any, ...], plain: Any) -> tuple[Any, ...]:
    items = _expect(list, plain)
    if len(options) == 2 and options[1] is Ellipsis:
        return tuple(_read(options[0], v) for v in items)
    if len(options) != len(items):
        raise ValueError(f"expected {len(options)} items, got {len(items)}")
    return tuple(_read(o, v) for o, v in zip(options, items, strict=True))


def _read_dataclass(kind: Any, plain: dict[str, Any]) -> Any:
    hints, values = _hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.name in plain:
            values[field.name] = _read(hints[field.name], plain[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{kind.__name__} needs {field.name!r}")
    return kind(**values)


def _read_scalar(kind: Any, plain: Any) -> Any:
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(_expect(str, plain))
    if kind is dt.date:
        return dt.date.fromisoformat(_expect(str, plain))
    if kind is Path:
        return Path(_expect(str, plain))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if kind is types.NoneType and plain is None:
        return None
    if kind is int and isinstance(plain, bool):
        raise ValueError("expected a number, got a boolean")
    return _expect(kind, plain)


def _expect(kind: Any, plain: Any) -> Any:
    if not isinstance(plain, kind):
        raise ValueError(f"expected {kind.__name__}, got {type(plain).__name__}")  # noqa: TRY004
    return plain
