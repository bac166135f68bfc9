import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import kb_app

CORE = ("entries", "decision", "search", "rendering", "gitstore", "incidents", "workspace", "cli")


def modules_of(package: str) -> list[str]:
    folder = Path(kb_app.__file__).parent / package
    return [m.name for m in pkgutil.walk_packages([str(folder)], prefix=f"kb_app.{package}.")]


def test_the_map_at_the_door_names_every_package_and_nothing_else() -> None:
    folder = Path(kb_app.__file__).parent
    there = {
        p.stem for p in folder.iterdir() if (p.is_dir() and (p / "__init__.py").exists()) or p.suffix == ".py"
    }
    rows = re.findall(r"^(``.*?)  ", kb_app.__doc__ or "", re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"``(\w+)``", row)}
    assert named == there - {"__init__"}


def test_the_core_runs_where_there_is_no_qt() -> None:
    names = [m for package in CORE for m in modules_of(package)]
    code = (
        "import importlib, json, sys\n"
        "class NoQt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('PySide6', 'shiboken6'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, NoQt())\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not [m for m in json.loads(done.stdout) if m.startswith("PySide6")]


def test_names_that_say_nothing_are_not_used() -> None:
    folder = Path(kb_app.__file__).parent
    vague = {"utils", "util", "helpers", "helper", "misc", "manager", "common_utils"}
    assert not [p for p in folder.rglob("*") if p.stem in vague]


def test_the_project_speaks_of_itself_alone(root: Path) -> None:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return
    forbidden = re.compile(
        r"/work/(main|shared|scratch|\.library)|/opt/pypi|\bclaude|\banthropic|\bsubagent", re.IGNORECASE
    )
    texts = [
        root / name
        for name in done.stdout.split("\0")
        if name.endswith((".py", ".md", ".toml", ".txt", ".yml"))
    ]
    guilty = [
        p.relative_to(root).as_posix()
        for p in texts
        if p.is_file()
        and p != Path(__file__)
        and forbidden.search(p.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not guilty
