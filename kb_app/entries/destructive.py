"""Which commands delete, drain, drop, kill, restart or overwrite: those a reader looks at twice.

Decision: a table of programs and words, not a shell. A miss costs a preview that does not come up, a false
alarm costs a glance; both are cheap beside a wrong sense of safety, so what is not found here is not called
"safe".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_TEXT = 20_000
"""Longer texts count as destructive: nobody reads them before pasting."""

_ALWAYS = frozenset((
    "rm", "rmdir", "shred", "unlink", "dd", "mkfs", "wipefs", "fdisk", "parted", "truncate", "umount",
    "swapoff", "kill", "pkill", "killall", "reboot", "shutdown", "halt", "poweroff", "lvremove",
    "vgremove", "pvremove", "lvreduce", "dropdb", "dropuser", "pg_resetwal", "pg_rewind", "taskkill",
    "del", "rd", "format", "userdel", "groupdel",
))  # fmt: skip
"""Programs that do nothing else."""

_CLUSTER = ("delete", "drain", "cordon", "evict", "replace", "patch", "scale", "taint", "restart", "undo")
_CONTAINER = ("rm", "rmi", "kill", "stop", "restart", "prune", "down")
_PROGRAMS: dict[str, frozenset[str]] = {
    program: frozenset(words)
    for programs, words in (
        (("kubectl", "oc", "k3s"), _CLUSTER),
        (("docker", "podman", "nerdctl", "crictl", "docker-compose"), _CONTAINER),
        (("systemctl",), ("stop", "restart", "try-restart", "kill", "disable", "mask", "isolate", "reboot",
                          "poweroff", "halt")),
        (("service", "supervisorctl", "rc-service", "pm2", "monit"), ("stop", "restart", "delete")),
        (("find",), ("-delete", "rm", "kill")),
        (("iptables", "ip6tables"), ("-F", "-D", "-X", "-Z", "--flush", "--delete")),
        (("nft",), ("flush", "delete")),
        (("ip",), ("del", "delete", "down", "flush")),
        (("zfs", "zpool"), ("destroy", "rollback")),
        (("kubeadm",), ("reset",)),
        (("init",), ("0", "6")),
        (("pg_ctl", "pg_ctlcluster"), ("stop", "restart", "promote")),
        (("patronictl",), ("failover", "switchover", "restart", "reinit", "remove")),
        (("redis-cli", "valkey-cli"), ("del", "shutdown", "replicaof", "slaveof", "restore")),
        (("helm",), ("uninstall", "delete", "rollback")),
        (("flux", "argocd", "velero"), ("delete", "suspend", "rollback")),
        (("terraform", "tofu", "terragrunt"), ("destroy", "apply", "taint", "rm", "force-unlock")),
        (("pulumi",), ("destroy", "up")),
        (("gcloud",), ("delete", "reset", "stop", "remove", "failover", "drain", "recreate-instances")),
        (("gsutil", "s3cmd", "mc", "rclone"), ("rm", "del", "delete", "purge", "rb")),
        (("az",), ("delete", "restart", "stop", "purge", "deallocate", "failover", "remove", "reimage")),
        (("etcdctl",), ("del", "rmdir", "compact", "compaction", "defrag", "remove", "restore")),
        (("rabbitmqctl",), ("stop_app", "stop", "reset", "force_reset", "purge_queue", "delete_queue",
                            "forget_cluster_node")),
        (("nginx",), ("stop", "quit")),
        (("vault",), ("delete", "destroy", "revoke", "seal")),
        (("consul",), ("leave", "force-leave", "delete")),
        (("nomad",), ("stop", "drain", "purge")),
        (("ceph",), ("out", "down", "purge", "destroy", "rm", "remove", "fail", "del")),
        (("virtctl",), ("stop", "restart", "migrate")),
        (("curl",), ("delete", "-XDELETE", "--request=DELETE")),
    )
    for program in programs
}  # fmt: skip
"""Program to the words that make it destructive, wherever they stand among its arguments."""

_PAIRS: dict[tuple[str, str], frozenset[str]] = {
    ("git", "push"): frozenset(("--force", "-f", "--delete", "--mirror", "--force-with-lease")),
    ("git", "reset"): frozenset(("--hard",)),
    ("git", "clean"): frozenset(("-f", "-fd", "-fdx", "-df", "-xdf", "--force")),
    ("git", "branch"): frozenset(("-D", "--delete")),
    ("git", "checkout"): frozenset(("--",)),
    ("git", "stash"): frozenset(("drop", "clear")),
}
_AWS = re.compile(
    r"(?:delete|terminate|remove|stop|reboot|deregister|detach|revoke|disassociate|purge|reset|failover|promote)\b.*"
    r"|rm|rb|--delete"
)
_KAFKA = frozenset(("--delete", "--reset-offsets", "--execute"))
_WRAPPERS = frozenset(
    ("sudo", "doas", "xargs", "env", "nohup", "time", "do", "then", "else", "exec", "nice", "watch")
)
_SHELLS = frozenset(("sh", "bash", "zsh", "ash", "ksh", "dash", "ssh"))

_PHRASES = re.compile(
    r"\bdrop\s+(?:table|database|index|schema|user|role|view|column|constraint|sequence|tablespace|extension|owned)\b"
    r"|\btruncate\s+(?:table\s+)?[\w\".]+|\bdelete\s+from\b|\bupdate\s+[\w\".]+\s+set\b"
    r"|\balter\s+(?:table|system|database|role|user|index)\b|\bvacuum\s*\(?\s*full\b|\breindex\b|\brevoke\s+\w+"
    r"|\bkill\s+(?:query\s+|connection\s+)?\d+\s*;"
    r"|\bpg_(?:terminate_backend|cancel_backend|drop_replication_slot|promote|switch_wal|replication_slot_advance)\b"
    r"|\b(?:flushall|flushdb)\b|\bshutdown\s+(?:nosave|save)\b|\b(?:client|script|function)\s+(?:kill|flush)\b"
    r"|\bconfig\s+(?:set|resetstat)\b|\bcluster\s+(?:reset|failover|forget|delslots)\b"
    r"|\bsentinel\s+(?:failover|remove|reset)\b|\b(?:replicaof|slaveof)\s+(?:no\s+one|\S+\s+\d+)"
    r"|\bdropdatabase\s*\(|\.(?:drop|deletemany|deleteone|remove)\s*\(|/etc/init\.d/\S+\s+(?:stop|restart)\b"
    r"|\bof=/dev/|\b(?:remove|stop|restart|clear|reset|disable|uninstall)-[a-z]\w+",
    re.IGNORECASE,
)
_QUERY = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:select|show|explain|with|table|values)\b", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_SEPARATORS = re.compile(r"[|;&`{}()]|\$\(")
_QUOTES = str.maketrans("", "", "\"'")
_COMMENT = re.compile(r"[ \t]*(?:#|--(?= )|//)")
_DRY = re.compile(r"--dry-run(?:=(?:client|server|true))?(?=\s|$)")


def is_destructive(text: str) -> bool:
    """Tell whether a command, or a script of several lines, is of the kind a reader should look at twice."""
    if len(text) > _MAX_TEXT:
        return True
    if _QUERY.match(text):
        text = _LITERAL.sub("''", text)  # what a query looks for is not what it does
    for line in text.replace("\\\n", " ").split("\n"):
        if _COMMENT.match(line) or ("--dry-run" in line and _DRY.search(line)):
            continue
        if _PHRASES.search(line) or any(_calls(part) for part in _SEPARATORS.split(line)):
            return True
    return False


def _calls(part: str) -> bool:
    """Tell whether one simple command is destructive, itself or by what it hands on to another."""
    words = [w if w[0] == "-" else w.lower() for w in part.translate(_QUOTES).split()]
    for start in _command_positions(words):
        name, rest = words[start].rsplit("/", 1)[-1], words[start + 1 :]
        if name in _ALWAYS or name.startswith("mkfs.") or not _PROGRAMS.get(name, _NONE).isdisjoint(rest):
            return True
        if name == "aws" and any(_AWS.fullmatch(word) for word in rest):
            return True
        if name.startswith("kafka-") and not _KAFKA.isdisjoint(rest):
            return True
        if rest and not _PAIRS.get((name, rest[0]), _NONE).isdisjoint(rest[1:]):
            return True
    return False


_NONE: frozenset[str] = frozenset()


def _command_positions(words: Sequence[str]) -> list[int]:
    """Return where in ``words`` a program's name stands: first, and after what runs another command."""
    found: list[int] = []
    is_open = True
    for position, word in enumerate(words):
        if word in ("--", "-c") or word in _WRAPPERS:
            is_open = True
        elif is_open and not (word.startswith("-") or ("=" in word and not word.startswith("/"))):
            found.append(position)
            is_open = word in _SHELLS
        elif found and words[found[0]] == "ssh":
            found.append(position)  # what the other host runs begins somewhere after its name
    return found
