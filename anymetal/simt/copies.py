"""Lanes that each copy a run of elements: whole rows where neighbours' runs meet.

A kernel that brings a tile near gives each lane some neighbouring elements, as many loads and as many stores.
Element by element, over all lanes, those are gathers and scatters. Lane by lane they are a few wide moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import streams
from .addresses import address, may_write
from .ir import I64, LANES, Function, Instruction, Local, Operand, Type, scalars
from .shapes import Shape
from .values import Linear, wide

if TYPE_CHECKING:
    from .body import Body

# Fewer bytes than these a lane are as well gathered.
_LEAST = 16


@dataclass(frozen=True)
class Run:
    """Loads of neighbouring elements, and the stores of them to neighbouring places; nothing else uses
    them."""

    loads: tuple[Instruction, ...]
    stores: tuple[Instruction, ...]

    @property
    def element(self) -> Type:
        return scalars(self.loads[0].type)[0][0]

    @property
    def count(self) -> int:
        """Elements that each lane copies."""
        return len(self.loads) * len(scalars(self.loads[0].type))

    @property
    def source(self) -> Operand:
        return self.loads[0].operands[0]

    @property
    def target(self) -> Operand:
        return self.stores[0].operands[1]


def find(function: Function) -> dict[int, Run]:
    """The run that each load and store belongs to, by its ``id``."""
    made = {i.name: i for _, i in function.instructions() if i.name}
    uses: dict[str, int] = {}
    for _, instruction in function.instructions():
        for operand in instruction.operands:
            if isinstance(operand, Local):
                uses[operand.name] = uses.get(operand.name, 0) + 1
    found: dict[int, Run] = {}
    for block in function.blocks.values():
        loads: list[Instruction] = []
        stores: list[Instruction] = []
        for instruction in block.instructions:
            if instruction.op == "load" and not instruction.attributes.get("atomic"):
                if stores or not _follows(loads, instruction, 0, made):
                    loads, stores = [], []
                loads.append(instruction)
            elif instruction.op == "store" and loads and not instruction.attributes.get("atomic"):
                value, expected = instruction.operands[0], loads[min(len(stores), len(loads) - 1)]
                if (
                    isinstance(value, Local)
                    and value.name == expected.name
                    and uses[value.name] == 1
                    and _follows(stores, instruction, 1, made)
                ):
                    stores.append(instruction)
                else:
                    loads, stores = [], []
            elif may_write(instruction):
                loads, stores = [], []
            if loads and len(stores) == len(loads):
                run = Run(tuple(loads), tuple(stores))
                if run.count * run.element.size >= _LEAST:
                    found.update((id(i), run) for i in (*loads, *stores))
                loads, stores = [], []
    return found


def _follows(run: list[Instruction], next_: Instruction, at: int, made: dict[str, Instruction]) -> bool:
    """Whether an instruction's address is the one behind the last of a run's."""
    type_ = next_.type if at == 0 else next_.operands[0].type
    if not run:
        return _lies_dense(type_)
    if type_ != (run[-1].type if at == 0 else run[-1].operands[0].type):
        return False
    return address(next_.operands[at], made) == address(run[-1].operands[at], made).moved(type_.size)


def _lies_dense(type_: Type) -> bool:
    """Whether a value is a number, or a vector of them with nothing between or behind them."""
    element = type_.elements[0] if type_.kind == "vector" else type_
    if element.kind not in ("int", "float") or element.bits != 8 * element.size:
        return False
    return type_ is element or type_.size == type_.length * element.size


def is_worth_it(body: Body, run: Run) -> bool:
    """Whether both sides are memory where lanes lie apart. Asked where all 32 are active."""
    return body.mask is None and all(
        isinstance(o, Local) and body.private.region(o) is None and not body.shapes[o.name].uniform
        for o in (run.source, run.target)
    )


def copy(body: Body, run: Run) -> None:
    """All loads, then all stores: a run's source and target may overlap."""
    element, count = run.element, run.count
    chunks = _chunks(
        [body.shapes[o.name] for o in (run.source, run.target) if isinstance(o, Local)], count * element.size
    )
    ahead = body.streams.get(id(run.loads[0]))
    read = []
    for first, lanes in chunks:
        type_ = f"<{lanes * count} x {element}>"
        place = _place(body, run.source, first)
        if ahead is not None:
            streams.ask(body, place, lanes * count * element.size, ahead)
        read.append(body.emit(f"load {type_}, ptr {place}, align {element.size}"))
    for (first, lanes), value in zip(chunks, read, strict=True):
        type_ = f"<{lanes * count} x {element}>"
        body.do(f"store {type_} {value}, ptr {_place(body, run.target, first)}, align {element.size}")


def _chunks(shapes: list[Shape], size: int) -> list[tuple[int, int]]:
    """Lanes one behind the other in all of these memories: the first, and how many."""
    chunks = [(0, 1)]
    for lane in range(1, LANES):
        first, lanes = chunks[-1]
        if all(_is_next(shape, lane, size) for shape in shapes):
            chunks[-1] = (first, lanes + 1)
        else:
            chunks.append((lane, 1))
    return chunks


def _is_next(shape: Shape, lane: int, size: int) -> bool:
    return (
        shape.linear
        and shape.pattern[lane] == shape.pattern[lane - 1] + size
        and all(factors[lane] == factors[lane - 1] for _, factors in shape.terms)
    )


def _place(body: Body, pointer: Operand, lane: int) -> str:
    """Where one lane's pointer points."""
    value = body.get(pointer)
    if not isinstance(value, Linear):
        return body.emit(f"extractelement {wide('ptr')} {body.vector(pointer)}, i32 {lane}")
    place = body.offset(value.base, value.shape.pattern[lane])
    for symbol, factors in value.shape.terms:
        if factors[lane]:
            place = body.offset(place, body.emit(f"mul i64 {body.symbol(symbol, I64)}, {factors[lane]}"))
    return place
