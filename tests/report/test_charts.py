from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pytest
from jsonschema import ValidationError

from harness.contract.network import Network
from harness.report.charts import roofline
from harness.report.charts.palette import looks
from harness.report.charts.panel import LEGEND, Figure, Panel, brief, distinct
from harness.report.content import content
from harness.report.summary import sections
from harness.runner.row import Row
from harness.store import Stored
from tests.report import made
from tests.samples import a_row

TITLES = {
    "How long does one epoch take?",
    "How fast is the arithmetic?",
    "How much faster than its serial counterpart?",
    "What do more workers bring?",
    "How soon is it accurate?",
    "How much of this machine is used?",
    "How to share the cores: workers or BLAS threads?",
}


def rows(**changes: Any) -> list[Row]:
    """Return rounds of three backends on 1, 2 and 4 workers, one of them with two numbers of BLAS threads."""
    measured = []
    for backend, speed, workers, threads in (
        *(("blas", 200.0, workers, 1) for workers in (1, 2, 4)),
        *(("threads", 300.0, workers, threads) for workers in (1, 2, 4) for threads in (1, 2)),
        *((made.SCRIPT, 10.0, workers, 1) for workers in (1, 2, 4)),
    ):
        options = {"blas_threads": threads} if backend == "threads" else {}
        cell = made.cell(backend, workers, 128, options=options)
        measured += [replace(made._row(cell, turn, "box", speed * workers**0.8), **changes) for turn in range(5)]
    return measured


def in_runs(measured: list[Row]) -> list[Stored]:
    """Return the rows as if each number of workers had been measured in a run of its own."""
    return [Stored(row=row, run=str(row.cell.workers), code="", plugin="", label="", attempt=1) for row in measured]


def scaling_rows(measured: Sequence[Row | Stored]) -> list[tuple[str, ...]]:
    drawn = [figure for figure in figures(measured) if figure.title == "What do more workers bring?"]
    return [row for figure in drawn for panel in figure.panels for row in panel.rows if row[0] == "blas"]


def test_scaling_pairs_rounds_of_one_run_alone() -> None:
    together, apart = scaling_rows(rows()), scaling_rows(in_runs(rows()))
    assert [row[3] for row in together] == ["1.00", "1.74", "3.03"]
    assert [row[3] for row in apart] == ["1.00", "-", "-"]
    assert "no interval" not in together[0][5]
    assert "no interval" in apart[0][5]


def test_a_fit_and_a_bar_that_rest_on_lost_rounds_say_so() -> None:
    measured = [
        replace(row, state="crashed") if (row.cell.backend, row.cell.workers, row.round) == ("blas", 2, 0) else row
        for row in rows()
    ]
    single, double, _ = scaling_rows(measured)
    assert single[5].endswith("; rounds were lost with 2 workers")
    assert double[3].endswith("*")
    texts = {
        figure.title: row[1]
        for figure in figures(measured)
        for panel in figure.panels
        for row in panel.rows
        if panel.title == "batch 128, 2 workers" and row[0] == "blas"
    }
    assert texts["How long does one epoch take?"].endswith("*")
    assert texts["How much faster than its serial counterpart?"].endswith("*")


def figures(measured: Sequence[Row | Stored]) -> list[Figure]:
    machines = content(measured, made.specs(), title="").machines
    return [figure for machine in machines for part in machine.parts for figure in part.figures]


def panels(measured: Sequence[Row | Stored]) -> list[Panel]:
    return [panel for figure in figures(measured) for panel in figure.panels]


def walked(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walked(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from walked(item, name)


def test_every_figure_of_the_papers_is_drawn() -> None:
    assert {figure.title for figure in figures(rows())} == TITLES


def test_every_specification_is_valid_vega_lite() -> None:
    for panel in panels(rows()):
        assert alt.LayerChart.from_dict(panel.spec, validate=True)
    with pytest.raises(ValidationError):
        alt.LayerChart.from_dict({**panels(rows())[0].spec, "width": "as wide as can be"}, validate=True)


def test_no_name_from_outside_is_a_field_or_part_of_an_expression() -> None:
    for panel in panels(made.rows()):
        spec = {**panel.spec, "data": None}
        for layer in spec["layer"]:
            layer.pop("data", None)
        names = {name for name, _ in walked(spec)}
        assert not names & {"expr", "signal", "calculate", "test", "labelExpr", "href", "url"}
        fields = {value for name, value in walked(spec) if name == "field" and isinstance(value, str)}
        assert all(field.isalnum() for field in fields)


def test_a_specification_is_plain_json_without_nan() -> None:
    broken = rows(gflops=math.nan, peak_share=math.inf, accuracy=math.nan)
    for panel in panels(broken):
        json.dumps(panel.spec, allow_nan=False)


def test_one_slow_contender_does_not_squash_the_others() -> None:
    cells = [made.cell(backend, 1, 128) for backend in ("blas", "fused")]
    slow = [a_row(cells[0], turn, epoch_seconds=(100.0,), gflops=1.0) for turn in range(3)]
    quick = [a_row(cells[1], turn, epoch_seconds=(0.1,), gflops=1000.0) for turn in range(3)]
    first = panels([*slow, *quick])[0].spec["layer"][1]
    assert first["encoding"]["x"]["scale"]["type"] == "log"
    assert first["mark"]["type"] == "point", "the length of a bar on a logarithmic axis says nothing"
    assert panels(quick)[0].spec["layer"][0]["mark"]["type"] == "bar"


def test_a_contender_looks_the_same_in_every_figure() -> None:
    seen: dict[str, set[str]] = {}
    for panel in panels(rows()):
        for name, value in walked(panel.spec):
            if name == "values" and isinstance(value, dict) and "colour" in value:
                seen.setdefault(brief([str(value["name"])], LEGEND)[0], set()).add(str(value["colour"]))
            if name == "color" and isinstance(value, dict) and "domain" in (value.get("scale") or {}):
                for label, colour in zip(value["scale"]["domain"], value["scale"]["range"], strict=True):
                    seen.setdefault(label, set()).add(colour)
    assert len(seen) >= 3
    assert all(len(colours) == 1 for colours in seen.values())


def test_fourteen_backends_look_different_from_each_other() -> None:
    cells = [made.cell(f"backend-{i}", 1, 128) for i in range(14)]
    every = sections([a_row(cell) for cell in cells], {})
    known = looks(summary for section in every for summary in section.summaries)
    assert len(set(known.values())) == 14


def test_equal_names_get_places_of_their_own() -> None:
    assert distinct(["a", "b", "a", "a"]) == ["a", "b", "a (#2)", "a (#3)"]


def test_fits_stand_in_the_table_where_the_machine_has_the_cores() -> None:
    def told(measured: list[Row]) -> str:
        return json.dumps([figure.panels[0].rows for figure in figures(measured) if "workers bring" in figure.title])

    assert "parallel fraction 0." in told(rows())
    assert "contention" in told(rows())
    few = {**rows()[0].receipt, "hardware": {"usable_cores": 2}}
    assert "parallel fraction" not in told(rows(receipt=few))


def test_intensity_grows_with_the_batch_and_counts_what_a_step_moves() -> None:
    network = Network.dense([4, 3, 2])
    cell = made.cell("blas", 1, 1, network=network)
    weights, first = 4 * 3 + 3 * 2, 4 * 3
    moved = 4 * weights - first + 1 * (2 * 4 + 6 * (3 + 2))
    assert roofline.intensity(cell) == pytest.approx((6 * weights - 2 * first) / (4 * moved))
    assert roofline.intensity(replace(cell, batch=64)) > roofline.intensity(cell)


@pytest.mark.parametrize(
    "limit", [None, {}, "no", {"gflops": "x"}, {"gflops": 10.0, "bandwidth": [3, {"level": "L1"}]}]
)
def test_a_receipt_that_tells_no_limit_draws_no_roof(limit: Any) -> None:
    drawn = figures(rows(receipt={"limit": limit}))
    told = [figure for figure in drawn if figure.title == roofline.TITLE]
    assert bool(told) == (isinstance(limit, dict) and limit.get("gflops") == 10.0)


@pytest.mark.parametrize(
    "history", [({"epoch": 1.0, "loss": 0.5},), ({"epoch": 1, "accuracy": math.nan, "seconds": 1},)]
)
def test_without_a_whole_history_accuracy_is_shown_where_training_ended(history: Any) -> None:
    drawn = next(figure for figure in figures(rows(history=history)) if "accurate" in figure.title)
    assert all(row[1] == "4" for panel in drawn.panels for row in panel.rows)


def test_times_of_two_machines_never_share_a_panel() -> None:
    measured = [
        a_row(made.cell(f"{machine}-{i}", 1, 128), turn, machine=machine)
        for machine in ("east", "west")
        for i in range(2)
        for turn in range(3)
    ]
    places = [{row[0].split("-")[0] for row in panel.rows} for panel in panels(measured)]
    assert {"east"} in places
    assert {"west"} in places
    assert {"east", "west"} not in places


def test_lines_of_one_colour_have_dashes_of_their_own() -> None:
    measured = [
        made._row(made.cell(f"backend-{i:02}", 1, 128), turn, "box", 10.0 + i) for i in range(14) for turn in range(3)
    ]
    panel = next(figure for figure in figures(measured) if "accurate" in figure.title).panels[0]
    dashes = {tuple(layer["mark"]["strokeDash"]) for layer in panel.spec["layer"] if layer["mark"]["type"] == "line"}
    assert len(dashes) == 2
    assert {datum["dash"] for datum in panel.spec["data"]["values"]} == {0, 1}


def test_names_that_read_the_same_keep_their_own_lines() -> None:
    measured = [
        made._row(made.cell(name, workers, 128), turn, "box", 10.0 * workers)
        for name in ("a  b", "a b")
        for workers in (1, 2)
        for turn in range(3)
    ]
    panel = next(figure for figure in figures(measured) if "workers bring" in figure.title).panels[0]
    assert [row[0] for row in panel.rows] == ["a b", "a b", "a b (#2)", "a b (#2)"]


def test_long_names_are_cut_where_they_are_alike_and_told_apart() -> None:
    assert brief(["blas", "threads blas_threads=16", "threads blas_threads=2"], 20) == [
        "blas",
        "threads bl…hreads=16",
        "threads bl…threads=2",
    ]
    assert brief(["x" * 40, "x" * 41], 9) == ["xxxx…xxxx", "xxxx…xxxx (#2)"]
