"""``check``: every configuration in a process of its own, started as a cell is, and one verdict for all."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.conformance import agreement, known, uninstalled
from harness.conformance.configuration import LEVELS, Level, configurations
from harness.conformance.session import Session
from harness.conformance.verdict import NotConforming, Result, Verdict
from harness.contract import registry
from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.errors import RequestError, Unavailable, Unsupported, nearest

Progress = Callable[[str], None]
"""Called with the configuration and the check that runs now."""


def check(  # noqa: PLR0913  one argument for each option of the command
    name: str,
    *,
    options: Mapping[str, Option] | None = None,
    workers: Sequence[int] = (),
    level: Level = "full",
    word: str = "",
    known_failures: Mapping[str, str] | None = None,
    seconds: float = 60.0,
    progress: Progress = lambda _: None,
) -> Verdict:
    """Check a backend, by name or as ``module:Class``, and return the verdict; one that fails is ``NotConforming``.

    ``options`` and ``workers`` narrow it to some configurations, ``word`` (as pytest's ``-k``) to some checks.
    ``known_failures`` maps checks to reasons, beside those of the spec. Each check may take ``seconds``.
    """
    verdict = examine(
        name,
        Request(options, tuple(workers), level, word, dict(known_failures or {}), seconds),
        progress,
    )
    if not verdict:
        raise NotConforming(verdict)
    return verdict


@dataclass(frozen=True)
class Request:
    """What of a backend is checked, and how."""

    options: Mapping[str, Option] | None = None
    workers: tuple[int, ...] = ()
    level: Level = "full"
    word: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0


def examine(name: str, request: Request, progress: Progress = lambda _: None) -> Verdict:
    """Return the verdict, whatever it is; a wrong request, or one that cannot run here at all, is raised."""
    if importlib.util.find_spec("pytest") is None:
        raise Unavailable("check needs pytest; install with: pip install 'backprop-harness[check]'")
    if request.level not in LEVELS:
        raise RequestError(f"level={request.level!r} is unknown{nearest(str(request.level), LEVELS)}")
    spec = _spec(name, request.options or {})
    failures = {**spec.known_failures, **request.known}
    results: list[Result] = []
    sessions = [
        Session(name, spec, one, request.level, request.word, failures, request.seconds, progress)
        for one in configurations(spec, request.level, request.options, request.workers)
    ]
    for session in sessions:
        results += session.run()
    _refuse_what_was_named(name, request, sessions)
    results += agreement.results(sessions)
    if not request.word and request.level == "full" and request.options is None and not request.workers:
        results += _stale(name, failures, results)
    return Verdict(name, request.level, tuple(results))


def _spec(name: str, options: Mapping[str, Option]) -> BackendSpec:
    if ":" in name:
        return uninstalled.before_import(name, {option: str(value) for option, value in options.items()})
    spec = registry.spec(name)
    absent = registry.missing(spec)
    if absent:
        raise Unavailable(f"{name} {absent}")
    return spec


def _refuse_what_was_named(name: str, request: Request, sessions: Sequence[Session]) -> None:
    """Raise where nothing could run: what was asked for by name is a refused request, not a verdict.

    A backend that says ``Unsupported`` to everything, without being asked for anything special, falls short.
    """
    if not all(session.refusal for session in sessions):
        return
    named = request.options is not None or bool(request.workers)
    kinds = [session.kind for session in sessions]
    if "Unavailable" in kinds:
        raise Unavailable(f"{name}: {sessions[kinds.index('Unavailable')].refusal}")
    if named:
        raise Unsupported(f"{name}: {sessions[0].refusal}")


def _stale(name: str, failures: Mapping[str, str], results: Sequence[Result]) -> list[Result]:
    ran = [(result.name, result.configuration) for result in results]
    text = "is named as a known failure, but no such check exists: take it off the list"
    return [
        Result(key, "contract", "all configurations", "failed", text, f"harness check {name} --level full")
        for key in known.stale(failures, ran)
    ]
