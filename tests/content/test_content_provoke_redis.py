"""Redis entries against a real Redis: provoke the failure, search its text, run the entry's own steps."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from content_lab import Lab, Shell, code_spans, fenced, free_port, wait_until, with_values

pytestmark = [
    pytest.mark.content,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell"),
    pytest.mark.skipif(
        shutil.which("redis-server") is None or shutil.which("redis-cli") is None,
        reason="redis-server and redis-cli are not installed",
    ),
]


class Redis:
    """One server on loopback, its data and log in a folder of its own."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder, self.port = folder, port
        self.log = folder / "log"
        self.options = [
            "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--logfile", str(self.log),
            "--save", "", "--loglevel", "notice", *options,
        ]  # fmt: skip
        self.process = subprocess.Popen(["redis-server", *self.options], stdout=subprocess.DEVNULL)

    def cli(self, text: str) -> str:
        done = subprocess.run(
            ["redis-cli", "-h", "127.0.0.1", "-p", str(self.port)],
            input=text + "\n", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).strip()

    def run(self, command: Shell) -> str:
        """Run a step's command where it belongs: shell text in a shell, everything else in the server."""
        if not command.is_shell:
            return self.cli(command.text)
        done = subprocess.run(
            ["bash", "-c", command.text],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )
        return (done.stdout + done.stderr).strip()

    def info(self, section: str, field: str) -> str:
        found = re.search(rf"^{field}:(.*)$", self.cli(f"INFO {section}"), re.MULTILINE)
        return found.group(1).strip() if found else ""

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.settimeout(20)
        return connection

    def call(self, connection: socket.socket, *words: bytes) -> bytes:
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        connection.sendall(b"*%d\r\n" % len(words) + parts)
        return connection.recv(4096)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(timeout=20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Redis]]:
    running: list[Redis] = []

    def make(*options: str) -> Redis:
        folder = tmp_path / f"redis{len(running)}"
        folder.mkdir()
        server = Redis(folder, free_port(), *options)
        running.append(server)
        wait_until(lambda: "PONG" in server.cli("PING") or "ERR" in server.cli("PING"), "redis answers")
        return server

    yield make
    for server in running:
        server.stop()


def test_oom_is_found_and_raising_the_limit_ends_it(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-oom-maxmemory"
    server = start("--maxmemory", "2mb")
    with server.connect() as connection:
        answers = [server.call(connection, b"SET", b"k%d" % n, b"x" * 50_000) for n in range(100)]
    printed = answers[-1].decode().strip().lstrip("-")
    lab.assert_known(name, printed)
    for number in (1, 2):
        command = lab.command(name, "mitigation", number)
        assert server.run(command)
    command = lab.command(name, "mitigation", 3, {"bytes": "64mb"})
    assert server.run(command) == "OK"
    assert server.run(lab.check(name, "mitigation", 3)) == "OK"


def test_oom_fix_lets_redis_evict(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-oom-maxmemory"
    server = start("--maxmemory", "3mb")
    values = {"key": "k", "new_value": "v", "seconds": "60", "policy": "allkeys-lru"}
    command = lab.command(name, "fix", 1, values)
    assert server.run(command) == "OK"
    assert int(server.run(lab.check(name, "fix", 1, values))) > 0
    command = lab.command(name, "fix", 2, values)
    assert server.run(command) == "OK"
    assert "allkeys-lru" in server.run(lab.check(name, "fix", 2))
    with server.connect() as connection:
        for number in range(200):
            assert server.call(connection, b"SET", b"k%d" % number, b"x" * 50_000).startswith(b"+OK")
    assert int(server.info("stats", "evicted_keys")) > 0


def test_misconf_is_found_and_both_ways_out_work(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-misconf-rdb"
    server = start()
    server.cli("CONFIG SET save '3600 1'")
    server.cli("SET a 1")
    obstacle = server.folder / "dump.rdb"
    obstacle.mkdir()  # the dump cannot be moved to its place
    server.cli("BGSAVE")
    wait_until(lambda: server.info("persistence", "rdb_last_bgsave_status") == "err", "the save fails")
    printed = server.cli("SET a 2")
    lab.assert_known(name, printed)
    log = [line for line in server.log.read_text().splitlines() if "Error moving temp DB file" in line]
    lab.assert_known(name, log[0])

    command = lab.command(name, "mitigation", 1)
    assert server.run(command) == "OK"
    assert server.run(lab.check(name, "mitigation", 1)) == "OK"

    obstacle.rmdir()
    command = lab.command(name, "fix", 2)
    assert "started" in server.run(command)
    wait_until(lambda: "rdb_last_bgsave_status:ok" in server.run(lab.check(name, "fix", 2)), "the save works")
    command = lab.command(name, "fix", 3)
    assert server.run(command) == "OK"
    assert "yes" in server.run(lab.check(name, "fix", 3))
    assert server.cli("SET a 3") == "OK"


def test_readonly_is_found_and_cutting_clients_off_works(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-readonly-replica"
    primary = start()
    replica = start("--replicaof", f"127.0.0.1 {primary.port}")
    wait_until(lambda: replica.info("replication", "master_link_status") == "up", "the replica follows")
    printed = replica.cli("SET a 1")
    lab.assert_known(name, printed)
    clients = [replica.connect() for _ in range(3)]
    assert all(replica.call(client, b"PING").startswith(b"+PONG") for client in clients)
    before = int(replica.info("clients", "connected_clients"))
    command = lab.command(name, "mitigation", 1)
    replica.run(command)
    assert replica.run(lab.check(name, "mitigation", 1))
    assert int(replica.info("clients", "connected_clients")) < before
    assert clients[0].recv(10) == b""
    for client in clients:
        client.close()


def test_busy_script_is_found_and_killed(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-busy-script"
    server = start("--busy-reply-threshold", "200")
    with server.connect() as connection:
        connection.sendall(b"*3\r\n$4\r\nEVAL\r\n$17\r\nwhile true do end\r\n$1\r\n0\r\n")
        wait_until(lambda: "BUSY" in server.cli("GET a"), "the script is slow")
        printed = server.cli("GET a")
        lab.assert_known(name, printed)
        command = lab.command(name, "mitigation", 1)
        assert server.run(command) == "OK"
    wait_until(lambda: server.run(lab.check(name, "mitigation", 1)) == "PONG", "the server answers again")


def test_a_busy_function_is_found_by_its_own_message(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-busy-script"
    server = start("--busy-reply-threshold", "200")
    library = b"#!lua name=slow\nredis.register_function('slow', function() while true do end end)"
    with server.connect() as connection:
        assert b"slow" in server.call(connection, b"FUNCTION", b"LOAD", library)
        connection.sendall(b"*3\r\n$5\r\nFCALL\r\n$4\r\nslow\r\n$1\r\n0\r\n")
        wait_until(lambda: "BUSY" in server.cli("GET a"), "the function is slow")
        lab.assert_known(name, server.cli("GET a"))
        assert "FUNCTION KILL" in lab.steps(name, "mitigation")[0].confirm
        assert server.cli("FUNCTION KILL") == "OK"
    wait_until(lambda: server.cli("PING") == "PONG", "the server answers again")


def test_a_script_that_has_written_ends_only_with_the_server(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-busy-script"
    server = start("--busy-reply-threshold", "200")
    script = b"redis.call('set','z','1') while true do end"
    with server.connect() as connection:
        connection.sendall(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(script), script))
        wait_until(lambda: "BUSY" in server.cli("GET a"), "the script is slow")
        printed = server.cli("SCRIPT KILL")
        assert "UNKILLABLE" in printed
        lab.assert_known(name, printed)
        command = lab.command(name, "mitigation", 1, which=1)
        server.run(command)
    server.process.wait(timeout=20)
    values = {"host": "127.0.0.1", "port": str(server.port)}
    assert "Could not connect" in server.run(lab.check(name, "mitigation", 1, values, which=1))


def test_max_clients_is_found_and_the_limit_raised(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-max-clients"
    server = start("--maxclients", "4", "--hz", "100")
    clients = [server.connect() for _ in range(4)]
    assert all(server.call(client, b"PING").startswith(b"+PONG") for client in clients)
    printed = server.cli("PING")
    lab.assert_known(name, printed)
    assert server.call(clients[0], b"INFO", b"stats")
    command = lab.command(name, "mitigation", 1, {"clients": "20"})
    words = [word.encode() for word in command.text.split()]
    assert server.call(clients[0], *words).startswith(b"+OK")
    assert server.cli("PING") == "PONG"
    command = lab.command(name, "mitigation", 2, {"seconds": "1"})
    assert server.run(command) == "OK"
    wait_until(lambda: int(server.info("clients", "connected_clients")) < 4, "idle clients are closed")
    for client in clients:
        client.close()


def test_full_resync_loop_is_found_and_larger_limits_end_it(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-full-resync-loop"
    primary = start(
        "--client-output-buffer-limit", "replica 1mb 0 0", "--repl-backlog-size", "16384",
        "--repl-diskless-sync-delay", "0", "--repl-timeout", "60",
    )  # fmt: skip
    replica = start("--replicaof", f"127.0.0.1 {primary.port}")
    wait_until(lambda: "state=online" in primary.cli("INFO replication"), "the replica follows")

    def burst() -> None:
        replica.process.send_signal(signal.SIGSTOP)
        with primary.connect() as connection:
            for number in range(200):
                primary.call(connection, b"SET", b"k%d" % number, b"x" * 100_000)

    def log_line(part: str) -> str:
        return next((line for line in primary.log.read_text().splitlines() if part in line), "")

    burst()
    wait_until(lambda: bool(log_line("overcoming of output buffer limits")), "the primary cuts it off")
    replica.process.send_signal(signal.SIGCONT)
    wait_until(lambda: bool(log_line("for lack of backlog")), "a full resync begins")
    for printed in (log_line("overcoming of output buffer limits"), log_line("for lack of backlog")):
        lab.assert_known(name, printed)
    wait_until(lambda: "state=online" in primary.cli("INFO replication"), "it has caught up")

    values = {"hard_limit": "256mb", "soft_limit": "64mb", "soft_seconds": "60", "backlog_size": "64mb"}
    command = lab.command(name, "mitigation", 2, values)
    assert primary.run(command) == "OK"
    assert "268435456" in primary.run(lab.check(name, "mitigation", 2))
    command = lab.command(name, "mitigation", 3, values)
    assert primary.run(command) == "OK"
    full = primary.info("stats", "sync_full")
    burst()
    replica.process.send_signal(signal.SIGCONT)
    wait_until(
        lambda: (
            "state=online" in primary.run(lab.check(name, "mitigation", 3))
            and replica.cli("EXISTS k199") == "1"
            and replica.info("replication", "master_link_status") == "up"
        ),
        "it follows",
    )
    assert primary.info("stats", "sync_full") == full


def test_keys_shows_in_the_slow_log_and_is_replaced(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-keys-latency"
    server = start("--slowlog-log-slower-than", "0")
    server.cli("EVAL \"for i=1,20000 do redis.call('set','key:'..i,i) end\" 0")
    server.cli("KEYS *")
    assert re.search(r"^keys$", server.cli("SLOWLOG GET 25"), re.MULTILINE | re.IGNORECASE)
    server.cli("ACL SETUSER app on nopass ~* +@all")
    values = {"user": "app", "pattern": "key:1*", "key": "key:1"}
    command = lab.command(name, "mitigation", 1, values)
    assert server.run(command) == "OK"
    assert "no permissions" in server.run(lab.check(name, "mitigation", 1, values))
    assert server.run(lab.check(name, "mitigation", 1, values, attribute="undo")) == "OK"
    command = lab.command(name, "fix", 1, values)
    assert "key:1" in server.run(command)
    command = lab.command(name, "fix", 2, values)
    assert server.run(command) == "1"
    assert server.run(lab.check(name, "fix", 2, values)) == "0"


def test_clusterdown_is_found_and_both_ways_out_work(start: Callable[..., Redis], lab: Lab) -> None:
    name = "redis-clusterdown"
    server = start("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    server.cli("CLUSTER ADDSLOTSRANGE 0 15494 15496 16383")  # all but the slot of "a"
    wait_until(lambda: "cluster_slots_assigned:16383" in server.cli("CLUSTER INFO"), "slots are assigned")
    printed = server.cli("SET b 1")
    assert "CLUSTERDOWN" in printed
    lab.assert_known(name, printed)
    command = lab.command(name, "mitigation", 1)
    assert server.run(command) == "OK"
    wait_until(
        lambda: "cluster_state:ok" in server.run(lab.check(name, "mitigation", 1)), "it serves what is there"
    )
    wait_until(lambda: server.cli("SET b 1") == "OK", "slots that are there are served")
    assert "CLUSTERDOWN Hash slot not served" in server.cli("SET a 1")
    command = lab.command(name, "fix", 3, {"first_slot": "15495", "last_slot": "15495"})
    assert server.run(command) == "OK"
    assert "cluster_slots_assigned:16384" in server.run(lab.check(name, "fix", 3))
    command = lab.command(name, "fix", 4)
    assert server.run(command) == "OK"
    wait_until(lambda: "cluster_state:ok" in server.run(lab.check(name, "fix", 4)), "the cluster is whole")
    assert server.cli("SET a 1") == "OK"


def test_manual_failover_through_sentinel(start: Callable[..., Redis], lab: Lab, tmp_path: Path) -> None:
    name = "redis-manual-failover"
    primary = start("--repl-diskless-sync-delay", "0")
    replica = start("--replicaof", f"127.0.0.1 {primary.port}")
    wait_until(lambda: replica.info("replication", "master_link_status") == "up", "the replica follows")
    port = free_port()
    settings = tmp_path / "sentinel.conf"
    settings.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
        f"sentinel monitor main 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds main 3000\nsentinel failover-timeout main 5000\n"
    )
    sentinel = subprocess.Popen(
        ["redis-server", str(settings), "--sentinel", "--logfile", str(tmp_path / "sentinel.log")]
    )
    try:
        values = {
            "sentinel_host": "127.0.0.1", "sentinel_port": str(port), "name": "main",
            "primary_host": "127.0.0.1", "primary_port": str(primary.port),
            "new_primary_host": "127.0.0.1", "new_primary_port": str(replica.port),
        }  # fmt: skip
        ask = lab.command(name, "mitigation", 1, values)
        wait_until(lambda: str(primary.port) in primary.run(ask), "Sentinel knows the primary")
        command = lab.command(name, "mitigation", 2, values)
        assert "role:master" in primary.run(command)
        command = lab.command(name, "mitigation", 3, values)
        assert primary.run(command) == "OK"
        assert primary.run(lab.check(name, "mitigation", 3, values, attribute="undo")) == "OK"
        command = lab.command(name, "mitigation", 4, values)
        deadline = time.monotonic() + 60
        # Sentinel learns of the replica with its next INFO, every ten seconds
        while "NOGOODSLAVE" in (answer := primary.run(command)) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert answer == "OK"
        check = lab.check(name, "mitigation", 4, values)
        wait_until(lambda: str(replica.port) in primary.run(check), "the other one is primary now")
        command = lab.command(name, "mitigation", 5, values)
        wait_until(lambda: "role:master" in primary.run(command), "the replica takes writes")
        assert replica.cli("SET a 1") == "OK"
        wait_until(
            lambda: "role:slave" in primary.run(lab.check(name, "fix", 1, values)), "the old one follows", 60
        )
        command = lab.command(name, "fix", 2, values)
        assert primary.run(command).startswith("OK")
    finally:
        sentinel.kill()
        sentinel.wait(timeout=20)


def test_levers_of_the_internals_do_what_they_say(start: Callable[..., Redis], lab: Lab) -> None:
    server = start("--maxmemory", "8mb")
    command = lab.command("redis-memory-limit", "lever", 2, {"bytes": "16mb"})
    assert server.run(command) == "OK"
    assert "16777216" in server.run(lab.check("redis-memory-limit", "lever", 2))
    command = lab.command("redis-replication", "lever", 1, {"milliseconds": "50"}, which=1)
    assert server.run(command) == "OK"
    with server.connect() as connection:
        number = server.call(connection, b"CLIENT", b"ID").strip().lstrip(b":").decode()
        values = {"client_id": number}
        command = lab.command("redis-one-command-at-a-time", "lever", 2, values, which=1)
        assert server.run(command) == "1"
        assert server.run(lab.check("redis-one-command-at-a-time", "lever", 2, values, which=1)) == ""


VALUES = {
    "bytes": "64mb", "old_bytes": "32mb", "clients": "1000", "old_clients": "1000", "seconds": "60",
    "milliseconds": "1", "hard_limit": "256mb", "soft_limit": "64mb", "soft_seconds": "60",
    "backlog_size": "2mb", "policy": "allkeys-lru", "old_policy": "noeviction",
    "user": "someone", "command": "keys",
    "client_id": "999999", "first_slot": "1", "last_slot": "2", "replicas": "0",
}  # fmt: skip
COMMAND = re.compile(
    r"(ACL|BGSAVE|CLIENT|CLUSTER|CONFIG|EXISTS|INFO|MEMORY|PERSIST|PING|ROLE|SCAN|SCRIPT KILL|SET|SLOWLOG|TTL"
    r"|UNLINK|WAIT)( [^`]+|$)"
)
EXPECTED = ("cluster support disabled", "No scripts in execution", "running without a config file")


def test_every_command_of_the_content_is_understood_by_the_server(
    start: Callable[..., Redis], lab: Lab
) -> None:
    server = start()
    server.cli("ACL SETUSER someone on nopass ~* +@all")
    wrong: list[tuple[str, str, str]] = []
    checked = 0
    for entry in lab.entries.values():
        if entry.product != "redis":
            continue
        spans = [span for span in code_spans(entry) if COMMAND.fullmatch(span) and " " in span]
        for text in dict.fromkeys(with_values(text, VALUES) for text in [*fenced(entry, "redis"), *spans]):
            if text.startswith(("SHUTDOWN", "CLUSTER FAILOVER")):
                continue
            printed = server.cli(text)
            checked += 1
            if re.match(r"\(?(error\) )?ERR", printed) and not any(part in printed for part in EXPECTED):
                wrong.append((entry.id, text, printed))
    assert wrong == []
    assert checked > 40
