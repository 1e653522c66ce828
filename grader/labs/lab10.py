"""Lab 10: Q4_0, byte for byte as GGUF: weights to blocks in NumPy, blocks to numbers in a Metal kernel.

The right bytes are worked out here once more, block by block and by another road than `kernels.quantized`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from grader.exercise import Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss
from grader.question import Mistake, Question, Trial

BLOCK, BYTES = 32, 18

Floats = NDArray[np.float32]
Blocks = NDArray[np.uint8]
Answer = dict[str, int]

# --- quantize ---------------------------------------------------------------------------------------


def _largest(block: Floats) -> np.float32:
    """The element of largest magnitude, the first of several, with its sign."""
    return max(block, key=abs)


def _scale(block: Floats) -> np.float32:
    return _largest(block) / np.float32(-8)


def _shifted(block: Floats, d: np.float32) -> Floats:
    """x / d + 8, as a code that is not yet a whole number."""
    return block * (np.float32(1) / d if d else d) + np.float32(8)


def _codes(block: Floats, d: np.float32) -> list[int]:
    return [min(15, int(np.float32(each + np.float32(0.5)))) for each in _shifted(block, d)]


def _packed(q: list[int]) -> bytes:
    return bytes((q[j] | q[j + 16] << 4) & 255 for j in range(16))


def _stored(d: np.float32) -> bytes:
    return struct.pack("<e", d)


def quantized(
    w: Floats,
    *,
    scale: Callable[[Floats], np.float32] = _scale,
    codes: Callable[[Floats, np.float32], list[int]] = _codes,
    pack: Callable[[list[int]], bytes] = _packed,
    stored: Callable[[np.float32], bytes] = _stored,
) -> Blocks:
    """w[N, K] as uint8 [N, K / 32, 18]; a mistake replaces one of the steps."""
    n, k = w.shape
    made = []
    for block in w.reshape(-1, BLOCK):
        d = scale(block)
        made.append(stored(d) + pack(codes(block, d)))
    return np.frombuffer(b"".join(made), np.uint8).reshape(n, k // BLOCK, BYTES)


def _bytes(blocks: Blocks) -> Answer:
    return {f"blocks[{n}, {b}, {i}]": int(each) for (n, b, i), each in np.ndenumerate(blocks)}


def expected(w: Floats) -> Answer:
    """Every byte of w[N, K] in Q4_0, by its place in [N, K / 32, 18]."""
    return _bytes(quantized(w))


def reads(result: object, w: Floats) -> Answer:
    """The bytes that a learner's function returned.

    Raises:
        ValueError: they are no array, or one of another type or shape.
    """
    if isinstance(result, mx.array):
        result = np.array(result)
    if not isinstance(result, np.ndarray):
        raise ValueError(f"your function returns a {type(result).__name__}, and must return an array.")
    shape = (w.shape[0], w.shape[1] // BLOCK, BYTES)
    if result.dtype != np.uint8:
        raise ValueError(f"your blocks have dtype {result.dtype}, and must have uint8: they are bytes.")
    if result.shape != shape:
        raise ValueError(f"your blocks have shape {result.shape}, and must have {shape}.")
    return _bytes(result)


def _wrong(**steps: Any) -> Callable[[Floats], Answer]:
    return lambda w: _bytes(quantized(w, **steps))


def _row_scale(w: Floats) -> Answer:
    """The scale of the row's largest element for all its blocks."""

    def of_row(row: Floats) -> Blocks:
        d = _scale(row)
        return quantized(row[None], scale=lambda _block: d)

    return _bytes(np.concatenate([of_row(row) for row in w]))


def _rounded_scale(block: Floats, d: np.float32) -> list[int]:
    return _codes(block, np.float32(np.float16(d)))


def _to_even(block: Floats, d: np.float32) -> list[int]:
    return [min(15, int(each)) for each in np.rint(_shifted(block, d))]


def _truncated(block: Floats, d: np.float32) -> list[int]:
    return [min(15, int(each)) for each in _shifted(block, d)]


def _unclipped(block: Floats, d: np.float32) -> list[int]:
    return [int(np.float32(each + np.float32(0.5))) for each in _shifted(block, d)]


def _signed(block: Floats, d: np.float32) -> list[int]:
    return [(each - 8) & 15 for each in _codes(block, d)]


def _symmetric(block: Floats, d: np.float32) -> list[int]:
    """For scales of seven steps to a side."""
    return [min(15, max(0, each)) for each in _unclipped(block, d)]


MISTAKES = (
    Mistake(
        "nothing-stored",
        "nothing was put into the blocks: {where} is {got}, it is {want}.",
        "Begin with d: `blocks[..., :2]` are its two bytes, `blocks[..., 2:]` the codes.",
        lambda w: dict.fromkeys(expected(w), 0),
    ),
    Mistake(
        "neighbours",
        "byte j holds elements 2j and 2j + 1 in your blocks: {where} is {got}, it is {want}.",
        "In GGUF byte j holds elements j and j + 16: `q[..., :16] | q[..., 16:] << 4`.",
        _wrong(pack=lambda q: bytes(q[2 * j] | q[2 * j + 1] << 4 for j in range(16))),
    ),
    Mistake(
        "nibbles-swapped",
        "the two nibbles of each byte have changed places: {where} is {got}, it is {want}.",
        "Element j goes into the low four bits, element j + 16 into the high ones.",
        _wrong(pack=lambda q: bytes(q[j] << 4 | q[j + 16] for j in range(16))),
    ),
    Mistake(
        "bytes-swapped",
        "the two bytes of each scale have changed places: {where} is {got}, it is {want}.",
        'GGUF is little-endian: `d.astype("<f2").view(np.uint8)` puts the low byte first.',
        _wrong(stored=lambda d: struct.pack(">e", d)),
    ),
    Mistake(
        "scale-a-row",
        "all blocks of a row have one scale: {where} is {got}, it is {want}.",
        "Reshape w to [N, K / 32, 32] first, and look for the largest element along the last axis.",
        _row_scale,
    ),
    Mistake(
        "sign-lost",
        "d is never negative in your blocks: {where} is {got}, it is {want}.",
        "m is the element of largest magnitude *with its sign*: find its place with `np.abs(...).argmax`, "
        "and take the element itself from there.",
        _wrong(scale=lambda block: abs(_scale(block))),
    ),
    Mistake(
        "sign-lost",
        "d is never positive in your blocks: {where} is {got}, it is {want}.",
        "m is the element of largest magnitude *with its sign*: find its place with `np.abs(...).argmax`, "
        "and take the element itself from there.",
        _wrong(scale=lambda block: -abs(_scale(block))),
    ),
    Mistake(
        "sign-lost",
        "m is the largest element in your blocks, not the one of largest magnitude: {where} is {got}, it is "
        "{want}.",
        "−3 outweighs 2: compare magnitudes, and keep the sign.",
        _wrong(scale=lambda block: max(block) / np.float32(-8)),
    ),
    Mistake(
        "seven-steps",
        "the scales are those of 7 steps to each side: {where} is {got}, it is {want}.",
        "The element of largest magnitude becomes code 0, which stands for −8 · d: d = m / −8.",
        _wrong(scale=lambda block: abs(_largest(block)) / np.float32(7), codes=_symmetric),
    ),
    Mistake(
        "seven-steps",
        "the scales are those of 7 steps: {where} is {got}, it is {want}.",
        "The element of largest magnitude becomes code 0, which stands for −8 · d: d = m / −8.",
        _wrong(scale=lambda block: _largest(block) / np.float32(-7), codes=_symmetric),
    ),
    Mistake(
        "not-clipped",
        "a code of 16 has run over into its neighbour: {where} is {got}, it is {want}.",
        "x / d is up to +8 on the side away from m, and the last code is 15: `np.minimum(q, 15)`.",
        _wrong(codes=_unclipped),
    ),
    Mistake(
        "not-clipped",
        "a code of 16 has become 0: {where} is {got}, it is {want}.",
        "x / d is up to +8 on the side away from m, and the last code is 15: `np.minimum(q, 15)`.",
        _wrong(codes=_unclipped, pack=lambda q: _packed([each & 15 for each in q])),
    ),
    Mistake(
        "two-s-complement",
        "the codes are signed: {where} is {got}, it is {want}.",
        "Codes are 0 … 15, and 8 of them stands for zero: add 8 before you store.",
        _wrong(codes=_signed),
    ),
    Mistake(
        "truncated",
        "the codes are cut off where they should be rounded: {where} is {got}, it is {want}.",
        "Truncation is what C does; the half that makes it a rounding is in 8.5: "
        "`np.trunc(x * (1 / d) + np.float32(8.5))`.",
        _wrong(codes=_truncated),
    ),
    Mistake(
        "to-even",
        "halves between two codes go to the even one: {where} is {got}, it is {want}.",
        "`np.round` and `np.rint` do that. GGUF truncates x · (1 / d) + 8.5, which takes halves up.",
        _wrong(codes=_to_even),
    ),
    Mistake(
        "rounded-scale",
        "the codes come from d after it was rounded to a half: {where} is {got}, it is {want}.",
        "Divide by d as float32, and round to a half only what you store.",
        _wrong(codes=_rounded_scale),
    ),
    Mistake(
        "zero-sign",
        "the d of a block of zeros is −0: {where} is {got}, it is {want}.",
        "d = m / −8 holds for m = 0 too, and 0 / −8 is −0. Guard the division by d alone.",
        _wrong(scale=lambda block: _scale(block) or np.float32(0)),
    ),
)


def _halves() -> Floats:
    """d is 1: every half between two codes, both ends, and numbers next to them."""
    w = np.zeros((2, BLOCK), np.float32)
    w[:, :17] = np.arange(-8, 9)
    w[:, 17:31] = np.arange(-6.5, 7.5)
    w[1, :17] = -w[1, :17]  # the largest in magnitude is +8 there, and d is −1
    return w


def _between_halves() -> Floats:
    """d is a number that no half holds, and the others lie right beside the middle of two codes."""
    d = 1.0003
    middle = np.arange(-7.5, 7.5) * d
    w = np.concatenate([[-8 * d], middle - 1e-4, middle + 1e-4, [d]])
    return w[None].astype(np.float32)


def _special() -> Floats:
    w = np.zeros((1, 3 * BLOCK), np.float32)
    w[0, 40] = 1.5
    w[0, 70], w[0, 77] = -2.0, 2.0
    w[0, 78:90] = np.linspace(-1.9, 1.9, 12)
    return w


def _normal(n: int, b: int, scale: float) -> Callable[[np.random.Generator], Trial]:
    def draw(rng: np.random.Generator) -> Trial:
        w = (scale * rng.standard_normal((n, BLOCK * b))).astype(np.float32)
        near = "" if scale == 1 else f" near {scale:g}"
        return Trial(f"random weights{near}, {n} × {BLOCK * b}", (w,), drawn=True)

    return draw


QUANTIZE = Question(
    lab="10",
    name="quantize",
    title="weights to blocks of Q4_0",
    asks="function",
    arguments=("w",),
    cases=(
        Trial("one row, the numbers −16 to 15", (np.arange(-16.0, 16.0, dtype=np.float32)[None],)),
        Trial("numbers in the middle between two codes", (_halves(),)),
        Trial("numbers right beside the middle, and a d that no half holds", (_between_halves(),)),
        Trial(
            "a block of zeros, one of a single number, one with two of the largest magnitude", (_special(),)
        ),
    ),
    drawn=(_normal(1, 1, 1.0), _normal(7, 3, 1.0), _normal(5, 2, 1e-3), _normal(4, 5, 1e3)),
    expected=expected,
    mistakes=MISTAKES,
    reads=reads,
    praise="every byte is the one that GGUF stores.",
    steps=(
        "`x` is `w.reshape(N, K // 32, 32)`: a block is the last axis, and no block knows of another.",
        "`np.abs(x).argmax(axis=-1)` says where the largest magnitude is, and `np.take_along_axis` "
        "takes the element itself from there, sign and all. Then d = m / −8, in float32.",
        "Codes: `np.trunc(x * (1 / d) + np.float32(8.5))`, no more than 15, as uint8. Where d is 0 every "
        "code is 8: put `np.where(d == 0, np.float32(1), d)` in place of d there.",
        "Nibbles: the first 16 codes of a block go into the low four bits, the last 16 into the high ones, "
        "`q[..., :16] | q[..., 16:] << 4`.",
        'The scale: `d.astype("<f2").view(np.uint8)` makes two bytes of each. They come first: '
        "`blocks[..., :2]`, and the packed codes are `blocks[..., 2:]`.",
    ),
)

QUESTIONS = (QUANTIZE,)

# --- dequantize -------------------------------------------------------------------------------------

Values = Mapping[str, Float64]


def encode(values: Values, case: Case) -> tuple[dict[str, Any], dict[str, Float64]]:
    """The blocks of w, and what they stand for. A NaN of the data is a block's scale."""
    blocks = quantized(values["w"].astype(np.float32)).copy()
    if case.data == "nan":
        middle = tuple(size // 2 for size in blocks.shape[:2])
        blocks[middle][:2] = 0, 0x7E
    octets = blocks.astype(np.float64)
    d = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float64)
    q = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1).astype(np.float64)
    w = (d * (q - 8)).reshape(values["w"].shape)
    return {"blocks": blocks}, {"w": w, "d": d, "q": q, "octets": octets}


def _weights(values: Values) -> Float64:
    return values["w"]


def _exactly(values: Values) -> Float64:
    """Products of a half and four bits are exact in float32: there is nothing to round but the store."""
    return np.zeros_like(values["w"])


def _reference() -> Kernel:
    from kernels.quantized import q4_0

    # The learner's function gets the bytes, ours the weights that they are.
    return lambda blocks, dtype: q4_0.dequantize(q4_0.Q4_0(blocks), dtype)


def launch(source: str) -> Kernel:
    """A function of (blocks, dtype) that launches a body with a thread for each byte of codes, rounded up to
    whole threadgroups of 256. The body sees `blocks`, `y`, the dtype `T`, and the shapes that it names."""
    kernel: Any = mx.fast.metal_kernel(
        name="lab10", input_names=["blocks"], output_names=["y"], source=source
    )

    def dequantize(blocks: mx.array, dtype: mx.Dtype) -> mx.array:
        n, b, _ = blocks.shape
        outputs: list[mx.array] = kernel(
            inputs=[blocks],
            template=[("T", dtype)],
            grid=(-(-n * b * 16 // 256) * 256, 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[(n, BLOCK * b)],
            output_dtypes=[dtype],
        )
        return outputs[0]

    return dequantize


def _of(result: Callable[[Float64, Float64], Float64]) -> Callable[[Values], Float64]:
    """From scales [N, B, 1] and codes [N, B, 32] to w."""

    def near_miss(values: Values) -> Float64:
        return np.asarray(result(values["d"], values["q"])).reshape(values["w"].shape)

    return near_miss


def _interleaved(q: Float64) -> Float64:
    """The codes of a block in the order 0, 16, 1, 17, …: byte by byte, the low nibble first."""
    return np.stack([q[..., :16], q[..., 16:]], axis=-1).reshape(q.shape)


def _first_scale(d: Float64) -> Float64:
    return np.broadcast_to(d.reshape(-1)[0], d.shape)


def _shifted_scale(d: Float64, by: int) -> Float64:
    """The scale of a neighbouring block, where there is one, else its own."""
    flat = d.reshape(-1)
    return flat[np.clip(np.arange(flat.size) + by, 0, flat.size - 1)].reshape(d.shape)


def _half(values: Float64) -> Float64:
    return np.asarray(values.astype(np.float16).astype(np.float64))


def _nibbles(octets: Float64) -> Float64:
    low, high = octets % 16, octets // 16
    return np.concatenate([low, high], axis=-1)


def _codes_at(byte: int) -> Callable[[Values], Float64]:
    """The codes read from that byte of each block on."""

    def near_miss(values: Values) -> Float64:
        q = _nibbles(values["octets"][..., byte : byte + 16])
        return np.asarray((values["d"] * (q - 8)).reshape(values["w"].shape))

    return near_miss


def _blocks_of_sixteen(values: Values) -> Float64:
    """Blocks taken to begin 16 bytes apart."""
    flat = values["octets"].ravel()
    count = values["q"].shape[0] * values["q"].shape[1]
    octets = flat[16 * np.arange(count)[:, None] + np.arange(BYTES)]
    d = np.ascontiguousarray(octets[:, :2].astype(np.uint8)).view("<f2").astype(np.float64)
    return np.asarray((d * (_nibbles(octets[:, 2:]) - 8)).reshape(values["w"].shape))


def _swapped_scale(values: Values) -> Float64:
    octets = values["octets"].astype(np.uint8)
    d = np.ascontiguousarray(octets[..., 1::-1]).view("<f2").astype(np.float64)
    return np.asarray((d * (values["q"] - 8)).reshape(values["w"].shape))


def _columns(values: Values) -> Float64 | None:
    w = values["w"]
    return None if 1 in w.shape else w.T.reshape(w.shape)


NEAR_MISSES = (
    NearMiss(
        "missing-offset",
        "every weight is d · q: the −8 is missing.",
        "Codes are 0 … 15, and 8 stands for zero: d · (q − 8).",
        _of(lambda d, q: d * q),
    ),
    NearMiss(
        "neighbours",
        "byte j is unpacked into elements 2j and 2j + 1; in GGUF it holds elements j and j + 16.",
        "Store the low nibble at `32 * block + j`, and the high one 16 elements further on.",
        _of(lambda d, q: d * (_interleaved(q) - 8)),
    ),
    NearMiss(
        "nibbles-swapped",
        "the two nibbles of each byte have changed places.",
        "The low four bits, `byte & 15`, are element j; the high ones, `byte >> 4`, are element j + 16.",
        _of(lambda d, q: d * (np.roll(q, 16, axis=-1) - 8)),
    ),
    NearMiss(
        "one-nibble",
        "both halves of each block hold the low nibbles.",
        "Element j + 16 is `byte >> 4`.",
        _of(lambda d, q: d * (np.concatenate([q[..., :16]] * 2, axis=-1) - 8)),
    ),
    NearMiss(
        "one-nibble",
        "both halves of each block hold the high nibbles.",
        "Element j is `byte & 15`.",
        _of(lambda d, q: d * (np.concatenate([q[..., 16:]] * 2, axis=-1) - 8)),
    ),
    NearMiss(
        "wrong-scale",
        "every block has the scale of the first one.",
        "The scale of block b is the first two bytes *of that block*: at byte `18 * b`.",
        _of(lambda d, q: _first_scale(d) * (q - 8)),
    ),
    NearMiss(
        "wrong-scale",
        "each block has the scale of the block before it.",
        "The scale of block b is the first two bytes *of that block*: at byte `18 * b`.",
        _of(lambda d, q: _shifted_scale(d, -1) * (q - 8)),
    ),
    NearMiss(
        "scale-missing",
        "every weight is q − 8: the scale is missing.",
        "A weight is d · (q − 8).",
        _of(lambda d, q: q - 8 + 0 * d),
    ),
    NearMiss(
        "two-s-complement",
        "codes are taken for signed numbers of four bits: 0 … 7, and −8 … −1 for 8 … 15.",
        "Codes have no sign. Subtract 8 from each: 0 stands for −8 · d, 15 for 7 · d.",
        _of(lambda d, q: d * np.where(q < 8, q, q - 16)),
    ),
    NearMiss(
        "codes-misplaced",
        "the codes are read from the block's first byte on, where its scale lies.",
        "Bytes 0 and 1 are d. Byte j of the codes is byte 2 + j of the block.",
        _codes_at(0),
    ),
    NearMiss(
        "codes-misplaced",
        "the codes are read from the block's second byte on, which belongs to its scale.",
        "Bytes 0 and 1 are d. Byte j of the codes is byte 2 + j of the block.",
        _codes_at(1),
    ),
    NearMiss(
        "wrong-stride",
        "blocks are taken to lie 16 bytes apart; they are 18 bytes long.",
        "Block b begins at byte `18 * b`: two bytes of scale and 16 of codes.",
        lambda values: (
            None if values["q"].shape[0] * values["q"].shape[1] == 1 else _blocks_of_sixteen(values)
        ),
    ),
    NearMiss(
        "bytes-swapped",
        "the two bytes of each scale are put together in the wrong order.",
        "The low byte comes first: `as_type<half>(ushort(low | high << 8))`, or one 16-bit load.",
        _swapped_scale,
    ),
    NearMiss(
        "rounded-in-half",
        "every weight is rounded to a half, whatever T is.",
        "`half * half` is a half. Make a `float` of d first: d · (q − 8) is exact then, and `T(…)` rounds "
        "once.",
        _of(lambda d, q: _half(d * (q - 8))),
    ),
    NearMiss(
        "rounded-in-half",
        "d · q and 8 · d are rounded to halves before they are subtracted.",
        "Make a `float` of d first: d · (q − 8) is exact then, and `T(…)` rounds once.",
        _of(lambda d, q: _half(_half(d * q) - _half(8 * d))),
    ),
    NearMiss(
        "transposed",
        "y is stored column by column.",
        "y is row-major [N, K], and so are the blocks: block b of the whole array is y's elements 32 · b to "
        "32 · b + 31.",
        _columns,
    ),
)


def _sizes(n: int, b: int) -> dict[str, int]:
    return {"N": n, "K": BLOCK * b}


CASES = (
    Case(_sizes(1, 1)),
    Case(_sizes(3, 2)),
    # The same shape with other numbers: an answer kept from the first call shows.
    Case(_sizes(3, 2)),
    # A threadgroup of 256 threads has 16 blocks: one less, one more, and primes.
    Case(_sizes(5, 3)),
    Case(_sizes(17, 1)),
    Case(_sizes(7, 13)),
    Case(_sizes(1, 31)),
    Case(_sizes(6, 3), scale=1e-3),
    Case(_sizes(6, 3), scale=1e3),
    Case(_sizes(5, 3), data="nan"),
    # No infinite scale: d · q − 8 · d, as good as d · (q − 8) elsewhere, makes NaN of it.
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(11, 3), dtype),
            Case(_sizes(4, 5), dtype, scale=1e-3),
            Case(_sizes(5, 3), dtype, "nan"),
        )
    ),
)

# --- budgets ----------------------------------------------------------------------------------------

# Whole threadgroups, and a dtype in which 16 neighbours are a sector.
BUDGET_CASE = Case(_sizes(16, 8), "float16")

ASKED = Budget(
    "bytes of blocks asked for",
    lambda counts: counts.read["blocks"],
    lambda sizes, size: 1.5 * sizes["N"] * sizes["K"],
    "1.5 · N·K: a byte of codes and the scale's two, for two weights",
    "A thread that has loaded a byte of codes has two weights in hand. Let it store both, with one scale.",
)
SIDE_BY_SIDE = Budget(
    "coalescing of the stores",
    lambda counts: counts.store_coalescing,
    lambda sizes, size: 0.5,
    "half of what moves is stored",
    "In each store, neighbouring lanes should store neighbouring elements. Thread i has byte i % 16 of block "
    "i / 16.",
    at_least=True,
)

A_BLOCK_A_THREAD = """
uint b = thread_position_in_grid.x;
if (b >= blocks_shape[0] * blocks_shape[1]) {
    return;
}
for (uint j = 0; j < 32; j++) {
    ushort d = ushort(blocks[18 * b] | blocks[18 * b + 1] << 8);
    uint q = j < 16 ? blocks[18 * b + 2 + j] & 15 : blocks[18 * b + 2 + j - 16] >> 4;
    y[32 * b + j] = T(float(as_type<half>(d)) * (float(q) - 8));
}
"""

EXERCISES = (
    Exercise(
        lab="10",
        name="dequantize",
        title="blocks of Q4_0 to numbers",
        arguments={"blocks": ("N", "K/32", "18")},
        result=("y", ("N", "K")),
        oracle=_weights,
        magnitude=_exactly,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=(ASKED, SIDE_BY_SIDE),
        budget_case=BUDGET_CASE,
        unoptimised=A_BLOCK_A_THREAD,
        encoding=Encoding({"w": ("N", "K")}, encode),
        takes_dtype=True,
        within="one rounding to the result's type",
        operations=lambda sizes: 2.0 * sizes["N"] * sizes["K"],
        steps=(
            "Thread i takes one byte of codes. A block has 16 of them: its block is `i / 16`, the byte's "
            "number in it `i % 16`. Threads past the last block leave.",
            "A block begins at byte `18 * block`: `auto from = blocks + 18 * block;`. Its first two bytes "
            "are d, the low one first: `as_type<half>(ushort(from[0] | from[1] << 8))`. The codes begin at "
            "`from[2]`.",
            "With `uint codes = from[2 + j];` the low nibble is `codes & 15`, the high one `codes >> 4`. A "
            "weight is `float(d) * (float(q) - 8)`, and `T(…)` rounds it at the store.",
            "Byte j holds elements j and j + 16: they go to `y[32 * block + j]` and "
            "`y[32 * block + j + 16]`.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. Each thread stores two elements of y: "
            "`y[32 * block + j] = …` and `y[32 * block + j + 16] = …`.",
            "writes-past-end": "The last threadgroup has threads for which there is no byte. They must leave "
            "before they read: `if (block >= blocks_shape[0] * blocks_shape[1]) { return; }`.",
            "reads-past-end": "Block b is bytes 18 · b to 18 · b + 17 of the array, and there are N · K / 32 "
            "blocks. Threads past the last one must leave before they read.",
            "partly-unwritten": "Each byte makes two elements, j and j + 16, and there are 16 bytes of codes "
            "in each of the N · K / 32 blocks: that many threads, and a guard that lets them all through.",
        },
    ),
)
