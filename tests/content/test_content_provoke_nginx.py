"""nginx entries against a real nginx: provoke the failure, search its log line, run the entry's own steps."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from content_lab import Lab, Shell, fenced, free_port, wait_until, with_values

pytestmark = [
    pytest.mark.content,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux"),
    pytest.mark.skipif(
        shutil.which("nginx") is None or shutil.which("curl") is None,
        reason="nginx and curl are not installed",
    ),
]

CONFIG = """
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{main}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port}{listen};
        {server}
    }}
}}
"""


class Backend:
    """A small application server: ``/big`` has a large header, ``/slow`` waits, all else answers ``ok``."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, slow_seconds: float = 30) -> None:
        self.port = port
        stopped = self._stopped = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/slow"):
                    stopped.wait(slow_seconds)
                self.send_response(200)
                if self.path.startswith("/big"):
                    self.send_header("X-Big", "a" * 9_000)
                self.send_header("Content-Length", "3")
                self.end_headers()
                try:
                    self.wfile.write(b"ok\n")
                except OSError:
                    return  # the proxy has given up on a slow answer

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=20)


class Nginx:
    """One nginx on loopback; ``edit`` changes its file, steps run with an ``nginx`` that knows its place."""

    def __init__(self, folder: Path, *, prefix: str = "exec", **parts: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = folder / "nginx.conf"
        self.parts = {"main": "events { worker_connections 64; }", "http": "", "server": "", "listen": ""}
        self.edit(**parts)
        programs = folder / "bin"
        programs.mkdir()
        wrapper = programs / "nginx"
        real = shutil.which("nginx")
        wrapper.write_text(f'#!/bin/bash\n{prefix} {real} -p {folder} -c {self.file} "$@"\n')
        wrapper.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.process = subprocess.Popen(
            [str(wrapper), "-g", "daemon off;"], stderr=subprocess.PIPE, text=True, env=self.environment
        )

    def is_up(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"nginx did not start: {self.process.communicate()[1]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and (self.folder / "nginx.pid").exists()

    def edit(self, **parts: str) -> None:
        self.parts |= parts
        user = "user root;" if os.geteuid() == 0 else ""
        self.file.write_text(CONFIG.format(folder=self.folder, port=self.port, user=user, **self.parts))

    def run(self, command: Shell | str) -> str:
        text = command if isinstance(command, str) else command.text
        done = subprocess.run(
            ["bash", "-c", text], env=self.environment, cwd=self.folder,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).strip()

    def reload(self, command: Shell) -> None:
        """Run a reload step and wait until the old workers are gone."""
        before = self.workers()
        assert command.text.strip() == "nginx -s reload"
        self.run(command)
        wait_until(lambda: bool(self.workers()) and not before & self.workers(), "new workers serve")

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.master}/task/{self.master}/children")
        return {int(pid) for pid in children.read_text().split()}

    @property
    def master(self) -> int:
        return int((self.folder / "nginx.pid").read_text())

    def status(self, path: str = "/", *options: str) -> int:
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, self.url + path],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return int(done.stdout)

    def log(self, part: str) -> str:
        """Return the first line of the error log that holds ``part``, as soon as it is there."""

        def lines() -> list[str]:
            return [line for line in (self.folder / "error.log").read_text().splitlines() if part in line]

        wait_until(lambda: bool(lines()), f"the error log says {part!r}")
        return lines()[0]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Backend]]:
    running: list[Backend] = []

    def make(port: int = 0, host: str = "127.0.0.1") -> Backend:
        running.append(Backend(port or free_port(), host))
        return running[-1]

    yield make
    for backend in running:
        backend.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    running: list[Nginx] = []

    def make(**parts: str) -> Nginx:
        folder = tmp_path / f"nginx{len(running)}"
        folder.mkdir()
        running.append(Nginx(folder, **parts))
        wait_until(running[-1].is_up, "nginx listens")
        return running[-1]

    yield make
    for server in running:
        server.stop()


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        check=False,
        timeout=20,
    )
    return done.returncode == 0


class Names(threading.Thread):
    """A name server on loopback that answers every question for an address with the one it is told."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = self._socket.getsockname()[1]
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                question, client = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            end = question.index(b"\0", 12) + 5
            is_a = question[end - 4 : end - 2] == b"\0\1"
            head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(self.address) if is_a else b""
            self._socket.sendto(head + question[12:end] + answer, client)

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=20)
        self._socket.close()


@pytest.mark.skipif(not can_mount(), reason="a hosts file of its own needs a mount namespace (root)")
def test_502_after_a_backend_moved_ends_with_a_reload(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab, tmp_path: Path
) -> None:
    name = "nginx-502-stale-address"
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.2 backend.test\n")
    port = free_port()
    old = serve(port, "127.0.0.2")
    mount = f"""exec unshare -m bash -c 'mount --bind {hosts} /etc/hosts && exec "$0" "$@"'"""
    server = start(prefix=mount, server=f"location / {{ proxy_pass http://backend.test:{port}; }}")
    assert server.status() == 200
    old.stop()
    serve(port, "127.0.0.3")
    hosts.write_text("127.0.0.1 localhost\n127.0.0.3 backend.test\n")
    assert server.status() == 502
    lab.assert_known(name, server.log("connect() failed"))
    assert "successful" in server.run(lab.command(name, "mitigation", 1))
    server.reload(lab.command(name, "mitigation", 2))
    assert server.run(lab.check(name, "mitigation", 2, {"url": server.url})) == "200"


def test_502_after_a_backend_moved_does_not_happen_with_a_variable(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab
) -> None:
    name = "nginx-502-stale-address"
    port = free_port()
    names = Names("127.0.0.2")
    names.start()
    try:
        server = start(server=f"location / {{ proxy_pass http://127.0.0.2:{port}; }}")
        values = {
            "dns_server": f"127.0.0.1:{names.port}",
            "backend_name": "backend.test",
            "backend_port": str(port),
        }
        snippet = lab.command(name, "fix", 2, values).text.replace("valid=10s", "valid=1s")
        server.edit(server=f"location / {{ {snippet} }}")
        assert "successful" in server.run(lab.check(name, "fix", 2))
        server.reload(lab.command(name, "fix", 3))
        old = serve(port, "127.0.0.2")
        assert server.status() == 200
        old.stop()
        serve(port, "127.0.0.3")
        names.address = "127.0.0.3"
        check = lab.check(name, "fix", 3, {"url": server.url})
        wait_until(lambda: server.run(check) == "200", "nginx finds the new address by itself")
    finally:
        names.stop()


def test_too_big_header_is_found_and_a_larger_buffer_ends_it(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab
) -> None:
    name = "nginx-too-big-header"
    backend = serve()
    location = f"proxy_pass http://127.0.0.1:{backend.port};"
    server = start(server=f"location / {{ {location} }}")
    assert server.status("/big") == 502
    lab.assert_known(name, server.log("too big header"))
    server.edit(server=f"location / {{ {location} {lab.command(name, 'fix', 1).text} }}")
    assert "successful" in server.run(lab.check(name, "fix", 1))
    server.reload(lab.command(name, "fix", 2))
    assert server.run(lab.check(name, "fix", 2, {"url": server.url + "/big"})) == "200"


def test_504_is_found_and_shedding_answers_at_once(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab
) -> None:
    name = "nginx-504-upstream-timed-out"
    backend = serve()
    proxied = f"location / {{ proxy_pass http://127.0.0.1:{backend.port}; proxy_read_timeout 1s; }}"
    server = start(server=proxied)
    assert server.status("/slow") == 504
    lab.assert_known(name, server.log("upstream timed out"))
    shed = lab.command(name, "mitigation", 2, {"location": "/slow"}).text
    server.edit(server=proxied + shed)
    assert "successful" in server.run(lab.check(name, "mitigation", 2))
    server.reload(lab.command(name, "mitigation", 3))
    assert server.run(lab.check(name, "mitigation", 3, {"url": server.url + "/slow"})) == "503"
    assert server.status("/") == 200


def test_504_fix_allows_a_slow_call_its_time(start: Callable[..., Nginx], lab: Lab, tmp_path: Path) -> None:
    name = "nginx-504-upstream-timed-out"
    backend = Backend(free_port(), slow_seconds=2)
    try:
        target = f"proxy_pass http://127.0.0.1:{backend.port};"
        server = start(server=f"location / {{ {target} proxy_read_timeout 1s; }}")
        assert server.status("/slow") == 504
        longer = lab.command(name, "fix", 2, {"seconds": "20"}).text
        server.edit(server=f"location / {{ {target} {longer} }}")
        assert "successful" in server.run(lab.check(name, "fix", 2))
        server.reload(lab.command(name, "fix", 3))
        assert server.run(lab.check(name, "fix", 3, {"url": server.url + "/slow"})) == "200"
    finally:
        backend.stop()


def test_no_live_upstreams_is_found_and_both_ways_out_work(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab
) -> None:
    name = "nginx-no-live-upstreams"
    ports = [free_port(), free_port()]

    def group(*lines: str) -> str:
        return "upstream two { " + " ".join(lines) + " }"

    plain = [f"server 127.0.0.1:{port} fail_timeout=60s;" for port in ports]
    server = start(http=group(*plain), server="location / { proxy_pass http://two; }")
    assert server.status() == 502
    assert server.status() == 502
    lab.assert_known(name, server.log("no live upstreams"))
    backends = [serve(port) for port in ports]
    assert server.status() == 502, "both still rest"
    trying = [lab.command(name, "mitigation", 1, {"address": f"127.0.0.1:{b.port}"}).text for b in backends]
    server.edit(http=group(*trying))
    assert "successful" in server.run(lab.check(name, "mitigation", 1))
    server.reload(lab.command(name, "mitigation", 2))
    assert server.run(lab.check(name, "mitigation", 2, {"url": server.url})) == "200"

    values = {"upstream": "two", "address": f"127.0.0.1:{ports[0]}"}
    server.edit(http=group(lab.command(name, "fix", 2, values).text))
    assert "successful" in server.run(lab.check(name, "fix", 2))
    server.reload(lab.command(name, "fix", 3))
    assert server.run(lab.check(name, "fix", 3, {"url": server.url})) == "200"


def test_413_is_found_and_raising_the_limit_ends_it(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab, tmp_path: Path
) -> None:
    name = "nginx-413-body-too-large"
    upload = tmp_path / "upload"
    upload.write_bytes(bytes(2_000_000))
    location = f"proxy_pass http://127.0.0.1:{serve().port};"
    server = start(server=f"location / {{ {location} }}")
    assert server.status("/", "--data-binary", f"@{upload}") == 413
    lab.assert_known(name, server.log("too large body"))
    server.edit(server=f"location / {{ {location} {lab.command(name, 'fix', 1, {'size': '5'}).text} }}")
    assert "successful" in server.run(lab.check(name, "fix", 1))
    server.reload(lab.command(name, "fix", 2))
    values = {"file": str(upload), "url": server.url}
    assert server.run(lab.check(name, "fix", 2, values)) == "200"


@pytest.mark.parametrize(
    ("limits", "printed"),
    [
        ("events { worker_connections 4; }", "worker_connections are not enough"),
        ("worker_rlimit_nofile 12; events { worker_connections 64; }", "Too many open files"),
    ],
)
def test_running_out_of_connections_is_found_and_both_limits_raised(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab, limits: str, printed: str
) -> None:
    name = "nginx-worker-connections"
    backend = serve()
    server = start(main=limits, server=f"location / {{ proxy_pass http://127.0.0.1:{backend.port}; }}")
    waiting = []
    for _ in range(8):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        waiting.append(connection)
    lab.assert_known(name, server.log(printed))
    for connection in waiting:
        connection.close()
    raised = lab.command(name, "fix", 1, {"descriptors": "512", "connections": "128"}).text
    server.edit(main=raised)
    assert "successful" in server.run(lab.check(name, "fix", 1))
    old = server.workers()
    assert lab.command(name, "fix", 2).text == "nginx -s reload"
    server.run(lab.command(name, "fix", 2))
    wait_until(lambda: bool(server.workers() - old), "a new worker serves")
    check = lab.check(name, "fix", 2, {"url": server.url + "/"})
    wait_until(lambda: server.run(check) == "200", "requests are served again")
    (worker,) = server.workers() - old
    limit = next(
        line for line in Path(f"/proc/{worker}/limits").read_text().splitlines() if "open files" in line
    )
    assert limit.split()[3] == "512"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_old_certificate_is_served_until_the_reload(
    start: Callable[..., Nginx], lab: Lab, tmp_path: Path
) -> None:
    name = "nginx-old-certificate"
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"

    def issue(days: int) -> str:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out",
             str(certificate), "-days", str(days), "-subj", "/CN=edge.test"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        done = subprocess.run(
            ["openssl", "x509", "-noout", "-enddate", "-in", str(certificate)],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    first = issue(1)
    server = start(
        listen=" ssl",
        server=f"ssl_certificate {certificate}; ssl_certificate_key {key}; return 200 ok;",
    )
    values = {"host": "127.0.0.1", "port": str(server.port)}
    shown = lab.check(name, "mitigation", 2, values)
    assert server.run(shown) == first
    second = issue(30)
    assert server.run(shown) == first != second
    assert "successful" in server.run(lab.command(name, "mitigation", 1))
    server.reload(lab.command(name, "mitigation", 2))
    wait_until(lambda: server.run(shown) == second, "the new certificate is served")


@pytest.mark.skipif(shutil.which("lsof") is None, reason="lsof is not installed")
def test_a_deleted_log_is_let_go_by_reopen(start: Callable[..., Nginx], lab: Lab) -> None:
    name = "nginx-deleted-log-fills-disk"
    server = start(server="return 200 ok;")
    assert server.status() == 200
    log = server.folder / "access.log"
    log.rename(server.folder / "access.log.1")
    (server.folder / "access.log.1").unlink()
    shown = lab.check(name, "mitigation", 1)
    before = [line for line in server.run(shown).splitlines() if str(server.folder) in line]
    lab.assert_known(name, before[0].replace(str(server.folder), "/var/log/nginx"))
    assert server.status() == 200
    assert not log.exists()
    server.run(lab.command(name, "mitigation", 1))
    wait_until(log.exists, "the log is opened anew")
    wait_until(lambda: str(server.folder) not in server.run(shown), "the deleted file is let go")
    assert server.status() == 200
    assert "GET" in log.read_text()


def test_a_bad_reload_leaves_the_old_workers_serving(start: Callable[..., Nginx], lab: Lab) -> None:
    name = "nginx-reload-model"
    server = start(server="return 200 ok;")
    good = server.folder / "good.conf"
    shutil.copy(server.file, good)
    workers = server.workers()
    server.edit(main="events { worker_connectionz 64; }")
    assert "emerg" in server.run("nginx -s reload")
    os.kill(server.master, 1)
    server.log("unknown directive")
    assert server.workers() == workers
    assert server.status() == 200
    values = {
        "config_file": str(server.file), "good_config_file": str(good), "url": server.url,
        "broken_copy": str(server.folder / "nginx.conf.broken"),
    }  # fmt: skip
    server.run(lab.command(name, "lever", 1, values))
    assert "successful" in server.run(lab.check(name, "lever", 1))
    server.reload(lab.command(name, "lever", 2))
    assert server.run(lab.check(name, "lever", 2, values)) == "200"


def test_the_runbook_takes_one_upstream_out_and_puts_it_back(
    start: Callable[..., Nginx], serve: Callable[..., Backend], lab: Lab
) -> None:
    name = "nginx-take-upstream-out"
    good, bad = serve(), free_port()
    group = f"upstream app {{ server 127.0.0.1:{good.port} max_fails=0; server 127.0.0.1:{bad}; }}"
    server = start(
        http=f"log_format to '$upstream_addr'; {group}",
        server="access_log to.log to; location / { proxy_pass http://app; }",
    )
    values = {
        "config_file": str(server.file),
        "backup_file": str(server.folder / "nginx.conf.before"),
        "address": f"127.0.0.1:{bad}",
        "url": server.url,
        "backend_url": f"http://127.0.0.1:{good.port}/",
    }
    seen = server.folder / "to.log"
    for _ in range(4):
        assert server.status() == 200
    assert str(bad) in seen.read_text()
    server.run(lab.command(name, "mitigation", 1, values))
    assert ".before" in server.run(lab.check(name, "mitigation", 1, values))
    server.run(lab.command(name, "mitigation", 2, values))
    assert "down;" in server.run(lab.check(name, "mitigation", 2, values))
    assert "successful" in server.run(lab.command(name, "mitigation", 3))
    server.reload(lab.command(name, "mitigation", 4))
    seen.write_text("")
    for _ in range(4):
        assert server.run(lab.check(name, "mitigation", 4, values)) == "200"
    wait_until(lambda: seen.read_text().count("\n") >= 4, "four requests are logged")
    assert str(bad) not in seen.read_text()

    assert server.run(lab.command(name, "fix", 1, values)) == "200"
    server.run(lab.command(name, "fix", 2, values))
    assert "successful" in server.run(lab.check(name, "fix", 2))
    serve(bad)
    server.reload(lab.command(name, "fix", 3))
    seen.write_text("")
    for _ in range(4):
        assert server.run(lab.check(name, "fix", 3, values)) == "200"
    wait_until(lambda: seen.read_text().count("\n") >= 4, "four requests are logged")
    assert str(bad) in seen.read_text()


def test_the_5xx_runbook_counts_codes_messages_and_backends(start: Callable[..., Nginx], lab: Lab) -> None:
    bad = free_port()
    server = start(server=f"location / {{ proxy_pass http://127.0.0.1:{bad}; }}")
    for _ in range(3):
        assert server.status() == 502
    server.log("connect() failed")
    section = next(s for s in lab.entries["nginx-5xx-spike"].sections if s.title == "Diagnosis")
    lines = lab.entries["nginx-5xx-spike"].text.split("\n")[section.span.first_line : section.span.last_line]
    commands = [line.strip() for line in lines if line.strip().startswith("tail ")]
    values = {
        "<access_log>": str(server.folder / "access.log"),
        "<error_log>": str(server.folder / "error.log"),
    }
    answers = []
    for command in commands:
        text = command
        for raw, value in values.items():
            text = text.replace(raw, value)
        answers.append(server.run(text))
    assert answers[0].split() == ["3", "502"]
    assert answers[1].startswith("3 connect() failed (111: Connection refused)")
    assert answers[2].split() == ["3", f"127.0.0.1:{bad}"]


VALUES = {
    "address": "127.0.0.1:1", "location": "/busy", "upstream": "group", "dns_server": "127.0.0.1",
    "backend_name": "127.0.0.1", "backend_port": "1", "seconds": "90", "size": "10", "descriptors": "4096",
    "connections": "1024",
}  # fmt: skip


def test_every_snippet_of_the_content_is_understood_by_nginx(start: Callable[..., Nginx], lab: Lab) -> None:
    server = start(server="return 200 ok;")
    wrong: list[tuple[str, str]] = []
    checked = 0
    for entry in lab.entries.values():
        for block in fenced(entry, "nginx"):
            text = with_values(block, VALUES)
            if " resolve;" in text:
                continue  # not in the open source of every version
            places: list[dict[str, str]] = [
                {"main": text},
                {"server": text},
                {"server": f"location /place {{ {text} }}"},
                {"http": f"upstream place {{ {text} server 127.0.0.1:2; }}"},
            ]
            checked += 1
            plain = {"main": "events { worker_connections 64; }", "server": "", "http": ""}
            fits = False
            for place in places:
                server.edit(**(plain | place))
                fits = fits or "test is successful" in server.run("nginx -t")
            if not fits:
                wrong.append((entry.id, text))
    assert wrong == []
    assert checked >= 9
