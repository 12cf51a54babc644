"""A catalogue of made-up backends and the shipped datasets, so that no plugin need be installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import BackendSpec
from harness.contract.activations import shipped
from harness.datasets import shape_of
from harness.datasets.shipped import SHIPPED
from harness.errors import RequestError
from harness.study import read_study
from harness.study.catalogue import Catalogue
from harness.study.model import Study


def spec(name: str, **fields: Any) -> BackendSpec:
    told = {"implementation": f"nowhere.{name}:Nothing", "summary": "made up", "parallel": "none", "algebra": "blas"}
    return BackendSpec(api=1, name=name, **{**told, **fields})


SPECS = {
    "blas": spec("blas", options={"kernels": ("inherit", "auto", ...)}),
    "python": spec("python"),
    "threads": spec("threads", options={"blas_threads": (1, 2, ...), "team": ("pool", "fork")}),
    "torch": spec("torch", requires=("torch",), options={"device": ("cpu", "cuda"), "mode": ("eager", "compile")}),
    "mpi": spec("mpi", launcher=lambda workers, _options, _hosts: ["mpiexec", "-n", str(workers)]),
}
DATASETS = {dataset.name: dataset for dataset in SHIPPED}


def elsewhere(python: str) -> Mapping[str, BackendSpec]:
    """The other interpreter has one backend, whichever it is; ``broken`` in its path has none."""
    if "broken" in python:
        raise RequestError("cannot list its backends")
    return {"foreign": spec("foreign", options={"depth": (3,)})}


CATALOGUE = Catalogue(
    backends=SPECS,
    datasets=DATASETS,
    activations={activation.name: activation for activation in shipped()},
    check_dataset=shape_of,
    elsewhere=elsewhere,
)
ONE = '[[backend]]\nname = "blas"\n'


def read(folder: Path, text: str, *overrides: str) -> Study:
    """Read a study from a file of this text."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(path, overrides, CATALOGUE)


def problems(folder: Path, text: str, *overrides: str) -> list[str]:
    """Return what is wrong with a study, the folder cut off."""
    try:
        read(folder, text, *overrides)
    except RequestError as error:
        return [line.removeprefix(f"{folder}/") for line in str(error).splitlines()]
    return []
