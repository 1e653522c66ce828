"""Loads that walk through device memory: a loop that goes on a little further every round.

A GPU hides the way to memory behind other SIMD-groups. Here one runs at a time, so what a later round will
load is asked for ahead. What every SIMD-group reads (the x of a GEMV) stays near by itself, and is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cfg import Cfg, Loop
from .divergence import address_steps
from .ir import I64, Constant, Function, Instruction, Local, Operand, Type
from .shapes import signed

if TYPE_CHECKING:
    from .body import Body

DEVICE = 1
# A step of more bytes than this leaves most of what lies between unread: what is asked for is what the next
# rounds themselves read.
MAX_STEP = 1024
# How far ahead, in rounds and in bytes: far enough for memory to answer, near enough to be still there when
# it is read.
ROUNDS = 8
FAR_ROUNDS = 2
NEAREST, FARTHEST = 1024, 8192
# Into which cache, as `llvm.prefetch` counts: 3 is the first level, 2 the second. The first has few requests
# in flight, and those that wait for memory keep its own loads out.
LOCALITY = 2
CACHE_LINE = 64
# Ids that tell one SIMD-group from another.
PLACES = ("__simt_simdgroup", "__simt_threadgroup_in_grid", "__simt_thread_in_threadgroup")


@dataclass(frozen=True)
class Step:
    """Bytes from a load's address to that of some rounds later: a constant, and values that do not change in
    the loop, each with the bytes that it is multiplied by."""

    constant: int = 0
    terms: tuple[tuple[Local, int], ...] = ()

    def __add__(self, other: Step) -> Step:
        return Step(self.constant + other.constant, self.terms + other.terms)

    def __mul__(self, factor: int) -> Step:
        return Step(self.constant * factor, tuple((value, f * factor) for value, f in self.terms))

    def __bool__(self) -> bool:
        return bool(self.constant or self.terms)


NOWHERE = Step()
_Made = dict[str, tuple[str, Instruction]]


def find(function: Function, cfg: Cfg) -> dict[int, Step]:
    """How far ahead each walking load is to ask, by its ``id``."""
    made = {i.name: (block.name, i) for block, i in function.instructions() if i.name}
    own = _own(function)
    found: dict[int, Step] = {}
    for block, instruction in function.instructions():
        loop = cfg.loop_of[block.name]
        if instruction.op != "load" or loop is None or instruction.operands[0].type.address_space != DEVICE:
            continue
        address = instruction.operands[0]
        if isinstance(address, Local) and address.name in own:
            ahead = _ahead(address, loop, made)
            if ahead:
                found[id(instruction)] = ahead
    return found


def ask(body: Body, place: str, size: int, ahead: Step) -> None:
    """Prefetch the cache lines of ``size`` bytes that lie so far behind ``place``."""
    if not all(body.shapes[value.name].uniform for value, _ in ahead.terms):
        return
    place = body.offset(place, ahead.constant)
    for value, factor in ahead.terms:
        wide = body.scalar(value)
        if value.type.bits < I64.bits:
            wide = body.emit(f"sext {value.type} {wide} to i64")
        place = body.offset(place, body.emit(f"mul i64 {wide}, {factor}"))
    for line in range(0, size, CACHE_LINE):
        given = [("ptr", body.offset(place, line)), ("i32", "0"), ("i32", str(LOCALITY)), ("i32", "1")]
        body.call("void", "llvm.prefetch.p0", given)


def _ahead(address: Local, loop: Loop, made: _Made) -> Step | None:
    step = _step(address, loop, made)
    if step is None or not step:
        return None
    if not step.terms and abs(step.constant) <= MAX_STEP:
        bytes_ = min(max(ROUNDS * abs(step.constant), NEAREST), FARTHEST)
        return Step(bytes_ if step.constant > 0 else -bytes_)
    if loop.parent is None:
        return step * FAR_ROUNDS
    # A loop inside another jumps from row to row of a tile: the next tile's rows are what comes late.
    return _step(address, loop.parent, made) or None


def _own(function: Function) -> set[str]:
    """The values made from where a SIMD-group is: others have other ones."""
    own: set[str] = set()
    users: dict[str, list[str]] = {}
    for _, instruction in function.instructions():
        if not instruction.name:
            continue
        if instruction.callee.startswith(PLACES):
            own.add(instruction.name)
        for operand in instruction.operands:
            if isinstance(operand, Local):
                users.setdefault(operand.name, []).append(instruction.name)
    pending = list(own)
    while pending:
        for user in users.get(pending.pop(), ()):
            if user not in own:
                own.add(user)
                pending.append(user)
    return own


def _step(operand: Operand, loop: Loop, made: _Made) -> Step | None:
    """What one round adds to a value, or None where that is not known."""
    if not isinstance(operand, Local) or made[operand.name][0] not in loop.blocks:
        return NOWHERE
    home, instruction = made[operand.name]
    op, operands = instruction.op, instruction.operands
    if op == "phi":
        return _round(instruction, loop, made) if home == loop.header else _entering(instruction, loop, made)
    if op in ("zext", "sext", "trunc", "freeze", "addrspacecast"):
        return _step(operands[0], loop, made)
    if op in ("add", "sub") or (op == "or" and "disjoint" in instruction.attributes["flags"]):
        left, right = (_step(o, loop, made) for o in operands)
        return None if left is None or right is None else left + right * (-1 if op == "sub" else 1)
    if op in ("mul", "shl"):
        return _product(instruction, loop, made)
    if op == "getelementptr":
        total = _step(operands[0], loop, made)
        for index, scale in address_steps(instruction):
            step = NOWHERE if index is None else _step(index, loop, made)
            if step is None or total is None:
                return None
            total += step * scale
        return total
    return None


def _product(instruction: Instruction, loop: Loop, made: _Made) -> Step | None:
    left, right = instruction.operands
    if isinstance(right, Constant) and isinstance(right.value, int):
        inside, factor = _step(left, loop, made), signed(right.value, right.type.bits)
        return None if inside is None else inside * (factor if instruction.op == "mul" else 1 << factor)
    if instruction.op == "mul":
        for changing, fixed in ((left, right), (right, left)):
            inside = _step(changing, loop, made)
            if isinstance(fixed, Local) and made[fixed.name][0] not in loop.blocks and inside is not None:
                if inside.terms:
                    return None
                return Step(0, ((fixed, inside.constant),)) if inside else NOWHERE
    return None


def _entering(phi: Instruction, loop: Loop, made: _Made) -> Step | None:
    """A loop inside starts anew each round: what a round adds to the values that it starts with."""
    inside = [_step(o, loop, made) for o in phi.operands if not _made_from(o, phi, made)]
    return inside[0] if len(inside) == 1 else None


def _made_from(operand: Operand, phi: Instruction, made: _Made) -> bool:
    if not isinstance(operand, Local) or operand.name not in made:
        return False
    last = made[operand.name][1]
    return any(isinstance(o, Local) and o.name == phi.name for o in last.operands)


def _round(phi: Instruction, loop: Loop, made: _Made) -> Step | None:
    """What a loop adds to a value that it carries."""
    inside = [o for o, s in zip(phi.operands, phi.attributes["sources"], strict=True) if s in loop.blocks]
    if len(inside) != 1 or not isinstance(inside[0], Local):
        return None
    home, last = made[inside[0].name]
    if last.op == "phi" and last is not phi and home == loop.header:
        return _round(last, loop, made)  # the other's value of the round before
    if not last.operands or not isinstance(last.operands[0], Local) or last.operands[0].name != phi.name:
        return None
    if last.op == "add":
        return _fixed(last.operands[1], last.type, 1, loop, made)
    if last.op == "getelementptr":
        total: Step | None = NOWHERE
        for index, scale in address_steps(last):
            step = Step(scale) if index is None else _fixed(index, I64, scale, loop, made)
            total = None if total is None or step is None else total + step
        return total
    return None


def _fixed(value: Operand, type_: Type, scale: int, loop: Loop, made: _Made) -> Step | None:
    if isinstance(value, Constant) and isinstance(value.value, int):
        return Step(signed(value.value, type_.bits) * scale)
    if isinstance(value, Local) and made[value.name][0] not in loop.blocks:
        return Step(0, ((value, scale),))
    return None
