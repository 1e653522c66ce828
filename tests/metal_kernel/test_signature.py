"""The generated source against MLX's own.

MLX writes the source of a kernel even where it has no Metal to run it: `mx.export_function` records the
call, and `verbose=True` prints the text. So each text here is compared with MLX's, character for character.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal import arrays, signature

# The function of this name hides the module.
metal_kernel = importlib.import_module("anymetal.metal_kernel")


pytestmark = pytest.mark.usefixtures("mlx_itself")


def of_mlx(
    make: dict[str, Any], call: dict[str, Any], folder: Path, capfd: pytest.CaptureFixture[str]
) -> str:
    kernel: Any = mx.fast.metal_kernel(**make)
    capfd.readouterr()
    # An exported function has an input; the kernel need not use it.
    mx.export_function(str(folder / "out.mlxfn"), lambda _: kernel(**call, verbose=True), mx.zeros((1,)))
    return capfd.readouterr().out


def of_anymetal(make: dict[str, Any], call: dict[str, Any]) -> str:
    kernel = anymetal.metal_kernel(**make)
    given = [arrays.to_array(v) for v in call["inputs"]]
    kinds = tuple((a.dtype, a.ndim == 0, a.size < signature.CONSTANT_BELOW) for a in given)
    template = metal_kernel._template(call.get("template"), arrays.METAL_TYPES)
    text = kernel._generate(kinds, tuple(call["output_dtypes"]), template, arrays.METAL_TYPES).generated.text
    return f"Generated source code for `{kernel.name}`:\n```\n{text}\n```\n"


def call(inputs: list[Any], template: Any = None, dtypes: tuple[Any, ...] = (mx.float32,)) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "template": template,
        "output_shapes": [(2,)] * len(dtypes),
        "output_dtypes": list(dtypes),
        "grid": (1, 1, 1),
        "threadgroup": (1, 1, 1),
    }


def make(source: str, inputs: str = "a", outputs: str = "o", **more: Any) -> dict[str, Any]:
    return {"name": "f", "input_names": list(inputs), "output_names": list(outputs), "source": source, **more}


DTYPES = list(arrays.METAL_TYPES)
BODY = "uint i = thread_position_in_grid.x; o[i] = a[i];"
CASES = {
    "plain": (make(BODY), call([mx.zeros((3, 4))])),
    "all_dtypes_in_and_out": (
        make("thread_position_in_grid", "abcdefghijklm", "nopqrstuvwxyz"),
        call([mx.zeros((8,), d) for d in DTYPES], dtypes=tuple(DTYPES)),
    ),
    "all_dtypes_as_templates": (
        make(BODY),
        call([mx.zeros(9)], [(f"T{i}", d) for i, d in enumerate(DTYPES)]),
    ),
    "seven_elements_are_constant": (make(BODY, "ab"), call([mx.zeros((7, 1)), mx.zeros((8, 1))])),
    "empty_is_constant": (make(BODY), call([mx.zeros((0, 3))])),
    "one_element_is_no_scalar": (make(BODY), call([mx.zeros((1,))])),
    "scalars": (make(BODY, "abcdef"), call([1, True, 2.5, 1j, 2**31, mx.array(3, mx.uint8)])),
    "scalars_of_numpy": (
        make(BODY, "abcde"),
        call([np.float32(1), np.int32(-1), np.float64(2), np.bool_(True), np.array(5, np.int16)]),
    ),
    "arrays_of_numpy": (make(BODY, "ab"), call([np.zeros(9), np.zeros((3, 3), np.uint16)])),
    "extents_of_integers": (make(BODY, "abcd"), call([2**31 - 1, -(2**31), -(2**31) - 1, 2**40])),
    "shape_strides_ndim": (
        make("a_shape[0]; b_strides; c_ndim; a_ndim; thread_index_in_simdgroup", "abc", "op"),
        call([mx.zeros((3, 4)), mx.zeros((2,)), mx.zeros((2, 2, 2))], dtypes=(mx.float32, mx.int32)),
    ),
    "no_shape_for_scalars": (make("a_shape; a_strides; a_ndim; thread_index_in_simdgroup"), call([3])),
    "a_name_inside_a_name_counts": (
        {**make("my_alpha_shape; dispatch_threads_per_threadgroup"), "input_names": ["alpha"]},
        call([mx.zeros((2, 2))]),
    ),
    "every_attribute": (make(" ".join(name for name, _ in signature.ATTRIBUTES)), call([mx.zeros(9)])),
    "no_attribute": (make("o[0] = a[0];"), call([mx.zeros(9)])),
    "no_attribute_two_outputs": (
        make("o[0] = p[0] = a[0];", "a", "op"),
        call([mx.zeros(9)], dtypes=(mx.int8,) * 2),
    ),
    "no_input": (make(BODY, ""), call([])),
    "templates": (
        make(BODY),
        call([mx.zeros(9)], [("T", mx.bfloat16), ("N", -3), ("B", True), ("Z", 0), ("F", False)]),
    ),
    "template_extents": (make(BODY), call([mx.zeros(9)], [("N", -(2**31)), ("M", 2**31 - 1)])),
    "empty_template": (make(BODY), call([mx.zeros(9)], [])),
    "templates_as_tuples_or_lists": (make(BODY), call([mx.zeros(9)], (["T", mx.int8], ("N", 1)))),
    "header": (
        make(BODY, header="#define TILE 8\ntemplate <int N> int f() { return N; }\n"),
        call([mx.zeros(9)]),
    ),
    "header_without_newline": (make(BODY, header="constant int n = 1;"), call([mx.zeros(9)], [("N", 1)])),
    "atomic": (
        make(BODY, outputs="op", atomic_outputs=True),
        call([mx.zeros(9)], dtypes=(mx.float32, mx.uint32)),
    ),
    "source_with_newlines": (make("\n\n    uint i = thread_position_in_grid.x;\n\n"), call([mx.zeros(9)])),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_text_is_that_of_mlx(case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made, called = CASES[case]
    assert of_anymetal(made, called) == of_mlx(made, called, tmp_path, capfd)


def test_a_comma_that_mlx_forgets() -> None:
    """With extras, several outputs and no attribute, MLX 0.32 closes the signature after its first output."""
    text = of_anymetal(
        make("a_shape; o[0] = p[0] = 1;", "a", "op"), call([mx.zeros((3, 3))], dtypes=(mx.int8,) * 2)
    )
    assert "device int8_t* o [[buffer(2)]],\n  device int8_t* p [[buffer(3)]]) {\n" in text


def test_the_front_ends_text_is_the_same_with_markers() -> None:
    made, called = make("line one\nline two", header="// h1\n// h2\n"), call([mx.zeros(9)], [("N", 1)])
    kernel = anymetal.metal_kernel(**made)
    template = metal_kernel._template(called["template"], arrays.METAL_TYPES)
    generated = kernel._generate(
        ((mx.float32, False, False),), (mx.float32,), template, arrays.METAL_TYPES
    ).generated
    lines, where, number = {}, "", 0
    for line in generated.marked.split("\n"):
        if line.startswith("#line"):
            _, n, where = line.split(" ")
            number = int(n)
        else:
            lines[where, number] = line
            number += 1
    assert lines['"source"', 1] == "line one"
    assert lines['"source"', 2] == "line two"
    assert lines['"header"', 1] == "// h1"
    assert lines['"header"', 2] == "// h2"
    unmarked = [x for x in generated.marked.split("\n") if not x.startswith("#")]
    assert [x for x in unmarked if x] == [x for x in generated.text.split("\n") if x]
