"""The receipt: what really ran, on what, and under which conditions; a mismatch becomes a sentence of warning.

It only looks. Nothing of the system is changed, and what a system does not show is left out.
"""
