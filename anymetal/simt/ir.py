"""LLVM IR as small plain objects: just what one Metal kernel needs.

The front end gives text, ``parse`` turns it into these objects, every pass of this folder reads them, and
``emit`` writes text again. Types are interned strings with a few questions answered about them, because that
is all the passes ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

LANES = 32


class Unsupported(Exception):
    """The kernel uses a construct that anymetal cannot widen; the message names it."""


@dataclass(frozen=True)
class Type:
    """An LLVM type. ``kind``: int, float, ptr, vector, array, struct, void, label, metadata or function."""

    kind: str
    text: str
    bits: int = 0
    length: int = 0
    elements: tuple[Type, ...] = ()
    packed: bool = False
    address_space: int = 0

    def __str__(self) -> str:
        return self.text

    @property
    def is_aggregate(self) -> bool:
        return self.kind in ("vector", "array", "struct")

    @property
    def size(self) -> int:
        """Bytes in memory, padding included (the stride of an array of this type)."""
        return layout(self)[0]

    @property
    def align(self) -> int:
        return layout(self)[1]


@cache
def int_type(bits: int) -> Type:
    return Type("int", f"i{bits}", bits=bits)


@cache
def vector_type(length: int, element: Type) -> Type:
    return Type("vector", f"<{length} x {element}>", length=length, elements=(element,))


@cache
def pointer_type(address_space: int) -> Type:
    return Type("ptr", "ptr", bits=64, address_space=address_space)


I1, I8, I16, I32, I64 = (int_type(n) for n in (1, 8, 16, 32, 64))
HALF = Type("float", "half", bits=16)
BFLOAT = Type("float", "bfloat", bits=16)
FLOAT = Type("float", "float", bits=32)
DOUBLE = Type("float", "double", bits=64)
VOID = Type("void", "void")
LABEL = Type("label", "label")
METADATA = Type("metadata", "metadata")


def _round_up(value: int, to: int) -> int:
    return -(-value // to) * to


@cache
def layout(type_: Type) -> tuple[int, int, tuple[int, ...]]:
    """``(size, alignment, offsets of the elements)`` in bytes, by the front end's data layout."""
    match type_.kind:
        case "int" | "float":
            stored = 1
            while stored * 8 < type_.bits:
                stored *= 2
            return stored, stored, ()
        case "ptr":
            return 8, 8, ()
        case "vector":
            element = type_.elements[0]
            if element.bits == 1:
                raise Unsupported("a vector of bool in memory")
            power = 1
            while power < type_.length * element.size:
                power *= 2
            return power, power, tuple(i * element.size for i in range(type_.length))
        case "array":
            size, align, _ = layout(type_.elements[0])
            return size * type_.length, align, tuple(i * size for i in range(type_.length))
        case "struct":
            offset, widest, offsets = 0, 1, []
            for element in type_.elements:
                size, align, _ = layout(element)
                align = 1 if type_.packed else align
                offset = _round_up(offset, align)
                offsets.append(offset)
                offset, widest = offset + size, max(widest, align)
            return _round_up(offset, widest), widest, tuple(offsets)
    raise Unsupported(f"the size of a value of type {type_}")


@cache
def scalars(type_: Type) -> tuple[tuple[Type, int], ...]:
    """The scalars that a value of this type is made of, each with its byte offset: ``{i32, <2 x half>}`` has
    three."""
    if type_.kind == "void":
        return ()
    if not type_.is_aggregate:
        return ((type_, 0),)
    if type_.kind == "vector" and type_.elements[0].bits == 1:
        return tuple((type_.elements[0], i) for i in range(type_.length))
    offsets = layout(type_)[2]
    children = type_.elements if type_.kind == "struct" else type_.elements * type_.length
    return tuple(
        (scalar, offset + inner)
        for child, offset in zip(children, offsets, strict=True)
        for scalar, inner in scalars(child)
    )


@dataclass(frozen=True)
class Local:
    """A use of an instruction's result."""

    name: str
    type: Type


@dataclass(frozen=True)
class Constant:
    """A constant. ``value``: an int, the text of a float, None (null), "undef", "poison", or a tuple for
    aggregates."""

    type: Type
    value: Any


@dataclass(frozen=True)
class GlobalRef:
    """The address of a global, with a constant byte offset."""

    name: str
    type: Type
    offset: int = 0


Operand = Local | Constant | GlobalRef


@dataclass
class Instruction:
    """``%name = op operands``. ``attributes`` holds what only some instructions have (predicate, flags,
    callee, …)."""

    op: str
    name: str | None
    type: Type
    operands: list[Operand]
    attributes: dict[str, Any] = field(default_factory=dict)
    debug: int | None = None

    @property
    def callee(self) -> str:
        return str(self.attributes.get("callee", ""))


@dataclass
class Block:
    """Straight-line instructions, phis first. ``terminator`` is a br, ret or unreachable."""

    name: str
    instructions: list[Instruction] = field(default_factory=list)

    @property
    def phis(self) -> Iterator[Instruction]:
        return (i for i in self.instructions if i.op == "phi")

    @property
    def body(self) -> Iterator[Instruction]:
        return (i for i in self.instructions[:-1] if i.op != "phi")

    @property
    def terminator(self) -> Instruction:
        return self.instructions[-1]

    @property
    def successors(self) -> list[str]:
        targets = self.terminator.attributes.get("targets", [])
        return list(dict.fromkeys(targets))


@dataclass
class Global:
    """A module-level variable: threadgroup memory (address space 3) or a constant table."""

    name: str
    type: Type
    address_space: int
    initialiser: Constant | None
    text: str
    align: int


@dataclass
class Function:
    name: str
    blocks: dict[str, Block]

    @property
    def entry(self) -> Block:
        return next(iter(self.blocks.values()))

    def instructions(self) -> Iterator[tuple[Block, Instruction]]:
        for block in self.blocks.values():
            for instruction in block.instructions:
                yield block, instruction


@dataclass
class Module:
    functions: dict[str, Function]
    globals: dict[str, Global]
    metadata: dict[int, str] = field(default_factory=dict)
