"""``check``: run every configuration in a process of its own, started like a cell, and give one verdict."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.conformance import uninstalled
from harness.conformance.configuration import LEVELS, Configuration, Level, configurations, stale
from harness.conformance.session import Session
from harness.conformance.verdict import CheckResult, NotConforming, Outcome, Verdict
from harness.contract import registry
from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.errors import RequestError, Unavailable, Unsupported, nearest

Progress = Callable[[str], None]
"""Called with one line that names the configuration and the check that runs now."""

AGREEMENT_CHECK = "every_number_of_workers_ends_in_the_same_weights"
"""The check that writes down its weights, to be compared between the processes."""
AGREEMENT = "numbers_of_workers_agree"
"""The name of the result of this comparison."""


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
    """Check a backend, given by name or as ``module:Class``; return the verdict or raise ``NotConforming`` with it.

    ``options`` and ``workers`` limit it to some configurations, ``word`` (as pytest's ``-k``) to some checks.
    ``known_failures`` maps names of checks to reasons, in addition to those of the spec. Each check may take
    ``seconds``. A wrong request is a ``RequestError``; a backend that cannot run here at all is ``Unavailable``.
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
    """Which configurations and checks are run, and how long each check may take."""

    options: Mapping[str, Option] | None = None
    workers: tuple[int, ...] = ()
    level: Level = "full"
    word: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0


def examine(name: str, request: Request, progress: Progress = lambda _: None) -> Verdict:
    """Return the verdict, good or bad; raise for a wrong request or a backend that cannot run here at all."""
    if importlib.util.find_spec("pytest") is None:
        raise Unavailable("check needs pytest; install with: pip install 'backprop-harness[check]'")
    if request.level not in LEVELS:
        raise RequestError(f"level={request.level!r} is unknown{nearest(str(request.level), LEVELS)}")
    spec = _spec(name, request.options or {})
    failures = {**spec.known_failures, **request.known}
    results: list[CheckResult] = []
    sessions = [
        Session(name, spec, configuration, request.level, request.word, failures, request.seconds, progress)
        for configuration in configurations(spec, request.level, request.options, request.workers)
    ]
    for session in sessions:
        results += session.run()
    _refuse_what_was_named(name, request, sessions)
    results += agreement(sessions)
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
    """Raise if no configuration could run: a configuration that was asked for by name then is a refused request.

    If nothing special was asked for, a backend that says ``Unsupported`` to everything gets a bad verdict instead.
    """
    if not all(session.refusal for session in sessions):
        return
    named = request.options is not None or bool(request.workers)
    kinds = [session.kind for session in sessions]
    if "Unavailable" in kinds:
        raise Unavailable(f"{name}: {sessions[kinds.index('Unavailable')].refusal}")
    if named:
        raise Unsupported(f"{name}: {sessions[0].refusal}")


def _stale(name: str, failures: Mapping[str, str], results: Sequence[CheckResult]) -> list[CheckResult]:
    ran = [(result.name, result.configuration) for result in results]
    text = "is named as a known failure, but no such check exists: remove it from the list"
    return [
        CheckResult(key, "contract", "all configurations", "failed", text, f"harness check {name} --level full")
        for key in stale(failures, ran)
    ]


class _Checked(Protocol):
    """What the comparison needs of a session that has run."""

    name: str
    level: Any
    configuration: Configuration
    properties: dict[str, dict[str, Any]]


def agreement(sessions: Sequence[_Checked]) -> list[CheckResult]:
    """Do 1, 2 and 3 workers end in the same weights? Compare what the sessions have written down.

    Return one result for every number of workers after the first; a session without weights is left out.
    """
    results = []
    for first, other in _pairs(sessions):
        weights = first.properties[AGREEMENT_CHECK], other.properties[AGREEMENT_CHECK]
        text = _difference(*weights, first.configuration.workers)
        repeat = f"harness check {other.name} --workers {first.configuration.workers} {other.configuration.workers}"
        repeat += f" --level {other.level} -k {AGREEMENT_CHECK}"
        outcome: Outcome = "failed" if text else "passed"
        results.append(CheckResult(AGREEMENT, "numbers", str(other.configuration), outcome, text, repeat))
    return results


def _pairs(sessions: Sequence[_Checked]) -> Iterator[tuple[_Checked, _Checked]]:
    """Yield each session with the first one that has the same options."""
    first: dict[object, _Checked] = {}
    for session in sessions:
        if not session.properties.get(AGREEMENT_CHECK):
            continue
        earlier = first.setdefault(session.configuration.options, session)
        if earlier is not session:
            yield earlier, session


def _difference(first: dict[str, Any], other: dict[str, Any], workers: int) -> str:
    """Return the worst difference that is larger than the allowed distance from the reference, or an empty string."""
    worst, text = 1.0, ""
    for array, (mine, theirs, allowed) in enumerate(
        zip(first["weights"], other["weights"], first["allowed"], strict=True)
    ):
        for index, (a, b, free) in enumerate(zip(mine, theirs, allowed, strict=True)):
            excess = abs(a - b) / free
            if not excess <= worst:
                part = "bias" if array % 2 else "weights"
                text = f"{part} of layer {array // 2}, element {index}, is {b:.9g}, with {workers} workers {a:.9g}: "
                text += f"differs by {abs(a - b):.3g}, allowed {free:.3g}"
                worst = excess
    return text
