"""``kb doctor``: what to look at, and to send along, when something is wrong."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kb_app import __version__
from kb_app.cli.context import Context
from kb_app.errors import ExitCode, KbError
from kb_app.paths import app_folders
from kb_app.programs import clean_environment, find_program
from kb_app.resources import content_folder
from kb_app.search.model import SearchRequest
from kb_app.settings import Settings
from kb_app.workspace.bases import Workspace, open_base
from kb_app.workspace.finding import find

PACKAGES = ("PySide6-Essentials", "shiboken6", "whoosh3", "Markdown", "GitPython", "nh3", "Pygments", "numpy")
GIT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report: what was looked at, whether it is well, what was seen."""

    name: str
    is_well: bool
    seen: str


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    add("doctor", doctor, "Check the installation; its output is what to send with a bug report.")


def doctor(context: Context) -> int:
    """Print versions, folders, git, indexes and a self-test."""
    checks = [*_versions(), _git(), *_folders(), *_bases(context), _self_test()]
    if context.wants_json:
        context.give({"checks": checks, "is_well": all(c.is_well for c in checks)})
    else:
        for check in checks:
            context.say(f"{'ok ' if check.is_well else 'BAD'} {check.name:<22} {check.seen}")
    return ExitCode.DONE if all(c.is_well for c in checks) else ExitCode.ENVIRONMENT


def _versions() -> list[Check]:
    rows = [
        Check("kb_app", is_well=True, seen=__version__),
        Check("Python", is_well=True, seen=f"{sys.version.split()[0]} on {platform.platform()}"),
    ]
    for name in PACKAGES:
        try:
            rows.append(Check(name, is_well=True, seen=metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append(Check(name, is_well=bool(getattr(sys, "frozen", False)), seen="version not recorded"))
    return rows


def _git() -> Check:
    program = find_program("git")
    if program is None:
        return Check("git", is_well=True, seen="not found: reading and searching work, contributing does not")
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program and argument, no repository involved
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
            env=clean_environment(),
            cwd=tempfile.gettempdir(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check("git", is_well=False, seen=f"{program} does not run: {error}")
    version = done.stdout.strip()
    if not version.startswith("git version "):
        return Check("git", is_well=False, seen=f"{program} does not answer as git does: {version[:80]!r}")
    return Check("git", is_well=True, seen=f"{version} ({program})")


def _folders() -> list[Check]:
    folders = app_folders()
    rows = []
    for name in ("config", "cache", "data", "logs"):
        folder: Path = getattr(folders, name)
        existing = next(p for p in (folder, *folder.parents) if p.exists())
        is_well = os.access(existing, os.W_OK)
        rows.append(
            Check(f"folder {name}", is_well=is_well, seen=f"{folder}" + ("" if is_well else " (read-only)"))
        )
    return rows


def _bases(context: Context) -> list[Check]:
    try:
        workspace = context.workspace()
    except KbError as error:
        return [Check("knowledge bases", is_well=False, seen=str(error))]
    rows = [
        Check(f"base {b.name}", is_well=True, seen=f"{b.root} (index in {b.index_folder})")
        for b in workspace.bases
    ]
    return rows + [Check(f"base {b.name}", is_well=False, seen=b.title) for b in workspace.unopened]


def _self_test() -> Check:
    """Index the bundled content into a temporary folder and search it."""
    with tempfile.TemporaryDirectory(prefix="kb-doctor-") as home:
        folders = app_folders({"KB_APP_HOME": home})
        try:
            base = open_base(content_folder(), folders)
            answer = find(Workspace((base,), folders, Settings()), SearchRequest("too many clients"))
        except KbError as error:
            return Check("self-test", is_well=False, seen=str(error))
    return Check(
        "self-test",
        is_well=bool(answer.hits),
        seen=f"{answer.total} hits in the bundled content for 'too many clients'",
    )
