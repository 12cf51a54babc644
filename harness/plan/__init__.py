"""The second station: a ``Study`` becomes a ``Plan``, the cells of this machine. It is pure and is told all it needs."""
