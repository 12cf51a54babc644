"""What is trained: layers, a loss and a dtype, in plain strings. Nothing here holds a weight."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.contract.checks import one_of, whole_number
from harness.contract.vocabulary import DTYPES, LOSSES
from harness.errors import RequestError


@dataclass(frozen=True)
class Layer:
    """One fully connected layer: ``a = activation(x @ weights + bias)``, weights of shape ``(inputs, outputs)``."""

    inputs: int
    outputs: int
    activation: str

    def __post_init__(self) -> None:
        for side in ("inputs", "outputs"):
            size = whole_number(f"layer {side}", getattr(self, side), "neurons")
            object.__setattr__(self, side, size)
        if not isinstance(self.activation, str):
            raise RequestError(f"layer activation={self.activation!r:.80}: give the name of an activation")


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron, its loss and the dtype of all its arrays.

    It checks itself alone: sizes, dtype, loss, and that the layers fit together. What its activations are, and whether
    the loss can follow the last of them, is looked up by ``Backend.__init__`` and by the reader of a study.
    """

    layers: tuple[Layer, ...]
    loss: str = "mse"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _layers(self.layers))
        _check_words(self)
        _check_chain(self.layers)

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        *,
        activation: str | Sequence[str] = "sigmoid",
        loss: str = "mse",
        dtype: str = "float32",
    ) -> Network:
        """Build a network from layer sizes, input first; ``activation`` is one name, or one a layer."""
        count = len(sizes) - 1
        if count < 1:
            raise RequestError(f"sizes={list(sizes)}: give at least two, the inputs and the outputs")
        names = [activation] * count if isinstance(activation, str) else list(activation)
        if len(names) != count:
            raise RequestError(f"activation={names}: {count} layers need {count} names, one a layer")
        layers = tuple(Layer(*row) for row in zip(sizes, sizes[1:], names, strict=False))
        return cls(layers=layers, loss=loss, dtype=dtype)

    @property
    def inputs(self) -> int:
        """Number of columns of x."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Number of columns of y."""
        return self.layers[-1].outputs

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons by layer, the input first, as the papers write a net: 784-1024-10."""
        return (self.inputs, *(layer.outputs for layer in self.layers))

    @property
    def parameter_count(self) -> int:
        """Number of trained scalars, weights and biases."""
        return sum(layer.inputs * layer.outputs + layer.outputs for layer in self.layers)

    @property
    def flops_per_example(self) -> int:
        """Floating point operations of the matrix products to train on one example.

        ``2 * inputs * outputs`` for the forward pass of a layer, as much for its weight gradient, and as much for
        the gradient of its input, which the first layer does not need.
        """
        products = [2 * layer.inputs * layer.outputs for layer in self.layers]
        return 3 * sum(products) - products[0]

    def __str__(self) -> str:
        """Return the sizes, activations, loss and dtype on one line."""
        names = [layer.activation for layer in self.layers]
        shown = names[0] if len(set(names)) == 1 else "+".join(names)
        return f"{'-'.join(map(str, self.sizes))} {shown} {self.loss} {self.dtype}"


def _layers(given: object) -> tuple[Layer, ...]:
    layers = tuple(given) if isinstance(given, Iterable) else ()
    if not layers or not all(isinstance(layer, Layer) for layer in layers):
        raise RequestError(f"layers={given!r:.80}: give at least one Layer(inputs, outputs, activation)")
    return layers


def _check_words(network: Network) -> None:
    one_of("dtype", network.dtype, DTYPES)
    one_of("loss", network.loss, LOSSES)


def _check_chain(layers: tuple[Layer, ...]) -> None:
    for index, (left, right) in enumerate(itertools.pairwise(layers), start=1):
        if left.outputs != right.inputs:
            raise RequestError(
                f"layer {index} takes {right.inputs} inputs, but layer {index - 1} gives {left.outputs} outputs"
            )
