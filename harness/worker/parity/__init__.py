"""Parity: did the backend compute the same mathematics as the float64 reference? Judged after it is closed.

``Extent`` says, from sizes alone, what can be afforded; what is outside the tolerance is ``wrong``.
"""
