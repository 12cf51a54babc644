"""The descriptions of the datasets that the core ships; nothing is loaded here."""

from __future__ import annotations

from harness.contract.dataset import Dataset

HERE = "harness.datasets"

SHIPPED = (
    Dataset(
        name="digits",
        summary="1797 handwritten digits of 8 x 8 pixels, embedded",
        load=f"{HERE}.digits:load",
        shape=f"{HERE}.digits:shape",
        inputs=64,
        outputs=10,
        licence="CC BY 4.0",
        options={"part": ("split", "train")},
    ),
    Dataset(
        name="synthetic",
        summary="any shape, drawn from a seed, for pure timing",
        load=f"{HERE}.synthetic:load",
        shape=f"{HERE}.synthetic:shape",
        inputs=64,
        outputs=10,
        licence="none needed",
        options={"rows": (1000, ...), "inputs": (64, ...), "outputs": (10, ...), "seed": (0, ...)},
    ),
    Dataset(
        name="quadrants",
        summary="points of the plane: 0 in the 1st and 3rd quadrant, 1 in the 2nd and 4th",
        load=f"{HERE}.quadrants:load",
        shape=f"{HERE}.quadrants:shape",
        inputs=2,
        outputs=1,
        licence="none needed",
        options={"rows": (2000, ...), "seed": (0, ...)},
    ),
    Dataset(
        name="mnist",
        summary="70000 handwritten digits of 28 x 28 pixels, 11 MB",
        load=f"{HERE}.mnist:load_mnist",
        shape=f"{HERE}.mnist:shape",
        files=f"{HERE}.mnist:mnist_files",
        inputs=784,
        outputs=10,
        licence="CC BY-SA 3.0",
        options={"part": ("train", "split")},
    ),
    Dataset(
        name="fashion-mnist",
        summary="70000 pieces of clothing of 28 x 28 pixels, 30 MB",
        load=f"{HERE}.mnist:load_fashion",
        shape=f"{HERE}.mnist:shape",
        files=f"{HERE}.mnist:fashion_files",
        inputs=784,
        outputs=10,
        licence="MIT",
        options={"part": ("train", "split")},
    ),
    Dataset(
        name="kddcup99",
        summary="network connections, normal or an attack: 494021 (2 MB) or 4898431 (18 MB)",
        load=f"{HERE}.kddcup99:load",
        shape=f"{HERE}.kddcup99:shape",
        files=f"{HERE}.kddcup99:files",
        inputs=41,
        outputs=1,
        licence="public domain",
        options={"subset": ("10", "full"), "encoding": ("integer", "onehot"), "part": ("train", "split")},
    ),
)
"""First the embedded and the drawn sets, then those that are fetched."""
