"""The pytest plugin: ``pytest --pyargs harness.conformance --harness-backend NAME`` checks one configuration.

An entry point registers it, so every pytest session of the environment loads it. Therefore it imports nothing heavy and
leaves all other tests alone.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from harness.conformance.target import Target, Trial

HERE = Path(__file__).parent
PARTS = {
    "contract": "what a backend must offer and how it must live",
    "numbers": "what a backend must compute",
    "manners": "what a backend must leave alone",
}
TARGET: pytest.StashKey[Any] = pytest.StashKey()
TRIAL: pytest.StashKey[Trial] = pytest.StashKey()
"""What a first tiny batch has shown, as soon as it has run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command-line options that say what is checked."""
    group = parser.getgroup("harness", "conformance of a backend")
    group.addoption("--harness-backend", metavar="NAME", help="a backend's name, or module:Class")
    group.addoption("--harness-options", action="append", default=[], metavar="NAME=VALUE", help="one option")
    group.addoption("--harness-workers", type=int, default=1, metavar="N", help="workers (1)")
    group.addoption("--harness-level", choices=("quick", "full"), default="quick", help="quick: pairs of values")
    group.addoption("--harness-known", action="append", default=[], metavar="CHECK=REASON", help="a known failure")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    for part, sentence in PARTS.items():
        config.addinivalue_line("markers", f"{part}: {sentence} (harness.conformance)")
    config.addinivalue_line("markers", "full: only at --harness-level full (harness.conformance)")


def ours(item: pytest.Item) -> bool:
    """Return whether a test is one of this package's checks."""
    return item.path.parent == HERE


def check_name(item: pytest.Item) -> str:
    """Return a check's name as verdicts show it."""
    return item.name.removeprefix("test_")


def part_of(item: pytest.Item) -> str:
    """Return the part of the suite that a check belongs to."""
    return next(part for part in PARTS if item.get_closest_marker(part))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks of a higher level, and mark known failures."""
    checks = [item for item in items if ours(item)]
    if not checks:
        return
    target = loaded(config)
    if target.level == "quick":
        late = [item for item in checks if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in late]
        config.hook.pytest_deselected(items=late)
    _mark_known(config, target, checks)


def loaded(config: pytest.Config) -> Target:
    """Return the class under test of this session; import it at the first call.

    Raise ``pytest.UsageError`` if no backend is named or if it cannot be imported.
    """
    from harness.conformance import target  # noqa: PLC0415  heavy, and needed only by a check
    from harness.errors import HarnessError  # noqa: PLC0415  as above

    if TARGET not in config.stash:
        name = config.getoption("--harness-backend")
        if not name:
            raise pytest.UsageError("harness.conformance: say which backend: --harness-backend NAME")
        options = dict(_pair(word, "--harness-options") for word in config.getoption("--harness-options"))
        workers, level = config.getoption("--harness-workers"), config.getoption("--harness-level")
        try:
            config.stash[TARGET] = target.load(name, options, workers, level)
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error
    return cast("Target", config.stash[TARGET])


def _pair(word: str, option: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise pytest.UsageError(f"{option} {word!r}: write NAME=VALUE")
    return name, value


def _mark_known(config: pytest.Config, target: Target, checks: list[pytest.Item]) -> None:
    from harness.conformance.configuration import reason_for  # noqa: PLC0415  as above

    known = dict(target.spec.known_failures)
    known |= dict(_pair(word, "--harness-known") for word in config.getoption("--harness-known"))
    for item in checks:
        reason = reason_for(known, check_name(item), str(target.configuration))
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the command that repeats a failed check to its report."""
    report = yield
    if ours(item) and report.failed:
        report.sections.append(("repeat", loaded(item.config).repeat(check_name(item))))
    return report
