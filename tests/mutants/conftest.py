"""Let tests, and the checking processes that they start, import the backends of this folder by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
