"""Arguments of packed numbers: two codes of 4 bits a byte, made of weights that are drawn as floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from grader import data, time_kernel, timing
from grader.exercise import Budget, Case, Encoding, Exercise, Float64, length
from grader.grading import judged
from kernels.tolerance import exact

SIZES = {"N": 5, "K": 12}


def encode(values: Mapping[str, Float64], case: Case) -> tuple[dict[str, Any], dict[str, Float64]]:
    """w is about code − 8, times a scale of the row."""
    w = values["w"]
    scale = (np.abs(w).max(axis=1) / 7 + 1e-6).astype(np.float32)
    codes = np.clip(np.rint(w / scale[:, None]) + 8, 0, 15).astype(np.uint8)
    scales = mx.array(scale).astype(mx.bfloat16)
    w = (codes.astype(np.float64) - 8) * exact(scales)[:, None]
    size = (codes.astype(np.float64) + 8) * exact(scales)[:, None]
    return {"codes": codes[:, 0::2] | codes[:, 1::2] << 4, "scales": scales}, {"w": w, "w_size": size}


RIGHT = """
uint n = thread_position_in_grid.x;
uint N = scales_shape[0], K = x_shape[0];
if (n >= N) {
    return;
}
float sum = 0;
for (uint i = 0; i < K / 2; i++) {
    uint pair = codes[n * (K / 2) + i];
    sum += (int(pair & 15) - 8) * float(x[2 * i]) + (int(pair >> 4) - 8) * float(x[2 * i + 1]);
}
y[n] = T(sum * float(scales[n]));
"""


def launch(source: str, view: bool = False) -> Any:
    names = ["x", "nibbles" if view else "codes", "scales"]
    kernel: Any = mx.fast.metal_kernel(
        name="packed", input_names=names, output_names=["y"], source=source.replace("codes[", f"{names[1]}[")
    )

    def gemv(x: mx.array, codes: mx.array, scales: mx.array) -> mx.array:
        (y,) = kernel(
            inputs=[x, codes.view(mx.uint16) if view else codes, scales],
            template=[("T", x.dtype)],
            grid=(scales.size, 1, 1),
            threadgroup=(32, 1, 1),
            output_shapes=[(scales.size,)],
            output_dtypes=[x.dtype],
        )
        return y

    return gemv


def read_of(name: str) -> Budget:
    return Budget(
        f"bytes of {name}", lambda counts: counts.read[name], lambda sizes, size: 1e9, "no limit", ""
    )


EXERCISE = Exercise(
    lab="99",
    name="",
    title="packed",
    arguments={"x": ("K",), "codes": ("N", "K/2"), "scales": ("N",)},
    result=("y", ("N",)),
    oracle=lambda values: values["w"] @ values["x"],
    magnitude=lambda values: values["w_size"] @ np.abs(values["x"]),
    terms="K",
    reference=lambda: launch(RIGHT),
    launch=launch,
    cases=(
        Case(SIZES),
        Case({"N": 33, "K": 50}, scale=100.0),
        Case(SIZES, data="nan"),
        Case(SIZES, data="inf"),
        Case(SIZES, "float16", "cancelling"),
        Case(SIZES, "bfloat16", "positive"),
    ),
    budgets=(read_of("codes"), read_of("scales")),
    budget_case=Case({"N": 8, "K": 64}),
    encoding=Encoding({"x": ("K",), "w": ("N", "K")}, encode),
)


@pytest.mark.parametrize("case", EXERCISE.cases, ids=str)
def test_the_values_are_those_that_the_arrays_hold(case: Case) -> None:
    arrays, values = data.make(EXERCISE, case, 3)
    assert list(arrays) == ["x", "codes", "scales"]
    assert (arrays["codes"].dtype, arrays["scales"].dtype) == (mx.uint8, mx.bfloat16)
    assert np.array_equal(values["x"], exact(arrays["x"]), equal_nan=True)
    codes = np.array(arrays["codes"])
    low, high = codes & 15, codes >> 4
    q = np.stack([low, high], axis=-1).reshape(values["w"].shape).astype(np.float64)
    assert np.array_equal(values["w"], (q - 8) * exact(arrays["scales"])[:, None])
    assert np.isfinite(values["w"]).all()
    assert np.isfinite(values["x"]).all() == (case.data not in ("nan", "inf"))


@pytest.mark.parametrize("dtype", [mx.uint8, mx.int8, mx.uint16, mx.uint32, mx.float16, mx.bfloat16])
def test_packed_numbers_lie_between_bytes_of_ones(dtype: mx.Dtype) -> None:
    array = (mx.arange(12) + 1).reshape(3, 4).astype(dtype)
    view = data.packed_with_red_zones(array, 20)
    assert view.dtype == dtype
    assert bool((view == array).all())
    held = np.array(view.reshape(-1).view(mx.uint8), copy=False)
    whole = np.lib.stride_tricks.as_strided(held[dtype.size :], (31 * dtype.size,), (1,))
    assert (whole[-20 * dtype.size :] == 0xFF).all()


def test_a_right_kernel_passes_and_its_packed_bytes_are_counted() -> None:
    result = judged(EXERCISE, launch(RIGHT), seed=1)
    assert result.passed, str(result)
    codes, scales = result.spent
    assert (codes.yours, codes.reference) == (8 * 64 / 2, 8 * 64 / 2)
    assert scales.yours == 8 * 2


def test_another_view_of_the_bytes_counts_for_them() -> None:
    words = RIGHT.replace(
        "uint pair = codes[n * (K / 2) + i];",
        "uint at = n * (K / 2) + i; uint pair = uint(codes[at / 2]) >> 8 * (at % 2) & 255;",
    )
    even = replace(EXERCISE, cases=(Case({"N": 4, "K": 12}),))
    result = judged(even, launch(words, view=True), seed=1)
    assert result.passed, str(result)
    assert result.spent[0].yours == 2 * 8 * 64 / 2


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (("i < K / 2; i++", "i <= K / 2; i++"), "reads-past-end"),
        (("scales[n]", "scales[n + 1]"), "reads-past-end"),
        (("(int(pair & 15) - 8)", "int(pair & 15)"), "wrong-values"),
    ],
)
def test_a_wrong_one_is_refused(change: tuple[str, str], kind: str) -> None:
    assert judged(EXERCISE, launch(RIGHT.replace(*change)), seed=1).kind == kind


def test_the_timing_counts_packed_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "find", lambda lab: EXERCISE)
    timed = time_kernel("99", launch(RIGHT), sizes={"N": 8, "K": 64}, dtype="float16", repeat=2)
    assert timed.moved == 2 * 64 + 8 * 64 / 2 + 2 * 8 + 2 * 8


def test_axes_are_numbers_sizes_and_quotients() -> None:
    sizes = {"N": 3, "K": 64, "bits": 4}
    assert [length(axis, sizes) for axis in ("18", "N", "K/32", "K * bits / 32")] == [18, 3, 2, 8]
    with pytest.raises(ValueError, match="K/33 is no whole number for N = 3, K = 64"):
        length("K/33", sizes)
    with pytest.raises(ValueError, match="K/group names 'group'; the sizes are N, K, bits"):
        length("K/group", sizes)


def test_packed_arguments_must_have_the_shape_they_are_said_to_have() -> None:
    wrong = replace(EXERCISE, arguments={**EXERCISE.arguments, "codes": ("N", "K")})
    with pytest.raises(ValueError, match=r"packs codes in shape \(5, 6\); it needs \(5, 12\)"):
        data.make(wrong, Case(SIZES), 1)


def test_a_function_may_be_told_the_dtype_of_its_result() -> None:
    """No array among the arguments says it: codes and float32 scales become numbers of any dtype."""
    source = """
    uint i = thread_position_in_grid.x;
    if (i < 2 * codes_shape[0] * codes_shape[1]) {
        uint code = codes[i / 2] >> 4 * (i % 2) & 15;
        y[i] = T((int(code) - 8) * float(scales[i / (2 * codes_shape[1])]));
    }
    """
    kernel: Any = mx.fast.metal_kernel(
        name="unpack", input_names=["codes", "scales"], output_names=["y"], source=source
    )

    def unpack(codes: mx.array, scales: mx.array, dtype: mx.Dtype) -> mx.array:
        shape = (codes.shape[0], 2 * codes.shape[1])
        (y,) = kernel(
            inputs=[codes, scales],
            template=[("T", dtype)],
            grid=(2 * codes.size, 1, 1),
            threadgroup=(32, 1, 1),
            output_shapes=[shape],
            output_dtypes=[dtype],
        )
        return y

    exercise = replace(
        EXERCISE,
        arguments={name: axes for name, axes in EXERCISE.arguments.items() if name != "x"},
        result=("y", ("N", "K")),
        takes_dtype=True,
        oracle=lambda values: values["w"],
        magnitude=lambda values: np.zeros_like(values["w"]),
        reference=lambda: unpack,
        cases=tuple(Case({"N": 33, "K": 50}, dtype) for dtype in ("float32", "float16", "bfloat16")),
        encoding=Encoding({"w": ("N", "K")}, encode),
    )
    result = judged(exercise, unpack, seed=1)
    assert result.passed, str(result)
    without = judged(exercise, lambda codes, scales: codes, seed=1)
    assert without.kind == "error"
    none = judged(exercise, mx.zeros(1), seed=1)
    assert none.diagnosis is not None
    assert "(codes, scales, dtype)" in none.diagnosis.says
