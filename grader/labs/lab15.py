"""Lab 15: nested widths, y[N] = x[K] · w[N, K]ᵀ from planes of bits, at five widths by one kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import DTYPES, Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss
from kernels.tolerance import exact

LANES = 32
SIMDGROUPS = 8
"""SIMD-groups of the standard launch's threadgroups: eight outputs."""
WORD = 32
"""Weights whose bits share a word."""

Values = Mapping[str, Float64]


def width(planes: int) -> int:
    """The bits of the model that needs so many planes: one fewer, and 8 for 8."""
    return 8 if planes == 8 else planes - 1


def _encode(values: Values, case: Case) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """Planes of w, with scales and biases in the case's dtype; and what near misses take apart again."""
    from kernels.quantized import nested

    group, bits = case.sizes["G"], case.sizes["bits"]
    w = nested.quantize(values["w"], group=group, dtype=DTYPES[case.dtype]).at(bits)
    part = nested.split(w)
    return (
        {"planes": part.planes, "scales": part.scales, "biases": part.biases},
        {
            "w": _numbers(part.codes(), exact(w.scales) * 2 ** (8 - bits), exact(w.biases)),
            "w_size": w.magnitudes(),
            "q": w.bytes_of_codes().astype(np.float64),
            "scales": exact(w.scales),
            "biases": exact(w.biases),
            "bits": np.array(bits, np.float64),
        },
    )


def _numbers(codes: np.ndarray, scales: Float64, biases: Float64) -> Float64:
    """scale · code + bias, with a scale for each group along K."""
    group = codes.shape[1] // scales.shape[1]
    return np.asarray(codes * np.repeat(scales, group, axis=1) + np.repeat(biases, group, axis=1))


def _oracle(values: Values) -> Float64:
    return np.asarray(values["w"] @ values["x"])


def _magnitude(values: Values) -> Float64:
    return np.asarray(values["w_size"] @ np.abs(values["x"]))


def _reference() -> Kernel:
    from kernels.quantized import nested

    def gemv(x: mx.array, planes: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        return nested.gemv(x, nested.Planes(planes, scales, biases, width(planes.shape[0])))

    return gemv


def launch(source: str) -> Kernel:
    """A function of (x, planes, scales, biases) that launches `source` with a SIMD-group for each output, in
    whole threadgroups of eight.

    The body sees the arrays and `y`, the dtype `T`, the width `R`, the number of planes `P`, and the shapes
    that it names.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab15",
        input_names=["x", "planes", "scales", "biases"],
        output_names=["y"],
        source=source,
    )

    def nested(x: mx.array, planes: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        count, n, _ = planes.shape
        threads = LANES * SIMDGROUPS
        outputs: list[mx.array] = kernel(
            inputs=[x, planes, scales, biases],
            template=[("T", x.dtype), ("R", width(count)), ("P", count)],
            grid=(-(-n // SIMDGROUPS) * threads, 1, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return nested


# --- wrong formulas -------------------------------------------------------------------------------


def _cut(q: Float64, bits: int) -> Float64:
    """S(q, bits) / 2^(8 − bits)."""
    return np.asarray(np.minimum(np.floor(q / 2 ** (8 - bits) + 0.5), 2**bits - 1))


def _codes(kind: str, says: str, hint: str, cut: Callable[[Float64, int], Float64 | None]) -> NearMiss:
    """Other codes, by `cut` of the codes of 8 bits and the width; None where it makes no sense."""

    def result(values: Values) -> Float64 | None:
        bits = int(values["bits"])
        codes = cut(values["q"], bits)
        if codes is None:
            return None
        w = _numbers(codes, values["scales"] * 2.0 ** (8 - bits), values["biases"])
        return np.asarray(w @ values["x"])

    return NearMiss(kind, says, hint, result)


def _groups(
    kind: str, says: str, hint: str, change: Callable[[Values, int], tuple[Float64, Float64]]
) -> NearMiss:
    """The right codes with other scales and biases."""

    def result(values: Values) -> Float64:
        bits = int(values["bits"])
        return np.asarray(_numbers(_cut(values["q"], bits), *change(values, bits)) @ values["x"])

    return NearMiss(kind, says, hint, result)


def _products(kind: str, says: str, hint: str, keep: Callable[[np.ndarray], np.ndarray]) -> NearMiss:
    """The sum over those k alone that `keep` lets through."""

    def result(values: Values) -> Float64 | None:
        kept = keep(np.arange(len(values["x"])))
        return None if kept.all() else np.asarray(values["w"][:, kept] @ values["x"][kept])

    return NearMiss(kind, says, hint, result)


def _bits_of(q: Float64) -> np.ndarray:
    """[8, ...]: bit 7 first, as the planes have them."""
    return np.array([np.asarray(q, np.int64) >> (7 - p) & 1 for p in range(8)])


def _from_planes(planes: np.ndarray, bits: int) -> Float64:
    """The code that a right kernel makes of planes in this order."""
    q = np.zeros(planes.shape[1:])
    for plane in planes:
        q = 2 * q + plane
    return np.minimum(np.floor((q + 1) / 2), 2**bits - 1) if len(planes) > bits else q


def _reversed_planes(q: Float64, bits: int) -> Float64:
    return _from_planes(_bits_of(q)[: min(bits + 1, 8)][::-1], bits)


def _planes_by_row(q: Float64, bits: int) -> Float64:
    """The store read as [N, P, K / 32]: word (n, p) of it is another plane's, or another row's."""
    planes = _bits_of(q)[: min(bits + 1, 8)]
    count, n, k = planes.shape
    return _from_planes(planes.reshape(n, count, k).transpose(1, 0, 2), bits)


def _reversed_words(q: Float64, bits: int) -> Float64:
    n, k = q.shape
    return _cut(q.reshape(n, k // WORD, WORD)[..., ::-1].reshape(n, k), bits)


def _first_of_row(values: Values, bits: int) -> tuple[Float64, Float64]:
    scales = values["scales"] * 2.0 ** (8 - bits)
    return (
        np.repeat(scales[:, :1], scales.shape[1], axis=1),
        np.repeat(values["biases"][:, :1], scales.shape[1], axis=1),
    )


def _row_zero(values: Values) -> Float64:
    return np.broadcast_to(_oracle(values)[:1], values["w"].shape[:1])


NEAR_MISSES = (
    _codes(
        "not-clamped",
        "a code that is rounded up past the largest one stays there: 2^R where 2^R − 1 is the most.",
        "R bits hold no 2^R. After rounding, `min(q, (1u << R) - 1)`.",
        lambda q, bits: np.floor(q / 2 ** (8 - bits) + 0.5) if bits < 8 else None,
    ),
    _codes(
        "not-rounded",
        "codes are cut off and not rounded: the bit below the top R is not used.",
        "The last of the P planes says whether to round up. With it the code has R + 1 bits: add 1 and "
        "halve, then clamp.",
        lambda q, bits: np.floor(q / 2 ** (8 - bits)) if bits < 8 else None,
    ),
    _codes(
        "planes-reversed",
        "the planes are taken in the wrong order: plane 0 holds the top bit of each code.",
        "Start with q = 0 and for p = 0, 1, … do `q = 2 * q + bit`: what came first ends on top.",
        _reversed_planes,
    ),
    _codes(
        "planes-by-row",
        "planes is read as if a row's planes lay side by side, [N, P, K / 32].",
        "planes is row-major [P, N, K / 32]: word i of row n in plane p is `(p * N + n) * words + i`.",
        _planes_by_row,
    ),
    _codes(
        "bits-reversed",
        "the bits of each word are taken from the wrong end: bit 0 belongs to the first of its 32 weights.",
        "Weight 32·i + j has bit j: `held[p] >> j & 1`.",
        _reversed_words,
    ),
    _groups(
        "scale-of-eight-bits",
        "codes of R bits are scaled as if they had 8.",
        "A step of an R-bit code is 2^(8 − R) steps of an 8-bit one: multiply the scale by `1 << (8 - R)`.",
        lambda values, bits: (values["scales"], values["biases"]),
    ),
    _groups(
        "bias-missing",
        "the biases are missing: each weight is scale · code.",
        "A weight is scale · code + bias, before it meets x.",
        lambda values, bits: (values["scales"] * 2.0 ** (8 - bits), 0 * values["biases"]),
    ),
    _groups(
        "first-scale",
        "every group of a row has the scale and bias of the row's first.",
        "Weight k belongs to group k / group of its row: with a word of 32 weights, `32 * i / group`.",
        _first_of_row,
    ),
    _products(
        "one-lane",
        "each sum holds lane 0's share and no other: its words' weights, 0 to 31, 1024 to 1055, …",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        lambda k: k // WORD % LANES == 0,
    ),
    _products(
        "first-word",
        "each lane's sum holds only its first word.",
        "A lane goes on: words lane, lane + 32, lane + 64, … while there are any.",
        lambda k: k < WORD * LANES,
    ),
    _products(
        "k-tail",
        "the words after the last whole step of 32 are missing: right only where K is a multiple of 1024.",
        "A lane takes word i while i < words. In the last step some lanes have none.",
        lambda k: k < len(k) // (WORD * LANES) * WORD * LANES,
    ),
    _products(
        "k-tail",
        "the last weight of each word is missing.",
        "A word holds 32 weights: j = 0, 1, …, 31.",
        lambda k: k % WORD < WORD - 1,
    ),
    NearMiss(
        "row-zero",
        "every element of y is the product of row 0 of w.",
        "The row n must appear in the index into planes and in that into scales and biases.",
        _row_zero,
    ),
)

# --- cases ----------------------------------------------------------------------------------------


def _sizes(n: int, k: int, bits: int, group: int) -> dict[str, int]:
    return {"N": n, "K": k, "bits": bits, "P": min(bits + 1, 8), "G": group}


# A width is a kernel of its own for each dtype, and compiling is what takes time: five kernels, one for each
# width. Float32 has one that rounds and the one that does not.
CASES = (
    # Small: one word a row. Then other shapes, and one of them again with other numbers.
    Case(_sizes(8, 32, 3, 32)),
    Case(_sizes(8, 128, 3, 32)),
    Case(_sizes(8, 128, 3, 32)),
    Case(_sizes(9, 64, 8, 32)),
    # Fewer words than lanes, more, and no multiple; a prime number of rows; one output.
    Case(_sizes(7, 192, 3, 64)),
    Case(_sizes(13, 1152, 3, 128)),
    Case(_sizes(67, 320, 8, 64)),
    Case(_sizes(1, 1024, 3, 64)),
    Case(_sizes(11, 192, 3, 64), scale=1e-3),
    Case(_sizes(12, 192, 3, 64), scale=1e3),
    # No infinity: where scale and bias are factored out of a sum, infinity less infinity is a NaN.
    Case(_sizes(10, 96, 3, 32), data="nan"),
    *(
        case
        for dtype, first, second in (("float16", 2, 4), ("bfloat16", 6, 6))
        for case in (
            Case(_sizes(9, 96, first, 32), dtype),
            Case(_sizes(5, 2112, second, 64), dtype, "positive"),
            Case(_sizes(12, 256, first, 128), dtype, scale=10.0),
            Case(_sizes(10, 160, second, 32), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

BUDGETS = (
    Budget(
        "bytes of planes asked for",
        lambda counts: counts.read["planes"],
        lambda sizes, size: sizes["P"] * sizes["N"] * sizes["K"] / 8,
        "P bits a weight, each word once",
        "Load the P words of 32 weights into variables, then take all 32 codes out of them.",
    ),
    Budget(
        "coalescing of the loads of planes",
        lambda counts: counts.coalescing["planes"],
        lambda sizes, size: 0.7,
        "0.7 of what moves is asked for",
        "At each step the 32 lanes should read 32 neighbouring words of one plane: lane i takes words i, "
        "i + 32, i + 64, …",
        at_least=True,
    ),
    Budget(
        "bytes of scales asked for",
        lambda counts: counts.read["scales"],
        lambda sizes, size: sizes["N"] * sizes["K"] / WORD * size,
        "one scale for each word of 32 weights",
        "The 32 weights of a word share a scale and a bias: load them before the loop over the weights.",
    ),
)

A_WEIGHT_A_LANE = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = planes_shape[1];
uint words = planes_shape[2];
uint groups = scales_shape[1];
uint K = 32 * words;
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    uint q = 0;
    for (uint p = 0; p < P; p++) {
        q = 2 * q + (planes[(p * N + n) * words + k / 32] >> (k % 32) & 1);
    }
    if (P > R) {
        q = min((q + 1) / 2, (1u << R) - 1);
    }
    uint g = n * groups + k / (K / groups);
    float weight = float(scales[g]) * (1 << (8 - R)) * float(q) + float(biases[g]);
    sum += weight * float(x[k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
"""

EXERCISES = (
    Exercise(
        lab="15",
        name="",
        title="one kernel for five widths",
        arguments={
            "x": ("K",),
            "planes": ("P", "N", "K / 32"),
            "scales": ("N", "K / G"),
            "biases": ("N", "K / G"),
        },
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        budget_case=Case(_sizes(16, 2048, 4, 64), "float16"),
        unoptimised=A_WEIGHT_A_LANE,
        encoding=Encoding({"x": ("K",), "w": ("N", "K")}, _encode),
        within="the rounding error of a float32 sum of its products",
        steps=(
            "A lane takes word i = lane, lane + 32, lane + 64, … of its row while i < words. One word of "
            "each plane, P in all: `uint held[P];`, filled from `planes[(p * N + n) * words + i]`.",
            "The 32 weights of a word share a scale and a bias: those of group "
            "`n * groups + 32 * i / group`. The scale of R-bit codes is `float(scales[g]) * (1 << (8 - R))`.",
            "A loop over j = 0 … 31. The code: `uint q = 0;`, then for each p from 0 on "
            "`q = 2 * q + (held[p] >> j & 1);`.",
            "Where P is R + 1, q has one bit too many. Round half up, `(q + 1) / 2`, and clamp to "
            "`(1u << R) - 1`. `if (P > R)` costs nothing: both are template parameters.",
            "`sum += (scale * float(q) + bias) * float(x[32 * i + j]);` After the loops `simd_sum(sum)`, in "
            "all lanes, and lane 0 stores `T(sum)`. A SIMD-group with n ≥ N leaves at the top.",
        ),
        hints={
            "half-products": "Convert scale, code, bias and x to float before they meet, and keep the sum in "
            "a `float`.",
            "untouched": "The kernel ran and stored nothing. After the loops: `sum = simd_sum(sum);`, and "
            "lane 0 stores `y[n] = T(sum);`.",
            "writes-past-end": "The last threadgroup has SIMD-groups for which there is no row: "
            "`if (n >= N) { return; }` at the top.",
            "reads-past-end": "planes has P planes of `words` words a row; scales and biases have `groups` "
            "a row. With P = 8 there is no ninth plane to round by. A lane reads while i < words.",
            "same-value-race": "All lanes hold the sum after `simd_sum`. Let one of them store it.",
            "partly-unwritten": "Each row needs a SIMD-group that stores: `n = thread_position_in_grid.x / "
            "32`, and 32 threads a row in the launch.",
            "grid-too-small": "`grid` counts threads. Each row takes 32 of them.",
        },
    ),
)
