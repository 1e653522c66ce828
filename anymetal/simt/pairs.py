"""Two instructions of a block that are better made together.

Two loads of neighbouring elements: a lane that holds two elements of an 8×8 matrix takes them in two loads.
Each by itself reads every other element of a row; together they read whole rows.

Two products of matrices with one left factor: their rows side by side fill a vector register.
"""

from __future__ import annotations

from . import intrinsics
from .addresses import Address, address, may_write
from .ir import Function, Instruction, Local, Type


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
        waiting: dict[tuple[Address, Type], Instruction] = {}
        for instruction in block.instructions:
            if may_write(instruction):
                waiting.clear()
            if instruction.op != "load" or instruction.attributes.get("atomic"):
                continue
            if instruction.type.kind not in ("int", "float") or instruction.type.bits < 8:
                continue
            place, type_ = address(instruction.operands[0], made), instruction.type
            first = waiting.pop((place.moved(-type_.size), type_), None)
            if first is not None:
                found[id(first)] = instruction
            else:
                waiting[place, type_] = instruction
    return found
