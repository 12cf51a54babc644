from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.contract.registry import registry
from harness.study.axes import DEFAULTS
from harness.study.entries import KEYS as ENTRY_KEYS
from harness.study.parse import SINGLES
from tests.study.told import read

DOCS = Path(__file__).parents[2] / "docs"
STUDIES = (DOCS / "studies.md").read_text(encoding="utf-8")
DATASETS = (DOCS / "datasets.md").read_text(encoding="utf-8")


def test_the_example_is_a_study(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", STUDIES, re.DOTALL)
    assert [entry.name for entry in read(tmp_path, example).backends] == ["blas", "threads"]


@pytest.mark.parametrize("key", [*SINGLES, *DEFAULTS, *ENTRY_KEYS, "include", "exclude"])
def test_every_key_is_documented(key: str) -> None:
    assert re.search(rf"^(\| .*|.*)`{key}`", STUDIES, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(registry().datasets))
def test_every_shipped_dataset_is_documented_with_its_options_and_licence(name: str) -> None:
    dataset = registry().datasets[name]
    if not dataset.load.startswith("harness."):
        return
    (line,) = re.findall(rf"^\| `{name}` .*$", DATASETS, re.MULTILINE)
    assert dataset.licence in line
    assert all(f"`{option}`" in line for option in dataset.options)


def test_the_example_of_a_dataset_works() -> None:
    described, loaded = re.findall(r"```python\n(.*?)```", DATASETS, re.DOTALL)
    there: dict[str, object] = {}
    exec(described, there)
    exec(loaded, there)
    (dataset,) = there["harness_datasets"]()  # type: ignore[operator]
    assert dataset.options["rows"] == (500, 5000, ...)
    data = there["load"](rows=500, width="wide")  # type: ignore[operator]
    assert data.shape == there["shape"](rows=500, width="wide")  # type: ignore[operator]
    assert 0.2 < data.y_train.mean() < 0.8
