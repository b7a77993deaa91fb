"""Lane vectors in arrays, and stacks of them that add up over a loop and are summed over their lanes at its end."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import models, register_model

from recon.render.cpu.lanes import LaneType, lane_intrinsic, spread, vector_ir
from recon.render.cpu.layout import LANES


class StackType(types.Type):
    """A fixed number of lane vectors in registers, or on the stack where those run out."""

    def __init__(self, scalar: types.Float, count: int):
        self.scalar = scalar
        self.count = count
        super().__init__(name=f"LaneStack({scalar}, {count})")


@register_model(StackType)
class _StackModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.ArrayType(vector_ir(fe_type.scalar), fe_type.count).as_pointer())


def _address(context, builder, array_type, array, row, column):
    """Pointer to 16 numbers of a C-contiguous 2-D array, of unknown alignment."""
    data = context.make_array(array_type)(context, builder, array)
    columns = builder.extract_value(data.shape, 1)
    index = builder.add(builder.mul(row, columns), column)
    pointer = builder.gep(data.data, [index])
    return builder.bitcast(pointer, vector_ir(array_type.dtype).as_pointer())


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
        lanes = spread(context, builder, args[3], value, array.dtype)
        builder.store(lanes, pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, column, value), codegen


@lane_intrinsic
def zero_stack(typingctx, like, first, second):
    """A stack of len(first) + len(second) zero vectors, of the element type of the lanes `like`."""
    stack = StackType(like.scalar, len(first) + len(second))

    def codegen(context, builder, signature, args):
        array = ir.ArrayType(vector_ir(stack.scalar), stack.count)
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
