"""The etcd entry against a real etcd: fill it to its quota, search the error, compact, defragment, disarm."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from content_lab import Lab, Shell, free_port, wait_until

pytestmark = [
    pytest.mark.content,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell"),
    pytest.mark.skipif(
        shutil.which("etcd") is None or shutil.which("etcdctl") is None,
        reason="etcd and etcdctl are not installed",
    ),
]


class Etcd:
    """A cluster of one on loopback with a small quota."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{free_port()}"
        peer = f"http://127.0.0.1:{free_port()}"
        self.folder = folder
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [
                "etcd", "--data-dir", str(folder / "data"), "--quota-backend-bytes", str(2 * 1024 * 1024),
                "--listen-client-urls", self.endpoint, "--advertise-client-urls", self.endpoint,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", f"default={peer}",
            ],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def run(self, command: Shell | str, *, text: str = "") -> str:
        done = subprocess.run(
            ["bash", "-c", command if isinstance(command, str) else command.text],
            cwd=self.folder, input=text, timeout=60, check=False, text=True,
            env={**os.environ, "ETCDCTL_API": "3"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout.strip()

    def put(self) -> str:
        value = base64.b64encode(os.urandom(50_000)).decode()
        return self.run(f"etcdctl --endpoints={self.endpoint} put key", text=value)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=20)
        self._log.close()


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    server = Etcd(tmp_path)
    try:
        health = f"etcdctl --endpoints={server.endpoint} endpoint health"
        wait_until(lambda: "is healthy" in server.run(health), "etcd is healthy")
        yield server
    finally:
        server.stop()


def test_space_exceeded_is_found_and_the_steps_make_room(etcd: Etcd, lab: Lab) -> None:
    name = "k8s-etcd-space-exceeded"
    printed = ""
    for _ in range(200):
        printed = etcd.put()
        if printed != "OK":
            break
    lab.assert_known(name, printed.splitlines()[-1])
    values = {
        "endpoint": etcd.endpoint,
        "member_endpoint": etcd.endpoint,
        "backup_file": str(etcd.folder / "backup.db"),
        "timeout": "30s",
    }
    alarms = lab.check(name, "fix", 5, values)
    assert lab.has_signature(name, etcd.run(alarms))
    assert "saved" in etcd.run(lab.command(name, "fix", 1, values))
    if shutil.which("etcdutl"):
        assert "HASH" in etcd.run(lab.check(name, "fix", 1, values))
    status = etcd.run(lab.command(name, "fix", 2, values))
    values["revision"] = str(json.loads(status.splitlines()[-1])[0]["Status"]["header"]["revision"])
    assert f"compacted revision {values['revision']}" in etcd.run(lab.command(name, "fix", 3, values))
    assert "Finished defragmenting" in etcd.run(lab.command(name, "fix", 4, values))
    assert "DB SIZE" in etcd.run(lab.check(name, "fix", 4, values))
    assert "NOSPACE" in etcd.run(lab.command(name, "fix", 5, values))
    assert etcd.run(alarms) == ""
    assert etcd.put() == "OK"
