"""Tables and a chart of what ``fused_peers.py --json`` has written.

    python benchmarks/scripts/fused_peers_chart.py peers.json --chart peers.png

Prints one table in Markdown for every network and number of workers: medians in GFLOP/s, the share of the machine's
limit, and how much faster ``fused`` is than the best peer of the cell, with the 95 % interval of the paired rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import vl_convert
from fused_peers import LIMIT

from harness.report.charts.palette import COLOURS

Row = dict[str, Any]
SHOWN = {LIMIT: "limit (GEMM)"}
GREY = "#777777"
PLAIN: list[str] = []
"""A chart may load nothing from anywhere."""


def parts(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the title and the rows of every network and number of workers, in the order of the run."""
    for net, workers in dict.fromkeys((row["net"], row["workers"]) for row in rows):
        many = f"{workers} workers" if workers > 1 else "1 worker"
        yield f"{net}, {many}", [row for row in rows if (row["net"], row["workers"]) == (net, workers)]


def limit(rows: Sequence[Row]) -> float:
    """Return the median GEMM peak over all cells of a number of workers: it is the machine's, not the cell's."""
    return statistics.median(float(row[LIMIT]) for row in rows)


def table(rows: Sequence[Row], peak: float) -> Iterator[str]:
    """Yield the lines of one table."""
    peers = list(rows[0]["peers"])
    yield f"| batch | `fused` | share | {' | '.join(peers)} | against the best peer |"
    yield f"|{' ---: |' * (len(peers) + 3)} --- |"
    for row in rows:
        speeds = [cell(row["peers"][peer]) for peer in peers]
        share = f"{100 * row['fused'] / peak:.0f} %"
        yield f"| {row['batch']} | {row['fused']:.0f} | {share} | {' | '.join(speeds)} | {best(row)} |"


def cell(peer: Row) -> str:
    """Return a peer's speed, or that there is none."""
    return "failed" if "error" in peer else f"{peer['gflops']:.0f}{' (wrong)' if peer['wrong'] else ''}"


def best(row: Row) -> str:
    """Return how much faster ``fused`` is than the fastest peer that was run in every round."""
    there = {name: peer for name, peer in row["peers"].items() if "error" not in peer and peer["interval"]}
    if not there:
        return "too few rounds"
    name = min(there, key=lambda name: float(there[name]["ratio"]))
    low, high = there[name]["interval"]
    return f"{there[name]['ratio']:.2f} [{low:.2f}, {high:.2f}] {name}"


def points(rows: Sequence[Row], peaks: dict[int, float]) -> Iterator[Row]:
    """Yield one point for every contender of every cell."""
    for title, part in parts(rows):
        for row in part:
            speeds = {name: peer.get("gflops") for name, peer in row["peers"].items()}
            for name, speed in {"fused": row["fused"], **speeds, LIMIT: peaks[row["workers"]]}.items():
                if speed is not None:
                    at = {"part": title, "batch": row["batch"], "gflops": speed}
                    yield {**at, "contender": SHOWN.get(name, name)}


def chart(rows: Sequence[Row], peaks: dict[int, float]) -> dict[str, Any]:
    """Return the Vega-Lite specification: a panel for every network and number of workers."""
    data = list(points(rows, peaks))
    names = list(dict.fromkeys(point["contender"] for point in data))
    colours = [GREY if name == SHOWN[LIMIT] else COLOURS[at] for at, name in enumerate(names)]
    dashes = [[4, 3] if name == SHOWN[LIMIT] else [1, 0] for name in names]
    batches = sorted({row["batch"] for row in rows})
    sizes = {"type": "log", "base": 2, "domain": [batches[0], batches[-1]]}
    encoding = {
        "x": field(
            "batch",
            "quantitative",
            "batch size",
            scale=sizes,
            axis={"values": batches, "format": "d", "labelOverlap": False, "labelFlush": False},
        ),
        "y": field("gflops", "quantitative", "GFLOP/s"),
        "color": field("contender", "nominal", None, scale={"domain": names, "range": colours}),
        "strokeDash": field("contender", "nominal", None, scale={"domain": names, "range": dashes}),
    }
    line = {"type": "line", "strokeWidth": 2, "point": {"size": 22}}
    return {
        "data": {"values": data},
        "facet": field("part", "nominal", None, sort=None, header={"title": None, "labelFontSize": 13}),
        "columns": 2,
        "resolve": {"scale": {"y": "independent"}},
        "background": "white",
        "spec": {"width": 380, "height": 240, "mark": line, "encoding": encoding},
    }


def field(name: str, kind: str, title: str | None, **others: Any) -> dict[str, Any]:
    """Return one encoding."""
    return {"field": name, "type": kind, "title": title, **others}


def main() -> None:
    """Print the tables and write the chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, help="what fused_peers.py --json has written")
    parser.add_argument("--chart", type=Path, help="write a PNG here")
    given = parser.parse_args()
    rows: list[Row] = json.loads(given.rows.read_text())
    peaks = {
        count: limit([row for row in rows if row["workers"] == count]) for count in {row["workers"] for row in rows}
    }
    for title, part in parts(rows):
        peak = peaks[part[0]["workers"]]
        print(f"\n{title}; GEMM peak {peak:.0f} GFLOP/s\n", *table(part, peak), sep="\n")
    if given.chart:
        given.chart.write_bytes(vl_convert.vegalite_to_png(chart(rows, peaks), scale=1.5, allowed_base_urls=PLAIN))


if __name__ == "__main__":
    main()
