"""Run one child process so that nothing it does can harm, outlive or deceive the process that started it.

Three processes take part, and each has a module. The *parent* (``parent``) calls ``run``. It starts a *guardian*
(``guardian``), a small Python in a session of its own, which starts the *child* (``child``), or a launcher whose ranks
are the children. The guardian holds the limits (``watch``). It is a subreaper: every descendant that loses its parent
becomes its child, so none can hide (``tree``). It ends them all when the child ends, when a limit is passed, or when
the parent has ended; and the child ends with the guardian. The child writes its messages into a private folder. Of what
it prints, only the last lines are kept.

Every name is loaded on first use, so that the guardian and the child load only what they need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.machine.process.parent import Ended as Ended
    from harness.machine.process.parent import Limits as Limits
    from harness.machine.process.parent import Start as Start
    from harness.machine.process.parent import State as State
    from harness.machine.process.parent import run as run

_PARENT = "harness.machine.process.parent"
_NAMES = ("Ended", "Limits", "Start", "State", "run")


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'harness.machine.process' has no attribute {name!r}")
    return getattr(importlib.import_module(_PARENT), name)
