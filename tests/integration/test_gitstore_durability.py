"""The order of writes that a power cut cannot break, as the system sees it: content, flush, name, folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, make_runner, test_environment, tmp_path

from kb_app.gitstore.clones import CloneArea

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False

CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, {fixtures!r})
    from gitstore_remotes import make_runner
    from kb_app.gitstore.clones import CloneArea
    from kb_app.gitstore.commits import FileEdit
    from kb_app.gitstore.proposals import Draft, ProposalQueue
    base = Path({tmp_path!r})
    queue = ProposalQueue(base / "proposals", CloneArea(base / "clones", make_runner(base)))
    assert queue.propose("kb", Draft("x", (FileEdit("new.md", b"text"),))).is_ok
""")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows the order of system calls")
def test_a_proposal_is_flushed_before_it_is_named_and_named_before_it_is_acknowledged(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
    assert area.clone(remote.address, "kb").is_ok
    log = tmp_path / "calls"
    code = CHILD.format(fixtures=str(Path(__file__).parents[1] / "fixtures"), tmp_path=str(tmp_path))
    traced = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat"
    done = subprocess.run(
        ["strace", "-f", "-y", "-qq", "-e", traced, "-o", str(log), sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
        timeout=60,
    )
    if b"ptrace" in done.stderr or b"PTRACE" in done.stderr:
        pytest.skip("this system lets nobody trace")
    assert done.returncode == 0, done.stderr
    calls = log.read_text().splitlines()

    def first(pattern: str, after: int = -1) -> int:
        return next(i for i, call in enumerate(calls) if i > after and re.search(pattern, call))

    root = re.escape(str(area.root(area.get("kb"))))
    refs = rf"{root}/\.git/refs/heads/proposal"
    named = first(rf"rename.*{refs}/[^\"]*\.lock\".*{refs}")
    objects = [i for i, call in enumerate(calls) if re.search(rf"fsync\(\d+<{root}/\.git/objects/", call)]
    assert len(objects) >= 3  # the text, its folder, the commit
    assert max(objects) < named
    assert first(rf"fsync\(\d+<{refs}/[^>]*\.lock>") < named
    assert first(rf"fsync\(\d+<{refs}>", named)
    queue = re.escape(str(tmp_path / "proposals"))
    saved = first(rf"rename.*{queue}/queue\.json\"")
    assert saved < named  # the drafted text is safe before git is asked
    assert first(rf"fsync\(\d+<{queue}/\.queue\.json[^>]*>") < saved
    assert first(rf"fsync\(\d+<{queue}>", saved)
    acknowledged = first(rf"rename.*{queue}/queue\.json\"", named)
    assert first(rf"fsync\(\d+<{queue}>", acknowledged)
