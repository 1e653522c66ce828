"""Operations that work on each lane alone: once for uniform values, on the base of linear ones, on vectors
otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import matrix
from .divergence import address_steps
from .gather import mangle
from .instructions import BINARY, CASTS
from .ir import I1, I64, LANES, Constant, Instruction, Operand, Type, Unsupported, scalars
from .pieces import interleave
from .shapes import FRAGMENT, Shape
from .values import Fragment, Linear, Uniform, Value, Varying, indices, literal, scalar_text, wide

if TYPE_CHECKING:
    from .body import Body

_FLOAT_FLAGS = {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}
ELEMENTWISE = BINARY | (CASTS - {"addrspacecast"}) | {"fneg", "icmp", "fcmp", "select", "freeze"}

# Intrinsics of LLVM that take scalars and vectors alike.
_INTRINSICS = set(
    "fma fmuladd sqrt fabs floor ceil trunc rint nearbyint round roundeven exp exp2 exp10 log log2 log10 "
    "sin cos tan asin acos atan atan2 sinh cosh tanh pow copysign "
    "minnum maxnum minimum maximum minimumnum maximumnum "
    "ctpop ctlz cttz abs umin umax smin smax fshl fshr bswap bitreverse canonicalize "
    "uadd.sat usub.sat sadd.sat ssub.sat ushl.sat sshl.sat fptosi.sat fptoui.sat "
    "ldexp powi is.fpclass".split()
)
# Their arguments that stay scalar.
_SCALAR_ARGUMENTS = {"abs": 1, "ctlz": 1, "cttz": 1, "powi": 1, "is.fpclass": 1}


def elementwise(body: Body, instruction: Instruction, shape: Shape) -> Value:
    """Binary operations, casts, comparisons, select and freeze."""
    if shape is FRAGMENT:
        return _on_fragment(body, instruction)
    if (
        instruction.op == "bitcast"
        and instruction.operands[0].type.is_aggregate | instruction.type.is_aggregate
    ):
        return _reinterpret(body, instruction)
    if shape.linear and not shape.uniform:
        return _on_linear(body, instruction, shape)
    if shape.uniform:
        parts = [body.scalars(o) for o in instruction.operands]
        return Uniform(_parts(body, instruction, parts, 0))
    if instruction.op == "select" and body.shape(instruction.operands[0]).uniform:
        return _choose(body, instruction)
    return Varying(_parts(body, instruction, [body.vectors(o) for o in instruction.operands], LANES))


def _parts(body: Body, instruction: Instruction, parts: list[tuple[str, ...]], lanes: int) -> tuple[str, ...]:
    """The operation on each scalar of the operands; one condition may choose between whole values."""
    count = max(len(p) for p in parts)
    operand_types = [body.types(o) for o in instruction.operands]
    results = body.result_types(instruction)
    return tuple(
        _one(
            body,
            instruction,
            [p[i if len(p) > 1 else 0] for p in parts],
            [t[i if len(t) > 1 else 0] for t in operand_types],
            results[i],
            lanes,
        )
        for i in range(count)
    )


def _one(
    body: Body, instruction: Instruction, given: list[str], types: list[Type], result: Type, lanes: int
) -> str:
    """One scalar operation (``lanes`` 0), or one on vectors of so many."""
    op = instruction.op

    def text(type_: Type) -> str:
        return f"<{lanes} x {type_}>" if lanes else str(type_)

    # Flags that make a result poison are dropped: a lane that is not active may well overflow.
    flags = "".join(f"{f} " for f in instruction.attributes.get("flags", ()) if f in _FLOAT_FLAGS)
    if op in ("udiv", "sdiv", "urem", "srem"):
        given = [given[0], _safe_divisor(body, op, given, types[0], text(types[0]))]
    if op in BINARY:
        return body.emit(f"{op} {flags}{text(types[0])} {given[0]}, {given[1]}")
    if op in ("fneg", "freeze"):
        return body.emit(f"{op} {flags if op == 'fneg' else ''}{text(types[0])} {given[0]}")
    if op in CASTS:
        if text(types[0]) == text(result):
            return given[0]
        return body.emit(f"{op} {text(types[0])} {given[0]} to {text(result)}")
    if op in ("icmp", "fcmp"):
        predicate = instruction.attributes["predicate"]
        return body.emit(f"{op} {flags}{predicate} {text(types[0])} {given[0]}, {given[1]}")
    assert op == "select"
    return body.emit(
        f"select {flags}{text(I1)} {given[0]}, {text(types[1])} {given[1]}, {text(types[2])} {given[2]}"
    )


def _safe_divisor(body: Body, op: str, given: list[str], type_: Type, text: str) -> str:
    """Division by zero, and the one signed division that overflows, trap on a CPU and not on a GPU: divide by
    1."""
    divisor = given[1]
    bits = "i1" if text == str(type_) else wide(I1)

    def all_lanes(value: int) -> str:
        return str(value) if text == str(type_) else f"splat ({type_} {value})"

    if not divisor.startswith("%"):
        known = divisor.removeprefix(f"splat ({type_} ").rstrip(")")
        if known.lstrip("-").isdigit() and int(known) % (1 << type_.bits) not in (0, (1 << type_.bits) - 1):
            return divisor
    bad = body.emit(f"icmp eq {text} {divisor}, {all_lanes(0)}")
    if op[0] == "s":
        lowest = body.emit(f"icmp eq {text} {given[0]}, {all_lanes(-(1 << type_.bits - 1))}")
        minus = body.emit(f"icmp eq {text} {divisor}, {all_lanes(-1)}")
        overflow = body.emit(f"and {bits} {lowest}, {minus}")
        bad = body.emit(f"or {bits} {bad}, {overflow}")
    return body.emit(f"select {bits} {bad}, {text} {all_lanes(1)}, {text} {divisor}")


def _on_linear(body: Body, instruction: Instruction, shape: Shape) -> Value:
    """The base by the operation itself; all 32 values too, where the shape is only assumed of some lanes."""
    results = body.result_types(instruction)
    exact = None
    if shape.assumed:
        vectors = [body.vectors(o) for o in instruction.operands]
        if instruction.op == "select" and body.shape(instruction.operands[0]).uniform:
            chosen = _choose(body, instruction)
            assert isinstance(chosen, Varying)
            exact = chosen.values[0]
        else:
            exact = _parts(body, instruction, vectors, LANES)[0]
    if shape.constant is not None:
        return Linear(scalar_text(shape.constant, results[0]), shape, exact)
    parts = [body.scalars(o) for o in instruction.operands]
    return Linear(_parts(body, instruction, parts, 0)[0], shape, exact)


def _choose(body: Body, instruction: Instruction) -> Value:
    """A select whose condition is the same in every lane."""
    condition, yes, no = instruction.operands
    flag = body.scalar(condition)
    if len(body.types(condition)) > 1:
        return Varying(_parts(body, instruction, [body.vectors(o) for o in instruction.operands], LANES))
    types = body.types(yes)
    return Varying(
        tuple(
            body.emit(f"select i1 {flag}, {wide(t)} {a}, {wide(t)} {b}")
            for t, a, b in zip(types, body.vectors(yes), body.vectors(no), strict=True)
        )
    )


def _on_fragment(body: Body, instruction: Instruction) -> Value:
    parts = [matrix.from_value(body, body.get(o), o.type.elements[0]) for o in instruction.operands]
    types = [o.type.elements[0] for o in instruction.operands]
    return Fragment(_one(body, instruction, parts, types, instruction.type.elements[0], matrix.SIZE))


def address(body: Body, instruction: Instruction, shape: Shape) -> Value:
    """getelementptr: a base and byte offsets. Pointers into private memory are plain byte offsets."""
    private = body.private.region(instruction.operands[0]) is not None
    steps = address_steps(instruction)
    constant = sum(scale for index, scale in steps if index is None)
    indexed = [(index, scale) for index, scale in steps if index is not None]
    if shape.uniform:
        return Uniform((_scalar_address(body, instruction.operands[0], indexed, constant, private),))
    exact = None
    if not shape.linear or shape.assumed:
        exact = _vector_address(body, instruction.operands[0], indexed, constant, private)
        if not shape.linear:
            return Varying((exact,))
    return Linear(_scalar_address(body, instruction.operands[0], indexed, constant, private), shape, exact)


def _scalar_address(
    body: Body, base: Operand, indexed: list[tuple[Operand, int]], constant: int, private: bool
) -> str:
    place = body.scalar(base)

    def moved(by: str) -> str:
        return (
            body.emit(f"add i64 {place}, {by}")
            if private
            else body.emit(f"getelementptr i8, ptr {place}, i64 {by}")
        )

    for index, scale in indexed:
        step = body.scalar(index)
        place = moved(body.emit(f"mul i64 {step}, {scale}") if scale != 1 else step)
    return moved(str(constant)) if constant else place


def _vector_address(
    body: Body, base: Operand, indexed: list[tuple[Operand, int]], constant: int, private: bool
) -> str:
    """All offsets first, then one addition to the base, which stays a scalar if it can: gathers like that."""
    total = ""
    for index, scale in indexed:
        step = body.vector(index)
        if scale != 1:
            step = body.emit(f"mul {wide(I64)} {step}, {literal((scale,) * LANES, I64)}")
        total = body.emit(f"add {wide(I64)} {total}, {step}") if total else step
    if constant or not total:
        step = literal((constant,) * LANES, I64)
        total = body.emit(f"add {wide(I64)} {total}, {step}") if total else step
    if private:
        return body.emit(f"add {wide(I64)} {body.vector(base)}, {total}")
    value = body.get(base)
    if isinstance(value, Uniform):
        return body.emit(f"getelementptr i8, ptr {value.values[0]}, {wide(I64)} {total}")
    return body.emit(f"getelementptr i8, {wide('ptr')} {body.vector(base)}, {wide(I64)} {total}")


def vector_operation(body: Body, instruction: Instruction) -> Value:
    """extractelement, insertelement, shufflevector, extractvalue and insertvalue: scalars change places."""
    op, operands = instruction.op, instruction.operands
    uniform = all(isinstance(body.get(o), Uniform) for o in operands[: 2 if op != "extractelement" else 1])

    def pieces(operand: Operand) -> tuple[str, ...]:
        return body.scalars(operand) if uniform else body.vectors(operand)

    def wrap(values: tuple[str, ...]) -> Value:
        return Uniform(values) if uniform else Varying(values)

    if op == "shufflevector":
        both = pieces(operands[0]) + pieces(operands[1])
        selector = operands[2]
        assert isinstance(selector, Constant)
        chosen = (
            [v.value for v in selector.value]
            if isinstance(selector.value, tuple)
            else [selector.value] * instruction.type.length
        )
        return wrap(tuple(both[c] if isinstance(c, int) else "poison" for c in chosen))
    if op in ("extractvalue", "insertvalue"):
        return _value_at(instruction, pieces, wrap)
    index = operands[-1]
    whole = pieces(operands[0])
    if not isinstance(index, Constant):
        return _dynamic_element(body, instruction, whole, uniform)
    if op == "extractelement":
        return wrap((whole[index.value],))
    return wrap(whole[: index.value] + pieces(operands[1]) + whole[index.value + 1 :])


def _value_at(instruction: Instruction, pieces: object, wrap: object) -> Value:
    type_, start = instruction.operands[0].type, 0
    for index in instruction.attributes["path"]:
        children = type_.elements if type_.kind == "struct" else type_.elements * type_.length
        start += sum(len(scalars(child)) for child in children[:index])
        type_ = children[index]
    count = len(scalars(type_))
    whole = pieces(instruction.operands[0])  # type: ignore[operator]
    if instruction.op == "extractvalue":
        return wrap(whole[start : start + count])  # type: ignore[operator, no-any-return]
    new = pieces(instruction.operands[1])  # type: ignore[operator]
    return wrap(whole[:start] + new + whole[start + count :])  # type: ignore[operator, no-any-return]


def _dynamic_element(body: Body, instruction: Instruction, whole: tuple[str, ...], uniform: bool) -> Value:
    """An element whose number is not known now: one select for each."""
    index = instruction.operands[-1]
    type_ = instruction.operands[0].type.elements[0]
    everywhere = uniform and isinstance(body.get(index), Uniform)

    def text(t: Type) -> str:
        return str(t) if everywhere else wide(t)

    if uniform and not everywhere:
        whole = tuple(body.splat(v, type_) for v in whole)
    number = body.scalar(index) if everywhere else body.vector(index)
    new = ""
    if instruction.op == "insertelement":
        new = (body.scalars if everywhere else body.vectors)(instruction.operands[1])[0]
    results = []
    chosen = whole[0]
    for position, element in enumerate(whole):
        at = str(position) if everywhere else f"splat ({index.type} {position})"
        here = body.emit(f"icmp eq {text(index.type)} {number}, {at}")
        if new:
            results.append(
                body.emit(f"select {text(I1)} {here}, {text(type_)} {new}, {text(type_)} {element}")
            )
        elif position:
            chosen = body.emit(f"select {text(I1)} {here}, {text(type_)} {element}, {text(type_)} {chosen}")
    values = tuple(results) if new else (chosen,)
    return Uniform(values) if everywhere else Varying(values)


def _reinterpret(body: Body, instruction: Instruction) -> Value:
    """A bitcast between vectors and scalars of other sizes: bytes stay, in every lane."""
    source, target = instruction.operands[0].type, instruction.type
    value = body.get(instruction.operands[0])
    if isinstance(value, Uniform):
        whole = _gathered(body, value.values, source)
        cast = body.emit(f"bitcast {source} {whole} to {target}")
        return Uniform(_scattered(body, cast, target))
    given = body.vectors(instruction.operands[0])
    parts, results = [t for t, _ in scalars(source)], [t for t, _ in scalars(target)]
    if len(parts) == len(results):
        return Varying(
            tuple(
                body.emit(f"bitcast {wide(a)} {v} to {wide(b)}")
                for v, a, b in zip(given, parts, results, strict=True)
            )
        )
    element, result = parts[0], results[0]
    count = len(given)
    flat = given[0] if count == 1 else interleave(body, list(given), element)
    total = LANES * len(results)
    cast = body.emit(f"bitcast <{LANES * count} x {element}> {flat} to <{total} x {result}>")
    if len(results) == 1:
        return Varying((cast,))
    pieces = []
    for part in range(len(results)):
        order = indices([lane * len(results) + part for lane in range(LANES)])
        pieces.append(
            body.emit(f"shufflevector <{total} x {result}> {cast}, <{total} x {result}> poison, {order}")
        )
    return Varying(tuple(pieces))


def _gathered(body: Body, values: tuple[str, ...], type_: Type) -> str:
    if not type_.is_aggregate:
        return values[0]
    whole = "poison"
    for i, v in enumerate(values):
        whole = body.emit(f"insertelement {type_} {whole}, {type_.elements[0]} {v}, i32 {i}")
    return whole


def _scattered(body: Body, value: str, type_: Type) -> tuple[str, ...]:
    if not type_.is_aggregate:
        return (value,)
    return tuple(body.emit(f"extractelement {type_} {value}, i32 {i}") for i in range(type_.length))


def intrinsic(body: Body, instruction: Instruction, shape: Shape) -> Value | None:
    """An LLVM intrinsic that works on each lane alone; None if it is none of these."""
    callee = instruction.callee
    if callee.startswith("llvm.vector.reduce."):
        return _reduce_elements(body, instruction, shape)
    if ".with.overflow." in callee:
        return _with_overflow(body, instruction, shape)
    stem = next((s for s in _stems(callee) if s in _INTRINSICS), None)
    if stem is None:
        return None
    fixed = _SCALAR_ARGUMENTS.get(stem)
    if shape.linear and not shape.uniform:
        assert shape.constant is not None
        return Linear(scalar_text(shape.constant, instruction.type), shape)
    lanes = 0 if shape.uniform else LANES
    operands = instruction.operands
    parts = [
        body.scalars(o) if shape.uniform or i == fixed else body.vectors(o) for i, o in enumerate(operands)
    ]
    operand_types = [body.types(o) for o in operands]
    results = []
    for number, result in enumerate(body.result_types(instruction)):
        arguments = []
        for i, (values, types) in enumerate(zip(parts, operand_types, strict=True)):
            position = number if len(values) > 1 else 0
            width = lanes if i != fixed else 0
            type_ = types[position]
            arguments.append((f"<{width} x {type_}>" if width else str(type_), values[position]))
        results.append(_overloaded(body, stem, arguments, result, operand_types, lanes))
    return Uniform(tuple(results)) if shape.uniform else Varying(tuple(results))


def _with_overflow(body: Body, instruction: Instruction, shape: Shape) -> Value:
    """``llvm.umul.with.overflow`` and its kin: the result, and whether it wrapped."""
    operands = instruction.operands
    type_, lanes = operands[0].type, 0 if shape.uniform else LANES
    wide_type = wide(type_) if lanes else str(type_)
    name = instruction.callee.rsplit(".", 1)[0] + "." + (f"v{lanes}" if lanes else "") + mangle(type_)
    given = [body.scalar(o) if shape.uniform else body.vector(o) for o in operands]
    both = f"{{ {wide_type}, {wide(I1) if lanes else I1} }}"
    pair = body.call(both, name, [(wide_type, value) for value in given])
    parts = tuple(body.emit(f"extractvalue {both} {pair}, {i}") for i in range(2))
    return Uniform(parts) if shape.uniform else Varying(parts)


def _stems(callee: str) -> list[str]:
    words = callee.removeprefix("llvm.").split(".")
    return [".".join(words[:2]), words[0]] if callee.startswith("llvm.") else []


def _overloaded(
    body: Body,
    stem: str,
    arguments: list[tuple[str, str]],
    result: Type,
    types: list[tuple[Type, ...]],
    lanes: int,
) -> str:
    def suffix(type_: Type) -> str:
        return (f"v{lanes}" if lanes else "") + mangle(type_)

    name = f"llvm.{stem}.{suffix(result)}"
    if stem in ("fptosi.sat", "fptoui.sat", "ucmp", "scmp"):
        name += f".{suffix(types[0][0])}"
    elif stem == "ldexp":
        name += f".{suffix(types[1][0])}"
    elif stem == "powi":
        name += f".{mangle(types[1][0])}"
    elif stem == "is.fpclass":
        name = f"llvm.{stem}.{suffix(types[0][0])}"
    return body.call(f"<{lanes} x {result}>" if lanes else str(result), name, arguments)


def _reduce_elements(body: Body, instruction: Instruction, shape: Shape) -> Value:
    """``llvm.vector.reduce.*`` of a lane's own small vector, element after element."""
    op = instruction.callee.split(".")[3]
    operands = list(instruction.operands)
    source = operands[-1]
    type_ = source.type.elements[0]
    lanes = 0 if shape.uniform else LANES
    text = f"<{lanes} x {type_}>" if lanes else str(type_)
    values = list(body.scalars(source) if shape.uniform else body.vectors(source))
    if len(operands) == 2:
        values.insert(0, (body.scalars if shape.uniform else body.vectors)(operands[0])[0])
    total = values[0]
    for value in values[1:]:
        if op in ("smin", "smax", "umin", "umax", "fmin", "fmax"):
            stem = {"fmin": "minnum", "fmax": "maxnum"}.get(op, op)
            name = f"llvm.{stem}.{f'v{lanes}' if lanes else ''}{mangle(type_)}"
            total = body.call(text, name, [(text, total), (text, value)])
        elif op in ("add", "mul", "and", "or", "xor", "fadd", "fmul"):
            total = body.emit(f"{op} {text} {total}, {value}")
        else:
            raise Unsupported(f"the operation {instruction.callee}")
    return Uniform((total,)) if shape.uniform else Varying((total,))
