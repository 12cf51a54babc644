"""Examine this machine as a place to measure: what it can do, what holds it back, and what to do about that.

Nothing is changed. Whatever needs a numeric library is measured in a process of its own, which is started like a cell,
so that the environment has the same effect on both.
"""
