"""The conformance suite: does a backend do what the contract says, and compute what the reference computes.

``check("torch")`` runs it on every configuration, each in a process of its own, and raises ``NotConforming`` with the
verdict where it falls short. ``pytest --pyargs harness.conformance --harness-backend torch`` runs one configuration in
the process that it is called in. Importing this loads neither NumPy nor pytest.
"""

from __future__ import annotations

from harness.conformance.running import check as check
from harness.conformance.verdict import NotConforming as NotConforming
from harness.conformance.verdict import Verdict as Verdict
