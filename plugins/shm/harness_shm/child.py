"""``python -m harness_shm.child SOCKET``: a worker process. The backend ends it; it also ends if the parent dies.

It reads messages from an inherited socket, so standard input stays free and the program that uses the backend needs no
``if __name__ == "__main__"``.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from harness_blas.parts import ThreadLimit

from harness import Layer, Network
from harness_shm import wire
from harness_shm.barrier import Barrier
from harness_shm.member import Board, Do, Member
from harness_shm.memory import mapped


def serve(connection: socket.socket) -> NoReturn:
    """Carry out commands until the parent ends this process or dies."""
    hello, (control_file, model_file) = wire.receive(connection)
    control = mapped(control_file)
    board = Board(control)
    barrier = Barrier(control, hello["rank"], hello["workers"], _watch(connection))
    layers = tuple(Layer(**layer) for layer in hello["layers"])
    network = Network(layers=layers, loss=hello["loss"], dtype=hello["dtype"])
    member = Member(network, hello["rank"], hello["workers"], mapped(model_file), barrier)
    while True:
        barrier.wait()
        command = board.read()
        if command.do == Do.ATTACH:
            attach(member, connection)
        member.carry_out(command)
        barrier.wait()


def attach(member: Member, connection: socket.socket) -> None:
    """Map the memory that the parent sends. The earlier memory is freed with its last array."""
    message, (handle,) = wire.receive(connection)
    take = member.attach_set if message["what"] == "set" else member.attach_buffers
    take(mapped(handle), message["rows"])


def _watch(connection: socket.socket) -> Callable[[], None]:
    """Return a function that ends this process if the parent is dead, which is seen as a closed socket."""
    poll = select.poll()
    poll.register(connection, 0)

    def alive() -> None:
        if poll.poll(0):
            os._exit(0)  # nothing needs to be flushed

    return alive


def main(descriptor: int) -> None:
    """Serve commands. Send an error to the parent, which would otherwise only see that this process ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    ThreadLimit(1)
    with socket.socket(fileno=descriptor) as connection:
        try:
            serve(connection)
        except EOFError:
            return  # the parent died before it had sent everything
        except Exception as error:
            wire.send(connection, {"error": f"{type(error).__name__}: {error}"}, [])
            raise


if __name__ == "__main__":
    main(int(sys.argv[1]))
