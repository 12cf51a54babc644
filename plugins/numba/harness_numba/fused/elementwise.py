"""Functions on every number of a vector: activations, their slopes, sums and errors.

``exp`` is made of a shifted integer and a polynomial, so that it works on a whole vector at once. sigmoid and tanh use
it in a way that keeps their relative accuracy for large numbers and near 0. NaN stays NaN.
"""

from __future__ import annotations

from math import factorial, log

from llvmlite import ir

from harness_numba.fused.emit import INT, Emitter, Value, emitted

LIMITS = {4: (-87.0, 88.0), 8: (-708.0, 709.0)}
"""The range in which exp is a normal number, by the bytes of a number."""
DEGREE = {4: 7, 8: 13}
"""Terms of the series of exp. The next term would be below half a unit in the last place."""
MANTISSA = {4: 23, 8: 52}
EXPONENT = {4: 127, 8: 1023}
LN2_HIGH = {4: 355 / 512, 8: float.fromhex("0x1.62E42FEEp-1")}
"""The first digits of ln 2, so few that the product with the exponent is exact."""


def _clamped(emit: Emitter, x: Value, low: float, high: float) -> Value:
    for order, limit in (("<", emit.constant(low)), (">", emit.constant(high))):
        x = emit.builder.select(emit.builder.fcmp_ordered(order, x, limit), limit, x)
    return x


def _exp_parts(emit: Emitter, x: Value) -> tuple[Value, Value]:
    """Return ``p`` and ``q`` with ``exp(x) = p * (1 + q)``, where ``p`` is a power of 2 and ``|q|`` below 0.42."""
    size, build = emit.itemsize, emit.builder
    magic = emit.constant(1.5 * 2.0 ** MANTISSA[size])
    shifted = emit.fma(x, emit.constant(1 / log(2)), magic)
    n = build.fsub(shifted, magic)
    r = emit.fma(n, emit.constant(-LN2_HIGH[size]), x)
    r = emit.fma(n, emit.constant(LN2_HIGH[size] - log(2) if size == 4 else -LN2_LOW), r)
    q = emit.constant(1 / factorial(DEGREE[size]))
    for term in range(DEGREE[size] - 1, 0, -1):
        q = emit.fma(q, r, emit.constant(1 / factorial(term)))
    whole = ir.VectorType(ir.IntType(8 * size), emit.lanes)
    exponent = build.shl(build.bitcast(shifted, whole), ir.Constant(whole, [MANTISSA[size]] * emit.lanes))
    one = ir.Constant(whole, [EXPONENT[size] << MANTISSA[size]] * emit.lanes)
    return build.bitcast(build.add(exponent, one), emit.vector), build.fmul(q, r)


LN2_LOW = 1.9082149292705877e-10
"""``ln 2 - LN2_HIGH[8]``, with more digits than a subtraction in double precision gives."""


def sigmoid(emit: Emitter, z: Value, a: Value) -> None:
    """Compute ``a = 1 / (1 + exp(-z))``."""
    one = emit.constant(1.0)
    power, rest = _exp_parts(emit, _clamped(emit, emit.builder.fneg(emit.load(z)), *LIMITS[emit.itemsize]))
    emit.store(emit.builder.fdiv(one, emit.builder.fadd(one, emit.fma(power, rest, power))), a)


def tanh(emit: Emitter, z: Value, a: Value) -> None:
    """Compute ``a = e / (e + 2)`` with ``e = exp(2 z) - 1``, which is exact near 0."""
    twice = emit.builder.fmul(emit.constant(2.0), emit.load(z))
    power, rest = _exp_parts(emit, _clamped(emit, twice, -60.0, 60.0))
    e = emit.fma(power, rest, emit.builder.fsub(power, emit.constant(1.0)))
    emit.store(emit.builder.fdiv(e, emit.builder.fadd(e, emit.constant(2.0))), a)


def relu(emit: Emitter, z: Value, a: Value) -> None:
    """Compute ``a``: ``z`` above 0, and 0 elsewhere."""
    value, zero = emit.load(z), emit.constant(0.0)
    emit.store(emit.builder.select(emit.builder.fcmp_ordered("<=", value, zero), zero, value), a)


def sigmoid_slope(emit: Emitter, a: Value, d: Value) -> None:
    """Compute ``d *= a (1 - a)``."""
    value = emit.load(a)
    slope = emit.builder.fmul(value, emit.builder.fsub(emit.constant(1.0), value))
    emit.store(emit.builder.fmul(emit.load(d), slope), d)


def tanh_slope(emit: Emitter, a: Value, d: Value) -> None:
    """Compute ``d *= 1 - a a``."""
    value = emit.load(a)
    slope = emit.fma(emit.builder.fneg(value), value, emit.constant(1.0))
    emit.store(emit.builder.fmul(emit.load(d), slope), d)


def relu_slope(emit: Emitter, a: Value, d: Value) -> None:
    """Keep ``d`` where ``a`` is above 0, and set it to 0 elsewhere."""
    zero = emit.constant(0.0)
    above = emit.builder.fcmp_ordered(">", emit.load(a), zero)
    emit.store(emit.builder.select(above, emit.load(d), zero), d)


def added(emit: Emitter, left: Value, right: Value, out: Value) -> None:
    """Compute ``out = left + right``."""
    emit.store(emit.builder.fadd(emit.load(left), emit.load(right)), out)


def error(emit: Emitter, a: Value, y: Value, d: Value, scale: Value) -> None:
    """Compute ``d = scale (a - y)``."""
    difference = emit.builder.fsub(emit.load(a), emit.load(y))
    emit.store(emit.builder.fmul(emit.splat(scale), difference), d)


def columns_taken(emit: Emitter, bias: Value, d: Value, row: Value, count: Value) -> None:
    """Subtract the sum of the rows of ``d`` from ``bias``."""

    def body(held: list[Value]) -> list[Value]:
        place, total = held
        return [emit.add(place, row), emit.builder.fadd(total, emit.load(place))]

    _, total = emit.loop(count, [d, emit.constant(0.0)], body)
    emit.store(emit.builder.fsub(emit.load(bias), total), bias)


def put(emit: Emitter, address: Value, number: Value) -> None:
    """Store one number."""
    emit.store(number, emit.add(address, INT(0)))


sigmoid_vector, tanh_vector, relu_vector = emitted(sigmoid), emitted(tanh), emitted(relu)
sigmoid_slope_vector, tanh_slope_vector = emitted(sigmoid_slope), emitted(tanh_slope)
relu_slope_vector = emitted(relu_slope)
added_vector, error_vector = emitted(added), emitted(error)
take_columns, put_number = emitted(columns_taken), emitted(put)
