"""Without numba-cuda and the plugin, which ``make test-cuda`` installs, nothing here is collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("numba_cuda") and find_spec("harness_cuda") else ["*"]
