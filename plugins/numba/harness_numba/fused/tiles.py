"""The three kernels that all matrix products are made of: tiles whose sums stay in registers.

Every product of a layer has one factor in panels, which are ``VECTORS`` vectors wide and lie row after row:

* ``product``: ``out = base + left @ panel``; forward through a layer, and every correction of a delayed update.
* ``update``:  ``panel -= left.T @ right``; the weights, from activations and deltas. No gradient is stored.
* ``dot``:     ``out = base + scale * (left @ panel.T) + shift``; back through a layer, with sums over columns.

Each function returns a function that writes the code of one size of tile. Strides and addresses are in bytes. A stride
``_row`` leads to the next row of a factor, ``_panel`` to the next panel, ``_step`` to the next term of the sum.
"""
# ruff: noqa: PLR0913, PLR0917  kernels take addresses and strides, not objects

from __future__ import annotations

from collections.abc import Iterator

from harness_numba.fused.emit import INT, Emitter, Generate, Value
from harness_numba.fused.isa import VECTORS


def product(rows: int, panels: int) -> Generate:
    """Return a tile of ``out = base + left @ right`` for so many rows and panels, with ``count`` terms in each sum."""
    columns = [(panel, vector) for panel in range(panels) for vector in range(VECTORS)]

    def generate(
        emit: Emitter,
        left: Value,
        left_row: Value,
        right: Value,
        right_step: Value,
        right_panel: Value,
        base: Value,
        base_row: Value,
        out: Value,
        out_row: Value,
        count: Value,
    ) -> None:
        lefts = [emit.add(left, emit.scaled(left_row, row)) for row in range(rows)]
        bases = [emit.add(base, emit.scaled(base_row, row)) for row in range(rows)]
        start = [emit.load(place, at) for place in bases for at in range(len(columns))]

        def body(held: list[Value]) -> list[Value]:
            right, offset, *sums = held
            vectors = [emit.load(emit.add(right, emit.scaled(right_panel, panel)), at) for panel, at in columns]
            for row, place in enumerate(lefts):
                x = emit.broadcast(emit.add(place, offset))
                for at, vector in enumerate(vectors, start=row * len(columns)):
                    sums[at] = emit.fma(x, vector, sums[at])
            return [emit.add(right, right_step), emit.add(offset, emit.itemsize), *sums]

        _, _, *sums = emit.loop(count, [right, INT(0), *start], body)
        for at, total in enumerate(sums):
            row, column = divmod(at, len(columns))
            emit.store(total, emit.add(out, emit.scaled(out_row, row)), column)

    return generate


def update(rows: int) -> Generate:
    """Return a tile of ``panel -= left.T @ right`` for ``rows`` rows; ``count`` examples are added up in registers.

    The weights are read last. If the sum began with the weights, every example would be rounded to their last place.
    So there is also time to fetch the weights of the next tile.
    """
    places = [(row, at) for row in range(rows) for at in range(VECTORS)]

    def generate(
        emit: Emitter,
        left: Value,
        left_step: Value,
        right: Value,
        right_step: Value,
        panel: Value,
        panel_row: Value,
        count: Value,
    ) -> None:
        for row, at in places:
            emit.prefetch(emit.add(panel, emit.scaled(panel_row, rows + row)), at)

        def body(held: list[Value]) -> list[Value]:
            left, right, *sums = held
            vectors = [emit.load(right, at) for at in range(VECTORS)]
            xs = [emit.broadcast(emit.add(left, row * emit.itemsize)) for row in range(rows)]
            sums = [emit.fma(xs[row], vectors[at], total) for (row, at), total in zip(places, sums, strict=True)]
            return [emit.add(left, left_step), emit.add(right, right_step), *sums]

        zeros = [emit.constant(0.0) for _ in places]
        _, _, *sums = emit.loop(count, [left, right, *zeros], body)
        for (row, at), total in zip(places, sums, strict=True):
            place = emit.add(panel, emit.scaled(panel_row, row))
            emit.store(emit.builder.fsub(emit.load(place, at), total), place, at)

    return generate


def dot(rows: int, columns: int) -> Generate:
    """Return a tile of ``out = base + scale * (left @ right.T) + shift`` with ``rows * columns`` sums over panels."""

    def generate(
        emit: Emitter,
        left: Value,
        left_row: Value,
        left_panel: Value,
        right: Value,
        right_row: Value,
        right_panel: Value,
        out: Value,
        out_row: Value,
        count: Value,
        base: Value,
        base_row: Value,
        scale: Value,
        shift: Value,
    ) -> None:
        lefts = [emit.scaled(left_row, row) for row in range(rows)]
        rights = [emit.scaled(right_row, column) for column in range(columns)]

        def body(held: list[Value]) -> list[Value]:
            left, right, *sums = held
            for vector in range(VECTORS):
                xs = [emit.load(emit.add(left, place), vector) for place in lefts]
                ys = [emit.load(emit.add(right, place), vector) for place in rights]
                pairs = [(x, y) for x in xs for y in ys]
                sums = [emit.fma(x, y, total) for (x, y), total in zip(pairs, sums, strict=True)]
            return [emit.add(left, left_panel), emit.add(right, right_panel), *sums]

        _, _, *sums = emit.loop(count, [left, right, *[emit.constant(0.0)] * (rows * columns)], body)
        by, plus = emit.splat(scale), emit.splat(shift)
        totals = [emit.fma(total, by, plus) for total in emit.sums(sums)]
        for row, column, total in _pieces(emit, totals, rows, columns):
            before = emit.add(emit.add(base, emit.scaled(base_row, row)), column * emit.itemsize)
            place = emit.add(emit.add(out, emit.scaled(out_row, row)), column * emit.itemsize)
            emit.store(emit.builder.fadd(total, emit.load(before, kind=total.type)), place)

    return generate


def _pieces(emit: Emitter, totals: list[Value], rows: int, columns: int) -> Iterator[tuple[int, int, Value]]:
    """Yield every piece of a row that lies in one vector: its row, its first column and its sums."""
    width = min(columns, emit.lanes)
    for first in range(0, rows * columns, width):
        row, column = divmod(first, columns)
        yield row, column, emit.part(totals[first // emit.lanes], first % emit.lanes, width)
