"""Vector code in LLVM IR. It decides which registers hold which values, which Numba's own loops cannot promise.

Addresses and strides are 64-bit integers in bytes, so that one kernel can work on any array, row or panel. All
instructions that the tiles use are defined here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import types

from harness_numba.fused.isa import KERNELS
from harness_numba.jit import intrinsic

Value: TypeAlias = Any
"""An LLVM value."""
INT = ir.IntType(64)
LANE_BYTES = 16
"""Shuffles inside blocks of 16 bytes are fast; shuffles across blocks are slow."""


@dataclass(frozen=True)
class Emitter:
    """Writes vector instructions for one type of number."""

    builder: Any
    real: Any
    itemsize: int

    @classmethod
    def of(cls, builder: Any, number: Any) -> Emitter:
        """Return the emitter for ``float32`` or ``float64``, as Numba passes the type itself."""
        double = number.instance_type == types.float64
        return cls(builder, ir.DoubleType() if double else ir.FloatType(), 8 if double else 4)

    @property
    def lanes(self) -> int:
        """Numbers in a vector."""
        return KERNELS.lanes(self.itemsize)

    @property
    def vector(self) -> Any:
        """The type of a vector."""
        return ir.VectorType(self.real, self.lanes)

    def add(self, address: Value, offset: Value | int) -> Value:
        """Return ``address + offset``."""
        other = INT(offset) if isinstance(offset, int) else offset
        return self.builder.add(address, other)

    def scaled(self, stride: Value, times: int) -> Value:
        """Return ``stride * times``."""
        return self.builder.mul(stride, INT(times))

    def load(self, address: Value, at: int = 0, kind: Any = None) -> Value:
        """Load the vector that lies ``at`` vectors after ``address``."""
        place = self.add(address, at * KERNELS.vector_bytes)
        pointer = self.builder.inttoptr(place, (kind or self.vector).as_pointer())
        return self.builder.load(pointer, align=self.itemsize)

    def store(self, value: Value, address: Value, at: int = 0) -> None:
        """Store a vector ``at`` vectors after ``address``."""
        place = self.add(address, at * KERNELS.vector_bytes)
        self.builder.store(value, self.builder.inttoptr(place, value.type.as_pointer()), align=self.itemsize)

    def prefetch(self, address: Value, at: int = 0) -> None:
        """Fetch the vector that lies ``at`` vectors after ``address`` into the cache, for writing."""
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        name, module = "llvm.prefetch.p0i8", self.builder.module
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        function = module.globals.get(name) or ir.Function(module, kind, name)
        place = self.builder.inttoptr(self.add(address, at * KERNELS.vector_bytes), byte)
        write, nearest, data = flag(1), flag(3), flag(1)
        self.builder.call(function, [place, write, nearest, data])

    def broadcast(self, address: Value) -> Value:
        """Load one number into every lane."""
        return self.splat(self.load(address, kind=self.real))

    def splat(self, number: Value) -> Value:
        """Return a vector with ``number`` in every lane."""
        first = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, first, zeros)

    def constant(self, number: float) -> Value:
        """Return a vector with a constant in every lane, rounded to the type."""
        rounded = struct.unpack("f", struct.pack("f", number))[0] if self.itemsize == 4 else number
        return ir.Constant(self.vector, [rounded] * self.lanes)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return ``a * b + c``, rounded once."""
        return self._called("fma", a, b, c)

    def _called(self, name: str, *values: Value) -> Value:
        """Call an LLVM intrinsic on vectors of this emitter's type."""
        kind = ir.FunctionType(self.vector, [self.vector] * len(values))
        full = f"llvm.{name}.v{self.lanes}f{8 * self.itemsize}"
        module = self.builder.module
        function = module.globals.get(full) or ir.Function(module, kind, full)
        return self.builder.call(function, values)

    def loop(self, count: Value, start: Sequence[Value], body: Callable[[list[Value]], list[Value]]) -> list[Value]:
        """Run ``body`` ``count`` times on values that stay in registers; return what it returned last."""
        before = self.builder.block
        inside, after = self.builder.append_basic_block(), self.builder.append_basic_block()
        self.builder.cbranch(self.builder.icmp_signed(">", count, INT(0)), inside, after)
        self.builder.position_at_end(inside)
        held = [self.builder.phi(value.type) for value in (INT(0), *start)]
        left = self.builder.add(held[0], INT(1))
        results = body(held[1:])
        end = self.builder.block
        for phi, first, next_ in zip(held, (INT(0), *start), (left, *results), strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(next_, end)
        self.builder.cbranch(self.builder.icmp_signed("<", left, count), inside, after)
        self.builder.position_at_end(after)
        return [self._joined(first, before, last, end) for first, last in zip(start, results, strict=True)]

    def _joined(self, first: Value, before: Value, last: Value, end: Value) -> Value:
        phi = self.builder.phi(first.type)
        phi.add_incoming(first, before)
        phi.add_incoming(last, end)
        return phi

    def sums(self, vectors: Sequence[Value]) -> list[Value]:
        """Return vectors whose lanes are the sums of the given vectors, in their order, by one shuffle tree.

        First neighbours inside 16 bytes are added, then whole groups of 16 bytes.
        """
        level = [*vectors, *[self.constant(0.0)] * (-len(vectors) % self.lanes)]
        group = LANE_BYTES // self.itemsize
        inside, across = (group.bit_length() - 1), (self.lanes // group).bit_length() - 1
        for block, unit in [(group, 1)] * inside + [(self.lanes, group)] * across:
            level = [self._folded(a, b, block, unit) for a, b in zip(level[::2], level[1::2], strict=True)]
        return level

    def part(self, vector: Value, first: int, count: int) -> Value:
        """Return ``count`` lanes of a vector as a shorter one."""
        return self._shuffled(vector, vector, list(range(first, first + count)))

    def _folded(self, a: Value, b: Value, block: int, unit: int) -> Value:
        """Add neighbouring units in every block: those of ``a`` come first in it, then those of ``b``."""
        even = [
            start + source + step + lane
            for start in range(0, self.lanes, block)
            for source in (0, self.lanes)
            for step in range(0, block, 2 * unit)
            for lane in range(unit)
        ]
        odd = [index + unit for index in even]
        return self.builder.fadd(self._shuffled(a, b, even), self._shuffled(a, b, odd))

    def _shuffled(self, a: Value, b: Value, order: list[int]) -> Value:
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


Generate: TypeAlias = Callable[..., None]


def as_tuple(kinds: Sequence[Any]) -> Any:
    """Return Numba's type of a tuple of these types."""
    return types.Tuple.from_types(kinds)  # type: ignore[no-untyped-call]  # Numba's own function has no types


def emitted(generate: Generate) -> Any:
    """Return a function for kernels whose code is what ``generate(emit, *arguments)`` writes.

    It takes the type of number, ``numpy.float32`` or ``numpy.float64``, and a tuple. Floats in the tuple are converted
    to that type; everything else is an address, a stride or a count.
    """

    @intrinsic
    def define(_context: Any, number: Any, given: Any) -> Any:
        wanted = [number.instance_type if isinstance(kind, types.Float) else types.int64 for kind in given]

        def write(target: Any, builder: Any, signature: Any, values: list[Value]) -> Value:
            arguments = [builder.extract_value(values[1], at) for at in range(len(wanted))]
            generate(Emitter.of(builder, signature.args[0]), *arguments)
            return target.get_dummy_value()

        return types.void(number, as_tuple(wanted)), write

    return define


@intrinsic
def _itemsize(_context: Any, number: Any) -> Any:
    def write(_target: Any, _builder: Any, _signature: Any, _values: list[Value]) -> Value:
        return INT(number.instance_type.bitwidth // 8)

    return types.int64(number), write


itemsize: Callable[[Any], int] = _itemsize
"""Return the bytes of a number of this type; for use inside kernels."""
