"""Right kernels pass, however they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlx.core as mx
import pytest

from grader.grading import judged
from grader.labs import find
from grader.mutants.lab02._right import SOURCE

INDICES = """
    uint M = x_shape[0];
    uint K = x_shape[1];
    uint N = w_shape[1];
"""


def make(source: str, header: str = "", names: tuple[str, ...] = ("x", "w")) -> Any:
    return mx.fast.metal_kernel(
        name="other", input_names=list(names), output_names=["y"], source=source, header=header
    )


def run(
    kernel: Any,
    inputs: list[mx.array],
    grid: tuple[int, int, int],
    threadgroup: tuple[int, int, int],
    shape: tuple[int, ...],
    **more: Any,
) -> mx.array:
    x = inputs[0]
    template = [("T", x.dtype), *more.pop("template", [])]
    (y,) = kernel(
        inputs=inputs,
        template=template,
        grid=grid,
        threadgroup=threadgroup,
        output_shapes=[shape],
        output_dtypes=[x.dtype],
        **more,
    )
    return y


def exact_grid_without_guard() -> Callable[..., mx.array]:
    kernel = make(SOURCE.replace("m >= M || n >= N", "false"))
    return lambda x, w: run(kernel, [x, w], (w.shape[1], x.shape[0], 1), (7, 3, 1), (x.shape[0], w.shape[1]))


def one_long_axis() -> Callable[..., mx.array]:
    kernel = make(
        INDICES
        + """
        uint i = thread_position_in_grid.x;
        uint m = i / N, n = i % N;
        float sum = 0;
        for (uint k = K; k-- > 0;) {  // backwards
            sum = fma(float(x[m * K + k]), float(w[k * N + n]), sum);
        }
        y[i] = T(sum);
        """
    )
    return lambda x, w: run(
        kernel, [x, w], (x.shape[0] * w.shape[1], 1, 1), (64, 1, 1), (x.shape[0], w.shape[1])
    )


def four_accumulators() -> Callable[..., mx.array]:
    kernel = make(
        INDICES
        + """
        uint n = thread_position_in_grid.x, m = thread_position_in_grid.y;
        if (m >= M || n >= N) return;
        float sums[4] = {0, 0, 0, 0};
        uint k = 0;
        for (; k + 4 <= K; k += 4) {
            for (uint i = 0; i < 4; i++) {
                sums[i] += float(x[m * K + k + i]) * float(w[(k + i) * N + n]);
            }
        }
        for (; k < K; k++) {
            sums[0] += float(x[m * K + k]) * float(w[k * N + n]);
        }
        y[m * N + n] = T((sums[0] + sums[1]) + (sums[2] + sums[3]));
        """
    )
    return lambda x, w: run(
        kernel, [x, w], (w.shape[1] + 40, x.shape[0] + 3, 1), (32, 8, 1), (x.shape[0], w.shape[1])
    )


def a_simdgroup_an_output() -> Callable[..., mx.array]:
    kernel = make(
        INDICES
        + """
        uint lane = thread_index_in_simdgroup;
        uint n = thread_position_in_grid.x / 32, m = thread_position_in_grid.y;
        float sum = 0;
        for (uint k = lane; k < K; k += 32) {
            sum += float(x[m * K + k]) * float(w[k * N + n]);
        }
        sum = simd_sum(sum);
        if (lane == 0) {
            y[m * N + n] = T(sum);
        }
        """
    )
    return lambda x, w: run(
        kernel, [x, w], (32 * w.shape[1], x.shape[0], 1), (32, 1, 1), (x.shape[0], w.shape[1])
    )


def two_outputs_a_thread() -> Callable[..., mx.array]:
    kernel = make(
        INDICES
        + """
        uint m = thread_position_in_grid.y;
        for (uint n = 2 * thread_position_in_grid.x; n < min(N, 2 * thread_position_in_grid.x + 2); n++) {
            float sum = 0;
            for (uint k = 0; k < K; k++) {
                sum += float(x[m * K + k]) * float(w[k * N + n]);
            }
            y[m * N + n] = T(sum);
        }
        """
    )
    return lambda x, w: run(
        kernel, [x, w], ((w.shape[1] + 1) // 2, x.shape[0], 1), (32, 1, 1), (x.shape[0], w.shape[1])
    )


def a_number_by_template() -> Callable[..., mx.array]:
    kernel = make(
        INDICES
        + """
        uint n = thread_position_in_grid.x, m = thread_position_in_grid.y;
        float sum = 0;
        for (uint k = 0; k < K; k += STEP) {
            for (uint i = k; i < min(K, k + STEP); i++) {
                sum += float(x[m * K + i]) * float(w[i * N + n]);
            }
        }
        y[m * N + n] = T(sum);
        """
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        shape = (x.shape[0], w.shape[1])
        return run(kernel, [x, w], (shape[1], shape[0], 1), (16, 16, 1), shape, template=[("STEP", 8)])

    return matmul


def transposed_and_turned_back() -> Callable[..., mx.array]:
    kernel = make(SOURCE.replace("y[m * N + n]", "y[n * M + m]"))
    return lambda x, w: (
        run(kernel, [x, w], (w.shape[1], x.shape[0], 1), (16, 16, 1), (w.shape[1], x.shape[0])).T
    )


def weights_turned_first() -> Callable[..., mx.array]:
    source = SOURCE.replace("w_shape[1]", "w_shape[0]").replace("w[k * N + n]", "w[n * K + k]")
    kernel = make(source)
    return lambda x, w: run(
        kernel, [x, w.T], (w.shape[1], x.shape[0], 1), (16, 16, 1), (x.shape[0], w.shape[1])
    )


def flat_output_and_cleared() -> Callable[..., mx.array]:
    kernel = make(SOURCE)
    return lambda x, w: run(
        kernel,
        [x, w],
        (w.shape[1], x.shape[0], 1),
        (16, 16, 1),
        (x.shape[0] * w.shape[1],),
        init_value=0,
    ).reshape(x.shape[0], w.shape[1])


def padded_output_cut_to_size() -> Callable[..., mx.array]:
    """Stores into a larger array, where threads past the edge do no harm."""
    kernel = make(
        INDICES
        + """
        uint n = thread_position_in_grid.x, m = thread_position_in_grid.y;
        float sum = 0;
        for (uint k = 0; k < K && m < M && n < N; k++) {
            sum += float(x[m * K + k]) * float(w[k * N + n]);
        }
        y[m * threads_per_grid.x + n] = T(sum);
        """
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = -(-x.shape[0] // 16) * 16, -(-w.shape[1] // 16) * 16
        whole = run(kernel, [x, w], (columns, rows, 1), (16, 16, 1), (rows, columns))
        return whole[: x.shape[0], : w.shape[1]]

    return matmul


def two_launches() -> Callable[..., mx.array]:
    """Halves of K in float32, then their sum."""
    part = make(
        """
        uint M = x_shape[0], K = x_shape[1], N = w_shape[1];
        uint n = thread_position_in_grid.x, m = thread_position_in_grid.y, half_k = thread_position_in_grid.z;
        uint middle = K / 2;
        float sum = 0;
        for (uint k = half_k ? middle : 0; k < (half_k ? K : middle); k++) {
            sum += float(x[m * K + k]) * float(w[k * N + n]);
        }
        y[(half_k * M + m) * N + n] = sum;
        """
    )
    add = make(
        "uint i = thread_position_in_grid.x; y[i] = T(p[i] + p[i + threads_per_grid.x]);", names=("p",)
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[1]
        (parts,) = part(
            inputs=[x, w],
            grid=(columns, rows, 2),
            threadgroup=(16, 16, 1),
            output_shapes=[(2, rows, columns)],
            output_dtypes=[mx.float32],
        )
        (y,) = add(
            inputs=[parts],
            template=[("T", x.dtype)],
            grid=(rows * columns, 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return y

    return matmul


def summed_then_rounded() -> Callable[..., mx.array]:
    """A second kernel is given the first one's finished sums: its input is the answer, and rightly so."""
    wide = make(SOURCE.replace("T(sum)", "sum"))
    narrow = make("uint i = thread_position_in_grid.x; y[i] = T(s[i]);", names=("s",))

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        shape = (x.shape[0], w.shape[1])
        (sums,) = wide(
            inputs=[x, w],
            grid=(shape[1], shape[0], 1),
            threadgroup=(16, 16, 1),
            output_shapes=[shape],
            output_dtypes=[mx.float32],
        )
        (y,) = narrow(
            inputs=[sums],
            template=[("T", x.dtype)],
            grid=(sums.size, 1, 1),
            threadgroup=(256, 1, 1),
            output_shapes=[shape],
            output_dtypes=[x.dtype],
        )
        return y

    return matmul


def helper_in_the_header() -> Callable[..., mx.array]:
    header = "inline float product(float a, float b) { return a * b; }\n"
    source = SOURCE.replace(
        "float(x[m * K + k]) * float(w[k * N + n])", "product(x[m * K + k], w[k * N + n])"
    )
    kernel = make(source, header)
    return lambda x, w: run(kernel, [x, w], (w.shape[1], x.shape[0], 1), (8, 8, 1), (x.shape[0], w.shape[1]))


@pytest.mark.parametrize(
    "variant",
    [
        exact_grid_without_guard,
        one_long_axis,
        four_accumulators,
        a_simdgroup_an_output,
        two_outputs_a_thread,
        a_number_by_template,
        transposed_and_turned_back,
        weights_turned_first,
        flat_output_and_cleared,
        padded_output_cut_to_size,
        two_launches,
        summed_then_rounded,
        helper_in_the_header,
    ],
)
def test_a_right_kernel_passes(variant: Callable[[], Callable[..., mx.array]]) -> None:
    # bfloat16 takes the paths that float16 takes, and each type is compiled anew.
    cases = tuple(case for case in find("02").cases if case.dtype != "bfloat16")
    result = judged(replace(find("02"), cases=cases), variant(), seed=4)
    assert result.passed, str(result)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_standard_launch_of_the_right_body_passes_for_any_numbers(seed: int) -> None:
    exercise = find("02")
    result = judged(exercise, exercise.launch(SOURCE), seed=seed)
    assert result.passed, str(result)
