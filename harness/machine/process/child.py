"""The child's side: ``receive`` the request, ``deliver`` messages. Two interpreters need to share no more than this.

The channel is a private folder, because launchers such as ``mpiexec`` and ``torchrun`` pass on no open files. Its path
and a random token come in one variable. ``receive`` takes that variable out of the environment at once, before any
plugin is loaded. What a plugin prints goes elsewhere and can never be taken for a message.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import RequestError

VARIABLE = "HARNESS_CHANNEL"
REQUEST = "request.json"

_channel: dict[str, str] = {}


def receive() -> dict[str, Any]:
    """Return the request that the parent gave to ``Start``. Call it first, and once in a process.

    From then on a fatal signal, and the polite one that is sent before a limit is enforced, prints where Python stood.
    Raise ``RequestError`` if the harness did not start this process, or if the folder is not on this machine.
    """
    described = os.environ.pop(VARIABLE, None)
    if described is None:
        raise RequestError(f"{VARIABLE} is not set: this module is started by the harness, never by hand")
    token, _, folder = described.partition(":")
    _channel.update(token=token, folder=folder)
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGTERM, chain=True)
    try:
        request: dict[str, Any] = json.loads(Path(folder, REQUEST).read_bytes())
    except FileNotFoundError:
        raise RequestError(
            f"{folder} is not on this machine: ranks on several machines need a TMPDIR that all of them share"
        ) from None
    return request


def deliver(message: Mapping[str, Any]) -> None:
    """Send one message of plain data to the parent. It arrives complete or not at all.

    With a ``"type"`` the message is news and goes to ``on_message``. Without one it is the result: the last one counts,
    and the process should end soon after it. Raise ``RequestError`` if ``receive`` was not called before.
    """
    if not _channel:
        raise RequestError("deliver was called before receive; call receive first")
    kind = "news" if "type" in message else "result"
    text = json.dumps({"token": _channel["token"], "message": dict(message)})
    name = f"{kind}-{time.monotonic_ns():020d}-{os.getpid()}.json"
    draft = Path(_channel["folder"], f".{name}")
    draft.write_text(text)
    draft.replace(draft.with_name(name))
