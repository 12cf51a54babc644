"""NumPy's BLAS: which kernels it runs, how much faster others are, what the machine can do, and its thread pools."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from harness.contract.environment import applied, threads
from harness.errors import HarnessError
from harness.machine.cores import cores
from harness.machine.doctor.finding import Finding
from harness.machine.facts.variables import steering
from harness.machine.kernels.option import AUTO, INHERIT
from harness.machine.launch import confined
from harness.machine.process import Limits, Start, run

SECONDS = 60.0
"""How long one measuring process may take."""
ROUNDS = 3
"""How many interleaved pairs of inherited and best kernels are measured."""
FASTER = 1.1
"""The gain from which a warning is worth while."""
CULPRITS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "NPY_DISABLE_CPU_FEATURES", "MKL_CBWR")
"""Variables that can choose slower kernels, in the order in which the warning names them."""


def kernels() -> Iterator[Finding]:
    """Compare the inherited kernels with the best ones on this machine, in interleaved pairs on one thread."""
    pairs = [(_limit(1, "float32", INHERIT, 0.3), _limit(1, "float32", AUTO, 0.3)) for _ in range(ROUNDS)]
    inherited, best = pairs[0]
    ratios = [better["blas_gflops"] / given["blas_gflops"] for given, better in pairs]
    gain = median(ratios)
    figures = {"inherited": inherited["kernels"], "best": best["kernels"], "blas": best["blas"], "ratios": ratios}
    if gain < FASTER:
        sentence = f"NumPy runs {inherited['blas']} with {inherited['kernels']} kernels, the best found for this CPU"
        yield Finding("blas", "fact", sentence, figures=figures)
        return
    causes = [f"{name}={os.environ[name]}" for name in CULPRITS if name in os.environ]
    if causes:
        why = f"`{'` and `'.join(causes)}` {'is' if len(causes) == 1 else 'are'} set in your environment"
        advice = f"unset {' '.join(cause.partition('=')[0] for cause in causes)}, or run cells with kernels=auto"
    else:
        why = f"{inherited['blas']} chose {inherited['kernels']} kernels by itself"
        advice = "install a newer NumPy, or run cells with kernels=auto"
    speed = "half speed" if 1.8 <= gain <= 2.2 else f"{1 / gain:.0%} of its speed"
    sentence = f"NumPy runs at {speed} here: {why}; with {best['kernels']} kernels it is {gain:.2f} times as fast"
    yield Finding("blas", "warning", sentence, advice, figures)


def limits() -> Iterator[Finding]:
    """Measure the machine's limit and the best product of BLAS by threads and dtype, and the bandwidth by size."""
    for count in sorted({1, cores()}):
        for dtype in ("float32", "float64"):
            limit = _limit(count, dtype, AUTO, 0.9)
            yield _peak(limit)
            if dtype == "float32":
                yield _bandwidth(limit)


def _peak(limit: Mapping[str, Any]) -> Finding:
    spread = f", with a median {limit['spread']:.0%} below" if limit["spread"] > 0.1 else ""
    where = f"in {limit['dtype']} on {_threads(limit)}"
    sentence = f"{limit['gflops']:.0f} GFLOP/s at most {where}; BLAS reaches {limit['blas_gflops']:.0f}{spread}"
    return Finding("peak", "fact", sentence, figures=limit)


def _bandwidth(limit: Mapping[str, Any]) -> Finding:
    rates = ", ".join(f"{level['level']} {level['gb_per_s']:.0f}" for level in limit["bandwidth"])
    return Finding("bandwidth", "fact", f"{rates} GB/s on {_threads(limit)}", figures={"levels": limit["bandwidth"]})


def _threads(limit: Mapping[str, Any]) -> str:
    return "1 thread" if limit["threads"] == 1 else f"{limit['threads']} threads"


def pools() -> Iterator[Finding]:
    """Say which thread pools NumPy and SciPy bring into one process, and which variables steer them."""
    loaded = _child("harness.machine.doctor.child", {}, os.environ)["pools"]
    blas = [pool for pool in loaded if pool["user_api"] == "blas"]
    figures = {"pools": loaded, "variables": steering()}
    named = ", ".join(f"{pool['internal_api']} {pool.get('version', '')}".strip() for pool in loaded) or "none"
    if len(blas) > 1:
        sentence = f"NumPy and SciPy each bring a BLAS with its own threads: {named}"
        advice = "a backend should call only one of them: an idle pool spins and takes a core from the other"
        yield Finding("pools", "note", sentence, advice, figures)
    else:
        yield Finding("pools", "fact", f"thread pools of NumPy and SciPy: {named}", figures=figures)
    if figures["variables"]:
        listed = ", ".join(f"{name}={value}" for name, value in figures["variables"].items())
        yield Finding(
            "variables", "note", f"set in your environment: {listed}", "cells inherit them; the receipt says so"
        )


def _limit(count: int, dtype: str, chosen: str, seconds: float) -> dict[str, Any]:
    request = {"threads": count, "dtype": dtype, "kernels": chosen, "seconds": seconds}
    return _child("harness.machine.limit.child", request, applied(os.environ, threads(count)), count)


def _child(module: str, request: Mapping[str, Any], environment: Mapping[str, str], count: int = 1) -> dict[str, Any]:
    limit = Limits(SECONDS)
    ended = run(Start(module=module, request=request, environment=environment, limits=limit, cpus=confined(count)))
    if ended.message is None:
        last = ended.stderr.splitlines()[-1:] or [f"exit code {ended.exit_code}"]
        cause = ended.reason or last[0]
        raise HarnessError(f"{module} ended without an answer: {cause}; check that NumPy can be imported")
    return ended.message
