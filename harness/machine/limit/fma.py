"""The physical limit of a core: fused multiply-adds on registers alone, with the widest vectors of the CPU.

The loop loads nothing and stores nothing, so no program can do more operations a second. It is written in LLVM's own
language and compiled for this CPU by llvmlite, which comes with Numba. Without llvmlite this limit is unknown, and the
best product of BLAS is used instead.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

NUMBERS: dict[str, tuple[str, Any]] = {"float32": ("float", ctypes.c_float), "float64": ("double", ctypes.c_double)}
"""LLVM's name and the C type of a number."""

FACTOR = 0.9
"""With ``s = 0.9 * s + 0.9`` a sum grows towards 9, so it is an ordinary number in every turn."""

PATIENCE = 20.0
"""Seconds that a thread waits for the others to be ready."""

Loop = Callable[[int, int], None]
"""Called with ``(address, turns)``: read the factor at the address, run the loop, write the sums to the address."""


class Vectors(NamedTuple):
    """The vectors that the CPU multiplies and adds at once."""

    name: str
    bytes: int
    chains: int
    """How many sums grow independently: as many as fit into registers, so that no unit waits for a result."""


def peak(threads: int, dtype: str, seconds: float) -> dict[str, Any] | None:
    """Return the most GFLOP/s of all threads together, and the vectors; ``None`` if llvmlite is not installed.

    Each thread counts with its best period of about a millisecond, while the others work at the same time.
    """
    try:
        import llvmlite.binding as llvm  # noqa: PLC0415  some plugins bring it, the core does not need it
    except ImportError:
        return None
    vectors = _vectors(dict(llvm.get_host_cpu_features()))
    with _Compiled(llvm, source(dtype, vectors)) as loop:
        room = NUMBERS[dtype][1] * 512  # enough for every chain of the widest vectors
        turns = _turns(loop, room)
        operations = 2 * turns * vectors.chains * (vectors.bytes // ctypes.sizeof(NUMBERS[dtype][1]))
        ready = threading.Barrier(threads, timeout=PATIENCE)
        with ThreadPoolExecutor(threads) as pool:
            works = [pool.submit(_best, loop, room, turns, seconds, ready) for _ in range(threads)]
            rate = sum(operations / work.result() for work in works) / 1e9
    return {"gflops": rate, "vectors": vectors.name}


def _vectors(features: dict[str, bool]) -> Vectors:
    if features.get("avx512f"):
        return Vectors("AVX-512", 64, 24)
    if features.get("avx2") and features.get("fma"):
        return Vectors("AVX2", 32, 12)
    return Vectors("128 bits", 16, 12)


def source(dtype: str, vectors: Vectors) -> str:
    """Return the program of the loop in LLVM's language: one multiply-add for each chain and turn."""
    kind, number = NUMBERS[dtype]
    lanes = vectors.bytes // ctypes.sizeof(number)
    vector, chains = f"<{lanes} x {kind}>", range(vectors.chains)
    name = f"llvm.fma.v{lanes}{'f32' if kind == 'float' else 'f64'}"
    # The factor is read from memory before the loop, because LLVM would compute everything beforehand if it knew it.
    phis = [f"%s{c} = phi {vector} [ %w, %entry ], [ %t{c}, %loop ]" for c in chains]
    adds = [f"%t{c} = call {vector} @{name}({vector} %w, {vector} %s{c}, {vector} %w)" for c in chains]
    stores = [
        line
        for c in chains
        for line in (
            f"%p{c} = getelementptr {vector}, ptr %sums, i64 {c}",
            f"store {vector} %t{c}, ptr %p{c}, align 4",
        )
    ]
    body = [
        f"declare {vector} @{name}({vector}, {vector}, {vector})",
        "define void @multiply_add(ptr %sums, i64 %turns) {",
        "entry:",
        f"%w = load {vector}, ptr %sums, align 4",
        "br label %loop",
        "loop:",
        "%turn = phi i64 [ 0, %entry ], [ %next, %loop ]",
        *phis,
        *adds,
        "%next = add i64 %turn, 1",
        "%more = icmp ult i64 %next, %turns",
        "br i1 %more, label %loop, label %exit",
        "exit:",
        *stores,
        "ret void",
        "}",
    ]
    return "\n".join(body) + "\n"


class _Compiled:
    """The loop as a function of this process; its machine code is removed when the ``with`` block ends."""

    def __init__(self, llvm: Any, text: str) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2)
        module = llvm.parse_assembly(text)
        module.verify()
        self.assembly = str(machine.emit_assembly(module))
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    def __enter__(self) -> Loop:
        address = self._engine.get_function_address("multiply_add")
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)

    def __exit__(self, *_: object) -> None:
        self._engine.close()


def _turns(loop: Loop, room: Any) -> int:
    """Return how many turns take about a millisecond."""
    turns = 1 << 12
    while (spent := _seconds(loop, room, turns)) < 0.0005:
        turns *= 2
    return max(1, int(turns * 0.001 / spent))


def _best(loop: Loop, room: Any, turns: int, seconds: float, ready: threading.Barrier) -> float:
    """Return the least seconds of one period in this thread, while the other threads do the same."""
    ready.wait()
    until = time.perf_counter() + seconds
    best = _seconds(loop, room, turns)
    while time.perf_counter() < until:
        best = min(best, _seconds(loop, room, turns))
    return best


def _seconds(loop: Loop, room: Any, turns: int) -> float:
    sums = room(*[FACTOR] * len(room()))
    begin = time.perf_counter_ns()
    loop(ctypes.addressof(sums), turns)
    return (time.perf_counter_ns() - begin) / 1e9
