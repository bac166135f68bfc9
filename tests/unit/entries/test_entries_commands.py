from __future__ import annotations

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb_app.entries.commands import (
    command_language,
    commands_of_block,
    commands_of_spans,
    fill,
    placeholder_name,
    placeholders_of,
    review_copy,
    without_prompts,
)
from kb_app.entries.destructive import is_destructive
from kb_app.entries.model import Command, Span
from kb_app.entries.quoting import quoted_value, shell_place
from kb_app.entries.suspicious import MAX_REPORTED, suspicious_characters
from kb_app.errors import UsageError


def block(text: str, language: str = "") -> list[tuple[str, str, int, int]]:
    found = commands_of_block(text.split("\n"), language, 10)
    return [(c.text, c.output, c.span.first_line, c.span.last_line) for c in found]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("$ ls\na\nb\n$ pwd", "console", [("ls", "a\nb", 10, 10), ("pwd", "", 13, 13)]),
        ("$ kubectl get \\\n  pods\nNAME", "sh", [("kubectl get \\\n  pods", "NAME", 10, 11)]),
        ("$ cat <<EOF\na\nEOF\nout", "sh", [("cat <<EOF\na\nEOF", "out", 10, 12)]),
        ("$ echo 'a\nb'\nout", "sh", [("echo 'a\nb'", "out", 10, 11)]),
        ("$ a |\n> b\nout", "sh", [("a |\nb", "out", 10, 11)]),
        ("$ for i in 1 2\ndone", "sh", [("for i in 1 2", "done", 10, 10)]),
        ("root@host:~# df -h\nFull", "", [("df -h", "Full", 10, 10)]),
        ("[root@x ~]# ls", "", [("ls", "", 10, 10)]),
        ("sh-4.4# ls\nx", "text", [("ls", "x", 10, 10)]),
        ("# systemctl restart nginx\nok", "", [("systemctl restart nginx", "ok", 10, 10)]),
        ("# tool process delete --name x", "bash", [("tool process delete --name x", "", 10, 10)]),
        ("# list first\nkubectl get pods", "bash", [("# list first\nkubectl get pods", "", 10, 11)]),
        ("# only a comment", "bash", []),
        (
            "db=# SELECT 1;\n 1\ndb=# SELECT\ndb-# 2;",
            "sql",
            [("SELECT 1;", " 1", 10, 10), ("SELECT\n2;", "", 12, 13)],
        ),
        ("mysql> SHOW TABLES;\n+--+", "", [("SHOW TABLES;", "+--+", 10, 10)]),
        ("127.0.0.1:6379> INFO\n# Server", "", [("INFO", "# Server", 10, 10)]),
        ("PS C:\\Users> Get-Item x", "powershell", [("Get-Item x", "", 10, 10)]),
        ("C:\\> dir", "cmd", [("dir", "", 10, 10)]),
        ("> Get-Item x\nout", "powershell", [("Get-Item x", "out", 10, 10)]),
        ("$ \nls", "sh", [("$ \nls", "", 10, 11)]),
        (
            "kubectl get pods\nNAME   READY\nx   1/1",
            "",
            [("kubectl get pods", "NAME   READY\nx   1/1", 10, 10)],
        ),
        ("SELECT 1", "sql", [("SELECT 1", "", 10, 10)]),
        ("apiVersion: v1", "yaml", [("apiVersion: v1", "", 10, 10)]),
        ("{}", "json", []),
        ("boom", "output", []),
        ("graph TD", "mermaid", []),
        ("Just text\nmore", "", []),
        ("", "sh", []),
        ("\n\nls -l\n\n", "", [("ls -l", "", 12, 12)]),
    ],
)
def test_prompts_commands_and_output_come_apart(
    text: str, language: str, expected: list[tuple[str, str, int, int]]
) -> None:
    assert block(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "copied"),
    [
        ("$ ls\na\n$ ps \\\n  -e\nout", "console", "ls\nps \\\n  -e"),
        ("db=# SELECT 1;\n 1", "sql", "SELECT 1;"),
        ("ls\nps", "sh", "ls\nps"),
        ("x: $ y", "yaml", "x: $ y"),
        ("$ x", "python", "$ x"),
    ],
)
def test_copying_a_block_leaves_prompts_and_output_out(text: str, language: str, copied: str) -> None:
    assert without_prompts(text, language) == copied


def test_the_language_is_told_by_the_prompt_or_the_words() -> None:
    def languages(text: str, language: str = "") -> list[str]:
        return [c.language for c in commands_of_block(text.split("\n"), language, 1)]

    assert languages("db=> SELECT 1;") == ["sql"]
    assert languages("PS C:\\> Get-Item") == ["powershell"]
    assert languages("C:\\> dir") == ["cmd"]
    assert languages("DROP TABLE x;") == ["sql"]
    assert languages("FLUSHALL ASYNC") == ["redis"]
    assert languages("$ ls", "console") == ["sh"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("kubectl get pods", "sh"),
        ("sudo -u postgres psql", "sh"),
        ("KUBECONFIG=x kubectl get", "sh"),
        ("./run.sh", "sh"),
        ("NAME=$(hostname)", "sh"),
        ("SELECT 1", "sql"),
        ("CONFIG SET maxmemory 1gb", "redis"),
        ("the pod", None),
        ("Gitaly", None),
    ],
)
def test_commands_are_known_by_their_first_word(text: str, language: str | None) -> None:
    assert command_language(text) == language


def test_code_spans_that_are_whole_commands_count() -> None:
    found = commands_of_spans(
        "Run `$ kubectl get pod <pod>`, see `pod`, `CREATE TABLE`, `DROP TABLE x;`, `a b`.", 7
    )
    assert [(c.text, c.language, c.span, c.is_destructive) for c in found] == [
        ("kubectl get pod <pod>", "sh", Span(7, 7), False),
        ("DROP TABLE x;", "sql", Span(7, 7), True),
    ]
    assert [p.name for p in found[0].placeholders] == ["pod"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("kubectl get pod <pod> -n <my-ns>", "", ["<pod>", "<my-ns>"]),
        ("a-<node>-b <pod name> <a/b>", "", ["<node>", "<pod name>", "<a/b>"]),
        ("echo <br> <none> </x> <https://x.y>", "", []),
        ("cat <in >out <<EOF", "", []),
        ("List<String> <T>", "java", []),
        ("echo $NODE ${POD} $HOME $1 $(x) \\$ESC", "", ["$NODE", "${POD}"]),
        ("echo ${pod-name} $lower", "", ["${pod-name}", "$lower"]),
        ("NODE=x; echo $NODE; for i in 1; do echo $i $item; done", "sh", ["$item"]),
        ("read -r POD; echo $POD", "sh", []),
        ("awk '{print $FIELD}' \"$NODE\"", "sh", ["$NODE"]),
        ("SELECT $NODE", "sql", []),
        ("x {{ .Name }} {{ $labels.pod }} {{x}}", "", ["{{ .Name }}", "{{ $labels.pod }}", "{{x}}"]),
        ("docker ps --format '{{.Names}}'", "", []),
        ("{{ range .x }}{{ end }}{{ . }}", "", []),
        ("chmod o+w [exported directory] [a-z] [ -f x ]", "", ["[exported directory]"]),
        ("ping x.x.x.x", "", ["x.x.x.x"]),
        ("<pod> <pod> $POD", "", ["<pod>", "$POD"]),
    ],
)
def test_placeholders_are_found(text: str, language: str, expected: list[str]) -> None:
    assert [p.raw for p in placeholders_of(text, language)] == expected


def test_names_that_earlier_commands_set_are_no_placeholders() -> None:
    assigned: set[str] = set()
    commands_of_block(["export NODE=$(pick)", "read -p 'x' ONE TWO"], "sh", 1, assigned=assigned)
    later = commands_of_block(["echo $NODE $ONE $TWO $THREE"], "sh", 5, assigned=assigned)
    assert [p.raw for p in later[0].placeholders] == ["$THREE"]


@pytest.mark.parametrize("written", ["POD_NAME", "pod name", "pod-name", "podName", "Pod-Name"])
def test_spellings_of_one_name_are_one(written: str) -> None:
    assert placeholder_name(written) == "pod-name"


def command(text: str, language: str = "sh") -> Command:
    return Command(text, language, Span(1, 1), placeholders=placeholders_of(text, language))


@pytest.mark.parametrize(
    ("text", "language", "values", "filled"),
    [
        ("get <pod> -n $NS", "sh", {"pod": "a-1", "ns": "b"}, "get a-1 -n b"),
        ("get <pod>", "sh", {"pod": "a b"}, "get 'a b'"),
        ("get pod/<pod>-x", "sh", {"pod": "it's"}, "get pod/'it'\"'\"'s'-x"),
        ('echo "x <pod> y"', "sh", {"pod": "a b"}, 'echo "x "\'a b\'" y"'),
        ("echo 'x <pod> y'", "sh", {"pod": "$(id)"}, "echo 'x ''$(id)'' y'"),
        ("get <pod>", "sh", {}, "get <pod>"),
        ("get <pod>", "sh", {"pod": ""}, "get <pod>"),
        ("get $NODE $NODE_NAME", "sh", {"node": "a"}, "get a $NODE_NAME"),
        ("SELECT '<slot>'", "sql", {"slot": "a b"}, "SELECT 'a b'"),
        ("Get-Item <x>", "powershell", {"x": "a b'c"}, "Get-Item 'a b''c'"),
        ("Get-Item '<x>'", "powershell", {"x": "a'b"}, "Get-Item 'a''b'"),
        ("Get-Item <x>", "powershell", {"x": "ab"}, "Get-Item ab"),
        ("dir <x>", "cmd", {"x": "a b"}, "dir a b"),
        ("# <pod> is\nget <pod>", "sh", {"pod": "a-1"}, "# a-1 is\nget a-1"),
    ],
)
def test_values_are_put_in_for_the_place_they_stand_in(
    text: str, language: str, values: dict[str, str], filled: str
) -> None:
    assert fill(command(text, language), values) == filled


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("get <pod>", "sh", "a\nb"),
        ("get <pod>", "sh", "a\x1b[2J"),
        ("get <pod>", "sh", "a\u202eb"),
        ("SELECT <pod>", "sql", "a\rb"),
        ("get <pod>", "sh", "--all"),
        ('get "<pod>"', "sh", "-A"),
        ("cat <<EOF\n<pod>\nEOF", "sh", "$(id)"),
        ("echo `get <pod>`", "sh", "a b"),
        ("echo $((1 + <pod>))", "sh", "a b"),
        ("# about <pod>", "sh", "a b"),
        ("dir <pod>", "cmd", "a & b"),
        ('Get-Item "<pod>"', "powershell", "a$b"),
        ("Get-Item <pod>", "powershell", "-Force"),
    ],
)
def test_values_that_could_change_the_command_are_refused(text: str, language: str, value: str) -> None:
    with pytest.raises(UsageError):
        fill(command(text, language), {"pod": value})


@pytest.mark.parametrize(
    ("before", "place"),
    [
        ("a ", ""),
        ("a 'b", "'"),
        ('a "b', '"'),
        ("a 'b' ", ""),
        ('a "b\\"c', '"'),
        ("a \\' ", ""),
        ('a "$(b ', ""),
        ('a "$(b "c', '"'),
        ('a "$(b "c" ) d', '"'),
        ("(a 'x') ", ""),
        ("a ) ", ""),
        ("a \"b ( '", '"'),
        ("a `b", "?"),
        ("a <<EOF\n", "?"),
        ("a <<< ", ""),
        ("a ${b} ", ""),
        ("a ${b:-", "?"),
        ("a $'", "?"),
        ("a # b", "?"),
        ("a # b\nc ", ""),
        ("a#b ", ""),
        ("a \\", "?"),
        ("a \\\\", ""),
    ],
)
def test_places_in_a_shell_command_are_told(before: str, place: str) -> None:
    assert shell_place(before) == place


FRAMES = [
    "printf '[%s]' <v>",
    "printf '[%s]' \"<v>\"",
    "printf '[%s]' '<v>'",
    "printf '[%s]' \"$(printf %s <v>)\"",
    'printf \'[%s]\' "$(printf %s "<v>")"',
    "printf '[%s]' \"$(printf %s '<v>')\"",
    "(printf '[%s]' <v>)",
    "true; # it's a comment\nprintf '[%s]' <v>",
    "printf '[%s]' \\\n <v>",
]


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FRAMES),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1, max_size=20),
)
@example(FRAMES[3], "$(touch x)`id`\"'\\")
@example(FRAMES[4], "';touch x;'\"")
def test_a_real_shell_sees_the_value_as_one_word(frame: str, value: str) -> None:
    try:
        text = fill(command(frame), {"v": value})
    except UsageError:
        return
    done = subprocess.run(["sh", "-c", text], capture_output=True, check=True)
    assert done.stdout.decode() == f"[{value}]"
    assert done.stderr == b""


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_control_and_format_characters_never_get_into_a_shell_command(before: str, value: str) -> None:
    try:
        filled = quoted_value(value, "sh", before)
    except UsageError:
        return
    assert not any(unicodedata.category(c) == "Cc" for c in filled)


@pytest.mark.parametrize(
    "text",
    [
        "kubectl delete pod x", "oc -n a adm drain n1", "kubectl rollout undo deploy/x",
        "kubectl scale --replicas=0 deploy/x", "docker rm -f x", "docker compose down",
        "systemctl restart nginx", "service nginx stop", "rm -rf /tmp/x", "sudo rm x",
        "find . -name x | xargs rm", "find . -delete", "kubectl exec p -- kill 1", "sh -c 'kill 1'",
        "reboot", "ssh host 'rm -rf x'", "iptables -F INPUT", "git branch -D x",
        "kafka-topics.sh --delete --topic x", "mkfs.xfs /dev/sdb", "/usr/bin/rm x", "env A=b kill 1",
        "echo $(rm x)", "client kill 1", "DROP TABLE x", "truncate table x", "delete from x",
        "UPDATE x SET y=1", "SELECT pg_terminate_backend(1)", "SELECT pg_drop_replication_slot('x')",
        "redis-cli -h x FLUSHALL", "SHUTDOWN NOSAVE", "CONFIG SET maxmemory 1", "git push --force",
        "git reset --hard HEAD~1", "helm rollback x 1", "terraform apply", "aws ec2 terminate-instances",
        "aws s3 rm s3://x", "gcloud compute instances delete x", "az vm restart -n x", "etcdctl defrag",
        "nginx -s stop", "ceph osd purge 1", "curl -X DELETE http://x", "Remove-Item x",
        "mkfs.ext4 /dev/sda", "dd if=a of=/dev/sda", "a \\\n && rm x", "# note\nrm x", "x" * 20_001,
        "SELECT 'a'; DROP TABLE x", "WITH gone AS (DELETE FROM x RETURNING 1) SELECT * FROM gone",
        "-- look first\nSELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'x'",
    ],
)  # fmt: skip
def test_destructive_commands_are_known(text: str) -> None:
    assert is_destructive(text)


@pytest.mark.parametrize(
    "text",
    [
        "iptables -A INPUT -d 10.0.0.1 -j ACCEPT", "ssh host uptime", "kafka-topics.sh --list",
        "git branch -d x", "kubectl get pods", "kubectl describe node x", "docker run --rm x", "docker ps",
        "systemctl status x", "ls rm", "git push", "git log", "helm list", "terraform plan",
        "SELECT * FROM deleted", "redis-cli INFO", "nginx -t", "nginx -s reload", "aws s3 ls",
        "curl http://x/delete", "# rm -rf /", "-- drop table x", "kubectl delete x --dry-run=client",
        "cat format.txt", "echo performance", "",
        "SELECT pid FROM pg_stat_activity WHERE query ILIKE 'drop table%'",
        "SELECT a,\n  b FROM t\nWHERE query ~ 'it''s a TRUNCATE TABLE x'", "EXPLAIN SELECT 'vacuum full'",
    ],
)  # fmt: skip
def test_reading_commands_are_not_called_destructive(text: str) -> None:
    assert not is_destructive(text)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("plain -x 'a' \"b\"\tc\nd é 含", []),
        ("a\u00a0b", ["U+00A0"]),
        ("a\u200bb\u202ec", ["U+200B", "U+202E"]),
        ("\u2013x \u201ca\u201d", ["U+2013", "U+201C", "U+201D"]),
        ("a\rb\x1b[1m\x00", ["U+000D", "U+001B", "U+0000"]),
        ("p\u0430ypal", ["U+0430"]),
        ("привет мир", []),
        ("\u0441\u043e\u0440\u0443", ["U+0441", "U+043E", "U+0440", "U+0443"]),
        ("\uff41 \U0001d41a \ue000 \u2028", ["U+FF41", "U+1D41A", "U+E000", "U+2028"]),
        ("\u3164", ["U+3164"]),
    ],
)
def test_suspicious_characters_are_told_by_code_point(text: str, points: list[str]) -> None:
    assert [found.code_point for found in suspicious_characters(text)] == points


def test_suspicious_characters_have_places_names_and_a_cap() -> None:
    found = suspicious_characters("ab\nc\u202ed")
    assert [(f.line, f.column, f.name) for f in found] == [(2, 2, "right-to-left override")]
    assert suspicious_characters("\x1b")[0].name == "escape"
    assert len(suspicious_characters("\u200b" * 500)) == MAX_REPORTED


@settings(deadline=None)
@given(st.text(max_size=80))
def test_copied_text_is_the_text_without_one_final_newline(text: str) -> None:
    review = review_copy(text)
    assert text in (review.text, review.text + "\n", review.text + "\r\n")


@settings(deadline=None)
@given(
    st.text(max_size=20), st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Co"], exclude_characters="\n\t")
)
def test_every_control_or_format_character_needs_a_preview(text: str, character: str) -> None:
    review = review_copy(f"ls {text}{character}x")
    assert review.suspicious
    assert review.needs_preview


@pytest.mark.parametrize(
    ("text", "multiline", "destructive", "preview"),
    [
        ("ls\n", False, False, False),
        ("ls\r\n", False, False, False),
        ("ls\nps", True, False, True),
        ("rm x", False, True, True),
        ("get <pod>", False, False, True),
    ],
)
def test_what_needs_a_preview(text: str, multiline: bool, destructive: bool, preview: bool) -> None:
    review = review_copy(text)
    assert (review.is_multiline, review.is_destructive, review.needs_preview) == (
        multiline,
        destructive,
        preview,
    )
