"""The network as a Keras user writes it: ``Dense`` layers and the contract's losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import tensorflow as tf
from keras import ops

from harness import Activation, Network, Parameters, Unsupported, activation

Pointwise: TypeAlias = Callable[[Any], Any]
Loss: TypeAlias = Callable[[Any, Any], Any]

NATIVE = {"linear", "sigmoid", "tanh", "relu"}
"""Activations that Keras has by the same name; for others their array-API form is used."""


def perceptron(network: Network, parameters: Parameters) -> keras.Model:
    """Build a ``Sequential`` of ``Dense`` layers. The last one is linear and gives ``z``, without its activation."""
    *hidden, last = network.layers
    kind = {"dtype": network.dtype}
    layers = [keras.layers.Dense(layer.outputs, activation=pointwise(layer.activation), **kind) for layer in hidden]
    model = keras.Sequential(
        [keras.Input((network.inputs,), **kind), *layers, keras.layers.Dense(last.outputs, **kind)]
    )
    model.set_weights([array for pair in parameters for array in pair])
    return model


def pointwise(name: str) -> Pointwise:
    """Return Keras' own activation, or a registered one with the slope of its plugin.

    Raise ``Unsupported`` if a registered one does not run on TensorFlow.
    """
    if name in NATIVE:
        native: Pointwise = keras.activations.get(name)
        return native
    return _registered(activation(name))


def loss(network: Network) -> Loss:
    """Return a function of ``(y, z)`` that gives every row's loss, summed over outputs; Keras takes the mean."""
    last = network.layers[-1].activation
    if network.loss == "ce":
        return _cross_entropy
    if network.loss == "bce" and last == "sigmoid":
        return _bce_of_logits
    activate = pointwise(last)
    if network.loss == "bce":
        return lambda y, z: _bce(y, activate(z))
    return lambda y, z: ops.sum(ops.square(activate(z) - y), axis=1)


def _cross_entropy(y: Any, z: Any) -> Any:
    return -ops.sum(y * ops.log_softmax(z), axis=1)


def _bce_of_logits(y: Any, z: Any) -> Any:
    return ops.sum(ops.softplus(z) - y * z, axis=1)


def _bce(y: Any, a: Any) -> Any:
    tiny = tf.as_dtype(a.dtype).as_numpy_dtype(0) + float(tf.experimental.numpy.finfo(a.dtype).tiny)
    log_a, log_not_a = ops.log(ops.maximum(a, tiny)), ops.log(ops.maximum(1 - a, tiny))
    return -ops.sum(y * log_a + (1 - y) * log_not_a, axis=1)


class _Namespace:
    """An array-API namespace made from TensorFlow, which has some of the names in other modules."""

    def __getattr__(self, name: str) -> Any:
        return getattr(tf.math, name, None) or getattr(tf, name, None) or getattr(tf.experimental.numpy, name)


def _registered(function: Activation) -> Pointwise:
    namespace = _Namespace()
    try:
        sample = tf.constant([0.5])
        function.slope(namespace, sample, function.value(namespace, sample))
    except (AttributeError, TypeError) as error:
        raise Unsupported(f"activation {function.name!r} does not run on TensorFlow: {error}") from error

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(z: Any) -> Any:
        a = function.value(namespace, z)
        return a, lambda upstream: upstream * function.slope(namespace, z, a)

    traced: Pointwise = run
    return traced
