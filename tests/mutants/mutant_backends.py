"""Wrong backends: each is ``Good`` with one thing wrong; this gathers them, so that one name imports any of them."""

from __future__ import annotations

from bad_manners import *  # noqa: F403  every mutant is checked as ``mutant_backends:Name``
from broken_contract import *  # noqa: F403
from killing import MUTANTS as MUTANTS
from killing import Mutant as Mutant
from wrong_gradients import *  # noqa: F403
from wrong_training import *  # noqa: F403
from wrong_values import *  # noqa: F403
