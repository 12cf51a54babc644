"""Fork and join, as the papers' programs do it for every batch: threads that live as long as one call."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def forked(work: Callable[[Task], Result], tasks: list[Task]) -> list[Result]:
    """Return ``work(task)`` of every task, each in a thread of its own; the first runs in the caller's.

    All threads have ended when this returns. Where some raised, the first error in the tasks' order is raised again.
    """
    results: dict[int, Result] = {}
    errors: dict[int, BaseException] = {}

    def run(index: int) -> None:
        try:
            results[index] = work(tasks[index])
        except BaseException as error:  # noqa: BLE001  handed to the caller below
            errors[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(1, len(tasks))]
    for thread in threads:
        thread.start()
    run(0)
    for thread in threads:
        thread.join()
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(len(tasks))]


def gil() -> str:
    """Return ``on`` or ``off``: whether threads of this interpreter take turns."""
    return "on" if sys.version_info < (3, 13) or sys._is_gil_enabled() else "off"  # noqa: SLF001  its only name
