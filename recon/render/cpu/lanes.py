"""A vector of 16 numbers as a numba type: one per pixel of a 4x4 block.

Left to itself the compiler turns a loop over pixels into vector code or not, depending on small things. Here every
operation is a vector instruction of LLVM, which it lowers to whatever the machine has (one AVX-512, two AVX2 or four
NEON registers). Within kernels:

    x = load(array, row, column)       16 numbers of a C-contiguous 2-D array
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


class StackType(types.Type):
    """A fixed number of lane vectors in registers, or on the stack where those run out."""

    def __init__(self, scalar: types.Float, count: int):
        self.scalar = scalar
        self.count = count
        super().__init__(name=f"LaneStack({scalar}, {count})")


def _vector_ir(scalar: types.Float) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if scalar == types.float32 else ir.DoubleType(), LANES)


@register_model(LaneType)
class _LaneModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _vector_ir(fe_type.scalar))


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.VectorType(ir.IntType(1), LANES))


@register_model(StackType)
class _StackModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.ArrayType(_vector_ir(fe_type.scalar), fe_type.count).as_pointer())


def lane_intrinsic(function: Callable) -> Callable[..., Any]:
    """Numba's `intrinsic`; kernels call the result without the typing context."""
    return intrinsic(function)


def _spread(context, builder, value, source, scalar):
    """Lanes as they are; a scalar in every lane."""
    if isinstance(source, LaneType):
        return value
    value = context.cast(builder, value, source, scalar)
    one = builder.insert_element(ir.Constant(_vector_ir(scalar), ir.Undefined), value, ir.IntType(32)(0))
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
            left, right = (_spread(context, builder, v, t, scalar) for v, t in zip(args, signature.args, strict=True))
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
        values = [_spread(context, builder, args[i], signature.args[i], scalar) for i in (1, 2)]
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


def _address(context, builder, array_type, array, row, column):
    """Pointer to 16 numbers of a C-contiguous 2-D array, of unknown alignment."""
    data = context.make_array(array_type)(context, builder, array)
    columns = builder.extract_value(data.shape, 1)
    index = builder.add(builder.mul(row, columns), column)
    pointer = builder.gep(data.data, [index])
    return builder.bitcast(pointer, _vector_ir(array_type.dtype).as_pointer())


@lane_intrinsic
def load(typingctx, array, row, column):
    """array[row, column : column + 16]."""

    def codegen(context, builder, signature, args):
        row_value, column_value = (context.cast(builder, args[i], signature.args[i], types.intp) for i in (1, 2))
        pointer = _address(context, builder, array, args[0], row_value, column_value)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return LaneType(array.dtype)(array, row, column), codegen


@lane_intrinsic
def store(typingctx, array, row, column, value):
    """array[row, column : column + 16] = value; a scalar fills all lanes."""

    def codegen(context, builder, signature, args):
        row_value, column_value = (context.cast(builder, args[i], signature.args[i], types.intp) for i in (1, 2))
        pointer = _address(context, builder, array, args[0], row_value, column_value)
        spread = _spread(context, builder, args[3], value, array.dtype)
        builder.store(spread, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, column, value), codegen


@lane_intrinsic
def zero_stack(typingctx, like, first, second):
    """A stack of len(first) + len(second) zero vectors, of the element type of the lanes `like`."""
    stack = StackType(like.scalar, len(first) + len(second))

    def codegen(context, builder, signature, args):
        array = ir.ArrayType(_vector_ir(stack.scalar), stack.count)
        pointer = cgutils.alloca_once(builder, array)
        for position in range(stack.count):
            zero = ir.Constant(array.element, None)
            builder.store(zero, builder.gep(pointer, [ir.IntType(64)(0), ir.IntType(64)(position)]))
        return pointer

    return stack(like, first, second), codegen


@lane_intrinsic
def store_totals(typingctx, array, row, stack):
    """Sum each vector of a stack over its lanes, and write the sums to the first columns of a row."""

    def codegen(context, builder, signature, args):
        row_value = context.cast(builder, args[1], row, types.intp)
        for first in range(0, stack.count, LANES):
            count = min(LANES, stack.count - first)
            vectors = [
                builder.load(builder.gep(args[2], [ir.IntType(64)(0), ir.IntType(64)(first + i)])) for i in range(count)
            ]
            pointer = _address(context, builder, array, args[0], row_value, ir.IntType(64)(first))
            _masked_store(builder, _transposed_sum(builder, vectors), pointer, array.dtype, count)
        return context.get_dummy_value()

    return types.void(array, row, stack), codegen


def _transposed_sum(builder, vectors):
    """One vector whose lane i is the sum of vector i.

    Neighbours are folded into one vector of partial sums, half of the lanes for each, until one vector is left: a
    third of the instructions of separate sums.
    """
    width = LANES
    while width > 1:
        width //= 2
        if len(vectors) % 2:
            vectors.append(vectors[-1])
        vectors = [_fold(builder, *vectors[i : i + 2], width) for i in range(0, len(vectors), 2)]
    return vectors[0]


def _fold(builder, a, b, width):
    """Groups of 2 width lanes become groups of width lanes; those of `a` first."""
    groups = [range(start, start + width) for start in range(0, 2 * LANES, 2 * width)]
    low = [lane for group in groups for lane in group]
    masks = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane + shift for lane in low]) for shift in (0, width)]
    return builder.fadd(*(builder.shuffle_vector(a, b, mask) for mask in masks))


def _masked_store(builder, vector, pointer, scalar, count):
    mask_type = ir.VectorType(ir.IntType(1), LANES)
    i32 = ir.IntType(32)
    signature = ir.FunctionType(ir.VoidType(), [vector.type, pointer.type, i32, mask_type])
    name = f"llvm.masked.store.v{LANES}f{scalar.bitwidth}.p0"
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    mask = ir.Constant(mask_type, [int(lane < count) for lane in range(LANES)])
    builder.call(function, [vector, pointer, i32(scalar.bitwidth // 8), mask])


@lane_intrinsic
def accumulate(typingctx, stack, position, value):
    """stack[position] += value; free when the position is known to the compiler."""

    def codegen(context, builder, signature, args):
        index = context.cast(builder, args[1], position, types.intp)
        pointer = builder.gep(args[0], [ir.IntType(64)(0), index])
        builder.store(builder.fadd(builder.load(pointer), args[2]), pointer)
        return context.get_dummy_value()

    return types.void(stack, position, value), codegen


@lane_intrinsic
def prefetch(typingctx, array, row):
    """Begin to bring a row of a C-contiguous 2-D array into the cache."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0])
        index = builder.mul(context.cast(builder, args[1], row, types.intp), builder.extract_value(data.shape, 1))
        pointer = builder.bitcast(builder.gep(data.data, [index]), cgutils.voidptr_t)
        i32 = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32]), "llvm.prefetch.p0"
        )
        builder.call(function, [pointer, i32(0), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, row), codegen


@lane_intrinsic
def lowest_bit(typingctx, bits):
    """Position of the lowest set bit; `bits` must not be 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.IntType(1)(1))

    return bits(bits), codegen
