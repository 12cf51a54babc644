"""What is PyTorch's own here: the steps that a CUDA graph captures, refusals, and activations without a native form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from harness_torch import backend as torch_backend
from harness_torch.graph import STEPS_PER_GRAPH, Steps, _groups
from harness_torch.model import Perceptron

import harness
from harness import Network, RequestError, Unavailable, Unsupported
from harness.plugin import reference

NETWORKS = [
    (["tanh", "relu", "sigmoid"], "mse"),
    (["tanh", "relu", "sigmoid"], "bce"),
    (["sigmoid", "relu", "linear"], "ce"),
    (["relu", "tanh", "linear"], "mse"),
]


def problem(
    activation: Sequence[str], loss: str, dtype: str
) -> tuple[Network, harness.Parameters, harness.Array, harness.Array]:
    network = Network.dense([7, 17, 5, 3], activation=activation, loss=loss, dtype=dtype)
    generator = np.random.default_rng(5)
    x = generator.normal(size=(53, 7)).astype(dtype)
    y = np.eye(3, dtype=dtype)[generator.integers(0, 3, 53)]
    return network, harness.initial_parameters(network, 3), x, y


@pytest.mark.parametrize(("activation", "loss"), NETWORKS)
def test_the_steps_that_a_graph_captures_train_as_the_reference_does(activation: list[str], loss: str) -> None:
    network, start, x, y = problem(activation, loss, "float64")
    model = Perceptron(network, start, "cpu", "ieee")
    steps = Steps(model, torch.tensor(0.3, dtype=torch.float64))
    with torch.no_grad():
        for rows in harness.batches(len(x), 8):
            steps.step(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
    expected = reference.train_epoch(network, start, x, y, 8, 0.3)
    for linear, (weights, bias) in zip(model.linears, expected, strict=True):
        np.testing.assert_allclose(linear.weight.detach().numpy().T, weights, rtol=0, atol=1e-13)
        np.testing.assert_allclose(linear.bias.detach().numpy(), bias, rtol=0, atol=1e-13)


def test_a_graph_at_rate_zero_leaves_the_weights_alone() -> None:
    network, start, x, y = problem(*NETWORKS[0], "float32")
    model = Perceptron(network, start, "cpu", "ieee")
    with torch.no_grad():
        Steps(model, torch.zeros(())).step(torch.from_numpy(x), torch.from_numpy(y))
    for linear, (weights, _) in zip(model.linears, start, strict=True):
        np.testing.assert_array_equal(linear.weight.detach().numpy().T, weights)


def test_an_epoch_is_cut_into_graphs_that_hold_every_batch_once() -> None:
    slices = list(harness.batches(STEPS_PER_GRAPH * 2 + 1, 1))
    groups = list(_groups(slices))
    assert [len(group) for group in groups] == [STEPS_PER_GRAPH, STEPS_PER_GRAPH, 1]
    assert [rows for group in groups for rows in group] == slices


@pytest.mark.parametrize(
    ("options", "dtype", "words"),
    [
        ({"mode": "graph"}, "float32", "device=cuda"),
        ({"precision": "tf32"}, "float32", "device=cuda"),
        ({"precision": "bf16"}, "float64", "float32 networks only"),
        ({"device": "cuda"}, "float32", "one worker"),
    ],
)
def test_what_can_never_work_is_unsupported_with_the_reason(options: dict[str, str], dtype: str, words: str) -> None:
    network, start, _, _ = problem(*NETWORKS[0], dtype)
    with pytest.raises(Unsupported, match=words):
        torch_backend.TorchBackend(network, start, workers=2, **options)  # type: ignore[arg-type]


def test_no_gpu_is_unavailable_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    network, start, _, _ = problem(*NETWORKS[0], "float32")
    with pytest.raises(Unavailable, match="no CUDA device"):
        torch_backend.TorchBackend(network, start, device="cuda")


def test_no_compiler_makes_compile_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_backend.shutil, "which", lambda _name: None)
    network, start, _, _ = problem(*NETWORKS[0], "float32")
    with pytest.raises(Unavailable, match="install g"):
        torch_backend.TorchBackend(network, start, mode="compile")


def test_bfloat16_products_differ_from_float32_but_weights_stay_float32() -> None:
    network, start, x, y = problem(*NETWORKS[0], "float32")
    trained = {}
    for precision in ("ieee", "bf16"):
        with torch_backend.TorchBackend(network, start, precision=precision) as backend:
            backend.load(x, y)
            backend.train_epoch(8, 0.3)
            trained[precision] = backend.parameters()[0][0]
    assert trained["bf16"].dtype == np.float32
    assert np.any(trained["bf16"] != trained["ieee"])
    np.testing.assert_allclose(trained["bf16"], trained["ieee"], rtol=0, atol=1e-2)


def test_an_activation_without_native_form_uses_the_slope_of_its_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness_torch.model.NATIVE", {})
    network, start, x, y = problem(*NETWORKS[0], "float64")
    with torch_backend.TorchBackend(network, start) as backend:
        backend.load(x, y)
        backend.train_epoch(8, 0.3)
        trained = backend.parameters()
    expected = reference.train_epoch(network, start, x, y, 8, 0.3)
    for (weights, _), (right, _) in zip(trained, expected, strict=True):
        np.testing.assert_allclose(weights, right, rtol=0, atol=1e-13)


def test_a_rate_that_is_not_finite_is_refused() -> None:
    network, start, x, y = problem(*NETWORKS[0], "float32")
    with torch_backend.TorchBackend(network, start) as backend:
        backend.load(x, y)
        with pytest.raises(RequestError, match="finite"):
            backend.train_epoch(8, float("nan"))
