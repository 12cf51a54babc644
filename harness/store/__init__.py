"""The store keeps the rows of the runner permanently, in one SQLite file."""

from __future__ import annotations

from harness.store.failure import StoreError as StoreError
from harness.store.records import Again as Again
from harness.store.records import Run as Run
from harness.store.records import Stored as Stored
from harness.store.store import Store as Store
