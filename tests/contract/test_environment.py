from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import batches, combined, library_threads, one_library_thread, threads
from harness.contract.environment import THREAD_VARIABLES, applied, inherited


def test_library_threads_gives_every_known_library_the_workers() -> None:
    assert library_threads(3, {}) == threads(3) == dict.fromkeys(THREAD_VARIABLES, "3")
    assert {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "PJRT_NPROC"} <= set(
        THREAD_VARIABLES
    )


def test_one_library_thread_is_one_whatever_the_workers() -> None:
    assert one_library_thread(8, {}) == threads(1)


def test_inherited_changes_nothing() -> None:
    assert applied({"A": "1"}, inherited(4, {})) == {"A": "1"}


def test_combined_pieces_are_applied_in_order_and_see_workers_and_options() -> None:
    both = combined(one_library_thread, lambda workers, options: {"OMP_NUM_THREADS": f"{workers}", "X": options["x"]})
    variables = both(5, {"x": "y"})
    assert (variables["OMP_NUM_THREADS"], variables["MKL_NUM_THREADS"], variables["X"]) == ("5", "1", "y")


def test_none_removes_a_variable_and_the_base_is_left_alone() -> None:
    base = {"KEEP": "1", "DROP": "2"}
    assert applied(base, {"DROP": None, "NEW": "3", "ABSENT": None}) == {"KEEP": "1", "NEW": "3"}
    assert base == {"KEEP": "1", "DROP": "2"}


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [
        (6, 3, [(0, 3), (3, 6)]),
        (7, 3, [(0, 3), (3, 6), (6, 7)]),
        (2, 5, [(0, 2)]),
        (3, 1, [(0, 1), (1, 2), (2, 3)]),
        (0, 4, []),
    ],
)
def test_batches_cover_all_rows_in_order(rows: int, size: int, expected: list[tuple[int, int]]) -> None:
    assert list(batches(rows, size)) == [slice(*pair) for pair in expected]


@given(st.integers(0, 300), st.integers(1, 400))
def test_every_row_is_in_exactly_one_batch_and_only_the_last_is_ragged(rows: int, size: int) -> None:
    cut = list(batches(rows, size))
    assert [row for one in cut for row in range(one.start, one.stop)] == list(range(rows))
    assert all(one.stop - one.start == size for one in cut[:-1])
    assert all(one.step is None for one in cut)
