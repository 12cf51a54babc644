"""``fused`` in small pieces. Begin to read with ``plan``. Importing this package alone loads nothing."""
