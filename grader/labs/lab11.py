"""Lab 11: y[N] = W[N, K] · x[K] with W in blocks of Q4_0, each byte asked for once, in whole sectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss
from kernels import tolerance
from kernels.quantized import q4_0

LANES = 32
SIMDGROUPS = 4
"""SIMD-groups of the standard launch's threadgroups, one an output."""

Values = Mapping[str, Float64]


def _encode(values: Values, _case: Case) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """w [N, K] in Q4_0; what it stands for, how large its two summands are, its codes and its scales."""
    w = q4_0.quantize(values["w"])
    d, q = q4_0.unpack(np.array(w.blocks))
    return {"blocks": w.blocks}, {
        "w": w.dequantize().astype(np.float64),
        "w_size": w.magnitudes(),
        "q": q.reshape(w.shape).astype(np.float64),
        "d": d.astype(np.float64),
    }


def _oracle(values: Values) -> Float64:
    return np.asarray(values["w"] @ values["x"])


# Roundings of a term beyond the K of a plain sum, where the 8 and the scale are taken out of it: the share of
# the 8 taken away, and the product with the scale. See `kernels.tolerance.quantized`.
FURTHER = 2


def _magnitude(values: Values) -> Float64:
    k = len(values["x"])
    wider = tolerance.gamma(k + FURTHER) / tolerance.gamma(k)
    return np.asarray(wider * (values["w_size"] @ np.abs(values["x"])))


def _reference() -> Kernel:
    def gemv(x: mx.array, blocks: mx.array) -> mx.array:
        return q4_0.gemv(x, q4_0.Q4_0(blocks))

    return gemv


def launch(source: str) -> Kernel:
    """A function of (x, blocks) that launches a body over whole threadgroups of 4 SIMD-groups, one an output.
    The body sees `x`, `blocks`, `y`, the dtype `T`, and the shapes it names."""
    kernel: Any = mx.fast.metal_kernel(
        name="lab11", input_names=["x", "blocks"], output_names=["y"], source=source
    )

    def gemv(x: mx.array, blocks: mx.array) -> mx.array:
        threadgroups = -(-blocks.shape[0] // SIMDGROUPS)
        outputs: list[mx.array] = kernel(
            inputs=[x, blocks],
            template=[("T", x.dtype)],
            grid=(LANES * SIMDGROUPS * threadgroups, 1, 1),
            threadgroup=(LANES * SIMDGROUPS, 1, 1),
            output_shapes=[(blocks.shape[0],)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return gemv


# --- wrong formulas -------------------------------------------------------------------------------


def _halves(values: Values) -> tuple[Float64, Float64]:
    """The codes of the low and the high nibbles, [N, K / 32, 16] each."""
    n, blocks = values["d"].shape
    q = values["q"].reshape(n, blocks, 2, 16)
    return q[:, :, 0], q[:, :, 1]


def _product(values: Values, codes: Float64, d: Float64 | None = None, x: Float64 | None = None) -> Float64:
    """y of other codes [N, K / 32, 32], already without their 8, other scales or another x."""
    d = values["d"] if d is None else d
    x = values["x"] if x is None else x
    return np.asarray((codes * d[:, :, None]).reshape(len(d), -1) @ x)


def _centred(values: Values) -> Float64:
    n, blocks = values["d"].shape
    return values["q"].reshape(n, blocks, 32) - 8


def _interleaved(values: Values) -> Float64:
    low, high = _halves(values)
    return _product(values, np.stack([low, high], axis=-1).reshape(*low.shape[:2], 32) - 8)


def _swapped(values: Values) -> Float64:
    low, high = _halves(values)
    return _product(values, np.concatenate([high, low], axis=-1) - 8)


def _one_half(which: int) -> Callable[[Values], Float64]:
    def result(values: Values) -> Float64:
        codes = _centred(values).copy()
        codes[..., 16 * (1 - which) : 16 * (2 - which)] = 0
        return _product(values, codes)

    return result


def _without_eight(values: Values) -> Float64:
    return _product(values, _centred(values) + 8)


def _as_signed(values: Values) -> Float64:
    """Nibbles taken for signed numbers of 4 bits."""
    q = _centred(values) + 8
    return _product(values, np.where(q < 8, q, q - 16))


def _eight_unscaled(values: Values) -> Float64:
    y = _product(values, _centred(values) + 8)
    return np.asarray(y - 8 * values["x"].sum())


def _shift_forgotten(values: Values) -> Float64:
    low, high = _halves(values)
    return _product(values, np.concatenate([low - 8, 16 * high - 8], axis=-1))


def _without_scale(values: Values) -> Float64:
    return _product(values, _centred(values), np.ones_like(values["d"]))


def _scale_beside(apart: int) -> Callable[[Values], Float64 | None]:
    """The scale of the block before or after the right one in its row, where there is one."""

    def result(values: Values) -> Float64 | None:
        d = values["d"]
        blocks = d.shape[1]
        beside = np.clip(np.arange(blocks) + apart, 0, blocks - 1)
        return None if blocks == 1 else _product(values, _centred(values), d[:, beside])

    return result


def _first_scale(values: Values) -> Float64 | None:
    d = values["d"]
    if d.shape[1] == 1:
        return None
    return _product(values, _centred(values), np.repeat(d[:, :1], d.shape[1], axis=1))


def _some_blocks(values: Values, chosen: slice) -> Float64 | None:
    """The sum over some blocks of a row only; None where those are all of them."""
    d = np.zeros_like(values["d"])
    d[:, chosen] = values["d"][:, chosen]
    return None if np.array_equal(d, values["d"]) else _product(values, _centred(values), d)


def _first_blocks(count: int) -> Callable[[Values], Float64 | None]:
    return lambda values: _some_blocks(values, slice(0, count))


def _whole_steps(step: int) -> Callable[[Values], Float64 | None]:
    return lambda values: _some_blocks(values, slice(0, values["d"].shape[1] // step * step))


def _same_x(values: Values) -> Float64 | None:
    """Every block multiplied with the first 32 numbers of x."""
    x = values["x"]
    return None if len(x) == 32 else _product(values, _centred(values), x=np.tile(x[:32], len(x) // 32))


def _row_zero(values: Values) -> Float64:
    return np.broadcast_to(values["w"][0] @ values["x"], values["w"].shape[:1])


def _k_tail(step: int, says: str) -> NearMiss:
    return NearMiss(
        "k-tail",
        f"the last (K / 32) % {step} blocks of each row are missing: {says}",
        "The last step has fewer blocks than the others: `min(32u, B - first)` of them. Copy and add those, "
        "and no more.",
        _whole_steps(step),
    )


NEAR_MISSES = (
    NearMiss(
        "nibbles-interleaved",
        "byte j of a block is taken for elements 2j and 2j + 1.",
        "Byte j holds element j in its low nibble and element j + 16 in its high one.",
        _interleaved,
    ),
    NearMiss(
        "nibbles-swapped",
        "the low and the high nibbles have changed places.",
        "Byte j holds element j in its low nibble, `codes & 15`, and element j + 16 in its high one.",
        _swapped,
    ),
    NearMiss(
        "half-missing",
        "elements 16 to 31 of each block, the high nibbles, are missing.",
        "Each byte is two weights: element j and element j + 16.",
        _one_half(0),
    ),
    NearMiss(
        "half-missing",
        "elements 0 to 15 of each block, the low nibbles, are missing.",
        "Each byte is two weights: element j and element j + 16.",
        _one_half(1),
    ),
    NearMiss(
        "eight-missing",
        "each weight is d · q; it is d · (q − 8).",
        "Take 8 from each code, or 8 times the sum of the block's x from the sum of q · x.",
        _without_eight,
    ),
    NearMiss(
        "eight-unscaled",
        "8 times the sum of x is taken away without the scale.",
        "d · Σ (q − 8) x is d · (Σ q x − 8 Σ x): the scale stands outside of both sums.",
        _eight_unscaled,
    ),
    NearMiss(
        "signed-nibbles",
        "the nibbles are taken for signed numbers, −8 to 7 from the bits 1000 to 0111.",
        "A nibble q is 0 to 15, and stands for d · (q − 8).",
        _as_signed,
    ),
    NearMiss(
        "shift-missing",
        "the high nibbles count 16 times.",
        "`codes & 0xF0` is 16 times the code: shift it down by 4, or divide x by 16 beforehand.",
        _shift_forgotten,
    ),
    NearMiss(
        "scale-missing",
        "no weight is multiplied by its block's scale.",
        "A block begins with its scale, a half: `as_type<half>` of its first 16 bits.",
        _without_scale,
    ),
    NearMiss(
        "neighbours-scale",
        "each block is multiplied by the scale of the next one.",
        "The scale stands *before* the 16 bytes that it belongs to: at 9 · b of a row's 16-bit words.",
        _scale_beside(1),
    ),
    NearMiss(
        "neighbours-scale",
        "each block is multiplied by the scale of the one before.",
        "The scale stands *before* the 16 bytes that it belongs to: at 9 · b of a row's 16-bit words.",
        _scale_beside(-1),
    ),
    NearMiss(
        "first-scale",
        "every block of a row is multiplied by the scale of its first.",
        "Each block of 32 has its own scale: b must appear in the index of the scale.",
        _first_scale,
    ),
    NearMiss(
        "same-x",
        "every block is multiplied with x[0] to x[31].",
        "Block b meets x[32 * b] to x[32 * b + 31].",
        _same_x,
    ),
    NearMiss(
        "first-step-only",
        "only the first 32 blocks of each row are added up.",
        "A row of K weights has K / 32 blocks: go on with the next 32, and the next, up to the last.",
        _first_blocks(32),
    ),
    NearMiss(
        "one-lane",
        "each sum holds lane 0's share and no other: blocks 0, 32, 64, …",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        lambda values: _some_blocks(values, slice(0, None, LANES)),
    ),
    NearMiss(
        "row-zero",
        "every element of y is the product of row 0.",
        "Row n of the blocks begins at byte n * B * 18, with B = K / 32 blocks a row.",
        _row_zero,
    ),
    *(_k_tail(step, f"right only where {step} divides K / 32.") for step in (32, 4, 2)),
)


def _sizes(n: int, k: int) -> dict[str, int]:
    return {"N": n, "K": k}


# What takes time is compiling: once a dtype.
CASES = (
    # Small enough to follow by hand.
    Case(_sizes(3, 96)),
    Case(_sizes(SIMDGROUPS, 32)),
    # The same shape with other numbers: an answer kept from the first call shows.
    Case(_sizes(SIMDGROUPS, 32)),
    # Fewer blocks than a step of 32 has, as many, and one more; rows that do not fill a threadgroup.
    Case(_sizes(SIMDGROUPS - 1, 31 * 32)),
    Case(_sizes(SIMDGROUPS + 1, 32 * 32)),
    Case(_sizes(2 * SIMDGROUPS + 1, 33 * 32)),
    # Primes.
    Case(_sizes(1, 7 * 32)),
    Case(_sizes(67, 3 * 32)),
    Case(_sizes(17, 71 * 32)),
    Case(_sizes(13, 5 * 32), scale=1e-3),
    Case(_sizes(11, 5 * 32), scale=1e3),
    Case(_sizes(9, 5 * 32), data="nan"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(37, 5 * 32), dtype),
            Case(_sizes(5, 67 * 32), dtype, "positive"),
            Case(_sizes(13, 9 * 32), dtype, scale=10.0),
            Case(_sizes(9, 5 * 32), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

# Rows that begin where a sector does, in whole steps of 32 blocks: what is left is the kernel's own doing.
BUDGET_CASE = Case(_sizes(16, 2048))

EACH_ONCE = Budget(
    "bytes of blocks asked for",
    lambda counts: counts.read["blocks"],
    lambda sizes, size: 18 / 32 * sizes["N"] * sizes["K"],
    "18/32 · N·K bytes, each once",
    "Who asks twice? If several lanes share a block and each loads its scale, the scale is asked for by all.",
)
WHOLE_SECTORS = Budget(
    "coalescing of the loads of blocks",
    lambda counts: counts.coalescing["blocks"],
    lambda sizes, size: 0.7,
    "0.7 of what moves is asked for",
    "Let the 32 lanes load 32 neighbouring 16-bit words, whatever these are, scales or codes. Put them into "
    "threadgroup memory, and take scale and codes from there.",
    at_least=True,
)

BLOCK_A_LANE = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint b = lane; b < B; b += 32) {
    auto block = blocks + (n * B + b) * 18;
    float d = float(as_type<half>(ushort(block[0] | block[1] << 8)));
    for (uint j = 0; j < 16; j++) {
        int codes = block[2 + j];
        sum += d * ((codes & 15) - 8) * float(x[32 * b + j]);
        sum += d * ((codes >> 4) - 8) * float(x[32 * b + j + 16]);
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
"""

PAST_THE_END = (
    "The last threadgroup has SIMD-groups for which there is no row. All their lanes must leave, or have "
    "nothing to do, before anything is read or stored."
)
TOO_FEW = "`grid` counts threads. One SIMD-group an output makes 32 · N."
IN_FLOAT = (
    "Convert x and the code to `float` before you multiply, and keep every lane's sum in a `float`: "
    "`sum += d * float(q - 8) * float(x[k]);`. Products rounded too early and sums kept in half look alike "
    "here."
)
FENCE = (
    "Lanes read words that other lanes have put into threadgroup memory, and the next round writes over "
    "them. There must be a `simdgroup_barrier(mem_flags::mem_threadgroup)` between the copy and the "
    "reading, and one between the reading and the next copy."
)

EXERCISES = (
    Exercise(
        lab="11",
        name="",
        title="Q4_0 GEMV within budget",
        arguments={"x": ("K",), "blocks": ("N", "K/32", "18")},
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        encoding=Encoding({"x": ("K",), "w": ("N", "K")}, _encode),
        near_misses=NEAR_MISSES,
        budgets=(EACH_ONCE, WHOLE_SECTORS),
        budget_case=BUDGET_CASE,
        unoptimised=BLOCK_A_LANE,
        within="the rounding error of a float32 sum of q·d·x and 8·d·x",
        steps=(
            "Make it right first, with one block a lane: lane i takes blocks i, i + 32, … of row n. The "
            "scale is `as_type<half>` of the block's first two bytes, and byte 2 + j holds elements j and "
            "j + 16. Only then look at the budget.",
            "The 32 blocks of a step are 288 words of 16 bits, one behind the other: "
            "`auto row = (const device ushort*)blocks + n * B * 9;`. Copy them with "
            "`for (uint i = lane; i < 9 * here; i += 32)`, where `here` is the number of blocks left, at "
            "most 32.",
            "Each SIMD-group needs a place of its own: `staged[simdgroup_index_in_threadgroup]`. A barrier "
            "after the copy, `simdgroup_barrier(mem_flags::mem_threadgroup)`, and one before the next copy.",
            "After the barrier, lane i has block `first + i` to itself, if `lane < here`: the scale is word "
            "9 · lane of the copy, and word 9 · lane + 1 + j holds elements 2j, 2j + 1 (low nibbles of its "
            "two bytes) and 2j + 16, 2j + 17 (high nibbles).",
            "The loop is `for (uint first = 0; first < B; first += 32)`, the same for all lanes, so that all "
            "come to the barriers. After it, `simd_sum`, and lane 0 stores.",
        ),
        hints={
            "half-products": IN_FLOAT,
            "half-accumulator": IN_FLOAT,
            "race": FENCE,
            "wrong-values": "Follow one block by hand. Are the numbers huge? 3 − 8 of unsigned numbers wraps "
            "round: keep the codes in an `int`. Are they a little off? Each of a word's four nibbles has its "
            "own element: 2j, 2j + 1, 2j + 16, 2j + 17.",
            "untouched": "The kernel ran and stored nothing. After `simd_sum`, lane 0 stores: "
            "`if (lane == 0) { y[n] = T(sum); }`.",
            "writes-past-end": PAST_THE_END,
            "grid-too-small": TOO_FEW,
            "partly-unwritten": TOO_FEW,
            "misaligned": "A block has 18 bytes, so it begins at an even place and often at no multiple of "
            "4. 16 bits are the widest load that always fits.",
        },
    ),
)
