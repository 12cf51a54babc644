"""How far a right backend may be from the reference: one derived table, for conformance and for every timed cell.

Nothing here is set by a plugin, a study or an option. What a backend may differ by follows from the unit roundoffs in
``units.TABLE`` (by dtype and precision), from the sizes of the sums and from the values that flow through the net;
``docs/tolerance.md`` has the derivation. In short:

- ``one_batch`` carries a running error bound beside the reference, through the forward pass and back.
- ``after_training`` lets that bound act on shadow copies of the weights, step after step, so that a long run is
  allowed what its own dynamics make of rounding, no more.
- ``compare`` and ``compare_parameters`` give the worst element outside, or ``None``.
"""

from __future__ import annotations

from harness.contract.tolerance.bounds import Batch as Batch
from harness.contract.tolerance.bounds import one_batch as one_batch
from harness.contract.tolerance.difference import Difference as Difference
from harness.contract.tolerance.difference import compare as compare
from harness.contract.tolerance.difference import compare_parameters as compare_parameters
from harness.contract.tolerance.training import Trained as Trained
from harness.contract.tolerance.training import after_training as after_training
from harness.contract.tolerance.training import epochs as epochs
from harness.contract.tolerance.units import Units as Units
from harness.contract.tolerance.units import units as units
