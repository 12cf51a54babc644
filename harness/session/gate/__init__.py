"""Measuring for a verdict: sampling two backends until it is decided, and the gate that tests itself."""
