"""PyTorch, the way a user writes it (``eager``), compiled (``compile``) or captured (``graph``)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from harness import Array, Backend, Network, Parameters, Unavailable, Unsupported
from harness.plugin import batches, check_rate, check_reserved, whole_number
from harness_torch.graph import CapturedEpoch, Steps
from harness_torch.model import Perceptron

COMPILED_SHAPES = 256
"""Networks and batch sizes that one process may compile. Above its own limit of 8, PyTorch would silently run eager."""


class TorchBackend(Backend):
    """Data and weights live on the device; ``workers`` are intra-op threads.

    ``forward``, ``backprop`` and ``step`` are the eager form in every mode: a user's model, autograd, and
    ``torch.optim.SGD``. Only ``train_epoch`` depends on the mode.
    """

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        *,
        workers: int = 1,
        device: str = "cpu",
        mode: str = "eager",
        precision: str = "ieee",
    ) -> None:
        super().__init__(network, parameters, workers=workers)
        check_reserved(network, workers, device=device, precision=precision)
        _refuse(device, mode)
        torch.set_num_threads(workers)
        if device == "cuda":
            torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
        self.device, self.mode, self.precision = device, mode, precision
        self.model = Perceptron(network, parameters, device, precision)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.0)
        self.rate = torch.zeros((), dtype=getattr(torch, network.dtype), device=device)
        self._loss: Callable[[Tensor, Tensor], Tensor] = self._eager_loss
        if mode == "compile":
            torch._dynamo.config.recompile_limit = COMPILED_SHAPES  # noqa: SLF001  its documented name
            self._loss = torch.compile(self._eager_loss, dynamic=False)
        self._captured: dict[int, CapturedEpoch] = {}

    def load(self, x: Array, y: Array) -> None:
        """Copy the set to the device once; on a CPU the arrays are used where they are and never written to."""
        super().load(x, y)
        self.x, self.y = (_tensor(array, self.device) for array in (x, y))
        self._captured = {}

    def parameters(self) -> Parameters:
        """Return copies, transposed to the contract's ``(inputs, outputs)``."""
        return [(_numpy(linear.weight.T), _numpy(linear.bias)) for linear in self.model.linears]

    def outputs(self) -> Array:
        """Return the activated outputs of the last forward."""
        return _numpy(self.model.activated(self._z))

    def gradients(self) -> Parameters:
        """Return what autograd left in ``.grad``."""
        return [(_numpy(_grad(linear.weight).T), _numpy(_grad(linear.bias))) for linear in self.model.linears]

    def close(self) -> None:
        """Drop every tensor and graph, and hand cached device memory back."""
        for name in ("x", "y", "_z", "model", "optimiser", "rate", "_captured", "_loss"):
            self.__dict__.pop(name, None)
        if self.__dict__.get("device") == "cuda":
            torch.cuda.empty_cache()

    def forward(self, rows: slice) -> None:
        """Forward propagation, recorded for autograd."""
        self._z = self.model(self.x[rows])

    def backprop(self, rows: slice) -> None:
        """Autograd from the mean loss over the rows; the graph is kept until the next forward."""
        self.optimiser.zero_grad()
        self.model.loss(self._z, self.y[rows]).backward(retain_graph=True)  # type: ignore[no-untyped-call]

    def step(self, rate: float) -> None:
        """Update the weights by ``torch.optim.SGD`` with this rate."""
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()

    def train_epoch(self, batch_size: int, rate: float) -> None:
        """Train one epoch in the chosen mode."""
        check_rate(rate)
        if self.mode == "graph":
            self._replay(batch_size, rate)
            return
        self.optimiser.param_groups[0]["lr"] = rate
        for rows in batches(self.rows, batch_size):
            self.optimiser.zero_grad()
            self._loss(self.x[rows], self.y[rows]).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def sync(self) -> None:
        """Wait for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def facts(self) -> Mapping[str, str | int | float]:
        """Say which device, threads, library and precision ran."""
        facts: dict[str, str | int | float] = {
            "device": self.device if self.device == "cpu" else torch.cuda.get_device_name(),
            "threads": torch.get_num_threads(),
            "torch": str(torch.__version__),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "strategy": f"{self.mode}, {self.precision}",
        }
        if self.device == "cuda":
            facts["device_peak_bytes"] = torch.cuda.max_memory_allocated()
        return facts

    def _eager_loss(self, x: Tensor, y: Tensor) -> Tensor:
        return self.model.loss(self.model(x), y)

    def _replay(self, batch_size: int, rate: float) -> None:
        size = min(whole_number("batch_size", batch_size, "rows"), self.rows)
        self.rate.fill_(rate)
        if size not in self._captured:
            self._captured[size] = CapturedEpoch(Steps(self.model, self.rate), self.x, self.y, size)
        self._captured[size].replay()


def _refuse(device: str, mode: str) -> None:
    if mode == "graph" and device != "cuda":
        raise Unsupported("mode=graph captures a CUDA graph: ask for device=cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("no CUDA device: PyTorch sees none (a build without CUDA, no driver or no GPU)")
    if mode == "compile" and device == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise Unavailable("mode=compile needs a C++ compiler, and none is on the PATH: install g++ or clang++")


def _tensor(array: Array, device: str) -> Tensor:
    """Wrap without a copy on a CPU; a read-only array is wrapped too, since nothing here writes to it."""
    if array.flags.writeable or device != "cpu":
        return torch.from_numpy(array if array.flags.writeable else array.copy()).to(device)
    return torch.from_numpy(array.copy())


def _grad(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        raise RuntimeError("no gradients yet: call forward and backprop first")
    return parameter.grad


def _numpy(tensor: Tensor) -> Array:
    return np.array(tensor.detach().cpu().numpy(), order="C")
