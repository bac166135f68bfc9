"""Which commands delete, drain, drop, kill, restart or overwrite: those a reader looks at twice.

Decision: a table of patterns, not a parser. A miss costs a preview that does not come up, a false alarm costs
a glance; both are cheap beside a wrong sense of safety, so nothing that is not found here is called "safe".
"""

from __future__ import annotations

import re

_MAX_TEXT = 20_000
"""Longer texts count as destructive: nobody reads them before pasting."""

_ARGS = r"[^|;&\n]{0,300}?\s"
_START = (
    r"(?:^|[|;&(`{]\s*|\$\(\s*|\bsudo\s+(?:-\S+\s+)*|\bxargs\s+(?:-\S+\s+)*|\s--\s+|\b(?:do|then|else"
    r"|nohup|time|env)\s+"
    r"|\s-c\s+[\"'])(?:/\S*/)?"
)
_AT_START = (
    r"(?:rm|rmdir|shred|unlink|dd|mkfs(?:\.\w+)?|wipefs|fdisk|parted|truncate|umount|swapoff|kill|pkill"
    r"|killall"
    r"|reboot|shutdown|halt|poweroff|init\s+[06]|lvremove|vgremove|pvremove|lvreduce|dropdb|dropuser"
    r"|pg_resetwal"
    r"|pg_rewind|taskkill|del|rd|format|kubeadm\s+reset|userdel|groupdel|nft\s+flush)\b"
)
_ANYWHERE = (
    rf"\b(?:kubectl|oc|k3s\s+kubectl)\b(?:{_ARGS})?(?:delete|drain|cordon|evict|replace|patch|scale|taint)\b"
    rf"|\b(?:kubectl|oc)\b(?:{_ARGS})?rollout\s+(?:restart|undo)\b"
    rf"|\b(?:docker|podman|nerdctl|crictl|docker-compose)\s(?:{_ARGS})?(?:rm|rmi|kill|stop|restart|prune"
    rf"|down)\b"
    rf"|\bsystemctl\s(?:{_ARGS})?(?:stop|restart|try-restart|kill|disable|mask|isolate|reboot|poweroff"
    rf"|halt)\b"
    r"|\bservice\s+\S+\s+(?:stop|restart)\b|/etc/init\.d/\S+\s+(?:stop|restart)\b"
    r"|\bsupervisorctl\s+(?:stop|restart)\b"
    r"|\bfind\s[^|;&\n]{0,500}?\s-(?:delete|exec(?:dir)?\s+(?:rm|kill)\b)"
    r"|\biptables\s+(?:-\S+\s+\S+\s+)*(?:-[FDXZ]|--flush|--delete)\b|\bip\s+(?:link\s+set\s[^"
    r"|;&\n]{0,100}down|(?:addr|route)\s+del)\b"
    r"|\b(?:zfs|zpool)\s+(?:destroy|rollback)\b|\bof=/dev/"
    r"|\bdrop\s+(?:table|database|index|schema|user|role|view|column|constraint|sequence|tablespace"
    r"|extension|owned|slot)\b"
    r"|\btruncate\s+(?:table\s+)?[\w\".]+|\bdelete\s+from\b|\bupdate\s+[\w\".]+\s+set\b|\balter\s+(?:table"
    r"|system|database|role|user|index)\b"
    r"|\bvacuum\s*\(?\s*full\b|\breindex\b|\brevoke\s+\w+|\bkill\s+(?:query\s+|connection\s+)?\d+\s*;"
    r"|\bpg_(?:terminate_backend|cancel_backend|drop_replication_slot|promote|switch_wal"
    r"|replication_slot_advance)\b"
    r"|\bpg_ctl(?:cluster)?\s(?:[^|;&\n]{0,200}\s)?(?:stop|restart|promote)\b|\bpatronictl\s+(?:failover"
    r"|switchover|restart|reinit|remove)\b"
    r"|\b(?:flushall|flushdb|unlink)\b|\bredis-cli\b[^|;&\n]{0,200}\s(?:del|shutdown|replicaof|slaveof)\b"
    r"|^\s*(?:del|shutdown)\s"
    r"|\bshutdown\s+(?:nosave|save)\b|\b(?:client|script|function)\s+kill\b|\bscript\s+flush\b"
    r"|\bconfig\s+(?:set|resetstat)\b"
    r"|\bcluster\s+(?:reset|failover|forget|delslots)\b|\bsentinel\s+(?:failover|remove|reset)\b"
    r"|\b(?:replicaof|slaveof)\s+(?:no\s+one|\S+\s+\d+)"
    r"|\bgit\s(?:[^|;&\n]{0,200}\s)?push\s[^|;&\n]{0,200}(?:--force|\s-f\b|--delete|--mirror)"
    r"|\bgit\s+reset\s[^|;&\n]{0,100}--hard"
    r"|\bgit\s+clean\s[^|;&\n]{0,60}-\w*f|\bgit\s+branch\s+(?:-D|--delete)|\bgit\s+checkout\s+--\s"
    r"|\bgit\s+stash\s+(?:drop|clear)"
    r"|\bgit\s+filter-branch"
    rf"|\bhelm\s(?:{_ARGS})?(?:uninstall|delete|rollback)\b|\bflux\s+(?:delete|suspend)\b"
    rf"|\bargocd\s+app\s+(?:delete|rollback)\b"
    r"|\b(?:terraform|tofu|terragrunt)\s(?:[^|;&\n]{0,200}\s)?(?:destroy|apply|taint|state\s+rm"
    r"|force-unlock)\b|\bpulumi\s+(?:destroy|up)\b"
    r"|\baws\s+[\w-]+\s+(?:delete|terminate|remove|stop|reboot|deregister|detach|revoke|disassociate|purge"
    r"|reset|failover|promote)[\w-]*"
    r"|\baws\s+s3\s+(?:rm|rb|sync\s[^|;&\n]{0,300}--delete)\b|\bgsutil\s(?:[^|;&\n]{0,100}\s)?rm\b"
    r"|\bgcloud\s[^|;&\n]{0,200}?\s(?:delete|reset|stop|remove|failover|abandon-instances"
    r"|recreate-instances|drain)\b"
    r"|\baz\s[^|;&\n]{0,200}?\s(?:delete|restart|stop|purge|deallocate|failover|remove|reimage)\b"
    r"|\betcdctl\s(?:[^|;&\n]{0,200}\s)?(?:del|rmdir|compact|compaction|defrag|member\s+remove"
    r"|snapshot\s+restore)\b"
    r"|\bkafka-[\w.-]+\s[^|;&\n]{0,300}--(?:delete|reset-offsets|execute)\b|\brabbitmqctl\s+(?:stop_app"
    r"|reset|force_reset|purge_queue|delete_\w+|forget_\w+|stop)\b"
    r"|\bnginx\s+-s\s+(?:stop|quit)\b|\bvault\s+(?:delete|lease\s+revoke|operator\s+seal|kv\s+(?:delete"
    r"|destroy))\b|\bconsul\s+(?:leave|force-leave|kv\s+delete)\b"
    r"|\bceph\s+(?:osd\s+(?:out|down|purge|destroy|rm|crush\s+(?:rm|remove)|pool\s+(?:rm|delete))"
    r"|fs\s+(?:fail|rm)|mon\s+(?:rm|remove)|auth\s+(?:rm|del))\b"
    r"|\bcurl\b[^|;&\n]{0,400}(?:-X\s?|--request[ =])[\"']?DELETE\b|\bnomad\s+(?:job\s+stop|node\s+drain"
    r"|alloc\s+stop)\b|\bvelero\s+\w+\s+delete\b"
    r"|\bvirtctl\s+(?:stop|restart|migrate)\b|\bdropDatabase\s*\(|\.(?:drop|deleteMany|deleteOne|remove)\s*\("
    r"|\b(?:Remove|Stop|Restart|Clear|Reset|Disable|Uninstall)-[A-Z]\w+"
)
_DESTRUCTIVE = re.compile(f"{_START}{_AT_START}|{_ANYWHERE}", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:#|--(?= )|//).*$", re.MULTILINE)
_DRY = re.compile(r"--dry-run(?:=(?:client|server|true))?(?=\s|$)")


def is_destructive(text: str) -> bool:
    """Tell whether a command, or a script of several lines, is of the kind a reader should look at twice."""
    if len(text) > _MAX_TEXT:
        return True
    lines = _COMMENT.sub("", text).replace("\\\n", " ").split("\n")
    return any(_DESTRUCTIVE.search(line) is not None and _DRY.search(line) is None for line in lines)
