"""``kb list``, ``kb add``, ``kb remove``: which knowledge bases are searched."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.errors import ExitCode, KbError
from kb_app.settings import ConfiguredBase, save_settings
from kb_app.workspace.bases import configured_for, open_workspace
from kb_app.workspace.layers import ROLE_WORDS, LayerRole, rows_of
from kb_app.workspace.sharing import clone_base, is_address, remove_clone


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    add("list", list_bases, "Show the knowledge bases.")
    verb = add(
        "add", add_base, "Add a folder of Markdown (nothing in it is changed), or a copy of a Git URL."
    )
    verb.add_argument("location", metavar="URL|PATH", help="the folder, or the address to copy from")
    verb.add_argument("--name", default="", help="name to show (default: its kb.yml's, else the folder's)")
    verb.add_argument(
        "--overlay", action="store_true", help="your own copies of entries of the others go there"
    )
    verb = add("remove", remove_base, "Forget a knowledge base; its folder stays as it is.")
    verb.add_argument("name", help="its name, as 'kb list' shows it")


def list_bases(context: Context) -> int:
    """List the configured knowledge bases, or the bundled one."""
    workspace = open_workspace((), context.folders, context.settings())
    roles = rows_of(workspace.bases, context.folders, workspace.settings)
    rows = [
        {
            "name": name,
            "location": workspace.base(name).root.as_posix(),
            "description": workspace.base(name).config.description,
            "state": "open",
            "layer": role.value,
        }
        for name, role in roles.items()
    ] + [
        {"name": b.name, "location": b.location, "description": "", "state": b.title, "layer": ""}
        for b in workspace.unopened
    ]
    if context.wants_json:
        context.give(rows)
        return ExitCode.DONE
    for row in rows:
        words = ROLE_WORDS[LayerRole(row["layer"])] if row["layer"] else ""
        mark = "" if row["state"] == "open" else f"  ({row['state']})"
        context.say(f"{row['name']:<24} {words:<22} {row['location']}{mark}")
    return ExitCode.DONE


def add_base(context: Context) -> int:
    """Add a folder, or a copy of a Git URL, to the configured knowledge bases."""
    location, name = context.options.location, context.options.name
    settings = context.settings()
    if is_address(location):
        added = clone_base(context.folders, location, name, on_progress=context.progress)
        context.end_progress()
    else:
        added = configured_for(Path(location), context.folders)
        added = ConfiguredBase(name or added.name, added.location)
    if any(b.name == added.name and b.location != added.location for b in settings.knowledge_bases):
        raise KbError(f"There is a knowledge base {added.name!r} already", "Give another name with --name")
    changed = settings.with_base(added)
    if context.options.overlay:
        changed = replace(changed, overlay=added.name)
    save_settings(context.folders, changed)
    if context.wants_json:
        context.give(added)
    else:
        context.say(f"Added {added.name}: {added.location}")
    return ExitCode.DONE


def remove_base(context: Context) -> int:
    """Forget a configured knowledge base."""
    settings, name = context.settings(), context.options.name
    if not any(b.name == name for b in settings.knowledge_bases):
        names = ", ".join(b.name for b in settings.knowledge_bases) or "none"
        raise KbError(f"No knowledge base is called {name!r}", f"Configured ones: {names}")
    save_settings(context.folders, settings.without_base(name))
    (location,) = (b.location for b in settings.knowledge_bases if b.name == name)
    was_copy = remove_clone(context.folders, Path(location))
    if context.wants_json:
        context.give({"removed": name, "copy_deleted": was_copy})
    else:
        context.say(f"Forgot {name}; " + ("its copy is deleted" if was_copy else "its folder is untouched"))
    return ExitCode.DONE
