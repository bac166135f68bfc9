"""Commands in code blocks and spans: prompts, output, placeholders, filling in, review before a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb_app.entries.destructive import is_destructive
from kb_app.entries.model import Command, Placeholder, Span
from kb_app.entries.outline import CODE_SPAN
from kb_app.entries.quoting import (
    CMD_SHELLS,
    POSIX_SHELLS,
    POWERSHELLS,
    ShellPlaces,
    quoted_value,
    shell_place,
)
from kb_app.entries.suspicious import SuspiciousCharacter, suspicious_characters

MAX_COMMANDS = 200
"""Prompts in one block that are told apart; what follows counts as output of the last."""
MAX_COMMAND_LINES = 200
SHELLS = POSIX_SHELLS | POWERSHELLS | CMD_SHELLS
_UNSTATED = frozenset(("", "text", "txt", "plain", "plaintext", "none", "nohighlight", "default", "raw"))
_OUTPUT = frozenset(("output", "log", "logs", "result", "stdout", "stacktrace", "traceback"))
_PROSE = frozenset((
    "note", "warning", "tip", "important", "caution", "danger", "admonition", "hint", "seealso",
    "attention", "mermaid", "plantuml", "dot", "graphviz", "math", "figure", "image", "contents",
    "toctree", "csv", "markdown", "md", "diagram", "html",
))  # fmt: skip
_SQL = frozenset(("sql", "postgresql", "postgres", "psql", "pgsql", "mysql", "plsql", "tsql", "sqlite"))

# --- what looks like a command ------------------------------------------------------------------------------

_PROGRAM = re.compile(
    r"(?:sudo\s+(?:-[ugh]\s+\S+\s+|-\S+\s+)*)?(?:[A-Z_][A-Z0-9_]*=\S*\s+)*"
    r"(?:kubectl|oc|k9s|k|kubeadm|kubelet|kustomize|helm|helmfile|istioctl|virtctl|crictl|ctr|nerdctl|docker"
    r"|docker-compose|podman|skopeo|calicoctl|cilium|etcdctl|etcdutl|velero|argocd|flux|kind|minikube"
    r"|eksctl|cmctl"
    r"|aws|gcloud|gsutil|bq|az|doctl|heroku|terraform|tofu|terragrunt|pulumi|ansible|ansible-playbook"
    r"|vault|consul"
    r"|nomad|packer|vagrant|git|gh|glab|make|npm|yarn|pip3?|pipx|python3?|node|go|cargo|mvn|gradle|bundle"
    r"|rails|rake"
    r"|psql|pg_\w+|vacuumdb|reindexdb|createdb|dropdb|patronictl|pgbouncer|mysql|mysqladmin|mysqldump"
    r"|mongo|mongosh"
    r"|redis-cli|redis-server|sqlite3|cockroach|cqlsh|nodetool|clickhouse-client|influx|rabbitmqctl"
    r"|kafka-[\w.-]+"
    r"|systemctl|service|journalctl|loginctl|timedatectl|dmesg|sysctl|modprobe|lsmod|apt|apt-get|yum|dnf"
    r"|apk|brew"
    r"|rpm|dpkg|snap|nginx|apachectl|haproxy|certbot|openssl|ssh|scp|sftp|rsync|curl|wget|nc|ncat|telnet"
    r"|dig|host"
    r"|nslookup|ping|traceroute|mtr|tcpdump|ss|netstat|ip|ifconfig|iptables|nft|ethtool|arp|route|conntrack"
    r"|cat|less|tail|head|grep|egrep|zgrep|awk|sed|cut|sort|uniq|wc|xargs|find|ls|ll|cd|pwd|cp|mv|rm|mkdir"
    r"|rmdir"
    r"|touch|chmod|chown|ln|tar|gzip|gunzip|unzip|zip|df|du|free|top|htop|ps|kill|pkill|killall|lsof"
    r"|strace|perf"
    r"|iostat|vmstat|sar|uptime|mount|umount|mkfs\S*|fdisk|lsblk|blkid|parted|resize2fs|xfs_\w+|lvextend"
    r"|lvs|vgs"
    r"|pvs|lvresize|growpart|e2fsck|fsck\S*|xfs_repair|dd|sync|echo|printf|export|env|source|exec|date"
    r"|watch|timeout"
    r"|nohup|crontab|useradd|usermod|passwd|su|bash|sh|zsh|jq|yq|base64|tee|diff|vi|vim|nano|test|true"
    r"|ceph|rados"
    r"|rbd|radosgw-admin|gitlab-\w+|knife|chef-client|puppet|salt|promtool|amtool|mc|s3cmd|rclone|longhornctl"
    r"|Get-\w+|Set-\w+|New-\w+|Remove-\w+|Start-\w+|Stop-\w+|Restart-\w+|Test-\w+|Invoke-\w+|Connect-\w+"
    r"|Install-\w+"
    r"|ipconfig|netsh|sc|reg|sfc|dism|tasklist|taskkill|whoami|hostname|nsenter|chroot|nvme|smartctl"
    r"|multipath"
    r"|iscsiadm|multipathd|update-ca-certificates|reboot|shutdown|deploy|fab|cap)(?=\s|$|;)"
)
_SCRIPT = re.compile(
    r"(?:\.{0,2}/[\w./-]+|for\s+\w+\s+in\s|while\s+|until\s+|if\s+\[|[A-Za-z_]\w*=(?:\$\(|[\"'`]|\S+$)|~/\S+)"
)
_SQL_START = re.compile(
    r"(?:select|insert\s+into|update\s+\S+\s+set|delete\s+from|alter\s+\w+|create\s+\w+|drop\s+\w+"
    r"|truncate\s|show\s+\w+"
    r"|set\s+(?:global|session|local|\w+\s*(?:=|to)\s)|vacuum\b|analyze\b|reindex\s|explain\s"
    r"|with\s+\w+\s+as\s*\(|grant\s"
    r"|revoke\s|begin\b|commit\b|rollback\b|kill\s+\d|checkpoint\b|reset\s+\w+)",
    re.IGNORECASE,
)
_REDIS_START = re.compile(
    r"(?:CONFIG (?:GET|SET)|CLIENT (?:LIST|KILL)|SLOWLOG GET|SCRIPT (?:KILL|FLUSH)|FUNCTION KILL|INFO \w+"
    r"|FLUSH(?:ALL|DB)"
    r"|CLUSTER (?:INFO|NODES|FAILOVER|RESET)|SENTINEL \w+|MEMORY \w+|SHUTDOWN|REPLICAOF|BGSAVE"
    r"|BGREWRITEAOF|DEBUG \w+"
    r"|ACL \w+|LATENCY \w+|SCAN \d+|UNLINK |DEL )"
)
_TABLE_HEAD = re.compile(r"[A-Z][A-Z0-9()%_/-]*(?: [A-Z]+)?(?:\s{2,}|\t+)[A-Z]")


def command_language(text: str) -> str | None:
    """Return the language (``sh``, ``sql``, ``redis``) of a line that looks like a command, else None."""
    if _PROGRAM.match(text) or _SCRIPT.match(text):
        return "sh"
    if _SQL_START.match(text):
        return "sql"
    return "redis" if _REDIS_START.match(text) else None


# --- prompts ------------------------------------------------------------------------------------------------

_PROMPT = re.compile(
    r"[ \t]*(?:"
    r"\$(?:[ \t]+|$)"
    r"|(?:\([\w.-]+\)[ \t]*)?\[?[\w.-]+@[\w.-]+(?:[: ][^\s$#>%]*)?\]?[ \t]*[$#%>](?:[ \t]+|$)"
    r"|(?:sh|bash|ash)-\d+\.\d+[$#](?:[ \t]+|$)"
    r"|(?P<db>[\w-]+(?:=|\()[#>*](?:[ \t]+|$)"
    r"|(?:mysql|MariaDB \[[^\]]*\]|sqlite|redis|cqlsh|ksql|mongos?|test"
    r"|[\w.-]+:\d{2,5}(?:\[\d+\])?)>(?:[ \t]+|$))"
    r"|(?P<ps>PS(?: [A-Za-z]:\\[^>\n]*| /[^>\n]*)?>[ \t]*)"
    r"|(?P<cmd>[A-Za-z]:\\[^>\n]*>[ \t]*)"
    r"|(?:/[\w./-]*|~)?[ ]?[$#](?:[ \t]+)(?<=\$[ \t])"
    r")"
)
_ROOT_PROMPT = re.compile(r"[ \t]*#[ \t]+(?=\S)")
_HAS_OPTION = re.compile(r"^[\w./-]+\s(?:.*\s)?--?[A-Za-z]")
_ANGLE_PROMPT = re.compile(r"[ \t]*>[ \t]+(?=\S)")
_DB_CONTINUATION = re.compile(r"[ \t]*(?:[\w-]+[-'\"(][#>*]|->|\.\.\.)[ \t]+")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")


def commands_of_block(
    lines: Sequence[str], language: str, first_line: int, *, assigned: set[str] | None = None
) -> tuple[Command, ...]:
    """Return the commands of a code block.

    Args:
        lines: the code, without fences, indentation of the block removed.
        language: of the fence, lower case, or empty.
        first_line: 1-based line of ``lines[0]`` in the file.
        assigned: names that earlier commands set, no placeholders then; grows by what this block sets.

    Returns:
        With prompts, one command for each; without, the whole block as one command if it looks like something
        to run or to paste; none for output, logs and prose.
    """
    known = set() if assigned is None else assigned
    if language in _PROSE or language in _OUTPUT:
        return ()
    pieces = list(_prompted(lines, language)) if _may_prompt(language) else []
    if not pieces and (whole := _unprompted(lines, language)) is not None:
        pieces = [whole]
    return tuple(_command(piece, first_line, known) for piece in pieces)


def without_prompts(text: str, language: str = "") -> str:
    """Return what a reader means to copy from a code block: its commands, without prompts and output.

    A block without prompts is returned as it is.
    """
    pieces = list(_prompted(text.split("\n"), language)) if _may_prompt(language) else []
    return "\n".join("\n".join(piece.text) for piece in pieces) if pieces else text


def _may_prompt(language: str) -> bool:
    return language in SHELLS or language in _UNSTATED or language in _SQL or language == "redis"


@dataclass(slots=True)
class _Piece:
    text: list[str]
    language: str
    first: int
    last: int
    output: list[str]


def _command(piece: _Piece, first_line: int, assigned: set[str]) -> Command:
    text = "\n".join(piece.text).strip("\n")
    if piece.language in POSIX_SHELLS:
        assigned.update(_set_in(text))
    return Command(
        text=text,
        language=piece.language,
        span=Span(first_line + piece.first, first_line + piece.last),
        output="\n".join(piece.output).strip("\n"),
        placeholders=placeholders_of(text, piece.language, assigned=assigned),
        is_destructive=is_destructive(text),
    )


def _prompt_of(line: str, *, with_hash: bool, with_angle: bool) -> tuple[str, str] | None:
    """Return the text after the prompt and the language the prompt speaks of, or None."""
    if (match := _PROMPT.match(line)) is not None:
        group = match.lastgroup
        language = {"db": "sql", "ps": "powershell", "cmd": "cmd"}.get(group or "", "")
        return line[match.end() :], language
    if with_hash and (match := _ROOT_PROMPT.match(line)) is not None:
        return line[match.end() :], ""
    if with_angle and (match := _ANGLE_PROMPT.match(line)) is not None:
        return line[match.end() :], ""
    return None


def _prompted(lines: Sequence[str], language: str) -> Iterator[_Piece]:
    filled = [line for line in lines if line.strip()]
    if not filled:
        return
    with_hash = _hash_is_prompt(filled)
    with_angle = _ANGLE_PROMPT.match(filled[0]) is not None and language not in _SQL
    piece: _Piece | None = None
    count = 0
    for number, line in enumerate(lines):
        if piece is not None and _continues(piece, line):
            continuation = _DB_CONTINUATION if piece.language == "sql" else _ANGLE_PROMPT
            piece.text.append(continuation.sub("", line, count=1))
            piece.last = number
            continue
        prompt = _prompt_of(line, with_hash=with_hash, with_angle=with_angle)
        if prompt is not None and prompt[0].strip() and count < MAX_COMMANDS:
            count += 1
            if piece is not None:
                yield piece
            piece = _Piece([prompt[0].rstrip()], prompt[1] or _session(language), number, number, [])
        elif piece is not None and (prompt is None or count >= MAX_COMMANDS):
            piece.output.append(line)
    if piece is not None:
        yield piece


def _session(language: str) -> str:
    """Return the language of what is typed into a session shown as ``language``."""
    return (
        "sh"
        if language in ("console", "shell-session", "shellsession", "sh-session", "bash-session")
        else language
    )


def _hash_is_prompt(filled: Sequence[str]) -> bool:
    """Tell whether ``# `` is root's prompt here, not a comment: only it stands before programs."""
    marked = [line[match.end() :] for line in filled if (match := _ROOT_PROMPT.match(line))]
    if not marked or not _ROOT_PROMPT.match(filled[0]):
        return False
    if command_language(marked[0]) is None:
        return len(marked) == len(filled) and _HAS_OPTION.search(marked[0]) is not None
    others = (line.strip() for line in filled if not _ROOT_PROMPT.match(line))
    return not any(_PROMPT.match(line) or command_language(line) for line in others)


def _continues(piece: _Piece, line: str) -> bool:
    """Tell whether ``line`` belongs to the command of ``piece`` that is being typed."""
    if piece.output or len(piece.text) >= MAX_COMMAND_LINES:
        return False
    text = "\n".join(piece.text)
    last = piece.text[-1].rstrip()
    if piece.language == "sql":
        return (
            not last.endswith((";", "\\G"))
            and not last.startswith("\\")
            and bool(_DB_CONTINUATION.match(line))
        )
    if (heredoc := _HEREDOC.search(text)) is not None:
        return heredoc.group(1) not in [typed.strip() for typed in piece.text[1:]]
    if last.endswith(("\\", "|", "&&", "||")):
        return True
    return len(text) < 4_000 and shell_place(text) in ("'", '"') and _PROMPT.match(line) is None


def _unprompted(lines: Sequence[str], language: str) -> _Piece | None:
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    if not numbers:
        return None
    first, last = numbers[0], numbers[-1]
    code = [lines[n].strip() for n in numbers if not lines[n].lstrip().startswith(("#", "--", "//"))]
    start = code[0] if code else ""
    if language in _UNSTATED:
        found = command_language(start)
        if found is None:
            return None
        language = "" if found == "sh" else found
    elif language == "json" or (language in SHELLS and not start):
        return None
    cut = next((n for n in numbers[1:] if _TABLE_HEAD.match(lines[n])), None)
    if cut is not None and language in SHELLS and not lines[cut - 1].rstrip().endswith("\\"):
        return _Piece(list(lines[first:cut]), language, first, cut - 1, list(lines[cut : last + 1]))
    return _Piece(list(lines[first : last + 1]), language, first, last, [])


def commands_of_spans(text: str, line: int, *, assigned: Iterable[str] = ()) -> tuple[Command, ...]:
    """Return the code spans of one line of Markdown that are whole commands; ``line`` is its number."""
    found = []
    for match in CODE_SPAN.finditer(text):
        inner = match.group(2).strip()
        inner = inner[2:].lstrip() if inner.startswith("$ ") else inner
        if " " not in inner and not inner.endswith(";"):
            continue
        language = command_language(inner)
        if language == "sql" and not inner.endswith(";") and len(inner.split()) < 4 and "(" not in inner:
            continue  # the name of a statement in a sentence
        if language is not None:
            found.append(
                Command(
                    text=inner,
                    language=language,
                    span=Span(line, line),
                    placeholders=placeholders_of(inner, language, assigned=frozenset(assigned)),
                    is_destructive=is_destructive(inner),
                )
            )
    return tuple(found)


# --- placeholders -------------------------------------------------------------------------------------------

_ANGLE = re.compile(r"(?<![<\w])<([A-Za-z][\w .:/|'-]{0,58}[\w.']|[A-Za-z])>")
_ANGLE_IN_WORD = re.compile(r"(?<=\w)<([a-z][a-z0-9_-]{1,40}|[A-Z][A-Z0-9_-]{1,40})>")
_DOLLAR = re.compile(r"(?<![\\$])\$(?:\{([A-Za-z_]\w*(?:-[A-Za-z]+){0,6})\}|([A-Za-z_]\w*))")
_TEMPLATE = re.compile(r"\{\{-?\s*([^{}\"'()|]{1,80}?)\s*-?\}\}")
_SQUARE = re.compile(r"(?<![\w\[])\[([A-Za-z]{2,30}(?: [A-Za-z]{1,30}){1,5})\](?!\()")
_DUMMY_ADDRESS = re.compile(r"(?<![\w.])[xX](?:\.[xX]){3}(?![\w.])")
_ASSIGNED = re.compile(
    r"(?:^|[;&|(\n]|\b(?:export|local|declare|readonly|env|for|set)\s)\s*([A-Za-z_]\w*)(?==|\s+in\s)",
    re.MULTILINE,
)
_READ = re.compile(r"\bread\s+(?:-\w+\s+(?:\"[^\"]*\"\s+|'[^']*'\s+)?)*((?:[A-Za-z_]\w*\s*)+)")
_SET_BY_THE_SHELL = frozenset((
    "HOME", "PATH", "USER", "PWD", "OLDPWD", "SHELL", "LANG", "TERM", "EDITOR", "RANDOM", "SECONDS",
    "LINENO", "UID", "EUID", "PPID", "IFS", "TMPDIR", "LOGNAME", "DISPLAY", "KUBECONFIG", "GOPATH",
    "JAVA_HOME", "BASH", "PIPESTATUS", "SSH_AUTH_SOCK", "NF", "NR", "FS", "OFS", "null", "true", "false",
    "env", "PSVersionTable", "_",
))  # fmt: skip
_TAGS = frozenset((
    "a", "b", "i", "p", "br", "hr", "div", "span", "pre", "code", "table", "tr", "td", "th", "ul", "ol",
    "li", "em", "strong", "html", "body", "head", "script", "style", "img", "none", "nil", "null",
    "unset", "unknown", "pending", "eof", "kbd", "sub", "sup", "details", "summary",
))  # fmt: skip
_NO_ANGLES = frozenset((
    "xml", "html", "java", "go", "c", "cpp", "c++", "csharp", "cs", "rust", "typescript", "ts",
    "javascript", "js", "tsx", "jsx", "kotlin", "swift", "scala", "diff",
))  # fmt: skip
_TEMPLATE_WORDS = frozenset(
    ("range", "end", "if", "else", "with", "define", "template", "block", "include", "json")
)


def placeholders_of(
    text: str, language: str = "", *, assigned: Iterable[str] = ()
) -> tuple[Placeholder, ...]:
    """Return what has to be filled in, in order of first appearance; each spelling once."""
    scanned = text[:20_000]
    marks = _marks(scanned, language)
    if "$" in scanned and language in POSIX_SHELLS:
        marks = [*marks, *_variables(scanned, _set_in(scanned).union(assigned))]
    first: dict[str, str] = {}
    for _, raw, name in sorted(marks):
        first.setdefault(raw, name)
    return tuple(Placeholder(raw, placeholder_name(name)) for raw, name in first.items())


def _marks(text: str, language: str) -> list[tuple[int, str, str]]:
    """Return position, spelling and name of every placeholder that is no shell variable."""
    found: list[tuple[int, str, str]] = []
    if "<" in text and language not in _NO_ANGLES:
        for pattern in (_ANGLE, _ANGLE_IN_WORD):
            found += [
                (match.start(), match.group(), match.group(1))
                for match in pattern.finditer(text)
                if match.group(1).lower() not in _TAGS and "://" not in match.group()
            ]
    if "{{" in text and not re.search(r"--format|template", text):
        for match in _TEMPLATE.finditer(text):
            words = match.group(1).split()
            if len(words) == 1 and words[0] not in _TEMPLATE_WORDS and words[0] != ".":
                found.append((match.start(), match.group(), words[0].rsplit(".", 1)[-1].lstrip("$")))
    if "[" in text and language in SHELLS:
        found += [(match.start(), match.group(), match.group(1)) for match in _SQUARE.finditer(text)]
    found += [(match.start(), match.group(), "ip address") for match in _DUMMY_ADDRESS.finditer(text)]
    return found


def placeholder_name(written: str) -> str:
    """Return the name a value is asked for by: ``POD_NAME``, ``pod name`` and ``Pod-Name`` are one."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", written)
    return re.sub(r"[^\w]+|_", "-", words).strip("-").lower() or "value"


def _set_in(text: str) -> set[str]:
    """Return the names that a shell text sets itself."""
    return {*_ASSIGNED.findall(text), *(name for group in _READ.findall(text) for name in group.split())}


def _variables(text: str, assigned: set[str]) -> Iterator[tuple[int, str, str]]:
    """Yield position, spelling and name of the variables that are neither set nor quoted away."""
    plain = _TEMPLATE.sub(lambda match: "x" * len(match.group()), text)
    places = ShellPlaces(plain)
    for match in _DOLLAR.finditer(plain):
        name = match.group(1) or match.group(2)
        if (
            name in assigned
            or name in _SET_BY_THE_SHELL
            or len(name) < 2
            or name.startswith(("BASH_", "XDG_"))
        ):
            continue
        if places.at(match.start()) != "'":
            yield match.start(), match.group(), name


def fill(command: Command, values: Mapping[str, str]) -> str:
    """Return the command's text with the values put in; a placeholder without a value stays as it is.

    In shell languages each value is quoted for the place where it stands, so that it stays one word; in other
    languages (SQL, PromQL) it is put in as it is.

    Args:
        command: with its placeholders.
        values: placeholder *name* to value.

    Raises:
        UsageError: when a value holds control characters or cannot be put in safely.
    """
    wanted = {p.raw: p.name for p in command.placeholders if values.get(p.name)}
    if not wanted:
        return command.text
    pattern = re.compile("|".join(_whole(raw) for raw in sorted(wanted, key=len, reverse=True)))
    blank = pattern.sub(lambda match: "x" * len(match.group()), command.text)
    places = ShellPlaces(blank)

    def value(match: re.Match[str]) -> str:
        name, start = wanted[match.group()], match.start()
        line_start = blank.rfind("\n", 0, start) + 1
        return quoted_value(
            values[name], command.language, blank[line_start:start], name=name, place=places.at(start)
        )

    return pattern.sub(value, command.text)


def _whole(raw: str) -> str:
    """Return a pattern for ``raw``; ``$NODE`` must not match inside ``$NODE_NAME``."""
    return re.escape(raw) + (r"(?!\w)" if raw[-1].isalnum() or raw[-1] == "_" else "")


# --- before a copy ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CopyReview:
    """What to know about a text before it goes to the clipboard.

    Attributes:
        text: what would be copied: the text without one final newline.
        suspicious: characters that are not what they seem; not empty means: do not copy silently.
        is_multiline: a shell would run the first line before the last is pasted.
        is_destructive: it deletes, drains, drops, kills, restarts or overwrites.
        placeholders: what is not filled in yet.
    """

    text: str
    suspicious: tuple[SuspiciousCharacter, ...] = ()
    is_multiline: bool = False
    is_destructive: bool = False
    placeholders: tuple[Placeholder, ...] = ()

    @property
    def needs_preview(self) -> bool:
        """Tell whether the text should be shown before it is copied."""
        return bool(self.suspicious or self.is_multiline or self.is_destructive or self.placeholders)


def review_copy(text: str, language: str = "") -> CopyReview:
    """Return what to know before ``text`` is copied; only one final newline is taken off."""
    body = text[:-1] if text.endswith("\n") else text
    body = body[:-1] if body.endswith("\r") and text.endswith("\r\n") else body
    return CopyReview(
        text=body,
        suspicious=suspicious_characters(body),
        is_multiline="\n" in body or "\r" in body,
        is_destructive=is_destructive(body),
        placeholders=placeholders_of(body, language),
    )
