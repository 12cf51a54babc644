"""``synthetic``: data of any shape, for timing. Its labels can be learnt, so that the loss can fall."""

from __future__ import annotations

import numpy as np

from harness.contract.arrays import Array
from harness.datasets.data import Data, Shape, one_hot
from harness.errors import RequestError

TEACHER = 32
"""How many inputs decide the label, at most: enough to learn from, and cheap compared with drawing a large set."""
LARGEST = 2**34
"""Numbers in x, at most: 64 GiB in float32."""


def load(*, rows: int, inputs: int, outputs: int, seed: int) -> Data:
    """Return x, uniform in [0, 1), and the labels of a random linear teacher: one-hot, or 0 and 1 for one output."""
    shape(rows=rows, inputs=inputs, outputs=outputs, seed=seed)
    generator = np.random.default_rng(seed)
    x = generator.random((rows, inputs), dtype=np.float32)
    score = _scores(generator, x, outputs)
    y = (score > 0).astype(np.float32) if outputs == 1 else one_hot(score.argmax(axis=1), outputs)
    return Data(x, y)


def shape(*, rows: int, inputs: int, outputs: int, seed: int) -> Shape:
    """Return the sizes, or raise ``RequestError`` for options that are out of range."""
    for name, value in {"rows": rows, "inputs": inputs, "outputs": outputs}.items():
        if value < 1:
            raise RequestError(f"dataset 'synthetic': {name}={value}: give 1 or more")
    if seed < 0:
        raise RequestError(f"dataset 'synthetic': seed={seed}: give 0 or more")
    if rows * max(inputs, outputs) > LARGEST:
        raise RequestError(
            f"dataset 'synthetic': rows={rows} x {max(inputs, outputs)} columns exceed {LARGEST} numbers; give less"
        )
    return Shape(rows, inputs, outputs)


def _scores(generator: np.random.Generator, x: Array, outputs: int) -> Array:
    """Return one score for each row and output. The inputs are centred, so that every label occurs."""
    seen = x[:, :TEACHER].astype(np.float64) - 0.5
    return np.asarray(seen @ generator.standard_normal((seen.shape[1], outputs)))
