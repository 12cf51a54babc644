"""Mutants that break a rule of the contract."""

from __future__ import annotations

from typing import Any

import numpy as np
from good_backend import Good
from killing import killed_by

from harness import Network, Parameters, Unsupported


@killed_by("closing_twice_is_fine", "close raised RuntimeError: closed already")
class ClosesOnce(Good):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@killed_by("start_weights_of_a_wrong_shape_are_refused", "took start weights of a wrong shape")
class StartNotChecked(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1) -> None:
        try:
            super().__init__(network, parameters, workers=workers)
        except ValueError:
            self.network, self.workers = network, workers


@killed_by("what_it_cannot_do_it_says_before_the_second_batch", r"parameters raised Unsupported\('relu'\): it belongs")
class UnsupportedFromParameters(Good):
    def parameters(self) -> Parameters:
        if self.network.layers[0].activation == "relu":
            raise Unsupported("relu")
        return super().parameters()


@killed_by("what_it_cannot_do_it_says_before_the_second_batch", r"forward raised Unsupported\('ragged'\): it belongs")
class UnsupportedInTheSecondBatch(Good):
    def forward(self, rows: slice) -> None:
        if rows.start and rows.stop == self.rows:
            raise Unsupported("ragged")
        super().forward(rows)


@killed_by(
    "it_starts_with_exactly_the_weights", r"parameters\(\): weights of layer 0: dtype float64, should be float32"
)
class WrongDtypeReturned(Good):
    def parameters(self) -> Parameters:
        return [(w.astype("float64"), b.astype("float64")) for w, b in super().parameters()]


@killed_by("it_starts_with_exactly_the_weights", r"parameters\(\): weights of layer 0 is not C-ordered")
class FortranOrderReturned(Good):
    def parameters(self) -> Parameters:
        return [(np.asfortranarray(w), b) for w, b in super().parameters()]


@killed_by(
    "a_method_takes_what_the_contract_says", r"forward\(self, rows, training=True\).*: should take \(self, rows\)"
)
class ExtraArgument(Good):
    def forward(self, rows, training=True) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001, ARG002, FBT002
        super().forward(rows)


@killed_by("a_step_subtracts_rate_times_the_gradient", "step returned list, should return nothing")
class StepReturns(Good):
    def step(self, rate: float) -> Any:
        super().step(rate)
        return self.weights


@killed_by("what_it_says_of_itself_is_plain", r"facts\(\): 'peak': .* should be a str with")
class FactsOfNumPy(Good):
    def facts(self) -> dict[str, Any]:
        return {"peak": np.float32(1.5)}


@killed_by("the_options_are_those_of_the_spec", "the keyword 'speed', which is no option of the spec")
class OptionNotInTheSpec(Good):
    def __init__(self, network: Network, parameters: Parameters, *, workers: int = 1, speed: str = "slow") -> None:
        super().__init__(network, parameters, workers=workers)
        self.speed = speed


@killed_by("the_options_are_those_of_the_spec", "option 'mode' stands in the spec, but __init__ has no keyword-only")
class OptionOnlyInTheSpec(Good): ...
