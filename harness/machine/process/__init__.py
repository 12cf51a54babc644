"""Run one child process so that nothing it does can hurt, outlive or deceive the one who started it.

Three processes take part. The *parent* calls ``run``. It starts a *guardian*, a tiny Python of its own session, which
starts the *child* (or a launcher whose ranks are the children) and holds the limits: as a subreaper it inherits every
descendant that loses its parent, so none can hide, and it ends them all when the child ends, when a limit is passed,
or when the parent is no more. The child dies with the guardian. What the child has to say it writes into a private
folder (``harness.machine.process.child``); what it prints is only kept to its last lines.

Every name is loaded on first use, so that the guardian and the child load only what they need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.machine.process.parent import run as run
    from harness.machine.process.start import Ended as Ended
    from harness.machine.process.start import Limits as Limits
    from harness.machine.process.start import Start as Start
    from harness.machine.process.start import State as State

_HOME = {
    "Ended": "harness.machine.process.start",
    "Limits": "harness.machine.process.start",
    "Start": "harness.machine.process.start",
    "State": "harness.machine.process.start",
    "run": "harness.machine.process.parent",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'harness.machine.process' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
