"""Small vectors of integers, taken apart: ``uint2`` positions become two values, each with a shape of its
own.

Where something needs the vector whole (a store, a bitcast), it is put together again just there.
"""

from __future__ import annotations

import re

from .arithmetic import ELEMENTWISE
from .ir import I32, Block, Constant, Function, Instruction, Local, Operand, Type, scalars
from .reader import zero

Parts = list[Operand]


def scalarise(function: Function) -> None:
    """Rewrite ``function`` in place; blocks must be in an order where definitions come before uses, but for
    phis."""
    _Scalariser(function).run()


def _is_target(type_: Type) -> bool:
    return type_.kind == "vector" and type_.elements[0].kind == "int"


class _Scalariser:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.parts: dict[str, Parts] = {}
        self.whole: set[str] = set()
        self.replaced: dict[str, Operand] = {}
        self.out: list[Instruction] = []
        self.count = 0

    def run(self) -> None:
        pending: list[tuple[Instruction, list[Instruction]]] = []
        for block in self.function.blocks.values():
            for instruction in block.instructions:
                if instruction.op == "phi" and _is_target(instruction.type):
                    self._split_phi(instruction, pending)
        for block in self._in_dominance_order():
            self._block(block)
        for original, pieces in pending:
            for number, piece in enumerate(pieces):
                piece.operands = [self._part(o, number) for o in original.operands]
        for _, instruction in self.function.instructions():
            instruction.operands = [self._resolve(o) for o in instruction.operands]

    def _in_dominance_order(self) -> list[Block]:
        seen: set[str] = set()
        finished: list[Block] = []
        stack: list[tuple[str, list[str]]] = [
            (self.function.entry.name, list(self.function.entry.successors))
        ]
        seen.add(self.function.entry.name)
        while stack:
            name, rest = stack[-1]
            if rest:
                following = rest.pop()
                if following not in seen:
                    seen.add(following)
                    stack.append((following, list(self.function.blocks[following].successors)))
            else:
                finished.append(self.function.blocks[name])
                stack.pop()
        return finished[::-1]

    def _split_phi(self, phi: Instruction, pending: list[tuple[Instruction, list[Instruction]]]) -> None:
        assert phi.name is not None
        element = phi.type.elements[0]
        pieces = [
            Instruction("phi", f"{phi.name}.e{i}", element, [], dict(phi.attributes))
            for i in range(phi.type.length)
        ]
        self.parts[phi.name] = [Local(p.name or "", element) for p in pieces]
        pending.append((phi, pieces))
        phi.attributes = {**phi.attributes, "pieces": pieces}

    def _block(self, block: Block) -> None:
        self.out = []
        for instruction in block.instructions:
            if pieces := instruction.attributes.get("pieces"):
                self.out += pieces
            elif not self._take_apart(instruction):
                self._keep(instruction)
        # Phis come first: pieces of a vector that a phi's neighbour needs follow them.
        block.instructions = sorted(self.out, key=lambda i: i.op != "phi")

    def _resolve(self, operand: Operand) -> Operand:
        while isinstance(operand, Local) and operand.name in self.replaced:
            operand = self.replaced[operand.name]
        return operand

    def _part(self, operand: Operand, number: int) -> Operand:
        operand = self._resolve(operand)
        if isinstance(operand, Local):
            return self._resolve(self.parts[operand.name][number])
        assert isinstance(operand, Constant)
        if isinstance(operand.value, tuple):
            return operand.value[number]  # type: ignore[no-any-return]
        element = operand.type.elements[0]
        return Constant(element, operand.value) if operand.value in ("undef", "poison") else zero(element)

    def _has_parts(self, operand: Operand) -> bool:
        operand = self._resolve(operand)
        return isinstance(operand, Constant) or (isinstance(operand, Local) and operand.name in self.parts)

    def _take_apart(self, instruction: Instruction) -> bool:
        """Replace an operation on integer vectors by scalar ones; False if it is none that can be."""
        op, operands, name = instruction.op, instruction.operands, instruction.name
        if name is None:
            return False
        index = operands[-1] if operands else None
        if op == "extractelement" and _is_target(operands[0].type) and isinstance(index, Constant):
            if not self._has_parts(operands[0]):
                return False
            self.replaced[name] = self._part(operands[0], index.value)
            return True
        if not _is_target(instruction.type):
            return False
        length = instruction.type.length
        if op == "insertelement" and isinstance(index, Constant):
            if not self._has_parts(operands[0]):
                return False
            parts = [self._part(operands[0], i) for i in range(length)]
            parts[index.value] = self._resolve(operands[1])
            self.parts[name] = parts
            return True
        if op == "shufflevector" and all(self._has_parts(o) for o in operands[:2]):
            width = operands[0].type.length
            both = [self._part(o, i) for o in operands[:2] for i in range(width)]
            chosen = [self._part(operands[2], i) for i in range(length)]
            element = instruction.type.elements[0]
            self.parts[name] = [
                both[c.value]
                if isinstance(c, Constant) and isinstance(c.value, int)
                else Constant(element, "poison")
                for c in chosen
            ]
            return True
        vectors = [o for o in operands if o.type.kind == "vector"]
        if not vectors or any(not _is_target(o.type) or o.type.length != length for o in vectors):
            return False
        overloaded = re.fullmatch(
            r"llvm\.(umin|umax|smin|smax|abs|ctpop|ctlz|cttz|fshl|fshr)\.v\d+(i\d+)", instruction.callee
        )
        if (op not in ELEMENTWISE and not overloaded) or not all(self._has_parts(o) for o in vectors):
            return False
        attributes = dict(instruction.attributes)
        if overloaded:
            attributes["callee"] = f"llvm.{overloaded[1]}.{overloaded[2]}"
        element = instruction.type.elements[0]
        self.parts[name] = []
        for i in range(length):
            given = [self._part(o, i) if o.type.kind == "vector" else self._resolve(o) for o in operands]
            piece = Instruction(op, f"{name}.e{i}", element, given, attributes, instruction.debug)
            self.out.append(piece)
            self.parts[name].append(Local(f"{name}.e{i}", element))
        return True

    def _keep(self, instruction: Instruction) -> None:
        """Everything else keeps its vectors, put together where they were taken apart."""
        instruction.operands = [
            self._assemble(o) if instruction.op != "phi" and self._lost(o) else o
            for o in instruction.operands
        ]
        self.out.append(instruction)
        name = instruction.name
        if name is None or not _is_target(instruction.type):
            return
        self.whole.add(name)
        self.parts[name] = []
        for i, (element, _) in enumerate(scalars(instruction.type)):
            piece = Instruction(
                "extractelement",
                f"{name}.e{i}",
                element,
                [Local(name, instruction.type), Constant(I32, i)],
                debug=instruction.debug,
            )
            self.out.append(piece)
            self.parts[name].append(Local(f"{name}.e{i}", element))

    def _lost(self, operand: Operand) -> bool:
        operand = self._resolve(operand)
        return isinstance(operand, Local) and operand.name in self.parts and operand.name not in self.whole

    def _assemble(self, operand: Operand) -> Operand:
        operand = self._resolve(operand)
        assert isinstance(operand, Local)
        vector: Operand = Constant(operand.type, "poison")
        for i, part in enumerate(self.parts[operand.name]):
            self.count += 1
            name = f"{operand.name}.whole.{self.count}"
            self.out.append(
                Instruction(
                    "insertelement", name, operand.type, [vector, self._resolve(part), Constant(I32, i)]
                )
            )
            vector = Local(name, operand.type)
        return vector
