"""Loads and stores of 32 lanes: whole vectors and shuffles where the lanes' addresses are known, gathers
elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import copies, matrix, shapes, streams
from .gather import gather, lane_pointers, mangle, scatter
from .ir import I64, LANES, Constant, Instruction, Operand, Type, Unsupported, int_type, scalars
from .lanes import each_active_lane
from .pieces import concatenate, interleave
from .private import Region
from .shapes import Pattern, Shape
from .values import Linear, Uniform, Value, Varying, indices, literal, wide

if TYPE_CHECKING:
    from .body import Body

# Elements further apart than this are not worth loading what lies between them.
_MAX_GAP = 4
_MAX_STRETCHES = 8


def load(body: Body, instruction: Instruction) -> Value:
    return body.monitor.load(body, instruction) if body.monitor else load_lanes(body, instruction)


def store(body: Body, instruction: Instruction) -> None:
    (body.monitor.store if body.monitor else store_lanes)(body, instruction)


def copy(body: Body, instruction: Instruction) -> None:
    (body.monitor.copy if body.monitor else copy_lanes)(body, instruction)


def atomic(body: Body, instruction: Instruction) -> Value:
    return body.monitor.atomic(body, instruction) if body.monitor else atomic_lanes(body, instruction)


def load_lanes(body: Body, instruction: Instruction) -> Value:
    if id(instruction) in body.made:
        return body.made.pop(id(instruction))
    run = body.copies.get(id(instruction))
    if run is not None and copies.is_worth_it(body, run):
        return Uniform(("poison",))  # the first of the stores does it all, and they alone would use this
    pointer, parts = instruction.operands[0], scalars(instruction.type)
    if instruction.attributes.get("atomic"):
        return _load_atomic(body, instruction)
    if (region := body.private.region(pointer)) is not None:
        return Varying(tuple(_load_private(body, region, pointer, type_, at) for type_, at in parts))
    value = body.get(pointer)
    if isinstance(value, Uniform):
        return Uniform(tuple(_load_scalar(body, value.values[0], type_, at) for type_, at in parts))
    if isinstance(value, Linear):
        if body.mask is None:
            ahead = body.streams.get(id(instruction))
            if (pair := _pair_of(body, instruction, value.shape)) is not None:
                first, second = _load_stretches(body, value.base, pair, _neighbours(instruction.type), ahead)
                body.made[id(body.pairs[id(instruction)])] = Varying((second,))
                return Varying((first,))
            if (stretches := stretches_of(value.shape, parts)) is not None:
                return Varying(_load_stretches(body, value.base, stretches, parts, ahead))
        elif _consecutive(value.shape, parts):
            return Varying(_load_masked(body, value, parts))
    pointers = body.vector(pointer)
    return Varying(tuple(gather(body, lane_pointers(body, pointers, at), type_) for type_, at in parts))


def store_lanes(body: Body, instruction: Instruction) -> None:
    run = body.copies.get(id(instruction))
    if run is not None and copies.is_worth_it(body, run):
        if instruction is run.stores[0]:
            copies.copy(body, run)
        return
    stored, pointer = instruction.operands
    parts = scalars(stored.type)
    if instruction.attributes.get("atomic"):
        _store_atomic(body, stored, pointer)
        return
    if (region := body.private.region(pointer)) is not None:
        for (type_, at), vector in zip(parts, body.vectors(stored), strict=True):
            _store_private(body, region, pointer, type_, at, vector)
        return
    value = body.get(pointer)
    if isinstance(value, Uniform):
        _store_uniform(body, stored, value.values[0])
        return
    vectors = body.vectors(stored)
    if isinstance(value, Linear):
        if body.mask is None:
            stretches = stretches_of(value.shape, parts)
            if stretches is not None and all(s.covered for s in stretches):
                _store_stretches(body, value.base, stretches, parts[0][0], vectors)
                return
        elif _consecutive(value.shape, parts):
            _store_masked(body, value, parts[0][0], vectors)
            return
    pointers = body.vector(pointer)
    for (type_, at), vector in zip(parts, vectors, strict=True):
        scatter(body, lane_pointers(body, pointers, at), type_, vector)


def _consecutive(shape: Shape, parts: tuple[tuple[Type, int], ...]) -> bool:
    """Whether the lanes' values lie one behind the other, without a gap."""
    type_, count = parts[0][0], len(parts)
    if type_.bits < 8 or any(t != type_ or at != i * type_.size for i, (t, at) in enumerate(parts)):
        return False
    return not shape.terms and shape.pattern == tuple(count * type_.size * lane for lane in range(LANES))


def _anchor(body: Body, value: Linear, stride: int) -> str:
    """Lane 0's address, by way of a lane that is active: an assumed shape holds of no other."""
    if value.exact is None:
        return value.base
    first = body.call("i32", "llvm.cttz.i32", [("i32", body.mask_bits()), ("i1", "true")])
    place = body.emit(f"extractelement {wide('ptr')} {value.exact}, i32 {first}")
    back = body.emit(f"mul i32 {first}, {-stride}")
    return body.offset(place, body.emit(f"sext i32 {back} to i64"))


def _repeated_mask(body: Body, count: int) -> str:
    """The mask, each lane's bit as often as it has scalars."""
    if count == 1:
        return body.active()
    order = indices([lane for lane in range(LANES) for _ in range(count)])
    return body.emit(f"shufflevector {wide('i1')} {body.active()}, {wide('i1')} poison, {order}")


def _load_masked(body: Body, value: Linear, parts: tuple[tuple[Type, int], ...]) -> tuple[str, ...]:
    """Consecutive lanes, some of them not active: one load that leaves those out."""
    type_, count = parts[0][0], len(parts)
    memory = f"<{LANES * count} x {type_}>"
    loaded = body.call(
        memory,
        f"llvm.masked.load.v{LANES * count}{mangle(type_)}.p0",
        [
            ("ptr", _anchor(body, value, count * type_.size)),
            ("i32", str(type_.size)),
            (f"<{LANES * count} x i1>", _repeated_mask(body, count)),
            (memory, "zeroinitializer"),
        ],
    )
    if count == 1:
        return (loaded,)
    orders = (indices([lane * count + part for lane in range(LANES)]) for part in range(count))
    return tuple(body.emit(f"shufflevector {memory} {loaded}, {memory} poison, {order}") for order in orders)


def _store_masked(body: Body, value: Linear, type_: Type, vectors: tuple[str, ...]) -> None:
    """Consecutive lanes, some of them not active: one store that leaves those out."""
    count = len(vectors)
    memory = f"<{LANES * count} x {type_}>"
    body.call(
        "void",
        f"llvm.masked.store.v{LANES * count}{mangle(type_)}.p0",
        [
            (memory, interleave(body, list(vectors), type_) if count > 1 else vectors[0]),
            ("ptr", _anchor(body, value, count * type_.size)),
            ("i32", str(type_.size)),
            (f"<{LANES * count} x i1>", _repeated_mask(body, count)),
        ],
    )


class _Stretch:
    """Lanes whose addresses differ by known amounts, and the memory from the first to the last of them.

    first: byte offset from the base. count: elements. element: for each scalar of the value, the element that
    each lane wants (-1 for the lanes of other stretches). terms: the symbolic part, the same for all these
    lanes.
    """

    def __init__(
        self,
        lanes: list[int],
        offsets: Pattern,
        parts: tuple[tuple[Type, int], ...],
        terms: list[tuple[shapes.Symbol, int]],
    ) -> None:
        size = parts[0][0].size
        places = [[offsets[lane] + at for lane in lanes] for _, at in parts]
        self.first = min(min(p) for p in places)
        self.terms = terms
        self.aligned = all((p - self.first) % size == 0 for part in places for p in part)
        self.count = (max(max(p) for p in places) - self.first) // size + 1
        self.element = [[-1] * LANES for _ in parts]
        for wanted, part in zip(self.element, places, strict=True):
            for lane, place in zip(lanes, part, strict=True):
                wanted[lane] = (place - self.first) // size
        self.wanted = len({p for part in places for p in part})

    @property
    def covered(self) -> bool:
        """Whether no element in between is left out (a store may write nothing else)."""
        return self.wanted == self.count


def stretches_of(shape: Shape, parts: tuple[tuple[Type, int], ...]) -> list[_Stretch] | None:
    """The stretches of memory that the 32 lanes touch, or None where a gather is better."""
    if len({type_ for type_, _ in parts}) != 1 or parts[0][0].bits < 8:
        return None
    groups: dict[tuple[int, ...], list[int]] = {}
    for lane in range(LANES):
        groups.setdefault(tuple(pattern[lane] for _, pattern in shape.terms), []).append(lane)
    symbols = [symbol for symbol, _ in shape.terms]
    found: list[_Stretch] = []
    for factors, together in groups.items():
        terms = [(s, f) for s, f in zip(symbols, factors, strict=True) if f]
        for lanes in _clusters(together, shape.pattern, parts):
            found.append(_Stretch(lanes, shape.pattern, parts, terms))
            if len(found) > _MAX_STRETCHES or not found[-1].aligned:
                return None
    return found


def _clusters(lanes: list[int], offsets: Pattern, parts: tuple[tuple[Type, int], ...]) -> list[list[int]]:
    """Lanes that lie close enough together to be loaded at once."""
    size = parts[0][0].size
    extent = max(at for _, at in parts) + size
    ordered = sorted(lanes, key=offsets.__getitem__)
    clusters = [[ordered[0]]]
    for lane in ordered[1:]:
        if offsets[lane] - offsets[clusters[-1][-1]] - extent > (_MAX_GAP - 1) * size:
            clusters.append([])
        clusters[-1].append(lane)
    return clusters


def _neighbours(type_: Type) -> tuple[tuple[Type, int], ...]:
    return ((type_, 0), (type_, type_.size))


def _pair_of(body: Body, instruction: Instruction, shape: Shape) -> list[_Stretch] | None:
    """The stretches of this load and its partner's, where each alone leaves gaps and both together do not."""
    if id(instruction) not in body.pairs:
        return None
    alone = stretches_of(shape, scalars(instruction.type))
    if alone is not None and all(s.covered for s in alone):
        return None
    both = stretches_of(shape, _neighbours(instruction.type))
    return both if both is not None and all(s.covered for s in both) else None


def _place(body: Body, base: str, stretch: _Stretch) -> str:
    place = body.offset(base, stretch.first)
    for symbol, factor in stretch.terms:
        step = body.emit(f"mul i64 {body.symbol(symbol, I64)}, {factor}")
        place = body.offset(place, step)
    return place


def _load_stretches(
    body: Body,
    base: str,
    stretches: list[_Stretch],
    parts: tuple[tuple[Type, int], ...],
    ahead: streams.Step | None,
) -> tuple[str, ...]:
    type_ = parts[0][0]
    places = []
    for stretch in stretches:
        places.append(_place(body, base, stretch))
        if ahead is not None:
            streams.ask(body, places[-1], stretch.count * type_.size, ahead)
    if (halves := _halves(stretches)) is not None:
        return tuple(_load_halves(body, [(places[s], e) for s, e in wanted], type_) for wanted in halves)
    length = stretches[0].count
    if len(places) > 1 and all(s.covered and s.count == length for s in stretches):
        rows = [body.emit(f"load <{length} x {type_}>, ptr {p}, align {type_.size}") for p in places]
        return _picked_from_rows(body, rows, stretches, type_)
    results: list[str] = []
    for stretch, place in zip(stretches, places, strict=True):
        loaded, positions = _load_run(body, place, stretch.count, type_)
        memory = f"<{positions[-1] + 1} x {type_}>"
        for part, elements in enumerate(stretch.element):
            wanted = [positions[element] if element >= 0 else -1 for element in elements]
            if wanted == list(range(positions[-1] + 1)):
                picked = loaded
            else:
                picked = body.emit(f"shufflevector {memory} {loaded}, {memory} poison, {indices(wanted)}")
            if stretch is stretches[0]:
                results.append(picked)
            else:
                merge = [LANES + lane if w >= 0 else lane for lane, w in enumerate(wanted)]
                results[part] = body.emit(
                    f"shufflevector {wide(type_)} {results[part]}, {wide(type_)} {picked}, {indices(merge)}"
                )
    return tuple(results)


def _halves(stretches: list[_Stretch]) -> list[list[tuple[int, int]]] | None:
    """For each scalar what lanes 0 to 15 want and what lanes 16 to 31 want, a stretch and its element, where
    each half wants one: a scale of a group of weights, mostly."""
    found: list[list[tuple[int, int]]] = []
    for part in range(len(stretches[0].element)):
        wanted = [
            {
                (s, stretch.element[part][lane])
                for s, stretch in enumerate(stretches)
                if stretch.element[part][lane] >= 0
            }
            for lane in range(LANES)
        ]
        halves = [set().union(*wanted[: LANES // 2]), set().union(*wanted[LANES // 2 :])]
        if any(len(half) != 1 for half in halves):
            return None
        found.append([half.pop() for half in halves])
    return found


def _load_halves(body: Body, wanted: list[tuple[str, int]], type_: Type) -> str:
    """A scalar for each half of the lanes. Many CPUs repeat a scalar as they load it, at no cost; to pick it
    from a vector takes the unit that shuffles."""
    half = f"<{LANES // 2} x {type_}>"
    spread = []
    for place, element in wanted:
        scalar = _load_scalar(body, place, type_, element * type_.size)
        one = body.emit(f"insertelement {half} poison, {type_} {scalar}, i32 0")
        spread.append(body.emit(f"shufflevector {half} {one}, {half} poison, {indices([0] * (LANES // 2))}"))
    return concatenate(body, spread, LANES // 2, type_)[0]


def _load_run(body: Body, place: str, count: int, type_: Type) -> tuple[str, list[int]]:
    """``count`` elements, and where in the vector each of them is.

    LLVM loads 125 elements as 64, 32, 16, 8, 4 and one, and picks from these one by one. Two loads of 64 that
    overlap are two registers to pick from.
    """
    half = 1 << count.bit_length() - 1
    if count <= LANES or count == half:
        return body.emit(f"load <{count} x {type_}>, ptr {place}, align {type_.size}"), list(range(count))
    later = body.offset(place, (count - half) * type_.size)
    loads = [body.emit(f"load <{half} x {type_}>, ptr {at}, align {type_.size}") for at in (place, later)]
    joined, length = concatenate(body, loads, half, type_)
    return joined, [e if e < half else length - count + e for e in range(count)]


def _picked_from_rows(body: Body, rows: list[str], stretches: list[_Stretch], type_: Type) -> tuple[str, ...]:
    """All rows behind one another, and each scalar's lanes picked from that at once."""
    length = stretches[0].count
    joined, total = concatenate(body, rows, length, type_)
    memory = f"<{total} x {type_}>"
    orders = [
        [
            next(
                row * length + s.element[part][lane]
                for row, s in enumerate(stretches)
                if s.element[part][lane] >= 0
            )
            for lane in range(LANES)
        ]
        for part in range(len(stretches[0].element))
    ]
    results = tuple(
        body.emit(f"shufflevector {memory} {joined}, {memory} poison, {indices(order)}") for order in orders
    )
    if matrix.is_whole(orders):
        body.matrices[results] = joined
    return results


def _store_stretches(
    body: Body, base: str, stretches: list[_Stretch], type_: Type, vectors: tuple[str, ...]
) -> None:
    # All scalars' vectors behind one another, so that one shuffle puts a stretch in memory order.
    joined, lanes = concatenate(body, list(vectors), LANES, type_)
    for stretch in stretches:
        source = [-1] * stretch.count
        # Where lanes write the same element, the last one's value stays.
        for part_index, wanted in enumerate(stretch.element):
            for lane, element in enumerate(wanted):
                if element >= 0:
                    source[element] = max(source[element], part_index * LANES + lane)
        value = joined
        if source != list(range(lanes)):
            value = body.emit(
                f"shufflevector <{lanes} x {type_}> {value}, <{lanes} x {type_}> poison, {indices(source)}"
            )
        place = _place(body, base, stretch)
        body.do(f"store <{stretch.count} x {type_}> {value}, ptr {place}, align {type_.size}")


def _load_scalar(body: Body, pointer: str, type_: Type, at: int) -> str:
    if type_.bits == 1 and type_.kind == "int":
        byte = body.emit(f"load i8, ptr {body.offset(pointer, at)}, align 1")
        return body.emit(f"trunc i8 {byte} to i1")
    return body.emit(f"load {type_}, ptr {body.offset(pointer, at)}, align {type_.size}")


def _store_uniform(body: Body, stored: Operand, pointer: str) -> None:
    """All active lanes write to one place: the last one's value stays."""
    value = body.get(stored)
    types = [t for t, _ in scalars(stored.type)]
    if isinstance(value, Uniform):
        chosen: tuple[str, ...] = value.values
    else:
        lane = body.last_active()
        chosen = tuple(body.pick(v, t, lane) for v, t in zip(body.vectors(stored), types, strict=True))
    for (type_, at), scalar in zip(scalars(stored.type), chosen, strict=True):
        if type_.bits == 1:
            scalar, type_ = body.emit(f"zext i1 {scalar} to i8"), int_type(8)
        body.do(f"store {type_} {scalar}, ptr {body.offset(pointer, at)}, align {type_.size}")


# -- the thread's own memory -----------------------------------------------------------------------------


def _private_places(
    body: Body, region: Region, pointer: Operand, type_: Type, at: int
) -> tuple[list[str], bool]:
    """The address of each grain of an access: of lane 0 where all lanes use the same offset, of all lanes
    otherwise."""
    grains = type_.size // region.grain
    value = body.get(pointer)
    base = f'%"private.{region.name}"'
    if isinstance(value, Uniform):
        # Grain g of lane l is at (g·32 + l)·grain: a byte offset of o is 32·o, as o is a multiple of the
        # grain.
        row = body.emit(f"mul i64 {value.values[0]}, {LANES}")
        start = body.emit(f"getelementptr i8, ptr {base}, i64 {row}")
        return [body.offset(start, (at + g * region.grain) * LANES) for g in range(grains)], True
    rows = body.emit(f"mul {wide(I64)} {body.vector(pointer)}, {literal((LANES,) * LANES, I64)}")
    lanes = tuple(at * LANES + lane * region.grain for lane in range(LANES))
    offsets = body.emit(f"add {wide(I64)} {rows}, {literal(lanes, I64)}")
    places = []
    for grain in range(grains):
        step = literal((grain * region.grain * LANES,) * LANES, I64)
        here = body.emit(f"add {wide(I64)} {offsets}, {step}") if grain else offsets
        places.append(body.emit(f"getelementptr i8, ptr {base}, {wide(I64)} {here}"))
    return places, False


def _load_private(body: Body, region: Region, pointer: Operand, type_: Type, at: int) -> str:
    stored = int_type(8) if type_.bits == 1 else type_
    places, same_row = _private_places(body, region, pointer, stored, at)
    piece = stored if len(places) == 1 else int_type(8 * region.grain)

    def fetch(place: str) -> str:
        if same_row:
            return body.emit(f"load {wide(piece)}, ptr {place}, align {piece.size}")
        return gather(body, place, piece)

    grains = [fetch(place) for place in places]
    value = grains[0]
    if len(grains) > 1:
        value = interleave(body, grains, piece)
        value = body.emit(f"bitcast <{LANES * len(grains)} x {piece}> {value} to {wide(stored)}")
    return body.emit(f"trunc {wide('i8')} {value} to {wide('i1')}") if stored != type_ else value


def _store_private(body: Body, region: Region, pointer: Operand, type_: Type, at: int, vector: str) -> None:
    if type_.bits == 1:
        vector, type_ = body.emit(f"zext {wide('i1')} {vector} to {wide('i8')}"), int_type(8)
    places, same_row = _private_places(body, region, pointer, type_, at)
    piece = type_ if len(places) == 1 else int_type(8 * region.grain)
    pieces = [vector]
    if len(places) > 1:
        whole = f"<{LANES * len(places)} x {piece}>"
        cut = body.emit(f"bitcast {wide(type_)} {vector} to {whole}")
        pieces = [
            body.emit(
                f"shufflevector {whole} {cut}, {whole} poison, "
                f"{indices([lane * len(places) + grain for lane in range(LANES)])}"
            )
            for grain in range(len(places))
        ]
    for place, part in zip(places, pieces, strict=True):
        if not same_row:
            scatter(body, place, piece, part)
            continue
        if body.mask is not None:
            old = body.emit(f"load {wide(piece)}, ptr {place}, align {piece.size}")
            part = body.emit(f"select {wide('i1')} {body.mask}, {wide(piece)} {part}, {wide(piece)} {old}")
        body.do(f"store {wide(piece)} {part}, ptr {place}, align {piece.size}")


# -- copies of a known length ----------------------------------------------------------------------------


def copy_lanes(body: Body, instruction: Instruction) -> None:
    """``llvm.memcpy``, ``memmove`` and ``memset`` of a length that is known: piece by piece."""
    target, source, length = instruction.operands[:3]
    if not isinstance(length, Constant) or not isinstance(length.value, int):
        raise Unsupported("a copy of memory whose length is not known when compiling")
    filling = instruction.callee.startswith("llvm.memset")
    piece = min((r.grain for o in (target, source) if (r := body.private.region(o))), default=1)
    while length.value % piece:
        piece //= 2
    type_ = int_type(8 * piece)
    read: list[Value] = []
    for at in range(0, length.value, piece):
        if filling:
            byte = body.scalar(source)
            read.append(Uniform((_repeat(body, byte, piece),)))
        else:
            read.append(_load_piece(body, source, type_, at))
    for at, value in zip(range(0, length.value, piece), read, strict=True):
        _store_piece(body, target, type_, at, value)


def _repeat(body: Body, byte: str, size: int) -> str:
    if not byte.startswith("%"):
        return str(int.from_bytes(bytes([int(byte) & 255]) * size, "little"))
    extended = body.emit(f"zext i8 {byte} to i{8 * size}") if size > 1 else byte
    return body.emit(f"mul i{8 * size} {extended}, {int.from_bytes(bytes([1]) * size, 'little')}")


def _load_piece(body: Body, source: Operand, type_: Type, at: int) -> Value:
    if (region := body.private.region(source)) is not None:
        return Varying((_load_private(body, region, source, type_, at),))
    value = body.get(source)
    if isinstance(value, Uniform):
        return Uniform((body.emit(f"load {type_}, ptr {body.offset(value.values[0], at)}, align 1"),))
    return Varying((gather(body, lane_pointers(body, body.vector(source), at), type_),))


def _store_piece(body: Body, target: Operand, type_: Type, at: int, value: Value) -> None:
    if (region := body.private.region(target)) is not None:
        _store_private(body, region, target, type_, at, body.widen(value, (type_,))[0])
        return
    where = body.get(target)
    if isinstance(where, Uniform):
        scalar = value.values[0] if isinstance(value, Uniform) else ""
        if not scalar:
            scalar = body.pick(body.widen(value, (type_,))[0], type_, body.last_active())
        body.do(f"store {type_} {scalar}, ptr {body.offset(where.values[0], at)}, align 1")
        return
    vector = body.widen(value, (type_,))[0]
    scatter(body, lane_pointers(body, body.vector(target), at), type_, vector)


# -- atomics ---------------------------------------------------------------------------------------------


def _load_atomic(body: Body, instruction: Instruction) -> Value:
    pointer, type_ = instruction.operands[0], instruction.type
    value = body.get(pointer)
    if isinstance(value, Uniform):
        return Uniform(
            (body.emit(f"load atomic {type_}, ptr {value.values[0]} monotonic, align {type_.size}"),)
        )
    return Varying((gather(body, body.vector(pointer), type_),))


def _store_atomic(body: Body, stored: Operand, pointer: Operand) -> None:
    vector, pointers, type_ = body.vector(stored), body.vector(pointer), stored.type

    def one(lane: str) -> tuple[str, ...]:
        value = body.pick(vector, type_, lane)
        place = _pointer(body, pointers, lane)
        body.do(f"store atomic {type_} {value}, ptr {place} monotonic, align {type_.size}")
        return ()

    each_active_lane(body, one, ())


def atomic_lanes(body: Body, instruction: Instruction) -> Value:
    """``atomicrmw`` and ``cmpxchg``: one active lane after the other."""
    pointers = body.vector(instruction.operands[0])
    vectors = [body.vector(o) for o in instruction.operands[1:]]
    type_ = instruction.operands[1].type
    ordering = "monotonic"

    def one(lane: str) -> tuple[str, ...]:
        place = _pointer(body, pointers, lane)
        given = [body.pick(v, type_, lane) for v in vectors]
        if instruction.op == "atomicrmw":
            operation = instruction.attributes["operation"]
            return (
                body.emit(
                    f"atomicrmw {operation} ptr {place}, {type_} {given[0]} {ordering}, align {type_.size}"
                ),
            )
        operands = f"ptr {place}, {type_} {given[0]}, {type_} {given[1]}"
        pair = body.emit(f"cmpxchg {operands} {ordering} {ordering}, align {type_.size}")
        both = f"{{ {type_}, i1 }}"
        return body.emit(f"extractvalue {both} {pair}, 0"), body.emit(f"extractvalue {both} {pair}, 1")

    return Varying(each_active_lane(body, one, body.result_types(instruction)))


def _pointer(body: Body, pointers: str, lane: str) -> str:
    return body.emit(f"extractelement {wide('ptr')} {pointers}, i32 {lane}")
