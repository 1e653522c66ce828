"""`Library`: names, instantiations, constants, includes and the cache; arguments right and wrong."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal

SOURCE = """
#include <metal_stdlib>
using namespace metal;

constant bool negate [[function_constant(0)]];
constant float offset [[function_constant(3)]];

struct Shape { int rows; float scale; long stride; };

[[kernel]] void scaled(const device float* x [[buffer(0)]], device float* y [[buffer(2)]],
                       constant Shape& shape [[buffer(3)]], uint i [[thread_position_in_grid]]) {
  y[i] = shape.scale * x[i * shape.stride] + float(shape.rows);
}

template <typename T, int N>
[[kernel]] void times(const device T* x [[buffer(0)]], device T* y [[buffer(1)]],
                      constant int& n [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  if (int(i) < n) y[i] = x[i] * T(N);
}
template [[host_name("times_half_3")]] [[kernel]] decltype(times<half, 3>) times<half, 3>;

[[kernel]] void flagged(const device float* x [[buffer(0)]],
                        const device float* bias [[buffer(1), function_constant(negate)]],
                        device float* y [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  float v = x[i];
  if (is_function_constant_defined(offset)) v += offset;
  if (negate) v = bias[i] - v;
  y[i] = v;
}

[[kernel]] void reversed(device int* y [[buffer(0)]], threadgroup int* a [[threadgroup(0)]],
                         threadgroup float* b [[threadgroup(1)]], uint i [[thread_position_in_threadgroup]],
                         uint n [[threads_per_threadgroup]]) {
  a[i] = int(i);
  b[i] = 0.5f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = a[n - 1 - i] + int(2 * b[i]);
}

[[kernel, max_total_threads_per_threadgroup(64)]] void counted(device atomic_uint* total [[buffer(0)]]) {
  atomic_fetch_add_explicit(total, 1u, memory_order_relaxed);
}

[[kernel]] void brains(const device bfloat* x [[buffer(0)]], device bfloat* y [[buffer(1)]],
                       constant bfloat& c [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  y[i] = x[i] + c;
}
"""
ONE: tuple[int, int, int] = (1, 1, 1)


@pytest.fixture(scope="module")
def lib() -> anymetal.Library:
    return anymetal.Library(SOURCE, constants={"negate": False})


class Shape(ctypes.Structure):
    _fields_ = [("rows", ctypes.c_int), ("scale", ctypes.c_float), ("stride", ctypes.c_long)]


LAYOUT = np.dtype([("rows", np.int32), ("scale", np.float32), ("stride", np.int64)])


def test_names(lib: anymetal.Library) -> None:
    assert lib.functions == ("scaled", "flagged", "reversed", "counted", "brains", "times_half_3")
    assert lib.templates == ("times",)
    assert "times<...>" in repr(lib)
    assert lib.function("scaled") is lib.function("scaled")
    assert "const device float* x [[buffer(0)]]" in repr(lib.function("scaled"))


@pytest.mark.parametrize(
    "shape",
    [
        Shape(5, 2.0, 3),
        np.array((5, 2.0, 3), LAYOUT)[()],
        np.array([(5, 2.0, 3)], LAYOUT),
        bytes(Shape(5, 2.0, 3)),
    ],
    ids=["ctypes", "np.void", "array", "bytes"],
)
def test_structs(lib: anymetal.Library, shape: Any) -> None:
    x, y = np.arange(30, dtype=np.float32), np.zeros(10, np.float32)
    lib.function("scaled")(x, y, shape, grid=(10, 1, 1), threadgroup=(32, 1, 1))
    np.testing.assert_array_equal(y, 6 * np.arange(10) + 5)


def test_arguments_by_index(lib: anymetal.Library) -> None:
    x, y = np.arange(10, dtype=np.float32), np.zeros(10, np.float32)
    lib.function("scaled")({0: x, 2: y, 3: Shape(0, 1.0, 1)}, threadgroups=ONE, threadgroup=(10, 1, 1))
    np.testing.assert_array_equal(y, x)


def test_instantiations(lib: anymetal.Library) -> None:
    x = np.arange(40, dtype=np.int64)
    y = np.full_like(x, -1)
    lib.function("times<int64_t, 7>")(x, y, 39, grid=(64, 1, 1), threadgroup=(32, 1, 1))
    np.testing.assert_array_equal(y, [*(7 * x[:39]), -1])
    half = x.astype(np.float16)
    lib.function("times_half_3")(half, half, np.int32(40), grid=(40, 1, 1), threadgroup=(40, 1, 1))
    np.testing.assert_array_equal(half, 3 * x)  # in and out may be one array


def test_an_instantiation_that_does_not_compile_points_into_the_source(lib: anymetal.Library) -> None:
    with pytest.raises(anymetal.CompileError) as e:
        lib.function("times<Shape, 2>")
    assert e.value.file == "source"
    assert e.value.line is not None
    with pytest.raises(anymetal.CompileError, match=r"'times' is a template: ask for an instantiation"):
        lib.function("times")
    with pytest.raises(anymetal.CompileError, match=r"no kernel is called 'sclaed'; the source has: scaled"):
        lib.function("sclaed")


def test_function_constants() -> None:
    x, bias, y = (np.arange(4, dtype=np.float32) + i for i in (0, 10, 20))

    def run(constants: dict[int | str, Any], given: Any) -> list[float]:
        function = anymetal.Library(SOURCE, constants=constants).function("flagged")
        function(x, given, y, grid=(4, 1, 1), threadgroup=(4, 1, 1))
        return [float(v) for v in y]

    assert run({0: False}, None) == [0, 1, 2, 3]
    assert run({"negate": True}, bias) == [10, 10, 10, 10]
    assert run({0: np.bool_(False), "offset": 0.5}, None) == [0.5, 1.5, 2.5, 3.5]
    with pytest.raises(anymetal.LaunchError, match=r"buffer 1, `bias`, of flagged is missing"):
        run({0: True}, None)
    with pytest.raises(
        ValueError, match=r"no function constant 'missing'; it has: 0 \(negate\), 3 \(offset\)"
    ):
        run({"missing": True}, None)
    with pytest.raises(ValueError, match="two values"):
        run({0: True, "negate": True}, None)
    with pytest.raises(TypeError, match="must be a bool, an int or a float"):
        run({0: "yes"}, None)


def test_threadgroup_memory(lib: anymetal.Library) -> None:
    y = np.zeros(70, np.int32)
    reverse = lib.function("reversed")
    reverse(y, grid=(70, 1, 1), threadgroup=(70, 1, 1), threadgroup_memory=(288, 288))
    np.testing.assert_array_equal(y, np.arange(70)[::-1] + 1)
    launch: dict[str, Any] = {"grid": (70, 1, 1), "threadgroup": (70, 1, 1)}
    with pytest.raises(anymetal.LaunchError, match="must hold 2 sizes in bytes, got 0"):
        reverse(y, **launch)
    with pytest.raises(anymetal.LaunchError, match="multiples of 16 bytes, got 280"):
        reverse(y, **launch, threadgroup_memory=(280, 288))
    with pytest.raises(anymetal.LaunchError, match="exceeds the maximum threadgroup memory"):
        reverse(y, **launch, threadgroup_memory=(32768, 16))


def test_bfloat(lib: anymetal.Library) -> None:
    x = mx.array([1.0, 2.0, -3.5, 1024.0], mx.bfloat16)
    y = np.zeros(4, np.uint16)
    lib.function("brains")(x, y, 0.5, grid=(4, 1, 1), threadgroup=(4, 1, 1))
    assert mx.array(y).view(mx.bfloat16).tolist() == (x + mx.array(0.5, mx.bfloat16)).tolist()


def test_unaligned_and_lazy_arrays(lib: anymetal.Library) -> None:
    memory = np.zeros(4 * 12 + 1, np.uint8)
    x, y = np.arange(12, dtype=np.float32), memory[1:].view(np.float32)
    assert y.ctypes.data % 4  # as NumPy allows, and no GPU
    scaled = lib.function("scaled")
    scaled(x[1:], y[:11], Shape(0, 2.0, 1), grid=(11, 1, 1), threadgroup=(32, 1, 1))
    np.testing.assert_array_equal(y, [*(2 * x[1:]), 0])
    lazy = (mx.array(x) + 1).reshape(3, 4).T
    scaled(lazy, y, Shape(0, 1.0, 1), grid=(12, 1, 1), threadgroup=(32, 1, 1))
    np.testing.assert_array_equal(y, (x + 1).reshape(3, 4).T.reshape(-1))


def test_atomics_and_a_kernel_that_says_its_limit(lib: anymetal.Library) -> None:
    total = np.zeros(1, np.uint32)
    counted = lib.function("counted")
    counted(total, grid=(1000, 1, 1), threadgroup=(64, 1, 1))
    assert total[0] == 1000
    for watched in (nullcontext(), anymetal.checked()):
        with watched, pytest.raises(anymetal.LaunchError, match=r"threadgroup of this kernel has at most 64"):
            counted(total, grid=(1000, 1, 1), threadgroup=(65, 1, 1))
    assert total[0] == 1000


X, Y = np.zeros(8, np.float32), np.zeros(8, np.float32)
READ_ONLY = np.zeros(8, np.float32)
READ_ONLY.flags.writeable = False
WRONG: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("scaled", (X, Y), anymetal.LaunchError, r"scaled takes 3 buffers \(x, y, shape\), got 2 arguments"),
    ("scaled", ({0: X, 1: Y},), anymetal.LaunchError, r"no buffer 1; it has: 0 \(x\), 2 \(y\), 3 \(shape\)"),
    (
        "scaled",
        (X.astype(np.float64), Y, Shape()),
        TypeError,
        r"buffer 0, `x` .*needs float32, got .*float64",
    ),
    ("scaled", (X, Y[::2], Shape()), anymetal.LaunchError, r"`y` .*needs a C-contiguous array"),
    ("scaled", (X, READ_ONLY, Shape()), anymetal.LaunchError, r"`y` .*the array is read-only"),
    ("scaled", (X, 1.0, Shape()), TypeError, r"`y` .*written by the kernel: it needs a NumPy array, got 1.0"),
    (
        "scaled",
        (X, mx.zeros(8), Shape()),
        TypeError,
        r"`y` .*mlx.core.array is a value that others may share",
    ),
    (
        "scaled",
        (mx.zeros(8, mx.int32), Y, Shape()),
        TypeError,
        r"`x` .*needs an array of float32, got .*int32",
    ),
    (
        "scaled",
        (X, Y, b"12345678"),
        anymetal.LaunchError,
        r"`shape` \(constant Shape&\), needs 16 bytes, got 8",
    ),
    ("scaled", (X, Y, 7), TypeError, r"`shape` .*is a struct of 16 bytes: pass bytes, .*got 7"),
    ("scaled", (X, None, Shape()), anymetal.LaunchError, r"buffer 2, `y`, of scaled is missing"),
    ("scaled", ("x", Y, Shape()), TypeError, r"`x` .*needs a NumPy array, .*got str"),
    ("times<float, 2>", (X, Y, 2**31), anymetal.LaunchError, r"`n` .*needs int32, from .* got 2147483648"),
    ("times<float, 2>", (X, Y, 1.5), TypeError, r"`n` .*needs int32, got 1.5"),
    ("times<float, 2>", (X, Y, np.int64(3)), TypeError, r"`n` .*needs int32, got np.int64\(3\)"),
    ("times<float, 2>", (X, Y, np.zeros(0, np.int32)), anymetal.LaunchError, r"`n` .*needs 4 bytes, got 0"),
]


@pytest.mark.parametrize(("name", "given", "error", "message"), WRONG, ids=[w[3] for w in WRONG])
def test_wrong_arguments(
    lib: anymetal.Library, name: str, given: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        lib.function(name)(*given, grid=(8, 1, 1), threadgroup=(8, 1, 1))


def test_wrong_launches(lib: anymetal.Library) -> None:
    scaled: Any = lib.function("scaled")
    given = (X, Y, Shape())
    with pytest.raises(TypeError, match=r"either `grid` .* or `threadgroups`"):
        scaled(*given, threadgroup=ONE)
    with pytest.raises(TypeError, match=r"either `grid` .* or `threadgroups`"):
        scaled(*given, grid=ONE, threadgroups=ONE, threadgroup=ONE)
    with pytest.raises(anymetal.LaunchError, match=r"Thread group size \(2048\)"):
        scaled(*given, grid=ONE, threadgroup=(2048, 1, 1))
    with pytest.raises(anymetal.LaunchError, match="got 0 along y"):
        scaled(*given, grid=(1, 0, 1), threadgroup=ONE)


def test_wrong_libraries(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="`source` must be"):
        anymetal.Library(b"kernel")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`math_mode`"):
        anymetal.Library(SOURCE, math_mode="quick")
    with pytest.raises(ValueError, match="folder that does not exist"):
        anymetal.Library(SOURCE, include_dirs=[tmp_path / "none"])
    with pytest.raises(anymetal.CompileError) as e:
        anymetal.Library('\n#include "none.h"\n')
    assert (e.value.file, e.value.line) == ("source", 2)


def test_files_and_their_includes(tmp_path: Path) -> None:
    """A header that changes is read again, whatever the cache holds."""
    source = tmp_path / "whole.metal"
    source.write_text('#include "part.h"\nkernel void f(device int* y) { y[0] = VALUE + MORE; }\n')
    y = np.zeros(1, np.int32)
    for value in (3, 4):
        (tmp_path / "part.h").write_text(f"#define VALUE {value}\n")
        function = anymetal.Library(source, defines={"MORE": 10}).function("f")
        function(y, grid=ONE, threadgroup=ONE)
        assert y[0] == value + 10
    source.write_text("kernel void f(device int* y) {\n  y[0] = none;\n}\n")
    with pytest.raises(anymetal.CompileError) as e:
        anymetal.Library(source).function("f")
    assert (e.value.file, e.value.line) == (str(source), 2)


def test_math_modes_are_visible() -> None:
    source = """kernel void f(device int* y) {
#ifdef __FAST_MATH__
  y[0] = 1;
#else
  y[0] = 0;
#endif
}"""
    y = np.full(1, -1, np.int32)
    for mode, seen in (("safe", 0), ("fast", 1)):
        anymetal.Library(source, math_mode=mode).function("f")(y, grid=ONE, threadgroup=ONE)
        assert y[0] == seen


def test_threads_share_a_library(lib: anymetal.Library) -> None:
    outs = [np.zeros(64, np.int32) for _ in range(8)]
    x = np.arange(64, dtype=np.int32)

    def run(number: int) -> None:
        function = lib.function(f"times<int, {number % 3 + 2}>")
        for _ in range(20):
            function(x, outs[number], 64, grid=(64, 1, 1), threadgroup=(32, 1, 1))

    workers = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number, out in enumerate(outs):
        np.testing.assert_array_equal(out, x * (number % 3 + 2))


def test_no_mlx_is_imported() -> None:
    code = """
import sys
sys.modules["mlx"] = None
import numpy as np, anymetal
y = np.zeros(3, np.int32)
lib = anymetal.Library("kernel void f(device int* y, uint i [[thread_position_in_grid]]) { y[i] = i; }")
lib.function("f")(y, grid=(3, 1, 1), threadgroup=(3, 1, 1))
print(y.tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1, 2]\n"
