"""The store: rows as they come from the runner, in one SQLite file, for good."""

from __future__ import annotations

from harness.store.connection import StoreError as StoreError
from harness.store.store import Again as Again
from harness.store.store import Run as Run
from harness.store.store import Store as Store
from harness.store.store import Stored as Stored
