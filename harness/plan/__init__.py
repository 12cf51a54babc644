"""The second station: a ``Study`` becomes a ``Plan``, the cells of this machine. Pure: all facts are given to it."""
