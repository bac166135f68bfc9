"""Every kubectl command of the content is understood by kubectl: it gets as far as looking for a server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from kb_app.entries.model import Entry

pytestmark = [
    pytest.mark.content,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
]

CODE_SPAN = re.compile(r"`(kubectl [^`]+)`")
CODE_LINE = re.compile(r"^\s*(kubectl [^\n]+)$", re.MULTILINE)
PLACEHOLDER = re.compile(r"<([a-z_]+)>")
VALUES = {
    "replicas": "3", "revision": "2", "good_revision": "2", "old_min_available": "1", "percent": "75",
    "limit": "1Gi", "request": "1Gi", "memory": "1Gi",
    "cpu": "1", "size": "1Gi", "variable": "NAME", "label_key": "app", "image": "registry.test/app:1",
}  # fmt: skip
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: closed, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: closed, context: {cluster: closed, user: nobody}}]
users: [{name: nobody, user: {}}]
current-context: closed
"""


def commands(text: str) -> list[str]:
    """Return the kubectl commands of a page that say more than their verb."""
    found = [*CODE_SPAN.findall(text), *CODE_LINE.findall(text)]
    return [command for command in dict.fromkeys(found) if len(command.split()) > 3]


def test_kubectl_understands_every_command(entries: Mapping[str, Entry], tmp_path: Path) -> None:
    config, manifest = tmp_path / "config", tmp_path / "manifest.yaml"
    config.write_text(KUBECONFIG)
    manifest.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    files = dict.fromkeys(("manifest", "old_manifest", "config_file"), str(manifest)) | {
        "kubeconfig": str(config)
    }
    values = VALUES | files
    environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(config), "HOME": str(tmp_path)}
    seen: dict[str, str] = {}
    for path, entry in entries.items():
        if entry.product != "kubernetes":
            continue
        for command in commands(entry.text):
            text = PLACEHOLDER.sub(lambda match: values.get(match.group(1), "name"), command)
            text = re.sub(r"--server=\S+", "--server=http://127.0.0.1:1", text).split(" | ")[0]
            done = subprocess.run(
                ["bash", "-c", text], capture_output=True, text=True, timeout=60, check=False,
                env=environment,
            )  # fmt: skip
            printed = done.stdout + done.stderr
            if "refused" not in printed:
                seen[f"{path}: {text}"] = printed.strip()[:200]
    assert seen == {}
