"""Which loss may follow which last layer, and where that is held."""

from __future__ import annotations

import re

import pytest

from harness import Activation, Backend, Network, RequestError, activation, get_backend, initial_parameters
from harness.contract.losses import mismatch

ALLOWED = {"mse": {"linear", "sigmoid", "tanh", "relu"}, "bce": {"sigmoid"}, "ce": {"linear"}}


@pytest.mark.parametrize("loss", ALLOWED)
@pytest.mark.parametrize("last", ["linear", "sigmoid", "tanh", "relu"])
def test_the_pairings_that_the_contract_allows(loss: str, last: str) -> None:
    assert (mismatch(loss, activation(last)) is None) == (last in ALLOWED[loss])


@pytest.mark.parametrize(
    ("loss", "last", "message"),
    [
        (
            "ce",
            "sigmoid",
            "softmax cross-entropy on logits: the last layer must be 'linear', not 'sigmoid'",
        ),
        ("bce", "tanh", "loss 'bce' needs a last layer with range (0, 1), such as 'sigmoid'; 'tanh' has (-1, 1)"),
        ("bce", "relu", "'relu' has (0, inf)"),
        ("bce", "linear", "'linear' has (-inf, inf)"),
    ],
)
def test_a_backend_refuses_a_pairing_that_cannot_be_trained(loss: str, last: str, message: str) -> None:
    net = Network.dense([3, 4, 2], activation=["relu", last], loss=loss)
    with pytest.raises(RequestError, match=re.escape(message)):
        _backend()(net, initial_parameters(net))


def test_a_registered_activation_between_0_and_1_goes_with_bce() -> None:
    squashed = Activation("squashed", abs, abs, (0, 1))  # type: ignore[arg-type]
    assert mismatch("bce", squashed) is None


def test_a_backend_refuses_an_unknown_activation_in_any_layer() -> None:
    net = Network.dense([3, 4, 2], activation=["sigmiod", "linear"])
    with pytest.raises(RequestError, match=re.escape("unknown activation 'sigmiod'; did you mean 'sigmoid'?")):
        _backend()(net, initial_parameters(net))


def _backend() -> type[Backend]:
    return get_backend("python")
