"""Kernels made by chance for checked mode: memory of every kind, barriers, lanes, branches and loops.

A kernel is a batch of small programs, one after the other, since starting a compiler costs more than a
program does. A valid one does nothing that checked mode may report; a wild one uses any index anywhere, and
worse.
"""

from __future__ import annotations

from random import Random

N = 256  # elements of the input
PRIVATE, BINS, SHARED = 8, 8, 64

PROLOGUE = """
const uint3 where = thread_position_in_grid, size = threads_per_grid;
const uint gid = where.x + size.x * (where.y + size.y * where.z);
const uint lid = thread_index_in_threadgroup, lane = thread_index_in_simdgroup;
const uint3 group = threads_per_threadgroup;
const uint threads = group.x * group.y * group.z;
const uint lanes = uint(simd_sum(1u));
"""


class Writer:
    """One program's text. `wild`: nothing is kept within bounds."""

    def __init__(self, random: Random, number: int, wild: bool) -> None:
        self.random, self.number, self.wild = random, number, wild
        self.lines: list[str] = []
        self.loops = 0

    def one(self, *options: str) -> str:
        return self.random.choice(options)

    def chance(self, of: int) -> bool:
        return self.random.randrange(of) == 0

    def index(self, count: str) -> str:
        """An index below `count`; a wild one, anything."""
        e = self.expression(1)
        if not self.wild:
            return f"({e}) % {count}"
        return self.one(e, f"({e}) % ({count} + 1u)", f"({e}) % {count} - 1u", "0xfffffffeu", f"({e}) << 20")

    def expression(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(3):
            return self.one("v0", "v1", "v2", "gid", "lid", "lane", f"{self.random.randrange(100)}u")
        kind = self.random.randrange(11)
        a = self.expression(depth - 1)
        if kind < 4:
            return f"({a} {self.one('+', '-', '*', '^', '&', '|')} {self.expression(depth - 1)})"
        if kind == 4:
            return f"({a} / ({self.expression(depth - 1)} | 1u))"
        if kind == 5:
            return f"(({a} & 7u) < {self.random.randrange(8)}u ? {self.expression(depth - 1)} : {a})"
        if kind == 6:
            return f"data[{self.index(f'{N}u')}]"
        if kind == 7:
            return f"((const device uint4*)data)[{self.index(f'{N // 4}u')}].{self.one(*'xyzw')}"
        if kind == 8:
            return f"uint(((const device uchar*)data)[{self.index(f'{4 * N}u')}])"
        if kind == 9:
            return f"p[{self.index(f'{PRIVATE}u')}]"
        return f"uint(fabs(sin(float({a} & 1023u))) * 1000.0f)"

    def assign(self, indent: str) -> None:
        if self.chance(4):
            self.lines.append(f"{indent}p[{self.index(f'{PRIVATE}u')}] = {self.expression()};")
        else:
            self.lines.append(f"{indent}v{self.random.randrange(3)} = {self.expression()};")

    def shared(self, indent: str) -> None:
        """Through threadgroup memory, by all threads."""
        n, barrier = self.number, f"{indent}threadgroup_barrier(mem_flags::mem_threadgroup);"
        if self.wild and self.chance(2):
            barrier = f"{indent}if (v0 % 3u) {{ {barrier.strip()} }}" if self.chance(3) else ""
        if self.chance(2):
            relaxed = "memory_order_relaxed"
            place = self.index(f"min(threads, {BINS}u)")
            self.lines += [
                f"{indent}if (lid < {BINS}u) {{ atomic_store_explicit(&bins{n}[lid], 0u, {relaxed}); }}",
                barrier,
                f"{indent}atomic_fetch_add_explicit(&bins{n}[{place}], v1 & 3u, {relaxed});",
                barrier,
                f"{indent}v2 ^= atomic_load_explicit(&bins{n}[min(threads, {BINS}u) - 1u], {relaxed});",
                barrier,
            ]
            return
        self.lines += [
            f"{indent}if (lid < {SHARED}u) {{ t{n}[lid] = {self.expression()}; }}",
            barrier,
            f"{indent}v1 += t{n}[{self.index(f'min(threads, {SHARED}u)')}];",
            barrier,
        ]

    def across(self, indent: str) -> None:
        value = self.expression()
        # Lanes are numbered from 0 in a SIMD-group that is not full: below `lanes` all are active.
        source = f"ushort(({self.expression(1)}) % {'40u' if self.wild else 'lanes'})"
        self.lines.append(
            indent
            + self.one(
                f"v0 = simd_sum({value});",
                f"v1 = simd_max({value});",
                f"v2 = simd_prefix_exclusive_sum({value});",
                f"v0 += uint((ulong)simd_ballot(({value} & 1u) != 0u));",
                f"v1 = simd_shuffle({value}, {source});",
                f"v2 ^= simd_broadcast({value}, ushort(0));",
            )
        )

    def statement(self, depth: int, together: bool, indent: str) -> None:
        kind = self.random.randrange(10)
        if depth and kind < 2:
            self.lines.append(
                f"{indent}if (({self.expression(1)}) % {self.random.randrange(2, 5)}u == 0u) {{"
            )
            self.block(depth - 1, together and self.wild, indent + "    ")
            self.lines.append(f"{indent}}}")
        elif depth and kind < 4:
            counter = f"k{self.number}_{self.loops}"
            self.loops += 1
            uniform = self.chance(2)
            trips = f"{self.random.randrange(4)}u" if uniform else f"(({self.expression(1)}) & 3u)"
            if self.wild and self.chance(6):
                trips = self.expression(1)
            self.lines.append(f"{indent}for (uint {counter} = 0, n = {trips}; {counter} < n; ++{counter}) {{")
            self.block(depth - 1, together and (uniform or self.wild), indent + "    ")
            self.lines.append(f"{indent}}}")
        elif together and kind < 6:
            self.shared(indent)
        elif together and kind < 8:
            self.across(indent)
        else:
            self.assign(indent)

    def block(self, depth: int, together: bool, indent: str) -> None:
        for _ in range(self.random.randrange(1, 3)):
            self.statement(depth, together, indent)

    def program(self, count: int) -> str:
        n = self.number
        self.lines += [
            "{",
            f"    uint v0 = gid * 7u + {n}u, v1 = lid ^ {self.random.randrange(1000)}u;",
            f"    uint v2 = data[gid % {N}u];",
            f"    uint p[{PRIVATE}];",
            f"    for (uint k = 0; k < {PRIVATE}u; ++k) {{ p[k] = k * v1; }}",
        ]
        for _ in range(self.random.randrange(1, 3)):
            self.statement(1, True, "    ")
        place = f"gid * {count}u + {n}u" if not self.wild or self.chance(2) else self.expression(1)
        self.lines += [f"    out[{place}] = v0 + 3u * v1 + 5u * v2 + p[3];", "}"]
        return "\n".join(self.lines)


def kernel(random: Random, count: int, *, wild: bool = False) -> str:
    """The body of a kernel of `count` programs: input `data` (256 × uint32), output `out` (threads × `count`
    × uint32)."""
    declared = [
        f"threadgroup uint t{n}[{SHARED}]; threadgroup atomic_uint bins{n}[{BINS}];" for n in range(count)
    ]
    bodies = [Writer(random, n, wild).program(count) for n in range(count)]
    return "\n".join([PROLOGUE, *declared, *bodies, ""])
