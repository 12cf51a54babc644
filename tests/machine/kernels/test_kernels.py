"""The option ``kernels``: the variables it sets, the search behind ``auto``, its cache, and the name in force."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Unavailable
from harness.contract.environment import combined, one_library_thread
from harness.machine.kernels import search as kernel_search
from harness.machine.kernels.openblas import Library, library
from harness.machine.kernels.option import blas_kernels, require_kernels
from harness.machine.kernels.search import Timing, choose, fastest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fastest.cache_clear()
    yield
    fastest.cache_clear()


def _machine(monkeypatch: pytest.MonkeyPatch, timings: dict[str | None, Timing | None]) -> list[str | None]:
    """Pretend that a child under each name finds these timings; return the names that were tried."""
    tried: list[str | None] = []

    def time(name: str | None) -> Timing | None:
        tried.append(name)
        return timings.get(name)

    monkeypatch.setattr(kernel_search, "_time", time)
    monkeypatch.setitem(kernel_search.CANDIDATES, "x86_64", ("Haswell", "SkylakeX"))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return tried


def test_inherit_changes_nothing() -> None:
    assert blas_kernels(2, {}) == blas_kernels(2, {"kernels": "inherit"}) == {}


def test_a_name_is_put_in_place_beside_the_threads() -> None:
    environment = combined(one_library_thread, blas_kernels)
    variables = environment(3, {"kernels": "Haswell"})
    assert variables["OPENBLAS_CORETYPE"] == "Haswell"
    assert variables["OPENBLAS_NUM_THREADS"] == "1"


def test_auto_takes_the_fastest_and_drops_an_inherited_cache_size(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, {None: Timing("Haswell", 2.0), "SkylakeX": Timing("SkylakeX", 1.0)})
    assert blas_kernels(1, {"kernels": "auto"}) == {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_L2_SIZE": None}


def test_auto_removes_an_inherited_name_where_the_librarys_own_choice_is_best(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, {None: Timing("SkylakeX", 1.0), "Haswell": Timing("Haswell", 1.5)})
    assert blas_kernels(1, {"kernels": "auto"}) == {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}


def test_noise_does_not_choose() -> None:
    assert choose("SkylakeX", {"SkylakeX": 1.0, "Haswell": 0.99}) is None
    assert choose("SkylakeX", {"SkylakeX": 1.0, "Haswell": 0.9}) == "Haswell"


def test_a_name_that_the_library_did_not_take_and_one_that_died_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, {None: Timing("Haswell", 1.0), "SkylakeX": Timing("Prescott", 0.1)})
    assert fastest() is None
    fastest.cache_clear()


def test_the_search_runs_once_a_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried = _machine(monkeypatch, {None: Timing("Haswell", 2.0), "SkylakeX": Timing("SkylakeX", 1.0)})
    assert fastest() == "SkylakeX"
    assert tried
    tried.clear()
    fastest.cache_clear()
    assert fastest() == "SkylakeX"
    assert not tried
    assert len(list((tmp_path / "backprop-harness").iterdir())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"fastest": 3}'])
def test_a_spoilt_cache_is_measured_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    tried = _machine(monkeypatch, {None: Timing("Haswell", 1.0)})
    fastest()
    (file,) = (tmp_path / "backprop-harness").iterdir()
    file.write_text(content)
    fastest.cache_clear()
    tried.clear()
    assert fastest() is None
    assert tried
    assert json.loads(file.read_text())["own"] == "Haswell"


def test_another_cpu_or_library_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernel_search._path()
    monkeypatch.setattr(kernel_search, "_cpu", lambda: ["another model"])
    other = kernel_search._path()
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0")
    assert len({before, other, kernel_search._path()}) == 3


def test_a_folder_that_cannot_be_written_is_a_warning_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    _machine(monkeypatch, {None: Timing("Haswell", 1.0)})
    assert fastest() is None
    assert "cannot be written" in capsys.readouterr().err


def test_where_not_even_the_librarys_own_choice_can_be_timed_auto_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _machine(monkeypatch, {})
    with pytest.raises(Unavailable, match="auto"):
        fastest()


def test_a_child_that_dies_or_hangs_is_no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert kernel_search._time(None) is None
    slow = subprocess.TimeoutExpired("python", 1)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(slow))
    assert kernel_search._time(None) is None


def test_a_real_child_times_a_product_and_says_which_kernels_ran() -> None:
    timing = kernel_search._time(None)
    assert timing is not None
    assert 0 < timing.seconds < math.inf


def test_require_accepts_what_is_in_force_and_refuses_a_name_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert require_kernels("inherit") == require_kernels("auto") == library()
    monkeypatch.setattr("harness.machine.kernels.option.library", lambda: Library("openblas", "0.3", "SkylakeX"))
    assert require_kernels("skylakex").facts() == {"blas": "openblas 0.3", "kernels": "SkylakeX"}
    with pytest.raises(Unavailable, match=r"kernels='Haswel' is not in force: NumPy runs openblas with SkylakeX"):
        require_kernels("Haswel")


def test_the_environment_is_computed_without_numpy() -> None:
    program = "import sys, harness.machine.kernels.search; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
