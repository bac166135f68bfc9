from __future__ import annotations

from kb_app.gitstore.trees import FolderCount, TreeFile, folder_counts, unpacked


def files(*paths: str) -> tuple[TreeFile, ...]:
    return tuple(TreeFile(path, "0" * 40, "100644", None) for path in paths)


def test_all_files_are_unpacked_when_no_folder_is_named() -> None:
    tree = files("a.md", "x/b.md")
    assert unpacked(tree, ()) == tree


def test_of_a_chosen_folder_come_its_files_and_those_beside_the_way_to_it() -> None:
    tree = files(
        "README.md", "docs/a.md", "docs/pay/b.md", "docs/pay/deep/c.md", "docs/other/d.md", "src/e.py"
    )
    found = [file.path for file in unpacked(tree, ("docs/pay",))]
    assert found == ["README.md", "docs/a.md", "docs/pay/b.md", "docs/pay/deep/c.md"]


def test_folders_are_counted_by_their_entries_the_largest_first() -> None:
    tree = files("a/1.md", "b/1.md", "b/2.md", "b/x.py", "c/x.py", "top.md")
    assert folder_counts(tree) == (
        FolderCount("b", 3, 2),
        FolderCount("a", 1, 1),
        FolderCount("c", 1, 0),
    )


def test_a_folder_that_holds_all_entries_is_entered() -> None:
    tree = files("docs/pay/1.md", "docs/pay/2.md", "docs/id/1.md", "src/x.py")
    assert [count.path for count in folder_counts(tree)] == ["docs/pay", "docs/id"]


def test_a_folder_without_folders_is_an_answer() -> None:
    assert [count.path for count in folder_counts(files("docs/1.md", "docs/2.md", "src/x.py"))] == [
        "docs",
        "src",
    ]
    assert folder_counts(files("1.md")) == ()
