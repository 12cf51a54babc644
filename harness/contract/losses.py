"""The losses, each a mean over the rows of a batch, and the delta of the last layer that each one starts.

Shapes: ``a`` and ``y`` are ``(rows, outputs)``; ``a`` are the outputs of the last layer, for ``ce`` its logits.
"""

from __future__ import annotations

import numpy as np

from harness.contract.activations import Activation
from harness.contract.arrays import Array
from harness.contract.vocabulary import mismatch as mismatch

LOG_FLOOR = -100.0
"""``bce`` clips its logarithms here, so that a saturated output costs much, not infinity."""


def loss_value(loss: str, a: Array, y: Array) -> float:
    """Return the mean loss over the rows, added up in float64 whatever the dtype of ``a``.

    Of a diverged net it is infinite or NaN, without a warning: the number says it.
    """
    a, y = a.astype(np.float64, copy=False), y.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        return _VALUES[loss](a, y) / len(a)


def output_delta(loss: str, activation: Activation, z: Array, a: Array, y: Array) -> Array:
    """Return the gradient of the *mean* loss by ``z`` of the last layer, a new array shaped as ``a``.

    ``bce`` after a sigmoid and ``ce`` use the closed form ``a - y``: the chain rule would divide 0 by 0 where the
    output saturates. ``bce`` after another activation with range (0, 1) follows the chain rule, and is 0 where the
    output is exactly 0 or 1: there its clipped value is flat.
    """
    rows = len(a)
    if loss == "ce":
        return np.asarray((softmax(a) - y) / rows)
    if loss == "bce" and activation.name == "sigmoid":
        return np.asarray((a - y) / rows)
    slope = activation.slope(np, z, a)
    if loss == "bce":
        saturated = (a <= 0) | (a >= 1)  # and not NaN, which stays NaN
        return np.asarray(np.divide(slope, a * (1 - a), out=np.zeros_like(a), where=~saturated) * (a - y) / rows)
    return np.asarray(2 * (a - y) * slope / rows)


def softmax(z: Array) -> Array:
    """Return the softmax of every row, shifted by the row's maximum so that nothing overflows."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _mse(a: Array, y: Array) -> float:
    return float(np.square(a - y).sum())


def _bce(a: Array, y: Array) -> float:
    log_a, log_not_a = np.log(a), np.log1p(-a)
    return float(-(y * np.maximum(log_a, LOG_FLOOR) + (1 - y) * np.maximum(log_not_a, LOG_FLOOR)).sum())


def _ce(a: Array, y: Array) -> float:
    shifted = a - a.max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(y * log_softmax).sum())


_VALUES = {"mse": _mse, "bce": _bce, "ce": _ce}
