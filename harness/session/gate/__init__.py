"""Measuring for a verdict: two backends are sampled until it is decided, and the gate tests itself."""
