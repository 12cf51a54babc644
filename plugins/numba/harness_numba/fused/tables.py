"""Records of addresses, strides and sizes, from which kernels know a network. Strides and offsets are in bytes."""

from __future__ import annotations

import numpy as np

LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "rows",  # of its panels: inputs; for the last layer, whose panels are transposed, outputs
            "terms",  # panels of a row of its input, for sums over inputs
            "panels",  # columns: neurons; for the last layer inputs
            "neurons",
            "weights",
            "panel",  # from panel to panel of the weights
            "bias",
            "z",
            "a",
            "d",
            "row",  # from row to row of z, a and d
            "flip",  # between the two copies of z and a, which take turns by window
            "own",  # between the copies of z, a and d that the threads have of the last layer
            "bias_own",
            "partial",  # sums over one thread's columns: of z in the last layer, elsewhere of the delta from above
            "partial_own",
            "partial_row",
            "partial_flip",
            "kind",
            "value",
            "slope",
        )
    ]
)

RUN = np.dtype(
    [
        (name, np.int64)
        for name in (
            "x",
            "x_row",
            "y",
            "y_row",
            "rows",
            "batch",
            "window",  # rows
            "chunk",  # rows that go through all layers together
            "together",  # pending rows up to which an update and the next forward pass share a panel
            "settled",  # rows that an update adds up in registers
            "team",
            "counter",
            "spins",
            "zeros",
            "similar",  # scratch of each thread for the products of inputs inside a window
            "similar_own",
            "similar_row",
            "mirror",  # from the parameters to the gradients
            "loss",
            "itemsize",
            "product",  # addresses of the functions of native
            "update",
            "dot",
            "values",
            "slopes",
            "gather",
            "take",
            "deltas",
        )
    ]
)

SEAT = np.dtype(
    [
        (name, np.int64)
        for name in (
            "me",
            "meetings",
            "start",  # first row of the window in the set
            "parity",  # which copies of z and a the window uses
            "batch_first",  # rows of the batch, counted from the start of the window
            "batch_last",
            "old_start",  # the window before: its update is pending
            "old_parity",
            "old_rows",
        )
    ]
)
