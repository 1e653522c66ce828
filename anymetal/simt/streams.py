"""Loads that walk through device memory: a loop that goes on a little further every round.

A GPU hides the way to memory behind other SIMD-groups. Here one runs at a time, so what a later round will
load is asked for ahead. What every SIMD-group reads (the x of a GEMV) stays near by itself, and is not.
"""

from __future__ import annotations

from .cfg import Cfg, Loop
from .divergence import address_steps
from .ir import Constant, Function, Instruction, Local, Operand
from .shapes import signed

DEVICE = 1
# A step of more bytes than this leaves most of what lies between unread.
MAX_STEP = 1024
# How far ahead, in bytes: far enough for memory to answer, near enough to be still there when it is read.
DISTANCE = 8192
# Into which cache, as `llvm.prefetch` counts: 3 is the first level, 2 the second. The first has few requests
# in flight, and those that wait for memory keep its own loads out.
LOCALITY = 2
# Ids that tell one SIMD-group from another.
PLACES = ("__simt_simdgroup", "__simt_threadgroup_in_grid", "__simt_thread_in_threadgroup")


def find(function: Function, cfg: Cfg) -> dict[int, int]:
    """The bytes by which each walking load goes on in a round of its innermost loop, by its ``id``."""
    made = {i.name: (block.name, i) for block, i in function.instructions() if i.name}
    own = _own(function)
    found: dict[int, int] = {}
    for block, instruction in function.instructions():
        loop = cfg.loop_of[block.name]
        if instruction.op != "load" or loop is None or instruction.operands[0].type.address_space != DEVICE:
            continue
        address = instruction.operands[0]
        if not isinstance(address, Local) or address.name not in own:
            continue
        step = _step(address, loop, made)
        if step is not None and 0 < abs(step) <= MAX_STEP:
            found[id(instruction)] = step
    return found


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


def _step(operand: Operand, loop: Loop, made: dict[str, tuple[str, Instruction]]) -> int | None:
    """What one round adds to a value, or None where that is not known."""
    if not isinstance(operand, Local) or made[operand.name][0] not in loop.blocks:
        return 0
    home, instruction = made[operand.name]
    op, operands = instruction.op, instruction.operands
    if op == "phi":
        return _round(instruction, loop, made) if home == loop.header else None
    if op in ("zext", "sext", "trunc", "freeze", "addrspacecast"):
        return _step(operands[0], loop, made)
    if op in ("add", "sub") or (op == "or" and "disjoint" in instruction.attributes["flags"]):
        left, right = (_step(o, loop, made) for o in operands)
        return None if left is None or right is None else left - right if op == "sub" else left + right
    if op in ("mul", "shl") and isinstance(operands[1], Constant) and isinstance(operands[1].value, int):
        inside, factor = _step(operands[0], loop, made), signed(operands[1].value, operands[1].type.bits)
        return None if inside is None else inside * factor if op == "mul" else inside << factor
    if op == "getelementptr":
        total = _step(operands[0], loop, made)
        for index, scale in address_steps(instruction):
            step = 0 if index is None else _step(index, loop, made)
            if step is None or total is None:
                return None
            total += step * scale
        return total
    return None


def _round(phi: Instruction, loop: Loop, made: dict[str, tuple[str, Instruction]]) -> int | None:
    """The constant that a loop adds to a value that it carries."""
    inside = [o for o, s in zip(phi.operands, phi.attributes["sources"], strict=True) if s in loop.blocks]
    if len(inside) != 1 or not isinstance(inside[0], Local):
        return None
    home, last = made[inside[0].name]
    if last.op == "phi" and last is not phi and home == loop.header:
        return _round(last, loop, made)  # the other's value of the round before
    if not last.operands or not isinstance(last.operands[0], Local) or last.operands[0].name != phi.name:
        return None
    if (
        last.op == "add"
        and isinstance(last.operands[1], Constant)
        and isinstance(last.operands[1].value, int)
    ):
        return signed(last.operands[1].value, last.type.bits)
    if last.op == "getelementptr" and all(index is None for index, _ in address_steps(last)):
        return sum(scale for _, scale in address_steps(last))
    return None
