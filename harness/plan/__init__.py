"""The second station: a ``Study`` becomes a ``Plan``, the cells of this machine. Pure: it is told all that it needs."""
