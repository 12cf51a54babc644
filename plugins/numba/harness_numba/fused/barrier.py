"""A barrier for threads: a counter that only grows. It is read atomically, else a loop might never see it change.

A thread spins for a while, because a step takes microseconds. Then it yields, because with more workers than cores the
thread that it waits for may need the same core. The abort flag makes every thread return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from harness_numba.fused.emit import INT
from harness_numba.jit import inlined, intrinsic

ABORT = 128
"""Bytes from the counter to the abort flag: another cache line."""


@intrinsic
def _add(_context: Any, address: Any) -> Any:  # noqa: ARG001  typed by its name
    def write(_target: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(values[0], INT.as_pointer()), INT(1), "seq_cst")

    return types.int64(types.int64), write


@intrinsic
def _read(_context: Any, address: Any) -> Any:  # noqa: ARG001  typed by its name
    def write(_target: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        return builder.load_atomic(builder.inttoptr(values[0], INT.as_pointer()), "acquire", 8)

    return types.int64(types.int64), write


@intrinsic
def _pause(_context: Any) -> Any:
    def write(target: Any, builder: Any, _signature: Any, _values: list[Any]) -> Any:
        name, module = "llvm.x86.sse2.pause", builder.module
        function = module.globals.get(name) or ir.Function(module, ir.FunctionType(ir.VoidType(), []), name)
        builder.call(function, [])
        return target.get_dummy_value()

    return types.void(), write


_arrive: Callable[[int], int] = _add
_seen: Callable[[int], int] = _read
_rest: Callable[[], None] = _pause
_yield = types.ExternalFunction("sched_yield", types.int32())


@inlined
def meet(counter: int, team: int, meeting: int, spins: int) -> bool:
    """Wait until all ``team`` threads have called this ``meeting`` times; return ``False`` if the run was aborted."""
    if team == 1:
        return True
    _arrive(counter)
    tries = 0
    while _seen(counter) < meeting * team:
        if _seen(counter + ABORT):
            return False
        tries += 1
        if tries < spins:
            _rest()
        else:
            _yield()
    return True
