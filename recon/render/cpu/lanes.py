"""A vector of 16 numbers as a numba type: one per pixel of a 4x4 block.

Left to itself the compiler turns a loop over pixels into vector code or not, depending on small things. Here every
operation is a vector instruction of LLVM, which it lowers to whatever the machine has (one AVX-512, two AVX2 or four
NEON registers). Within kernels:

    x = load(array, row, column)       see `lane_memory`
    mask = (x >= a) & (x <= b)         scalars are spread over the lanes
    y = select(mask, x * x, 0.0)
    store(array, row, column, y)
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from recon.render.cpu.layout import LANES


class LaneType(types.Type):
    """16 floating-point numbers."""

    def __init__(self, scalar: types.Float):
        self.scalar = scalar
        super().__init__(name=f"Lanes({scalar})")


class MaskType(types.Type):
    """16 truth values."""

    def __init__(self):
        super().__init__(name="LaneMask")


def vector_ir(scalar: types.Float) -> ir.VectorType:
    """The vector type of LLVM."""
    return ir.VectorType(ir.FloatType() if scalar == types.float32 else ir.DoubleType(), LANES)


@register_model(LaneType)
class _LaneModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, vector_ir(fe_type.scalar))


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.VectorType(ir.IntType(1), LANES))


def lane_intrinsic(function: Callable) -> Callable[..., Any]:
    """Numba's `intrinsic`; kernels call the result without the typing context."""
    return intrinsic(function)


def spread(context, builder, value, source, scalar):
    """Lanes as they are; a scalar in every lane."""
    if isinstance(source, LaneType):
        return value
    value = context.cast(builder, value, source, scalar)
    one = builder.insert_element(ir.Constant(vector_ir(scalar), ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(one.type, ir.Undefined), zeros)


def _scalar_of(*operands: types.Type) -> types.Float | None:
    """Element type of an operation on lanes, or None if no operand is a lane vector."""
    found = {operand.scalar for operand in operands if isinstance(operand, LaneType)}
    return found.pop() if len(found) == 1 else None


def _define_operator(symbol, emit, result: types.Type | None = None) -> None:
    """Let `symbol` act on lanes with lanes or scalars; the result is lanes unless given."""

    @lane_intrinsic
    def on_lanes(typingctx, a, b):
        scalar = _scalar_of(a, b)

        def codegen(context, builder, signature, args):
            left, right = (spread(context, builder, v, t, scalar) for v, t in zip(args, signature.args, strict=True))
            return emit(builder, left, right)

        return (result or LaneType(scalar))(a, b), codegen

    @overload(symbol)
    def _choose(a, b):
        if _scalar_of(a, b) is not None:
            return lambda a, b: on_lanes(a, b)
        return None


def _extreme(comparison):
    return lambda b, x, y: b.select(b.fcmp_ordered(comparison, x, y), x, y)


_define_operator(operator.add, lambda b, x, y: b.fadd(x, y))
_define_operator(operator.sub, lambda b, x, y: b.fsub(x, y))
_define_operator(operator.mul, lambda b, x, y: b.fmul(x, y))
_define_operator(operator.truediv, lambda b, x, y: b.fdiv(x, y))
_define_operator(operator.lt, lambda b, x, y: b.fcmp_ordered("<", x, y), MaskType())
_define_operator(operator.le, lambda b, x, y: b.fcmp_ordered("<=", x, y), MaskType())
_define_operator(operator.gt, lambda b, x, y: b.fcmp_ordered(">", x, y), MaskType())
_define_operator(operator.ge, lambda b, x, y: b.fcmp_ordered(">=", x, y), MaskType())
_define_operator(min, _extreme("<"))
_define_operator(max, _extreme(">"))


@lane_intrinsic
def _mask_and(typingctx, a, b):
    return MaskType()(a, b), lambda context, builder, signature, args: builder.and_(*args)


@overload(operator.and_)
def _choose_and(a, b):
    if isinstance(a, MaskType) and isinstance(b, MaskType):
        return lambda a, b: _mask_and(a, b)
    return None


@lane_intrinsic
def select(typingctx, mask, yes, no):
    """`yes` where the mask is set, else `no`; either may be a scalar."""
    scalar = _scalar_of(yes, no)

    def codegen(context, builder, signature, args):
        values = [spread(context, builder, args[i], signature.args[i], scalar) for i in (1, 2)]
        return builder.select(args[0], *values)

    return LaneType(scalar)(mask, yes, no), codegen


@lane_intrinsic
def minus_abs(typingctx, a):
    """-|a|."""

    def codegen(context, builder, signature, args):
        vector = args[0].type
        suffix = f"v{LANES}f{32 if a.scalar == types.float32 else 64}"
        fabs = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector]), f"llvm.fabs.{suffix}")
        return builder.fneg(builder.call(fabs, args))

    return a(a), codegen


@lane_intrinsic
def any_lane(typingctx, mask):
    """Whether the mask is set anywhere."""

    def codegen(context, builder, signature, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.IntType(LANES)(0))

    return types.boolean(mask), codegen


@lane_intrinsic
def lowest_bit(typingctx, bits):
    """Position of the lowest set bit; `bits` must not be 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.IntType(1)(1))

    return bits(bits), codegen
