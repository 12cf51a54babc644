"""One store that several processes create or migrate at the same time."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from harness.store import Store
from tests.samples import a_cell, a_row, a_run
from tests.store.conftest import make_old

PROCESSES, STORES = 4, 50


def create(folder: Path, batch: int, together: Barrier) -> None:
    """Create each store at the same moment as the other processes do, and put one row into it."""
    run, cell = a_run(), a_cell(batch=batch)
    try:
        for number in range(STORES):
            together.wait(timeout=60)
            with Store.open(folder / f"{number}.db") as store:
                store.begin(run, [cell])
                store.add(run, a_row(cell))
    except BaseException:
        together.abort()  # so that the others do not wait for this one
        raise


def create_together(folder: Path) -> list[int | None]:
    """Return the exit codes of the processes that ran ``create``."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(PROCESSES)
    processes = [context.Process(target=create, args=(folder, 32 + rank, together)) for rank in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    return [process.exitcode for process in processes]


def rows_of_each(folder: Path) -> list[int]:
    counts = []
    for number in range(STORES):
        with Store.read(folder / f"{number}.db") as store:
            counts.append(len(store.rows()))
    return counts


def test_200_creations_by_4_processes_at_once_all_succeed_and_lose_no_row(tmp_path: Path) -> None:
    assert create_together(tmp_path) == [0] * PROCESSES
    assert rows_of_each(tmp_path) == [PROCESSES] * STORES


def test_4_processes_that_migrate_one_store_at_once_all_succeed(tmp_path: Path) -> None:
    for number in range(STORES):
        make_old(tmp_path / f"{number}.db", 1)
    assert create_together(tmp_path) == [0] * PROCESSES
    assert rows_of_each(tmp_path) == [PROCESSES] * STORES
