"""Two instructions of a block that are better made together.

Two loads of neighbouring elements: a lane that holds two elements of an 8×8 matrix takes them in two loads.
Each by itself reads every other element of a row; together they read whole rows.

Two products of matrices with one left factor: their rows side by side fill a vector register.
"""

from __future__ import annotations

from . import intrinsics
from .divergence import address_steps
from .ir import Function, Instruction, Local, Operand

# A pointer as what it starts from, what is added that is only known when it runs, and a constant, in bytes.
_Address = tuple[str, tuple[tuple[str, int], ...], int]


def find(function: Function) -> dict[int, Instruction]:
    """By the ``id`` of an instruction: the later one that may be made together with it."""
    return _loads(function) | _products(function)


def _products(function: Function) -> dict[int, Instruction]:
    """Two products in a row with one left factor, where the second does not need the first."""
    found: dict[int, Instruction] = {}
    for block in function.blocks.values():
        first: Instruction | None = None
        for instruction in block.instructions:
            if instruction.op != "call" or instruction.callee != intrinsics.MMA:
                first = None
            elif first is None or not _together(first, instruction):
                first = instruction
            else:
                found[id(first)] = instruction
                first = None
    return found


def _together(first: Instruction, second: Instruction) -> bool:
    return first.operands[0] == second.operands[0] and not any(
        isinstance(operand, Local) and operand.name == first.name for operand in second.operands
    )


def _loads(function: Function) -> dict[int, Instruction]:
    """A load, and a later one of the element behind it with no write between the two."""
    made = {i.name: i for _, i in function.instructions() if i.name}
    found: dict[int, Instruction] = {}
    for block in function.blocks.values():
        waiting: dict[tuple[object, ...], Instruction] = {}
        for instruction in block.instructions:
            if _may_write(instruction):
                waiting.clear()
            if instruction.op != "load" or instruction.attributes.get("atomic"):
                continue
            if instruction.type.kind not in ("int", "float") or instruction.type.bits < 8:
                continue
            root, terms, offset = _address(instruction.operands[0], made)
            size = instruction.type.size
            first = waiting.pop((root, terms, offset - size, str(instruction.type)), None)
            if first is not None:
                found[id(first)] = instruction
            else:
                waiting[root, terms, offset, str(instruction.type)] = instruction
    return found


def _address(operand: Operand, made: dict[str, Instruction]) -> _Address:
    terms: list[tuple[str, int]] = []
    offset = 0
    while isinstance(operand, Local) and operand.name in made and made[operand.name].op == "getelementptr":
        instruction = made[operand.name]
        for index, scale in address_steps(instruction):
            if index is None:
                offset += scale
            else:
                terms.append((str(index), scale))
        operand = instruction.operands[0]
    return str(operand), tuple(terms), offset


def _may_write(instruction: Instruction) -> bool:
    if instruction.op in ("store", "atomicrmw", "cmpxchg", "fence"):
        return True
    if instruction.op != "call":
        return False
    callee = instruction.callee
    return not (
        callee == intrinsics.MMA
        or intrinsics.is_id(callee)
        or (callee.startswith("llvm.") and not callee.startswith("llvm.mem"))
    )
