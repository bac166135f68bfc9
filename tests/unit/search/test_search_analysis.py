import doctest

import pytest

from kb_app.search import analysis
from kb_app.search.analysis import fold, raw_tokens, split_token, words_of


def wholes_of(text: str) -> set[str]:
    return {whole for token in raw_tokens(fold(text)) for whole in split_token(token)[1]}


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(analysis).failed == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("KubePodCrashLooping", ["kube", "pod", "crash", "looping"]),
        ("KubeAPIErrorBudgetBurn", ["kube", "api", "error", "budget", "burn"]),
        ("kube_pod_status_phase", ["kube", "pod", "status", "phase"]),
        ("the node's disk", ["the", "node", "disk"]),
        ("run\u2011queue", ["run", "queue"]),
        ("na\u00efve caf\u00e9", ["naive", "cafe"]),
        ("zero\u200bwidth", ["zerowidth"]),
        ("\u78c1\u76d8\u7a7a\u95f4", ["\u78c1\u76d8", "\u76d8\u7a7a", "\u7a7a\u95f4"]),
        ("iSCSI", ["scsi"]),
        ("", []),
        ("--- | *** \U0001f600", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("550 5.7.133 refused.", "5.7.133"),
        ("use --dry-run first", "--dry-run"),
        ("on .NET hosts", ".net"),
        ("written in C++", "c++"),
        ("kube_pod_status_phase{}", "kube_pod_status_phase"),
        ("iSCSI target", "iscsi"),
        ("KubePodCrashLooping", "kubepodcrashlooping"),
    ],
)
def test_whole_tokens_keep_their_symbols(text: str, whole: str) -> None:
    assert whole in wholes_of(text)
