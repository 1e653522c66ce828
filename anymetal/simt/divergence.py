"""Which values are the same in every lane, and how the others are laid out: a shape for every value of a
kernel.

Values start optimistic and are lowered until nothing changes. Where lanes part at a branch and meet again,
the values that a phi joins differ from lane to lane, whatever their own shapes are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import intrinsics, shapes
from .cfg import Cfg
from .ir import Constant, Function, Instruction, Local, Operand, Type, Unsupported, layout
from .layouts import Layout
from .shapes import FRAGMENT, UNIFORM, VARYING, Shape


@dataclass
class Divergence:
    """The shapes of all values, and the blocks whose branch parts the lanes."""

    shapes: dict[str, Shape]
    divergent: set[str]


def analyse(function: Function, cfg: Cfg, layout_: Layout, private: set[str]) -> Divergence:
    """``private``: names of pointers into the thread's own memory; what is loaded through them differs by
    lane."""
    joined: set[str] = set()
    while True:
        found = _Shapes(function, cfg, layout_, private, joined).solve()
        divergent = {
            b
            for b in cfg.order
            if len(cfg.successors[b]) > 1
            and not shape_of(function.blocks[b].terminator.operands[0], found).uniform
        }
        now = {join for block in divergent for join in joins(block, cfg)}
        if now <= joined:
            return Divergence(found, divergent)
        joined |= now


def shape_of(operand: Operand, found: dict[str, Shape]) -> Shape:
    """The shape of an operand. A name that is not known yet counts as uniform."""
    if isinstance(operand, Local):
        return found.get(operand.name, UNIFORM)
    if isinstance(operand, Constant) and isinstance(operand.value, int):
        return shapes.constant(operand.value)
    return UNIFORM


def joins(block: str, cfg: Cfg) -> set[str]:
    """Blocks where lanes that parted at ``block`` arrive over different edges, or after different numbers of
    iterations.

    Each group of lanes carries the name of the last place where all of it was together. Blocks are taken in
    order, a loop's header reached over its back edge after the loop's last block; when only one is left, the
    lanes have met.
    """
    found: set[str] = set()
    waiting: dict[tuple[float, str], str] = {}

    def arrive(source: str, target: str, label: str) -> None:
        back = cfg.is_back_edge(source, target)
        key = (cfg.loop_end(target) + 0.5 if back else float(cfg.index[target]), target)
        if waiting.setdefault(key, label) != label:
            found.add(target)
            waiting[key] = target

    for target in cfg.successors[block]:
        arrive(block, target, target)
    while len(waiting) > 1:
        key = min(waiting)
        label = waiting.pop(key)
        position, current = key
        if position == cfg.index[current]:
            for target in cfg.successors[current]:
                arrive(current, target, label)
            continue
        loop = next(loop for loop in cfg.loops if loop.header == current)
        if block in loop.blocks:
            # Some lanes wait outside while these go round again: the loop is left after different iterations.
            for out in cfg.exits(loop):
                found.add(out)
                waiting[float(cfg.index[out]), out] = out
    return found


class _Shapes:
    """The search for all shapes, given the blocks whose phis join lanes that had parted."""

    def __init__(
        self, function: Function, cfg: Cfg, layout_: Layout, private: set[str], joined: set[str]
    ) -> None:
        self.function, self.cfg, self.layout = function, cfg, layout_
        self.private, self.joined = private, joined
        self.home = {i.name: b.name for b, i in function.instructions() if i.name}
        self.found: dict[str, Shape] = {}

    def solve(self) -> dict[str, Shape]:
        changed = True
        while changed:
            changed = False
            for block in self.cfg.order:
                for instruction in self.function.blocks[block].instructions:
                    if instruction.name is None:
                        continue
                    old = self.found.get(instruction.name)
                    if instruction.op == "phi":
                        # Phis are only ever lowered, so that the search ends.
                        new = shapes.merge(old, self._phi(instruction, block))
                    else:
                        new = _transfer(instruction, self.found, self.layout, self.private)
                    if new is not None and new != old:
                        self.found[instruction.name] = new
                        changed = True
        return self.found

    def _phi(self, phi: Instruction, block: str) -> Shape | None:
        result: Shape | None = None
        for operand in phi.operands:
            unknown = isinstance(operand, Local) and operand.name not in self.found
            if not unknown and not (isinstance(operand, Constant) and operand.value in ("undef", "poison")):
                result = shapes.merge(result, shape_of(operand, self.found))
        same = len({repr(o) for o in phi.operands}) == 1 and isinstance(phi.operands[0], Constant)
        if result is None:
            return UNIFORM if all(isinstance(o, Constant) for o in phi.operands) else None
        if block in self.joined and not same:
            return VARYING
        # A symbol must have one value wherever the phi is used: it has to come from above the phi's own
        # block.
        for symbol, _ in result.terms:
            for name, _ in symbol:
                home = self.home[name]
                if home == block or not self.cfg.dominates(home, block):
                    return VARYING
        return result


def _name(operand: Operand) -> str:
    return operand.name if isinstance(operand, Local) else ""


def is_private(operand: Operand, private: set[str]) -> bool:
    """Whether a pointer leads into the thread's own memory."""
    return isinstance(operand, Local) and operand.name in private


def _transfer(instruction: Instruction, found: dict[str, Shape], layout_: Layout, private: set[str]) -> Shape:
    operands = instruction.operands
    given = [shape_of(o, found) for o in operands]
    op, type_ = instruction.op, instruction.type
    all_uniform = all(s.uniform for s in given)
    if op == "call":
        return intrinsics.shape(instruction, given, layout_)
    if op == "load":
        return UNIFORM if all_uniform and not is_private(operands[0], private) else VARYING
    if op == "alloca":
        return UNIFORM
    if op in ("atomicrmw", "cmpxchg"):
        return VARYING
    if type_.kind in ("int", "ptr"):
        return _integer(instruction, given, layout_)
    if any(s is FRAGMENT for s in given):
        return _fragment(instruction, given)
    return UNIFORM if all_uniform else VARYING


def _fragment(instruction: Instruction, given: list[Shape]) -> Shape:
    """Element by element operations keep a fragment whole; anything else takes it apart."""
    elementwise = instruction.op in ("fadd", "fsub", "fmul", "fdiv", "fneg", "fpext", "fptrunc", "freeze")
    return FRAGMENT if elementwise and all(s is FRAGMENT or s.uniform for s in given) else VARYING


def _integer(instruction: Instruction, given: list[Shape], layout_: Layout) -> Shape:
    op, type_ = instruction.op, instruction.type
    operands, bits = instruction.operands, instruction.type.bits
    if op == "getelementptr":
        return _address(instruction, given)
    if not all(s.linear for s in given):
        return VARYING
    if op == "add" or (op == "or" and "disjoint" in instruction.attributes["flags"]):
        return shapes.add(given[0], given[1], bits)
    if op == "sub":
        return shapes.sub(given[0], given[1], bits)
    if op == "mul":
        return shapes.multiply(given[0], given[1], _name(operands[0]), _name(operands[1]), bits)
    if op == "shl" and given[1].uniform and given[1].constant is not None and given[1].constant < bits:
        return shapes.scale(given[0], 1 << given[1].constant, bits)
    if op in ("and", "or", "xor", "udiv", "urem", "lshr", "shl"):
        return shapes.bitwise(op, given[0], given[1], bits)
    if op in ("zext", "sext", "trunc"):
        return shapes.extend(given[0], op, operands[0].type.bits, layout_.large)
    if op in ("ptrtoint", "inttoptr", "addrspacecast", "freeze") or (op == "bitcast" and type_.kind == "ptr"):
        return given[0]
    if op == "icmp":
        return _compare(instruction, given)
    if op == "select":
        return _select(given, bits)
    return UNIFORM if all(s.uniform for s in given) else VARYING


def _compare(instruction: Instruction, given: list[Shape]) -> Shape:
    left, right = given[0].known, given[1].known
    if left is None or right is None:
        return UNIFORM if all(s.uniform for s in given) else VARYING
    bits = instruction.operands[0].type.bits
    predicate = instruction.attributes["predicate"]
    mask = (1 << bits) - 1

    def number(value: int) -> int:
        return shapes.signed(value, bits) if predicate[0] == "s" else value & mask

    test: Callable[[int, int], bool] = getattr(operator, predicate[-2:])
    return shapes.known(tuple(int(test(number(a), number(b))) for a, b in zip(left, right, strict=True)))


def _select(given: list[Shape], bits: int) -> Shape:
    condition, yes, no = given
    if condition.uniform:
        merged = shapes.merge(yes, no)
        assert merged is not None
        return replace(merged, constant=None) if merged.linear and yes != no else merged
    chosen, left, right = condition.known, yes.known, no.known
    if chosen is None or left is None or right is None:
        return VARYING
    mask = (1 << bits) - 1
    return shapes.known(
        tuple((a if c & 1 else b) & mask for c, a, b in zip(chosen, left, right, strict=True))
    )


def _address(instruction: Instruction, given: list[Shape]) -> Shape:
    """``base + Σ index · size``, in bytes."""
    total, offset = given[0], 0
    for (step, scale), shape in zip(address_steps(instruction), given[1:], strict=True):
        if step is None:
            offset += scale
        else:
            if not shape.linear:
                return VARYING
            total = shapes.add(total, shapes.scale(shape, scale, 64), 64) if total.linear else VARYING
    return shapes.add(total, shapes.constant(offset), 64) if total.linear else VARYING


def address_steps(instruction: Instruction) -> list[tuple[Operand | None, int]]:
    """A getelementptr's indices: ``(index, bytes it is multiplied by)``, or ``(None, bytes)`` where it is
    constant."""
    steps: list[tuple[Operand | None, int]] = []
    current: Type = instruction.attributes["source"]
    for position, index in enumerate(instruction.operands[1:]):
        if position and current.kind == "struct":
            assert isinstance(index, Constant)
            steps.append((None, layout(current)[2][index.value]))
            current = current.elements[index.value]
            continue
        if position:
            current = current.elements[0]
        size = current.size
        if isinstance(index, Constant) and isinstance(index.value, int):
            steps.append((None, shapes.signed(index.value, index.type.bits) * size))
        else:
            if index.type.bits != 64:
                raise Unsupported("an address index that is not 64 bits wide")
            steps.append((index, size))
    return steps
