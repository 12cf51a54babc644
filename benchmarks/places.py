"""Where a module of the harness lies at the commit that is measured; asv also looks at commits before the move."""

from __future__ import annotations

import importlib
from types import ModuleType

EARLIER = {
    "harness.contract.network": "harness.network",
    "harness.contract.registry": "harness.registry",
    "harness.machine.launch": "harness.launch",
    "harness.machine.process": "harness.process",
    "harness.machine.process.child": "harness.process.child",
    "harness.plan.cell": "harness.cell",
    "harness.runner.loop": "harness.runner",
    "harness.runner.row": "harness.row",
}
"""Today's paths, and those of the commits before."""


def module(path: str) -> ModuleType:
    """Import a module by today's path, or by its earlier one where the commit has only that."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise
        return importlib.import_module(EARLIER[path])
