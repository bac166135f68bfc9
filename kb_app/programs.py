"""Other programs: where they lie, and the environment they get.

A frozen build puts its own libraries on the loader's path; a program of the system that inherits it loads the
wrong ones. Variables of Git that happen to be set would point it at another repository.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "LIBPATH")


CERTIFICATE_VARIABLES = ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH")
"""The two variables of Git that are kept: where a company's own certificates lie. They name files to read."""


def find_program(name: str, environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the absolute path of a program on PATH, or None.

    Relative entries of PATH and the current folder are never searched: a file planted beside the documents
    must not run.
    """
    values = os.environ if environment is None else environment
    endings = values.get("PATHEXT", ".EXE").split(os.pathsep) if os.name == "nt" else [""]
    for folder in values.get("PATH", os.defpath).split(os.pathsep):
        if not folder or not Path(folder).is_absolute():
            continue
        for ending in endings:
            candidate = Path(folder) / (name + ending)
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return candidate
    return None


def clean_environment(
    environment: Mapping[str, str] | None = None, *, is_frozen: bool | None = None
) -> dict[str, str]:
    """Return the environment for a program of the system: the loader's path as it was, Git left to itself.

    Args:
        environment: the environment to start from; this process's when None.
        is_frozen: this is a frozen build; found out when None.
    """
    values = dict(os.environ if environment is None else environment)
    frozen = bool(getattr(sys, "frozen", False)) if is_frozen is None else is_frozen
    if frozen:
        for name in LOADER_VARIABLES:
            original = values.pop(f"{name}_ORIG", None)
            values.pop(name, None)
            if original is not None:
                values[name] = original
    for name in list(values):
        is_gits = name.startswith("GIT_") and name not in CERTIFICATE_VARIABLES
        if is_gits or name == "PYTHONPATH":
            del values[name]
    values["LC_ALL"] = "C.UTF-8"
    return values
