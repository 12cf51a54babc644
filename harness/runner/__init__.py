"""The third station: cells in, rows out, each measured in a process of its own. It imports no NumPy and no plugin."""
