"""Fake distributions: as importlib.metadata finds them, without pip and in milliseconds."""
