"""How the process of a backend is started: its environment, the words of its launcher, and the CPUs that it may use.

Every command that starts such a process (``run``, ``check``, ``gate``) asks here, so all of them start it alike.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from harness.contract.environment import Options, applied
from harness.contract.spec import BackendSpec
from harness.errors import HarnessError, PluginError
from harness.machine.cores import affinity, threads_of_core


@dataclass(frozen=True)
class Launch:
    """What a process is started with."""

    environment: dict[str, str]
    """The complete environment: this process's own with the backend's variables applied."""
    words: tuple[str, ...] = ()
    """Words to put before the command line of the process; empty without a launcher."""
    cpus: frozenset[int] | None = None
    """The only CPUs that the process and its children may use; ``None``: all that this process may use."""


def launch(spec: BackendSpec, workers: int, options: Options, hosts: Sequence[str] = ()) -> Launch:
    """Return how to start a process of this backend with these workers; ``options`` holds a value for every option.

    Raise ``PluginError`` if the backend's ``environment`` or ``launcher`` fails or returns something else than the
    contract says.
    """
    return Launch(
        environment=applied(os.environ, _variables(spec, workers, options)),
        words=_words(spec, workers, options, hosts),
        cpus=None if options.get("device") == "cuda" else confined(workers),
    )


def _variables(spec: BackendSpec, workers: int, options: Options) -> dict[str, str | None]:
    where = f"backend {spec.name!r}: environment({workers}, {dict(options)})"
    try:
        variables = dict(spec.environment(workers, options))
    except HarnessError:
        raise
    except Exception as error:
        raise PluginError(f"{where} raised {type(error).__name__}: {error}; correct the plugin") from error
    for name, value in variables.items():
        if not isinstance(name, str) or not (value is None or isinstance(value, str)):
            raise PluginError(f"{where} gave {name!r}: {value!r}; give strings, or None to unset a variable")
    return variables


def _words(spec: BackendSpec, workers: int, options: Options, hosts: Sequence[str]) -> tuple[str, ...]:
    if spec.launcher is None:
        return ()
    where = f"backend {spec.name!r}: launcher({workers}, {dict(options)}, {list(hosts)})"
    try:
        words = tuple(spec.launcher(workers, options, hosts))
    except HarnessError:
        raise
    except Exception as error:
        raise PluginError(f"{where} raised {type(error).__name__}: {error}; correct the plugin") from error
    if not all(isinstance(word, str) for word in words):
        raise PluginError(f"{where} gave {words!r}; every word must be a string")
    return words


def confined(workers: int) -> frozenset[int] | None:
    """Return as many CPUs as workers, or all CPUs if there are fewer: first one of each core, then second threads.

    Return ``None`` if the system cannot bind a process to CPUs.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    available = sorted(affinity(), key=_preference)
    return frozenset(available[: max(1, workers)])


def _preference(cpu: int) -> tuple[int, int]:
    """Return a key that orders CPUs by their place among the threads of their core, then by number."""
    return (threads_of_core(cpu).index(cpu), cpu)
