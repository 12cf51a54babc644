"""Messages between parent and child over a Unix socket: JSON together with descriptors of shared memory."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

HEADER = 8
FILES = 2


def send(connection: socket.socket, message: dict[str, Any], handles: list[int]) -> None:
    """Send a message with open files; the receiver gets descriptors of its own."""
    body = json.dumps(message).encode()
    socket.send_fds(connection, [len(body).to_bytes(HEADER, "little")], handles)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its open files; raise ``EOFError`` if the other process has closed it."""
    header, handles, _, _ = socket.recv_fds(connection, HEADER, FILES)
    for handle in handles:
        os.set_inheritable(handle, False)  # noqa: FBT003  its only parameter
    header += _exactly(connection, HEADER - len(header))
    return json.loads(_exactly(connection, int.from_bytes(header, "little"))), handles


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        if not chunk:
            raise EOFError("the other end is gone")
        received += chunk
    return received
