"""Runs a command as on a system that is neither Linux nor macOS: what Windows lacks is taken away first.

Usage: ``python strange_system.py PLATFORM WORD ...``
"""

from __future__ import annotations

import os
import signal
import sys

ABSENT = {
    os: (
        *("sysconf", "fork", "forkpty", "setsid", "getpgid", "setpgid", "killpg", "getloadavg", "getresuid"),
        *("sched_getaffinity", "sched_setaffinity", "pidfd_open", "waitid", "uname", "statvfs", "mkfifo", "fchmod"),
        *("chown", "memfd_create", "register_at_fork"),
    ),
    signal: (
        *("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGCHLD", "SIG_BLOCK", "SIG_SETMASK"),
        *("pthread_sigmask", "sigtimedwait"),
    ),
}
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty")


def main() -> int:
    """Take away what is absent, then run the command."""
    _, sys.platform, *words = sys.argv  # type: ignore[assignment]
    for module, names in ABSENT.items():
        for name in names:
            vars(module).pop(name, None)
    sys.modules.update(dict.fromkeys(MODULES))  # type: ignore[arg-type]
    from harness.cli import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
