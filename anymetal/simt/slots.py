"""Where values wait between blocks: stack slots, which LLVM turns into registers, and which a barrier saves.

Each value that is used outside the block that makes it has slots, by its shape: a scalar for each of its
scalars if it is uniform, a vector for each if it varies, lane 0's value if it is linear.
"""

from __future__ import annotations

from dataclasses import dataclass

from .body import Body
from .cfg import Cfg
from .ir import Block, Function, Instruction, Local, Operand, Type
from .matrix import SIZE, from_value
from .shapes import FRAGMENT, Shape
from .values import Fragment, Linear, Uniform, Value, Varying, wide


@dataclass(frozen=True)
class Slot:
    """One piece of a value. ``blend``: lanes are written one group at a time, so a masked write keeps the
    others."""

    name: str
    type: str
    blend: bool


class Slots:
    """The slots of all values that cross blocks."""

    def __init__(self, body: Body, function: Function, cfg: Cfg) -> None:
        self.body = body
        self.types: dict[str, tuple[Type, ...]] = {}
        self.of: dict[str, list[Slot]] = {}
        crossing = _crossing(function, body.shapes)
        for _, instruction in function.instructions():
            name = instruction.name
            if name is not None and name in crossing:
                self.types[name] = body.result_types(instruction)
                self.of[name] = _slots(name, body.shapes.get(name), self.types[name])
        for slots in self.of.values():
            for slot in slots:
                body.prologue.append(f"  {slot.name} = alloca {slot.type}, align 64")
                if body.monitor is not None:
                    # Lanes that a check turned away may come here without a value: it is zero, always.
                    body.prologue.append(f"  store {slot.type} zeroinitializer, ptr {slot.name}")

    def load(self, name: str) -> Value:
        shape = self.body.shapes[name]
        read = [self.body.emit(f"load {s.type}, ptr {s.name}") for s in self.of[name]]
        if shape is FRAGMENT:
            return Fragment(read[0])
        if shape.uniform:
            return Uniform(tuple(read))
        if shape.linear:
            return Linear(read[0], shape, read[1] if shape.assumed else None)
        return Varying(tuple(read))

    def pieces(self, name: str, value: Value) -> list[str]:
        """``value`` in the form in which the slots of ``name`` keep it."""
        shape, types = self.body.shapes[name], self.types[name]
        if shape is FRAGMENT:
            return [from_value(self.body, value, types[0])]
        if shape.uniform:
            assert isinstance(value, Uniform | Linear)
            return list(value.values) if isinstance(value, Uniform) else [value.base]
        if shape.linear:
            assert isinstance(value, Linear)
            exact = [self.body.materialise(value, types[0])] if shape.assumed else []
            return [value.base, *exact]
        return list(self.body.widen(value, types))

    def store(self, name: str, pieces: list[str], mask: str | None) -> None:
        """Write the pieces; under a mask, other lanes keep what they have."""
        for slot, piece in zip(self.of[name], pieces, strict=True):
            if mask is not None and slot.blend:
                old = self.body.emit(f"load {slot.type}, ptr {slot.name}")
                piece = self.body.emit(f"select {wide('i1')} {mask}, {slot.type} {piece}, {slot.type} {old}")
            self.body.do(f"store {slot.type} {piece}, ptr {slot.name}")


def _slots(name: str, shape: Shape | None, types: tuple[Type, ...]) -> list[Slot]:
    assert shape is not None, name

    def named(part: int | str) -> str:
        return f'%"{name}.slot.{part}"'

    if shape is FRAGMENT:
        return [Slot(named(0), f"<{SIZE} x {types[0]}>", False)]
    if shape.uniform:
        return [Slot(named(i), str(t), False) for i, t in enumerate(types)]
    if shape.linear:
        exact = [Slot(named("lanes"), wide(types[0]), True)] if shape.assumed else []
        return [Slot(named(0), str(types[0]), False), *exact]
    return [Slot(named(i), wide(t), True) for i, t in enumerate(types)]


def uses(instruction: Instruction, shapes: dict[str, Shape]) -> set[str]:
    """The values that writing this instruction may need: its operands, and the symbols of their shapes and
    its own."""
    needed = {o.name for o in instruction.operands if isinstance(o, Local)}
    return needed | symbols(needed | ({instruction.name} if instruction.name else set()), shapes)


def symbols(names: set[str], shapes: dict[str, Shape]) -> set[str]:
    return {
        symbol
        for name in names
        if name in shapes
        for product, _ in shapes[name].terms
        for symbol, _ in product
    }


def _crossing(function: Function, shapes: dict[str, Shape]) -> set[str]:
    home = {i.name: b.name for b, i in function.instructions() if i.name}
    crossing: set[str] = set()
    for block, instruction in function.instructions():
        if instruction.op == "phi":
            assert instruction.name is not None
            crossing.add(instruction.name)
            for operand, source in zip(instruction.operands, instruction.attributes["sources"], strict=True):
                names = _phi_uses(operand, shapes)
                crossing |= {n for n in names if home[n] != source}
        else:
            crossing |= {n for n in uses(instruction, shapes) if home[n] != block.name}
    return crossing


def _phi_uses(operand: Operand, shapes: dict[str, Shape]) -> set[str]:
    if not isinstance(operand, Local):
        return set()
    return {operand.name} | symbols({operand.name}, shapes)


def live_into(function: Function, cfg: Cfg, shapes: dict[str, Shape]) -> dict[str, set[str]]:
    """For each block, the values whose slots must hold when lanes wait in front of it; its own phis are among
    them."""
    needs: dict[str, set[str]] = {}
    makes: dict[str, set[str]] = {}
    sends: dict[str, set[str]] = {b: set() for b in cfg.order}
    for name in cfg.order:
        block: Block = function.blocks[name]
        makes[name] = {i.name for i in block.instructions if i.name}
        needs[name] = set()
        for instruction in block.instructions:
            if instruction.op == "phi":
                for operand, source in zip(
                    instruction.operands, instruction.attributes["sources"], strict=True
                ):
                    sends.setdefault(source, set()).update(_phi_uses(operand, shapes))
            else:
                needs[name] |= uses(instruction, shapes)
    live = {b: set[str]() for b in cfg.order}
    changed = True
    while changed:
        changed = False
        for name in reversed(cfg.order):
            block = function.blocks[name]
            out = set(sends[name])
            for successor in cfg.successors[name]:
                phis = {i.name for i in function.blocks[successor].phis if i.name}
                out |= live[successor] - phis
            phis = {i.name for i in block.phis if i.name}
            now = ((needs[name] | out) - makes[name]) | phis
            if now != live[name]:
                live[name] = now
                changed = True
    return live
