"""``Catalogue``: the names that a study may use. The parser gets it as an argument, so the parser itself is pure."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.contract.activations import Activation
from harness.contract.dataset import Dataset
from harness.contract.environment import Option
from harness.contract.spec import BackendSpec
from harness.errors import PluginError, RequestError

PATIENCE = 60
"""Seconds that another interpreter may take to answer."""

Check = Callable[[str, Mapping[str, Option]], Any]


def _unchecked(_name: str, _options: Mapping[str, Option]) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is installed here, and functions that find out more."""

    backends: Mapping[str, BackendSpec]
    datasets: Mapping[str, Dataset]
    activations: Mapping[str, Activation]
    check_dataset: Check = _unchecked
    """Raises ``RequestError`` for options that a dataset cannot take, such as 0 rows, without loading the dataset."""
    elsewhere: Callable[[str], Mapping[str, BackendSpec]] | None = None
    """Returns the backends of the interpreter at a path; raises ``RequestError`` if it has no harness.

    ``None``: no other interpreter is asked, and what a study wants of its backends is taken as it stands there.
    """


def installed(*, ask: bool = True) -> Catalogue:
    """Return the catalogue of this process's registry.

    Only with ``ask`` is another interpreter that a study names started and asked for its backends.
    """
    from harness.contract.registry import registry  # noqa: PLC0415  the parser itself loads no plugin
    from harness.datasets import shape_of  # noqa: PLC0415  as above

    known = registry()

    def check(name: str, options: Mapping[str, Option]) -> None:
        if known.datasets[name].shape:
            shape_of(name, options)

    return Catalogue(
        backends=known.backends,
        datasets=known.datasets,
        activations=known.activations,
        check_dataset=check,
        elsewhere=backends_of if ask else None,
    )


@cache
def backends_of(python: str) -> Mapping[str, BackendSpec]:
    """Return the backends of another interpreter, as its own ``harness backends --json`` describes them.

    Nothing of them is imported here. Raise ``RequestError`` if it does not answer in time or as a harness does.
    """
    words = [python, "-P", "-m", "harness", "backends", "--json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
        rows = _rows(json.loads(done.stdout))
        return {row["name"]: BackendSpec.from_json(row) for row in rows}
    except subprocess.TimeoutExpired:
        raise RequestError(f"did not list its backends within {PATIENCE} s: {' '.join(words)}") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise RequestError(f"cannot list its backends ({last}); install backprop-harness for it") from None
    except (OSError, ValueError, KeyError, TypeError, PluginError) as error:
        raise RequestError(f"does not answer as a harness does ({error}): {' '.join(words)}") from None


def _rows(answer: Any) -> list[dict[str, Any]]:
    """Return the list of backends, which stands alone or beside a schema version."""
    return list(answer["backends"] if isinstance(answer, dict) else answer)
