"""The thread's own memory: arrays that LLVM could not keep in registers.

Lane by lane side by side, so that the same element of 32 lanes is one vector. Memory is cut into grains (the
smallest piece that is ever accessed); grain ``g`` of lane ``l`` lies at ``(g · 32 + l) · grain``. Pointers
into it are kept as byte offsets, which are the same in every lane far more often than addresses would be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .divergence import address_steps
from .ir import LANES, Constant, Function, Instruction, Local, Operand, Unsupported, scalars


@dataclass(frozen=True)
class Region:
    """Arrays that some pointer may lead to, laid out with one grain size (bytes)."""

    name: str
    grain: int
    size: int  # bytes a lane


@dataclass
class PrivateMemory:
    """``regions``: the region of each pointer into private memory; ``offsets``: each alloca's first byte in
    its region."""

    regions: dict[str, Region]
    offsets: dict[str, int]

    def region(self, operand: Operand) -> Region | None:
        return self.regions.get(operand.name) if isinstance(operand, Local) else None

    @property
    def all(self) -> dict[str, Region]:
        return {r.name: r for r in self.regions.values()}


def find(function: Function) -> PrivateMemory:
    """Follow pointers from their allocas; arrays that one pointer may reach share a region."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    changed = True
    allocas: dict[str, Instruction] = {}
    while changed:
        changed = False
        for _, i in function.instructions():
            if i.name is None or i.type.kind != "ptr" or i.type.address_space != 0:
                continue
            if i.op == "alloca":
                allocas[i.name] = i
                sources: list[str] = [i.name]
                parent.setdefault(i.name, i.name)
            elif i.op in ("getelementptr", "phi", "select", "freeze", "addrspacecast", "bitcast"):
                pointers = i.operands[:1] if i.op == "getelementptr" else i.operands[i.op == "select" :]
                sources = [o.name for o in pointers if isinstance(o, Local) and o.name in parent]
            else:
                continue
            for source in sources:
                if i.name not in parent:
                    parent[i.name] = i.name
                    changed = True
                if root(i.name) != root(source):
                    parent[root(i.name)] = root(source)
                    changed = True
    grain: dict[str, int] = {}

    def refine(operand: Operand, size: int) -> None:
        if isinstance(operand, Local) and operand.name in parent:
            grain[root(operand.name)] = math.gcd(grain.get(root(operand.name), 8), size)

    for _, i in function.instructions():
        if i.op == "load":
            for scalar, offset in scalars(i.type):
                refine(i.operands[0], math.gcd(scalar.size, offset))
        elif i.op == "store":
            if isinstance(i.operands[0], Local) and i.operands[0].name in parent:
                raise Unsupported("a pointer to a thread's own memory, stored in memory")
            for scalar, offset in scalars(i.operands[0].type):
                refine(i.operands[1], math.gcd(scalar.size, offset))
        elif i.op == "getelementptr":
            for _, step in address_steps(i):
                refine(i.operands[0], step)
        elif i.op == "call" and i.callee.startswith(("llvm.memcpy", "llvm.memset", "llvm.memmove")):
            length = i.operands[2]
            for operand in i.operands[:2]:
                refine(operand, length.value if isinstance(length, Constant) else 1)
        elif i.op in ("ptrtoint", "atomicrmw", "cmpxchg") and any(
            isinstance(o, Local) and o.name in parent for o in i.operands
        ):
            raise Unsupported(f"a pointer to a thread's own memory in {i.op}")
    sizes: dict[str, int] = {}
    offsets: dict[str, int] = {}
    for name, alloca in allocas.items():
        owner = root(name)
        allocated = alloca.attributes["allocated"]
        align = max(grain.get(owner, 8), allocated.align)
        start = -(-sizes.get(owner, 0) // align) * align
        offsets[name] = start
        sizes[owner] = start + max(allocated.size, 1)
    regions: dict[str, Region] = {}
    for name in parent:
        owner = root(name)
        size, piece = sizes[owner], grain.get(owner, 8)
        regions[name] = Region(owner, piece, -(-size // piece) * piece)
    return PrivateMemory(regions, offsets)


def bytes_of(region: Region) -> int:
    """A region's size for all 32 lanes."""
    return region.size * LANES
