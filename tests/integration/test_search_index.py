"""The index on disk: incremental equals full, damage is noticed, nothing foreign runs, kills lose nothing."""

import errno
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.search import codec, indexing
from kb_app.search.catalogue_file import load_cards
from kb_app.search.columns import FORMAT
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.indexing import update_index
from kb_app.search.manifest import read_manifest
from kb_app.search.model import IndexProgress, SearchRequest
from kb_app.search.names_file import NAMES
from kb_app.search.storage import IndexStorage

CONFIG = KnowledgeBaseConfig()
WORDS = (
    "gateway",
    "lease",
    "cache",
    "shard",
    "broker",
    "quota",
    "ledger",
    "probe",
    "replica",
    "tenant",
    "drain",
)
WORDS += ("cursor", "token", "mirror", "beacon")


def write_pages(root: Path, count: int, seed: int = 1) -> None:
    source = random.Random(seed)
    for number in range(count):
        folder = root / f"part{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        body = "\n\n".join(" ".join(source.choices(WORDS, k=12)) + f" page{number}" for _ in range(6))
        code = f"```\nERR{number:04} failed\n```"
        text = f"# Entry {number} about {source.choice(WORDS)}\n\n## Symptoms\n\n{body}\n\n{code}\n"
        (folder / f"entry-{number}.md").write_text(text, encoding="utf-8")


def answers(root: Path, folder: Path) -> list[list[tuple[str, float]]] | None:
    """Return the hits of questions with their scores; None when an answer says that it is partial."""
    engine = SearchEngine.open([IndexedBase(root.name, folder, CONFIG)])
    questions = [*WORDS, "lease lost cache", '"gateway lease"', "ERR0003", "entry 5", "quot"]
    try:
        found = [engine.search(SearchRequest(question, is_typing=True)) for question in questions]
    finally:
        engine.close()
    if any(answer.is_partial for answer in found):
        return None
    return [[(hit.path, round(hit.score, 3)) for hit in answer.hits] for answer in found]


def fresh_answers(root: Path, folder: Path) -> list[list[tuple[str, float]]] | None:
    update_index(root, root.name, folder, CONFIG)
    return answers(root, folder)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    root = tmp_path / "base"
    write_pages(root, 24)
    return root


def test_incremental_equals_full(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    (base / "part0/entry-0.md").write_text("# Now about beacons\n\nbeacon beacon mirror\n", encoding="utf-8")
    (base / "part1/entry-1.md").unlink()
    (base / "new.md").write_text("# New page\n\ntoken drain quota\n", encoding="utf-8")
    report = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert (report.added, report.changed, report.removed, report.pages) == (1, 1, 1, 24)
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_many_small_updates_are_merged_and_still_equal(base: Path, tmp_path: Path) -> None:
    for number in range(9):
        (base / f"extra-{number}.md").write_text(
            f"# Extra {number}\n\nlease {WORDS[number]}\n", encoding="utf-8"
        )
        (base / "part2/entry-2.md").write_text(f"# Round {number}\n\ncache\n", encoding="utf-8")
        update_index(base, "base", tmp_path / "ix", CONFIG)
    manifest = read_manifest(tmp_path / "ix")
    assert manifest is not None
    assert len(manifest.segments) <= indexing.MAX_SMALL_SEGMENTS + 1
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_told_what_changed_nothing_else_is_looked_at(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    (base / "part0/entry-0.md").write_text("# Now about beacons\n\nbeacon\n", encoding="utf-8")
    (base / "part0/entry-3.md").write_text("# Not told\n\nbeacon\n", encoding="utf-8")
    (base / "part1/entry-1.md").unlink()
    (base / "new.md").write_text("# New page\n\ntoken drain quota\n", encoding="utf-8")
    told = [
        "part0/entry-0.md",
        "part1/entry-1.md",
        "new.md",
        "gone-long-ago.md",
        "picture.png",
        "../x.md",
        "/y.md",
    ]
    report = update_index(base, "base", tmp_path / "ix", CONFIG, paths=told)
    assert (report.added, report.changed, report.removed, report.pages) == (1, 1, 1, 24)
    report = update_index(base, "base", tmp_path / "ix", CONFIG, paths=[])
    assert (report.added, report.changed, report.removed) == (0, 0, 0)
    assert update_index(base, "base", tmp_path / "ix", CONFIG).changed == 1  # the one nobody told of
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_a_folder_that_was_told_stands_for_all_below_it(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    shutil.move(base / "part0", base / "moved")
    report = update_index(base, "base", tmp_path / "ix", CONFIG, paths=["part0", "moved/"])
    assert (report.added, report.removed, report.pages) == (8, 8, 24)
    shutil.rmtree(base / "moved")
    report = update_index(base, "base", tmp_path / "ix", CONFIG, paths=["moved"])
    assert (report.removed, report.pages) == (8, 16)
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_while_there_is_no_complete_index_everything_is_looked_at(base: Path, tmp_path: Path) -> None:
    assert update_index(base, "base", tmp_path / "ix", CONFIG, paths=["new.md"]).pages == 24


def test_an_engine_that_is_reopened_answers_like_a_new_one(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    update_index(base, "base", folder, CONFIG)
    engine = SearchEngine.open([IndexedBase("base", folder, CONFIG)])
    source = random.Random(3)
    for number in range(7):
        page = source.choice(sorted(base.rglob("*.md")))
        page.unlink()
        (base / f"extra-{number}.md").write_text(f"# Extra {number}\n\nlease drain lost\n", encoding="utf-8")
        update_index(base, "base", folder, CONFIG)
        engine.reopen()
        for question in ("lease lost", "drain", "extra", "entry 5"):
            answer = engine.search(SearchRequest(question, is_typing=True))
            fresh = SearchEngine.open([IndexedBase("base", folder, CONFIG)])
            expected = fresh.search(SearchRequest(question, is_typing=True))
            fresh.close()
            assert answer.hits == expected.hits
            assert answer.facets == expected.facets
    (folder / "manifest.json").unlink()
    engine.reopen()
    assert engine.is_partial
    assert engine.search(SearchRequest("extra 6")).hits
    engine.close()


def test_nothing_changed_means_nothing_read_or_written(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    before = {p.name: p.read_bytes() for p in (tmp_path / "ix").iterdir() if p.name != codec.TIMES}
    report = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert (report.added, report.changed, report.removed, report.pages) == (0, 0, 0, 24)
    assert {p.name: p.read_bytes() for p in (tmp_path / "ix").iterdir() if p.name != codec.TIMES} == before


@pytest.mark.parametrize("offset_ns", [0, -10 * 365 * 86_400 * 10**9, 10 * 365 * 86_400 * 10**9])
def test_a_change_under_an_old_or_odd_time_is_found(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset_ns: int
) -> None:
    monkeypatch.setattr(indexing, "RACY_NS", 0)
    page = base / "part0/entry-0.md"
    past = time.time_ns() - 3_600 * 10**9
    os.utime(page, ns=(past, past))
    time.sleep(0.05)
    update_index(base, "base", tmp_path / "ix", CONFIG)
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("page0", "pagex"), encoding="utf-8")  # the same size
    os.utime(page, ns=(past + offset_ns, past + offset_ns))
    assert update_index(base, "base", tmp_path / "ix", CONFIG).changed == 1


def test_a_touched_file_is_not_indexed_again(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    for page in base.rglob("*.md"):
        os.utime(page)
    report = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert (report.added, report.changed) == (0, 0)


def test_indexing_changes_no_byte_of_the_pages(base: Path, tmp_path: Path) -> None:
    def tree() -> dict[str, tuple[str, int]]:
        return {
            str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
            for p in base.rglob("*")
            if p.is_file()
        }

    before = tree()
    update_index(base, "base", tmp_path / "ix", CONFIG)
    answers(base, tmp_path / "ix")
    assert tree() == before


def test_the_index_is_private_and_never_inside_the_pages(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    if os.name == "posix":
        assert (tmp_path / "ix").stat().st_mode & 0o777 == 0o700
    with pytest.raises(UsageError):
        update_index(base, "base", base / ".index", CONFIG)
    assert not (base / ".index").exists()


def test_other_settings_make_it_anew_and_say_why(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    report = update_index(base, "base", tmp_path / "ix", KnowledgeBaseConfig(ignore=("part0/",)))
    assert report.is_rebuilt
    assert "settings" in report.reason
    assert report.pages == 16


def test_an_index_of_another_format_is_made_anew_and_says_why(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    update_index(base, "base", folder, CONFIG)
    manifest = folder / "manifest.json"
    body = json.loads(manifest.read_text().split("\n")[1])
    body["format"] = FORMAT - 1
    text = json.dumps(body, separators=(",", ":"))
    manifest.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}\n")
    (folder / "times.json").write_text("{}")  # what older versions left
    report = update_index(base, "base", folder, CONFIG)
    assert (report.is_rebuilt, report.added, report.reason) == (
        True,
        24,
        "the index was written by another version",
    )
    assert not (folder / "times.json").exists()
    assert answers(base, folder) == fresh_answers(base, tmp_path / "full")


def _mutations(data: bytes, source: random.Random) -> list[bytes]:
    size = max(len(data), 1)
    spot = source.randrange(size)
    flipped = bytearray(data)
    if data:
        flipped[spot] ^= 1 << source.randrange(8)
    zeroed = bytearray(data)
    zeroed[spot : spot + 512] = bytes(len(zeroed[spot : spot + 512]))
    return [bytes(flipped), data[:spot], bytes(zeroed), b""]


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_never_changes_the_answers(base: Path, tmp_path: Path, seed: int) -> None:
    """Flip, cut, zero and empty every file: the answers are those of a fresh index, or of names alone."""
    folder = tmp_path / "ix"
    expected = fresh_answers(base, folder)
    sound = tmp_path / "sound"
    shutil.copytree(folder, sound)
    source = random.Random(seed)
    for file in sorted(sound.iterdir()):
        if file.name.endswith("LOCK") or file.name.endswith(".lock"):
            continue
        for mutated in _mutations(file.read_bytes(), source):
            shutil.rmtree(folder)
            shutil.copytree(sound, folder)
            (folder / file.name).write_bytes(mutated)
            assert answers(base, folder) in (expected, None), file.name
            shutil.rmtree(folder)
            shutil.copytree(sound, folder)
            (folder / file.name).write_bytes(mutated)
            update_index(base, "base", folder, CONFIG)
            assert answers(base, folder) == expected, file.name


def test_a_file_cut_short_while_open_is_survived(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    update_index(base, "base", folder, CONFIG)
    engine = SearchEngine.open([IndexedBase("base", folder, CONFIG)])
    cold = next(folder.glob("*.cold"))
    os.truncate(cold, 20)
    answer = engine.search(SearchRequest("lease cache"))
    engine.close()
    assert answer.is_partial
    report = update_index(base, "base", folder, CONFIG)
    assert report.pages == 24
    assert answers(base, folder) == fresh_answers(base, tmp_path / "full")


def test_a_full_disk_at_any_write_leaves_the_old_index_or_the_new(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ix"
    old = fresh_answers(base, folder)
    sound = tmp_path / "sound"
    shutil.copytree(folder, sound)
    (base / "new.md").write_text("# New\n\nlease lease lease quota\n", encoding="utf-8")
    new = fresh_answers(base, tmp_path / "full")
    real, failures = os.fsync, 0
    for failing in range(1, 40):
        shutil.rmtree(folder)
        shutil.copytree(sound, folder)
        calls = 0

        def full(descriptor: int, failing: int = failing) -> None:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        try:
            update_index(base, "base", folder, CONFIG)
            finished = True
        except EnvironmentFault:
            finished = False
            failures += 1
        monkeypatch.setattr(os, "fsync", real)
        assert answers(base, folder) in (old, new, None)
        assert update_index(base, "base", folder, CONFIG).pages == 25
        assert answers(base, folder) == new
        if finished:
            break
    assert failures > 3


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.system, (f"touch {self.target}",))


@pytest.mark.parametrize("also_in_manifest", [False, True])
def test_a_planted_pickle_does_not_run(base: Path, tmp_path: Path, also_in_manifest: bool) -> None:
    folder, canary = tmp_path / "ix", tmp_path / "canary"
    update_index(base, "base", folder, CONFIG)
    toc = next(folder.glob("_MAIN_*.toc"))
    data = toc.read_bytes()
    planted = data[: data.rindex(b"\x80")] + pickle.dumps(Canary(canary))
    toc.write_bytes(planted)
    if also_in_manifest:  # somebody who can write the manifest too
        manifest = folder / "manifest.json"
        body = json.loads(manifest.read_text().split("\n")[1])
        body["toc"]["sha256"] = hashlib.sha256(planted).hexdigest()
        body["toc"]["size"] = len(planted)
        text = json.dumps(body, separators=(",", ":"))
        manifest.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}\n")
    (base / "new.md").write_text("# New\n\nlease\n", encoding="utf-8")
    report = update_index(base, "base", folder, CONFIG)
    assert not canary.exists()
    assert report.is_rebuilt
    assert answers(base, folder) == fresh_answers(base, tmp_path / "full")


def test_whoosh_itself_refuses_a_planted_pickle(tmp_path: Path) -> None:
    storage = IndexStorage(tmp_path)
    with storage.create_file("x") as file:
        file.write(pickle.dumps(Canary(tmp_path / "canary")))
    with storage.open_file("x") as file, pytest.raises(pickle.UnpicklingError):
        file.read_pickle()
    assert not (tmp_path / "canary").exists()


def test_a_cancelled_run_keeps_what_it_did_and_goes_on(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "CHUNK_PAGES", 5)
    seen: list[IndexProgress] = []
    report = update_index(
        base, "base", tmp_path / "ix", CONFIG,
        on_progress=seen.append,
        is_cancelled=lambda: bool(seen) and seen[-1].phase == "pages" and seen[-1].done >= 10,
    )  # fmt: skip
    assert report.pages == 10
    report = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert (report.added, report.pages) == (14, 24)
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_names_are_searchable_before_texts(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ix"
    found: list[str] = []

    def look(progress: IndexProgress) -> None:
        if progress.phase == "names" and progress.done == progress.total:
            engine = SearchEngine.open([IndexedBase("base", folder, CONFIG)])
            answer = engine.search(SearchRequest("entry 7"))
            found.append(answer.hits[0].path if answer.is_partial else "complete")
            engine.close()

    update_index(base, "base", folder, CONFIG, on_progress=look)
    assert found == ["part1/entry-7.md"]


def test_names_of_a_first_run_are_ready_made_and_gone_when_it_is_complete(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ix"
    monkeypatch.setattr(indexing, "CHUNK_PAGES", 5)
    seen: list[IndexProgress] = []
    update_index(
        base, "base", folder, CONFIG,
        on_progress=seen.append, is_cancelled=lambda: bool(seen) and seen[-1].phase == "pages",
    )  # fmt: skip
    assert (folder / NAMES).exists()
    engine = SearchEngine.open([IndexedBase("base", folder, CONFIG)])
    assert engine.document_count == 24
    assert engine.search(SearchRequest("entry 7")).hits[0].path == "part1/entry-7.md"
    whole = (folder / NAMES).read_bytes()
    for damaged in (b"", whole[:-1], whole[:40] + b"x" + whole[41:], b"no such thing\n", whole + b"x"):
        (folder / NAMES).write_bytes(damaged)
        engine.reopen()  # from the cards, then
        assert engine.search(SearchRequest("entry 7")).hits[0].path == "part1/entry-7.md"
    engine.close()
    update_index(base, "base", folder, CONFIG)
    assert not (folder / NAMES).exists()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_what_a_helper_had_that_was_killed_is_done_again(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "CHUNK_PAGES", 2)
    monkeypatch.setattr(indexing, "PARALLEL_PAGES", 1)
    (base / "program.md").write_bytes(b"\x7fELF\0\0")
    killed: list[int] = []

    def kill_one(progress: IndexProgress) -> None:
        if progress.phase == "pages" and progress.done >= 6 + 6 * len(killed) and len(killed) < 2:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
            helpers = [
                c for c in map(int, children) if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()
            ]
            os.kill(helpers[0], signal.SIGKILL)
            killed.append(helpers[0])

    report = update_index(base, "base", tmp_path / "ix", CONFIG, processes=2, on_progress=kill_one)
    assert len(killed) == 2
    assert (report.pages, report.added) == (24, 24)
    assert [skipped.path for skipped in report.skipped] == ["program.md"]
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


def test_the_cards_are_those_of_the_pages(base: Path, tmp_path: Path) -> None:
    update_index(base, "base", tmp_path / "ix", CONFIG)
    (base / "part1/entry-1.md").unlink()
    update_index(base, "base", tmp_path / "ix", CONFIG)
    cards = load_cards(tmp_path / "ix")
    assert [card.path for card in cards] == sorted(str(p.relative_to(base)) for p in base.rglob("*.md"))
    assert all(card.title.startswith("Entry ") for card in cards)


def test_an_unreadable_page_is_reported_and_the_rest_indexed(base: Path, tmp_path: Path) -> None:
    os.mkfifo(base / "pipe.md")
    report = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert report.pages == 24
    assert [skipped.path for skipped in report.skipped] == ["pipe.md"]


def test_two_processes_do_the_same_as_one(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "CHUNK_PAGES", 4)
    monkeypatch.setattr(indexing, "PARALLEL_PAGES", 1)
    update_index(base, "base", tmp_path / "ix", CONFIG, processes=2)
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


@pytest.mark.parametrize("processes", [1, 2])
def test_many_parts_are_one_segment_in_the_end(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(indexing, "CHUNK_PAGES", 2)
    monkeypatch.setattr(indexing, "FLUSH_PAGES", 5)
    monkeypatch.setattr(indexing, "PARALLEL_PAGES", 1)
    report = update_index(base, "base", tmp_path / "ix", CONFIG, processes=processes)
    assert (report.pages, report.added) == (24, 24)
    manifest = read_manifest(tmp_path / "ix")
    assert manifest is not None
    assert len(manifest.segments) == 1
    assert len(load_cards(tmp_path / "ix")) == 24
    assert answers(base, tmp_path / "ix") == fresh_answers(base, tmp_path / "full")


_ENDLESS = """
import sys
from pathlib import Path
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search import indexing
indexing.CHUNK_PAGES, indexing.CHECKPOINT_S = 3, 0.0
root, folder = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
for number in range(10_000):
    (root / "busy.md").write_text(f"# Busy {number}\\n\\nlease {number}\\n")
    indexing.update_index(root, "base", folder, KnowledgeBaseConfig(), rebuild=number % 5 == 4)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_kills_at_any_moment_lose_nothing(base: Path, tmp_path: Path) -> None:
    folder, source = tmp_path / "ix", random.Random(7)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS, str(base), str(folder)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(source.uniform(0.0, 0.4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        report = update_index(base, "base", folder, CONFIG)
        assert report.pages == len(list(base.rglob("*.md")))
        shutil.rmtree(tmp_path / "full", ignore_errors=True)
        assert answers(base, folder) == fresh_answers(base, tmp_path / "full")
    files = {p.suffix for p in folder.iterdir()}
    assert len(list(folder.glob("*.hot"))) == len(list(folder.glob("*.cold")))
    assert ".toc" in files


_PARALLEL = """
import sys
from pathlib import Path
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search import indexing
indexing.CHUNK_PAGES, indexing.PARALLEL_PAGES = 1, 1
def tell(progress):
    if progress.phase == "pages":
        print(progress.done, flush=True)
if __name__ == "__main__":
    root, folder = Path(sys.argv[1]), Path(sys.argv[2])
    indexing.update_index(root, "base", folder, KnowledgeBaseConfig(), processes=2, on_progress=tell)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_helpers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    write_pages(tmp_path / "base", 400)
    script = tmp_path / "run.py"
    script.write_text(_PARALLEL, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "base"), str(tmp_path / "ix")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    helpers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text(encoding="ascii").split()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert len(helpers) >= 2
    until = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in helpers):
        assert time.monotonic() < until, "helpers stayed behind"
        time.sleep(0.05)


def test_a_binary_that_is_called_a_page_is_left_out_with_a_reason(base: Path, tmp_path: Path) -> None:
    (base / "program.md").write_bytes(b"\x7fELF\x02\x01\x01\0\0\0 lease lost " + bytes(200))
    first = update_index(base, "base", tmp_path / "ix", CONFIG)
    assert [(s.path, "not text" in s.reason) for s in first.skipped] == [("program.md", True)]
    assert "program.md" not in {card.path for card in load_cards(tmp_path / "ix")}
    (base / "program.md").write_text("# Now a page\n", encoding="utf-8")
    assert update_index(base, "base", tmp_path / "ix", CONFIG).added == 1
