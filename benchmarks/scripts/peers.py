"""``fused`` and its peers, each written as plainly as its own users would, outside the harness, and the machine's GEMM.

Exact minibatch SGD, sigmoid, mean squared error, float32, rows in the order given. ``fused_peers.py`` and
``frameworks_bare.py`` measure them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

import harness

RATE = 0.01
"""Small: at batch 1 a larger one amplifies rounding until weights of equal mathematics cannot be compared."""
GEMM = 2048
"""Rows, columns and terms of the product whose speed is the machine's limit."""
Array: TypeAlias = harness.Array
Epoch: TypeAlias = Callable[[], Any]
Contender: TypeAlias = Callable[["Task"], tuple[Epoch, Callable[[], Array]]]
"""Makes a function that trains one epoch and returns when it is done, and one that returns the first weights."""


class Task:
    """One cell: the network, its start weights and a random set of whole batches."""

    def __init__(self, net: str, batch: int, workers: int) -> None:
        self.sizes = [int(size) for size in net.split("-")]
        self.batch, self.workers = batch, workers
        self.network = harness.Network.dense(self.sizes)
        self.start = harness.initial_parameters(self.network)
        rows = batch * max(2, 2048 // batch)
        generator = np.random.default_rng(0)
        self.x = generator.random((rows, self.sizes[0]), np.float32)
        self.y = np.eye(self.sizes[-1], dtype=np.float32)[generator.integers(0, self.sizes[-1], rows)]
        self.flops = self.network.flops_per_example * rows


def fused(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return the backend of this project."""
    backend = harness.get_backend("fused")(task.network, task.start, workers=task.workers)
    backend.load(task.x, task.y)
    return lambda: backend.train_epoch(task.batch, RATE), lambda: backend.parameters()[0][0]


def jax(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return JAX: the whole epoch is one ``lax.scan`` under ``jit``."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        for weights, bias in parameters:
            x = jax.nn.sigmoid(x @ weights + bias)
        return jnp.square(x - y).sum() / len(y)

    def step(parameters: Any, batch: Any) -> Any:
        gradients = jax.grad(loss)(parameters, *batch)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients), None

    epoch = jax.jit(lambda parameters, set_: jax.lax.scan(step, parameters, set_)[0], donate_argnums=0)
    batches = tuple(jnp.asarray(part.reshape(-1, task.batch, part.shape[1])) for part in (task.x, task.y))
    held = [jax.tree.map(jnp.asarray, task.start)]

    def run() -> None:
        held[0] = jax.block_until_ready(epoch(held[0], batches))  # type: ignore[no-untyped-call]

    return run, lambda: np.asarray(held[0][0][0])


def torch(task: Task, *, compiled: bool = False) -> tuple[Epoch, Callable[[], Array]]:
    """Return PyTorch: modules, autograd and its SGD, eager or compiled."""
    import torch

    torch.set_num_threads(task.workers)
    layers: list[torch.nn.Module] = []
    for weights, bias in task.start:
        layer = torch.nn.Linear(*weights.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers)
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    x, y = (torch.split(torch.from_numpy(part), task.batch) for part in (task.x, task.y))

    def loss(x: Any, y: Any) -> Any:
        return (model(x) - y).square().sum() / task.batch

    evaluate = torch.compile(loss) if compiled else loss

    def run() -> None:
        for batch in zip(x, y, strict=True):
            optimiser.zero_grad()
            evaluate(*batch).backward()
            optimiser.step()

    return run, lambda: next(model.parameters()).detach().numpy().T


def torch_compile(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return PyTorch with the forward and backward pass compiled."""
    return torch(task, compiled=True)


def keras(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return Keras on TensorFlow: ``fit`` with the training step compiled by XLA."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task.workers)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    layers = [keras.layers.Dense(size, activation="sigmoid") for size in task.sizes[1:]]
    model = keras.Sequential([keras.Input((task.sizes[0],)), *layers])
    model.set_weights([array for pair in task.start for array in pair])
    loss = lambda y, a: keras.ops.sum(keras.ops.square(a - y), axis=-1)  # noqa: E731  Keras names what it is given
    model.compile(keras.optimizers.SGD(RATE), loss, jit_compile=True)
    data = tf.data.Dataset.from_tensor_slices((task.x, task.y)).batch(task.batch).cache().prefetch(4)
    return lambda: model.fit(data, verbose=0), lambda: model.get_weights()[0]


def keras_function(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return Keras as this project's backend drives it, faster than ``fit``: an epoch is one function of XLA."""
    backend = harness.get_backend("keras")(task.network, task.start, workers=task.workers, mode="function")
    backend.load(task.x, task.y)

    def run() -> None:
        backend.train_epoch(task.batch, RATE)
        backend.sync()

    return run, lambda: backend.parameters()[0][0]


def gemm(task: Task) -> tuple[Epoch, Callable[[], Array]]:
    """Return the limit: NumPy's product of two large matrices in place of an epoch. It has no weights."""
    a, b, out = (np.full((GEMM, GEMM), 0.5, np.float32) for _ in range(3))
    task.flops = 2 * GEMM**3
    return lambda: np.matmul(a, b, out=out), lambda: np.zeros((0, 64), np.float32)


CONTENDERS: dict[str, Contender] = {
    "fused": fused,
    "jax": jax,
    "torch": torch,
    "torch-compile": torch_compile,
    "keras": keras,
    "keras-function": keras_function,
    "gemm": gemm,
}
