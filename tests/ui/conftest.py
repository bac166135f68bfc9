"""What every test of widgets gets."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_collection_while_painting() -> Iterator[None]:
    """Let the garbage collector rest during a test.

    A widget that only a test's local variable holds is garbage as soon as the test returns, but it still
    paints until it is closed; collecting it in the middle of its own paint ends the process.
    """
    gc.disable()
    yield
    gc.enable()
