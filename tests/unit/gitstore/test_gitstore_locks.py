"""One writer per clone: the lock ends with its holder, also while other threads start programs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kb_app.gitstore.locks import Busy, exclusive


def test_a_second_holder_is_told_at_once_and_may_come_after(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"), pytest.raises(Busy), exclusive(tmp_path / "lock"):
        pass
    with exclusive(tmp_path / "lock"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only systems with fork hand descriptors to a child")
def test_a_lock_that_was_left_is_free_though_a_child_has_a_copy_of_it(tmp_path: Path) -> None:
    ready, gone = os.pipe(), os.pipe()
    code = "import os, sys; os.write(int(sys.argv[1]), b'x'); os.read(int(sys.argv[2]), 1)"
    opened: list[int] = []
    real = os.open

    def remember(*arguments: object, **keywords: object) -> int:
        descriptor = real(*arguments, **keywords)  # type: ignore[arg-type]
        opened.append(descriptor)
        return descriptor

    os.open = remember  # type: ignore[assignment]
    try:
        with exclusive(tmp_path / "lock"):
            os.open = real
            child = subprocess.Popen(
                [sys.executable, "-S", "-c", code, str(ready[1]), str(gone[0])],
                pass_fds=(opened[-1], ready[1], gone[0]),
            )
            os.read(ready[0], 1)
        with exclusive(tmp_path / "lock"):  # the child still holds the descriptor
            pass
    finally:
        os.open = real
        os.write(gone[1], b"x")
        child.wait(10)
        for descriptor in (*ready, *gone):
            os.close(descriptor)


def test_threads_take_turns_while_others_start_programs(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def hold() -> None:
        for _ in range(20):
            with exclusive(tmp_path / "lock", patience_s=10):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most
    assert max(most) == 1
