"""The asv suite, and what the harness itself costs."""
