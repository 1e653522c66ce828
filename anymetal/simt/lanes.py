"""What one lane takes from others, and what must be done one lane after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .gather import gather
from .ir import I32, LANES, Instruction, Type
from .values import Uniform, Value, Varying, indices, wide

if TYPE_CHECKING:
    from .body import Body

_INFINITY = {"half": "0xH7C00", "bfloat": "0xR7F80", "float": "0x7FF0000000000000"}
_MINUS_INFINITY = {"half": "0xHFC00", "bfloat": "0xRFF80", "float": "0xFFF0000000000000"}


def shuffle(body: Body, instruction: Instruction) -> Value:
    """Each lane takes the value that its source lane holds."""
    taken, source = instruction.operands
    type_ = instruction.type
    if body.shape(taken).uniform:
        return body.get(taken)
    known = body.shape(source).known
    vector = body.vector(taken)
    if known is not None and body.shape(source).uniform:
        return Uniform((body.pick(vector, type_, str(known[0] % LANES)),))
    if known is not None:
        order = indices([k % LANES for k in known])
        return Varying((body.emit(f"shufflevector {wide(type_)} {vector}, {wide(type_)} poison, {order}"),))
    if body.shape(source).uniform:
        lane = body.emit(f"and i32 {body.scalar(source)}, {LANES - 1}")
        return Uniform((body.pick(vector, type_, lane),))
    # No LLVM operation shuffles by a vector of indices: through memory.
    place = body.scratch(wide(type_))
    body.do(f"store {wide(type_)} {vector}, ptr {place}")
    lane = body.emit(f"and {wide(I32)} {body.vector(source)}, splat (i32 {LANES - 1})")
    pointers = body.emit(f"getelementptr {type_}, ptr {place}, {wide(I32)} {lane}")
    return Varying((gather(body, pointers, type_, everywhere=True),))


def _neutral(op: str, type_: Type) -> str:
    """What leaves the other operand as it is."""
    text = str(type_)
    if type_.kind == "float":
        return {
            "add": _minus_zero(type_),
            "mul": _one(type_),
            "min": _INFINITY[text],
            "max": _MINUS_INFINITY[text],
        }[op]
    return {
        "add": "0",
        "or": "0",
        "xor": "0",
        "umax": "0",
        "mul": "1",
        "and": "-1",
        "umin": "-1",
        "min": str((1 << type_.bits - 1) - 1),
        "max": str(-(1 << type_.bits - 1)),
    }[op]


def _minus_zero(type_: Type) -> str:
    return {"half": "0xH8000", "bfloat": "0xR8000", "float": "-0.000000e+00"}[str(type_)]


def _one(type_: Type) -> str:
    return {"half": "0xH3C00", "bfloat": "0xR3F80", "float": "1.000000e+00"}[str(type_)]


def _combine(body: Body, op: str, type_: Type, length: int, a: str, b: str) -> str:
    """``a op b`` for scalars (length 0) or vectors."""
    text = f"<{length} x {type_}>" if length else str(type_)
    suffix = (f"v{length}" if length else "") + {"half": "f16", "bfloat": "bf16", "float": "f32"}.get(
        str(type_), str(type_)
    )
    if type_.kind == "float":
        if op in ("add", "mul"):
            return body.emit(f"f{op} {text} {a}, {b}")
        return body.call(text, f"llvm.{op}num.{suffix}", [(text, a), (text, b)])
    if op in ("min", "max", "umin", "umax"):
        name = op if op[0] == "u" else "s" + op
        return body.call(text, f"llvm.{name}.{suffix}", [(text, a), (text, b)])
    return body.emit(f"{op} {text} {a}, {b}")


def reduce(body: Body, op: str, instruction: Instruction) -> Value:
    """One value from all active lanes: halves are combined five times, so the order never depends on the
    machine."""
    type_ = instruction.type
    vector = body.keep_active(body.vector(instruction.operands[0]), type_, _neutral(op, type_))
    length = LANES
    while length > 1:
        half = length // 2
        halves = [
            body.emit(
                f"shufflevector <{length} x {type_}> {vector}, <{length} x {type_}> poison, "
                f"{indices(list(range(start, start + half)))}"
            )
            for start in (0, half)
        ]
        vector = _combine(body, op, type_, half, *halves)
        length = half
    return Uniform((body.emit(f"extractelement <1 x {type_}> {vector}, i32 0"),))


def scan(body: Body, op: str, exclusive: bool, instruction: Instruction) -> Value:
    """Lane i gets the combination of active lanes up to i, itself included or not: five shifts and sums."""
    type_ = instruction.type
    neutral = _neutral(op, type_)
    if type_.kind == "float" and op == "add" and exclusive:
        neutral = (
            "0.000000e+00" if str(type_) == "float" else {"half": "0xH0000", "bfloat": "0xR0000"}[str(type_)]
        )
    vector = body.keep_active(body.vector(instruction.operands[0]), type_, neutral)
    filler = body.splat(neutral, type_)

    def shifted(by: int) -> str:
        order = indices([lane - by if lane >= by else LANES for lane in range(LANES)])
        return body.emit(f"shufflevector {wide(type_)} {vector}, {wide(type_)} {filler}, {order}")

    if exclusive:
        vector = shifted(1)
    step = 1
    while step < LANES:
        vector = _combine(body, op, type_, LANES, shifted(step), vector)
        step *= 2
    return Varying((vector,))


def ballot(body: Body, instruction: Instruction) -> Value:
    """A bit for each active lane whose argument is true."""
    votes = body.emit(f"freeze {wide('i1')} {body.vector(instruction.operands[0])}")
    if body.mask is not None:
        votes = body.emit(f"and {wide('i1')} {body.mask}, {votes}")
    return Uniform((body.emit(f"bitcast {wide('i1')} {votes} to i32"),))


def each_active_lane(
    body: Body, one: Callable[[str], tuple[str, ...]], types: tuple[Type, ...]
) -> tuple[str, ...]:
    """Run ``one(lane)`` for each active lane in turn, in a loop; its results, lane by lane, as vectors."""
    head, work, done = (body.fresh(s) for s in ("lane.head", "lane.work", "lane.done"))
    counter = body.scratch("i32")
    places = [body.scratch(wide(t)) for t in types]
    body.do(f"store i32 {body.mask_bits()}, ptr {counter}")
    for place, type_ in zip(places, types, strict=True):
        body.do(f"store {wide(type_)} zeroinitializer, ptr {place}")
    body.do(f"br label %{head}")
    body.label(head)
    left = body.emit(f"load i32, ptr {counter}")
    none = body.emit(f"icmp eq i32 {left}, 0")
    body.do(f"br i1 {none}, label %{done}, label %{work}")
    body.label(work)
    lane = body.call("i32", "llvm.cttz.i32", [("i32", left), ("i1", "true")])
    less = body.emit(f"sub i32 {left}, 1")
    rest = body.emit(f"and i32 {left}, {less}")
    body.do(f"store i32 {rest}, ptr {counter}")
    for place, type_, value in zip(places, types, one(lane), strict=True):
        old = body.emit(f"load {wide(type_)}, ptr {place}")
        new = body.emit(f"insertelement {wide(type_)} {old}, {type_} {value}, i32 {lane}")
        body.do(f"store {wide(type_)} {new}, ptr {place}")
    body.do(f"br label %{head}")
    body.label(done)
    return tuple(body.emit(f"load {wide(t)}, ptr {p}") for t, p in zip(types, places, strict=True))


def call_each_lane(body: Body, instruction: Instruction) -> Value:
    """A scalar library function (``erff``): called for each active lane."""
    given = [body.vector(o) for o in instruction.operands]
    types = [o.type for o in instruction.operands]

    def one(lane: str) -> tuple[str, ...]:
        arguments = [(str(t), body.pick(v, t, lane)) for v, t in zip(given, types, strict=True)]
        return (body.call(str(instruction.type), instruction.callee, arguments),)

    return Varying(each_active_lane(body, one, (instruction.type,)))
