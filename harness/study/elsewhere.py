"""The backends of another interpreter: it is asked through its own ``harness backends --json``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from harness.contract.spec import BackendSpec
from harness.errors import PluginError, RequestError

PATIENCE = 60
"""Seconds that the other interpreter has to answer."""


@cache
def backends_of(python: str) -> Mapping[str, BackendSpec]:
    """Return the backends installed for another interpreter; each is described, none is imported."""
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
    """The list itself, or the one that stands beside a schema version."""
    return list(answer["backends"] if isinstance(answer, dict) else answer)
