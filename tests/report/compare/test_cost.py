"""The cost model on made-up backends whose costs are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.contract.network import Network
from harness.report.compare.cost import fit, observations
from harness.report.compare.crossover import as_objects, lines, models
from harness.store import Stored
from tests.report.compare.made import stored

EXAMPLES = 2048
BATCHES = (1, 8, 64, 512)
QUICK_STEPS, QUICK_FLOPS = (1e-6, 2e-8, 1e-10), (50e-6, 1e-8, 1e-11)
"""One costs little a step, the other little a FLOP."""


def rows(
    costs: tuple[float, float, float],
    *,
    noise: float = 0.0,
    widths: tuple[int, ...] = (32, 128, 512),
    seed: int = 0,
    **changes: Any,
) -> list[Stored]:
    rng = np.random.default_rng(seed)
    made = []
    for width in widths:
        network = Network.dense([64, width, 10])
        flops = network.flops_per_example
        for batch in BATCHES:
            steps = -(-EXAMPLES // batch)
            exact = costs[0] * steps + costs[1] * EXAMPLES + costs[2] * EXAMPLES * flops
            for turn in range(5):
                time = exact * float(np.exp(rng.normal(0, noise)))
                gflops = flops * EXAMPLES / time / 1e9
                (entry,) = stored([time], row={"gflops": gflops}, network=network, batch=batch, **changes)
                object.__setattr__(entry.row, "round", turn)
                made.append(entry)
    return made


def test_known_costs_are_found_and_so_is_the_size_of_the_set() -> None:
    measured = observations(rows(QUICK_STEPS))
    assert {cell.examples for cell in measured} == {EXAMPLES}
    model = fit(measured)
    assert model.costs == pytest.approx(QUICK_STEPS, rel=1e-6)
    assert model.separates
    assert model.bad == []


def test_no_cost_is_negative_whatever_the_times() -> None:
    model = fit(observations(rows((0.0, 1e-6, 0.0), noise=0.3)))
    assert min(model.costs) >= 0
    assert model.refits.min() >= 0


def test_a_prediction_holds_its_interval() -> None:
    flops = Network.dense([64, 256, 10]).flops_per_example
    truth = QUICK_FLOPS[0] * 64 + QUICK_FLOPS[1] * EXAMPLES + QUICK_FLOPS[2] * EXAMPLES * flops
    held = 0
    for seed in range(40):
        predicted = fit(observations(rows(QUICK_FLOPS, noise=0.1, seed=seed))).predict(EXAMPLES, 32, flops)
        held += predicted.low <= truth <= predicted.high
        assert predicted.value == pytest.approx(truth, rel=0.3)
    assert held >= 32


def test_the_batch_and_the_width_where_one_overtakes_the_other_are_named() -> None:
    (both,) = models(rows(QUICK_STEPS, noise=0.03), rows(QUICK_FLOPS, noise=0.03, seed=1, backend="other"))
    crossings = both.overtakings()
    flops = Network.dense([64, 128, 10]).flops_per_example
    true_batch = (50e-6 - 1e-6) / (1e-8 + 9e-11 * flops)
    (batch,) = (
        crossing for crossing in crossings if crossing.axis == "batch" and crossing.where.startswith("64-128-10")
    )
    assert batch.low <= true_batch <= batch.high
    assert batch.above == "B"
    assert not batch.extrapolated
    (width,) = (crossing for crossing in crossings if crossing.axis == "width" and "batch 8 " in crossing.where)
    true_flops = (49e-6 / 8 - 1e-8) / 9e-11
    assert width.low <= true_flops / (4 * 64 + 6 * 10) <= width.high
    assert width.above == "B"
    assert width.crossing == 1


def test_a_crossing_beyond_all_that_was_measured_says_so() -> None:
    nets = (32, 128)
    a, b = rows((1e-6, 1e-8, 1e-10), widths=nets), rows((600e-6, 1e-8, 0.9e-10), widths=nets, backend="other")
    (both,) = models(a, b)
    batch = [crossing for crossing in both.overtakings() if crossing.axis == "batch"]
    assert batch
    assert all(crossing.extrapolated and "EXTRAPOLATED" in str(crossing) for crossing in batch)


def test_a_backend_that_is_ahead_everywhere_overtakes_nobody() -> None:
    (both,) = models(rows((1e-6, 1e-8, 1e-11)), rows((2e-6, 2e-8, 2e-11), backend="other"))
    assert both.overtakings() == []
    assert "neither overtakes the other" in "\n".join(lines([both], ("blas", "other")))


def test_a_cell_that_the_model_misses_is_named() -> None:
    made = rows(QUICK_STEPS)
    for entry in made:
        if entry.row.cell.batch == 512 and entry.row.cell.network.sizes[1] == 512:
            object.__setattr__(entry.row, "epoch_seconds", (3 * entry.row.epoch_seconds[0],))
            object.__setattr__(entry.row, "gflops", entry.row.gflops / 3)
    (both,) = models(made, rows(QUICK_FLOPS, backend="other"))
    worst, error = both.a.bad[0]
    assert (worst.cell.batch, worst.cell.network.sizes[1]) == (512, 512)
    assert error > 1
    assert "fits badly: batch=512 on 64-512-10" in "\n".join(lines([both], ("blas", "other")))


def test_one_net_alone_says_nothing_about_widths() -> None:
    (both,) = models(rows(QUICK_STEPS, widths=(32,)), rows(QUICK_FLOPS, widths=(32,), backend="other"))
    assert not both.a.separates
    assert {crossing.axis for crossing in both.overtakings()} == {"batch"}


def test_too_few_cells_are_no_model() -> None:
    assert fit(observations(rows(QUICK_STEPS, widths=(32,)))[:2]) is None
    (both,) = models(rows(QUICK_STEPS)[:10], rows(QUICK_FLOPS)[:10])
    assert "too few cells" in "\n".join(lines([both], ("a", "b")))


def test_each_number_of_workers_has_its_own_model() -> None:
    a = rows(QUICK_STEPS) + rows((2e-6, 1e-8, 5e-11), workers=2)
    b = rows(QUICK_FLOPS, backend="other") + rows(QUICK_FLOPS, workers=2, backend="other")
    every = models(a, b)
    assert [both.workers for both in every] == [1, 2]
    assert every[1].a.costs == pytest.approx((2e-6, 1e-8, 5e-11), rel=1e-6)
    (first, _) = as_objects(every)
    assert first["a"]["cells"][0]["predicted"] == pytest.approx(first["a"]["cells"][0]["seconds"])
