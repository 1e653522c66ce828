"""Lab 04: the counters of three kernels, foretold; and a transposing copy that stores side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import mlx.core as mx
import numpy as np

from anymetal.checks import checked
from grader.exercise import DTYPES, Budget, Case, Exercise, Float64, Kernel, NearMiss
from grader.question import Mistake, Question, Trial

TILE = 16
"""Edge of a threadgroup in the standard launch of the copy."""


def _kernel(name: str, inputs: list[str], source: str) -> Any:
    return mx.fast.metal_kernel(name=name, input_names=inputs, output_names=["y"], source=source)


# --- predict: three kernels ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Foretold:
    """A kernel to predict: its body, how it is launched, and the arrays that it gets, by name."""

    name: str
    source: str
    dtype: str
    inputs: Mapping[str, tuple[int, ...]]
    output: tuple[int, ...]
    grid: tuple[int, int, int]
    threadgroup: tuple[int, int, int]

    def __str__(self) -> str:
        shapes = ", ".join(f"{name} is {self.shape(shape)}" for name, shape in self.inputs.items())
        return (
            f"{self.source.strip()}\n\n{shapes}, y is {self.shape(self.output)}; T is {self.dtype}; "
            f"grid={self.grid}, threadgroup={self.threadgroup}"
        )

    @staticmethod
    def shape(shape: tuple[int, ...]) -> str:
        return " × ".join(map(str, shape)) + (" elements" if len(shape) == 1 else "")

    def run(self) -> mx.array:
        """Launch the kernel on ones."""
        kernel = _kernel(self.name, list(self.inputs), self.source)
        outputs: list[mx.array] = kernel(
            inputs=[mx.ones(shape, dtype=DTYPES[self.dtype]) for shape in self.inputs.values()],
            template=[("T", DTYPES[self.dtype])],
            grid=self.grid,
            threadgroup=self.threadgroup,
            output_shapes=[self.output],
            output_dtypes=[DTYPES[self.dtype]],
        )
        return outputs[0]


KERNELS = {
    kernel.name: kernel
    for kernel in (
        Foretold(
            name="every_other",
            source="""
uint i = thread_position_in_grid.x;
y[i] = x[2 * i];
""",
            dtype="float32",
            inputs={"x": (2048,)},
            output=(1024,),
            grid=(1024, 1, 1),
            threadgroup=(256, 1, 1),
        ),
        Foretold(
            name="rows",
            source="""
uint n = thread_position_in_grid.x;
float sum = 0;
for (uint k = 0; k < 160; k++) {
    sum += x[k] * w[n * 160 + k];
}
y[n] = sum;
""",
            dtype="float32",
            inputs={"x": (160,), "w": (96, 160)},
            output=(96,),
            grid=(96, 1, 1),
            threadgroup=(32, 1, 1),
        ),
        Foretold(
            name="textbook",
            source="""
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
float sum = 0;
for (uint k = 0; k < 48; k++) {
    sum += float(x[m * 48 + k]) * float(w[k * 64 + n]);
}
y[m * 64 + n] = T(sum);
""",
            dtype="float16",
            inputs={"x": (8, 48), "w": (48, 64)},
            output=(8, 64),
            grid=(64, 8, 1),
            threadgroup=(32, 8, 1),
        ),
    )
}

Answer = dict[str, dict[str, int]]


@cache
def _counted(name: str) -> Answer:
    kernel = KERNELS[name]
    with checked() as report:
        mx.eval(kernel.run())
    found: Answer = {}
    for array in (*kernel.inputs, "y"):
        buffer = report.counters.buffers[array]
        found[array] = {
            "asked": buffer.bytes_read + buffer.bytes_written,
            "must_move": buffer.distinct_bytes_read + buffer.distinct_bytes_written,
            "sectors": buffer.sectors,
        }
    return found


def expected(name: str) -> dict[str, dict[str, int]]:
    """What checked mode counts for a kernel of `KERNELS`, by array: bytes `asked` for, bytes that
    `must_move`, and `sectors`."""
    return _counted(name)


def _itemsize(name: str) -> int:
    return int(DTYPES[KERNELS[name].dtype].size)


def _elements(name: str, array: str) -> int:
    kernel = KERNELS[name]
    return int(np.prod(kernel.output if array == "y" else kernel.inputs[array]))


Change = Callable[[str, str, dict[str, int]], Mapping[str, int] | None]
"""From a kernel, an array and its right counts to the counts that a mistake gets wrong."""


def _each(change: Change) -> Callable[[str], Mapping[str, Any]]:
    def result(name: str) -> Mapping[str, Any]:
        wrong = {array: change(name, array, row) for array, row in expected(name).items()}
        return {array: row for array, row in wrong.items() if row is not None}

    return result


def _in_elements(name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    size = _itemsize(name)
    return {"asked": row["asked"] // size, "must_move": row["must_move"] // size}


def _four_bytes(name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    factor = 4 // _itemsize(name)
    return {"asked": factor * row["asked"], "must_move": factor * row["must_move"]}


def _four_bytes_in_sectors(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    apart = (name, array) != ("textbook", "x")  # one sector for all lanes, whatever an element's size
    return {"sectors": 4 // _itemsize(name) * row["sectors"]} if apart else None


def _asked_once(_name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    return {"asked": row["must_move"]}


def _must_is_asked(_name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    return {"must_move": row["asked"]}


def _asked_by_simdgroup(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    """What all lanes share, counted once for 32 lanes."""
    return {"asked": row["asked"] // 32} if _shared(name, array) else None


def _shared(name: str, array: str) -> bool:
    return array == "x" and name != "every_other"


def _sector_a_lane(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    return {"sectors": 32 * row["sectors"]} if _shared(name, array) else None


def _whole_sectors(_name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    """Sectors of what is asked for, as if it were always side by side."""
    return {"sectors": row["asked"] // 32}


def _sector_an_access(name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    return {"sectors": row["asked"] // _itemsize(name)}


def _cached(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    """Each sector of the array once."""
    return {"sectors": _elements(name, array) * _itemsize(name) // 32}


def _lines(_name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    return {"sectors": -(-row["sectors"] // 4)}


def _in_bytes(_name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    return {"sectors": 32 * row["sectors"]}


def _one_simdgroup(name: str, _array: str, row: dict[str, int]) -> Mapping[str, int]:
    groups = int(np.prod(KERNELS[name].grid)) // 32
    return {"asked": row["asked"] // groups, "sectors": row["sectors"] // groups}


def _whole_array(name: str, array: str, _row: dict[str, int]) -> Mapping[str, int]:
    return {"must_move": _elements(name, array) * _itemsize(name)}


def _skipped_asked(name: str, array: str, row: dict[str, int]) -> Mapping[str, int]:
    return (
        {"asked": _elements(name, array) * _itemsize(name)} if (name, array) == ("every_other", "x") else {}
    )


def _side_by_side(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    return {"sectors": row["asked"] // 32} if (name, array) == ("rows", "w") else None


def _stride_unseen(name: str, array: str, row: dict[str, int]) -> Mapping[str, int] | None:
    return {"sectors": row["asked"] // 32} if (name, array) == ("every_other", "x") else None


MISTAKES = (
    Mistake(
        "elements",
        "you count elements, and the counters count bytes: your {where} is {got}.",
        "Multiply by the bytes of an element: 4 in float32, 2 in float16.",
        _each(_in_elements),
    ),
    Mistake(
        "element-size",
        "a half has two bytes: your {where} is {got}, as it would be in float32.",
        "`textbook` runs in float16.",
        _each(_four_bytes),
    ),
    Mistake(
        "one-simdgroup",
        "that is what one SIMD-group does: your {where} is {got}.",
        "Count the SIMD-groups of the whole launch, and multiply.",
        _each(_one_simdgroup),
    ),
    Mistake(
        "asked-by-simdgroup",
        "every lane asks: your {where} is {got}, which counts an element once for 32 lanes.",
        "`asked` counts the bytes of every active lane, also where all of them ask for the same element.",
        _each(_asked_by_simdgroup),
    ),
    Mistake(
        "asked-once",
        "asked for is not what must move: your {where} is {got}, each element once.",
        "An element that is read in every round of a loop, or by every thread, is asked for each time.",
        _each(_asked_once),
    ),
    Mistake(
        "moved-as-asked",
        "what must move is each byte once: your {where} is {got}, all that is asked for.",
        "`must_move` counts the distinct bytes that any lane touches.",
        _each(_must_is_asked),
    ),
    Mistake(
        "skipped-must-move",
        "nobody touches the elements in between: your {where} is {got}, the whole array.",
        "`must_move` counts bytes that a lane asks for. What comes along in a sector is another number.",
        _each(_whole_array),
    ),
    Mistake(
        "skipped-asked",
        "nobody asks for the elements in between: your {where} is {got}, the whole array.",
        "1,024 threads read an element each.",
        _each(_skipped_asked),
    ),
    Mistake(
        "in-bytes",
        "sectors are counted in pieces, not in bytes: your {where} is {got}.",
        "A sector has 32 bytes. Divide.",
        _each(_in_bytes),
    ),
    Mistake(
        "lines",
        "those are lines of 128 bytes: your {where} is {got}.",
        "A sector has 32 bytes.",
        _each(_lines),
    ),
    Mistake(
        "sector-an-access",
        "lanes side by side share sectors: your {where} is {got}, one for each lane that asks.",
        "A SIMD-group's access is one thing. How many different sectors do its 32 lanes touch?",
        _each(_sector_an_access),
    ),
    Mistake(
        "sector-a-lane",
        "all 32 lanes ask for the same element: your {where} is {got}, one sector for each lane.",
        "32 lanes that ask for one element touch one sector.",
        _each(_sector_a_lane),
    ),
    Mistake(
        "no-cache",
        "the counters know no cache: your {where} is {got}, each sector of the array once.",
        "Every access of a SIMD-group counts the sectors that it touches, also those that the access before "
        "touched.",
        _each(_cached),
    ),
    Mistake(
        "side-by-side",
        "asked bytes divided by 32 is right only where lanes are side by side: your {where} is {got}.",
        "Write down the elements that lanes 0, 1 and 2 ask for at the same moment. Sectors hold 8 floats "
        "or 16 halves.",
        _each(_whole_sectors),
    ),
    Mistake(
        "side-by-side",
        "neighbouring lanes are a whole row apart: your {where} is {got}, as if they were side by side.",
        "Lane n reads `w[n * 160 + k]`. How far is that from what lane n + 1 reads at the same moment?",
        _each(_side_by_side),
    ),
    Mistake(
        "skipped-sectors",
        "the elements in between come along: your {where} is {got}, as if lanes were side by side.",
        "32 lanes, 8 bytes apart. From the first to the last, how many sectors of 32 bytes is that?",
        _each(_stride_unseen),
    ),
    Mistake(
        "element-size",
        "a half has two bytes, so a sector holds 16: your {where} is {got}, as it would be in float32.",
        "`textbook` runs in float16.",
        _each(_four_bytes_in_sectors),
    ),
)

PREDICT = Question(
    lab="04",
    name="predict",
    title="three kernels' counters",
    asks="values",
    arguments=tuple(KERNELS),
    cases=tuple(Trial(name, (name,), name) for name in KERNELS),
    expected=expected,
    mistakes=MISTAKES,
    reveals=False,
    praise="checked mode counted what you foretold, to the last byte and the last sector.",
    steps=(
        "Begin with `asked`: how many threads, how often does each read this array, how many bytes an "
        "element?",
        "`must_move`: how many different elements does anybody touch? Times the bytes of an element.",
        "`sectors`: take one SIMD-group at one moment. Write down the byte at which each of its lanes reads, "
        "and count the different pieces of 32 bytes. Then multiply: SIMD-groups of the launch, times rounds "
        "of the loop.",
        "`every_other`: 32 lanes, 8 bytes apart, are 256 bytes. `rows`: lanes share `x[k]`, and in `w` "
        "they are 640 bytes apart. `textbook`: the threadgroup is 32 wide, so a SIMD-group has one m and "
        "32 n.",
        "Still lost? Run one kernel inside `anymetal.checked()`, print `report.counters.table()`, and "
        "explain each number to yourself before you write it down.",
    ),
)

QUESTIONS = (PREDICT,)

# --- repair: a transposing copy -------------------------------------------------------------------------


def _transposed(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"].T)


def _nothing(values: Mapping[str, Float64]) -> Float64:
    """A copy rounds nothing."""
    return np.zeros(values["x"].T.shape)


def _reference() -> Kernel:
    from kernels import transpose

    return transpose.tiled


def launch(source: str) -> Kernel:
    """A function of x[M, N] that launches `source` over N × M threads, rounded up to whole threadgroups of
    16 × 16. The body sees `x`, `y`, the dtype `T`, and the shapes that MLX adds when it names them."""
    kernel = _kernel("lab04", ["x"], source)

    def copy(x: mx.array) -> mx.array:
        rows, columns = x.shape
        outputs: list[mx.array] = kernel(
            inputs=[x],
            template=[("T", x.dtype)],
            grid=(-(-columns // TILE) * TILE, -(-rows // TILE) * TILE, 1),
            threadgroup=(TILE, TILE, 1),
            output_shapes=[(columns, rows)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return copy


def _copied(values: Mapping[str, Float64]) -> Float64 | None:
    """x as it lies, in an array of y's shape."""
    x = values["x"]
    return None if min(x.shape) == 1 else x.ravel().reshape(x.T.shape)


def _tiles_not_turned(empty: float) -> Callable[[Mapping[str, Float64]], Float64]:
    """A tile's place is transposed, and what is in it is not; `empty` where a ragged tile holds nothing."""

    def result(values: Mapping[str, Float64]) -> Float64:
        x = values["x"]
        rows, columns = x.shape
        n, m = np.indices((columns, rows))
        from_m, from_n = m // TILE * TILE + n % TILE, n // TILE * TILE + m % TILE
        loaded = (from_m < rows) & (from_n < columns)
        return np.where(loaded, x[np.minimum(from_m, rows - 1), np.minimum(from_n, columns - 1)], empty)

    return result


def _first_tile(values: Mapping[str, Float64]) -> Float64 | None:
    x = values["x"]
    n, m = np.indices(x.T.shape)
    return None if max(x.shape) <= TILE else np.asarray(x[m % TILE, n % TILE])


NEAR_MISSES = (
    NearMiss(
        "not-transposed",
        "y holds x in its old order: nothing has changed places.",
        "`x[m, n]` belongs at `y[n, m]`, and a row of y has M elements: `y[n * M + m]`.",
        _copied,
    ),
    *(
        NearMiss(
            "tile-not-turned",
            "each tile lies at the right place, and inside it nothing has changed places.",
            "A thread stores the element that another one has read. Written as `tile[t.y][t.x]`, it is read "
            "as `tile[t.x][t.y]`.",
            _tiles_not_turned(empty),
        )
        # Checked mode makes NaN of what nobody wrote; a kernel may have put zeros there.
        for empty in (np.nan, 0.0)
    ),
    NearMiss(
        "same-tile",
        "every tile of y holds the first tile of x.",
        "Where a threadgroup reads begins at `16 * threadgroup_position_in_grid`.",
        _first_tile,
    ),
)


def _sizes(m: int, n: int) -> dict[str, int]:
    return {"M": m, "N": n}


CASES = (
    # Small enough to follow by hand.
    Case(_sizes(2, 3)),
    Case(_sizes(2 * TILE, 3 * TILE)),
    # The same shape again with other numbers: an answer kept from the first call shows.
    Case(_sizes(2 * TILE, 3 * TILE)),
    Case(_sizes(TILE - 1, 2 * TILE + 1)),
    Case(_sizes(TILE + 1, TILE - 1)),
    # A column, a row, primes.
    Case(_sizes(67, 1)),
    Case(_sizes(1, 67)),
    Case(_sizes(31, 53)),
    Case(_sizes(19, 23), scale=1e-3),
    Case(_sizes(23, 19), scale=1e3),
    Case(_sizes(17, 35), data="nan"),
    Case(_sizes(17, 35), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(2, 3), dtype),
            Case(_sizes(33, 47), dtype),
            Case(_sizes(17, 35), dtype, "nan"),
        )
    ),
)

_TOGETHER = (
    "Let x of the threadgroup run along a row, of x where you load and of y where you store. What a thread "
    "stores, another one has loaded: the tile in threadgroup memory is where they swap."
)
BUDGETS = (
    Budget(
        "coalescing of the loads from x",
        lambda counts: counts.coalescing["x"],
        lambda sizes, size: 0.9,
        "lanes side by side come to 1",
        _TOGETHER,
        at_least=True,
    ),
    Budget(
        "coalescing of the stores",
        lambda counts: counts.store_coalescing,
        lambda sizes, size: 0.9,
        "lanes side by side come to 1",
        _TOGETHER,
        at_least=True,
    ),
    Budget(
        "bytes of x asked for",
        lambda counts: counts.read["x"],
        lambda sizes, size: 1.0 * size * sizes["M"] * sizes["N"],
        "M · N elements, each once",
        "One thread reads an element, and no other thread reads it again.",
    ),
    Budget(
        "bytes stored",
        lambda counts: counts.written,
        lambda sizes, size: 1.0 * size * sizes["M"] * sizes["N"],
        "M · N elements, each once",
        "One thread stores an element, in one launch: what lies between lies in threadgroup memory.",
    ),
)

APART = """
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint N = x_shape[1];
if (m < M && n < N) {
    y[n * M + m] = x[m * N + n];
}
"""

REPAIR = Exercise(
    lab="04",
    name="repair",
    title="a copy that stores side by side",
    arguments={"x": ("M", "N")},
    result=("y", ("N", "M")),
    oracle=_transposed,
    magnitude=_nothing,
    terms="M",
    reference=_reference,
    launch=launch,
    cases=CASES,
    near_misses=NEAR_MISSES,
    budgets=BUDGETS,
    budget_case=Case(_sizes(48, 80)),
    unoptimised=APART,
    within="one rounding of what was copied",
    operations=lambda sizes: 0.0,
    steps=(
        "Which side is apart in the kernel as it is? Count it checked, then ask which of `x[m * N + n]` and "
        "`y[n * M + m]` changes by 1 when n does.",
        "Swap the roles of n and m and the other side is apart. The way out is to let different threads do "
        "the two halves: load a tile of 16 × 16 side by side into threadgroup memory, wait, store it side by "
        "side.",
        "`threadgroup T tile[16][16];`, `tile[t.y][t.x] = x[...]`, then a barrier, then "
        "`y[...] = tile[t.x][t.y]`.",
        "For the store, m and n are new ones: `m = origin.y + t.x` runs along a row of y, `n = origin.x + "
        "t.y`. Each half has its own guard, and the barrier stands outside of both.",
    ),
    hints={
        "untouched": "The kernel ran and stored nothing. Its last line should be `y[n * M + m] = …`, with "
        "the m and n of the second half.",
        "race": "A thread stores what another one loaded: between the two stands a "
        "`threadgroup_barrier(mem_flags::mem_threadgroup)`.",
        "divergent-barrier": "The barrier stands outside of every `if`: threads without an element come to "
        "it as well. So do not return early; guard the load and the store.",
        "uninitialised": "The tile is read where nothing was loaded. The element written as `tile[t.y][t.x]` "
        "is read as `tile[t.x][t.y]`; the guard of the second half asks for the element that this thread "
        "*stores*.",
        "writes-past-end": "The grid is rounded up to whole threadgroups. Store only where n is below N "
        "and m is below M, with the m and n of the store.",
    },
)  # fmt: skip

EXERCISES = (REPAIR,)
