"""The child's end of the channel: ``receive`` the request, ``deliver`` messages. All that two interpreters share.

The channel is a private folder, because launchers such as ``mpiexec`` and ``torchrun`` pass no open files on. Its path
and a random token come in one variable that ``receive`` takes out of the environment at once, before any plugin is
loaded; what a plugin prints goes elsewhere and can never pass for a message.
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
    """Return the request that the parent gave to ``Start``; call it first, once a process.

    Also makes fatal signals, and the polite one that comes before a limit is enforced, print where Python stood.
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
            f"{folder} is not on this machine: for ranks on several, let TMPDIR name a folder that all of them share"
        ) from None
    return request


def deliver(message: Mapping[str, Any]) -> None:
    """Hand one message of plain data to the parent: whole or not at all.

    With a ``"type"`` it is news on the way and goes to ``on_message``. Without one it is the result, the last one
    counts, and the process is expected to end soon after it.
    """
    if not _channel:
        raise RequestError("deliver comes after receive")
    kind = "news" if "type" in message else "result"
    text = json.dumps({"token": _channel["token"], "message": dict(message)})
    name = f"{kind}-{time.monotonic_ns():020d}-{os.getpid()}.json"
    draft = Path(_channel["folder"], f".{name}")
    draft.write_text(text)
    draft.replace(draft.with_name(name))
