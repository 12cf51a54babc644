"""The machine's own limit for a number of threads and a dtype: arithmetic and memory, measured between the cells.

``harness.machine.limit.child`` runs in a process of its own, confined to the same CPUs as a cell with so many workers.
"""
