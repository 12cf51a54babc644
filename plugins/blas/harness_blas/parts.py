"""The names that the plugins ``threads`` and ``shm`` may import. Both pin the version of this plugin."""

from __future__ import annotations

from harness_blas.limits import ThreadLimit as ThreadLimit
from harness_blas.limits import in_force as in_force
from harness_blas.passes import Buffers as Buffers
from harness_blas.shares import Shared as Shared
from harness_blas.shares import Worker as Worker
from harness_blas.shares import share as share
