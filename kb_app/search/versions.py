"""Versions: which of them a text names, and whether an entry is about that version.

Decision: a version counts only where the product's name stands right before it. A bare number in a log is a
port, a process or a count far more often.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Version = tuple[int, ...]

_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("postgres", "postgre", "pg", "psql", "libpq"),
    "kubernetes": ("k8s", "kubelet", "kube-apiserver", "kube-proxy", "kubectl", "kubeadm"),
    "redis": ("redis-server", "redis-cli"),
    "openshift": ("ocp", "openshift-install"),
    "elasticsearch": ("elastic",),
    "mongodb": ("mongod", "mongo"),
    "mysql": ("mysqld", "mysqladmin"),
}
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,5}){0,3}")
_BOUND = re.compile(r"(?P<sign>>=|<=|==|=|>|<|\u2265|\u2264)\s*v?(?P<number>\d{1,4}(?:\.\d{1,5}){0,3})")
_SPAN = re.compile(
    r"(?<![\d.])v?(?P<low>\d{1,4}(?:\.\d{1,5}){0,3})\s*(?:-|\u2013|to|until)\s*"
    r"v?(?P<high>\d{1,4}(?:\.\d{1,5}){0,3})(?![\d.])"
)
_BARE = re.compile(r"(?<![\d.<>=\u2264\u2265])v?(?P<number>\d{1,4}(?:\.\d{1,5}){0,3})(?:\.[xX*])?(?![\d.])")
_SIGNS = {"\u2265": ">=", "\u2264": "<=", "==": "="}


class Fit(StrEnum):
    """Whether an entry is about the version asked for."""

    FITS = "fits"
    FIXED = "fixed"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"
    NONE = ""


@dataclass(frozen=True, slots=True)
class VersionFit:
    """How an entry's versions and those of a question go together, and that in a few words."""

    fit: Fit = Fit.NONE
    words: str = ""


def version_named(text: str, product: str) -> str:
    """Return the version of ``product`` that ``text`` names first, or an empty text.

    >>> version_named("PostgreSQL 16.2 on x86_64", "postgresql"), version_named("nginx/1.25.3", "nginx")
    ('16.2', '1.25.3')
    >>> version_named("postgres[4711]: redis on port 6379", "postgresql")
    ''
    """
    match = _pattern(product.casefold()).search(text) if product else None
    return match["number"] if match else ""


@lru_cache(maxsize=256)
def _pattern(product: str) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in (product, *_ALSO_CALLED.get(product, ())))
    return re.compile(
        rf"(?<![\w-])(?:{names})(?:[ _-]?(?:server|client|operator|enterprise|community))?"
        r"(?:[ \t]{0,3}[/:=(\"'_-]?[ \t]{0,2}(?:version|release|ver|v)?[ \t]{0,2}[:=\"'_]?[ \t]{0,2})"
        r"v?(?P<number>\d{1,3}\.\d{1,5}(?:\.\d{1,5}){0,2}|\d{1,2})(?![\w.]*\w)",
        re.IGNORECASE,
    )


def version_fit(affected: Sequence[str], fixed_in: str, version: str) -> VersionFit:
    """Return whether an entry about versions ``affected``, solved in ``fixed_in``, is about ``version``.

    >>> version_fit((">=13 <17",), "", "16.2").words
    'fits 16.2'
    >>> version_fit((">=13",), "17.1", "17.4")
    VersionFit(fit=<Fit.FIXED: 'fixed'>, words='fixed in 17.1')
    >>> version_fit((">=13",), "", "").words
    'affects >=13'
    """
    said = " ".join(affected).strip()
    if not said and not _NUMBER.search(fixed_in):
        return VersionFit()
    if not version:
        return VersionFit(Fit.UNKNOWN, f"affects {said}" if said else f"fixed in {fixed_in}")
    number = _read(version)
    if solved := _fixed_by(number, fixed_in):
        return VersionFit(Fit.FIXED, f"fixed in {solved}")
    is_affected = _is_affected(number, said)
    if is_affected is None:
        return VersionFit(Fit.UNKNOWN, f"affects {said}")
    if not is_affected:
        return VersionFit(Fit.OUTSIDE, f"affects {said}, not {version}")
    return VersionFit(Fit.FITS, f"fits {version}")


def _read(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def _fixed_by(number: Version, fixed_in: str) -> str:
    """Return the release that solved the problem for ``number``; releases of its own line count first."""
    releases = [match.group() for match in _NUMBER.finditer(fixed_in)]
    own_line = [r for r in releases if _read(r)[0] == number[0]]
    for release in own_line or releases:
        known = _read(release)
        if number[: len(known)] >= known and len(number) >= min(len(known), 2):
            return release
    return ""


def _is_affected(number: Version, said: str) -> bool | None:
    """Tell whether ``number`` lies in what was said; None when nothing can be read in it."""
    if not said:
        return True
    bounds = [(_SIGNS.get(m["sign"], m["sign"]), _read(m["number"])) for m in _BOUND.finditer(said)]
    if bounds:
        ordered = [bound for bound in bounds if bound[0] != "="]
        equal = any(sign == "=" and number[: len(limit)] == limit for sign, limit in bounds)
        return equal or (bool(ordered) and all(_holds(number, sign, limit) for sign, limit in ordered))
    spans = [(_read(m["low"]), _read(m["high"])) for m in _SPAN.finditer(said)]
    if spans:
        return any(_holds(number, ">=", low) and _holds(number, "<=", high) for low, high in spans)
    bare = [_read(m["number"]) for m in _BARE.finditer(said)]
    return any(number[: len(one)] == one for one in bare) if bare else None


def _holds(number: Version, sign: str, limit: Version) -> bool:
    """Compare as far as ``limit`` is written: 16.9 is not above "<=16"."""
    mine = (*number, *([0] * max(0, len(limit) - len(number))))[: len(limit)]
    if sign == ">=":
        return mine >= limit
    if sign == "<=":
        return mine <= limit
    return mine > limit if sign == ">" else mine < limit


_VERSION_IN_PATH = re.compile(r"v?\d{1,4}(?:[._-]\d{1,4})+|v\d{1,4}|(?<=[-_/])\d{1,3}(?=[-_/.]|$)")


def version_steps(first: str, second: str) -> list[tuple[str, str]]:
    """Return the versions in which two paths differ, as (first, second) pairs, each once.

    >>> version_steps("docs/4.12/etcd.md", "docs/4.14/etcd.md")
    [('4.12', '4.14')]
    """
    mine, others = _VERSION_IN_PATH.findall(first), _VERSION_IN_PATH.findall(second)
    if len(mine) != len(others):
        return []
    return list(dict.fromkeys((a, b) for a, b in zip(mine, others, strict=True) if a != b))
