"""The network as pure functions of its parameters: forward, loss, one step, one epoch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from harness import Activation, Network, activation

Params: TypeAlias = list[tuple[jax.Array, jax.Array]]
Pointwise: TypeAlias = Callable[[jax.Array], jax.Array]

NATIVE: dict[str, Pointwise] = {
    "linear": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}
"""JAX's own form of an activation; for others their array-API form is used."""


class Perceptron:
    """The pure functions of one network at one precision. It holds no weights and no data."""

    def __init__(self, network: Network, precision: str) -> None:
        self.loss_name = network.loss
        self.last = network.layers[-1].activation
        self.activations = [_pointwise(layer.activation) for layer in network.layers]
        self.product = mixed_product if precision == "bf16" else _product(precision)

    def forward(self, params: Params, x: jax.Array) -> jax.Array:
        """Forward propagation up to ``z`` of the last layer."""
        a = x
        for index, (weights, bias) in enumerate(params):
            z = self.product(a, weights) + bias
            if index + 1 < len(params):
                a = self.activations[index](z)
        return z

    def outputs(self, z: jax.Array) -> jax.Array:
        """Return the outputs: the last activation of ``z``."""
        return self.activations[-1](z)

    def loss(self, z: jax.Array, y: jax.Array) -> jax.Array:
        """Return the contract's loss, summed over outputs and averaged over rows."""
        rows = len(y)
        if self.loss_name == "ce":
            return -jnp.sum(y * jax.nn.log_softmax(z)) / rows
        if self.loss_name == "bce" and self.last == "sigmoid":
            return jnp.sum(jax.nn.softplus(z) - y * z) / rows
        a = self.outputs(z)
        if self.loss_name == "bce":
            tiny = float(np.finfo(a.dtype).tiny)
            log_a, log_not_a = jnp.log(jnp.maximum(a, tiny)), jnp.log(jnp.maximum(1 - a, tiny))
            return -jnp.sum(y * log_a + (1 - y) * log_not_a) / rows
        return jnp.sum(jnp.square(a - y)) / rows

    def step(self, params: Params, x: jax.Array, y: jax.Array, rate: jax.Array) -> Params:
        """Return the parameters after one batch."""
        gradients = jax.grad(lambda p: self.loss(self.forward(p, x), y))(params)
        return update(params, gradients, rate)

    def epoch(self, params: Params, x: jax.Array, y: jax.Array, rate: jax.Array, batch: int) -> Params:
        """Return the parameters after all batches in order: one scan over the full ones, then the smaller last one."""
        whole = len(x) // batch
        cut = whole * batch
        if whole:
            batched = [array[:cut].reshape(whole, batch, -1) for array in (x, y)]
            params, _ = lax.scan(lambda p, xy: (self.step(p, xy[0], xy[1], rate), None), params, tuple(batched))
        return self.step(params, x[cut:], y[cut:], rate) if cut < len(x) else params


def update(params: Params, gradients: Params, rate: jax.Array) -> Params:
    """Return ``params - rate * gradients``."""
    pairs = zip(params, gradients, strict=True)
    return [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in pairs]


class Compiled(NamedTuple):
    """The functions of one network under ``jit``; each is compiled at its first call for a shape."""

    forward: Any
    """Called with ``(params, x)``, returns ``(z, pull)``; ``pull`` maps a gradient by ``z`` to one by ``params``."""
    outputs: Any
    backprop: Any
    """Called with ``(pull, z, y)``, returns the gradients."""
    update: Any
    epoch: Any


@cache
def compiled(network: Network, precision: str) -> Compiled:
    """Return the compiled functions; all instances of a network share them, so that they are compiled once."""
    model = Perceptron(network, precision)
    return Compiled(
        forward=jax.jit(lambda params, x: jax.vjp(lambda p: model.forward(p, x), params)),
        outputs=jax.jit(model.outputs),
        backprop=jax.jit(lambda pull, z, y: pull(jax.grad(model.loss)(z, y))[0]),
        update=jax.jit(update),
        epoch=jax.jit(model.epoch, static_argnames="batch", donate_argnames="params"),
    )


def _product(precision: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    exact = lax.Precision.HIGHEST
    chosen: Any = lax.DotAlgorithmPreset.TF32_TF32_F32 if precision == "tf32" else exact

    def product(a: jax.Array, weights: jax.Array) -> jax.Array:
        return jnp.matmul(a, weights, precision=chosen)

    return product


def _bf16(left: jax.Array, right: jax.Array) -> jax.Array:
    """Multiply in bfloat16 and add up in float32."""
    return jnp.matmul(left.astype(jnp.bfloat16), right.astype(jnp.bfloat16), preferred_element_type=jnp.float32)


@jax.custom_vjp
def mixed_product(a: jax.Array, weights: jax.Array) -> jax.Array:
    """Return ``a @ weights`` in float32, with operands rounded to bfloat16 both forward and backward."""
    return _bf16(a, weights)


def _mixed_forward(a: jax.Array, weights: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _bf16(a, weights), (a, weights)


def _mixed_backward(saved: tuple[jax.Array, jax.Array], delta: jax.Array) -> tuple[jax.Array, jax.Array]:
    a, weights = saved
    return _bf16(delta, weights.T), _bf16(a.T, delta)


mixed_product.defvjp(_mixed_forward, _mixed_backward)


def _pointwise(name: str) -> Pointwise:
    return NATIVE.get(name) or _registered(activation(name))


def _registered(function: Activation) -> Pointwise:
    """Return a registered activation with the slope of its plugin, and not the one that JAX would derive."""

    @jax.custom_jvp
    def pointwise(z: jax.Array) -> jax.Array:
        value: jax.Array = function.value(jnp, z)
        return value

    pointwise.defjvps(lambda tangent, a, z: tangent * function.slope(jnp, z, a))
    return pointwise
