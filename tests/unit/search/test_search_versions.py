"""Versions in texts, and whether an entry is about them."""

import doctest

import pytest

from kb_app.search import versions
from kb_app.search.versions import Fit, version_fit, version_named


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(versions).failed == 0


@pytest.mark.parametrize(
    ("text", "product", "version"),
    [
        ("PostgreSQL 16.2 on x86_64-pc-linux-gnu", "postgresql", "16.2"),
        ("starting PostgreSQL 15 server", "postgresql", "15"),
        ("psql (14.11)", "postgresql", "14.11"),
        ("redis_version:7.0.5", "redis", "7.0.5"),
        ("Redis version=7.2.4, bits=64", "redis", "7.2.4"),
        ("server: nginx/1.25.3", "nginx", "1.25.3"),
        ("kubelet v1.29.2", "kubernetes", "1.29.2"),
        ("postgres[4711]: FATAL", "postgresql", ""),
        ("redis:6379 refused", "redis", ""),
        ("pg_wal/xlogtemp.4711", "postgresql", ""),
        ("nothing here 3.4", "nginx", ""),
        ("anything 1.2", "", ""),
    ],
)
def test_a_version_counts_only_behind_its_product(text: str, product: str, version: str) -> None:
    assert version_named(text, product) == version


@pytest.mark.parametrize(
    ("affected", "fixed_in", "version", "fit"),
    [
        ((">=13 <17",), "", "16.2", Fit.FITS),
        ((">=13 <17",), "", "17.0", Fit.OUTSIDE),
        ((">=13", "<17"), "", "12", Fit.OUTSIDE),
        (("<=16",), "", "16.9", Fit.FITS),
        (("13-15",), "", "14.2", Fit.FITS),
        (("4.12, 4.13",), "", "4.13.9", Fit.FITS),
        (("4.12",), "", "4.14", Fit.OUTSIDE),
        ((">=13",), "17.1", "17.1", Fit.FIXED),
        ((">=13",), "17.1", "17.0", Fit.FITS),
        ((), "17.1, 16.5", "16.6", Fit.FIXED),
        ((), "17.1, 16.5", "16.4", Fit.FITS),
        ((">=13",), "", "", Fit.UNKNOWN),
        (("all of them",), "", "9.1", Fit.UNKNOWN),
        ((), "", "9.1", Fit.NONE),
    ],
)
def test_fit(affected: tuple[str, ...], fixed_in: str, version: str, fit: Fit) -> None:
    assert version_fit(affected, fixed_in, version).fit is fit
