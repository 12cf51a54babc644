from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import RequestError
from harness.contract import options
from harness.datasets import shape_of
from harness.plan.cell import Cell
from harness.plan.model import Plan, Site
from harness.plan.planning import make_plan
from tests.study.told import DATASETS, ONE, SPECS, elsewhere, read

Planned = Callable[..., Plan]


def site(cores: int = 2, absent: str = "") -> Site:
    return Site(
        cores=cores,
        spec=lambda name, python: elsewhere(python)[name] if python else SPECS[name],
        shape=shape_of,
        dataset_options=lambda name, given: options.resolve(name, DATASETS[name].options, given),
        missing=lambda spec: f"needs {absent}" if absent in spec.requires else None,
        memory_gib=24,
    )


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def plan(text: str, *overrides: str, cores: int = 2, absent: str = "") -> Plan:
        return make_plan(read(tmp_path, text, *overrides), site(cores, absent))

    return plan


def seen(plan: Plan) -> list[tuple[str, int, int]]:
    return [(cell.backend, cell.workers, cell.batch) for cell in plan.cells]


def test_the_cells_are_the_product_of_all_axes(planned: Planned) -> None:
    plan = planned(
        'batch = [1, 2]\nrate = [0.1, 0.2]\nseed = [5, 6, 7]\nnetworks = ["net-1h", {hidden = []}]\n'
        + ONE
        + 'workers = [1, 2, 4]\noptions = {kernels = ["inherit", "auto"]}'
    )
    assert len({cell.key for cell in plan.cells}) == len(plan.cells) == 2 * 2 * 3 * 2 * 3 * 2
    assert plan.seed == 5
    assert {cell.network.sizes for cell in plan.cells} == {(64, 1024, 10), (64, 10)}


def test_every_setting_of_the_study_is_in_the_cell(planned: Planned) -> None:
    text = 'epochs = 7\nhistory = true\ntime_limit = "2m"\nmemory_limit = "1 GiB"\nshuffle = true\ninit = "zeros"\n'
    (cell,) = planned(text + 'dtype = "float64"\n[[backend]]\nname = "mpi"\nhosts = "a"\nworkers = 3').cells
    assert (cell.study, cell.backend, cell.workers, cell.hosts) == ("mine", "mpi", 3, ("a",))
    assert (cell.epochs, cell.history, cell.time_limit, cell.memory_limit) == (7, True, 120.0, 2**30)
    assert (cell.shuffle, cell.init, cell.network.dtype) == (True, "zeros", "float64")
    assert cell.dataset_options == {"part": "split"}
    assert Cell.from_json(cell.to_json()) == cell


def test_options_that_the_study_does_not_give_are_at_their_default(planned: Planned) -> None:
    plan = planned('[[backend]]\nname = "threads"\noptions = {blas_threads = 3}')
    assert plan.cells[0].options == {"blas_threads": 3, "team": "pool"}


def test_all_means_every_core_and_every_row(planned: Planned) -> None:
    plan = planned('batch = "all"\n' + ONE + 'workers = [1, "all"]', cores=6)
    assert seen(plan) == [("blas", 1, 1498), ("blas", 6, 1498)]


def test_all_and_the_same_number_are_one_cell(planned: Planned) -> None:
    assert seen(planned(ONE + 'workers = [1, "all"]', cores=1)) == [("blas", 1, 32)]
    assert seen(planned('batch = [1498, "all"]\n' + ONE)) == [("blas", 1, 1498)]


def test_a_batch_larger_than_the_set_is_the_whole_set_and_the_plan_says_so(planned: Planned) -> None:
    plan = planned("batch = 5000\n" + ONE)
    assert seen(plan) == [("blas", 1, 1498)]
    assert plan.notes == ("batch 5000 is more than the 1498 rows of digits: one batch of all rows",)


TWO = (
    ONE
    + 'workers = [1, "all"]\n[[backend]]\nname = "threads"\nworkers = [1, "all"]\noptions = {team = ["pool", "fork"]}'
)
RULES = [
    ('{backend = "blas"}', 4),
    ('{workers = "all"}', 3),
    ("{workers = 2}", 3),
    ("{workers = [1, 2]}", 0),
    ('{backend = ["blas", "threads"], workers = 1}', 3),
    ('{options = {team = "fork"}}', 4),
    ('{backend = "threads", options = {team = "fork"}, workers = 1}', 5),
    ('{batch = "all"}', 6),
    ("{batch = 32}", 0),
    ('{network = "net-1h"}', 0),
    ("{network = {hidden = 1024}}", 0),
    ('{network = "net-2h"}', 6),
    ('{dataset = "digits"}', 0),
    ('{dataset = {name = "digits", part = "train"}}', 6),
    ('{loss = "mse", rate = 0.1, seed = 0, init = "glorot_uniform", shuffle = false, dtype = "float32"}', 0),
]


@pytest.mark.parametrize(("rule", "left"), RULES)
def test_a_rule_leaves_out_the_cells_that_match_all_that_it_names(planned: Planned, rule: str, left: int) -> None:
    text = f"exclude = [{rule}]\n{TWO}"
    if left:
        plan = planned(text)
        assert len(plan.cells) == left
        assert any("matches no cell" in note for note in plan.notes) == (left == 6)
    else:
        with pytest.raises(RequestError, match="its exclude rules leave nothing to run"):
            planned(text)


def test_a_rule_about_a_backend_that_is_left_out_is_no_slip(planned: Planned) -> None:
    assert planned('exclude = [{backend = "python", batch = 32}]\n' + ONE).notes == ()


def test_include_adds_cells_with_its_values_in_place_of_the_axes(planned: Planned) -> None:
    plan = planned('include = [{backend = "blas", batch = [64, 128], workers = 4}]\n' + ONE)
    assert seen(plan) == [("blas", 1, 32), ("blas", 4, 64), ("blas", 4, 128)]


def test_include_brings_back_what_exclude_left_out(planned: Planned) -> None:
    plan = planned('batch = [1, 2]\nexclude = [{batch = 2}]\ninclude = [{backend = "threads", batch = 2}]\n' + TWO)
    assert {cell.batch for cell in plan.cells if cell.backend == "blas"} == {1}
    assert {cell.batch for cell in plan.cells if cell.backend == "threads"} == {1, 2}


def test_include_may_name_a_backend_that_the_study_does_not(planned: Planned) -> None:
    assert seen(planned('include = [{backend = "python", batch = 8}]\n' + ONE)) == [("blas", 1, 32), ("python", 1, 8)]


def test_include_with_options_concerns_the_backends_that_have_them(planned: Planned) -> None:
    plan = planned("include = [{options = {blas_threads = 2}}]\n" + TWO)
    added = [cell for cell in plan.cells if cell.options.get("blas_threads") == 2]
    assert {cell.backend for cell in added} == {"threads"}
    assert len(plan.cells) == 6 + 4


def test_a_missing_package_is_a_refusal_with_the_reason(planned: Planned) -> None:
    plan = planned(ONE + '[[backend]]\nname = "torch"', absent="torch")
    assert [cell.backend for cell in plan.cells] == ["blas"]
    assert [(r.cell.backend, r.state, r.reason) for r in plan.refused] == [
        ("torch", "unavailable", "torch needs torch")
    ]


def test_a_device_takes_one_worker(planned: Planned) -> None:
    plan = planned('[[backend]]\nname = "torch"\nworkers = [1, 2]\noptions = {device = ["cpu", "cuda"]}')
    assert len(plan.cells) == 3
    (refused,) = plan.refused
    assert (refused.state, refused.cell.workers, refused.cell.options["device"]) == ("unsupported", 2, "cuda")


def test_softmax_cross_entropy_is_refused_on_one_output(planned: Planned) -> None:
    plan = planned('loss = ["bce", "ce"]\ndataset = ["quadrants", "digits"]\n' + ONE)
    assert len(plan.cells) == 3
    assert "needs a column for each class, and dataset 'quadrants' has one output" in plan.refused[0].reason


def test_a_set_that_the_memory_cannot_hold_is_refused_before_anything_is_loaded(planned: Planned) -> None:
    sets = [f'{{name = "synthetic", rows = {rows}, inputs = 64, outputs = 10}}' for rows in (2000, 2 * 10**8)]
    plan = planned(f"dataset = [{', '.join(sets)}]\n" + ONE)
    assert [cell.dataset_options["rows"] for cell in plan.cells] == [2000]
    (refused,) = plan.refused
    assert (refused.state, refused.cell.dataset_options["rows"]) == ("unavailable", 2 * 10**8)
    assert refused.reason == "the rows of synthetic alone take 55 GiB, and this machine has 24 GiB"


def test_more_workers_than_rows_or_cores_are_planned(planned: Planned) -> None:
    text = 'dataset = {name = "synthetic", rows = 3}\n' + ONE + "workers = 64"
    assert seen(planned(text)) == [("blas", 64, 3)]


def test_a_product_that_explodes_is_refused_at_once(planned: Planned) -> None:
    axes = "".join(f"{name} = [{', '.join(map(str, range(1, 101)))}]\n" for name in ("batch", "rate", "seed"))
    with pytest.raises(RequestError, match="1000000 cells before its rules; 20000 at most"):
        planned(axes + ONE)


def test_a_thousand_cells_are_planned(planned: Planned) -> None:
    axes = "".join(f"{name} = [{', '.join(map(str, range(1, 11)))}]\n" for name in ("batch", "rate", "seed"))
    plan = planned('exclude = [{workers = 7}]\ninclude = [{backend = "blas", seed = 99}]\n' + axes + ONE)
    assert len(plan.cells) == 1100


def test_another_interpreter_and_its_backend_are_in_the_cell(planned: Planned, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (cell,) = planned('[[backend]]\nname = "foreign"\npython = "./python"').cells
    assert (cell.python, cell.options) == (str(python), {"depth": 3})
