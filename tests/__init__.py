"""Tests of the core and from end to end; each plugin has its own beside it."""
