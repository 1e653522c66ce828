"""Lab 13: products with weights in affine groups, w = s · q + b: a few rows of x with codes of any width, and
each row with the matrix of an expert of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from grader.exercise import DTYPES, Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss

LANES = 32
SIMDGROUPS = 8
"""SIMD-groups of the standard launch's threadgroups. Each owns one row of w."""

Values = Mapping[str, Float64]

# A fused kernel rounds a product up to seven times more than a plain sum does: see `kernels.tolerance`. The
# bound counts K roundings, so these go into the magnitude; the eighth covers that γ grows faster than K.
FUSED = 8


# --- packing --------------------------------------------------------------------------------------


def _encode(values: Values, case: Case) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """Packs w of any rank; a ``route`` that was drawn becomes the expert with the largest number a row."""
    from kernels.quantized import affine

    bits, group = case.sizes["bits"], case.sizes["group"]
    given = values["w"]
    *outer, k = given.shape
    rows = affine.quantize(
        given.reshape(-1, k).astype(np.float32), bits=bits, group=group, dtype=DTYPES[case.dtype]
    )
    packed = {
        name: array.reshape(*outer, -1)
        for name, array in (("w", rows.packed), ("scales", rows.scales), ("biases", rows.biases))
    }
    q = rows.codes().astype(np.float64).reshape(given.shape)
    s, b = (
        np.array(array.astype(mx.float32)).astype(np.float64).repeat(group, axis=-1).reshape(given.shape)
        for array in (rows.scales, rows.biases)
    )
    exact = {"q": q, "s": s, "b": b, "bits": np.float64(bits), "group": np.float64(group)}
    if "route" in values:
        expert = values["route"].argmax(axis=1)
        packed["expert"] = mx.array(expert.astype(np.uint32))
        exact["expert"] = expert.astype(np.float64)
    return packed, {name: np.asarray(value) for name, value in exact.items()}


def _weights(values: Values) -> Float64:
    return np.asarray(values["s"] * values["q"] + values["b"])


def _sizes_of(values: Values) -> Float64:
    """What a fused kernel's rounding scales with, however it factors s and b out of its sums."""
    w = np.abs(values["s"]) * values["q"] + np.abs(values["b"])
    return np.asarray(w * (1 + FUSED / w.shape[-1]))


def _product(x: Float64, w: Float64) -> Float64:
    return np.asarray(x @ w.T)


def _oracle(values: Values) -> Float64:
    return _product(values["x"], _weights(values))


def _magnitude(values: Values) -> Float64:
    return _product(np.abs(values["x"]), _sizes_of(values))


# --- wrong formulas, for one matrix ---------------------------------------------------------------


def _parts(values: Values) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """The part of each code that lies in the word of its first bit, the rest at its place, and that word."""
    bits = int(values["bits"])
    first = np.arange(values["q"].shape[-1]) * bits
    here = np.minimum(32 - first % 32, bits)
    q = values["q"].astype(np.int64)
    low = q & ((1 << here) - 1)
    return low.astype(np.float64), (q - low).astype(np.float64), first // 32


def _is_cut(values: Values) -> NDArray[np.bool_]:
    bits = int(values["bits"])
    first = np.arange(values["q"].shape[-1]) * bits
    return np.asarray(first % 32 + bits > 32)


def _with(codes: Callable[[Values], Float64 | None]) -> Callable[[Values], Float64 | None]:
    """The product with other codes in the place of those that are stored."""

    def result(values: Values) -> Float64 | None:
        q = codes(values)
        return None if q is None else _product(values["x"], values["s"] * q + values["b"])

    return result


def _low_parts(values: Values) -> Float64 | None:
    return _parts(values)[0] if _is_cut(values).any() else None


def _high_parts(values: Values) -> Float64 | None:
    low, high, _ = _parts(values)
    cut = _is_cut(values)
    return np.where(cut, high, low) if cut.any() else None


def _high_parts_down(values: Values) -> Float64 | None:
    """The second part of a cut code taken as it lies in its word: its lowest bit counts one."""
    low, high, _ = _parts(values)
    cut = _is_cut(values)
    bits = int(values["bits"])
    here = 32 - np.arange(cut.size) * bits % 32
    return low + np.where(cut, high / 2.0**here, high) if cut.any() else None


def _without_cut(values: Values) -> Float64 | None:
    cut = _is_cut(values)
    return _product(values["x"], np.where(cut, 0.0, _weights(values))) if cut.any() else None


def _x_once_a_part(values: Values) -> Float64 | None:
    cut = _is_cut(values)
    if not cut.any():
        return None
    return _oracle(values) + _product(values["x"], np.where(cut, values["b"], 0.0))


def _without_bias(values: Values) -> Float64 | None:
    return _product(values["x"], values["s"] * values["q"])


def _bias_every(length: Callable[[int, int], float]) -> Callable[[Values], Float64 | None]:
    """A bias added as it is, without x, once for `length` weights, which depends on bits and group."""

    def result(values: Values) -> Float64 | None:
        once = values["b"].sum(axis=1) / length(int(values["bits"]), int(values["group"]))
        return np.asarray(_product(values["x"], values["s"] * values["q"]) + once)

    return result


def _bias_scaled(values: Values) -> Float64 | None:
    return _product(values["x"], values["s"] * (values["q"] + values["b"]))


def _as_signed(values: Values) -> Float64 | None:
    """A middle taken away from each code, as in Q4_0."""
    middle = 2.0 ** (int(values["bits"]) - 1)
    return _product(values["x"], values["s"] * (values["q"] - middle) + values["b"])


def _highest_first(values: Values) -> Float64 | None:
    """The codes of each word from its highest bits on."""
    q, bits = values["q"], int(values["bits"])
    if 32 % bits:
        return None
    return np.asarray(q.reshape(len(q), -1, 32 // bits)[..., ::-1].reshape(q.shape))


def _pairs_swapped(values: Values) -> Float64 | None:
    q = values["q"]
    return np.asarray(q.reshape(len(q), -1, 2)[..., ::-1].reshape(q.shape))


def _groups(values: Values, change: Callable[[Float64], Float64]) -> Float64 | None:
    """The product where the scale and the bias of a weight are looked up elsewhere: `change` maps an array of
    one number a group, [N, K / group], to one number a weight."""
    group = int(values["group"])
    s, b = (change(values[name][:, ::group]) for name in ("s", "b"))
    return _product(values["x"], s * values["q"] + b)


def _next_group(values: Values) -> Float64 | None:
    def change(a: Float64) -> Float64:
        after = np.append(a.ravel()[1:], 0.0)  # behind the end, a checked run reads zero
        return np.asarray(after.reshape(a.shape).repeat(int(values["group"]), axis=1))

    return _groups(values, change)


def _first_row_of_groups(values: Values) -> Float64 | None:
    def change(a: Float64) -> Float64:
        return np.asarray(np.broadcast_to(a[0], a.shape).repeat(int(values["group"]), axis=1))

    return _groups(values, change) if len(values["q"]) > 1 else None


def _groups_of(length: int, from_row: bool) -> Callable[[Values], Float64 | None]:
    """Groups taken to have `length` weights, counted from the row's beginning or from that of all weights."""

    def result(values: Values) -> Float64 | None:
        if int(values["group"]) == length:
            return None
        rows, columns = values["q"].shape
        n, k = np.arange(rows)[:, None], np.arange(columns)
        index = n * (columns // length) + k // length if from_row else (n * columns + k) // length

        def change(a: Float64) -> Float64:
            flat = a.ravel()
            return np.asarray(np.where(index < flat.size, flat[np.minimum(index, flat.size - 1)], 0.0))

        return _groups(values, change)

    return result


def _lane_zero_of_words(values: Values) -> Float64 | None:
    low, high, word = _parts(values)
    mine, next_is_mine = word % LANES == 0, (word + 1) % LANES == 0
    if word[-1] == 0:
        return None
    s, b = values["s"], values["b"]
    return _product(values["x"], s * (low * mine + high * next_is_mine) + b * mine)


def _every(step: int) -> Callable[[Values], Float64 | None]:
    def result(values: Values) -> Float64 | None:
        return _product(values["x"][:, ::step], _weights(values)[:, ::step])

    return result


def _transposed(values: Values) -> Float64 | None:
    return _oracle(values).T


def _row_zero(values: Values) -> Float64 | None:
    y = _oracle(values)
    return np.broadcast_to(y[:1], y.shape)


def _rows_added(values: Values) -> Float64 | None:
    y = _oracle(values)
    return np.cumsum(y, axis=0) if y.shape[0] > 1 else None


PLACE = (
    "Code k has bits k · bits to (k + 1) · bits − 1 of its row, lowest first. Where a code goes on in the "
    "next word, the next word's lane adds its second part: shifted up, so that its bits stand at their place "
    "in the code."
)
WHOSE_GROUP = (
    "The scale and bias of weight k of row n are element `n * (K / GROUP) + k / GROUP` of their arrays."
)

NEAR_MISSES = (
    NearMiss(
        "cut-codes",
        "a code that goes on in the next word loses its second part: right only where 32 is a multiple of "
        "the width.",
        PLACE,
        _with(_low_parts),
    ),
    NearMiss(
        "cut-codes",
        "a code that goes on in the next word loses its first part: right only where 32 is a multiple of the "
        "width.",
        PLACE,
        _with(_high_parts),
    ),
    NearMiss(
        "cut-codes",
        "the second part of a cut code is added as if it were the first: its bits are not shifted up.",
        PLACE,
        _with(_high_parts_down),
    ),
    NearMiss(
        "cut-codes",
        "the codes that lie in two words are left out: right only where 32 is a multiple of the width.",
        PLACE,
        _without_cut,
    ),
    NearMiss(
        "x-summed-twice",
        "the bias of a code that lies in two words is counted twice, once for each part.",
        "The sum of x that the bias is multiplied with takes each x[k] once. Let the word in which the code "
        "begins add it.",
        _x_once_a_part,
    ),
    NearMiss(
        "bias-missing",
        "the biases are not there: the result is the sum of s · q · x.",
        "w = s · q + b. The bias of a group needs the sum of its x: `s * products + b * xs`.",
        _without_bias,
    ),
    *(
        NearMiss(
            "bias-once",
            f"the bias of a {what} is added as it is.",
            "The bias is part of every weight, so it is multiplied with the sum of the x of those weights.",
            _bias_every(length),
        )
        for what, length in (
            ("group", lambda bits, group: group),
            ("word", lambda bits, group: 32 / bits),
            ("weight", lambda bits, group: 1),
        )
    ),
    NearMiss(
        "bias-scaled",
        "the bias is multiplied with the scale: the weights are taken for s · (q + b).",
        "w = s · q + b: add the bias after the code was scaled.",
        _bias_scaled,
    ),
    NearMiss(
        "signed-codes",
        "a middle is taken away from each code, as Q4_0 does.",
        "Affine codes start at 0. Where they are centred, the bias says so.",
        _as_signed,
    ),
    NearMiss(
        "codes-reversed",
        "the codes of each word are read from its highest bits down.",
        "The lowest bits come first: code i of a word begins at bit i · bits.",
        _with(_highest_first),
    ),
    NearMiss(
        "codes-swapped",
        "neighbouring codes have changed places.",
        "The lowest bits come first: code i of a word begins at bit i · bits.",
        _with(_pairs_swapped),
    ),
    NearMiss(
        "next-group",
        "each code is scaled with the scale and bias of the group after its own.",
        WHOSE_GROUP,
        _next_group,
    ),
    NearMiss(
        "row-of-groups",
        "every row takes the scales and biases of row 0.",
        WHOSE_GROUP,
        _first_row_of_groups,
    ),
    *(
        NearMiss(
            "group-length",
            f"scales and biases are looked up as if a group had {length} weights.",
            "K / scales.shape[1] weights share a scale: 32, 64 or 128. Make it a template parameter.",
            _groups_of(length, from_row),
        )
        for length in (32, 64, 128)
        for from_row in (False, True)
    ),
    NearMiss(
        "transposed",
        "your result is the transpose: the number for `y[m, n]` lies where `y[n, m]` belongs.",
        "y is row-major with N columns, so `y[m, n]` is element `m * N + n`. Look at the store.",
        _transposed,
    ),
    NearMiss(
        "row-zero",
        "every row of y is the product of row 0 of x.",
        "`x[m, k]` is element `m * K + k`: the row must appear in the index.",
        _row_zero,
    ),
    NearMiss(
        "rows-added",
        "row m of y holds the sum of rows 0 to m of the product.",
        "Each row of x needs a sum of its own, which starts at zero.",
        _rows_added,
    ),
    NearMiss(
        "one-lane",
        "each sum holds lane 0's share and no other: words 0, 32, 64, … of the row.",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        _lane_zero_of_words,
    ),
    NearMiss(
        "one-lane",
        "each sum holds lane 0's share and no other: the products with k = 0, 32, 64, …",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        _every(LANES),
    ),
)


def launch(source: str) -> Kernel:
    """A function of (x, w, scales, biases) that launches `source` over whole threadgroups of 8 SIMD-groups.

    There is a SIMD-group for each row of w, and up to seven more. The body sees the arrays and `y`, the dtype
    `T`, the numbers `M`, `BITS` and `GROUP`, and the shapes that it names.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab13_qmv",
        input_names=["x", "w", "scales", "biases"],
        output_names=["y"],
        source=source,
    )

    def qmv(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        (rows, length), columns = x.shape, w.shape[0]
        threads = LANES * SIMDGROUPS
        numbers = {"M": rows, "BITS": 32 * w.shape[1] // length, "GROUP": length // scales.shape[1]}
        outputs: list[mx.array] = kernel(
            inputs=[x, w, scales, biases],
            template=[("T", x.dtype), *numbers.items()],
            grid=(-(-columns // SIMDGROUPS) * threads, 1, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return qmv


def _qmv() -> Kernel:
    from kernels.quantized import affine
    from kernels.quantized.affine.parts import parts

    def qmv(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        k = x.shape[1]
        return parts(x, affine.Affine(w, scales, biases, 32 * w.shape[1] // k, k // scales.shape[1]))

    return qmv


def _sizes(m: int, n: int, k: int, bits: int, group: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k, "bits": bits, "group": group}


# Each M, width and group is a kernel of its own, compiled once a dtype. So there are few, and every width is
# among them. K is a multiple of the group; a row of 34 groups has more words than three steps of 32 lanes.
#
# An infinity is not among the data. With the bias taken out of the sum, s · ∞ + b · ∞ may be NaN, in MLX's
# kernel too; a NaN must stay one.
CASES = (
    # A group a row, for a threadgroup's rows; three groups, for one row more. (Arrays of fewer than eight
    # numbers are constants to MLX, and that would be another kernel.)
    Case(_sizes(1, SIMDGROUPS, 32, 4, 32)),
    Case(_sizes(1, SIMDGROUPS + 1, 96, 4, 32)),
    # An odd width, with cut codes. Twice, with other numbers: an answer kept from the first call shows.
    Case(_sizes(3, SIMDGROUPS - 1, 128, 3, 64)),
    Case(_sizes(3, SIMDGROUPS - 1, 128, 3, 64)),
    Case(_sizes(3, 13, 34 * 64, 3, 64)),
    Case(_sizes(3, 11, 192, 3, 64), scale=1e-3),
    Case(_sizes(3, 11, 192, 3, 64), scale=1e3),
    Case(_sizes(3, 18, 128, 3, 64), data="nan"),
    *(
        case
        for dtype, rows, bits, group in (("float16", 4, 5, 32), ("bfloat16", 2, 8, 64))
        for case in (
            Case(_sizes(rows, 17, 5 * group, bits, group), dtype),
            Case(_sizes(rows, 7, 33 * group, bits, group), dtype, "positive"),
            Case(_sizes(rows, 18, 2 * group, bits, group), dtype, "nan"),
        )
    ),
    Case(_sizes(1, 19, 384, 6, 128), "float16"),
    Case(_sizes(1, 23, 256, 2, 128), "bfloat16"),
)

# --- budgets --------------------------------------------------------------------------------------


def _codes(sizes: Mapping[str, int]) -> float:
    """Bytes of the codes of one matrix."""
    return sizes["N"] * sizes["K"] * sizes["bits"] / 8


BUDGETS = (
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        lambda sizes, size: _codes(sizes),
        "N·K·bits / 8, each word once, whatever M is",
        "Give each lane a word, not a code, and use every code in it for all M rows of x before you go on to "
        "the next word.",
    ),
    Budget(
        "coalescing of the loads of w",
        lambda counts: counts.coalescing["w"],
        lambda sizes, size: 0.7,
        "0.7 of what moves is asked for",
        "At each step the 32 lanes should read 32 neighbouring words of a row: lane i takes words i, i + 32, "
        "i + 64, …",
        at_least=True,
    ),
    Budget(
        "bytes of scales asked for",
        lambda counts: counts.read["scales"],
        lambda sizes, size: sizes["N"] * sizes["K"] / 8 * size,
        "one for every 8 weights, N·K / 8 elements",
        "All codes of a word are of one group. Add up q · x and x over the word first, and multiply by the "
        "scale and the bias afterwards.",
    ),
)

CODE_A_LANE = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = x_shape[1];
if (n >= N) {
    return;
}
for (uint m = 0; m < M; m++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        uint at = k * BITS;
        auto row = w + n * (K * BITS / 32);
        uint q = row[at / 32] >> (at % 32);
        if (at % 32 + BITS > 32) {
            q |= row[at / 32 + 1] << (32 - at % 32);
        }
        uint g = (n * K + k) / GROUP;
        float weight = float(scales[g]) * float(q & ((1 << BITS) - 1)) + float(biases[g]);
        sum += weight * float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[m * N + n] = T(sum);
    }
}
"""

# --- experts --------------------------------------------------------------------------------------


def _chosen(values: Values, name: str = "") -> Float64:
    """For each row of x, its expert's weights, [M, N, K]; or of the array called `name`."""
    index = values["expert"].astype(np.int64)
    array = values[name] if name else _weights(values)
    return np.asarray(array[index])


def _each(x: Float64, w: Float64) -> Float64:
    """Row m of x with matrix m of w."""
    return np.asarray(np.einsum("mk,mnk->mn", x, w))


def _expert_oracle(values: Values) -> Float64:
    return _each(values["x"], _chosen(values))


def _expert_magnitude(values: Values) -> Float64:
    index = values["expert"].astype(np.int64)
    return _each(np.abs(values["x"]), _sizes_of(values)[index])


def _one_expert(which: Callable[[NDArray[np.int64]], int]) -> Callable[[Values], Float64 | None]:
    """Every row with the same expert's matrix."""

    def result(values: Values) -> Float64 | None:
        index = values["expert"].astype(np.int64)
        same = which(index)
        return None if (index == same).all() else _product(values["x"], _weights(values)[same])

    return result


def _expert_of_row_number(values: Values) -> Float64 | None:
    w = _weights(values)
    rows = np.arange(len(values["x"])) % len(w)
    return _each(values["x"], w[rows])


def _groups_of_expert_zero(values: Values) -> Float64 | None:
    if not values["expert"].any():
        return None
    return _each(values["x"], values["s"][:1] * _chosen(values, "q") + values["b"][:1])


def _codes_of_expert_zero(values: Values) -> Float64 | None:
    if not values["expert"].any():
        return None
    return _each(values["x"], _chosen(values, "s") * values["q"][:1] + _chosen(values, "b"))


def _all_experts(values: Values) -> Float64 | None:
    return _product(values["x"], _weights(values).sum(axis=0))


def _without_expert_bias(values: Values) -> Float64 | None:
    return _each(values["x"], _chosen(values, "s") * _chosen(values, "q"))


def _first_token(values: Values) -> Float64 | None:
    """Row 0 of x for every expert that was chosen."""
    y = _each(np.broadcast_to(values["x"][:1], values["x"].shape), _chosen(values))
    return y if len(y) > 1 else None


EXPERT_NEAR_MISSES = (
    NearMiss(
        "expert-zero",
        "every row of x is multiplied with the matrix of expert 0.",
        "The matrix of expert e begins e · N rows into w: row n of it is row `e * N + n`.",
        _one_expert(lambda index: 0),
    ),
    NearMiss(
        "first-choice",
        "every row of x is multiplied with the matrix that row 0 has chosen.",
        "Row m of x has an expert of its own: `expert[m]`.",
        _one_expert(lambda index: int(index[0])),
    ),
    NearMiss(
        "row-as-expert",
        "row m of x is multiplied with the matrix of expert m.",
        "`expert[m]` says which matrix row m of x takes.",
        _expert_of_row_number,
    ),
    NearMiss(
        "groups-of-expert-zero",
        "the codes are those of the expert, the scales and biases those of expert 0.",
        "Scales and biases have an offset of their own: row e · N + n of them, K / group to a row.",
        _groups_of_expert_zero,
    ),
    NearMiss(
        "codes-of-expert-zero",
        "the scales and biases are those of the expert, the codes those of expert 0.",
        "The codes have an offset of their own: row e · N + n of them, K · bits / 32 words to a row.",
        _codes_of_expert_zero,
    ),
    NearMiss(
        "all-experts",
        "each row of y holds the sum over all experts.",
        "Row m of x takes one matrix, that of `expert[m]`.",
        _all_experts,
    ),
    NearMiss(
        "bias-missing",
        "the biases are not there: the result is the sum of s · q · x.",
        "w = s · q + b. The bias of a group needs the sum of its x: `s * products + b * xs`.",
        _without_expert_bias,
    ),
    NearMiss(
        "row-zero",
        "every row of y is the product of row 0 of x.",
        "`x[m, k]` is element `m * K + k`: the row must appear in the index.",
        _first_token,
    ),
    NearMiss(
        "transposed",
        "your result is the transpose: the number for `y[m, n]` lies where `y[n, m]` belongs.",
        "y is row-major with N columns, so `y[m, n]` is element `m * N + n`. Look at the store.",
        lambda values: _expert_oracle(values).T,
    ),
)


def launch_expert(source: str) -> Kernel:
    """As `launch`, for functions of (x, w, scales, biases, expert): a grid of SIMD-groups for the rows of one
    matrix by rows of x. The body sees `T`, `BITS` and `GROUP`."""
    kernel: Any = mx.fast.metal_kernel(
        name="lab13_expert",
        input_names=["x", "w", "scales", "biases", "expert"],
        output_names=["y"],
        source=source,
    )

    def expert_qmv(
        x: mx.array, w: mx.array, scales: mx.array, biases: mx.array, expert: mx.array
    ) -> mx.array:
        (rows, length), columns = x.shape, w.shape[1]
        threads = LANES * SIMDGROUPS
        outputs: list[mx.array] = kernel(
            inputs=[x, w, scales, biases, expert],
            template=[
                ("T", x.dtype),
                ("BITS", 32 * w.shape[2] // length),
                ("GROUP", length // scales.shape[2]),
            ],
            grid=(-(-columns // SIMDGROUPS) * threads, rows, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return expert_qmv


def _expert() -> Kernel:
    from kernels.quantized import affine
    from kernels.quantized.affine.parts import parts_expert

    def expert_qmv(
        x: mx.array, w: mx.array, scales: mx.array, biases: mx.array, expert: mx.array
    ) -> mx.array:
        k = x.shape[1]
        experts = affine.Experts(w, scales, biases, 32 * w.shape[2] // k, k // scales.shape[2])
        return parts_expert(x, experts, expert)

    return expert_qmv


def _expert_sizes(m: int, e: int, n: int, k: int, bits: int, group: int) -> dict[str, int]:
    return {"M": m, "E": e, "N": n, "K": k, "bits": bits, "group": group}


EXPERT_CASES = (
    # As many rows of x as make MLX pass `expert` as memory and not as a constant: one kernel a width.
    Case(_expert_sizes(9, 4, 5, 64, 4, 32)),
    Case(_expert_sizes(9, 4, 5, 64, 4, 32)),
    Case(_expert_sizes(8, 7, SIMDGROUPS - 1, 96, 4, 32)),
    Case(_expert_sizes(11, 3, SIMDGROUPS + 1, 1184, 4, 32)),
    # A single expert; a single row of x.
    Case(_expert_sizes(8, 1, 2, 128, 4, 32)),
    Case(_expert_sizes(1, 5, 11, 192, 3, 64)),
    Case(_expert_sizes(9, 5, 11, 192, 4, 32), scale=1e3),
    Case(_expert_sizes(9, 5, 11, 192, 4, 32), data="nan"),
    Case(_expert_sizes(8, 6, 10, 2176, 3, 64), "float16", "positive"),
    Case(_expert_sizes(8, 6, 13, 128, 3, 64), "float16"),
    Case(_expert_sizes(8, 6, 13, 256, 5, 128), "bfloat16"),
)

EXPERT_BUDGETS = (
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        lambda sizes, size: sizes["M"] * _codes(sizes),
        "N·K·bits / 8 for each row of x: its own expert's, each word once",
        "A row of x needs one expert's codes. Add the expert's offset to the index, and loop over the words "
        "of that matrix alone.",
    ),
    Budget(
        "bytes of scales asked for",
        lambda counts: counts.read["scales"],
        lambda sizes, size: sizes["M"] * sizes["N"] * sizes["K"] / 8 * size,
        "one for every 8 weights of the expert",
        "All codes of a word are of one group: one scale and one bias a word.",
    ),
    Budget(
        "launches",
        lambda counts: counts.launches,
        lambda sizes, size: 1.0,
        "one",
        "Let the kernel read `expert[m]`. To read it in Python, the CPU waits for the GPU, and each row of x "
        "takes a launch.",
    ),
)

ALL_EXPERTS = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint m = thread_position_in_grid.y;
uint E = w_shape[0];
uint N = w_shape[1];
uint K = x_shape[1];
if (n >= N) {
    return;
}
float mine = 0;
for (uint e = 0; e < E; e++) {
    auto row = w + (e * N + n) * (K * BITS / 32);
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        uint at = k * BITS;
        uint q = row[at / 32] >> (at % 32);
        if (at % 32 + BITS > 32) {
            q |= row[at / 32 + 1] << (32 - at % 32);
        }
        uint g = ((e * N + n) * K + k) / GROUP;
        float weight = float(scales[g]) * float(q & ((1 << BITS) - 1)) + float(biases[g]);
        sum += weight * float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    if (e == expert[m]) {
        mine = sum;
    }
}
if (lane == 0) {
    y[m * N + n] = T(mine);
}
"""

IN_FLOAT = (
    "Convert x and the code to `float` before you multiply, and keep products, sums of x and totals in "
    "`float`. Convert back once, at the store."
)
NO_ROW = (
    "The last threadgroup may have SIMD-groups with no row of w. All their lanes must leave before anything "
    "is read or stored."
)
LAST_WORD = (
    "The last word of the last row has no word after it. Look at every index of w: it must stay below the "
    "row's K · bits / 32 words. Parts of a code need not meet: each lane can use its own word alone."
)
HINTS = {
    "half-accumulator": IN_FLOAT,
    "half-products": IN_FLOAT,
    "writes-past-end": NO_ROW,
    "reads-past-end": f"{LAST_WORD} {WHOSE_GROUP}",
    "partly-unwritten": "Each row of w needs a SIMD-group, 32 threads, and each of those stores an element "
    "of y for every row of x.",
    "grid-too-small": "`grid` counts threads. Each row of w takes 32 of them.",
}

EXERCISES = (
    Exercise(
        lab="13",
        name="qmv",
        title="affine groups of any width",
        arguments={
            "x": ("M", "K"),
            "w": ("N", "K * bits / 32"),
            "scales": ("N", "K / group"),
            "biases": ("N", "K / group"),
        },
        result=("y", ("M", "N")),
        encoding=Encoding(drawn={"x": ("M", "K"), "w": ("N", "K")}, encode=_encode),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_qmv,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        # Four rows of x, so that a kernel that takes them one after the other asks for the codes again; an
        # odd width; rows of w that begin where a sector does.
        budget_case=Case(_sizes(4, 40, 512, 3, 64)),
        unoptimised=CODE_A_LANE,
        steps=(
            "A row of w has K · BITS / 32 words. Lane i takes words i, i + 32, i + 64, …: for those, load "
            "the word into a `uint`, once.",
            "Word j begins at bit 32 · j of its row. The code that holds this bit is k = 32 · j / BITS, "
            "rounded down, and it begins at bit `at = BITS * k - 32 * j` of the word: 0, or below 0 if it "
            "began in the word before. Use an `int` for `at`.",
            "From there, codes follow every BITS bits while `at < 32`. Their bits in this word, at their "
            "place in the code: `(at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1)`.",
            "For each of them and each row m of x, add `float(part) * float(x[m * K + k])` to the word's "
            "products, and x itself to the word's sum of x, this one only where `at >= 0`. Arrays of M "
            "floats, which start at zero, hold both.",
            "Behind that loop, `s * products[m] + b * xs[m]` goes to the lane's sum of row m, with the scale "
            "and bias of group k / GROUP of row n. At the end, `simd_sum` for each m, where all lanes are, "
            "and lane 0 stores `y[m * N + n]`.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. At the end, for each m: `simd_sum`, and then "
            "lane 0 stores `y[m * N + n]`.",
            **HINTS,
        },
    ),
    Exercise(
        lab="13",
        name="expert",
        title="one expert of a mixture",
        arguments={
            "x": ("M", "K"),
            "w": ("E", "N", "K * bits / 32"),
            "scales": ("E", "N", "K / group"),
            "biases": ("E", "N", "K / group"),
            "expert": ("M",),
        },
        result=("y", ("M", "N")),
        encoding=Encoding(drawn={"x": ("M", "K"), "w": ("E", "N", "K"), "route": ("M", "E")}, encode=_encode),
        oracle=_expert_oracle,
        magnitude=_expert_magnitude,
        terms="K",
        reference=_expert,
        launch=launch_expert,
        cases=EXPERT_CASES,
        near_misses=EXPERT_NEAR_MISSES,
        budgets=EXPERT_BUDGETS,
        budget_case=Case(_expert_sizes(8, 6, 24, 256, 4, 64)),
        unoptimised=ALL_EXPERTS,
        steps=(
            "The kernel is that of the first exercise for one row of x, with m from the grid's second axis. "
            "What is new is where the matrix begins.",
            "The arrays hold E matrices of N rows, one after the other. Row n of expert e is row "
            "`e * N + n` of all rows, in each of the three arrays.",
            "`size_t row = size_t(expert[m]) * N + n;` The codes begin at `w + row * words`, the scales and "
            "biases at `row * (K / GROUP)` in theirs.",
            "In the launch, the grid's x has 32 threads a row of one matrix, and its y is M.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. At the end lane 0 stores `y[m * N + n]`.",
            **HINTS,
            "reads-past-end": "Row n of expert e is row `e * N + n`, counted in rows: K · bits / 32 words of "
            f"w, K / group of scales and biases. {LAST_WORD}",
        },
    ),
)
