"""The network as a PyTorch user writes it: ``nn.Linear`` layers, pointwise activations, a loss for autograd."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import Activation, Network, Parameters, activation

NATIVE = {"linear": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
"""PyTorch's own form of an activation; others run by their array-API form."""


class _Pointwise(torch.autograd.Function):
    """A registered activation with the slope that its plugin gave, not the one autograd would derive."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, function: Activation) -> Tensor:
        a: Tensor = function.value(torch, z)
        ctx.save_for_backward(z, a)
        ctx.function = function
        return a

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> tuple[Tensor, None]:
        z, a = ctx.saved_tensors
        return gradient[0] * ctx.function.slope(torch, z, a), None


class MixedLinear(nn.Linear):
    """A linear layer with float32 weights whose matrix products run in bfloat16, forward and backward."""

    def forward(self, a: Tensor) -> Tensor:
        """Return ``a @ W.T + b`` in float32."""
        product = functional.linear(a.to(torch.bfloat16), self.weight.to(torch.bfloat16))
        return product.to(self.weight.dtype) + self.bias


class Perceptron(nn.Module):
    """``network`` on one device. ``forward`` returns ``z`` of the last layer; ``activated`` makes outputs of it."""

    def __init__(self, network: Network, parameters: Parameters, device: str, precision: str) -> None:
        super().__init__()
        kind = MixedLinear if precision == "bf16" else nn.Linear
        dtype = getattr(torch, network.dtype)
        self.network = network
        self.linears: list[nn.Linear] = [
            kind(layer.inputs, layer.outputs, device=device, dtype=dtype) for layer in network.layers
        ]
        self.registered = nn.ModuleList(self.linears)
        self.set(parameters)

    @torch.no_grad()
    def set(self, parameters: Parameters) -> None:
        """Copy the contract's ``(weights, bias)`` pairs in; PyTorch keeps weights as ``(outputs, inputs)``."""
        for linear, (weights, bias) in zip(self.linears, parameters, strict=True):
            linear.weight.copy_(torch.from_numpy(weights.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Forward propagation up to ``z`` of the last layer."""
        a = x
        for index, linear in enumerate(self.linears):
            z: Tensor = linear(a)
            if index + 1 < len(self.linears):
                a = self._activate(index, z)
        return z

    def activated(self, z: Tensor) -> Tensor:
        """Return the outputs: the last activation of ``z``."""
        return self._activate(-1, z)

    def loss(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the contract's loss, summed over outputs and averaged over rows."""
        if self.network.loss == "ce":
            return functional.cross_entropy(z, y, reduction="sum") / len(y)
        if self.network.loss == "bce" and self.network.layers[-1].activation == "sigmoid":
            return functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y)
        a = self.activated(z)
        if self.network.loss == "bce":
            return functional.binary_cross_entropy(a, y, reduction="sum") / len(y)
        return functional.mse_loss(a, y, reduction="sum") / len(y)

    def _activate(self, index: int, z: Tensor) -> Tensor:
        name = self.network.layers[index].activation
        native = NATIVE.get(name)
        a: Tensor = native(z) if native else _Pointwise.apply(z, activation(name))  # type: ignore[no-untyped-call]
        return a
