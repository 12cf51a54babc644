"""Keras 3 on TensorFlow, the stand-in for Theano: ``fit`` as a user writes it, or an epoch in one function."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from harness import Array, Backend, Network, Parameters, Unavailable
from harness.plugin import check_rate, check_reserved, whole_number
from harness_keras.model import loss, perceptron, pointwise


class KerasBackend(Backend):
    """Data and weights are on the device; ``workers`` are TensorFlow's intra-op threads."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        *,
        workers: int = 1,
        device: str = "cpu",
        mode: str = "function",
        precision: str = "ieee",
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        check_reserved(network, workers, device=device, precision=precision)
        _refuse(device)
        _set_threads(workers)
        tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
        self.device, self.mode, self.precision = device, mode, precision
        with self._placed():
            self._activate = pointwise(network.layers[-1].activation)
            self._row_losses = loss(network)
            self.model = perceptron(network, parameters)
            # Our own variable, because Keras would round the rate of a float64 network to float32.
            self.rate = keras.Variable(0.0, dtype=network.dtype, trainable=False)
            self.optimiser = keras.optimizers.SGD(learning_rate=lambda: self.rate)
            self.optimiser.build(self.model.trainable_variables)
            self.model.compile(optimizer=self.optimiser, loss=self._row_losses, jit_compile=self._xla)
        self._epoch = tf.function(self._steps, jit_compile=self._xla, reduce_retracing=False)

    def load(self, x: Array, y: Array) -> None:
        """Copy the set to the device once."""
        super().load(x, y)
        with self._placed():
            self.x, self.y = tf.constant(x), tf.constant(y)

    def parameters(self) -> Parameters:
        """Return copies of the weights and biases."""
        return _pairs(self.model.get_weights())

    def outputs(self) -> Array:
        """Return the activated outputs of the last forward."""
        return np.array(self._activate(self._z))

    def gradients(self) -> Parameters:
        """Return copies of the last gradients."""
        return _pairs([gradient.numpy() for gradient in self._gradients])

    def close(self) -> None:
        """Release the model, the set and every traced function."""
        for name in ("x", "y", "_z", "_tape", "_gradients", "_epoch", "model", "optimiser"):
            self.__dict__.pop(name, None)

    def forward(self, rows: slice) -> None:
        """Forward propagation, recorded by a gradient tape."""
        with self._placed(), tf.GradientTape(persistent=True) as self._tape:
            self._z = self.model(self.x[rows])
            self._mean_loss = tf.reduce_mean(self._row_losses(self.y[rows], self._z))

    def backprop(self, rows: slice) -> None:  # noqa: ARG002  the tape holds the rows of the last forward
        """Backpropagation along the tape, from the mean loss over the rows."""
        self._gradients = self._tape.gradient(self._mean_loss, self.model.trainable_variables)

    def step(self, rate: float) -> None:
        """Apply ``keras.optimizers.SGD`` with this rate."""
        self.rate.assign(rate)
        self.optimiser.apply(self._gradients, self.model.trainable_variables)

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train one epoch in the chosen mode."""
        check_rate(rate)
        batch = min(whole_number("batch_size", batch_size, "rows"), self.rows)
        self.rate.assign(rate)
        if self.mode == "fit":
            keras.config.set_floatx(self.network.dtype)  # fit would round a float64 set to float32
            self.model.fit(self.x, self.y, batch_size=batch, epochs=1, shuffle=False, verbose=0)
        else:
            self._train_function(batch)

    def sync(self) -> None:
        """Wait until the weights are computed."""
        for variable in self.model.trainable_variables:
            variable.numpy()

    def facts(self) -> Mapping[str, str | int | float]:
        """Return which device, threads, versions and precision ran."""
        facts: dict[str, str | int | float] = {
            "device": self.device,
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "strategy": f"{self.mode}, {self.precision}, XLA {'on' if self._xla else 'off'}",
        }
        if self.device == "cuda":
            facts["device_peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        return facts

    @property
    def _xla(self) -> bool:
        return self.mode == "function"

    def _placed(self) -> Any:
        return tf.device("/GPU:0" if self.device == "cuda" else "/CPU:0")

    def _train_function(self, batch: int) -> None:
        whole = self.rows // batch * batch
        with self._placed():
            if whole:
                self._epoch(self.x[:whole], self.y[:whole], batch)
            if whole < self.rows:
                self._epoch(self.x[whole:], self.y[whole:], self.rows - whole)

    def _steps(self, x: Any, y: Any, batch: int) -> None:
        """Train on all whole batches of ``x`` in order; TensorFlow traces this once for each shape and batch size."""
        variables = [variable.value for variable in self.model.trainable_variables]
        whole = x.shape[0] // batch
        x, y = tf.reshape(x, (whole, batch, -1)), tf.reshape(y, (whole, batch, -1))
        for index in tf.range(whole):
            with tf.GradientTape() as tape:
                mean = tf.reduce_mean(self._row_losses(y[index], self.model(x[index])))
            for variable, gradient in zip(variables, tape.gradient(mean, variables), strict=True):
                variable.assign_sub(self.rate.value * gradient)


def _refuse(device: str) -> None:
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        raise Unavailable(f"KERAS_BACKEND={os.environ['KERAS_BACKEND']}: this backend is Keras on TensorFlow; unset it")
    if device == "cuda" and not tf.config.list_physical_devices("GPU"):
        raise Unavailable("no CUDA device: TensorFlow sees none (a build without CUDA, or no driver or GPU)")


def _set_threads(workers: int) -> None:
    """Set the number of threads. TensorFlow takes it once in a process and refuses a different number later."""
    if tf.config.threading.get_intra_op_parallelism_threads() == workers:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(workers)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise Unavailable(f"TensorFlow's number of threads is fixed in this process, and is not {workers}") from error


def _pairs(arrays: list[Any]) -> Parameters:
    copies = [np.array(array, order="C") for array in arrays]
    return list(zip(copies[::2], copies[1::2], strict=True))
