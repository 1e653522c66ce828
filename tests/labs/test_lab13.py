"""Lab 13: its states, what it says about slips of its own, and right kernels written in another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import nbformat
import numpy as np
import pytest

from grader.data import make
from grader.exercise import Kernel
from grader.grading import judged
from grader.labs import find
from tests.labs.states import Lab, graded

LAB = Lab("13_affine_groups")
FIRST, SECOND = LAB.to_solve()[:2], LAB.to_solve()[2:]


def test_the_skeleton_is_told_what_to_do_first() -> None:
    ok, report = graded(LAB.learners)
    assert not ok
    assert "no element of y was written" in report
    assert "`simd_sum`, and then lane 0 stores `y[m * N + n]`" in report


def test_with_the_first_kernel_alone_its_launch_is_what_is_missing(tmp_path: Path) -> None:
    ok, report = graded(LAB.copy(tmp_path, FIRST[0]))
    assert not ok
    assert "the last 7 columns of y were never written; the rest is right" in report
    assert "Each row of w needs a SIMD-group, 32 threads" in report


@pytest.mark.parametrize(
    ("cell", "change", "words"),
    [
        (FIRST[0], ("float(biases[g]) * xs[m]", "float(biases[g])"), "the bias of a word is added as it is"),
        (FIRST[1], ("group = K // scales.shape[1]", "group = 64"), "as if a group had 64 weights"),
        (SECOND[0], ("size_t g = row *", "size_t g = n *"), "the scales and biases those of expert 0"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, cell: str, change: tuple[str, str], words: str) -> None:
    path = LAB.copy(tmp_path, *FIRST, *SECOND)
    notebook = nbformat.read(path, as_version=4)
    (found,) = (each for each in notebook.cells if each.id == cell)
    assert change[0] in found.source
    found.source = found.source.replace(*change)
    nbformat.write(notebook, path)
    ok, report = graded(path)
    assert not ok
    assert words.lower() in report.lower()


def test_the_oracle_is_what_mlx_computes() -> None:
    """The grader's own product, of what it packs, against MLX's on the CPU; the cases have every width."""
    exercise = find("13.qmv")
    widths = set()
    for number, case in enumerate(exercise.cases):
        if case.data == "nan" or (case.dtype != "float32" and case.sizes["bits"] in widths):
            continue
        widths.add(case.sizes["bits"])
        arrays, values = make(exercise, case, seed=number)
        x, scales, biases = (arrays[name].astype(mx.float32) for name in ("x", "scales", "biases"))
        theirs = mx.quantized_matmul(
            x,
            arrays["w"],
            scales,
            biases,
            group_size=case.sizes["group"],
            bits=case.sizes["bits"],
            stream=mx.cpu,
        )
        allowed = 2.0**-24 * (case.sizes["K"] + 8) * exercise.magnitude(values)
        assert (np.abs(np.array(theirs) - exercise.oracle(values)) <= allowed).all()
    assert widths == {2, 3, 4, 5, 6, 8}


def test_the_experts_oracle_is_what_mlx_computes() -> None:
    exercise = find("13.expert")
    case = exercise.cases[0]
    arrays, values = make(exercise, case, seed=3)
    theirs = mx.gather_qmm(
        arrays["x"][:, None],
        arrays["w"],
        arrays["scales"],
        arrays["biases"],
        rhs_indices=arrays["expert"],
        group_size=case.sizes["group"],
        bits=case.sizes["bits"],
        stream=mx.cpu,
    )[:, 0]
    allowed = 2.0**-24 * (case.sizes["K"] + 8) * exercise.magnitude(values)
    assert (np.abs(np.array(theirs) - exercise.oracle(values)) <= allowed).all()


# --- right kernels --------------------------------------------------------------------------------


def make_qmv(source: str, threadgroup: int, rows: int = 1) -> Kernel:
    kernel: Any = mx.fast.metal_kernel(
        name="other", input_names=["vectors", "codes", "steps", "starts"], output_names=["out"], source=source
    )

    def qmv(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
        (m, k), n = x.shape, w.shape[0]
        numbers = {"M": m, "BITS": 32 * w.shape[1] // k, "G": k // scales.shape[1]}
        (y,) = kernel(
            inputs=[x, w, scales, biases],
            template=[("T", x.dtype), *numbers.items()],
            grid=(32 * -(-n // rows), 1, 1),
            threadgroup=(threadgroup, 1, 1),
            output_shapes=[(m, n)],
            output_dtypes=[x.dtype],
        )
        return y

    return qmv


def whole_codes_by_shuffles() -> Kernel:
    """256 codes at a time, eight a lane: words are loaded side by side, and shuffles bring codes together."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = threadgroup_position_in_grid.x;
        uint N = codes_shape[0], words = codes_shape[1], K = vectors_shape[1];
        float sums[M] = {};
        for (uint first = 0; first < words; first += 8 * BITS) {
            uint there = min(8u * BITS, words - first);
            uint a = lane < there ? codes[n * words + first + lane] : 0;
            uint b = lane + 32 < there ? codes[n * words + first + 32 + lane] : 0;
            uint k = first / BITS * 32 + 8 * lane;
            bool inside = k < K;
            uint g = inside ? n * (K / G) + k / G : 0;
            float step = inside ? float(steps[g]) : 0;
            float start = inside ? float(starts[g]) : 0;
            for (uint i = 0; i < 8; i++) {
                uint bit = (8 * lane + i) * BITS;
                uint pair[2];
                for (uint p = 0; p < 2; p++) {
                    uint at = bit / 32 + p;
                    uint from_a = simd_shuffle(a, ushort(at % 32));
                    uint from_b = simd_shuffle(b, ushort(at % 32));
                    pair[p] = at < 32 ? from_a : from_b;
                }
                uint q = uint((ulong(pair[1]) << 32 | pair[0]) >> (bit % 32)) & ((1u << BITS) - 1);
                if (inside) {
                    for (uint m = 0; m < M; m++) {
                        sums[m] += fma(step, float(q), start) * float(vectors[m * K + k + i]);
                    }
                }
            }
        }
        for (uint m = 0; m < M; m++) {
            float total = simd_sum(sums[m]);
            if (lane == 0) {
                out[m * N + n] = T(total);
            }
        }
    """
    return make_qmv(source, threadgroup=32)


def two_rows_and_x_scaled() -> Kernel:
    """Two rows a SIMD-group; parts stay where they are in the word, and powers of two make up for it in x."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint n = thread_position_in_grid.x / 32 * 2;
        uint N = codes_shape[0], words = codes_shape[1], K = vectors_shape[1];
        float sums[2][M] = {};
        for (uint j = lane; j < words; j += 32) {
            uint other = min(n + 1, N - 1);
            uint word[2] = {codes[n * words + j], codes[other * words + j]};
            uint k = 32 * j / BITS;
            uint g = k / G;
            float dots[2][M] = {};
            float xs[M] = {};
            for (int at = int(BITS * k) - int(32 * j); at < 32; at += BITS, k++) {
                uint all = (1u << BITS) - 1;
                uint mask = at < 0 ? all >> -at : all << at;
                for (uint m = 0; m < M; m++) {
                    float xk = float(vectors[m * K + k]);
                    xs[m] += at < 0 ? 0.0f : xk;
                    float scaled = ldexp(xk, -at);
                    dots[0][m] += float(word[0] & mask) * scaled;
                    dots[1][m] += float(word[1] & mask) * scaled;
                }
            }
            uint groups[2] = {n * (K / G) + g, other * (K / G) + g};
            for (uint r = 0; r < 2; r++) {
                for (uint m = 0; m < M; m++) {
                    sums[r][m] += float(steps[groups[r]]) * dots[r][m] + float(starts[groups[r]]) * xs[m];
                }
            }
        }
        for (uint m = 0; m < M; m++) {
            float totals[2] = {simd_sum(sums[0][m]), simd_sum(sums[1][m])};
            if (lane < 2 && n + lane < N) {
                out[m * N + n + lane] = T(lane == 0 ? totals[0] : totals[1]);
            }
        }
    """
    return make_qmv(source, threadgroup=128, rows=2)


def experts_from_their_offset() -> Kernel:
    """One SIMD-group a threadgroup, its place from the grid's z; words from the row's end to its start."""
    source = """
        uint lane = thread_index_in_simdgroup;
        uint3 at_group = threadgroup_position_in_grid;
        uint m = at_group.z, n = at_group.y;
        int words = codes_shape[2], K = vectors_shape[1], N = codes_shape[1];
        auto matrix = codes + size_t(which[m]) * N * words;
        auto step = steps + size_t(which[m]) * N * (K / G);
        auto start = starts + size_t(which[m]) * N * (K / G);
        float sum = 0;
        for (int j = words - 1 - int(lane); j >= 0; j -= 32) {
            uint word = matrix[n * words + j];
            int k = 32 * j / BITS;
            int g = n * (K / G) + k / G;
            float dot = 0, total = 0;
            for (int at = BITS * k - 32 * j; at < 32; at += BITS, k++) {
                float xk = float(vectors[m * K + k]);
                dot += float((at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1)) * xk;
                total += at < 0 ? 0.0f : xk;
            }
            sum = fma(float(step[g]), dot, fma(float(start[g]), total, sum));
        }
        sum = simd_sum(sum);
        if (simd_is_first()) {
            out[m * N + n] = T(sum);
        }
    """
    kernel: Any = mx.fast.metal_kernel(
        name="other_experts",
        input_names=["vectors", "codes", "steps", "starts", "which"],
        output_names=["out"],
        source=source,
    )

    def expert(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array, expert: mx.array) -> mx.array:
        (m, k), n = x.shape, w.shape[1]
        (y,) = kernel(
            inputs=[x, w, scales, biases, expert],
            template=[("T", x.dtype), ("BITS", 32 * w.shape[2] // k), ("G", k // scales.shape[2])],
            grid=(32, n, m),
            threadgroup=(32, 1, 1),
            output_shapes=[(m, n)],
            output_dtypes=[x.dtype],
        )
        return y

    return expert


@pytest.mark.parametrize(
    ("exercise", "variant"),
    [
        ("13.qmv", whole_codes_by_shuffles),
        ("13.qmv", two_rows_and_x_scaled),
        ("13.expert", experts_from_their_offset),
    ],
)
def test_a_right_kernel_passes(exercise: str, variant: Callable[[], Kernel]) -> None:
    result = judged(find(exercise), variant(), seed=4)
    assert result.passed, str(result)
