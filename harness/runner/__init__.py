"""The third station: cells in, rows out, each measured in a process of its own. Imports no NumPy and no plugin."""
