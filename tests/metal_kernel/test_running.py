"""Kernels run through the whole pipeline by the contract of `mx.fast.metal_kernel`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anymetal
from anymetal import CompileError, LaunchError, arrays
from anymetal.runtime import build

RNG = np.random.default_rng(7)


def run(
    source: str,
    inputs: list[Any],
    shape: tuple[int, ...],
    dtype: Any = mx.float32,
    *,
    grid: tuple[int, int, int] | None = None,
    threadgroup: tuple[int, int, int] = (64, 1, 1),
    names: str = "abcdefgh",
    options: dict[str, Any] | None = None,
    **call: Any,
) -> np.ndarray:
    kernel = anymetal.metal_kernel("t", list(names[: len(inputs)]), ["o"], source, **(options or {}))
    (out,) = kernel(
        inputs=inputs,
        output_shapes=[shape],
        output_dtypes=[dtype],
        grid=grid or (int(np.prod(shape)), 1, 1),
        threadgroup=threadgroup,
        **call,
    )
    assert out.shape == shape
    assert out.dtype == dtype
    return np.asarray(out.astype(mx.float32) if dtype == mx.bfloat16 else out)


COPY = "uint i = thread_position_in_grid.x; o[i] = a[i];"

INTEGERS = [mx.int8, mx.int16, mx.int32, mx.int64, mx.uint8, mx.uint16, mx.uint32, mx.uint64]
FLOATS = [mx.float32, mx.float16, mx.bfloat16]


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, mx.bool_], ids=str)
def test_every_element_type_goes_in_and_out(dtype: Any) -> None:
    x = mx.array(RNG.integers(-100, 100, 77)).astype(dtype)
    y = run(COPY, [x], (77,), dtype)
    expected = np.asarray(x.astype(mx.float32) if dtype == mx.bfloat16 else x)
    np.testing.assert_array_equal(y, expected)


def test_complex_numbers_go_in_and_out() -> None:
    x = (RNG.normal(size=20) + 1j * RNG.normal(size=20)).astype(np.complex64)
    y = run(
        "uint i = thread_position_in_grid.x; o[i] = complex64_t(a[i].imag, a[i].real);",
        [x],
        (20,),
        mx.complex64,
    )
    np.testing.assert_array_equal(y, x.imag + 1j * x.real)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(3, mx.int32), (True, mx.bool_), (2.5, mx.float32), (2**40, mx.int64), (np.float32(1.5), mx.float32)],
)
def test_numbers_as_inputs(value: Any, dtype: Any) -> None:
    y = run("o[thread_position_in_grid.x] = a;", [value], (3,), dtype)
    np.testing.assert_array_equal(y, np.full(3, value))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9])
def test_small_inputs_are_in_constant_memory(n: int) -> None:
    x = RNG.normal(size=n).astype(np.float32)
    space = "constant" if n < 8 else "device"
    y = run(
        f"const {space} float* p = a; uint i = thread_position_in_grid.x; o[i] = p[{n} - 1 - i];", [x], (n,)
    )
    np.testing.assert_array_equal(y, x[::-1])


def views() -> dict[str, mx.array]:
    x = mx.array(RNG.normal(size=(6, 5, 4)).astype(np.float32))
    return {
        "whole": x,
        "transposed": x.transpose(2, 0, 1),
        "sliced": x[1::2, :, 1:3],
        "reversed": x[::-1],
        "broadcast": mx.broadcast_to(x[:, :1], (6, 3, 4)),
        "offset": x[2:],
        "one_row": x[3, 2],
        "lazy": x * 2,
    }


STRIDED = """
    uint i = thread_position_in_grid.x;
    o[i] = a[elem_to_loc<int64_t>(i, a_shape, a_strides, a_ndim)];  // signed: strides may be negative
"""


@pytest.mark.parametrize("view", views())
@pytest.mark.parametrize("contiguous", [True, False])
def test_views(view: str, contiguous: bool) -> None:
    x = views()[view]
    options = {"ensure_row_contiguous": contiguous}
    expected = np.asarray(x).ravel()
    np.testing.assert_array_equal(run(STRIDED, [x], (x.size,), options=options), expected)
    if contiguous:
        np.testing.assert_array_equal(run(COPY, [x], (x.size,)), expected)


def test_shape_strides_and_ndim_hold_what_mlx_says() -> None:
    x = mx.array(RNG.normal(size=(6, 5, 4)).astype(np.float32)).transpose(2, 0, 1)
    source = """
        o[0] = a_ndim;
        for (int d = 0; d < 3; d++) { o[1 + d] = a_shape[d]; o[4 + d] = a_strides[d]; }
        o[7] = thread_position_in_grid.x;
    """
    loose = run(source, [x], (8,), mx.int64, grid=(1, 1, 1), options={"ensure_row_contiguous": False})
    assert loose.tolist() == [3, 4, 6, 5, 1, 20, 4, 0]
    dense = run(source, [x], (8,), mx.int64, grid=(1, 1, 1))
    assert dense.tolist() == [3, 4, 6, 5, 30, 5, 1, 0]


def test_no_copy_is_made_of_a_dense_input() -> None:
    x = mx.array(RNG.normal(size=(64, 3)).astype(np.float32))
    assert arrays.row_contiguous(x) is x
    assert arrays.address(x) == np.asarray(x).ctypes.data
    assert arrays.address(x[10:]) == np.asarray(x).ctypes.data + 10 * 3 * 4


def test_the_extent_of_views() -> None:
    x = mx.zeros((6, 5, 4))
    assert arrays.extent(x) == 6 * 5 * 4 * 4
    assert arrays.extent(x[::2, 1:, ::3]) == 4 * (4 * 20 + 3 * 4 + 3 + 1)
    assert arrays.extent(x[::-1]) == 6 * 5 * 4 * 4
    assert arrays.extent(mx.broadcast_to(x[0, 0], (100, 4))) == 16
    assert arrays.extent(x[:0]) == 0


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, mx.bool_, mx.complex64], ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (0, 4), (5, 7), (1000, 600)])
def test_outputs_are_dense_writable_memory_of_their_own(dtype: Any, shape: tuple[int, ...]) -> None:
    first, second = arrays.output(shape, dtype, None), arrays.output(shape, dtype, None)
    assert first.shape == shape
    assert first.dtype == dtype
    view = memoryview(first)  # type: ignore[arg-type]
    assert view.c_contiguous
    assert not view.readonly
    if first.size:
        assert arrays.address(first) != arrays.address(second)


def test_elements_that_nobody_writes_are_marked() -> None:
    y = run("if (thread_position_in_grid.x == 1) o[1] = 5;", [], (3,))
    np.testing.assert_array_equal(y, [np.nan, 5, np.nan])
    y = run("if (thread_position_in_grid.x == 1) o[1] = 5;", [], (3,), mx.uint8)
    np.testing.assert_array_equal(y, [255, 5, 255])


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16, mx.int32, mx.uint8], ids=str)
@pytest.mark.parametrize("shape", [(5,), (400, 700)])
def test_init_value(dtype: Any, shape: tuple[int, ...]) -> None:
    y = run("if (thread_position_in_grid.x == 1) o[1] += 2;", [], shape, dtype, init_value=3)
    expected = np.full(shape, 3.0)
    expected.flat[1] = 5
    np.testing.assert_array_equal(y, expected)


def test_several_outputs_of_different_types_and_shapes() -> None:
    kernel = anymetal.metal_kernel(
        "two",
        ["a"],
        ["p", "q"],
        "uint i = thread_position_in_grid.x; p[i] = a[i] * 2; if (i < 3) q[i] = int(a[i]);",
    )
    x = np.arange(10, dtype=np.float32) - 4.5
    p, q = kernel(
        inputs=[x],
        output_shapes=[(2, 5), (3,)],
        output_dtypes=[mx.float16, mx.int32],
        grid=(10, 1, 1),
        threadgroup=(32, 1, 1),
    )
    np.testing.assert_array_equal(np.asarray(p), (x * 2).reshape(2, 5))
    np.testing.assert_array_equal(np.asarray(q), np.trunc(x[:3]))


def test_atomic_outputs() -> None:
    y = run(
        """
        uint i = thread_position_in_grid.x;
        atomic_fetch_add_explicit(&o[i % 3], a[i], memory_order_relaxed);
        """,
        [mx.arange(1000, dtype=mx.int32)],
        (3,),
        mx.int32,
        grid=(1000, 1, 1),
        init_value=0,
        options={"atomic_outputs": True},
    )
    assert y.tolist() == [sum(range(r, 1000, 3)) for r in range(3)]


def test_templates_of_every_kind() -> None:
    source = "o[thread_position_in_grid.x] = T(N) + (B ? a[0] : T(0));"
    for dtype in FLOATS:
        x = mx.array([0.5], dtype)
        assert run(source, [x], (1,), dtype, template=[("T", dtype), ("N", -3), ("B", True)]).item() == -2.5
        assert run(source, [x], (1,), dtype, template=[("T", dtype), ("N", 4), ("B", False)]).item() == 4


def test_true_and_one_are_different_template_arguments() -> None:
    kernel = anymetal.metal_kernel("k", [], ["o"], "o[thread_position_in_grid.x] = sizeof(N);")

    def size(value: Any) -> int:
        (o,) = kernel(
            inputs=[],
            template=[("N", value)],
            output_shapes=[(1,)],
            output_dtypes=[mx.int32],
            grid=(1, 1, 1),
            threadgroup=(1, 1, 1),
        )
        return int(o.item())

    assert [size(1), size(True), size(1)] == [4, 1, 4]


def test_the_header_is_used() -> None:
    header = "constant float factor = 2.5f;\ntemplate <typename T> T twice(T x) { return x + x; }\n"
    y = run(
        "o[thread_position_in_grid.x] = twice(a[0]) * factor;",
        [3.0 * mx.ones(1)],
        (1,),
        options={"header": header},
    )
    assert y.item() == 15


def test_verbose_prints_what_mlx_prints(capsys: pytest.CaptureFixture[str]) -> None:
    run(COPY, [mx.zeros(9)], (9,), verbose=True)
    out = capsys.readouterr().out
    assert out.startswith(
        "Generated source code for `t`:\n```\n[[kernel]] void custom_kernel_t_float_float(\n"
    )
    assert "#line" not in out


@settings(max_examples=20)
@given(
    grid=st.tuples(st.integers(1, 70), st.integers(1, 9), st.integers(1, 5)),
    threadgroup=st.tuples(st.sampled_from([1, 3, 8, 32, 33]), st.integers(1, 4), st.integers(1, 3)),
)
def test_a_grid_counts_threads_and_each_runs_once(
    grid: tuple[int, int, int], threadgroup: tuple[int, int, int]
) -> None:
    source = """
        uint3 p = thread_position_in_grid;
        uint i = (p.z * threads_per_grid.y + p.y) * threads_per_grid.x + p.x;
        atomic_fetch_add_explicit(&o[i], 1 + p.x + 1000 * p.y + 100000 * p.z, memory_order_relaxed);
    """
    kernel = anymetal.metal_kernel("once", [], ["o"], source, atomic_outputs=True)
    (o,) = kernel(
        inputs=[],
        output_shapes=[grid[::-1]],
        output_dtypes=[mx.int32],
        grid=grid,
        threadgroup=threadgroup,
        init_value=0,
    )
    z, y, x = np.meshgrid(*(np.arange(n) for n in grid[::-1]), indexing="ij")
    np.testing.assert_array_equal(np.asarray(o), 1 + x + 1000 * y + 100000 * z)


def test_one_and_two_threads_give_the_same_bits() -> None:
    source = """
        uint i = threadgroup_position_in_grid.x;
        threadgroup float part[4];
        float s = 0;
        for (uint k = thread_index_in_threadgroup; k < 1000; k += 128) s += a[i * 1000 + k] * exp(a[k]);
        s = simd_sum(s);
        if (thread_index_in_simdgroup == 0) part[simdgroup_index_in_threadgroup] = s;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        if (thread_index_in_threadgroup == 0) o[i] = part[0] + part[1] + part[2] + part[3];
    """
    x = RNG.normal(size=(300, 1000)).astype(np.float32)
    results = []
    for n in (1, 2, 1, 2):
        with anymetal.threads(n):
            results.append(run(source, [x], (300,), grid=(300 * 128, 1, 1), threadgroup=(128, 1, 1)))
    for other in results[1:]:
        assert np.array_equal(results[0].view(np.uint32), other.view(np.uint32))
    exact = x.astype(np.float64) @ np.exp(x[0].astype(np.float64))
    # each product is rounded, each sum of about 1000 terms at most 8 + 5 + 3 times; exp is good to 2 units
    bound = 20 * 2.0**-24 * (np.abs(x.astype(np.float64)) @ np.exp(x[0].astype(np.float64)))
    assert np.all(np.abs(results[0] - exact) <= bound)


def test_several_python_threads_at_once() -> None:
    kernel = anymetal.metal_kernel(
        "at_once", ["a", "n"], ["o"], "uint i = thread_position_in_grid.x; o[i] = a[i] * n;"
    )
    wrong: list[object] = []

    def work(n: int) -> None:
        try:
            for size in range(1, 40):
                x = np.arange(size, dtype=np.float32)
                (o,) = kernel(
                    inputs=[x, float(n)],
                    output_shapes=[(size,)],
                    output_dtypes=[mx.float32],
                    grid=(size, 1, 1),
                    threadgroup=(8, 1, 1),
                )
                if not np.array_equal(np.asarray(o), x * n):
                    wrong.append((n, size))
        except Exception as e:
            wrong.append(e)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong


class TestTransforms:
    """What a kernel that runs at once can and cannot do inside MLX's transforms."""

    kernel = anymetal.metal_kernel(
        "square", ["a"], ["o"], "uint i = thread_position_in_grid.x; o[i] = a[i] * a[i];"
    )

    def square(self, x: mx.array) -> mx.array:
        (o,) = self.kernel(
            inputs=[x],
            output_shapes=[x.shape],
            output_dtypes=[x.dtype],
            grid=(x.size, 1, 1),
            threadgroup=(32, 1, 1),
        )
        return o

    @pytest.mark.parametrize("transform", [mx.compile, mx.vmap])
    def test_where_arrays_have_no_values_the_error_says_what_to_do(self, transform: Any) -> None:
        with pytest.raises(LaunchError, match=r"mx\.compile and mx\.vmap arrays have none yet"):
            transform(self.square)(mx.ones((4,)))

    def test_a_gradient_through_a_kernel_raises_and_is_not_zero(self) -> None:
        x = mx.array([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="no gradient of its own"):
            mx.grad(lambda x: self.square(x * 2).sum())(x)
        with pytest.raises(ValueError, match="no gradient of its own"):
            mx.jvp(self.square, [x], [x])

    def test_a_custom_function_gives_it_a_gradient(self) -> None:
        f: Any = mx.custom_function(self.square)
        f.vjp(lambda primal, cotangent, _: 2 * primal * cotangent)
        x = mx.array([1.0, 2.0, 3.0])
        value, gradient = mx.value_and_grad(lambda x: f(x * 3).sum())(x)
        assert value.item() == 126
        assert gradient.tolist() == [18.0, 36.0, 54.0]

    def test_a_stopped_gradient_goes_through_as_none(self) -> None:
        x = mx.array([1.0, 2.0, 3.0])
        gradient = mx.grad(lambda x: (x * self.square(mx.stop_gradient(x))).sum())(x)
        assert gradient.tolist() == [1.0, 4.0, 9.0]

    def test_beside_a_gradient_it_is_a_constant(self) -> None:
        c = mx.array([1.0, 2.0, 3.0])
        gradient = mx.grad(lambda x: (x * self.square(c)).sum())(mx.ones((3,)))
        assert gradient.tolist() == [1.0, 4.0, 9.0]


class TestWhatDoesNotCompileOrLaunch:
    def test_a_compile_error_is_on_the_learners_line(self) -> None:
        with pytest.raises(CompileError) as raised:
            run("uint i = thread_position_in_grid.x;\nfloat x = undeclared;\no[i] = x;", [], (3,))
        assert (raised.value.file, raised.value.line) == ("source", 2)
        assert "undeclared" in str(raised.value)
        assert "float x = undeclared;" in str(raised.value)
        with pytest.raises(CompileError) as raised:
            run(COPY, [mx.zeros(9)], (9,), options={"header": "\n\nint f() { return wrong; }\n"})
        assert (raised.value.file, raised.value.line) == ("header", 3)

    @pytest.mark.parametrize("watched", [False, True])
    def test_too_much_threadgroup_memory(self, watched: bool) -> None:
        source = "uint i = thread_position_in_grid.x; threadgroup float t[8193]; t[i] = 1; o[0] = t[i];"
        with (
            anymetal.checked() if watched else nullcontext(),
            pytest.raises(
                LaunchError, match=r"\(32772\) exceeds the maximum threadgroup memory allowed \(32768\)"
            ),
        ):
            run(source, [], (3,))

    def test_a_bad_call_leaves_the_kernel_usable(self) -> None:
        kernel = anymetal.metal_kernel("k", ["a"], ["o"], COPY)
        good: dict[str, Any] = {
            "inputs": [mx.arange(9.0)],
            "output_shapes": [(9,)],
            "output_dtypes": [mx.float32],
            "grid": (9, 1, 1),
            "threadgroup": (9, 1, 1),
        }
        bad: dict[str, Any]
        for bad in ({"grid": (0, 1, 1)}, {"threadgroup": (2048, 1, 1)}, {"inputs": []}):
            with pytest.raises(ValueError, match=r"grid|greater|size"):
                kernel(**{**good, **bad})
        assert kernel(**good)[0].tolist() == list(range(9))


class TestCache:
    @staticmethod
    def source() -> build.Source:
        parameters = "device float* o [[buffer(0)]], uint i [[thread_position_in_grid]]"
        return build.Source(f"#include <metal_stdlib>\nkernel void k({parameters}) {{ o[i] = 1; }}")

    def test_a_hit_calls_neither_clang_nor_the_widener(
        self, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import anymetal.frontend
        import anymetal.simt

        first = build.program(self.source(), "k", (100, 1, 1), (32, 1, 1))
        assert build.program(self.source(), "k", (200, 1, 1), (32, 1, 1)) is not None
        build.forget()

        def never(*_: object, **__: object) -> None:
            raise AssertionError("this was cached")

        monkeypatch.setattr(anymetal.frontend, "compile_source", never)
        monkeypatch.setattr(anymetal.simt, "widen", never)
        second = build.program(self.source(), "k", (100, 1, 1), (32, 1, 1))
        assert second is not first
        assert (second.frame_bytes, second.buffers) == (first.frame_bytes, first.buffers)

    def test_another_layout_calls_the_widener_only(
        self, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import anymetal.frontend

        build.program(self.source(), "k", (64, 1, 1), (32, 1, 1))

        def never(*_: object, **__: object) -> None:
            raise AssertionError("this was cached")

        monkeypatch.setattr(anymetal.frontend, "compile_source", never)
        build.program(self.source(), "k", (30, 30, 1), (5, 5, 1))

    def test_damaged_entries_are_built_again(self, empty_cache: Path) -> None:
        build.program(self.source(), "k", (100, 1, 1), (32, 1, 1))
        entries = sorted(empty_cache.iterdir())
        assert len(entries) == 2  # the module and the program
        whole = [e.read_bytes() for e in entries]
        for e in entries:
            e.write_bytes(e.read_bytes()[:-20])
        build.forget()
        build.program(self.source(), "k", (100, 1, 1), (32, 1, 1))
        assert [e.read_bytes() for e in sorted(empty_cache.iterdir())] == whole

    def test_whole_entries_with_foreign_content_are_built_again(self, empty_cache: Path) -> None:
        from anymetal.runtime import cache

        build.program(self.source(), "k", (100, 1, 1), (32, 1, 1))
        for e in list(empty_cache.iterdir()):
            cache.store(e.stem, {"entry": "k"}, b"not an object")
        build.forget()
        assert build.program(self.source(), "k", (100, 1, 1), (32, 1, 1)).frame_bytes >= 0

    def test_a_file_that_the_kernel_includes_may_change(self, empty_cache: Path, tmp_path: Path) -> None:
        included = tmp_path / "factor.h"
        for factor in (2, 3):
            included.write_text(f"constant float factor = {factor};\n")
            build.forget()
            source = "o[thread_position_in_grid.x] = factor;"
            y = run(source, [], (1,), options={"header": f'#include "{included.as_posix()}"\n'})
            assert y.item() == factor

    def test_a_kernel_that_is_not_there(self, empty_cache: Path) -> None:
        with pytest.raises(CompileError, match="no kernel is called 'other'; the source has: k"):
            build.program(self.source(), "other", (1, 1, 1), (1, 1, 1))

    def test_processes_that_build_the_same_kernel_at_once(self, empty_cache: Path) -> None:
        program = f"""
import mlx.core as mx, anymetal
k = anymetal.metal_kernel("k", ["a"], ["o"], {COPY!r})
how = dict(output_shapes=[(99,)], output_dtypes=[mx.float32], grid=(99, 1, 1), threadgroup=(32, 1, 1))
(o,) = k(inputs=[mx.arange(99.0)], **how)
print(o.tolist() == list(range(99)))
"""
        running = [
            subprocess.Popen(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(3)
        ]
        for one in running:
            out, err = one.communicate(timeout=120)
            assert out.strip() == "True", err

    def test_threads_that_want_the_same_program_build_it_once(
        self, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        builds = []
        real = build._build

        def slow(*arguments: Any) -> Any:
            builds.append(1)
            time.sleep(0.05)
            return real(*arguments)

        monkeypatch.setattr(build, "_build", slow)
        workers = [
            threading.Thread(target=build.program, args=(self.source(), "k", (100, 1, 1), (32, 1, 1)))
            for _ in range(4)
        ]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        assert len(builds) == 1
