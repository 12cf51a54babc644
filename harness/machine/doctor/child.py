"""``python -m harness.machine.doctor.child``: load NumPy and SciPy, and deliver their thread pools."""

from __future__ import annotations

import importlib
import importlib.util

from harness.machine.facts.threads import pools
from harness.machine.process import child

LIBRARIES = ("numpy", "scipy.linalg")


def main() -> None:
    """Import those of the libraries that are installed, and deliver ``{"pools": [...]}``."""
    child.receive()
    for name in LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    child.deliver({"pools": pools()})


if __name__ == "__main__":
    main()
