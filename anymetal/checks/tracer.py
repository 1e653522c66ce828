"""The instrument that also writes down what one SIMD-group does: lines, accesses, lanes asked, variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from anymetal.simt.body import Body
from anymetal.simt.ir import I1, I8, I64, LANES, Block, Constant, Instruction, Operand, Type, scalars
from anymetal.simt.values import Value, wide

from .instrument import Instrument
from .program import load_functions
from .sites import ATOMIC, LOAD, STORE, Place, Root, reference

TRACE_WORD = 95  # of the launch block: the last, which nothing else uses
STEP, ACCESS, SHUFFLE, BARRIER, VARIABLE = range(5)
WHO = [("i32", f"%{name}") for name in ("simdgroup", "group.x", "group.y", "group.z")]


@dataclass(frozen=True)
class Variable:
    """A variable of the text, or a part of one (``acc[2]``). line: of its declaration. type: as C++ calls it.
    unsigned, bits: of its integers."""

    name: str
    file: str
    line: int
    type: str
    unsigned: bool
    bits: int


@dataclass(frozen=True)
class Point:
    """What records of one number mean. pieces: the types of the 32-lane vectors that follow the head, one
    after the other. For an access the first holds addresses; ``access`` is then its kind, ``root`` its memory
    if that is known, ``space`` its address space, ``element`` the bytes of one of its scalars."""

    place: Place
    pieces: tuple[Type, ...] = ()
    access: int = LOAD
    space: int = 0
    root: Root | None = None
    element: int = 1
    bytes: int = 0
    variable: Variable | None = None
    expression: tuple[str, ...] = ()  # how the variable is computed from the value that follows


@dataclass
class Tracer(Instrument):
    """``points``: what the records' numbers mean."""

    points: list[Point] = field(default_factory=list)
    line: tuple[str, int] = ("", 0)

    # -- steps -------------------------------------------------------------------------------------------

    def block(self, body: Body, block: Block) -> None:
        super().block(body, block)
        self.line = ("", 0)

    def step(self, body: Body, instruction: Instruction) -> None:
        """A step begins where an instruction comes from another line than the one before."""
        place = self.sites.places.of(instruction)
        if instruction.callee.startswith("llvm.dbg.") or not place.line:
            return
        if (place.file, place.line) != self.line:
            self.line = (place.file, place.line)
            self._note(body, STEP, Point(place), [])

    def variable(self, body: Body, instruction: Instruction) -> None:
        variable = self._described(instruction)
        if variable is None:
            return
        place, value = self.sites.places.of(instruction), instruction.operands[0]
        if isinstance(value, Constant) and value.value in ("undef", "poison"):
            self._note(body, VARIABLE, Point(place, variable=variable), [])
            return
        types = body.types(value)
        expression = instruction.attributes["expression"]
        pieces = tuple(_stored(t) for t in types)
        point = Point(place, pieces, variable=variable, expression=expression)
        self._note(body, VARIABLE, point, list(zip(body.vectors(value), types, strict=True)))

    # -- memory ------------------------------------------------------------------------------------------

    def load(self, body: Body, instruction: Instruction) -> Value:
        value = super().load(body, instruction)
        types = body.result_types(instruction)
        self._written(body, instruction, instruction.operands[0], instruction.type, LOAD, (value, types))
        return value

    def store(self, body: Body, instruction: Instruction) -> None:
        super().store(body, instruction)
        stored, pointer = instruction.operands
        self._written(body, instruction, pointer, stored.type, STORE, (body.get(stored), body.types(stored)))

    def atomic(self, body: Body, instruction: Instruction) -> Value:
        value = super().atomic(body, instruction)
        pointer, given = instruction.operands[:2]
        self._written(body, instruction, pointer, given.type, ATOMIC, None)
        return value

    def copy(self, body: Body, instruction: Instruction) -> None:
        super().copy(body, instruction)
        target, source, length = instruction.operands[:3]
        assert isinstance(length, Constant)
        if not instruction.callee.startswith("llvm.memset"):
            self._touch(body, instruction, source, LOAD, 1, int(length.value), [])
        self._touch(body, instruction, target, STORE, 1, int(length.value), [])

    def matrix_load(self, body: Body, instruction: Instruction) -> Value:
        value = super().matrix_load(body, instruction)
        element = instruction.type.elements[0]
        self._matrix_access(body, instruction, instruction.operands, element, LOAD, value)
        return value

    def matrix_store(self, body: Body, instruction: Instruction) -> None:
        super().matrix_store(body, instruction)
        stored, *rest = instruction.operands
        element = stored.type.elements[0]
        self._matrix_access(body, instruction, rest, element, STORE, body.get(stored))

    def _matrix_access(
        self,
        body: Body,
        instruction: Instruction,
        operands: list[Operand],
        element: Type,
        kind: int,
        value: Value,
    ) -> None:
        """Each lane's two elements are two accesses: in a transposed matrix they do not lie side by side."""
        vectors = body.widen(value, (element, element))
        addresses = self._matrix_addresses(body, operands, element)
        for where, vector in zip(addresses, vectors, strict=True):
            point = self._access_point(instruction, operands[0], kind, element.size, element.size, (element,))
            self._note(body, ACCESS, point, [(where, I64), (vector, element)])

    def _written(
        self,
        body: Body,
        instruction: Instruction,
        pointer: Operand,
        type_: Type,
        kind: int,
        given: tuple[Value, tuple[Type, ...]] | None,
    ) -> None:
        parts = scalars(type_)
        size = max(at + t.size for t, at in parts)
        values: list[tuple[str, Type]] = []
        if given is not None:
            values = list(zip(body.widen(*given), given[1], strict=True))
        self._touch(body, instruction, pointer, kind, parts[0][0].size, size, values)

    def _touch(
        self,
        body: Body,
        instruction: Instruction,
        pointer: Operand,
        kind: int,
        element: int,
        size: int,
        values: list[tuple[str, Type]],
    ) -> None:
        addresses = body.vector(pointer)
        if body.private.region(pointer) is None:
            addresses = body.emit(f"ptrtoint {wide('ptr')} {addresses} to {wide(I64)}")
        point = self._access_point(instruction, pointer, kind, element, size, tuple(t for _, t in values))
        self._note(body, ACCESS, point, [(addresses, I64), *values])

    def _access_point(
        self,
        instruction: Instruction,
        pointer: Operand,
        kind: int,
        element: int,
        size: int,
        types: tuple[Type, ...],
    ) -> Point:
        root = self.sites.root(pointer)
        # As in sites.py: device, constant, threadgroup, private.
        space = root.space if root else {0: 3, 1: 0, 2: 1, 3: 2}[pointer.type.address_space]
        place = self.sites.places.of(instruction)
        pieces = (I64, *(_stored(t) for t in types))
        return Point(place, pieces, kind, space, root, element, size)

    # -- meeting other threads ---------------------------------------------------------------------------

    def shuffle(self, body: Body, instruction: Instruction) -> None:
        super().shuffle(body, instruction)
        given, source = instruction.operands
        types = (*body.types(source), *body.types(given))
        vectors = (body.vector(source), *body.vectors(given))
        point = Point(self.sites.places.of(instruction), tuple(_stored(t) for t in types))
        self._note(body, SHUFFLE, point, list(zip(vectors, types, strict=True)))

    def barrier(self, body: Body, instruction: Instruction) -> None:
        super().barrier(body, instruction)
        self._note(body, BARRIER, Point(self.sites.places.of(instruction)), [])

    # -- writing down ------------------------------------------------------------------------------------

    def _note(self, body: Body, kind: int, point: Point, vectors: list[tuple[str, Type]]) -> None:
        number = len(self.points)
        self.points.append(point)
        size = sum(LANES * t.size for t in point.pieces)
        place = "null"
        if vectors:
            place, at = self._scratch(body, f"[{size} x i8]", "trace"), 0
            for (vector, type_), stored in zip(vectors, point.pieces, strict=True):
                if type_ == I1:
                    vector = body.emit(f"zext {wide(I1)} {vector} to {wide(I8)}")
                elif type_.kind == "ptr":
                    vector = body.emit(f"ptrtoint {wide('ptr')} {vector} to {wide(I64)}")
                body.do(f"store {wide(stored)} {vector}, ptr {body.offset(place, at)}, align 1")
                at += LANES * stored.size
        given = [
            ("ptr", body.launch_word(TRACE_WORD, "ptr")),
            *WHO,
            ("i32", str(kind)),
            ("i32", str(number)),
            ("i32", body.mask_bits()),
            ("ptr", place),
            ("i32", str(size)),
        ]
        body.call("void", "trace_record", given)

    # -- debug information -------------------------------------------------------------------------------

    def _described(self, instruction: Instruction) -> Variable | None:
        """The variable of a record, if it is one of the learner's."""
        metadata = self.sites.places.metadata
        text = metadata.get(instruction.attributes["variable"], "")
        name, line = re.search(r'\bname: "([^"]+)"', text), re.search(r"\bline: (\d+)", text)
        file = re.search(r'filename: "([^"]*)"', metadata.get(reference(text, "file") or -1, ""))
        if not name or not file or file[1] not in self.sites.places.files:
            return None
        described = _Described(metadata, reference(text, "type"))
        part = described.part(instruction.attributes["fragment"])
        unsigned = "unsigned" in described.encoding
        at = int(line[1]) if line else 0
        return Variable(name[1] + part, file[1], at, described.name, unsigned, described.bits or 64)


def _stored(type_: Type) -> Type:
    """How a scalar is written down."""
    return I8 if type_ == I1 else I64 if type_.kind == "ptr" else type_


class _Described:
    """A type in debug information. name: as the text has it; encoding: of its scalars."""

    def __init__(self, metadata: dict[int, str], number: int | None) -> None:
        self.name, self.encoding, self.shape, self.bits = "", "", (), 0
        while number is not None:
            text = metadata.get(number, "")
            if not self.name and (name := re.search(r'\bname: "([^"]+)"', text)):
                self.name = name[1]
            if encoding := re.search(r"encoding: (DW_ATE_\w+)", text):
                self.encoding = encoding[1]
                self.bits = int(re.search(r"size: (\d+)", text)[1])  # type: ignore[index]
            if "DW_TAG_array_type" in text and "DIFlagVector" not in text:
                elements = metadata.get(reference(text, "elements") or -1, "")
                counts = [metadata.get(int(n), "") for n in re.findall(r"!(\d+)", elements)]
                found = [re.search(r"count: (\d+)", c) for c in counts]
                self.shape = tuple(int(c[1]) if c else 1 for c in found)
            number = reference(text, "baseType")

    shape: tuple[int, ...]

    def part(self, fragment: tuple[int, int] | None) -> str:
        """``[1][2]`` for one element of an array, ``+4`` (in bytes) for any other part."""
        if fragment is None:
            return ""
        offset, size = fragment
        if not self.shape or size != self.bits or offset % size:
            return f"+{offset // 8}"
        index, found = offset // size, ""
        for length in reversed(self.shape):
            index, here = divmod(index, length)
            found = f"[{here}]{found}"
        return found


@cache
def functions() -> dict[str, int]:
    """What the tracer's code calls."""
    return load_functions("trace.c", ["trace_record"])
