"""The exit codes of every command; docs/commands.md explains them."""

from __future__ import annotations

OK = 0
"""All is well."""
FELL_SHORT = 1
"""The command ran and something fell short: a cell failed, a backend does not conform, something became slower."""
WRONG_REQUEST = 2
"""The request was refused, and whoever made it can mend it."""
UNDECIDED = 3
"""With ``--strict``: nothing fell short, but something could not be decided."""
INTERNAL = 70
"""An error in the harness itself (``EX_SOFTWARE`` of sysexits.h)."""
INPUT_OUTPUT = 74
"""Reading or writing failed (``EX_IOERR`` of sysexits.h)."""
INTERRUPTED = 130
"""Ctrl-C ended the command, as 128 + SIGINT in a shell."""
