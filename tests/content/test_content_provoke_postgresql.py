"""PostgreSQL entries against real servers: provoke the failure, search its text, run the entry's steps."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from content_lab import Lab, Shell, code_spans, fenced, free_port, wait_until, with_values

pwd = pytest.importorskip("pwd", reason="the servers are provoked on POSIX systems")
ROOT_USER = os.geteuid() == 0


def _programs() -> Path | None:
    """Return the folder of the newest installed server's programs."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in folders), key=lambda p: float(p.parent.name), default=None)


def _account() -> str | None:
    """Return whom to run the server as: never root; None for oneself."""
    return "postgres" if ROOT_USER else None


def _reason() -> str:
    if _programs() is None:
        return "PostgreSQL server programs are not installed"
    if ROOT_USER:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root and there is no user postgres"
    return ""


pytestmark = [pytest.mark.content, pytest.mark.skipif(bool(_reason()), reason=_reason() or "installed")]
BIN = _programs() or Path("/nonexistent")
MAJOR = int(re.sub(r"\D.*", "", BIN.parent.name) or 0)


class Session:
    """A client that stays: what it is sent runs at once, its transaction stays open."""

    def __init__(self, server: Postgres, user: str) -> None:
        self._process = subprocess.Popen(
            [*server.client(user), "-f", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def send(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def close(self) -> str:
        """End the session and return all it printed."""
        try:
            with contextlib.suppress(BrokenPipeError):
                printed, _ = self._process.communicate(timeout=30)
                return printed
            return self._process.stdout.read() if self._process.stdout else ""
        finally:
            self._process.kill()
            self._process.wait(timeout=20)


class Postgres:
    """One server on loopback in a folder of its own, run by an unprivileged user."""

    def __init__(self, folder: Path, *, wrapper: tuple[str, ...] = ()) -> None:
        self.data, self.log, self.port = folder / "data", folder / "log", free_port()
        self._wrapper = wrapper
        self._sessions: list[Session] = []

    def tool(self, *words: str, seconds: float = 60) -> str:
        """Run one of the server's programs as the server's user; return all it printed."""
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]], user=_account(), cwd=self.log.parent, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
        )  # fmt: skip
        return done.stdout.strip()

    def create(self, *options: str) -> None:
        self.tool("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync", *options)

    def configure(self, **settings: str) -> None:
        common = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.data.parent),
            "fsync": "off",
        }
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in {**common, **settings}.items())

    def start(self) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            subprocess.Popen(  # ends with the server, see stop()
                [*self._wrapper, str(BIN / "pg_ctl"), "-D", str(self.data), "-W", "start"],
                user=None if self._wrapper else _account(), stdout=log, stderr=log, start_new_session=True,
            ).wait(timeout=60)  # fmt: skip
        wait_until(self.is_up, "the server takes connections", 90)

    def is_up(self) -> bool:
        return "accepting connections" in self.tool("pg_isready", "-h", "127.0.0.1", "-p", str(self.port))

    def stop(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions.clear()
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except FileNotFoundError:
            return
        os.kill(pid, signal.SIGINT)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not (self.data / "postmaster.pid").exists(), "the server stops", 20)
            return
        os.kill(pid, signal.SIGKILL)

    def client(self, user: str = "postgres", database: str = "postgres") -> list[str]:
        return [
            str(BIN / "psql"), "-X", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port),
            "-U", user, "-d", database,
        ]  # fmt: skip

    def _psql(self, text: str, user: str, database: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.client(user, database), input=text, capture_output=True, text=True, timeout=90, check=False
        )

    def say(self, text: str, *, user: str = "postgres", database: str = "postgres") -> str:
        """Run SQL and return everything printed, messages included."""
        done = self._psql(text, user, database)
        return (done.stdout + done.stderr).strip()

    def ask(self, text: str, *, database: str = "postgres") -> str:
        """Run SQL and return its result only; a failure fails the test."""
        done = self._psql(text, "postgres", database)
        assert "ERROR" not in done.stderr, done.stderr
        return done.stdout.strip()

    def run(self, command: Shell, *, database: str = "postgres") -> str:
        """Run a step's command where it belongs; a failing statement fails the test."""
        if not command.is_shell:
            return self.ask(command.text, database=database)
        done = subprocess.run(
            [*self._wrapper, "bash", "-c", command.text], user=None if self._wrapper else _account(),
            cwd=self.log.parent, timeout=90, check=False,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def session(self, user: str = "postgres") -> Session:
        self._sessions.append(Session(self, user))
        return self._sessions[-1]

    def logged(self, pattern: str) -> str:
        """Return the first line of the log that matches, as soon as it is there."""

        def lines() -> list[str]:
            return [line for line in self.log.read_text().splitlines() if re.search(pattern, line)]

        wait_until(lambda: bool(lines()), f"the log says {pattern}")
        return lines()[0]


@pytest.fixture(scope="module")
def make() -> Iterator[Callable[..., Postgres]]:
    """Return a maker of servers that are not started yet; all are stopped and removed at the end."""
    made: list[Postgres] = []
    folders: list[Path] = []

    def server(*options: str, wrapper: tuple[str, ...] = (), create: bool = True) -> Postgres:
        # not below pytest's own folder: that one is closed to other users
        folder = Path(tempfile.mkdtemp(prefix="kb-app-postgresql-"))
        folders.append(folder)
        if (account := _account()) is not None:
            shutil.chown(folder, account)
        made.append(Postgres(folder, wrapper=wrapper))
        if create:
            made[-1].create(*options)
        return made[-1]

    yield server
    for each in made:
        each.stop()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(make: Callable[..., Postgres]) -> Postgres:
    """A small server for everything that needs no settings of its own."""
    running = make("--locale=C")
    running.configure(max_connections="10", superuser_reserved_connections="2", max_wal_size="64MB",
                      min_wal_size="32MB", autovacuum="off")  # fmt: skip
    running.start()
    running.say(
        "CREATE ROLE app LOGIN;CREATE TABLE t AS SELECT generate_series(1, 1000) AS id;GRANT ALL ON t TO app;"
    )
    return running


@pytest.fixture(autouse=True)
def no_sessions_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "server" in request.fixturenames:
        running: Postgres = request.getfixturevalue("server")
        for session in running._sessions:
            session.close()
        running._sessions.clear()
        wait_until(
            lambda: (
                running.say("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
                == "1"
            ),
            "all sessions are gone",
        )


def test_too_many_clients_is_found_and_idle_sessions_are_ended(server: Postgres, lab: Lab) -> None:
    name = "pg-too-many-clients"
    clients = [server.session("app") for _ in range(8)]
    for client in clients:
        client.send("SELECT 1;")
    wait_until(lambda: "FATAL" in server.say("SELECT 1", user="app"), "slots run out")
    lab.assert_known(name, server.say("SELECT 1", user="app"))
    reserved: list[Session] = []

    def none_left() -> bool:
        if "too many clients" in server.say("SELECT 1"):
            return True
        reserved.append(server.session())
        reserved[-1].send("SELECT 1;")
        return False

    wait_until(none_left, "the reserved slots run out")
    lab.assert_known(name, server.say("SELECT 1"))
    for session in reserved:
        session.close()
    wait_until(lambda: server.say("SELECT 1") == "1", "a reserved slot is free")

    values = {"idle_minutes": "0", "role": "app", "limit": "3"}
    assert "app" in server.run(lab.command(name, "mitigation", 1, values))
    assert int(server.run(lab.command(name, "mitigation", 2, values))) >= 8
    wait_until(lambda: server.run(lab.check(name, "mitigation", 2)) == "t", "slots are free")
    server.run(lab.command(name, "mitigation", 3, values))
    assert server.run(lab.check(name, "mitigation", 3, values)) == "3"
    server.run(lab.check(name, "mitigation", 3, values, attribute="undo"))
    assert server.say("SELECT 1", user="app") == "1"

    assert server.run(lab.command(name, "fix", 1)) == "8"
    server.run(lab.command(name, "fix", 3, {"slots": "20"}))
    assert "max_connections = '20'" in (server.data / "postgresql.auto.conf").read_text()
    server.run(lab.check(name, "fix", 3, attribute="undo"))
    server.run(lab.command(name, "fix", 4, values))
    assert server.run(lab.check(name, "fix", 4, values)) == "-1"


def test_waiting_alter_table_is_found_and_cancelled(server: Postgres, lab: Lab) -> None:
    name = "pg-alter-table-queue"
    reader, migration = server.session(), server.session()
    reader.send("BEGIN; SELECT count(*) FROM t;")
    is_open = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    wait_until(lambda: server.say(is_open) == "1", "the reader holds its lock")
    migration.send("ALTER TABLE t ADD COLUMN w int;")
    find = lab.command(name, "mitigation", 1)
    wait_until(lambda: "|" in server.run(find), "the migration waits")
    printed = server.say("SET statement_timeout = '300ms'; SELECT count(*) FROM t;")
    assert "statement timeout" in printed
    lab.assert_known(name, printed[printed.index("ERROR") :])
    values = {"pid": server.run(find).split("|")[0]}
    assert server.run(lab.command(name, "mitigation", 2, values)) == "t"
    wait_until(lambda: server.run(lab.check(name, "mitigation", 2)) == "0", "nobody waits")
    assert server.say("SELECT count(*) FROM t") == "1000"

    values = {"table_name": "t", "change": "ADD COLUMN w int", "migration_role": "app"}
    printed = server.say(lab.command(name, "fix", 2, values).text.replace("'2s'", "'300ms'"))
    assert "lock timeout" in printed
    lab.assert_known(name, printed[printed.index("ERROR") :])
    reader.send("COMMIT;")
    reader.close()
    assert "ALTER TABLE" in server.run(lab.command(name, "fix", 2, values))
    server.run(lab.command(name, "fix", 3, values))
    assert "lock_timeout=2s" in server.run(lab.check(name, "fix", 3, values))
    server.run(lab.check(name, "fix", 3, values, attribute="undo"))


def test_idle_in_transaction_is_ended_by_hand_and_by_timeout(server: Postgres, lab: Lab) -> None:
    name = "pg-idle-in-transaction"
    forgotten = server.session("app")
    forgotten.send("BEGIN; UPDATE t SET id = id WHERE id = 1;")
    ask = "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'"
    wait_until(lambda: server.say(ask).isdigit(), "a session is idle in transaction")
    values = {"pid": server.say(ask), "role": "app", "timeout": "300ms"}
    # it has written, but runs no query: a transaction number of its own holds the horizon, not a snapshot
    assert f"session|{values['pid']}|" in server.ask(fenced(lab.entries["pg-mvcc-vacuum"], "sql")[0])
    assert server.run(lab.command(name, "mitigation", 1, values)) == "t"
    wait_until(lambda: server.run(lab.check(name, "mitigation", 1, values)) == "0", "it is gone")

    server.run(lab.command(name, "fix", 1, values))
    assert "idle_in_transaction_session_timeout=300ms" in server.run(lab.check(name, "fix", 1, values))
    forgotten = server.session("app")
    forgotten.send("BEGIN; UPDATE t SET id = id WHERE id = 1;")
    printed = server.logged("FATAL:.*idle-in-transaction timeout")
    lab.assert_known(name, printed)
    server.run(lab.check(name, "fix", 1, values, attribute="undo"))


def test_invalid_index_is_found_dropped_and_built_again(server: Postgres, lab: Lab) -> None:
    name = "pg-invalid-index"
    server.say("CREATE TABLE u (id int); INSERT INTO u VALUES (1), (1);")
    build = "CREATE UNIQUE INDEX CONCURRENTLY u_id ON u (id);"
    printed = server.say(build)
    lab.assert_known(name, printed)
    values = {"index": "u_id", "column": "id", "table_name": "u"}
    assert server.run(lab.check(name, "mitigation", 1)) == "1"
    server.run(lab.command(name, "mitigation", 1, values))
    assert server.run(lab.check(name, "mitigation", 1)) == "0"

    server.say(build)
    assert server.run(lab.command(name, "fix", 1, values)) == "1|2"
    assert "could not create unique index" in server.say(lab.command(name, "fix", 2, values).text)
    assert "u_id_ccnew" in server.run(lab.command(name, "fix", 3))
    server.run(lab.command(name, "mitigation", 1, {"index": "u_id_ccnew"}))
    server.say("DELETE FROM u WHERE ctid = '(0,1)'")
    server.run(lab.command(name, "fix", 2, values))
    assert server.run(lab.check(name, "fix", 2, values)) == "t"
    assert server.run(lab.command(name, "fix", 3)) == ""


def test_inactive_slot_keeps_wal_until_it_is_limited_or_dropped(server: Postgres, lab: Lab) -> None:
    name = "pg-inactive-slot-fills-wal"

    def write(segments: int) -> None:
        for _ in range(segments):
            server.say("INSERT INTO t SELECT 1; SELECT pg_switch_wal();")

    server.say("SELECT pg_create_physical_replication_slot('dead', true)")
    write(8)
    server.say("CHECKPOINT")
    kept = int(server.ask("SELECT sum(size) FROM pg_ls_waldir()"))
    assert kept > 8 * 16 * 1024 * 1024
    values = {"size": "32MB", "slot": "dead"}
    for number in (1, 2):
        server.run(lab.command("pg-wal-checkpoints-slots", "lever", number, values, which=1))
    write(2)
    server.say("CHECKPOINT")
    check = lab.check("pg-wal-checkpoints-slots", "lever", 2, values, which=1)
    wait_until(lambda: "dead|lost" in server.run(check), "the slot is lost")
    lab.assert_known(name, server.logged("invalidating .*max_slot_wal_keep_size"))
    server.say("ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf();")

    server.say("SELECT pg_create_physical_replication_slot('second', true)")
    write(6)
    values["slot"] = "second"
    assert "second" in server.run(lab.command(name, "fix", 1))
    server.run(lab.command(name, "fix", 2, values))
    assert server.run(lab.check(name, "fix", 2, values)) == "0"
    server.say("SELECT pg_drop_replication_slot('dead')")
    server.run(lab.command(name, "fix", 3))
    server.run(lab.command(name, "fix", 3))
    assert int(server.ask("SELECT sum(size) FROM pg_ls_waldir()")) < kept
    assert "MB" in server.run(lab.check(name, "fix", 3))
    server.run(lab.command(name, "fix", 4, values))
    server.run(lab.command(name, "fix", 5))
    wait_until(lambda: server.run(lab.check(name, "fix", 5)) == "32", "the limit is in force")
    server.run(lab.check(name, "fix", 4, attribute="undo"))


def test_statistics_are_gathered_as_after_an_upgrade(server: Postgres, lab: Lab) -> None:
    name = "pg-slow-after-upgrade"
    server.say("CREATE TABLE fresh AS SELECT generate_series(1, 5000) AS id;")
    server.say("CREATE TABLE parts (id int) PARTITION BY RANGE (id);")
    section = next(s for s in lab.entries[name].sections if s.title == "Diagnosis")
    lines = lab.entries[name].text.split("\n")[section.span.first_line : section.span.last_line]
    look = "\n".join(lines).split("```sql")[1].split("```")[0]
    assert "fresh" in server.ask(look)
    values = {"table_name": "fresh", "host": "127.0.0.1", "port": str(server.port), "user": "postgres"}
    server.run(lab.command(name, "mitigation", 1, values))
    assert server.run(lab.check(name, "mitigation", 1, values))
    assert "Generating" in server.run(lab.command(name, "fix", 1, values))
    assert server.run(lab.check(name, "fix", 1)) == "0"


@pytest.fixture
def pair(make: Callable[..., Postgres]) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and its streaming standby."""
    primary = make("--locale=C")
    primary.configure(wal_log_hints="on", autovacuum="off", wal_keep_size="64MB")
    primary.start()
    primary.say("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
    standby = make(create=False)
    primary.tool(
        "pg_basebackup", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "-D",
        str(standby.data), "-R", "-X", "stream", "-c", "fast", "--no-sync",
    )  # fmt: skip
    standby.configure(max_standby_streaming_delay="300ms")
    standby.start()
    wait_until(
        lambda: primary.say("SELECT state FROM pg_stat_replication") == "streaming", "the standby streams"
    )
    yield primary, standby
    standby.stop()
    primary.stop()


def test_conflict_with_recovery_is_found_and_both_settings_help(
    pair: tuple[Postgres, Postgres], lab: Lab
) -> None:
    name = "pg-conflict-with-recovery"
    primary, standby = pair

    def report() -> str:
        session = standby.session()
        session.send("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t; SELECT pg_sleep(3);")
        busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active'"
        wait_until(lambda: int(standby.say(busy)) == 2, "the report runs")  # itself, and the question
        primary.say("INSERT INTO t SELECT 1; DELETE FROM t; INSERT INTO t SELECT generate_series(1, 100);")
        primary.say("VACUUM t")
        return session.close()

    printed = report()
    assert "canceling statement" in printed
    lab.assert_known(name, printed[printed.index("ERROR") :])
    assert int(standby.run(lab.check(name, "fix", 3)) or 0) >= 1
    standby.run(lab.command(name, "fix", 1, {"delay": "60s"}))
    standby.run(lab.command(name, "fix", 3))
    wait_until(lambda: standby.say("SHOW max_standby_streaming_delay") == "1min", "the delay is in force")
    assert "ERROR" not in report()
    standby.say("ALTER SYSTEM RESET max_standby_streaming_delay")

    standby.run(lab.command(name, "fix", 2))
    standby.run(lab.command(name, "fix", 3))
    check = "SELECT backend_xmin IS NOT NULL FROM pg_stat_replication"
    assert check in lab.steps(name, "fix")[1].verify
    wait_until(lambda: primary.say(check) == "t", "the standby tells what it needs")
    assert "ERROR" not in report()


def test_fail_over_runbook_from_fencing_to_the_old_server_as_standby(
    pair: tuple[Postgres, Postgres], lab: Lab
) -> None:
    name = "pg-fail-over"
    primary, standby = pair
    values = {
        "old_data_directory": str(primary.data),
        "old_primary": "127.0.0.1",
        "port": str(primary.port),
        "new_primary": "127.0.0.1",
        "user": "postgres",
    }
    standby.say("ALTER SYSTEM SET primary_conninfo = ''; SELECT pg_reload_conf();")
    wait_until(
        lambda: primary.say("SELECT count(*) FROM pg_stat_replication") == "0", "the standby is cut off"
    )
    primary.say("INSERT INTO t SELECT generate_series(1, 100)")  # these are lost
    primary.run(lab.command(name, "mitigation", 1, values))
    assert "no response" in primary.run(lab.check(name, "mitigation", 1, values))
    assert standby.run(lab.command(name, "mitigation", 2)).startswith("t|")
    assert standby.run(lab.command(name, "mitigation", 3)) == "t"
    assert standby.run(lab.check(name, "mitigation", 3)) == "f"
    assert standby.run(lab.check(name, "mitigation", 4)) == "f|127.0.0.1"
    assert standby.say("INSERT INTO t SELECT 1") == "INSERT 0 1"
    if MAJOR <= 15:
        assert "`CHECKPOINT`" in lab.steps(name, "fix")[1].text
    standby.say("CHECKPOINT")

    values["new_port"] = str(standby.port)
    assert "Done" in primary.run(lab.command(name, "fix", 2, values))
    primary.run(lab.command(name, "fix", 3, values))
    assert "standby.signal" in primary.run(lab.check(name, "fix", 3, values))
    primary.configure()  # the configuration came over from the new primary: its own port again
    primary.run(lab.command(name, "fix", 4, values))
    check = lab.check(name, "fix", 4)
    wait_until(lambda: standby.run(check) == "streaming", "the old server follows")
    assert "streaming" in standby.run(lab.command(name, "mitigation", 5))
    primary.run(lab.check(name, "fix", 4, values, attribute="undo"))


@pytest.mark.skipif(
    MAJOR < 14 or not BIN.parent.joinpath("lib", "test_decoding.so").exists(),
    reason="ages the counter with pg_resetwal of version 14 or later and a test_decoding slot",
)
def test_wraparound_protection_is_found_and_ends_with_an_ordinary_vacuum(
    make: Callable[..., Postgres], lab: Lab
) -> None:
    name = "pg-wraparound"
    server = make("--locale=C")
    server.configure(wal_level="logical", autovacuum_naptime="1s", log_min_messages="error")
    server.start()
    server.say("CREATE TABLE t (id int)")
    server.say("SELECT pg_create_logical_replication_slot('stale', 'test_decoding')")
    oldest = int(server.ask("SELECT min(datfrozenxid::text::bigint) FROM pg_database"))
    server.stop()
    new = oldest + 2**31 - 2_999_000  # within the last three million
    segment = server.data / "pg_xact" / f"{new // (8192 * 4 * 32):04X}"
    segment.write_bytes(bytes(262_144))
    if (account := _account()) is not None:
        shutil.chown(segment, account)
    server.tool("pg_resetwal", "-D", str(server.data), "-x", str(new))
    server.start()
    printed = server.say("INSERT INTO t VALUES (1)")
    lab.assert_known(name, printed)
    assert server.say("SELECT count(*) FROM t") == "0", "reads go on"
    assert server.run(lab.command(name, "fix", 5)).endswith("|99")

    values = {"slot": "stale"}
    server.run(lab.command(name, "mitigation", 1))
    assert server.run(lab.check(name, "mitigation", 1)) == "0"
    server.run(lab.command(name, "mitigation", 3, values))
    assert server.run(lab.check(name, "mitigation", 3, values)) == "0"
    for database in ("postgres", "template1"):
        server.run(lab.command(name, "fix", 1), database=database)
    ages = dict(row.split("|")[:2] for row in server.run(lab.check(name, "fix", 1)).splitlines())
    assert int(ages["postgres"]) < 200_000_000
    wait_until(
        lambda: int(server.run(lab.command(name, "fix", 3))) < 200_000_000, "autovacuum does template0", 60
    )
    assert "CREATE TABLE" in server.run(lab.command(name, "fix", 4))
    assert server.run(lab.check(name, "fix", 4)) == "t"
    assert server.say("INSERT INTO t VALUES (1)") == "INSERT 0 1"
    assert server.run(lab.command(name, "fix", 5)).endswith("|0")


@pytest.mark.skipif(MAJOR < 15, reason="databases have a collation version of their own since version 15")
def test_collation_mismatch_is_found_and_refreshed_after_a_rebuild(
    make: Callable[..., Postgres], lab: Lab
) -> None:
    name = "pg-collation-mismatch"
    server = make("--locale-provider=icu", "--icu-locale=en", "--locale=C")
    if not (server.data / "PG_VERSION").exists():
        pytest.skip("this server was built without ICU")
    server.configure()
    server.start()
    server.say("CREATE TABLE words (w text UNIQUE); INSERT INTO words VALUES ('a'), ('b');")
    server.say("UPDATE pg_database SET datcollversion = '1.1' WHERE datname = 'postgres'")
    printed = server.say("SELECT 1")
    lab.assert_known(name, printed)
    values = {"database": "postgres", "index": "words_w_key"}
    server.run(lab.command(name, "mitigation", 1, values))
    assert "default_transaction_read_only=on" in server.run(lab.check(name, "mitigation", 1, values))
    assert "read-only transaction" in server.say("INSERT INTO words VALUES ('c')")
    undo = lab.check(name, "mitigation", 1, values, attribute="undo")
    server.run(undo, database="template1")
    assert "INSERT" in server.say("INSERT INTO words VALUES ('c')")
    server.run(lab.command(name, "mitigation", 1, values))

    server.run(lab.command(name, "fix", 1, values))
    assert server.run(lab.check(name, "fix", 1)) == "0"
    server.run(lab.command(name, "fix", 2, values))
    assert server.run(lab.check(name, "fix", 2, values)) == "t"
    writes = "SET default_transaction_read_only = off;"
    server.say(f"{writes} UPDATE pg_collation SET collversion = '1.1' WHERE collname LIKE 'd%-x-icu'")
    assert server.run(lab.command(name, "fix", 3)) == "", "nothing uses these"
    server.say(f'{writes} CREATE TABLE names (n text COLLATE "de-x-icu");')
    assert server.run(lab.command(name, "fix", 3)).startswith('"de-x-icu"|1.1|')
    server.run(lab.command(name, "fix", 4, values))
    assert server.run(lab.check(name, "fix", 4)) == "off"
    assert server.say("SELECT 1") == "1", "the warning is gone"


def can_mount() -> bool:
    if not ROOT_USER or shutil.which("unshare") is None or shutil.which("runuser") is None:
        return False
    done = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    return done.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="a small /dev/shm of its own needs a mount namespace (root)")
def test_small_shared_memory_is_found_and_serial_plans_avoid_it(
    make: Callable[..., Postgres], lab: Lab
) -> None:
    name = "pg-shared-memory-container"
    mount = 'mount -t tmpfs -o size=8m,mode=1777 none /dev/shm && exec runuser -u postgres -- "$0" "$@"'
    server = make("--locale=C", wrapper=("unshare", "-m", "bash", "-c", mount))
    server.configure(
        min_parallel_table_scan_size="0", parallel_setup_cost="0", parallel_tuple_cost="0",
        work_mem="64MB", enable_mergejoin="off", enable_nestloop="off", shared_buffers="16MB",
    )  # fmt: skip
    server.start()
    server.say(
        "CREATE TABLE a AS SELECT g AS id, repeat('A', 50) AS v FROM generate_series(1, 300000) g; ANALYZE a;"
    )
    query = "SELECT count(*) FROM a x JOIN a y USING (id)"
    printed = server.say(query)
    lab.assert_known(name, printed)
    server.run(lab.command(name, "mitigation", 1))
    server.run(lab.command(name, "mitigation", 2))
    wait_until(lambda: server.run(lab.check(name, "mitigation", 2)) == "0", "parallel plans are off")
    assert server.say(query) == "300000"
    server.run(lab.command(name, "fix", 3))
    server.run(lab.command(name, "mitigation", 2))
    wait_until(lambda: "shared memory" in server.say(query), "it fails again, as nothing else has changed")


@pytest.fixture
def namespace() -> Iterator[tuple[str, ...]]:
    """Return the words that run a command in a mount namespace of its own, there until the test ends."""
    holder = subprocess.Popen(["unshare", "-m", "sleep", "600"])
    words = ("nsenter", "-t", str(holder.pid), "-m")
    own = Path("/proc/self/ns/mnt").readlink()
    wait_until(lambda: Path(f"/proc/{holder.pid}/ns/mnt").readlink() != own, "the namespace is there")
    yield words
    holder.kill()
    holder.wait(timeout=20)


@pytest.mark.skipif(not can_mount(), reason="a small volume of its own needs a mount namespace (root)")
def test_full_wal_volume_is_found_and_a_larger_one_brings_the_server_back(
    make: Callable[..., Postgres], lab: Lab, namespace: tuple[str, ...]
) -> None:
    name = "pg-inactive-slot-fills-wal"
    server = make("--locale=C", wrapper=(*namespace, "runuser", "-u", "postgres", "--"))
    server.configure(max_wal_size="64MB", min_wal_size="32MB", autovacuum="off")
    wal, kept = server.data / "pg_wal", server.data.parent / "kept"
    shutil.copytree(wal, kept)

    def mount(*words: str) -> None:
        subprocess.run([*namespace, *words], check=True, timeout=20)

    mount("mount", "-t", "tmpfs", "-o", "size=112m,mode=0700,uid=postgres,gid=postgres", "none", str(wal))
    mount("bash", "-c", f"cp -r {kept}/. {wal} && chown -R postgres: {wal}")
    server.start()
    server.say("SELECT pg_create_physical_replication_slot('dead', true); CREATE TABLE t (id int);")
    for _ in range(12):
        server.say("INSERT INTO t SELECT 1; SELECT pg_switch_wal(); CHECKPOINT;")
        if "PANIC" in server.log.read_text():
            break
    lab.assert_known(name, server.logged("PANIC"))
    wait_until(lambda: not server.is_up(), "the server is down")
    wait_until(lambda: not (server.data / "postmaster.pid").exists(), "it has given up", 60)

    values = {
        "data_directory": str(server.data), "log_file": str(server.data / "again.log"),
        "host": "127.0.0.1", "port": str(server.port),
    }  # fmt: skip
    mount("mount", "-o", "remount,size=400m", str(wal))
    assert "400M" in server.run(lab.check(name, "mitigation", 1, values))
    server.run(lab.command(name, "mitigation", 2, values))
    assert "accepting connections" in server.run(lab.check(name, "mitigation", 2, values))
    assert server.say("INSERT INTO t SELECT 1") == "INSERT 0 1"
    server.run(lab.command(name, "fix", 2, {"slot": "dead"}))
    server.run(lab.command(name, "fix", 3))
    server.stop()


def test_levers_end_sessions_and_cap_a_role(server: Postgres, lab: Lab) -> None:
    session = server.session("app")
    session.send("SET application_name = 'shop'; BEGIN; SELECT count(*) FROM t;")
    ask = "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop' AND state = 'idle in transaction'"
    wait_until(lambda: server.say(ask).isdigit(), "a transaction is open")
    values = {"pid": server.say(ask), "role": "app", "limit": "1"}
    assert server.run(lab.command("pg-mvcc-vacuum", "lever", 1))
    assert server.run(lab.command("pg-mvcc-vacuum", "lever", 2, values)) == "t"
    wait_until(lambda: server.run(lab.check("pg-mvcc-vacuum", "lever", 2, values)) == "0", "it is gone")
    server.run(lab.command("pg-connections", "lever", 1, values, which=1))
    assert server.run(lab.check("pg-connections", "lever", 1, values, which=1)) == "1"
    server.run(lab.check("pg-connections", "lever", 1, values, which=1, attribute="undo"))


QUERY = re.compile(r"\s*(SELECT|SHOW)\b", re.IGNORECASE)
VALUES = {
    "pid": "1", "idle_minutes": "5", "role": "app", "table_name": "queried", "column": "id",
    "index": "queried_id_key", "database": "postgres", "limit": "5", "application": "shop", "gid": "g",
    "slot": "s",
}  # fmt: skip


def test_every_query_of_the_content_is_understood_by_the_server(server: Postgres, lab: Lab) -> None:
    server.say("CREATE TABLE queried (id int UNIQUE); CREATE EXTENSION IF NOT EXISTS amcheck;")
    wrong: list[tuple[str, str, str]] = []
    checked = 0
    for entry in lab.entries.values():
        if entry.product != "postgresql":
            continue
        texts = [*fenced(entry, "sql"), *(span for span in code_spans(entry) if span.endswith(";"))]
        for text in dict.fromkeys(with_values(text, VALUES) for text in texts):
            if not QUERY.match(text):
                continue
            # EXPLAIN looks at every name and type, and ends no session
            asked = text if text.upper().startswith("SHOW") else f"EXPLAIN {text}"
            printed = server.say(asked)
            checked += 1
            if "ERROR" in printed:
                wrong.append((entry.id, text, printed))
    assert wrong == []
    assert checked > 60
