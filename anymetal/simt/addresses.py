"""Addresses as their parts, to tell which lie beside which; and what may change what lies there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import intrinsics
from .divergence import address_steps
from .ir import Instruction, Local, Operand


@dataclass(frozen=True)
class Address:
    """What a pointer starts from, what is added that only a run knows, and a constant. In bytes."""

    root: str
    terms: tuple[tuple[str, int], ...]
    offset: int

    def moved(self, by: int) -> Address:
        return replace(self, offset=self.offset + by)


def address(pointer: Operand, made: dict[str, Instruction]) -> Address:
    """The parts of a pointer; ``made`` holds the function's instructions by name."""
    terms: list[tuple[str, int]] = []
    offset = 0
    while isinstance(pointer, Local) and pointer.name in made and made[pointer.name].op == "getelementptr":
        instruction = made[pointer.name]
        for index, scale in address_steps(instruction):
            if index is None:
                offset += scale
            else:
                terms.append((str(index), scale))
        pointer = instruction.operands[0]
    return Address(str(pointer), tuple(terms), offset)


def may_write(instruction: Instruction) -> bool:
    """Whether memory may be another after it, also by what other threads did: a barrier counts."""
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
