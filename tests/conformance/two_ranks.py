"""A launcher: runs the command line after it as two ranks, and fails where one of them fails."""

from __future__ import annotations

import os
import subprocess
import sys

ranks = [subprocess.Popen(sys.argv[1:], env={**os.environ, "RANK": str(rank)}) for rank in range(2)]
sys.exit(max(rank.wait() for rank in ranks))
