"""The parent's side: start and end the children, send them memory and commands, and notice when one has died."""

from __future__ import annotations

import mmap
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import NamedTuple

from harness import HarnessError, Network
from harness_shm import wire
from harness_shm.barrier import Barrier, control_size
from harness_shm.member import Board, Command, Do, Member
from harness_shm.memory import created, model_size


class WorkerLostError(HarnessError):
    """A worker process ended while it was needed. The backend cannot continue and must be closed."""


class Child(NamedTuple):
    """One worker process and the socket to it."""

    rank: int
    process: subprocess.Popen[bytes]
    connection: socket.socket


class Team:
    """``workers`` processes, this one as number 0, which takes part in every command."""

    def __init__(self, network: Network, workers: int) -> None:
        self._children: list[Child] = []
        self._lost = ""
        with created(control_size(workers)) as (control, memory), created(model_size(network)) as (model, weights):
            self._board = Board(memory)
            barrier = Barrier(memory, 0, workers, self._alive)
            self._member: Member | None = Member(network, 0, workers, weights, barrier)
            try:
                for rank in range(1, workers):
                    self._start(rank)
                for child in self._children:
                    hello = {"rank": child.rank, "workers": workers, **asdict(network)}
                    self._send(child, hello, [control, model])
            except BaseException:
                self.close()
                raise

    @property
    def member(self) -> Member:
        """The member of this process. Raise ``WorkerLostError`` if the team is closed or has lost a worker."""
        if self._member is None:
            raise WorkerLostError(self._lost)
        return self._member

    def do(self, command: Command) -> None:
        """Carry out the command in every worker, this process included. Return when all are done."""
        member = self.member
        try:
            self._board.write(command)
            member.barrier.wait()
            member.carry_out(command)
            member.barrier.wait()
        except BaseException as error:
            self._lost = self._lost or f"shm: the workers were ended after {type(error).__name__}; make a new backend"
            self.close()
            raise

    def attach(self, what: str, rows: int, size: int) -> mmap.mmap:
        """Give every child ``size`` new bytes for its ``set`` or ``buffers`` of ``rows`` rows; return this map."""
        try:
            with created(size) as (handle, memory):
                for child in self._children:
                    self._send(child, {"what": what, "rows": rows}, [handle])
                self.do(Command(Do.ATTACH))
        except BaseException:
            self.close()  # a child that was sent these bytes and no command would take them for the next ones
            raise
        return memory

    def close(self) -> None:
        """End the children, wait for each one so that no zombie is left, and free the memory.

        They are killed because that is fastest. They own nothing but shared memory, which the system frees.
        """
        self._lost = self._lost or "shm: the backend is closed; make a new one"
        self._member = None
        for child in self._children:
            child.connection.close()
            child.process.kill()
        for child in self._children:
            child.process.wait()
        self._children = []

    def _start(self, rank: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            command = [sys.executable, "-P", "-m", "harness_shm.child", str(descriptor)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[descriptor])
        self._children.append(Child(rank, process, ours))

    def _send(self, child: Child, message: dict[str, object], handles: list[int]) -> None:
        try:
            wire.send(child.connection, message, handles)
        except OSError as error:
            self._alive()
            raise WorkerLostError(f"shm: worker {child.rank} does not listen: {error}") from error

    def _alive(self) -> None:
        """Raise if a child has ended, with the error that it sent or with its exit code or signal."""
        for child in self._children:
            if child.process.poll() is not None:
                self._lost = f"shm: worker {child.rank} (process {child.process.pid}) {_last_words(child)}"
                raise WorkerLostError(self._lost)


def _last_words(child: Child) -> str:
    child.connection.settimeout(0)
    try:
        message, _ = wire.receive(child.connection)
    except (EOFError, OSError):
        code = child.process.returncode
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"raised {message['error']}"
