from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir

import pytest

from harness.errors import RequestError
from harness.store import Store, StoreError, connection, failure
from tests.samples import a_cell, a_row, a_run


def refused(path: Path, *, reading: bool = True) -> str:
    with pytest.raises(RequestError) as caught:
        (Store.read if reading else Store.open)(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


BOTH = pytest.mark.parametrize("reading", [True, False])


def test_reading_never_creates_a_store(path: Path) -> None:
    assert "no such store" in refused(path)
    assert list(path.parent.iterdir()) == []


def test_an_empty_file_holds_nothing_to_read_and_can_be_written(path: Path) -> None:
    path.touch()
    assert "empty" in refused(path)
    with Store.open(path) as store:
        assert store.rows() == []


@BOTH
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(path: Path, *, reading: bool) -> None:
    path.write_text("a,b\n1,2\n" * 500)
    before = path.read_bytes()
    assert "no store" in refused(path, reading=reading)
    assert path.read_bytes() == before


@BOTH
def test_the_database_of_another_program_is_refused_and_left_as_it_was(path: Path, *, reading: bool) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    before = path.read_bytes()
    assert "another program" in refused(path, reading=reading)
    assert path.read_bytes() == before


@BOTH
def test_a_store_of_a_newer_harness_is_refused(filled: Path, *, reading: bool) -> None:
    with sqlite3.connect(filled) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert "newer harness (schema 99" in refused(filled, reading=reading)


@BOTH
def test_a_folder_is_refused(tmp_path: Path, *, reading: bool) -> None:
    assert "folder" in refused(tmp_path, reading=reading)


@BOTH
def test_a_device_is_refused(*, reading: bool) -> None:
    assert "is a file" in refused(Path("/dev/null"), reading=reading)


@BOTH
def test_a_missing_folder_is_named(tmp_path: Path, *, reading: bool) -> None:
    assert "there is no folder" in refused(tmp_path / "none" / "results.db", reading=reading)


@pytest.mark.parametrize("kept", [50, 1000, 6000])
def test_a_truncated_store_is_one_clear_error(filled: Path, kept: int) -> None:
    filled.write_bytes(filled.read_bytes()[:kept])
    with pytest.raises((RequestError, StoreError)) as caught, Store.read(filled) as store:
        store.rows()
    assert str(filled) in str(caught.value)
    assert "choose another store" in str(caught.value)


@pytest.mark.parametrize("name", [":memory:", "100%.db", "a?mode=memory", "#.db", 'it\'s "so" <b>.db', "ü𝄞.db"])
def test_odd_names_are_names_of_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open(name) as store:
        run = a_run()
        store.begin(run, [])
        store.add(run, a_row())
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    with Store.read(name) as store:
        assert len(store.rows()) == 1


def test_only_one_file_is_left(filled: Path) -> None:
    assert list(filled.parent.iterdir()) == [filled]


def as_nobody(code: str, path: Path) -> str:
    """Run code as a user to whom the permissions of folders apply, root is none; return what it printed."""
    before = (
        "import os, sys, pathlib\nfrom harness.store import Store, Run\nfrom harness.store import StoreError\n"
        "path = pathlib.Path(sys.argv[1]); run = Run(study='s', machine='m', code='c')\n"
        "os.geteuid() or (os.setgid(65534), os.setuid(65534))\n"
    )
    words = [sys.executable, "-c", before + code, path]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=240).stdout


@pytest.fixture
def read_only(filled: Path) -> Iterator[Path]:
    for folder in filled.parents:
        if Path(gettempdir()) in folder.parents:  # what pytest and its workers have made, and another user has to pass
            folder.chmod(0o755)
    filled.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    filled.parent.chmod(0o555)
    yield filled
    filled.parent.chmod(0o755)


def test_a_read_only_file_in_a_read_only_folder_can_be_read(read_only: Path) -> None:
    assert as_nobody("print(len(Store.read(path).rows()))", read_only) == "4\n"


@pytest.mark.parametrize("name", ["results.db", "new.db"])
def test_a_read_only_folder_is_refused_for_writing(read_only: Path, name: str) -> None:
    code = "try:\n    Store.open(path)\nexcept StoreError as error: print(error)"
    assert "choose another store" in as_nobody(code, read_only.with_name(name))


def test_a_writable_store_in_a_read_only_folder_is_refused_before_anything_is_measured(read_only: Path) -> None:
    read_only.chmod(0o666)
    code = "try:\n    Store.open(path)\nexcept StoreError as error: print(error)"
    assert "choose another store" in as_nobody(code, read_only)


def test_a_full_disk_loses_no_row_that_was_finished(path: Path) -> None:
    with Store.open(path) as store:
        run = a_run()
        store.begin(run, [])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(StoreError, match="full; make room and run again"):  # noqa: PT012  any of them may be it
            for turn in range(1, 1000):
                store.add(run, a_row(turn=turn, stderr="x" * 1000))
        kept = len(store.rows())
    assert kept > 1
    with Store.open(path) as store:
        assert len(store.rows()) == kept
        store.add(run, a_row(turn=kept + 1))


def test_a_full_device_is_one_clear_error(path: Path) -> None:
    """The same from the system's side: the file may not grow beyond 64 KiB."""
    code = (
        "import resource, signal, sys; from harness.errors import HarnessError; from harness.store import Store\n"
        "from tests.samples import a_row, a_run\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "store, run = Store.open(sys.argv[1]), a_run()\n"
        "store.begin(run, [])\n"
        "try:\n"
        "    for turn in range(1, 1000): store.add(run, a_row(turn=turn, stderr='x' * 1000))\n"
        "except HarnessError as error: print(turn - 1, error)\n"
    )
    here = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=240, cwd=here
    )
    kept, _, message = done.stdout.partition(" ")
    assert "all rows before this one are safe" in message
    with Store.read(path) as store:
        assert len(store.rows()) == int(kept) > 1


WRITER = """
import sys
from harness.store import Store
from tests.samples import a_cell, a_row, a_run
cell, run = a_cell(batch=int(sys.argv[2])), a_run()
with Store.open(sys.argv[1]) as store:
    store.begin(run, [cell])
    for turn in range(1, 41):
        store.add(run, a_row(cell, turn))
        print(turn, flush=True)
"""


def writer(path: Path, batch: int) -> subprocess.Popen[str]:
    here = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, str(batch)], stdout=subprocess.PIPE, text=True, cwd=here
    )


def test_two_processes_create_and_write_one_store_at_once(path: Path) -> None:
    writers = [writer(path, 32), writer(path, 64), writer(path, 64)]
    assert [process.communicate(timeout=240)[0].count("\n") for process in writers] == [40, 40, 40]
    with Store.read(path) as store:
        assert len(store.stored(every=True)) == 120
        assert len(store.rows()) == 80
        assert len(store.done(a_run(), [a_cell(), a_cell(batch=64)])) == 80


def test_a_reader_beside_a_writer_sees_whole_rows(path: Path) -> None:
    busy = writer(path, 32)
    assert busy.stdout.readline() == "1\n"
    seen = []
    while busy.poll() is None:
        with Store.read(path) as store:
            seen.append(len(store.rows()))
    busy.communicate()
    assert seen == sorted(seen)
    assert seen


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_writer_that_is_killed_loses_nothing_that_was_added(path: Path, after: int) -> None:
    victim = writer(path, 32)
    for _ in range(after):
        told = int(victim.stdout.readline())
    victim.kill()
    victim.communicate()
    with Store.read(path) as store:
        rounds = [row.round for row in store.rows()]
    assert rounds == list(range(1, len(rounds) + 1))
    assert len(rounds) >= told == after


def test_a_journal_that_a_killed_writer_left_is_rolled_back_by_a_reader(filled: Path) -> None:
    code = (
        "import os, sys, sqlite3; base = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "base.execute('PRAGMA cache_spill = ON'); base.execute('PRAGMA cache_size = 1'); base.execute('BEGIN')\n"
        "base.execute('UPDATE measurements SET stderr = ?', ('x' * 200000,)); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, filled], check=False, timeout=240)
    assert filled.with_name("results.db-journal").exists()
    with Store.read(filled) as store:
        assert [row.stderr for row in store.rows()] == [""] * 4


MADE_UP = {
    "4.sql": "-- four\nALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm; and kind';\n",
    "5.sql": "UPDATE runs SET mood = 'glad';\nCREATE TABLE moods (name TEXT);\n",
}


@pytest.fixture
def version_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later harness, with two migrations."""
    scripts = tmp_path / "scripts"
    (scripts / "migrations").mkdir(parents=True)
    for name, script in MADE_UP.items():
        (scripts / "migrations" / name).write_text(script)
    monkeypatch.setattr(connection, "SCRIPTS", scripts)
    monkeypatch.setattr(connection, "VERSION", 5)
    return scripts


def moods(store: Store) -> list[str]:
    return [mood for (mood,) in store._connection.execute("SELECT mood FROM runs")]


@pytest.mark.usefixtures("filled", "version_5")
def test_an_older_store_is_brought_up_step_by_step(filled: Path) -> None:
    with Store.open(filled) as store:
        assert moods(store) == ["glad"]
        assert len(store.rows()) == 4
    with sqlite3.connect(filled) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (5,)
    raw.close()


@pytest.mark.usefixtures("filled", "version_5")
def test_an_older_store_is_read_without_being_changed(filled: Path) -> None:
    before = filled.read_bytes()
    with Store.read(filled) as store:
        assert moods(store) == ["glad"]
        assert len(store.rows()) == 4
    assert filled.read_bytes() == before


def test_a_migration_that_fails_changes_nothing(filled: Path, version_5: Path) -> None:
    (version_5 / "migrations" / "5.sql").write_text("UPDATE runs SET mood = 'glad'; DROP TABLE nowhere;\n")
    before = filled.read_bytes()
    with pytest.raises(StoreError, match="nowhere"):
        Store.open(filled)
    assert filled.read_bytes() == before


def test_a_lock_that_is_never_released_is_a_clear_error(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(filled, isolation_level=None)
    with Store.open(filled) as store, closing(other):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process kept it locked"):
            store.begin(a_run(), [])
        other.execute("ROLLBACK")
        store.begin(a_run(), [])


def test_every_table_and_view_of_the_schema_is_explained() -> None:
    for number in range(1, connection.VERSION + 1):
        lines = connection.SCRIPTS.joinpath(f"migrations/{number}.sql").read_text(encoding="utf-8").splitlines()
        made = [at for at, line in enumerate(lines) if line.startswith("CREATE") and "INDEX" not in line]
        assert all(lines[at - 1].startswith("--") for at in made)


def test_the_migrations_are_the_whole_schema() -> None:
    names = {entry.name for entry in connection.SCRIPTS.joinpath("migrations").iterdir()}
    assert names == {f"{number}.sql" for number in range(1, connection.VERSION + 1)}
    assert not connection.SCRIPTS.joinpath("schema.sql").is_file()
