"""Lab 15: half-solved states and slips are named, near misses are wrong, other right kernels pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest

from grader import data
from grader.exercise import Case, Kernel
from grader.grading import judged
from grader.labs import find, lab15
from tests.labs.states import Lab, graded

LAB = Lab("15_nested_widths")
EXERCISE = find("15")


def test_the_skeleton_is_told_that_nothing_was_stored() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "After the loops" in report


def test_with_the_kernel_alone_the_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, "nested-kernel"))
    assert not ok
    assert "never written; the rest is right" in report
    assert "Each row" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        ("nested-kernel", ("held[p] >> j & 1", "held[p] >> (31 - j) & 1"), "taken from the wrong end"),
        ("nested-kernel", ("(q + 1) / 2", "q / 2"), "the bit below the top R is not used"),
        ("nested-kernel", ("(p * N + n) * words + i", "(n * P + p) * words + i"), "lay side by side"),
    ],
)
def test_a_slip_in_the_solution_is_named(
    tmp_path: Path, cell: str, change: tuple[str, str], words: str
) -> None:
    path = LAB.copy(tmp_path, *LAB.to_solve())
    notebook = nbformat.read(path, as_version=4)
    for each in notebook.cells:
        if each.id == cell:
            assert change[0] in each.source
            each.source = each.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words in report


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
def test_the_oracle_is_the_formula_and_near_misses_are_wrong(bits: int) -> None:
    case = Case({"N": 6, "K": 1088, "bits": bits, "P": min(bits + 1, 8), "G": 64})
    arrays, values = data.make(EXERCISE, case, 7)
    assert arrays["planes"].shape == (case.sizes["P"], 6, 34)
    step = 2 ** (8 - bits)
    code = np.minimum(np.floor(values["q"] / step + 0.5), 2**bits - 1) * step
    w = code * np.repeat(values["scales"], 64, axis=1) + np.repeat(values["biases"], 64, axis=1)
    want = w @ values["x"]
    assert np.allclose(EXERCISE.oracle(values), want, rtol=1e-12, atol=1e-9)
    for miss in EXERCISE.near_misses:
        wrong = miss.result(values)
        if bits == 8 and miss.kind in ("not-clamped", "not-rounded"):
            assert wrong is None
        elif not (bits == 8 and miss.kind == "scale-of-eight-bits"):
            assert wrong is not None
            assert np.abs(wrong - want).max() > 1e-3, miss.kind


# --- right kernels, written otherwise -------------------------------------------------------------


def make(source: str, threads: Callable[[int], int], threadgroup: int) -> Kernel:
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["v", "bits", "s", "b"], output_names=["out"], source=source
    )

    def nested(x: mx.array, planes: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        count, n, _ = planes.shape
        (y,) = kernel(
            inputs=[x, planes, scales, biases],
            template=[("T", x.dtype), ("R", lab15.width(count)), ("P", count)],
            grid=(threads(n), 1, 1),
            threadgroup=(threadgroup, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return y

    return nested


def four_at_once_and_factored() -> Kernel:
    """Four codes grow in the bytes of a word, and scale and bias meet the sums of a word."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = threadgroup_position_in_grid.x;
        uint N = bits_shape[1], words = bits_shape[2], groups = s_shape[1];
        float sum = 0;
        for (uint i = lane; i < words; i += 32) {
            uint held[P];
            for (uint p = 0; p < P; p++) {
                held[p] = bits[(p * N + n) * words + i];
            }
            float codes = 0, plain = 0;
            for (uint part = 0; part < 8; part++) {
                uint q = 0;
                for (uint p = 0; p < R; p++) {
                    q = q << 1 | (held[p] >> part & 0x01010101);
                }
                if (P > R) {
                    q += held[P - 1] >> part & 0x01010101;
                    q -= q >> R & 0x01010101;
                }
                for (uint octet = 0; octet < 4; octet++) {
                    float xk = v[32 * i + part + 8 * octet];
                    codes += float(q >> 8 * octet & 255) * xk;
                    plain += xk;
                }
            }
            uint g = n * groups + i / (words / groups);
            sum += float(s[g]) * (256 >> R) * codes + float(b[g]) * plain;
        }
        sum = simd_sum(sum);
        if (simd_is_first()) {
            out[n] = T(sum);
        }
    """
    return make(source, lambda n: 32 * n, 32)


def plane_after_plane() -> Kernel:
    """A plane at a time into 32 codes, by a table of what each code stands for, lanes from the row's end."""
    source = """
        int lane = thread_index_in_simdgroup;
        int n = thread_position_in_grid.x / 32;
        int N = bits_shape[1], words = bits_shape[2], groups = s_shape[1];
        if (n < N) {
            float sum = 0;
            for (int i = words - 1 - lane; i >= 0; i -= 32) {
                int code[32] = {};
                for (int p = 0; p < P; p++) {
                    uint word = bits[(p * N + n) * words + i];
                    for (int j = 0; j < 32; j++) {
                        code[j] += int(word >> j & 1) * (1 << (7 - p));
                    }
                }
                float scale = s[n * groups + i * groups / words];
                float bias = b[n * groups + i * groups / words];
                for (int j = 0; j < 32; j++) {
                    int step = 256 >> R;
                    int kept = min((code[j] + step / 2) / step, (1 << R) - 1) * step;
                    sum = fma(fma(float(kept), scale, bias), float(v[32 * i + j]), sum);
                }
            }
            for (ushort apart = 16; apart > 0; apart /= 2) {
                sum += simd_shuffle_xor(sum, apart);
            }
            if (lane == 5) {
                out[n] = T(sum);
            }
        }
    """
    return make(source, lambda n: 32 * 4 * -(-n // 4), 128)


@pytest.mark.parametrize("variant", [four_at_once_and_factored, plane_after_plane])
def test_a_right_kernel_passes(variant: Callable[[], Kernel]) -> None:
    result = judged(EXERCISE, variant(), seed=4)
    assert result.passed, str(result)


def test_the_unoptimised_kernel_is_right_and_over_budget() -> None:
    result = judged(EXERCISE, lab15.launch(EXERCISE.unoptimised), seed=5)
    assert result.kind == "over-budget"
