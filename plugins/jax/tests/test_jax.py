"""What is JAX's own here: the scan with its ragged end, bfloat16 products, registered activations, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from harness_jax import model as jax_model
from harness_jax import platform
from harness_jax.backend import JaxBackend

import harness
from harness import Network, RequestError, Unavailable, Unsupported
from harness.plugin import reference

ROWS = 53


def problem(dtype: str = "float64") -> tuple[Network, harness.Parameters, harness.Array, harness.Array]:
    network = Network.dense([7, 17, 5, 3], activation=["tanh", "relu", "sigmoid"], dtype=dtype)
    generator = np.random.default_rng(5)
    x = generator.normal(size=(ROWS, 7)).astype(dtype)
    y = np.eye(3, dtype=dtype)[generator.integers(0, 3, ROWS)]
    return network, harness.initial_parameters(network, 3), x, y


def assert_trained_as_reference(backend: JaxBackend, x: harness.Array, y: harness.Array, batch: int) -> None:
    start = backend.parameters()
    backend.train_epoch(batch, 0.3)
    expected = reference.train_epoch(backend.network, start, x, y, batch, 0.3)
    for (weights, bias), (right_weights, right_bias) in zip(backend.parameters(), expected, strict=True):
        np.testing.assert_allclose(weights, right_weights, rtol=0, atol=1e-13)
        np.testing.assert_allclose(bias, right_bias, rtol=0, atol=1e-13)


@pytest.mark.parametrize("batch", [1, 8, ROWS - 1, ROWS, ROWS + 1, 10_000])
def test_the_scan_and_its_ragged_last_batch_train_as_the_reference_does(batch: int) -> None:
    network, start, x, y = problem()
    with JaxBackend(network, start) as backend:
        backend.load(x, y)
        assert_trained_as_reference(backend, x, y, batch)


def test_an_activation_without_native_form_uses_the_slope_of_its_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax_model, "NATIVE", {})
    jax_model.compiled.cache_clear()
    network, start, x, y = problem()
    with JaxBackend(network, start) as backend:
        backend.load(x, y)
        assert_trained_as_reference(backend, x, y, 8)


def test_bfloat16_products_differ_from_float32_but_weights_stay_float32() -> None:
    network, start, x, y = problem("float32")
    trained = {}
    for precision in ("ieee", "bf16"):
        with JaxBackend(network, start, precision=precision) as backend:
            backend.load(x, y)
            backend.train_epoch(8, 0.3)
            trained[precision] = backend.parameters()[0][0]
    assert trained["bf16"].dtype == np.float32
    assert np.any(trained["bf16"] != trained["ieee"])
    np.testing.assert_allclose(trained["bf16"], trained["ieee"], rtol=0, atol=1e-2)


def test_the_callers_arrays_are_copied_because_jax_may_use_their_memory() -> None:
    network, start, x, y = problem()
    kept = x.copy()
    with JaxBackend(network, start) as backend:
        backend.load(x, y)
        x[:] = np.nan
        assert_trained_as_reference(backend, kept, y, 8)


@pytest.mark.parametrize(
    ("options", "dtype", "words"),
    [
        ({"precision": "tf32"}, "float32", "device=cuda"),
        ({"precision": "bf16"}, "float64", "float32 networks only"),
        ({"device": "cuda"}, "float32", "one worker"),
    ],
)
def test_what_can_never_work_is_unsupported_with_the_reason(options: dict[str, str], dtype: str, words: str) -> None:
    network, start, _, _ = problem(dtype)
    with pytest.raises(Unsupported, match=words):
        JaxBackend(network, start, workers=2, **options)  # type: ignore[arg-type]


def test_a_device_that_jax_does_not_see_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_devices(_name: str) -> list[object]:
        raise RuntimeError("Unknown backend cuda\nand more lines")

    monkeypatch.setattr("harness_jax.backend.jax.devices", no_devices)
    network, start, _, _ = problem()
    with pytest.raises(Unavailable, match=r"no CUDA device: Unknown backend cuda$"):
        JaxBackend(network, start, device="cuda")


def test_a_cpu_cell_is_kept_off_the_gpu() -> None:
    assert platform(1, {"device": "cpu"}) == {"JAX_PLATFORMS": "cpu"}
    assert platform(1, {"device": "cuda"})["JAX_PLATFORMS"] is None


def test_a_rate_that_is_not_finite_is_refused() -> None:
    network, start, x, y = problem()
    with JaxBackend(network, start) as backend:
        backend.load(x, y)
        with pytest.raises(RequestError, match="finite"):
            backend.train_epoch(8, float("inf"))
        with pytest.raises(RequestError, match="batch_size=0"):
            backend.train_epoch(0, 0.1)
