"""The machine's own limit at so many threads and one dtype: matrix products and memory, measured between the cells.

``harness.machine.limit.child`` is a process of its own; whoever starts it confines it as it would a cell of so many
workers.
"""
