"""Bad arguments: what MLX refuses is refused alike, and each message names the argument."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal import CompileError, LaunchError

A = mx.array([1.0, 2.0])
MAKE: dict[str, Any] = {
    "name": "f",
    "input_names": ["a", "b"],
    "output_names": ["o"],
    "source": "o[0] = a[0] + b;",
}
CALL: dict[str, Any] = {
    "inputs": [A, 2.0],
    "output_shapes": [(2,)],
    "output_dtypes": [mx.float32],
    "grid": (1, 1, 1),
    "threadgroup": (1, 1, 1),
}


pytestmark = pytest.mark.usefixtures("mlx_itself")


BAD_MAKES = [
    {"output_names": []},
    {"compile_options": {"speed": 1}},
    {"compile_options": {"math_mode": "precise"}},
    {"compile_options": ["math_mode"]},
    {"input_names": "ab"},
    {"input_names": [1]},
    {"output_names": None},
    {"name": 1},
    {"source": None},
    {"header": 3},
    {"atomic_outputs": "yes"},
    {"ensure_row_contiguous": 1},
]


@pytest.mark.parametrize("bad", BAD_MAKES, ids=str)
def test_a_bad_kernel_is_refused_as_mlx_refuses_it(bad: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as theirs:
        mx.fast.metal_kernel(**{**MAKE, **bad})
    with pytest.raises(theirs.type) as ours:
        anymetal.metal_kernel(**{**MAKE, **bad})
    if theirs.type is ValueError:
        assert str(ours.value) == str(theirs.value)
    else:
        assert next(iter(bad)) in str(ours.value)  # nanobind's own message lists types only


BAD_CALLS = [
    {"inputs": [A]},
    {"inputs": [A, A, A]},
    {"output_shapes": []},
    {"output_dtypes": []},
    {"output_dtypes": [mx.float32, mx.float32]},
    {"inputs": 3},
    {"inputs": "ab"},
    {"inputs": {"a": A}},
    {"inputs": [A, "x"]},
    {"inputs": [A, [1, 2]]},
    {"inputs": [A, None]},
    {"template": [("T", "float")]},
    {"template": [("T", 1.5)]},
    {"template": [("N", 2**31)]},
    {"template": [("N", np.int32(3))]},
    {"template": [("N",)]},
    {"template": {"T": 1}},
    {"template": [(1, 1)]},
    {"grid": (1, 1)},
    {"grid": 1},
    {"grid": (1.0, 1, 1)},
    {"grid": (2**40, 1, 1)},
    {"threadgroup": (1, 1)},
    {"threadgroup": None},
    {"output_shapes": [2]},
    {"output_shapes": [(2.5,)]},
    {"output_shapes": 3},
    {"output_dtypes": ["float32"]},
    {"output_dtypes": mx.float32},
    {"init_value": "x"},
    {"verbose": 1},
    {"stream": "gpu"},
]


@pytest.mark.parametrize("bad", BAD_CALLS, ids=str)
def test_a_bad_call_is_refused_as_mlx_refuses_it(bad: dict[str, Any]) -> None:
    theirs_kernel: Any = mx.fast.metal_kernel(**MAKE)
    with pytest.raises((TypeError, ValueError)) as theirs:
        theirs_kernel(**{**CALL, **bad})
    with pytest.raises(theirs.type) as ours:
        anymetal.metal_kernel(**MAKE)(**{**CALL, **bad})
    if theirs.type is ValueError:
        assert str(ours.value).startswith(str(theirs.value).strip())
    else:
        assert f"`{next(iter(bad))}" in str(ours.value)


@pytest.mark.parametrize("missing", CALL)
def test_a_missing_argument_is_named(missing: str) -> None:
    with pytest.raises(TypeError, match=missing):
        anymetal.metal_kernel(**MAKE)(**{k: v for k, v in CALL.items() if k != missing})


def test_an_unknown_argument_and_positional_ones_are_refused() -> None:
    kernel = anymetal.metal_kernel(**MAKE)
    with pytest.raises(TypeError, match="speed"):
        kernel(**CALL, speed=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        kernel([A, 2.0])  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"grid": (0, 1, 1)}, r"`grid` must be at least 1 along every axis, got 0 along x"),
        ({"grid": (1, -3, 1)}, r"`grid` must be at least 1 along every axis, got -3 along y"),
        ({"threadgroup": (1, 1, 0)}, r"`threadgroup` must be at least 1 along every axis, got 0 along z"),
        ({"threadgroup": (1025, 1, 1)}, r"\(1025\) is greater than the maximum .* \(1024\)"),
        ({"threadgroup": (32, 32, 2)}, r"\(2048\) is greater than the maximum .* \(1024\)"),
        ({"output_shapes": [(2, -1)]}, r"`output_shapes` has an axis of size -1"),
        ({"output_dtypes": [mx.float64]}, r"float64 is not supported on the GPU"),
        ({"inputs": [A, mx.zeros((2,), mx.float64)]}, r"float64 is not supported on the GPU"),
        ({"template": [("T", mx.float64)]}, r"float64 is not supported on the GPU"),
        ({"stream": mx.cpu}, r"Only supports the GPU"),
        ({"stream": mx.Device(mx.cpu)}, r"Only supports the GPU"),
    ],
    ids=str,
)
def test_what_mlx_would_only_refuse_on_a_gpu(bad: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        anymetal.metal_kernel(**MAKE)(**{**CALL, **bad})


def test_too_many_buffers() -> None:
    names = [f"a{i}" for i in range(31)]
    kernel = anymetal.metal_kernel("f", names, ["o"], "o[0] = a0;")
    with pytest.raises(LaunchError, match="takes 32 buffers"):
        kernel(**{**CALL, "inputs": [1.0] * 31})


@pytest.mark.parametrize("name", ["my kernel", "a-b", "é", ""])
def test_a_name_that_metal_would_not_take(name: str) -> None:
    with pytest.raises(ValueError, match="`name` becomes part of a function's name"):
        anymetal.metal_kernel(**{**MAKE, "name": name})


@pytest.mark.parametrize(
    "header", ["#define N 3", "int f();\n  // helpers", "#include <metal_stdlib>\n#undef X"]
)
def test_a_header_that_would_swallow_the_signature(header: str) -> None:
    kernel = anymetal.metal_kernel(**MAKE, header=header)
    with pytest.raises(CompileError, match="last line needs a newline at its end") as raised:
        kernel(**CALL)
    assert raised.value.file == "header"
    assert raised.value.line == header.count("\n") + 1
