"""Many steps in one CUDA graph: hand-written backpropagation in place, so that a replay needs no Python at all.

The rate is a scalar on the device that scales the last delta; backpropagation is linear in delta, so every product of
an activation with a delta is then the update itself and goes into the weights by ``addmm_`` with ``alpha=-1``. A new
rate needs no new capture. The same steps run without a graph on any device, which is how they are tested on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from harness import activation, batches
from harness_torch.model import Perceptron

STEPS_PER_GRAPH = 512
"""Many enough that the cost of starting a replay is negligible, few enough that a capture stays short."""


@dataclass
class Steps:
    """Plain SGD on the tensors of a model, in place, with no allocation that outlives a step."""

    model: Perceptron
    rate: Tensor
    """A scalar on the model's device."""

    def step(self, x: Tensor, y: Tensor) -> None:
        """Forward, backprop and update for one batch, resident on the device."""
        zs, activations = self._forward(x)
        delta = self._output_delta(zs[-1], activations[-1], y) * (self.rate / len(x))
        for index in reversed(range(len(zs))):
            linear = self.model.linears[index]
            below = activations[index]
            if index:
                upstream = self._product(delta, linear.weight)
                next_delta = upstream * _slope(self._name(index - 1), zs[index - 1], below)
            self._update(linear.weight, delta, below)
            linear.bias.sub_(delta.sum(0))
            if index:
                delta = next_delta

    def _forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        zs, activations = [], [x]
        for index, linear in enumerate(self.model.linears):
            zs.append(linear(activations[-1]))
            activations.append(self.model._activate(index, zs[-1]))  # noqa: SLF001  one package
        return zs, activations

    def _output_delta(self, z: Tensor, a: Tensor, y: Tensor) -> Tensor:
        network = self.model.network
        if network.loss == "ce":
            return torch.softmax(z, 1) - y
        if network.loss == "bce" and self._name(-1) == "sigmoid":
            return a - y
        slope = _slope(self._name(-1), z, a)
        if network.loss == "bce":
            return (a - y) * slope / (a * (1 - a)).clamp_min(torch.finfo(a.dtype).tiny)
        return 2 * (a - y) * slope

    def _update(self, weight: Tensor, delta: Tensor, below: Tensor) -> None:
        if self._mixed:
            weight.sub_(self._product(delta.T, below))
        else:
            weight.addmm_(delta.T, below, alpha=-1)

    def _product(self, left: Tensor, right: Tensor) -> Tensor:
        if self._mixed:
            return (left.to(torch.bfloat16) @ right.to(torch.bfloat16)).to(left.dtype)
        return left @ right

    @property
    def _mixed(self) -> bool:
        return type(self.model.linears[0]).__name__ == "MixedLinear"

    def _name(self, index: int) -> str:
        return self.model.network.layers[index].activation


def _slope(name: str, z: Tensor, a: Tensor) -> Tensor:
    slope: Tensor = activation(name).slope(torch, z, a)
    return slope


class CapturedEpoch:
    """One epoch at one batch size over one loaded set, captured; ``replay`` trains it."""

    def __init__(self, steps: Steps, x: Tensor, y: Tensor, batch_size: int) -> None:
        """Warm up on a side stream with the rate at zero, so that the weights stay, then capture all batches."""
        self._graphs: list[torch.cuda.CUDAGraph] = []
        rate = steps.rate.clone()
        steps.rate.zero_()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), torch.no_grad():
            for rows in {batch.stop - batch.start: batch for batch in batches(len(x), batch_size)}.values():
                steps.step(x[rows], y[rows])
        torch.cuda.current_stream().wait_stream(stream)
        for group in _groups(list(batches(len(x), batch_size))):
            self._capture(steps, x, y, group)
        steps.rate.copy_(rate)

    def _capture(self, steps: Steps, x: Tensor, y: Tensor, group: list[slice]) -> None:
        graph = torch.cuda.CUDAGraph()
        pool = self._graphs[0].pool() if self._graphs else None
        with torch.cuda.graph(graph, pool=pool), torch.no_grad():
            for rows in group:
                steps.step(x[rows], y[rows])
        self._graphs.append(graph)

    def replay(self) -> None:
        """Enqueue the epoch; ``sync`` waits for it."""
        for graph in self._graphs:
            graph.replay()


def _groups(slices: list[slice]) -> Iterator[list[slice]]:
    for start in range(0, len(slices), STEPS_PER_GRAPH):
        yield slices[start : start + STEPS_PER_GRAPH]
