"""A team of threads. ``run`` calls a piece of work once in every member and returns when all are done.

``Pool`` keeps its threads for as long as it lives; ``Fork`` creates and joins them for every piece of work, as the
papers' programs do for every batch. Member 0 is the calling thread in both. A member that raises breaks the barrier,
so that no other member waits for it, and ``run`` raises its error again.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from harness import RequestError

Work = Callable[[int], None]
"""A piece of work, called with the member's number."""


class Team(ABC):
    """``size`` members and their barrier, which every member passes equally often in one piece of work."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.barrier = threading.Barrier(size)

    def run(self, work: Work) -> None:
        """Call ``work(number)`` in every member. Raise the first error that is not caused by a broken barrier."""
        errors: dict[int, BaseException] = {}
        self.barrier.reset()

        def guarded(number: int) -> None:
            try:
                work(number)
            except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
                errors[number] = error
                self.barrier.abort()

        self._spread(guarded)
        if errors:
            causes = [error for error in errors.values() if not isinstance(error, threading.BrokenBarrierError)]
            raise (causes or list(errors.values()))[0]

    @abstractmethod
    def _spread(self, guarded: Work) -> None:
        """Call ``guarded(number)``, which never raises, in every member and return when all have returned."""

    @abstractmethod
    def close(self) -> None:
        """End the threads; twice is fine."""


class Fork(Team):
    """Threads that live as long as one piece of work."""

    def _spread(self, guarded: Work) -> None:
        threads = [threading.Thread(target=guarded, args=(number,)) for number in range(1, self.size)]
        try:
            for thread in threads:
                thread.start()
            guarded(0)
        except BaseException:
            self.barrier.abort()
            raise
        finally:
            _join(threads)

    def close(self) -> None:
        """Do nothing: the threads have already ended."""


class Pool(Team):
    """Threads that wait for work. They are daemons, so Python can end even if the backend was never closed."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._inboxes: list[SimpleQueue[Callable[[], None] | None]] = [SimpleQueue() for _ in range(1, size)]
        self._threads = [
            threading.Thread(target=_serve, args=(inbox,), name=f"harness-threads-{number}", daemon=True)
            for number, inbox in enumerate(self._inboxes, start=1)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.close()
            raise

    def _spread(self, guarded: Work) -> None:
        if len(self._inboxes) < self.size - 1:
            raise RequestError("threads: the backend is closed; make a new one")
        done: SimpleQueue[int] = SimpleQueue()

        def part(number: int) -> Callable[[], None]:
            def act() -> None:
                guarded(number)
                done.put(number)

            return act

        sent = 0
        try:
            for number, inbox in enumerate(self._inboxes, start=1):
                inbox.put(part(number))
                sent += 1
            guarded(0)
        except BaseException:
            self.barrier.abort()
            raise
        finally:
            for _ in range(sent):
                done.get()

    def close(self) -> None:
        """End every thread and wait until it has ended."""
        self.barrier.abort()
        for inbox in self._inboxes:
            inbox.put(None)
        _join(self._threads)
        self._inboxes, self._threads = [], []


def _join(threads: Iterable[threading.Thread]) -> None:
    """Join the threads that were started."""
    for thread in threads:
        if thread.ident is not None:
            thread.join()


def _serve(inbox: SimpleQueue[Callable[[], None] | None]) -> None:
    while (part := inbox.get()) is not None:
        part()
        del part  # it refers to the backend, which could not be freed while this thread waits
