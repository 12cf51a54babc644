"""Say for whom a command waits before it may measure."""

from __future__ import annotations

import sys

from harness.errors import clean
from harness.machine.lock import Holder


def waiting(holder: Holder | None, *, advice: str = "") -> None:
    """Print who measures on this machine now; ``advice`` says what else the user can do."""
    whom = "another run" if holder is None else str(holder)
    line = f"waiting for {whom}: one run at a time measures on a machine{'; ' if advice else ''}{advice}"
    print(f"harness: {clean(line)}", file=sys.stderr)
