"""Canonical JSON: one spelling for one value.

Source: RFC 8785, JSON Canonicalization Scheme (JCS): members sorted by UTF-16 code units, no white space,
ECMAScript's spelling of numbers, the shortest escapes in strings, UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

MAX_SAFE_INTEGER = 2**53 - 1
"""Largest integer that every reader of JSON keeps exactly (RFC 8785, section 3.2.2.3)."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')


class NotCanonicalError(ValueError):
    """A value that has no canonical form, or a text that is not JSON.

    Attributes:
        position: byte offset where it went wrong, or None when that is not known.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def canonical(value: object) -> bytes:
    """Return the canonical JSON of ``value`` as UTF-8.

    Args:
        value: mappings with text keys, sequences, texts, numbers, booleans and None.

    Raises:
        NotCanonicalError: for numbers that are not finite or not exact, unpaired surrogates, other types, or
            nesting too deep to write.
    """
    try:
        return "".join(_write(value)).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonicalError("a text holds half of a surrogate pair") from error
    except RecursionError as error:
        raise NotCanonicalError("the value is nested too deeply") from error


def _write(value: object) -> list[str]:
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str):
        return [_string(value)]
    if isinstance(value, int | float):
        return [_number(value)]
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        parts = ["["]
        for index, item in enumerate(value):
            parts += [","] if index else []
            parts += _write(item)
        return [*parts, "]"]
    raise NotCanonicalError(f"{type(value).__name__} is not JSON")


def _object(value: Mapping[object, object]) -> list[str]:
    names = []
    for name in value:
        if not isinstance(name, str):
            raise NotCanonicalError("the name of a member is not text")
        names.append(name)
    parts = ["{"]
    for index, name in enumerate(sorted(names, key=_utf16)):
        parts += [",", _string(name), ":"] if index else [_string(name), ":"]
        parts += _write(value[name])
    return [*parts, "}"]


def _utf16(name: str) -> bytes:
    # big-endian bytes compare as the code units do
    return name.encode("utf-16-be", "surrogatepass")


def _string(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"


def _number(value: float) -> str:
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise NotCanonicalError(f"{value} is too large to be exact")
        return str(value)
    if not math.isfinite(value):
        raise NotCanonicalError(f"{value} is not a JSON number")
    if value == 0:
        return "0"  # also for negative zero
    sign = "-" if value < 0 else ""
    # repr gives the shortest digits that read back, as ECMAScript asks; only the layout differs
    parts = Decimal(repr(abs(value))).as_tuple()
    exponent = int(parts.exponent)
    digits = "".join(map(str, parts.digits))
    point = len(digits) + exponent
    digits = digits.rstrip("0")
    return sign + _layout(digits, point)


def _layout(digits: str, point: int) -> str:
    """Return ``0.digits`` × 10^``point`` in the layout of ECMAScript's Number::toString."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


def parse(raw: bytes) -> object:
    """Return the value of a JSON text, strictly: UTF-8, no repeated members, no NaN.

    Raises:
        NotCanonicalError: with the byte offset where it went wrong, where that is known.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonicalError("it is not UTF-8", error.start) from error
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        position = len(text[: error.pos].encode("utf-8"))
        raise NotCanonicalError(f"it is not JSON: {error.msg}", position) from error
    except RecursionError as error:
        raise NotCanonicalError("it is nested too deeply") from error
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCanonicalError("a member is given twice")
    return members


def _integer(text: str) -> float:
    """Return a number without point and exponent; to JCS a number is a double, so large ones round."""
    number = int(text) if len(text) <= 17 else float(text)
    return number if abs(number) <= MAX_SAFE_INTEGER else float(number)


def _no_constant(name: str) -> object:
    raise NotCanonicalError(f"{name} is not a JSON number")
