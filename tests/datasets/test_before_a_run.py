from __future__ import annotations

from pathlib import Path

import pytest

from harness import DataError, run
from harness.contract.registry import registry
from harness.datasets import kddcup99
from harness.store import Store
from tests.datasets.conftest import Mirror
from tests.study.told import ONE, SPECS


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study on KDD Cup of a backend that cannot be imported, so a cell that is started ends in a row of its own."""
    monkeypatch.setitem(registry().backends, "blas", SPECS["blas"])
    path = tmp_path / "mine.toml"
    path.write_text('dataset = "kddcup99"\n' + ONE)
    return path


def test_data_that_cannot_be_had_end_a_run_before_its_first_cell(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror
) -> None:
    monkeypatch.setitem(kddcup99.MIRRORS, "10", (f"{mirror.url}/kdd.gz",))
    store = tmp_path / "results.db"
    with pytest.raises(DataError, match=r"kddcup99/kddcup\.data_10_percent\.gz cannot be fetched: .*: answered 404"):
        run(study, store)
    assert "/kdd.gz" in mirror.asked
    with Store.read(store) as opened:
        assert opened.rows() == []
