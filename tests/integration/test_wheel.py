import os
import subprocess
import sys
import zipfile
from pathlib import Path


def test_a_wheel_carries_content_and_resources_and_finds_them(root: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(root)]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "import kb_app.resources as r; print(r.content_folder(), r.resource('fonts'), sep='\\n')"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    ).stdout.split()
    assert all(Path(p).is_dir() and str(tmp_path / "site") in p for p in found)
    assert any(Path(found[0]).rglob("*.md"))
    licences = {p.name for p in (tmp_path / "site").rglob("*") if "LICENSE" in p.name.upper()}
    assert licences
