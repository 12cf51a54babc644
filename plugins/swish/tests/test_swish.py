from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from harness_swish import LOWEST

import harness
from harness.plugin import loss_value, reference

SWISH = harness.activation("swish")
POINTS = np.array([-1e4, -700.0, -30.0, -1.3, -0.1, 0.0, 0.1, 1.0, 30.0, 1e4])


def test_the_array_form_and_the_scalar_form_agree() -> None:
    assert SWISH.scalar_value is not None
    assert SWISH.scalar_slope is not None
    a = SWISH.value(np, POINTS)
    slopes = SWISH.slope(np, POINTS, a)
    np.testing.assert_allclose(a, [SWISH.scalar_value(z) for z in POINTS], rtol=1e-14)
    np.testing.assert_allclose(slopes, [SWISH.scalar_slope(z, v) for z, v in zip(POINTS, a, strict=True)], rtol=1e-14)


def test_the_slope_is_the_central_difference() -> None:
    z, h = np.linspace(-6, 6, 41), 1e-6
    difference = (SWISH.value(np, z + h) - SWISH.value(np, z - h)) / (2 * h)
    np.testing.assert_allclose(SWISH.slope(np, z, SWISH.value(np, z)), difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremes_are_finite_and_keep_their_dtype(dtype: str) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = SWISH.value(np, POINTS.astype(dtype))
        slope = SWISH.slope(np, POINTS.astype(dtype), a)
    assert a.dtype == slope.dtype == dtype
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


def test_its_range_is_tight_and_nan_stays_nan() -> None:
    a = SWISH.value(np, np.linspace(-2, 0, 100_001))
    assert a.min() == pytest.approx(LOWEST, abs=1e-10)
    assert SWISH.range == (LOWEST, math.inf)
    assert np.isnan(SWISH.value(np, np.array([math.nan]))).all()


def test_a_network_names_it_and_its_gradients_are_central_differences() -> None:
    net = harness.Network.dense([3, 4, 2], activation=["swish", "linear"], dtype="float64")
    start = harness.initial_parameters(net, seed=2)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    gradients = reference.backprop(net, start, reference.forward(net, start, x), y)
    weights, h = start[0][0], 1e-6
    for place in np.ndindex(weights.shape):
        kept, losses = weights[place], []
        for moved in (kept + h, kept - h):
            weights[place] = moved
            losses.append(loss_value("mse", reference.forward(net, start, x).outputs, y))
        weights[place] = kept
        assert gradients[0][0][place] == pytest.approx((losses[0] - losses[1]) / (2 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["blas", "python"])
def test_a_backend_trains_with_it(name: str) -> None:
    net = harness.Network.dense([3, 4, 2], activation=["swish", "sigmoid"], dtype="float64")
    start = harness.initial_parameters(net, seed=2)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 3)), rng.random((10, 2))
    with harness.get_backend(name)(net, start) as backend:
        backend.load(x, y)
        backend.train_epoch(4, 0.5)
        trained = backend.parameters()
    for pair, expected in zip(trained, reference.train_epoch(net, start, x, y, 4, 0.5), strict=True):
        for array, right in zip(pair, expected, strict=True):
            np.testing.assert_allclose(array, right, rtol=1e-10)


def test_the_readme_is_right() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, harness.Network] = {}
    exec(snippet, names)
    assert names["net"].layers[0].activation == "swish"


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, harness_swish; print([n for n in ('numpy', 'scipy', 'torch') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
