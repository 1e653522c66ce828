"""Pictures of what was counted and traced, for a book: which memory a SIMD-group touches, how banks collide,
who owns what of an 8×8 matrix, how a kernel walks over a matrix, and where the roof is.

Every function takes recorded data and returns a ``Picture``, a Matplotlib figure with ``alt`` text.
Backgrounds are transparent, lines and words are of a grey that shows on white and on black, colours are those
of Okabe and Ito (2008), which colour-blind readers can tell apart; and no picture tells anything by colour
alone. Needs Matplotlib.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anymetal.checks.chips import Chip
from anymetal.checks.roofline import Roofline, with_article
from anymetal.checks.trace import LANES, MemoryAccess, Trace
from anymetal.simt.matrix import SIDE, coordinate

try:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError("anymetal.pictures needs Matplotlib: pip install matplotlib") from error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#767676"  # 4.5 : 1 against white and against black
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
COLOURS = (ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE)
SECTOR, LINE = 32, 128
BANKS, WORD = 32, 4


class Picture(Figure):
    """A figure with words for those who do not see it."""

    alt: str = ""

    def _repr_svg_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The picture as SVG, ``alt`` as its description; the same bytes each time."""
        with matplotlib.rc_context({"svg.hashsalt": "anymetal", "svg.fonttype": "path"}):
            out = io.StringIO()
            self.savefig(out, format="svg", metadata={"Date": None, "Description": self.alt})
        return out.getvalue()


# -- memory ----------------------------------------------------------------------------------------------


def memory_strip(access: MemoryAccess, *, rows: int = 12) -> Picture:
    """The 128-byte lines that one access of a SIMD-group touches: a row for each line, 32 bytes a sector, in
    each piece the lane that asks for it.

    access: a step's access, from ``anymetal.trace``. rows: how many lines to show at most. Offsets count from
    the start of the memory. Raises ``ValueError`` where no lane takes part, or the memory is a thread's own.
    """
    lanes = _lanes(access)
    if access.space == "thread":
        raise ValueError(f"access must be to memory that lanes share; {access.memory} is each thread's own")
    lines = sorted({o // LINE for _, first in lanes for o in (first, first + access.bytes - 1)})
    sectors = {o // SECTOR for _, first in lanes for o in range(first, first + access.bytes)}
    shown = lines[:rows]
    figure, axes = _figure(8.2, 1.1 + 0.32 * len(shown))
    for row, line in enumerate(shown):
        for sector in range(LINE // SECTOR):
            touched = line * (LINE // SECTOR) + sector in sectors
            style: dict[str, Any] = {"facecolor": SKY, "alpha": 0.35} if touched else {"fill": False}
            axes.add_patch(
                Rectangle((sector * SECTOR, row - 0.44), SECTOR, 0.88, edgecolor=INK, linewidth=0.8, **style)
            )
    owners: dict[tuple[int, int], list[int]] = {}
    for lane, first in lanes:
        owners.setdefault((first // LINE, first % LINE), []).append(lane)
    for (line, at), who in owners.items():
        if line in shown:
            _piece(axes, shown.index(line), at, access.bytes, who)
    axes.set_xlim(-1, LINE + 1)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xticks(range(0, LINE + 1, SECTOR))
    axes.set_yticks(range(len(shown)), [f"{line * LINE:,}" for line in shown])
    axes.set_xlabel("byte in its 128-byte line")
    axes.set_ylabel("line starts at byte")
    more = f"; {len(lines) - len(shown)} more lines are not shown" if len(lines) > len(shown) else ""
    asked = len({o for _, first in lanes for o in range(first, first + access.bytes)})
    said = (
        f"{len(lanes)} lanes {access.kind} {access.bytes} bytes each of {access.memory}: "
        f"{_of(lines, 'line')} of 128 bytes, {_of(sectors, 'sector')} of 32, "
        f"{asked / (SECTOR * len(sectors)):.0%} of what moves is asked for"
    )
    return _finish(figure, axes, said, said + more + ".")


def _piece(axes: Axes, row: int, at: int, size: int, who: Sequence[int]) -> None:
    """What some lanes ask for; numbered by the lane where there is room."""
    width = min(size, LINE - at)
    axes.add_patch(
        Rectangle((at + 0.15, row - 0.34), max(width - 0.3, 0.5), 0.68, facecolor=ORANGE, edgecolor="none")
    )
    label = str(who[0]) if len(who) == 1 else f"×{len(who)}"
    if width >= 2 * len(label):
        axes.text(at + width / 2, row, label, ha="center", va="center", fontsize=6.5, color="black")


def bank_conflicts(access: MemoryAccess) -> Picture:
    """How many different words each of 32 banks of threadgroup memory has to give for one access; the longest
    column is how many rounds it takes.

    access: of threadgroup memory, from ``anymetal.trace``. Raises ``ValueError`` for any other.
    """
    if access.space != "threadgroup":
        raise ValueError(f"access must be to threadgroup memory, {access.memory} is {access.space} memory")
    lanes = _lanes(access)
    words: dict[int, list[int]] = {}
    for lane, first in lanes:
        for word in range(first // WORD, (first + access.bytes - 1) // WORD + 1):
            words.setdefault(word, []).append(lane)
    banks: list[list[list[int]]] = [[] for _ in range(BANKS)]
    for word in sorted(words):
        banks[word % BANKS].append(words[word])
    rounds = max(len(bank) for bank in banks)
    least = -(-len(words) // BANKS)
    figure, axes = _figure(8.2, 1.5 + min(0.28 * rounds, 6))
    for number, bank in enumerate(banks):
        for level, who in enumerate(bank):
            late = level >= least
            axes.add_patch(
                Rectangle(
                    (number - 0.45, level + 0.05),
                    0.9,
                    0.9,
                    facecolor=VERMILION if late else SKY,
                    edgecolor="black" if late else "none",
                    linewidth=0.3,
                    hatch="////" if late else None,
                )
            )
            if rounds <= 16 and not late:
                label = str(who[0]) if len(who) == 1 else f"×{len(who)}"
                axes.text(number, level + 0.5, label, ha="center", va="center", fontsize=6.5, color="black")
    axes.set_xlim(-0.7, BANKS - 0.3)
    axes.set_ylim(0, max(rounds, 2))
    axes.set_xticks(range(0, BANKS, 4))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("bank (byte ÷ 4 mod 32)")
    axes.set_ylabel("words asked for")
    idle = sum(not bank for bank in banks)
    said = (
        f"{len(lanes)} lanes {access.kind} {access.memory}: {_of(range(rounds), 'round')}, {least} would do"
    )
    alt = f"{said}. {_of(range(idle), 'bank')} of 32 are not asked; hatched words come in further rounds."
    return _finish(figure, axes, said, alt)


# -- matrices --------------------------------------------------------------------------------------------


def fragment_ownership() -> Picture:
    """Which lane of a SIMD-group holds which two elements of a ``simdgroup_matrix<T, 8, 8>``, as
    ``anymetal.simt.matrix`` has it; the lanes of one quad share a colour."""
    figure, axes = _figure(5.2, 5.4)
    for lane in range(LANES):
        row, column = coordinate(lane)
        colour = (SKY, ORANGE, GREEN, YELLOW)[lane // 4 % 4]
        for part in range(2):
            axes.add_patch(
                Rectangle((column + part - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="none")
            )
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 2, 1, fill=False, edgecolor="black", linewidth=1))
        axes.text(column + 0.5, row, str(lane), ha="center", va="center", fontsize=11, color="black")
    axes.set_xlim(-0.6, SIDE - 0.4)
    axes.set_ylim(SIDE - 0.4, -0.6)
    axes.set_aspect("equal")
    axes.set_xticks(range(SIDE))
    axes.set_yticks(range(SIDE))
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    rows = []
    for row in range(SIDE):
        owners = sorted((coordinate(lane)[1], lane) for lane in range(LANES) if coordinate(lane)[0] == row)
        rows.append(f"row {row}: lanes {', '.join(str(lane) for _, lane in owners)}")
    said = "Each lane holds two neighbours of an 8×8 matrix"
    return _finish(figure, axes, said, f"{said}. From left to right, {'; '.join(rows)}.")


def tile_walk(trace: Trace, memory: str, shape: tuple[int, int], *, kind: str = "read") -> Picture:
    """In which order a SIMD-group touches the elements of a row-major matrix: the number of the access that
    comes to an element first; darker is earlier.

    trace: from ``anymetal.trace``. memory: a buffer's or threadgroup variable's name. shape: rows and columns
    of the matrix. kind: "read", "write" or "atomic". Raises ``ValueError`` where the trace has no such
    access.
    """
    rows, columns = shape
    if rows < 1 or columns < 1:
        raise ValueError(f"shape must be two positive numbers, got {shape!r}")
    first: dict[int, int] = {}
    accesses = [a for s in trace.steps for a in s.accesses if a.memory == memory and a.kind == kind]
    for number, access in enumerate(accesses):
        for _, offset in _lanes(access):
            for at in range(offset, offset + access.bytes, access.element):
                first.setdefault(at // access.element, number)
    if not first:
        names = sorted({a.memory for s in trace.steps for a in s.accesses if a.kind == kind})
        known = ", ".join(names) or "none"
        raise ValueError(f"memory must be one of which the trace has a {kind} ({known}), got {memory!r}")
    inside = {index: n for index, n in first.items() if 0 <= index < rows * columns}
    grid = [[math.nan] * columns for _ in range(rows)]
    for index, number in inside.items():
        grid[index // columns][index % columns] = number
    figure, axes = _figure(6.4, min(max(6.4 * rows / columns, 1.8), 7) + 0.6)
    image = axes.imshow(grid, cmap="cividis", interpolation="nearest", aspect="auto")
    axes.add_patch(Rectangle((-0.5, -0.5), columns, rows, fill=False, edgecolor=INK))
    if rows * columns <= 256:
        middle = max(inside.values(), default=0) / 2
        for index, number in inside.items():
            colour = "white" if number < middle else "black"
            where = (index % columns, index // columns)
            axes.text(*where, str(number), ha="center", va="center", fontsize=7, color=colour)
    bar = figure.colorbar(image, ax=axes, label="access that comes first")
    bar.locator = MaxNLocator(integer=True)
    bar.update_ticks()
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.ax.yaxis.label.set_color(INK)
    bar.outline.set_edgecolor(INK)
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    some_rows, some_columns = {i // columns for i in inside}, {i % columns for i in inside}
    said = (
        f"SIMD-group {trace.simdgroup} of threadgroup {trace.threadgroup} {kind}s {len(inside):,} of "
        f"{rows * columns:,} elements of {memory}"
    )
    alt = (
        f"{said}: rows {_span(some_rows)}, columns {_span(some_columns)}, in "
        f"{_of(set(inside.values()), 'access')}."
    )
    return _finish(figure, axes, said, alt)


# -- the roof --------------------------------------------------------------------------------------------


def roofline(bounds: Roofline | Mapping[str, Roofline]) -> Picture:
    """A chip's roof, and under it each kernel's operations per distinct byte: the highest rate it can reach.

    bounds: what ``counters.roofline(chip)`` returns, or several by the kernels' names, all of one chip and
    dtype. Raises ``ValueError`` where they differ, or the chip's peak for the dtype is not known.
    """
    kernels = dict(bounds) if isinstance(bounds, Mapping) else {"": bounds}
    if not kernels:
        raise ValueError("bounds must hold at least one Roofline, got none")
    one = next(iter(kernels.values()))
    if any((b.chip, b.dtype) != (one.chip, one.dtype) for b in kernels.values()):
        raise ValueError("bounds must all be of one chip and dtype")
    if one.dtype not in one.chip.peak:
        raise ValueError(f"bounds must be of a chip whose peak in {one.dtype} is known, got {one.chip.name}")
    rate = _roof(one.chip, one.dtype)
    peak, bandwidth = one.chip.peak[one.dtype].value, one.chip.bandwidth.value
    ridge = peak / bandwidth
    there = [b.intensity for b in kernels.values() if b.intensity > 0 and math.isfinite(b.intensity)]
    left, right = min([*there, ridge]) / 8, max([*there, ridge]) * 8
    figure, axes = _figure(6.4, 4.2)
    line = [left, ridge, right]
    axes.loglog(line, [rate(x) / 1e12 for x in line], color=INK, linewidth=2)
    spoken = []
    for number, (name, bound) in enumerate(kernels.items()):
        if bound.intensity not in there:
            continue
        x, colour = bound.intensity, COLOURS[number % len(COLOURS)]
        axes.plot([x, x], [rate(left) / 1e12, rate(x) / 1e12], color=colour, linewidth=1.2, linestyle=":")
        axes.plot([x], [rate(x) / 1e12], marker="osD^vPX"[number % 7], color=colour, markersize=9, label=name)
        axes.annotate(
            name or str(bound).split(":")[0],
            (x, rate(x) / 1e12),
            textcoords="offset points",
            xytext=(10, -12),
            color=INK,
            fontsize=9,
        )
        spoken.append(f"{name or 'the kernel'} at {x:.3g} operations a byte, {bound}")
    near = math.sqrt(left * ridge)
    words: dict[str, Any] = {"textcoords": "offset points", "color": INK, "fontsize": 9}
    memory = f"memory: {bandwidth / 1e9:,.4g} GB/s"
    axes.annotate(memory, (near, rate(near) / 1e12), xytext=(-10, 10), ha="right", **words)
    compute = f"{one.dtype}: {peak / 1e12:.3g} TFLOP/s"
    axes.annotate(compute, (ridge, peak / 1e12), xytext=(4, 6), **words)
    axes.set_ylim(rate(left) / 1e12, peak * 2.5 / 1e12)
    axes.set_xlabel("operations per distinct byte (counted)")
    axes.set_ylabel("TFLOP/s at most")
    said = f"The roof of {with_article(one.chip.name)} in {one.dtype}: no kernel gets above it"
    return _finish(figure, axes, said, f"{said}. {'; '.join(spoken)}.")


def _roof(chip: Chip, dtype: str) -> Callable[[float], float]:
    peak, bandwidth = chip.peak[dtype].value, chip.bandwidth.value
    return lambda intensity: min(peak, intensity * bandwidth)


# -- shared ----------------------------------------------------------------------------------------------


def _figure(width: float, height: float) -> tuple[Picture, Axes]:
    figure = Picture(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_color(INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(which="both", colors=INK, labelsize=8)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    return figure, axes


def _finish(figure: Picture, axes: Axes, title: str, alt: str) -> Picture:
    axes.set_title(title, color=INK, fontsize=9, loc="left", wrap=True)
    figure.alt = alt
    # The layout settles once: it would move a little each time that the figure is drawn.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def _lanes(access: MemoryAccess) -> list[tuple[int, int]]:
    """Each lane that takes part, and its offset."""
    found = [(lane, int(o)) for lane, o in enumerate(access.offset) if o is not None]
    if not found:
        raise ValueError(f"access must have a lane that takes part, the one to {access.memory} has none")
    return found


def _of(items: Any, word: str) -> str:
    plural = "" if len(items) == 1 else "es" if word.endswith("s") else "s"
    return f"{len(items):,} {word}{plural}"


def _span(numbers: set[int]) -> str:
    return f"{min(numbers)} to {max(numbers)}" if numbers else "none"
