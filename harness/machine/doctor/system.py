"""What the system offers this process: cores, quota, quiet, clocks, disk space, the interpreter and GPUs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from harness.machine.cores import affinity, cores, cpu_model, cpu_quota, memory_gib, text, threads_of_core
from harness.machine.doctor.finding import Finding, percent
from harness.machine.facts.hardware import gpus
from harness.machine.facts.software import python
from harness.machine.facts.span import Machine

CPUS = Path("/sys/devices/system/cpu")
LISTEN = 0.5
"""Seconds to watch the machine's counters."""
STEAL, LOAD = 0.02, 0.2
"""The share of stolen time, and the number of cores that other processes use, from which timings suffer."""
BEATS = 40
"""Pieces of equal work by which the steadiness of one core is judged."""
UNSTEADY = 0.05
"""The difference between equal pieces of work from which a core counts as unsteady."""
LITTLE_ROOM = 256 << 20
"""Bytes of free disk below which a long run may fill it."""


def cores_found() -> Iterator[Finding]:
    """Yield which CPU the machine has and how much of it this process may use."""
    total, usable, quota = os.cpu_count() or 1, cores(), cpu_quota()
    allowed = len(affinity())
    figures = {"cpus": total, "usable": usable, "affinity": allowed, "quota": quota, "memory_gib": memory_gib()}
    sentence = f"{cpu_model()}, {usable} of {total} CPUs usable, {memory_gib()} GiB of memory"
    yield Finding("cores", "fact", sentence, figures=figures)
    if quota is not None and quota < allowed:
        yield Finding(
            "cores",
            "warning",
            f"a cgroup quota allows {quota:g} CPUs of the {allowed} that the scheduler offers: threads will be stopped",
            "use at most that many workers, or lift the quota of the container",
        )
    threads = len(threads_of_core(0))
    if threads > 1:
        advice = "a floating point kernel gains little from the second thread: try workers = cores first"
        yield Finding("cores", "note", f"each core runs {threads} hardware threads", advice)


def quiet() -> Iterator[Finding]:
    """Watch the counters of the whole machine for half a second; yield stolen time and the use by other processes."""
    before, own = Machine.read(), time.process_time()
    time.sleep(LISTEN)
    after, own = Machine.read(), time.process_time() - own
    if before is None or after is None or after.total <= before.total:
        yield Finding("load", "note", "this system does not show what other processes use", "close what you can")
        return
    steal = (after.steal - before.steal) / (after.total - before.total)
    others = max(0.0, after.busy - before.busy - own) / LISTEN
    figures = {"other_cores": others, "steal_share": steal, "load_average": list(os.getloadavg())}
    if others > LOAD:
        sentence = f"other processes keep {others:.1f} cores busy"
        yield Finding(
            "load", "warning", sentence, "see with top which they are, and measure when they are done", figures
        )
    else:
        yield Finding("load", "fact", f"quiet: other processes use {others:.2f} cores", figures=figures)
    if steal > STEAL:
        sentence = f"the hypervisor takes {percent(steal)} of the CPU time for other guests"
        yield Finding("load", "warning", sentence, "use many rounds, or a machine of your own", figures)


def frequency() -> Iterator[Finding]:
    """Time equal pieces of work on one core; yield whether they take equal time, and the frequency governor."""
    seconds = [_beat() for _ in range(BEATS)][BEATS // 4 :]
    spread = median(seconds) / min(seconds) - 1
    governor = text(CPUS / "cpu0/cpufreq/scaling_governor")
    figures = {"spread": spread, "governor": governor, "seconds": seconds}
    ruled = f", governor {governor}" if governor else ""
    if spread > UNSTEADY:
        sentence = f"equal work takes {percent(spread)} longer in the median than at best{ruled}"
        advice = "the clock frequency moves or others interfere: trust only interleaved rounds and intervals"
        yield Finding("frequency", "warning", sentence, advice, figures)
    else:
        yield Finding("frequency", "fact", f"steady: equal work differs by {percent(spread)}{ruled}", figures=figures)
    if governor in {"powersave", "conservative", "ondemand"}:
        advice = "ask the administrator for `performance` while you measure; the harness never changes it"
        yield Finding("frequency", "note", f"the frequency governor is {governor}", advice)


def _beat() -> float:
    begin = time.perf_counter()
    total = 0
    for number in range(100_000):
        total += number
    return time.perf_counter() - begin


def clock() -> Iterator[Finding]:
    """Yield the resolution of the clock, which is the smallest difference that it shows."""
    differences = []
    for _ in range(2000):
        begin = time.perf_counter_ns()
        while (end := time.perf_counter_ns()) == begin:
            pass
        differences.append(end - begin)
    seen = min(differences)
    figures = {"nanoseconds": seen, "stated": time.get_clock_info("perf_counter").resolution}
    if seen > 1000:
        advice = "time epochs of a millisecond and more"
        yield Finding("clock", "warning", f"the clock moves in steps of {seen / 1000:g} µs", advice, figures)
    else:
        yield Finding("clock", "fact", f"the clock resolves {seen} ns", figures=figures)


def disk(store: Path) -> Iterator[Finding]:
    """Yield how much space is free in the store's folder, or in the nearest folder above it that exists."""
    folder = store.absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    figures = {"free_bytes": free}
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "warning", f"{folder} cannot be written to", "name another folder with --store", figures)
    elif free < LITTLE_ROOM:
        sentence = f"{free >> 20} MiB are free where the store lies"
        yield Finding("disk", "warning", sentence, "free some space, or name another folder with --store", figures)
    else:
        yield Finding("disk", "fact", f"{free / 2**30:.0f} GiB free where the store lies", figures=figures)


def interpreter() -> Iterator[Finding]:
    """Yield which Python runs, and whether its threads run Python code at the same time."""
    facts = python()
    locked = "with the GIL: Python threads take turns" if facts["gil"] else "free-threaded: Python threads run at once"
    sentence = f"{facts['implementation']} {facts['version']}, {locked}"
    yield Finding("python", "fact", sentence, figures=facts)


def graphics() -> Iterator[Finding]:
    """Yield the GPUs that the driver shows."""
    names = gpus(ask=True)
    named = ", ".join(names) if names else "no NVIDIA GPU and driver: cells with device=cuda will be unavailable"
    yield Finding("gpu", "fact", named, figures={"gpus": names})
