from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.paths import app_folders, private_folder, safe_join


def test_one_variable_moves_every_folder() -> None:
    folders = app_folders({"KB_APP_HOME": "/somewhere"})
    everything = (
        folders.config,
        folders.index,
        folders.drafts,
        folders.records,
        folders.clones,
        folders.logs,
    )
    assert all(Path("/somewhere") in f.parents for f in everything)


def test_without_it_the_platform_decides() -> None:
    assert "kb_app" in str(app_folders({}).config)


@pytest.mark.parametrize(
    "hostile",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "",
        "C:/x",
        "a\\..\\x",
        "//host/x",
        "a\x00b",
        "file:x",
        "a\u202eb",
        "a\u200cb",
    ],
)
def test_a_path_that_leads_out_or_hides_something_is_refused(tmp_path: Path, hostile: str) -> None:
    with pytest.raises(UsageError):
        safe_join(tmp_path, hostile)


def test_a_link_that_leads_out_is_refused_and_one_inside_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "kb", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    (root / "out").symlink_to(outside)
    (root / "in").symlink_to(root / "sub")
    assert safe_join(root, "in/page.md") == (root / "sub/page.md").resolve()
    with pytest.raises(UsageError):
        safe_join(root, "out/page.md")


@given(st.text(max_size=40))
def test_whatever_is_joined_stays_below_the_root(text: str) -> None:
    base = Path("/").resolve() / "usr"
    try:
        joined = safe_join(base, text)
    except UsageError:
        return
    assert joined == base.resolve() or base.resolve() in joined.parents


def test_a_folder_made_is_for_this_user_alone(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="KB_APP_HOME"):
        private_folder(tmp_path / "file" / "sub")
