from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from harness import Layer, Network, RequestError

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one size": ({"sizes": [3]}, "sizes=[3]: give at least two"),
    "a layer of 0": ({"sizes": [3, 0]}, "layer outputs=0: give a whole number of neurons, 1 or more"),
    "a negative layer": ({"sizes": [-3, 1]}, "layer inputs=-3"),
    "half a neuron": ({"sizes": [3, 1.5]}, "layer outputs=1.5"),
    "a bool": ({"sizes": [3, True]}, "layer outputs=True"),
    "an activation that is no word": ({"activation": [["relu"], 3]}, "layer activation=['relu']: give the name"),
    "too few activations": ({"activation": ["relu"]}, "2 layers need 2 names"),
    "too many activations": ({"activation": ["relu"] * 3}, "2 layers need 2 names"),
    "an unknown loss": ({"loss": "msee"}, "loss='msee' is unknown; did you mean 'mse'?"),
    "an unknown dtype": ({"dtype": "float16"}, "dtype='float16' is unknown; did you mean"),
    "a dtype that is no word": ({"dtype": np.float32}, "dtype="),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_network_is_refused_that_has(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(RequestError, match=re.escape(message)):
        Network.dense(given.pop("sizes", [3, 4, 2]), **given)


@pytest.mark.parametrize("layers", [(), None, 3, [Layer(1, 1, "relu"), "relu"]])
def test_layers_must_be_layers(layers: Any) -> None:
    with pytest.raises(RequestError, match="give at least one Layer"):
        Network(layers=layers)


def test_layers_must_fit_each_other() -> None:
    with pytest.raises(RequestError, match="layer 1 takes 5 inputs, but layer 0 gives 4 outputs"):
        Network(layers=(Layer(3, 4, "relu"), Layer(5, 2, "sigmoid")))


def test_a_network_checks_only_itself_and_asks_no_plugin() -> None:
    net = Network.dense([3, 4, 2], activation=["of-no-plugin", "tanh"], loss="bce")
    assert [layer.activation for layer in net.layers] == ["of-no-plugin", "tanh"]


def test_a_network_says_what_it_is() -> None:
    net = Network.dense([784, 1024, 10], dtype="float64")
    assert (net.inputs, net.outputs, net.sizes) == (784, 10, (784, 1024, 10))
    assert net.parameter_count == 784 * 1024 + 1024 + 1024 * 10 + 10
    assert str(net) == "784-1024-10 sigmoid mse float64"
    assert str(Network.dense([2, 3, 1], activation=["relu", "linear"])) == "2-3-1 relu+linear mse float32"


def test_the_operations_of_an_example_follow_the_papers_formula() -> None:
    forward = weight_gradients = 2 * (3 * 4 + 4 * 5)
    input_gradients = 2 * 4 * 5  # not of the first layer
    assert Network.dense([3, 4, 5]).flops_per_example == forward + weight_gradients + input_gradients


def test_networks_are_values() -> None:
    one, other = (Network.dense([np.int64(3), 4], activation="relu") for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert type(one.layers[0].inputs) is int
