"""Durations and sizes in the form in which people write them."""

from __future__ import annotations

import re

from harness.errors import RequestError

SECONDS = {"s": 1, "m": 60, "h": 3600}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_DURATION = re.compile(r"(?:(?:\d+(?:\.\d+)?)[hms])+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def seconds(text: str) -> float:
    """Return the seconds of ``90s``, ``10m``, ``1h30m`` or a number alone; else raise ``RequestError``."""
    word = text.replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", word):
        return float(word)
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", word)
    units = [unit for _, unit in parts]
    if not _DURATION.fullmatch(word) or units != sorted(set(units), key="hms".index):
        raise RequestError(f"{text!r} is no duration; write 90s, 10m or 1h30m")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def size(text: str) -> int:
    """Return the bytes of ``4 GiB`` or ``500 MB``; else raise ``RequestError``."""
    matched = _SIZE.fullmatch(text.strip())
    if not matched or matched[2] not in BYTES:
        raise RequestError(f"{text!r} is no size; write '4 GiB' or '500 MB' (known: {', '.join(BYTES)})")
    return int(float(matched[1]) * BYTES[matched[2]])


def spoken(duration: float) -> str:
    """Return a duration in seconds as people say it: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if duration < 10:
        return f"{duration:.1f} s"
    whole = round(duration)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
