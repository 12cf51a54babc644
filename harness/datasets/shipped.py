"""The datasets that the core ships, described; nothing is loaded here."""

from __future__ import annotations

from collections.abc import Iterator

from harness.dataset import Dataset

HERE = "harness.datasets"


def shipped() -> Iterator[Dataset]:
    """Yield the embedded and the drawn sets, then those that are fetched."""
    yield Dataset(
        name="digits",
        summary="1797 handwritten digits of 8 x 8 pixels, embedded",
        load=f"{HERE}.digits:load",
        shape=f"{HERE}.digits:shape",
        inputs=64,
        outputs=10,
        licence="CC BY 4.0",
        options={"part": ("split", "train")},
    )
    yield Dataset(
        name="synthetic",
        summary="any shape, drawn from a seed, for pure timing",
        load=f"{HERE}.synthetic:load",
        shape=f"{HERE}.synthetic:shape",
        inputs=64,
        outputs=10,
        licence="none needed",
        options={"rows": (1000, ...), "inputs": (64, ...), "outputs": (10, ...), "seed": (0, ...)},
    )
    yield Dataset(
        name="quadrants",
        summary="points of the plane: 0 in the 1st and 3rd quadrant, 1 in the 2nd and 4th",
        load=f"{HERE}.quadrants:load",
        shape=f"{HERE}.quadrants:shape",
        inputs=2,
        outputs=1,
        licence="none needed",
        options={"rows": (2000, ...), "seed": (0, ...)},
    )
