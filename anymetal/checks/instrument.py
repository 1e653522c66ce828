"""The code of watched instructions: ask the monitor which lanes may go on, then go on with those.

Lanes that may not read get zero; what they would write is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anymetal.simt import matrix, memory
from anymetal.simt.body import Body
from anymetal.simt.gather import gather, scatter
from anymetal.simt.ir import I1, I32, I64, LANES, Block, Constant, Instruction, Local, Operand, Type, scalars
from anymetal.simt.values import Fragment, Linear, Uniform, Value, Varying, wide

from . import spans
from .sites import ATOMIC, LOAD, STORE, Sites

MONITOR_WORD = 14
# Byte offsets in the monitor's state (see ``Monitor`` in monitor.c).
BLOCKS, BUDGET_LEFT = 16, 56
# Bytes of a ``Root`` and of a ``Block`` there.
ROOT_SIZE, BLOCK_SIZE = 72, 24


@dataclass
class Instrument:
    """A ``simt.monitor.Monitor``. ``blocks``: the blocks that are counted, in the order of their counters."""

    sites: Sites
    blocks: list[Block] = field(default_factory=list)
    places: dict[tuple[int, str, str], str] = field(default_factory=dict)
    loops: dict[str, int] = field(default_factory=dict)  # the site of each loop, by its header

    # -- memory ------------------------------------------------------------------------------------------

    def load(self, body: Body, instruction: Instruction) -> Value:
        self._settle(body, instruction.operands[0])
        pointer = instruction.operands[0]
        types = body.result_types(instruction)
        number = self._site(instruction, pointer, instruction.type, LOAD)
        span = spans.ask(body, self.sites, number, pointer, scalars(instruction.type), LOAD)
        if span is not None:
            return self._span_load(body, instruction, number, span, types)
        allowed = self._call(body, number, pointer, "null")
        if body.shape(pointer).uniform:
            return self._guarded_load(body, instruction, allowed, types)
        with _masked(body, allowed):
            return memory.load_lanes(body, instruction)

    def _span_load(
        self, body: Body, instruction: Instruction, number: int, span: str, types: tuple[Type, ...]
    ) -> Value:
        """The usual load where ``span.c`` says so, the watched one elsewhere."""
        pointer = instruction.operands[0]
        lanes = not body.shape(pointer).uniform or body.private.region(pointer) is not None
        texts = [wide(t) if lanes else str(t) for t in types]
        places = [self._scratch(body, t, f"result{i}") for i, t in enumerate(texts)]

        def keep(value: Value) -> None:
            assert isinstance(value, Varying if lanes else Uniform)
            for place, text, loaded in zip(places, texts, value.values, strict=True):
                body.do(f"store {text} {loaded}, ptr {place}")

        with _either(body, span) as otherwise:
            keep(memory.load_lanes(body, instruction))
            otherwise()
            allowed = self._call(body, number, pointer, "null")
            if body.shape(pointer).uniform:
                keep(self._guarded_load(body, instruction, allowed, types))
            else:
                with _masked(body, allowed):
                    keep(memory.load_lanes(body, instruction))
        read = tuple(body.emit(f"load {t}, ptr {p}") for t, p in zip(texts, places, strict=True))
        return Varying(read) if lanes else Uniform(read)

    def store(self, body: Body, instruction: Instruction) -> None:
        self._settle(body, instruction.operands[1])
        stored, pointer = instruction.operands
        number = self._site(instruction, pointer, stored.type, STORE)
        span = spans.ask(body, self.sites, number, pointer, scalars(stored.type), STORE)
        if span is None:
            self._watched_store(body, instruction, number)
            return
        with _either(body, span) as otherwise:
            memory.store_lanes(body, instruction)
            otherwise()
            self._watched_store(body, instruction, number)

    def _watched_store(self, body: Body, instruction: Instruction, number: int) -> None:
        stored, pointer = instruction.operands
        parts = scalars(stored.type)
        values = "null"
        type_ = parts[0][0]
        if type_.bits >= 8 and type_.kind != "ptr" and _gapless(parts):
            self.sites.found[number].parts = len(parts)
            values = self._scratch(body, f"[{len(parts)} x {wide(type_)}]", "values")
            for i, vector in enumerate(body.vectors(stored)):
                at = body.offset(values, i * LANES * type_.size)
                body.do(f"store {wide(type_)} {vector}, ptr {at}, align {type_.size}")
        allowed = self._call(body, number, pointer, values)
        with _guarded(body, allowed), _masked(body, allowed):
            memory.store_lanes(body, instruction)

    def atomic(self, body: Body, instruction: Instruction) -> Value:
        self._settle(body, instruction.operands[0])
        pointer, given = instruction.operands[:2]
        number = self._site(instruction, pointer, given.type, ATOMIC)
        self.sites.found[number].atomic = True
        allowed = self._call(body, number, pointer, "null")
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
        type_ = f"<{matrix.SIZE} x {element}>"
        place = self._scratch(body, type_, "matrix")
        with self._matrix(body, instruction, instruction.operands, element, LOAD) as otherwise:
            usual = matrix.load(body, instruction)
            body.do(f"store {type_} {matrix.from_value(body, usual, element)}, ptr {place}")
            otherwise()
            pieces = []
            for pointers, allowed in self._matrix_parts(
                body, instruction, instruction.operands, element, LOAD
            ):
                with _masked(body, allowed):
                    pieces.append(gather(body, pointers, element))
            watched = matrix.from_value(body, Varying(tuple(pieces)), element)
            body.do(f"store {type_} {watched}, ptr {place}")
        return Fragment(body.emit(f"load {type_}, ptr {place}"))

    def matrix_store(self, body: Body, instruction: Instruction) -> None:
        stored, *rest = instruction.operands
        element = stored.type.elements[0]
        vectors = body.vectors(stored)
        with self._matrix(body, instruction, rest, element, STORE) as otherwise:
            matrix.store(body, instruction)
            otherwise()
            for part, (pointers, allowed) in enumerate(
                self._matrix_parts(body, instruction, rest, element, STORE)
            ):
                with _masked(body, allowed):
                    scatter(body, pointers, element, vectors[part])

    @contextmanager
    def _matrix(
        self, body: Body, instruction: Instruction, operands: list[Operand], element: Type, kind: int
    ) -> Iterator[Callable[[], None]]:
        """``monitor_matrix`` first: it knows matrices row by row that nobody else touches; the rest is for
        lanes."""
        pointer, stride, transpose = operands
        number = self._matrix_site(instruction, pointer, element, kind)
        root = self.sites.found[number].root
        plain = isinstance(transpose, Constant) and not transpose.value
        flag = "0"
        if plain and body.mask is None and root is not None:
            address = body.emit(f"ptrtoint ptr {body.lane_zero(pointer)} to i64")
            given = [
                ("ptr", self._state(body)),
                ("i32", str(number)),
                ("i32", str(self.sites.order.index(root))),
                ("i64", address),
                ("i64", body.lane_zero(stride)),
                ("i32", str(element.size)),
            ]
            flag = body.call("i32", "monitor_matrix", given)
        with _either(body, flag) as otherwise:
            yield otherwise

    def _matrix_site(self, instruction: Instruction, pointer: Operand, element: Type, kind: int) -> int:
        """Row by row, a lane's two elements lie side by side: one access of twice the size."""
        return self.sites.number(instruction, kind, pointer, 2 * element.size, element.size, element.size)

    def _matrix_parts(
        self, body: Body, instruction: Instruction, operands: list[Operand], element: Type, kind: int
    ) -> list[tuple[str, str]]:
        """For each of a lane's two elements, the 32 pointers and the lanes that may go on."""
        pointer, _, transpose = operands
        addresses = self._matrix_addresses(body, operands, element)
        pointers = [body.emit(f"inttoptr {wide(I64)} {a} to {wide('ptr')}") for a in addresses]
        if isinstance(transpose, Constant) and not transpose.value:
            number = self._matrix_site(instruction, pointer, element, kind)
            allowed = self._access(body, number, addresses[0], "null")
            return [(p, allowed) for p in pointers]
        found = []
        for part, where in enumerate(addresses):
            site = self.sites.number(
                _part(instruction, part), kind, pointer, element.size, element.size, element.size
            )
            found.append((pointers[part], self._access(body, site, where, "null")))
        return found

    def _matrix_addresses(self, body: Body, operands: list[Operand], element: Type) -> list[str]:
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

    def _settle(self, body: Body, pointer: Operand) -> None:
        """Freeze an address, so that what is checked is what is used."""
        if not isinstance(pointer, Local):
            return
        value = body.get(pointer)
        type_ = "i64" if body.private.region(pointer) is not None else "ptr"

        def frozen(text: str, of: str) -> str:
            return body.emit(f"freeze {of} {text}")

        if isinstance(value, Uniform):
            value = Uniform((frozen(value.values[0], type_),))
        elif isinstance(value, Varying):
            value = Varying((frozen(value.values[0], wide(type_)),))
        elif isinstance(value, Linear):
            exact = frozen(value.exact, wide(type_)) if value.exact is not None else None
            value = Linear(frozen(value.base, type_), value.shape, exact)
        body.values[pointer.name] = value

    def _state(self, body: Body) -> str:
        return body.launch_word(MONITOR_WORD, "ptr")

    def _site(self, instruction: Instruction, pointer: Operand, type_: Type, kind: int) -> int:
        parts = scalars(type_)
        size = max(at + t.size for t, at in parts)
        align = instruction.attributes.get("align", parts[0][0].size)
        return self.sites.number(instruction, kind, pointer, size, align, parts[0][0].size)

    def _scratch(self, body: Body, type_: str, use: str) -> str:
        """A piece of the stack for a moment's use, shared by all moments of one kind."""
        key = (id(body), type_, use)
        if key not in self.places:
            self.places[key] = body.scratch(type_)
        return self.places[key]

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

    def _access(self, body: Body, number: int, addresses: str, values: str) -> str:
        place = self._scratch(body, wide(I64), "addresses")
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
        places = [self._scratch(body, t, f"guarded{i}") for i, t in enumerate(texts)]
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
        place = self._scratch(body, wide(I32), "lanes")
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
        """Count the block: a run with all lanes, or one with some and how many those are."""
        if not any(b is block for b in self.blocks):
            self.blocks.append(block)
        index = next(i for i, b in enumerate(self.blocks) if b is block)
        table = body.emit(f"load ptr, ptr {body.offset(self._state(body), BLOCKS)}")
        counts = [(0, "1")]
        if body.mask is not None:
            lanes = body.call("i32", "llvm.ctpop.i32", [("i32", body.mask_bits())])
            counts = [(8, "1"), (16, body.emit(f"zext i32 {lanes} to i64"))]
        for at, more in counts:
            place = body.offset(table, BLOCK_SIZE * index + at)
            old = body.emit(f"load i64, ptr {place}")
            body.do(f"store i64 {body.emit(f'add i64 {old}, {more}')}, ptr {place}")

    def step(self, body: Body, instruction: Instruction) -> None:
        """Single steps are for a trace."""

    def variable(self, body: Body, instruction: Instruction) -> None:
        """So are variables."""

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
        self.loops[header.name] = number
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


def _gapless(parts: tuple[tuple[Type, int], ...]) -> bool:
    first = parts[0][0]
    return all(t == first and at == i * first.size for i, (t, at) in enumerate(parts))


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
def _either(body: Body, flag: str) -> Iterator[Callable[[], None]]:
    """Two ways to do the same: the first where ``flag`` (i32) is not 0; after calling what this gives, the
    second.

    Values fetched in one are not there in the other, nor afterwards.
    """
    first, second, done = (body.fresh(s) for s in ("span", "watched", "done"))
    usual = body.emit(f"icmp ne i32 {flag}, 0")
    body.do(f"br i1 {usual}, label %{first}, label %{second}")
    body.label(first)
    before = dict(body.values)

    def otherwise() -> None:
        body.do(f"br label %{done}")
        body.label(second)
        body.values = dict(before)

    yield otherwise
    body.do(f"br label %{done}")
    body.label(done)
    body.values = before


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
