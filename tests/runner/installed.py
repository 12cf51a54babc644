"""Install the faulty plugin, and another whose package is missing, into a folder."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.site import Site, offering, spec
from tests.runner.faulty import FAULTS

ROOT = Path(__file__).parents[2]
LAUNCHER = f"""
import sys

def launcher(workers, options, hosts):
    return [sys.executable, {str(ROOT / "tests/machine/process/ranks.py")!r}, str(workers)]

"""
CODE = "from tests.runner.faulty import Faulty as Faulty\n"


def faulty_site(folder: Path) -> Site:
    """Return a folder with the plugins installed; ``PYTHONPATH`` must name ``ROOT`` besides."""
    made = Site(folder)
    values = ("healthy", "unsupported", "unavailable", "wrong", *FAULTS)
    described = spec("faulty", implementation="harness_faulty.backend:Faulty", options={"fault": values})
    absent = spec("absent", requires=("no_such_package",), install="pip install nothing")
    ranks = spec("ranks", implementation="harness_faulty.backend:Faulty", options={"fault": values})
    launched = ranks.replace("BackendSpec(", "BackendSpec(launcher=launcher, ", 1)
    source = f"{LAUNCHER}{offering(described, absent, launched)}"
    made.install("faulty", source, files={"backend.py": CODE})
    return made
