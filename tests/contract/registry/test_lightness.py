"""What the light parts load. Held as lists of modules, because a timed assertion would fail on a busy machine."""

from __future__ import annotations

import json

import pytest

from tests.fakes.site import Site

LOADED = """
import json, sys
before = set(sys.modules)
try:
    {action}
except SystemExit:
    pass
after = set(sys.modules) - before
foreign = sorted(n for n in after if n.partition(".")[0] not in sys.stdlib_module_names)
print(json.dumps(foreign), file=sys.stderr)
"""
HEAVY = ("numpy", "scipy", "rich", "torch", "numba", "pytest", "multiprocessing", "asyncio", "sqlite3", "http")


def loaded(site: Site, action: str) -> list[str]:
    ran = site.python("-c", LOADED.format(action=action))
    assert ran.code == 0, ran.err
    return list(json.loads(ran.err.splitlines()[-1]))


def test_import_harness_loads_one_module(site: Site) -> None:
    assert loaded(site, "import harness") == ["harness"]


def test_help_loads_the_command_line_alone(site: Site) -> None:
    action = "from harness.cli import main; main(['--help'])"
    assert set(loaded(site, action)) == {
        "harness",
        "harness.cli",
        "harness.cli.codes",
        "harness.cli.door",
        "harness.cli.streams",
        "harness.errors",
        "harness._version",
    }


def test_the_registry_loads_pluggy_and_the_plugins_spec_modules_and_no_numpy(site: Site) -> None:
    foreign = loaded(site, "import harness; harness.backends()")
    assert {name.partition(".")[0] for name in foreign if not name.startswith("harness_")} == {"harness", "pluggy"}
    assert not [name for name in foreign if name.startswith("harness_") and name.endswith(".backend")]


@pytest.mark.parametrize("command", ["['--help']", "['--version']", "['backends']"])
def test_nothing_heavy_is_loaded_by(site: Site, command: str) -> None:
    found = site.python("-X", "importtime", "-c", f"from harness.cli import main; main({command})")
    names = {line.rpartition("|")[2].strip() for line in found.err.splitlines() if line.startswith("import time:")}
    assert "harness.cli" in names
    assert not names & set(HEAVY)


def test_a_network_is_made_without_numpy(site: Site) -> None:
    foreign = loaded(site, "import harness; harness.Network.dense([2, 3, 1])")
    assert "numpy" not in foreign
