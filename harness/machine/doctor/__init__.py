"""Look at this machine as a place to measure: what it can do, what holds it back, what to do about it.

Changes nothing. Whatever needs a numeric library is measured in a process of its own, started as a cell would be, so
that what the environment does to a cell it does here too.
"""
