"""Random studies, up to the edge of divergence: no right backend is called wrong, and no wrong one gets a speed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.contract.network import Network

Run = Callable[..., Any]
MUTANTS = ("IdleLater", "OneRowInEightLater", "StaleWeightsLater", "FasterRateLater", "DroppedBiasLater")
HONEST = ("Plain", "RowsReversed", "SumsInPieces")


def a_study(seed: int) -> dict[str, Any]:
    """Return the settings of a random study."""
    rng = np.random.default_rng(seed)
    rows, outputs = int(rng.integers(20, 400)), int(rng.integers(1, 11))
    loss = str(rng.choice(["mse", "bce", "ce"]))
    last = {"mse": str(rng.choice(["sigmoid", "linear", "tanh"])), "bce": "sigmoid", "ce": "linear"}[loss]
    hidden = [int(size) for size in rng.integers(3, 40, rng.integers(1, 4))]
    names = [*(str(name) for name in rng.choice(["sigmoid", "tanh", "relu"], len(hidden))), last]
    inputs = int(rng.integers(2, 65))
    return {
        "network": Network.dense(
            [inputs, *hidden, outputs], activation=names, loss=loss, dtype=str(rng.choice(["float32", "float64"]))
        ),
        "dataset_options": {"rows": rows, "inputs": inputs, "outputs": outputs},
        "batch": int(rng.choice([1, 2, 7, 32, 100, rows])),
        "rate": float(10 ** rng.uniform(-3, 0.7)),
        "seed": seed,
        "epochs": 2,
    }


def swept(run: Run, seeds: range) -> tuple[Counter[str], list[str]]:
    """Run every honest backend and every mutant on each study; return what was compared, and what went wrong."""
    compared: Counter[str] = Counter()
    faults: list[str] = []
    for seed in seeds:
        study = a_study(seed)
        results = {kind: run(kind, **study) for kind in HONEST}
        faults += [f"{seed} {kind}: {row['reason']}" for kind, row in results.items() if row["state"] == "wrong"]
        plain = results["Plain"]
        compared[str(plain["receipt"].get("parity", {}).get("compared", plain["state"]))] += 1
        if plain["state"] == "ok":
            mutants = [kind for kind in MUTANTS if kind != "StaleWeightsLater" or study["batch"] < _rows(study)]
            faults += [f"{seed} {kind}: ok" for kind in mutants if _passes(run(kind, **study), plain)]
    return compared, faults


def _rows(study: dict[str, Any]) -> int:
    return int(study["dataset_options"]["rows"])


def _passes(row: dict[str, Any], plain: dict[str, Any]) -> bool:
    """Return whether a wrong backend gets a speed although it came to another end, and parity could see that."""
    parity = row["receipt"].get("parity", {})
    blind = any("parity says little" in text or "left every weight" in text for text in row["warnings"])
    comparable = parity.get("replay", {}).get("verdict") == "compared"
    other = abs(row.get("final_loss", 0.0) - plain["final_loss"]) > 1e-4 * abs(plain["final_loss"])
    return bool(row["state"] == "ok" and comparable and other and not blind)


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_a_sweep_of_random_studies(run: Run) -> None:
    compared, faults = swept(run, range(25))
    assert not faults
    assert compared["epoch"] >= 0.8 * (compared["epoch"] + compared["head"] + compared["one batch"])


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_a_sweep_of_300_random_studies(run: Run) -> None:
    compared, faults = swept(run, range(1000, 1300))
    assert not faults
    assert compared["epoch"] >= 0.9 * (compared["epoch"] + compared["head"] + compared["one batch"])
