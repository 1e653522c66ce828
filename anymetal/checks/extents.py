"""How each memory is used in a whole kernel: known before any code is written, since it decides what must be
watched."""

from __future__ import annotations

import math

from anymetal.simt import intrinsics
from anymetal.simt.ir import Function, Instruction, Operand, scalars

from .sites import Extent, Root, Sites, space_of


def find_extents(function: Function, sites: Sites) -> dict[Root, Extent]:
    """The grain of each root and whether it is written. A pointer of several roots counts for all of its
    space."""
    grains: dict[Root, int] = {}
    written: set[Root] = set()
    loose: list[tuple[int, int, bool]] = []
    for _, instruction in function.instructions():
        for pointer, grain, stores in _accesses(instruction):
            root = sites.root(pointer)
            if root is None:
                loose.append((space_of(pointer), grain, stores))
                continue
            grains[root] = math.gcd(grains.get(root, 0), grain)
            if stores:
                written.add(root)
    for space, grain, stores in loose:
        for root in grains:
            if root.space == space or (space, root.space) == (0, 1):
                grains[root] = math.gcd(grains[root], grain)
                if stores:
                    written.add(root)
    return {root: Extent(grain, root in written) for root, grain in grains.items()}


def _accesses(instruction: Instruction) -> list[tuple[Operand, int, bool]]:
    """Pointers that an instruction goes through: with the bytes of an element, and whether it writes."""
    op, operands, callee = instruction.op, instruction.operands, instruction.callee
    if op == "load":
        return [(operands[0], scalars(instruction.type)[0][0].size, False)]
    if op == "store":
        return [(operands[1], scalars(operands[0].type)[0][0].size, True)]
    if op in ("atomicrmw", "cmpxchg"):
        return [(operands[0], operands[1].type.size, True)]
    if callee.startswith(intrinsics.MATRIX_LOAD):
        return [(operands[0], instruction.type.elements[0].size, False)]
    if callee.startswith(intrinsics.MATRIX_STORE):
        return [(operands[1], operands[0].type.elements[0].size, True)]
    if callee.startswith(("llvm.memcpy", "llvm.memmove")):
        return [(operands[0], 1, True), (operands[1], 1, False)]
    if callee.startswith("llvm.memset"):
        return [(operands[0], 1, True)]
    return []
