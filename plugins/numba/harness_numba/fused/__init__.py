"""``fused`` in small pieces; ``plan`` is where to begin reading. Importing this package alone loads nothing."""
