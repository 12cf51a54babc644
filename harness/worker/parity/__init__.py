"""Parity: did the backend compute the same mathematics as the float64 reference? Judged after it is closed.

``Plan`` says, from sizes alone, what can be afforded; ``judge`` compares. A backend outside the tolerance is ``wrong``.
"""
