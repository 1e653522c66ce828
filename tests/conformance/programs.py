"""Random structured Metal kernels, and a second opinion on what each must compute.

`generate` writes a program as a small tree. `metal` renders it as the body of a kernel; `interpret` runs the
tree itself in NumPy, one threadgroup at a time, with a mask of the threads that are at each statement.
Nothing of the compiler is used for that, so a disagreement is a bug in one of the two.

All values are 32-bit unsigned, so that everything wraps the same way in C++ and in NumPy; signed, narrow and
64-bit arithmetic is done between casts. Division is only ever by what cannot be zero. An operation across
lanes acts on the threads that are at it together; none is generated in a list of statements that leaves a
loop, where "together" depends on what the compiler takes the loop's body to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

LANES = 32
VARIABLES = 4
PRIVATE = 8
TABLE = 256  # elements of the arrays that are only read, for indices that are masked
REACH = 1000  # how far apart the indices of `indexed` programs may lie
DATA = 4 * (REACH + 8)  # words of `data`: the widest access takes four
SLOTS = (
    VARIABLES + 1
)  # of the output, each thread's own: the variables, and one to write and read at any time
Words = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
Size3 = tuple[int, int, int]

IDS = ("gid", "lid", "lane", "simd", "tx", "ty", "tz", "gx", "gy", "wx", "wy")
_PROLOGUE = """
    const uint3 size = threads_per_threadgroup;
    const uint3 grid = threads_per_grid;
    const uint tx = thread_position_in_threadgroup.x, ty = thread_position_in_threadgroup.y,
               tz = thread_position_in_threadgroup.z;
    const uint gx = thread_position_in_grid.x, gy = thread_position_in_grid.y, gz = thread_position_in_grid.z;
    const uint wx = threadgroup_position_in_grid.x, wy = threadgroup_position_in_grid.y;
    const uint gid = gx + grid.x * (gy + grid.y * gz);
    const uint lid = thread_index_in_threadgroup;
    const uint lane = thread_index_in_simdgroup;
    const uint simd = simdgroup_index_in_threadgroup;
"""


# -- expressions: (operator, operands...)
# ---------------------------------------------------------------------------

Expression = tuple[Any, ...]

_INFIX = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
# What is loaded at an index, and how it becomes one word.
_LOADS = {
    "uint": ("uint", "{0}"),
    "uchar": ("uchar", "uint({0})"),
    "short": ("short", "uint(int({0}))"),
    "ulong": ("ulong", "uint({0} >> 16)"),
    "uint2": ("uint2", "dot2({0})"),
    "ushort4": ("ushort4", "dot4({0})"),
    "uint4": ("uint4", "dot4({0})"),
}
HEADER = """
inline uint fold(uint2 v) { return v.x ^ v.y; }
template <typename V> inline uint dot2(V v) { return uint(v.x) * 3u + uint(v.y); }
template <typename V> inline uint dot4(V v) {
  return uint(v.x) * 3u + uint(v.y) * 5u + uint(v.z) * 7u + uint(v.w);
}
"""
_NARROW = {"uchar": np.uint8, "char": np.int8, "ushort": np.uint16, "short": np.int16}


def _text(e: Expression) -> str:
    """An expression in Metal."""
    op, *rest = e
    if op == "const":
        return f"{rest[0]}u"
    if op in ("var", "id", "counter"):
        return str(rest[0])
    if op == "param":
        return f"p[{rest[0]}]"
    parts = [_text(r) if isinstance(r, tuple) else r for r in rest]
    if op == "load":
        type_, fold = _LOADS[rest[0]]
        place = parts[1] if rest[2] else f"int({parts[1]})"
        return fold.format(f"((const device {type_}*)data)[{place}]")
    if op in _INFIX:
        return f"({parts[0]} {_INFIX[op]} {parts[1]})"
    return {
        "shl": "({0} << ({1} & 31u))",
        "shr": "({0} >> ({1} & 31u))",
        "sar": "uint(int({0}) >> ({1} & 31u))",
        "div": "({0} / ({1} | 1u))",
        "rem": "({0} % ({1} | 1u))",
        "sdiv": "uint(int({0}) / int(({1} & 15u) + 2u))",
        "srem": "uint(int({0}) % int(({1} & 15u) + 2u))",
        "min": "min({0}, {1})",
        "max": "max({0}, {1})",
        "smin": "uint(min(int({0}), int({1})))",
        "smax": "uint(max(int({0}), int({1})))",
        "mulhi": "uint((ulong({0}) * ulong({1})) >> 32)",
        "wide": "uint((ulong({0}) - ulong({1})) >> 16)",
        "widesigned": "uint((long(int({0})) * 3l + long(int({1}))) >> 8)",
        "not": "~{0}",
        "popcount": "popcount({0})",
        "clz": "clz({0})",
        "narrow": "uint({1}({0}))",
        "compare": "uint({1} {0} {2})",
        "scompare": "uint(int({1}) {0} int({2}))",
        "choose": "({0} ? {1} : {2})",
        "andalso": "uint({0} && {1})",
        "orelse": "uint({0} || {1})",
        "word": "data[{0} & 255u]",
        "signedword": "data[int({0} & 127u) - int({1} & 63u) + 64]",
        "byte": "uint(bytes[{0} & 255u])",
        "signedbyte": "uint(int(((const device char*)bytes)[{0} & 255u]))",
        "half": "uint(((const device ushort*)bytes)[{0} & 127u])",
        "vector": "((const device uint4*)data)[{0} & 63u][{1} & 3u]",
        "sumvector": "fold(((const device uint2*)data)[{0} & 127u])",
        "strided": "data[min(lid * {0} + {1}, 255u)]",
        "rowcolumn": "data[(ty & 7u) * p[0] + (tx & 31u)]",
        "private": "a[{0} & 7u]",
        "own": "out[gid * 5u + 4u]",
        "condition": "({0} != 0u)",
        "udiv": "({0} / {1})",
        "urem": "({0} % {1})",
    }[op].format(*parts)


# -- statements
# -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assign:
    variable: int
    value: Expression


@dataclass(frozen=True)
class StorePrivate:
    index: Expression
    value: Expression


@dataclass(frozen=True)
class StoreOwn:
    value: Expression


@dataclass(frozen=True)
class Cross:
    """`variable = op(value)` across the lanes that are here."""

    variable: int
    op: str
    value: Expression
    lane: Expression


@dataclass(frozen=True)
class Exchange:
    """Through threadgroup memory, with a barrier between, by all threads."""

    variable: int
    index: Expression
    value: Expression


@dataclass(frozen=True)
class If:
    condition: Expression
    yes: tuple[Any, ...]
    no: tuple[Any, ...]


@dataclass(frozen=True)
class Loop:
    """`kind`: for, while or do. `trips` is evaluated once, before; `condition`, if any, before each round."""

    counter: str
    kind: str
    trips: Expression
    condition: Expression
    body: tuple[Any, ...]


@dataclass(frozen=True)
class Switch:
    value: Expression
    cases: tuple[tuple[tuple[Any, ...], bool], ...]  # statements, and whether a break ends them


@dataclass(frozen=True)
class Break:
    pass


@dataclass(frozen=True)
class Continue:
    pass


@dataclass(frozen=True)
class Return:
    store: bool


@dataclass(frozen=True)
class Program:
    statements: tuple[Any, ...]
    exchanges: bool
    init: tuple[int, ...] = field(default=(0,) * VARIABLES)


class _Generator:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.counters: list[str] = []
        self.made = 0
        self.exchanges = random.random() < 0.35
        # One kernel in two keeps private arrays and its output slot out of it, so that others optimise
        # further.
        self.private = random.random() < 0.5
        self.own = random.random() < 0.4
        self.returns = random.random() < 0.5
        self.lane_ops = random.random() < 0.7
        self.variables = True  # may be used in expressions

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def one(self, options: Sequence[Any]) -> Any:
        return options[self.number(0, len(options) - 1)]

    def leaf(self) -> Expression:
        what = self.number(0 if self.variables else 4, 9)
        if what <= 3:
            return ("var", f"v{self.number(0, VARIABLES - 1)}")
        if what <= 5:
            return ("id", self.one(IDS))
        if what == 6:
            return ("param", self.number(0, 3))
        if what == 7 and self.counters:
            return ("counter", self.one(self.counters))
        return (
            "const",
            self.one((0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 64, 255, 1 << 16, 0x7FFFFFFF, 0xFFFFFFFF)),
        )

    def expression(self, depth: int = 2) -> Expression:
        if depth == 0 or self.number(0, 5) == 0:
            return self.leaf()

        def e() -> Expression:
            return self.expression(depth - 1)

        kinds = (
            "add sub mul and or xor shl shr sar div rem sdiv srem min max smin smax mulhi wide widesigned "
            "not popcount clz narrow compare scompare choose andalso orelse add sub mul add sub word word "
            "signedword byte signedbyte half vector sumvector strided rowcolumn"
        ).split()
        if self.private:
            kinds += ["private"] * 3
        if self.own:
            kinds += ["own"]
        kind = self.one(kinds)
        if kind in ("not", "popcount", "clz", "word", "byte", "signedbyte", "half", "sumvector", "private"):
            return (kind, e())
        if kind == "narrow":
            return (kind, e(), self.one(tuple(_NARROW)))
        if kind in ("compare", "scompare"):
            return (kind, self.one(tuple(_COMPARE)), e(), e())
        if kind == "choose":
            return (kind, self.condition(depth - 1), e(), e())
        if kind in ("andalso", "orelse"):
            return (kind, self.condition(depth - 1), self.condition(depth - 1))
        if kind == "strided":
            return (kind, ("const", self.number(1, 5)), ("const", self.number(0, 9)))
        if kind in ("own", "rowcolumn"):
            return (kind,)
        return (kind, e(), e())

    def condition(self, depth: int = 1) -> Expression:
        what = self.number(0, 6)
        if what == 0 and depth > 0:
            return (self.one(("andalso", "orelse")), self.condition(depth - 1), self.condition(depth - 1))
        if what == 1:
            return ("condition", ("and", self.leaf(), ("const", self.one((1, 2, 4, 7)))))
        if what == 2:
            return ("compare", "<", ("id", self.one(IDS)), ("const", self.one((1, 5, 16, 31, 32, 40))))
        return (
            self.one(("compare", "scompare")),
            self.one(tuple(_COMPARE)),
            self.expression(depth),
            self.leaf(),
        )

    def statements(
        self, depth: int, *, loop: bool, crossing: bool, together: bool, least: int = 1
    ) -> tuple[Any, ...]:
        """`together`: all threads of the threadgroup come here as often."""
        made: list[Any] = []
        leaves = loop and self.number(0, 3) == 0
        returns = not leaves and self.returns and not together and self.number(0, 5) == 0
        # What leaves a loop is no part of the loop, to a compiler: lanes that leave in different rounds may
        # meet there.
        crossing = crossing and not (leaves or (returns and loop))
        for _ in range(self.number(least, 4 if depth else 2)):
            made.append(self.statement(depth, loop=loop, crossing=crossing, together=together))
        if leaves:
            made.append(self.one((Break(), Continue())))
        elif returns:
            made.append(Return(self.number(0, 2) > 0))
        return tuple(made)

    def statement(self, depth: int, *, loop: bool, crossing: bool, together: bool) -> Any:
        what = self.number(0, 13)
        if depth and what <= 2:
            no = (
                self.statements(depth - 1, loop=loop, crossing=crossing, together=False)
                if self.number(0, 1)
                else ()
            )
            yes = self.statements(depth - 1, loop=loop, crossing=crossing, together=False)
            return If(self.condition(), yes, no)
        if depth and what in (3, 4):
            return self.loop(depth, crossing=crossing, together=together)
        if depth and what == 5:
            cases = tuple(
                (
                    self.statements(depth - 1, loop=False, crossing=False, together=False),
                    bool(self.number(0, 2)),
                )
                for _ in range(self.number(2, 4))
            )
            return Switch(self.expression(), cases)
        if what in (6, 7) and crossing and self.lane_ops:
            ops = "sum product max min and or xor inclusive exclusive first ballot any all "
            ops += "shuffle xor_lane down up"
            return Cross(
                self.number(0, VARIABLES - 1), self.one(ops.split()), self.expression(), self.expression(1)
            )
        if what == 8 and together and self.exchanges:
            return Exchange(self.number(0, VARIABLES - 1), self.expression(1), self.expression())
        if what == 9 and self.private:
            return StorePrivate(self.expression(1), self.expression())
        if what == 10 and self.own:
            return StoreOwn(self.expression())
        return Assign(self.number(0, VARIABLES - 1), self.expression())

    def loop(self, depth: int, *, crossing: bool, together: bool) -> Loop:
        counter = f"i{self.made}"
        self.made += 1
        kind = self.one(("for", "for", "while", "do"))
        uniform = self.number(0, 1) == 1
        trips: Expression = (
            self.one((("const", self.number(0, 5)), ("and", ("param", self.number(0, 3)), ("const", 3))))
            if uniform
            else ("and", self.expression(1), ("const", self.one((3, 7))))
        )
        condition: Expression = ("const", 1)
        if not uniform and self.number(0, 1):
            condition = self.condition()
        self.counters.append(counter)
        exchange = together and uniform and self.exchanges and self.number(0, 1) == 1
        body = self.statements(depth - 1, loop=not exchange, crossing=crossing, together=exchange)
        self.counters.pop()
        return Loop(counter, kind, trips, condition, body)


def generate(random: Random) -> Program:
    """A program. The same random numbers give the same program."""
    generator = _Generator(random)
    init = tuple(generator.number(0, 2**32 - 1) for _ in range(VARIABLES))
    return Program(
        generator.statements(3, loop=False, crossing=True, together=True, least=3), generator.exchanges, init
    )


def indexed(random: Random, data: Words, parameters: Words, grid: Size3, threadgroup: Size3) -> Program:
    """A program of loads at indices made of ids, constants and uniform values: bare, guarded, and in loops.

    Indices are not masked, which would hide their pattern from the compiler; what each reaches is found out
    first, and they are moved to begin at 0, or a little before it where a guard keeps the rest away.
    """
    generator = _Generator(random)
    generator.variables = False  # what an index is must not depend on what was loaded before

    def index(depth: int) -> Expression:
        kind = generator.number(0, 11)
        if depth == 0 or kind == 0:
            leaves = [("id", generator.one(("lane", "lid", "tx", "ty", "gx", "gy", "gid", "lane", "tx")))] * 3
            return generator.one(
                [*leaves, ("param", generator.number(0, 2)), ("const", generator.number(0, 40))]
            )
        a = index(depth - 1)
        power = ("const", generator.one((1, 2, 4, 8, 16, 32, 3, 5, 12)))
        if kind <= 4:
            return ("add" if kind < 4 else "sub", a, index(depth - 1))
        if kind <= 6:
            return ("mul", a, generator.one([power, ("param", generator.number(0, 2))]))
        if kind == 7:
            return (generator.one(("udiv", "urem")), a, power)
        if kind == 8:
            return (generator.one(("shl", "shr")), a, ("const", generator.number(0, 4)))
        if kind == 9:
            return (
                generator.one(("and", "or", "xor")),
                a,
                ("const", generator.one((1, 3, 7, 8, 15, 31, 0xFFFFFFF0))),
            )
        if kind == 10:
            return (generator.one(("min", "max", "smin", "smax")), a, index(depth - 1))
        return ("choose", generator.condition(0), a, index(depth - 1))

    statements: list[Any] = []
    for _ in range(generator.number(2, 5)):
        e = index(generator.number(1, 4))
        values = (
            interpret(
                Program((Assign(0, e),), False),
                data,
                np.zeros(TABLE, np.uint8),
                parameters,
                grid,
                threadgroup,
            )[:, 0]
            .view(np.int32)
            .astype(np.int64)
        )
        low, high = int(values.min()), int(values.max())
        steps = generator.number(0, 3)
        if high - low > REACH - 64:
            e, low, high = ("urem", e, ("const", 331)), 0, 330
        target = generator.number(0, VARIABLES - 1)
        short = generator.number(0, 1) * generator.number(0, (high - low) // 2)
        e = ("sub", e, ("const", (low + short) % 2**32)) if low + short else e
        unsigned = bool(generator.number(0, 1))
        kind = generator.one(tuple(_LOADS))
        here: Any = Assign(target, ("add", ("var", f"v{target}"), ("load", kind, e, unsigned)))
        if steps and not short:
            counter = f"i{generator.made}"
            generator.made += 1
            step = (
                "mul",
                ("counter", counter),
                generator.one([("const", generator.number(1, 16)), ("param", 1)]),
            )
            load = ("load", kind, ("add", e, step), unsigned)
            inside = Assign(target, ("xor", ("mul", ("var", f"v{target}"), ("const", 3)), load))
            here = Loop(counter, "for", ("const", steps), ("const", 1), (inside,))
        if short:
            here = If(("compare", "<", e, ("const", high - low - short + 1)), (here,), ())
        elif generator.number(0, 3) == 0:
            here = If(generator.condition(), (here,), (Assign(target, index(1)),))
        statements.append(here)
    return Program(tuple(statements), False, tuple(generator.number(0, 99) for _ in range(VARIABLES)))


# -- in Metal
# -------------------------------------------------------------------------------------------------------


def metal(program: Program) -> str:
    """The kernel's body, for `metal_kernel` with inputs data, bytes, p and the output out."""
    lines = [_PROLOGUE.strip("\n")]
    lines += [f"    uint v{i} = {value}u + gid * {2 * i + 1}u;" for i, value in enumerate(program.init)]
    lines += [f"    uint a[{PRIVATE}];", f"    for (uint i = 0; i < {PRIVATE}; ++i) a[i] = i * 3u + lane;"]
    lines += [f"    out[gid * {SLOTS}u + {VARIABLES}u] = 99u;"]
    if program.exchanges:
        # A thread that returned early writes nothing later; what others then read is this.
        lines += ["    threadgroup uint shared[1024];", "    shared[lid] = 0u;"]
        lines += ["    threadgroup_barrier(mem_flags::mem_threadgroup);"]
    _lines(program.statements, lines, "    ")
    lines += _store("    ")
    return "\n".join(lines) + "\n"


def _store(indent: str) -> list[str]:
    return [f"{indent}out[gid * {SLOTS}u + {i}u] = v{i};" for i in range(VARIABLES)]


def _cross(s: Cross) -> str:
    simple = {
        "sum": "simd_sum",
        "product": "simd_product",
        "max": "simd_max",
        "min": "simd_min",
        "and": "simd_and",
        "or": "simd_or",
        "xor": "simd_xor",
        "inclusive": "simd_prefix_inclusive_sum",
        "exclusive": "simd_prefix_exclusive_sum",
        "first": "simd_broadcast_first",
    }
    value, lane = _text(s.value), _text(s.lane)
    if s.op in simple:
        return f"v{s.variable} = {simple[s.op]}({value});"
    if s.op in ("any", "all"):
        return f"v{s.variable} = uint(simd_{s.op}({value} != 0u));"
    if s.op == "ballot":
        return f"v{s.variable} = uint((ulong)simd_ballot(({value} & 1u) != 0u));"
    source, take = {
        "shuffle": (f"{lane} & 31u", "simd_shuffle(mine, ushort(from))"),
        "xor_lane": ("lane ^ 5u", "simd_shuffle_xor(mine, ushort(5))"),
        "down": ("lane + 3u", "simd_shuffle_down(mine, ushort(3))"),
        "up": ("lane - 2u", "simd_shuffle_up(mine, ushort(2))"),
    }[s.op]
    # Only what an active lane holds is defined.
    return (
        f"{{ uint mine = {value}; uint from = {source}; "
        f"uint there = uint((ulong)simd_active_threads_mask()); "
        f"uint taken = {take}; v{s.variable} = from < 32u && ((there >> (from & 31u)) & 1u) ? taken : 7u; }}"
    )


def _lines(statements: Sequence[Any], lines: list[str], indent: str) -> None:
    more = indent + "    "
    for s in statements:
        match s:
            case Assign(variable, value):
                lines.append(f"{indent}v{variable} = {_text(value)};")
            case StorePrivate(index, value):
                lines.append(f"{indent}a[{_text(index)} & 7u] = {_text(value)};")
            case StoreOwn(value):
                lines.append(f"{indent}out[gid * {SLOTS}u + {VARIABLES}u] = {_text(value)};")
            case Cross():
                lines.append(indent + _cross(s))
            case Exchange(variable, index, value):
                threads = "(size.x * size.y * size.z)"
                lines += [
                    f"{indent}shared[lid] = {_text(value)};",
                    f"{indent}threadgroup_barrier(mem_flags::mem_threadgroup);",
                    f"{indent}v{variable} = shared[{_text(index)} % {threads}];",
                    f"{indent}threadgroup_barrier(mem_flags::mem_threadgroup);",
                ]
            case If(condition, yes, no):
                lines.append(f"{indent}if ({_text(condition)}) {{")
                _lines(yes, lines, more)
                if no:
                    lines.append(f"{indent}}} else {{")
                    _lines(no, lines, more)
                lines.append(f"{indent}}}")
            case Loop(counter, kind, trips, condition, body):
                go = f"{counter} < {counter}_n && {_text(condition)}"
                head = {
                    "for": f"for (; {go}; ++{counter}) {{",
                    # The counter moves first, so that `continue` does not pass it by.
                    "while": f"while ({go}) {{ ++{counter};",
                    "do": f"do {{ ++{counter};",
                }[kind]
                lines.append(f"{indent}{{ uint {counter} = 0, {counter}_n = {_text(trips)}; {head}")
                _lines(body, lines, more)
                lines.append(indent + (f"}} while ({go}); }}" if kind == "do" else "} }"))
            case Switch(value, cases):
                lines.append(f"{indent}switch ({_text(value)} % {len(cases) + 1}u) {{")
                for number, (body, ends) in enumerate(cases):
                    label = "default" if number == len(cases) - 1 else f"case {number}"
                    lines.append(f"{indent}{label}: {{")
                    _lines(body, lines, more)
                    lines.append(indent + ("} break;" if ends else "}"))
                lines.append(f"{indent}}}")
            case Break():
                lines.append(f"{indent}break;")
            case Continue():
                lines.append(f"{indent}continue;")
            case Return(store):
                lines += [f"{indent}{{", *(_store(more) if store else []), f"{more}return;", f"{indent}}}"]


# -- in NumPy
# -------------------------------------------------------------------------------------------------------


class _Threadgroup:
    """One threadgroup's threads, padded to whole SIMD-groups."""

    def __init__(self, program: Program, memory: _Memory, grid: Size3, full: Size3, at: Size3) -> None:
        self.memory = memory
        size = tuple(min(t, g - t * w) for t, g, w in zip(full, grid, at, strict=True))
        count = size[0] * size[1] * size[2]
        self.count = count
        lid = np.arange(-(-count // LANES) * LANES, dtype=np.uint32)
        tx, ty, tz = lid % size[0], lid // size[0] % size[1], lid // (size[0] * size[1])
        gx, gy, gz = (p + t * w for p, t, w in zip((tx, ty, tz), full, at, strict=True))
        n = len(lid)

        def everywhere(value: int) -> Words:
            return np.full(n, value, np.uint32)

        self.ids: dict[str, Words] = {
            "gid": (gx + grid[0] * (gy + grid[1] * gz)).astype(np.uint32),
            "lid": lid,
            "lane": lid % LANES,
            "simd": lid // LANES,
            "tx": tx.astype(np.uint32),
            "ty": ty.astype(np.uint32),
            "tz": tz.astype(np.uint32),
            "gx": gx.astype(np.uint32),
            "gy": gy.astype(np.uint32),
            "wx": everywhere(at[0]),
            "wy": everywhere(at[1]),
        }
        self.variables = {
            f"v{i}": value + self.ids["gid"] * np.uint32(2 * i + 1)
            for i, value in enumerate(np.array(program.init, np.uint32))
        }
        self.private = (np.arange(PRIVATE, dtype=np.uint32) * 3)[None, :] + self.ids["lane"][:, None]
        self.shared = np.zeros(1024, np.uint32)
        self.counters: dict[str, Words] = {}
        self.loops: list[tuple[Mask, Mask]] = []  # the threads that break, and those that continue
        self.exists = lid < count
        self.rows = np.arange(n)
        self.store_own(everywhere(99), self.exists)
        self.store(self.run(program.statements, self.exists.copy()))

    def store(self, mask: Mask) -> None:
        for i in range(VARIABLES):
            self.memory.out[self.ids["gid"][mask], i] = self.variables[f"v{i}"][mask]

    def store_own(self, value: Words, mask: Mask) -> None:
        self.memory.out[self.ids["gid"][mask], VARIABLES] = value[mask]

    def value(self, e: Expression) -> Words:
        op, *rest = e
        if op == "const":
            return np.full(len(self.rows), rest[0], np.uint32)
        if op == "var":
            return self.variables[rest[0]]
        if op == "id":
            return self.ids[rest[0]]
        if op == "counter":
            return self.counters[rest[0]]
        if op == "param":
            return np.full(len(self.rows), self.memory.parameters[rest[0]], np.uint32)
        if op == "rowcolumn":
            return self.memory.data[(self.ids["ty"] & 7) * self.memory.parameters[0] + (self.ids["tx"] & 31)]
        if op == "own":
            return np.where(
                self.exists, self.memory.out[np.where(self.exists, self.ids["gid"], 0), VARIABLES], 0
            ).astype(np.uint32)
        parts = [self.value(r) if isinstance(r, tuple) else r for r in rest]
        return self.apply(op, parts).astype(np.uint32)

    def apply(self, op: str, x: list[Any]) -> npt.NDArray[Any]:
        memory = self.memory

        def signed(v: Words) -> npt.NDArray[np.int64]:
            return v.astype(np.int32).astype(np.int64)

        def long(v: Words) -> npt.NDArray[np.uint64]:
            return v.astype(np.uint64)

        match op:
            case "add":
                return x[0] + x[1]
            case "sub":
                return x[0] - x[1]
            case "mul":
                return x[0] * x[1]
            case "and":
                return x[0] & x[1]
            case "or":
                return x[0] | x[1]
            case "xor":
                return x[0] ^ x[1]
            case "shl":
                return x[0] << (x[1] & 31)
            case "shr":
                return x[0] >> (x[1] & 31)
            case "sar":
                return signed(x[0]) >> (x[1] & 31).astype(np.int64)
            case "div":
                return x[0] // (x[1] | 1)
            case "rem":
                return x[0] % (x[1] | 1)
            case "sdiv" | "srem":
                a, b = signed(x[0]), (x[1] & 15).astype(np.int64) + 2
                quotient = np.sign(a) * (np.abs(a) // b)
                return quotient if op == "sdiv" else a - quotient * b
            case "udiv":
                return x[0] // x[1]
            case "urem":
                return x[0] % x[1]
            case "load":
                return _load(memory.data, x[0], x[1].astype(np.int64))
            case "min":
                return np.minimum(x[0], x[1])
            case "max":
                return np.maximum(x[0], x[1])
            case "smin":
                return np.minimum(signed(x[0]), signed(x[1]))
            case "smax":
                return np.maximum(signed(x[0]), signed(x[1]))
            case "mulhi":
                return (long(x[0]) * long(x[1])) >> np.uint64(32)
            case "wide":
                return (long(x[0]) - long(x[1])) >> np.uint64(16)
            case "widesigned":
                return (signed(x[0]) * 3 + signed(x[1])) >> 8
            case "not":
                return ~x[0]
            case "popcount":
                return np.array([int(v).bit_count() for v in x[0]])
            case "clz":
                return np.array([32 - int(v).bit_length() for v in x[0]])
            case "narrow":
                return x[0].astype(_NARROW[x[1]])
            case "compare":
                return _COMPARE[x[0]](x[1], x[2])
            case "scompare":
                return _COMPARE[x[0]](signed(x[1]), signed(x[2]))
            case "choose":
                return np.where(x[0] != 0, x[1], x[2])
            case "andalso":
                return (x[0] != 0) & (x[1] != 0)
            case "orelse":
                return (x[0] != 0) | (x[1] != 0)
            case "condition":
                return x[0] != 0
            case "word":
                return memory.data[x[0] & 255]
            case "signedword":
                return memory.data[(x[0] & 127).astype(np.int64) - (x[1] & 63) + 64]
            case "byte":
                return memory.bytes[x[0] & 255]
            case "signedbyte":
                return memory.bytes.view(np.int8)[x[0] & 255]
            case "half":
                return memory.bytes.view(np.uint16)[x[0] & 127]
            case "vector":
                return memory.data[(x[0] & 63) * 4 + (x[1] & 3)]
            case "sumvector":
                return memory.data[(x[0] & 127) * 2] ^ memory.data[(x[0] & 127) * 2 + 1]
            case "strided":
                return memory.data[np.minimum(self.ids["lid"] * x[0] + x[1], 255)]
            case "private":
                return self.private[self.rows, x[0] & 7]
        raise AssertionError(op)

    def cross(self, s: Cross, mask: Mask) -> Words:
        """The result of an operation across lanes, for every thread; only those of the mask count."""
        value = self.value(s.value).reshape(-1, LANES)
        wanted = self.value(s.lane).reshape(-1, LANES)
        active = mask.reshape(-1, LANES)
        result = np.zeros_like(value)
        lanes = np.arange(LANES, dtype=np.uint32)
        for row, (v, m) in enumerate(zip(value, active, strict=True)):
            here = v[m]
            if not len(here):
                continue
            match s.op:
                case "sum":
                    result[row] = here.sum(dtype=np.uint32)
                case "product":
                    result[row] = here.prod(dtype=np.uint32)
                case "max":
                    result[row] = here.max()
                case "min":
                    result[row] = here.min()
                case "and":
                    result[row] = np.bitwise_and.reduce(here)
                case "or":
                    result[row] = np.bitwise_or.reduce(here)
                case "xor":
                    result[row] = np.bitwise_xor.reduce(here)
                case "inclusive":
                    result[row, m] = np.cumsum(here, dtype=np.uint32)
                case "exclusive":
                    result[row, m] = np.cumsum(here, dtype=np.uint32) - here
                case "first":
                    result[row] = here[0]
                case "any":
                    result[row] = (here != 0).any()
                case "all":
                    result[row] = (here != 0).all()
                case "ballot":
                    result[row] = sum(1 << int(i) for i in lanes[m] if v[i] & 1)
                case _:
                    source = {
                        "shuffle": wanted[row] & 31,
                        "xor_lane": lanes ^ 5,
                        "down": lanes + 3,
                        "up": lanes - 2,
                    }[s.op]
                    good = (source < LANES) & m[source & 31]
                    result[row] = np.where(good, v[source & 31], 7)
        return result.reshape(-1)

    def run(self, statements: Sequence[Any], mask: Mask) -> Mask:
        """Run a list with the threads of `mask`; returns those that come out at its end."""
        for s in statements:
            if not mask.any():
                return mask
            mask = self.step(s, mask)
        return mask

    def assign(self, variable: int, value: Words, mask: Mask) -> None:
        name = f"v{variable}"
        self.variables[name] = np.where(mask, value, self.variables[name])

    def step(self, s: Any, mask: Mask) -> Mask:
        match s:
            case Assign(variable, value):
                self.assign(variable, self.value(value), mask)
            case StorePrivate(index, value):
                places, words = self.value(index) & 7, self.value(value)
                self.private[self.rows[mask], places[mask]] = words[mask]
            case StoreOwn(value):
                self.store_own(self.value(value), mask)
            case Cross(variable):
                self.assign(variable, self.cross(s, mask), mask)
            case Exchange(variable, index, value):
                self.shared[: len(mask)][mask] = self.value(value)[mask]
                self.assign(variable, self.shared[self.value(index) % self.count], mask)
            case If(condition, yes, no):
                taken = self.value(condition) != 0
                return self.run(yes, mask & taken) | self.run(no, mask & ~taken)
            case Loop():
                return self.loop(s, mask)
            case Switch(value, cases):
                number = self.value(value) % (len(cases) + 1)
                number = np.minimum(number, len(cases) - 1)
                out = mask & False
                inside = out
                for i, (body, ends) in enumerate(cases):
                    inside = self.run(body, inside | (mask & (number == i)))
                    if ends:
                        out, inside = out | inside, inside & False
                return out | inside
            case Break():
                self.loops[-1][0][mask] = True
                return mask & False
            case Continue():
                self.loops[-1][1][mask] = True
                return mask & False
            case Return(store):
                if store:
                    self.store(mask)
                return mask & False
        return mask

    def loop(self, s: Loop, mask: Mask) -> Mask:
        trips = self.value(s.trips).copy()
        self.counters[s.counter] = np.zeros_like(trips)
        out = mask & False
        first = s.kind == "do"
        while True:
            go = mask & (self.counters[s.counter] < trips) & (self.value(s.condition) != 0)
            if first:
                go, first = mask, False
            out |= mask & ~go
            if not go.any():
                return out
            step = go.astype(np.uint32)
            if s.kind != "for":
                self.counters[s.counter] += step
            self.loops.append((mask & False, mask & False))
            mask = self.run(s.body, go)
            left, again = self.loops.pop()
            out |= left
            mask = mask | again
            if s.kind == "for":
                self.counters[s.counter] += mask.astype(np.uint32)


def _load(data: Words, kind: str, index: npt.NDArray[np.int64]) -> Words:
    index = np.where((index >= 0) & (index <= REACH), index, 0)  # of threads that are not here, anything
    types: dict[str, Any] = {"uint": np.uint32, "uchar": np.uint8, "short": np.int16, "ulong": np.uint64}
    if kind in types:
        words = data.view(types[kind])[index]
        return (words >> np.uint64(16) if kind == "ulong" else words).astype(np.uint32)
    width = 2 if kind == "uint2" else 4
    vectors = data.view(np.uint16 if kind == "ushort4" else np.uint32)
    vectors = vectors[: len(vectors) // width * width].reshape(-1, width)
    chosen: Words = vectors[index].astype(np.uint32)
    weights = np.array([3, 1] if width == 2 else [3, 5, 7, 1], np.uint32)
    return (chosen * weights).sum(1, dtype=np.uint32)


@dataclass
class _Memory:
    data: Words
    bytes: npt.NDArray[np.uint8]
    parameters: Words
    out: Words


def interpret(
    program: Program,
    data: Words,
    octets: npt.NDArray[np.uint8],
    parameters: Words,
    grid: Size3,
    threadgroup: Size3,
) -> Words:
    """What the kernel must leave in `out`: (threads, SLOTS) of uint32, zero where nothing is written."""
    size = tuple(min(t, g) for t, g in zip(threadgroup, grid, strict=True))
    out = np.zeros((grid[0] * grid[1] * grid[2], SLOTS), np.uint32)
    memory = _Memory(data, octets, parameters, out)
    counts = [-(-g // t) for g, t in zip(grid, size, strict=True)]
    with np.errstate(over="ignore"):
        for z in range(counts[2]):
            for y in range(counts[1]):
                for x in range(counts[0]):
                    _Threadgroup(program, memory, grid, (size[0], size[1], size[2]), (x, y, z))
    return out
