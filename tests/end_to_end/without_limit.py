"""``harness`` as it is, but for the machine's limit: that takes a second in each round, and is tested elsewhere."""

from __future__ import annotations

import sys
from functools import partial

from harness.cli import main
from harness.session import running

if __name__ == "__main__":
    vars(running)["run_cells"] = partial(vars(running)["run_cells"], limit=None)
    sys.exit(main())
