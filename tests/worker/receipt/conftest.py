from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _as_on_a_quiet_machine() -> None:
    """Let the disturbances through, which the other tests of the worker silence: here they are the subject."""
