"""The code of watched instructions: ask the monitor which lanes may go on, then go on with those.

Lanes that may not read get zero; what they would write is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anymetal.simt import matrix, memory
from anymetal.simt.body import Body
from anymetal.simt.gather import gather, scatter
from anymetal.simt.ir import I1, I32, I64, LANES, Block, Constant, Instruction, Operand, Type, scalars
from anymetal.simt.values import Fragment, Uniform, Value, Varying, wide

from .sites import ATOMIC, LOAD, STORE, Sites

MONITOR_WORD = 14
# Byte offsets in the monitor's state (see ``Monitor`` in monitor.c).
BLOCKS, BUDGET_LEFT = 16, 56
# Bytes of a ``Root`` there.
ROOT_SIZE = 64


@dataclass
class Instrument:
    """A ``simt.monitor.Monitor``. ``blocks``: the blocks that are counted, in the order of their counters."""

    sites: Sites
    blocks: list[Block] = field(default_factory=list)

    # -- memory ------------------------------------------------------------------------------------------

    def load(self, body: Body, instruction: Instruction) -> Value:
        kind = ATOMIC if instruction.attributes.get("atomic") else LOAD
        pointer = instruction.operands[0]
        allowed, uniform = self._ask(body, instruction, pointer, instruction.type, kind)
        types = body.result_types(instruction)
        if uniform:
            return self._guarded_load(body, instruction, allowed, types)
        with _masked(body, allowed):
            return memory.load_lanes(body, instruction)

    def store(self, body: Body, instruction: Instruction) -> None:
        kind = ATOMIC if instruction.attributes.get("atomic") else STORE
        stored, pointer = instruction.operands
        allowed, _ = self._ask(body, instruction, pointer, stored.type, kind, stored)
        with _guarded(body, allowed), _masked(body, allowed):
            memory.store_lanes(body, instruction)

    def atomic(self, body: Body, instruction: Instruction) -> Value:
        pointer, given = instruction.operands[:2]
        allowed, _ = self._ask(body, instruction, pointer, given.type, ATOMIC)
        with _masked(body, allowed):
            return memory.atomic_lanes(body, instruction)

    def copy(self, body: Body, instruction: Instruction) -> None:
        """A copy of known length: watched as one read and one write of that many bytes."""
        target, source, length = instruction.operands[:3]
        assert isinstance(length, Constant)
        filling = instruction.callee.startswith("llvm.memset")
        size = int(length.value)
        masks = []
        for operand, kind in ((target, STORE), (source, LOAD)):
            if operand is source and filling:
                continue
            number = self.sites.number(_part(instruction, kind), kind, operand, size, 1, 1)
            masks.append(self._call(body, number, operand, "null"))
        allowed = masks[0]
        for other in masks[1:]:
            allowed = body.emit(f"and i32 {allowed}, {other}")
        with _guarded(body, allowed), _masked(body, allowed):
            memory.copy_lanes(body, instruction)

    def matrix_load(self, body: Body, instruction: Instruction) -> Value:
        element = instruction.type.elements[0]
        pieces = []
        for part, addresses in enumerate(
            self._matrix_addresses(body, instruction, instruction.operands, element)
        ):
            allowed = self._ask_addresses(
                body, _part(instruction, part), instruction.operands[0], addresses, element, LOAD
            )
            pointers = body.emit(f"inttoptr {wide(I64)} {addresses} to {wide('ptr')}")
            with _masked(body, allowed):
                pieces.append(gather(body, pointers, element))
        return Fragment(matrix.from_value(body, Varying(tuple(pieces)), element))

    def matrix_store(self, body: Body, instruction: Instruction) -> None:
        stored, *rest = instruction.operands
        element = stored.type.elements[0]
        vectors = body.vectors(stored)
        for part, addresses in enumerate(self._matrix_addresses(body, instruction, rest, element)):
            allowed = self._ask_addresses(body, _part(instruction, part), rest[0], addresses, element, STORE)
            pointers = body.emit(f"inttoptr {wide(I64)} {addresses} to {wide('ptr')}")
            with _masked(body, allowed):
                scatter(body, pointers, element, vectors[part])

    def _matrix_addresses(
        self, body: Body, instruction: Instruction, operands: list[Operand], element: Type
    ) -> list[str]:
        """The address of each lane's first and second element."""
        pointer, stride, transpose = operands
        base = body.emit(f"ptrtoint ptr {body.lane_zero(pointer)} to i64")
        step = body.splat(body.lane_zero(stride), I64)
        turned = body.lane_zero(transpose)
        start = body.splat(base, I64)
        found = []
        for part in range(2):
            rows = [matrix.coordinate(lane)[0] for lane in range(LANES)]
            columns = [matrix.coordinate(lane)[1] + part for lane in range(LANES)]
            row, column = (_vector(body, turned, a, b) for a, b in ((rows, columns), (columns, rows)))
            offset = body.emit(f"mul {wide(I64)} {step}, {row}")
            offset = body.emit(f"add {wide(I64)} {offset}, {column}")
            size = body.splat(str(element.size), I64)
            offset = body.emit(f"mul {wide(I64)} {offset}, {size}")
            found.append(body.emit(f"add {wide(I64)} {start}, {offset}"))
        return found

    # -- asking ------------------------------------------------------------------------------------------

    def _state(self, body: Body) -> str:
        return body.launch_word(MONITOR_WORD, "ptr")

    def _ask(
        self,
        body: Body,
        instruction: Instruction,
        pointer: Operand,
        type_: Type,
        kind: int,
        stored: Operand | None = None,
    ) -> tuple[str, bool]:
        """The lanes (i32) that may go on, and whether all use one address."""
        parts = scalars(type_)
        size = max(at + t.size for t, at in parts)
        align = instruction.attributes.get("align", parts[0][0].size)
        number = self.sites.number(instruction, kind, pointer, size, align, parts[0][0].size)
        values = "null"
        if stored is not None and len(parts) == 1 and parts[0][0].bits >= 8 and parts[0][0].kind != "ptr":
            values = body.scratch(wide(parts[0][0]))
            body.do(f"store {wide(parts[0][0])} {body.vector(stored)}, ptr {values}")
        return self._call(body, number, pointer, values), body.shape(pointer).uniform

    def _call(self, body: Body, number: int, pointer: Operand, values: str) -> str:
        state, mask = self._state(body), body.mask_bits()
        private = body.private.region(pointer) is not None
        if body.shape(pointer).uniform and values == "null":
            address = body.scalar(pointer)
            if not private:
                address = body.emit(f"ptrtoint ptr {address} to i64")
            given = [("ptr", state), ("i32", str(number)), ("i64", address), ("i32", mask)]
            return body.call("i32", "monitor_uniform", given)
        addresses = body.vector(pointer)
        if not private:
            addresses = body.emit(f"ptrtoint {wide('ptr')} {addresses} to {wide(I64)}")
        return self._access(body, number, addresses, values)

    def _ask_addresses(
        self, body: Body, instruction: Instruction, pointer: Operand, addresses: str, element: Type, kind: int
    ) -> str:
        number = self.sites.number(instruction, kind, pointer, element.size, element.size, element.size)
        return self._access(body, number, addresses, "null")

    def _access(self, body: Body, number: int, addresses: str, values: str) -> str:
        place = body.scratch(wide(I64))
        body.do(f"store {wide(I64)} {addresses}, ptr {place}")
        return body.call(
            "i32",
            "monitor_access",
            [
                ("ptr", self._state(body)),
                ("i32", str(number)),
                ("ptr", place),
                ("i32", body.mask_bits()),
                ("ptr", values),
            ],
        )

    def _guarded_load(
        self, body: Body, instruction: Instruction, allowed: str, types: tuple[Type, ...]
    ) -> Value:
        """One load for all lanes, if any may. Private memory has a value for each lane even so."""
        private = body.private.region(instruction.operands[0]) is not None
        texts = [wide(t) if private else str(t) for t in types]
        places = [body.scratch(t) for t in texts]
        for place, text in zip(places, texts, strict=True):
            body.do(f"store {text} zeroinitializer, ptr {place}")
        with _guarded(body, allowed):
            value = memory.load_lanes(body, instruction)
            assert isinstance(value, Varying if private else Uniform)
            for place, text, loaded in zip(places, texts, value.values, strict=True):
                body.do(f"store {text} {loaded}, ptr {place}")
        read = tuple(body.emit(f"load {t}, ptr {p}") for t, p in zip(texts, places, strict=True))
        return Varying(read) if private else Uniform(read)

    # -- meeting other threads ---------------------------------------------------------------------------

    def shuffle(self, body: Body, instruction: Instruction) -> None:
        number = self.sites.number(instruction, LOAD, None, 1, 1, 1)
        place = body.scratch(wide(I32))
        body.do(f"store {wide(I32)} {body.vector(instruction.operands[1])}, ptr {place}")
        given = [("ptr", self._state(body)), ("i32", str(number)), ("ptr", place), ("i32", body.mask_bits())]
        body.call("void", "monitor_shuffle", given)

    def barrier(self, body: Body, instruction: Instruction) -> None:
        number = self.sites.number(instruction, LOAD, None, 1, 1, 1)
        flags = body.lane_zero(instruction.operands[0])
        given = [("ptr", self._state(body)), ("i32", str(number)), ("i32", body.mask_bits()), ("i32", flags)]
        body.call("void", "monitor_barrier", given)

    def simdgroup_barrier(self, body: Body, instruction: Instruction) -> None:
        flags = body.lane_zero(instruction.operands[0])
        body.call("void", "monitor_simdgroup_barrier", [("ptr", self._state(body)), ("i32", flags)])

    # -- blocks ------------------------------------------------------------------------------------------

    def block(self, body: Body, block: Block) -> None:
        """Count the block, and the lanes that run it."""
        if not any(b is block for b in self.blocks):
            self.blocks.append(block)
        index = next(i for i, b in enumerate(self.blocks) if b is block)
        table = body.emit(f"load ptr, ptr {body.offset(self._state(body), BLOCKS)}")
        lanes: str = str(LANES)
        if body.mask is not None:
            lanes = body.call("i32", "llvm.ctpop.i32", [("i32", body.mask_bits())])
        lanes = body.emit(f"zext i32 {lanes} to i64")
        for at, more in ((16 * index, "1"), (16 * index + 8, lanes)):
            place = body.offset(table, at)
            old = body.emit(f"load i64, ptr {place}")
            body.do(f"store i64 {body.emit(f'add i64 {old}, {more}')}, ptr {place}")

    def loop(self, body: Body, header: Block) -> None:
        """Go round only while the budget lasts."""
        place = body.offset(self._state(body), BUDGET_LEFT)
        left = body.emit(f"sub i64 {body.emit(f'load i64, ptr {place}')}, 1")
        body.do(f"store i64 {left}, ptr {place}")
        over = body.emit(f"icmp slt i64 {left}, 0")
        stop, go_on = body.fresh("endless"), body.fresh("loop")
        body.do(f"br i1 {over}, label %{stop}, label %{go_on}")
        body.label(stop)
        first = next((i for i in header.instructions if self.sites.places.of(i).line), header.terminator)
        number = self.sites.number(_part(first, "loop"), LOAD, None, 1, 1, 1)
        given = [("ptr", self._state(body)), ("i32", str(number)), ("i32", body.mask_bits())]
        body.call("void", "monitor_endless", given)
        body.do("ret i32 0")
        body.label(go_on)

    def driver(self, entry: str, whole: str, ragged: str | None, frame: int) -> str:
        second = f"@{ragged}" if ragged else "null"
        tables = []
        for number, root in enumerate(self.sites.order):
            if root.kind == "table":
                tables += [
                    f"  %root.{number} = getelementptr i8, ptr %roots, i64 {number * ROOT_SIZE}",
                    f'  store i64 ptrtoint (ptr @"{root.name}" to i64), ptr %root.{number}',
                ]
        return "\n".join(
            [
                "declare void @monitor_run(ptr, ptr, ptr, ptr, i64)",
                f"define void @{entry}(ptr %launch, ptr %scratch) #0 {{",
                f"  %state.at = getelementptr i64, ptr %launch, i64 {MONITOR_WORD}",
                "  %state = load ptr, ptr %state.at",
                "  %roots = load ptr, ptr %state",
                *tables,
                "  call void @monitor_run("
                f"ptr %launch, ptr %scratch, ptr @{whole}, ptr {second}, i64 {frame})",
                "  ret void",
                "}",
            ]
        )


def _part(instruction: Instruction, part: object) -> Instruction:
    """A stand-in for one part of an instruction that is watched in several: a site of its own, in the same
    place."""
    parts: dict[object, Instruction] = instruction.attributes.setdefault("watched", {})
    if part not in parts:
        parts[part] = Instruction(
            instruction.op, None, instruction.type, [], dict(instruction.attributes), instruction.debug
        )
    return parts[part]


@contextmanager
def _masked(body: Body, allowed: str) -> Iterator[None]:
    """Only the allowed lanes are active inside."""
    before = body.mask
    body.mask = body.emit(f"bitcast i32 {allowed} to {wide(I1)}")
    yield
    body.mask = before


@contextmanager
def _guarded(body: Body, allowed: str) -> Iterator[None]:
    """What is written inside runs only if some lane is allowed. Values fetched inside are not there
    afterwards."""
    go, done = body.fresh("allowed"), body.fresh("done")
    some = body.emit(f"icmp ne i32 {allowed}, 0")
    body.do(f"br i1 {some}, label %{go}, label %{done}")
    body.label(go)
    before = dict(body.values)
    yield
    body.values = before
    body.do(f"br label %{done}")
    body.label(done)


def _vector(body: Body, turned: str, plain: list[int], other: list[int]) -> str:
    """One of two constant vectors of i64, by a flag."""

    def text(numbers: list[int]) -> str:
        return "<" + ", ".join(f"i64 {n}" for n in numbers) + ">"

    return body.emit(f"select i1 {turned}, {wide(I64)} {text(other)}, {wide(I64)} {text(plain)}")
