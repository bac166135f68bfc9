from __future__ import annotations

from pathlib import Path

import pytest

import kb_app.gitstore
from kb_app.errors import UsageError
from kb_app.gitstore.verbs import TABLE, Operands, arguments


def test_operands_always_stand_behind_a_separator() -> None:
    for verb, rule in TABLE.items():
        if rule.operands is Operands.PLAIN:
            words = arguments(verb, (), ("--upload-pack=x", "name"), ())
            assert words[words.index("--") + 1 :] == ["--upload-pack=x", "name"]
        elif rule.operands is Operands.REVISIONS:
            words = arguments(verb, (), ("HEAD",), ("--output=x",))
            assert words.index("--end-of-options") < words.index("HEAD") < words.index("--")
            assert words[-1] == "--output=x"


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        ("fetch", "--upload-pack=touch x"),
        ("clone", "--config=core.sshCommand=x"),
        ("clone", "-c"),
        ("clone", "--template=/x"),
        ("clone", "--filter=combine:x"),
        ("clone", "--branch=-x"),
        ("push", "--receive-pack=x"),
        ("push", "--force"),
        ("push", "--mirror"),
        ("push", "--push-option=a\nb"),
        ("fetch", "--prune"),
        ("log", "--output=x"),
        ("log", "--ext-diff"),
        ("diff-tree", "--textconv"),
        ("commit", "--amend"),
        ("read-tree", "--exec=x"),
    ],
)
def test_options_that_name_programs_files_or_rewrite_are_not_in_the_table(verb: str, option: str) -> None:
    with pytest.raises(UsageError):
        arguments(verb, (option,), (), ())


@pytest.mark.parametrize(
    "verb", ["grep", "archive", "submodule", "difftool", "reset", "gc", "--exec-path", ""]
)
def test_verbs_outside_the_table_are_refused(verb: str) -> None:
    with pytest.raises(UsageError):
        arguments(verb, (), (), ())


def test_a_revision_that_looks_like_an_option_and_a_nul_are_refused() -> None:
    with pytest.raises(UsageError):
        arguments("log", (), ("--output=x",), ())
    with pytest.raises(UsageError):
        arguments("fetch", (), ("a\x00b",), ())


def test_the_table_holds_nothing_that_is_not_used() -> None:
    folder = Path(kb_app.gitstore.__file__).parent
    source = "".join(file.read_text("utf-8") for file in folder.glob("*.py") if file.name != "verbs.py")
    for verb, rule in TABLE.items():
        assert f'"{verb}"' in source
        for option in (*rule.flags, *rule.values):
            assert f'"{option}' in source, (verb, option)
