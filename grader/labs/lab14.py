"""Lab 14: the fused Q4_K GEMV, y[N] = W[N, K] · x[K] from super-blocks of 256 weights in 144 bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss

LANES = 32
SIMDGROUPS = 8
"""SIMD-groups of the standard launch's threadgroups: eight outputs."""
BLOCK = 256
BYTES = 144

Values = Mapping[str, Float64]


def _encode(values: Values, case: Case) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """Super-blocks of w, what they stand for, and their parts for near misses to put together otherwise."""
    from kernels.quantized import q4_k

    w = q4_k.quantize(values["w"])
    octets = np.array(w.blocks)
    d, dmin, sc, m, q = (part.astype(np.float64) for part in q4_k.unpack(octets))
    # Of the header, too, what nibbles it would make: some kernels begin there.
    low, high = (octets[..., :128].reshape(*octets.shape[:2], 4, 1, 32) >> shift & 15 for shift in (0, 4))
    early = np.concatenate([low, high], axis=-2).reshape(q.shape).astype(np.float64)
    parts = {"d": d, "dmin": dmin, "sc": sc, "m": m, "q": q, "early": early}
    exact = {"w": w.dequantize().astype(np.float64), "w_size": w.magnitudes()}
    return {"blocks": w.blocks}, {**exact, **parts}


def _oracle(values: Values) -> Float64:
    return np.asarray(values["w"] @ values["x"])


def _magnitude(values: Values) -> Float64:
    """Σ|x|·(|s·q| + |b|), made larger for the seven roundings that a fused kernel adds to a product's K: see
    ``kernels.tolerance.quantized``."""
    terms = len(values["x"])
    return np.asarray((terms + 7) / terms * (values["w_size"] @ np.abs(values["x"])))


def _reference() -> Kernel:
    from kernels.quantized import q4_k

    return lambda x, blocks: q4_k.gemv(x, q4_k.Q4_K(blocks))


def launch(source: str) -> Kernel:
    """A function of (x, blocks) that launches `source` with a SIMD-group for each output, in whole
    threadgroups of eight. The body sees `x`, `blocks`, `y`, the dtype `T`, and the shapes that it names."""
    kernel: Any = mx.fast.metal_kernel(
        name="lab14", input_names=["x", "blocks"], output_names=["y"], source=source
    )

    def gemv(x: mx.array, blocks: mx.array) -> mx.array:
        n, threads = blocks.shape[0], LANES * SIMDGROUPS
        outputs: list[mx.array] = kernel(
            inputs=[x, blocks],
            template=[("T", x.dtype)],
            grid=(-(-n // SIMDGROUPS) * threads, 1, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return gemv


# --- wrong formulas -------------------------------------------------------------------------------

Parts = tuple[Float64, Float64, Float64, Float64, Float64]


def _parts(kind: str, says: str, hint: str, change: Callable[[Parts], Parts]) -> NearMiss:
    """The product with other d, dmin, scales, minimums or codes: d and dmin [N, B], sc and m [N, B, 8], q
    [N, B, 8, 32] before and after, or what broadcasts to that."""

    def result(values: Values) -> Float64:
        d, dmin, sc, m, q = change((values["d"], values["dmin"], values["sc"], values["m"], values["q"]))
        w = (d[..., None] * sc)[..., None] * q - (dmin[..., None] * m)[..., None]
        return np.asarray(w.reshape(values["w"].shape) @ values["x"])

    return NearMiss(kind, says, hint, result)


def _products(kind: str, says: str, hint: str, keep: Callable[[np.ndarray], np.ndarray]) -> NearMiss:
    """The sum over those k alone that `keep` lets through."""

    def result(values: Values) -> Float64 | None:
        kept = keep(np.arange(len(values["x"])))
        return None if kept.all() else np.asarray(values["w"][:, kept] @ values["x"][kept])

    return NearMiss(kind, says, hint, result)


def _row_zero(values: Values) -> Float64:
    return np.broadcast_to(_oracle(values)[:1], values["w"].shape[:1])


def _first(part: Float64) -> Float64:
    """That of the row's first super-block, for all of them."""
    return np.repeat(part[:, :1], part.shape[1], axis=1)


def _bytes_of(q: Float64) -> tuple[Float64, Float64]:
    """The low and the high nibbles, [N, B, 4, 32]."""
    return q[..., 0::2, :], q[..., 1::2, :]


def _low_then_high_of_sixteen(q: Float64) -> Float64:
    """Nibbles taken as Q4_0 has them: 16 bytes a sub-block."""
    low, high = (each.reshape(*q.shape[:-2], 8, 16) for each in _bytes_of(q))
    return np.concatenate([low, high], axis=-1)


def _neighbours(q: Float64) -> Float64:
    """Byte j taken to hold elements 2j and 2j + 1."""
    return np.stack(_bytes_of(q), axis=-1).reshape(q.shape)


def _without_upper(six: Float64) -> Float64:
    return np.concatenate([six[..., :4], six[..., 4:] % 16], axis=-1)


def _upper_at_the_bottom(six: Float64) -> Float64:
    whole = six[..., 4:].astype(np.int64)
    return np.concatenate([six[..., :4], whole & 15 | whole >> 4], axis=-1)


def _from_the_header(values: Values) -> Float64:
    scale, low = values["d"][..., None] * values["sc"], values["dmin"][..., None] * values["m"]
    w = scale[..., None] * values["early"] - low[..., None]
    return np.asarray(w.reshape(values["w"].shape) @ values["x"])


NEAR_MISSES = (
    _parts(
        "nibbles-swapped",
        "low and high nibbles have changed places.",
        "In the i-th 32 bytes, low nibbles are sub-block 2i and high nibbles are sub-block 2i + 1.",
        lambda p: (*p[:4], p[4].reshape(*p[4].shape[:-2], 4, 2, 32)[..., ::-1, :].reshape(p[4].shape)),
    ),
    _parts(
        "nibbles-as-q4_0",
        "nibbles are taken as Q4_0 has them: 16 bytes for 32 weights.",
        "Here 32 bytes hold two sub-blocks: byte j holds element j of one and element j of the other.",
        lambda p: (*p[:4], _low_then_high_of_sixteen(p[4])),
    ),
    _parts(
        "nibbles-interleaved",
        "a byte's two nibbles are taken for neighbours, elements 2j and 2j + 1.",
        "They are 32 elements apart: byte j of a piece of 32 holds element j of two sub-blocks.",
        lambda p: (*p[:4], _neighbours(p[4])),
    ),
    _parts(
        "minimum-missing",
        "the minimums are missing: each weight is d · sc · q.",
        "A weight is d · sc · q − dmin · m. Summed up, that is scale · Σ q x − minimum · Σ x.",
        lambda p: (p[0], 0 * p[1], *p[2:]),
    ),
    _parts(
        "minimum-added",
        "the minimums are added; the format takes them away.",
        "A weight is d · sc · q − dmin · m.",
        lambda p: (p[0], -p[1], *p[2:]),
    ),
    _parts(
        "upper-bits-missing",
        "scales and minimums of sub-blocks 4 to 7 have lost their upper two bits.",
        "Bytes 8 to 11 of the twelve hold four bits of each. The other two lie on top of bytes 0 to 3 for "
        "scales, of bytes 4 to 7 for minimums: `low >> 2 & 0x3030` puts them above the four.",
        lambda p: (p[0], p[1], _without_upper(p[2]), _without_upper(p[3]), p[4]),
    ),
    _parts(
        "upper-bits-misplaced",
        "the upper two bits of scales and minimums 4 to 7 land on their lowest two.",
        "They lie in bits 6 and 7 of a byte and belong in bits 4 and 5: shift right by two, and mask with "
        "0x3030.",
        lambda p: (p[0], p[1], _upper_at_the_bottom(p[2]), _upper_at_the_bottom(p[3]), p[4]),
    ),
    _parts(
        "scale-and-minimum-swapped",
        "scales are taken for minimums, and minimums for scales.",
        "Of the twelve bytes, 0 to 3 belong to scales and 4 to 7 to minimums; in bytes 8 to 11 the low "
        "nibble is the scale's.",
        lambda p: (p[0], p[1], p[3], p[2], p[4]),
    ),
    _parts(
        "neighbours-scale",
        "each sub-block has scale and minimum of its neighbour: 2i those of 2i + 1, and the other way round.",
        "The low byte of two is sub-block 2i's, which has the low nibbles.",
        lambda p: (
            p[0],
            p[1],
            p[2][..., [1, 0, 3, 2, 5, 4, 7, 6]],
            p[3][..., [1, 0, 3, 2, 5, 4, 7, 6]],
            p[4],
        ),
    ),
    _parts(
        "halves-turned",
        "sub-blocks 0 to 3 have scales and minimums of 4 to 7, and the other way round.",
        "Lanes 0 to 15 hold sub-blocks 0 to 3, whose six bits lie together.",
        lambda p: (p[0], p[1], np.roll(p[2], 4, axis=-1), np.roll(p[3], 4, axis=-1), p[4]),
    ),
    _parts(
        "d-for-both",
        "the minimums are multiplied with d; theirs is dmin.",
        "A super-block begins with two halves: d for the scales, dmin for the minimums.",
        lambda p: (p[0], p[0], *p[2:]),
    ),
    _parts(
        "first-header",
        "every super-block of a row has the header of the row's first.",
        "The header is the first 16 bytes of each super-block: load it inside the loop.",
        lambda p: (_first(p[0]), _first(p[1]), _first(p[2]), _first(p[3]), p[4]),
    ),
    _products(
        "one-lane",
        "each sum holds lane 0's share and no other: the first four weights of sub-blocks 0 and 1.",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        lambda k: (k % BLOCK < 64) & (k % 32 < 4),
    ),
    _products(
        "even-sub-blocks-only",
        "only the low nibbles are there: sub-blocks 0, 2, 4 and 6.",
        "Each byte holds two weights. Its high nibble belongs to x 32 elements further on.",
        lambda k: k % 64 < 32,
    ),
    _products(
        "last-step",
        "each sum holds only its row's last super-block.",
        "Add to the sum: `sum += …`, not `sum = …`.",
        lambda k: k >= len(k) - BLOCK,
    ),
    _products(
        "k-tail",
        "the last super-block of each row is missing.",
        "A row has K / 256 super-blocks, `blocks_shape[1]`: b = 0, 1, … while b < count.",
        lambda k: k < len(k) - BLOCK,
    ),
    _products(
        "first-step",
        "each sum holds only its row's first super-block.",
        "All 32 lanes go through all the row's super-blocks: b = 0, 1, … while b < count.",
        lambda k: k < BLOCK,
    ),
    NearMiss(
        "header-as-nibbles",
        "the first 16 bytes of each super-block are taken for nibbles, and its last 16 are not read.",
        "The header is four words: nibbles begin at word 4, so lane l takes `words[4 + lane]`.",
        _from_the_header,
    ),
    NearMiss(
        "row-zero",
        "every element of y is the product of row 0 of w.",
        "Super-block b of row n begins at byte `(n * count + b) * 144`.",
        _row_zero,
    ),
)

# --- cases ----------------------------------------------------------------------------------------


def _sizes(n: int, k: int) -> dict[str, int]:
    return {"N": n, "K": k}


# No case has an infinity: a kernel that adds up q · x and x apart makes NaN of it, one that makes a number of
# each weight first does not, and both are right.
CASES = (
    # One super-block a row; two; and the same again with other numbers.
    Case(_sizes(8, 256)),
    Case(_sizes(8, 512)),
    Case(_sizes(8, 512)),
    # One row less and one more than a threadgroup's; one row; a prime number of rows and of super-blocks.
    Case(_sizes(7, 768)),
    Case(_sizes(9, 256)),
    Case(_sizes(1, 1024)),
    Case(_sizes(37, 1792)),
    Case(_sizes(11, 512), scale=1e-3),
    Case(_sizes(11, 512), scale=1e3),
    Case(_sizes(10, 512), data="nan"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(9, 512), dtype),
            Case(_sizes(5, 2048), dtype, "positive"),
            Case(_sizes(13, 256), dtype, scale=10.0),
            Case(_sizes(10, 512), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

BUDGETS = (
    Budget(
        "bytes of blocks asked for",
        lambda counts: counts.read["blocks"],
        lambda sizes, size: sizes["N"] * sizes["K"] / BLOCK * BYTES,
        "144 bytes for 256 weights, each once",
        "The nibbles of a super-block are 32 words, one a lane. Its header is 16 bytes that all lanes need: "
        "let lanes 0 to 3 load a word each, and give them to the others with `simd_shuffle`.",
    ),
    Budget(
        "coalescing of the loads of blocks",
        lambda counts: counts.coalescing["blocks"],
        lambda sizes, size: 0.7,
        "0.7 of what moves is asked for",
        "The 32 lanes should read 32 neighbouring words of one super-block: lane l takes word 4 + l of its "
        "36.",
        at_least=True,
    ),
)

A_BYTE_A_LANE = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint count = blocks_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint b = 0; b < count; b++) {
    auto block = blocks + (n * count + b) * 144;
    float d = float(*(const device half*)block);
    float dmin = float(*(const device half*)(block + 2));
    auto s = block + 4;
    for (uint j = 0; j < 8; j++) {
        uint sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
        uint m = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | s[j] >> 6 << 4;
        uint both = block[16 + j / 2 * 32 + lane];
        uint q = j % 2 == 0 ? both & 15 : both >> 4;
        sum += (d * float(sc) * float(q) - dmin * float(m)) * float(x[b * 256 + j * 32 + lane]);
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
"""

EXERCISES = (
    Exercise(
        lab="14",
        name="",
        title="the fused Q4_K GEMV",
        arguments={"x": ("K",), "blocks": ("N", f"K / {BLOCK}", str(BYTES))},
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        budget_case=Case(_sizes(32, 1024)),
        unoptimised=A_BYTE_A_LANE,
        encoding=Encoding({"x": ("K",), "w": ("N", "K")}, _encode),
        within="the rounding error of a float32 sum of its products",
        steps=(
            "A super-block is 36 words: `auto words = (const device uint*)(blocks + (n * count + b) * "
            "144);`. Word 0 is d and dmin, words 1 to 3 are the twelve bytes, words 4 to 35 the nibbles.",
            "Lanes 0 to 3 have loaded the header and given it to all lanes by shuffles: a shuffle stands "
            "where all 32 lanes are, outside of any `if`. d and dmin are there; what you need of words 1 to "
            "3 are the two lowest bytes.",
            "With p = lane / 8, a lane's nibbles belong to sub-blocks 2p and 2p + 1, whose bytes stand side "
            "by side: shift words 1 to 3 right by `p % 2 * 16`. For p < 2, scales are `low & 0x3f3f` and "
            "minimums `middle & 0x3f3f`, two of six bits each.",
            "For p ≥ 2, scales are `(high & 0x0f0f) | (low >> 2 & 0x3030)` and minimums `(high >> 4 & "
            "0x0f0f) | (middle >> 2 & 0x3030)`. The low byte is sub-block 2p's, the next one 2p + 1's.",
            "Word 4 + lane holds eight codes: byte i's low nibble meets `x[k + i]` and its high one `x[k + "
            "32 + i]`, with k = 256 b + 64 p + 4 (lane % 8). Add up code · x and x apart for each of the "
            "two sub-blocks; then scale · Σ code · x − minimum · Σ x.",
            "After the loop `simd_sum(sum)` in all lanes, and lane 0 stores `T(sum)`. A SIMD-group with n ≥ "
            "N leaves at the top.",
        ),
        hints={
            "half-products": "Convert code, scale, minimum and x to float before they meet, and keep the "
            "sum in a `float`.",
            "half-accumulator": "Keep the sums in `float`, not in `T`: a half has 11 bits.",
            "untouched": "The kernel ran and stored nothing. After the loop: `sum = simd_sum(sum);`, and "
            "lane 0 stores `y[n] = T(sum);`.",
            "writes-past-end": "The last threadgroup has SIMD-groups for which there is no row: "
            "`if (n >= N) { return; }` at the top.",
            "reads-past-end": "A row has `blocks_shape[1]` super-blocks of 144 bytes, and a super-block 36 "
            "words: 4 of header, 32 of nibbles.",
            "inactive-lane": "`simd_shuffle` asks a lane that is elsewhere. The load may stand in a "
            "condition, `lane < 4 ? words[lane] : 0`; the shuffles must be where all 32 lanes are.",
            "misaligned": "A word begins at a multiple of four bytes. A super-block's 36 do; two bytes "
            "further on, none does.",
            "same-value-race": "All lanes hold the sum after `simd_sum`. Let one of them store it.",
            "partly-unwritten": "Each row needs a SIMD-group that stores: `n = thread_position_in_grid.x / "
            "32`, and 32 threads a row in the launch.",
            "grid-too-small": "`grid` counts threads. Each row takes 32 of them.",
        },
    ),
)
