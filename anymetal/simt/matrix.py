"""8×8 matrices, each spread over the 32 lanes of a SIMD-group, kept whole as one row-major vector of 64.

Lane L holds row ``(q & 4) + L/2 % 4``, columns ``c`` and ``c + 1``, with ``q = L/4`` and ``c = (q & 2)·2 +
L%2·2``: the arrangement that kernels rely on through ``thread_elements()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ir import FLOAT, LANES, Constant, Instruction, Operand, Type
from .pieces import concatenate
from .values import Fragment, Uniform, Value, indices, wide

if TYPE_CHECKING:
    from .body import Body

SIDE = 8
SIZE = SIDE * SIDE


def coordinate(lane: int) -> tuple[int, int]:
    """Row and first column of the two elements that a lane holds."""
    quad = lane // 4
    return (quad & 4) + lane // 2 % 4, (quad & 2) * 2 + lane % 2 * 2


# Where lane L's element j lies in row-major order, and the other way round in the concatenation [all j=0][all
# j=1].
_PLACE = [[row * SIDE + column + j for row, column in map(coordinate, range(LANES))] for j in range(2)]
_LANE_OF = {place: j * LANES + lane for j in range(2) for lane, place in enumerate(_PLACE[j])}
_TRANSPOSED = [column * SIDE + row for row in range(SIDE) for column in range(SIDE)]


def is_whole(orders: list[list[int]]) -> bool:
    """Whether lanes that pick two elements each of 64 so hold them as those of a matrix."""
    return orders == _PLACE


def whole(type_: Type) -> str:
    return f"<{SIZE} x {type_}>"


def to_lanes(body: Body, matrix: str, type_: Type) -> tuple[str, ...]:
    """A matrix as each lane's two elements."""
    return tuple(
        body.emit(f"shufflevector {whole(type_)} {matrix}, {whole(type_)} poison, {indices(_PLACE[j])}")
        for j in range(2)
    )


def from_value(body: Body, value: Value, type_: Type) -> str:
    """Any value of type ``<2 x T>`` as a whole matrix."""
    if isinstance(value, Fragment):
        return value.value
    if isinstance(value, Uniform) and len(set(value.values)) == 1 and not value.values[0].startswith("%"):
        text = value.values[0]
        return text if text in ("undef", "poison") else f"splat ({type_} {text})"
    first, second = body.widen(value, (type_, type_))
    if (first, second) in body.matrices:
        return body.matrices[first, second]
    order = [_LANE_OF[place] for place in range(SIZE)]
    return body.emit(f"shufflevector {wide(type_)} {first}, {wide(type_)} {second}, {indices(order)}")


def multiply_accumulate(body: Body, instruction: Instruction) -> Value:
    """``a · b + c`` in float: for each k, column k of ``a`` times row k of ``b``, one fused step for all 64
    elements."""
    if id(instruction) in body.made:
        return body.made.pop(id(instruction))
    if id(instruction) in body.pairs:
        return _two_products(body, instruction, body.pairs[id(instruction)])
    a, b, total = (from_value(body, body.get(o), FLOAT) for o in instruction.operands)
    type_ = whole(FLOAT)
    for k in range(SIDE):
        column = indices([row * SIDE + k for row in range(SIDE) for _ in range(SIDE)])
        row = indices([k * SIDE + column for _ in range(SIDE) for column in range(SIDE)])
        left = body.emit(f"shufflevector {type_} {a}, {type_} poison, {column}")
        right = body.emit(f"shufflevector {type_} {b}, {type_} poison, {row}")
        total = body.call(type_, f"llvm.fmuladd.v{SIZE}f32", [(type_, left), (type_, right), (type_, total)])
    return Fragment(total)


def _two_products(body: Body, first: Instruction, second: Instruction) -> Value:
    """Two products with one ``a``: rows of both totals side by side, which take each element of ``a`` from
    memory as a whole. Where a register holds 16 floats, that takes no shuffle."""
    place = _in_memory(body, from_value(body, body.get(first.operands[0]), FLOAT))
    right, totals = (
        tuple(from_value(body, body.get(i.operands[which]), FLOAT) for i in (first, second))
        for which in (1, 2)
    )
    rows, factors = _side_by_side(body, totals), _side_by_side(body, right)
    type_ = f"<{2 * SIDE} x float>"
    for k in range(SIDE):
        for row in range(SIDE):
            element = body.emit(f"load float, ptr {body.offset(place, (row * SIDE + k) * FLOAT.size)}")
            lone = body.emit(f"insertelement {type_} poison, float {element}, i32 0")
            left = body.emit(
                f"shufflevector {type_} {lone}, {type_} poison, <{2 * SIDE} x i32> zeroinitializer"
            )
            given = [(type_, left), (type_, factors[k]), (type_, rows[row])]
            rows[row] = body.call(type_, f"llvm.fmuladd.v{2 * SIDE}f32", given)
    sums = tuple(_one_of_two(body, rows, which) for which in range(2))
    body.rows[sums] = rows
    body.made[id(second)] = Fragment(sums[1])
    return Fragment(sums[0])


def _in_memory(body: Body, matrix: str) -> str:
    """Where a matrix lies in memory, put there once a block."""
    if matrix not in body.in_memory:
        body.in_memory[matrix] = place = body.scratch(whole(FLOAT))
        body.do(f"store {whole(FLOAT)} {matrix}, ptr {place}, align 64")
    place = body.in_memory[matrix]
    # Else LLVM takes the elements from the register that was stored, by a shuffle each, or keeps all 64.
    body.do(f'call void asm sideeffect "", "r,~{{memory}}"(ptr {place})')
    return place


def _side_by_side(body: Body, pair: tuple[str, ...]) -> list[str]:
    """Row r of the first matrix, then row r of the second, for each r."""
    if pair in body.rows:
        return list(body.rows[pair])
    type_ = whole(FLOAT)
    orders = [[first + r * SIDE + c for first in (0, SIZE) for c in range(SIDE)] for r in range(SIDE)]
    return [
        body.emit(f"shufflevector {type_} {pair[0]}, {type_} {pair[1]}, {indices(order)}") for order in orders
    ]


def _one_of_two(body: Body, rows: list[str], which: int) -> str:
    """The first or the second matrix of those whose rows lie side by side."""
    type_ = f"<{2 * SIDE} x float>"
    order = indices([row * 2 * SIDE + which * SIDE + column for row in range(2) for column in range(SIDE)])
    twos = [
        body.emit(f"shufflevector {type_} {a}, {type_} {b}, {order}")
        for a, b in zip(rows[::2], rows[1::2], strict=True)
    ]
    return concatenate(body, twos, 2 * SIDE, FLOAT)[0]


def load(body: Body, instruction: Instruction) -> Value:
    """Eight rows of eight, ``elements_per_row`` apart. The address is taken from lane 0: it is one for the
    SIMD-group."""
    pointer, stride, transpose = instruction.operands
    element = instruction.type.elements[0]
    rows = [
        body.emit(f"load <{SIDE} x {element}>, ptr {place}, align {element.size}")
        for place in _rows(body, pointer, stride, element)
    ]
    while len(rows) > 1:
        length = SIZE // len(rows)
        half, joined = f"<{length} x {element}>", indices(list(range(2 * length)))
        rows = [
            body.emit(f"shufflevector {half} {low}, {half} {high}, {joined}")
            for low, high in zip(rows[::2], rows[1::2], strict=True)
        ]
    return Fragment(_transpose(body, rows[0], element, transpose))


def store(body: Body, instruction: Instruction) -> None:
    matrix, pointer, stride, transpose = instruction.operands
    element = matrix.type.elements[0]
    value = from_value(body, body.get(matrix), element)
    value = _transpose(body, value, element, transpose)
    for row, place in enumerate(_rows(body, pointer, stride, element)):
        part = indices(list(range(row * SIDE, (row + 1) * SIDE)))
        piece = body.emit(f"shufflevector {whole(element)} {value}, {whole(element)} poison, {part}")
        body.do(f"store <{SIDE} x {element}> {piece}, ptr {place}, align {element.size}")


def _rows(body: Body, pointer: Operand, stride: Operand, element: Type) -> list[str]:
    base, step = body.lane_zero(pointer), body.lane_zero(stride)
    places = []
    for row in range(SIDE):
        elements = body.emit(f"mul i64 {step}, {row}") if row else "0"
        places.append(body.emit(f"getelementptr {element}, ptr {base}, i64 {elements}") if row else base)
    return places


def _transpose(body: Body, matrix: str, element: Type, transpose: Operand) -> str:
    """The matrix, transposed if the flag says so: at compile time where the flag is known."""
    turned_mask = indices(_TRANSPOSED)
    if isinstance(transpose, Constant) and not transpose.value:
        return matrix
    turned = body.emit(f"shufflevector {whole(element)} {matrix}, {whole(element)} poison, {turned_mask}")
    if isinstance(transpose, Constant):
        return turned
    flag = body.lane_zero(transpose)
    return body.emit(f"select i1 {flag}, {whole(element)} {turned}, {whole(element)} {matrix}")
