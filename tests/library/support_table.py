"""The table of what anymetal supports, in its README: each line is told by the tests that it names.

    python -m tests.library.support_table

runs those tests, and writes the table if they pass. A test of this folder notices a table that is out of
date.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "anymetal" / "README.md"
BEGIN, END = "<!-- support: begin -->", "<!-- support: end -->"
_REFUSED = "no: refused by name"


@dataclass(frozen=True)
class Feature:
    """``test``: a file of ``tests/`` or a function in it. What is not ``supported`` has a test of its
    error."""

    name: str
    test: str
    supported: bool = True


FEATURES = (
    Feature(
        "`mx.fast.metal_kernel`: templates, strides, `init_value`, atomic outputs",
        "metal_kernel/test_running.py",
    ),
    Feature("its arguments, refused where MLX refuses them", "metal_kernel/test_arguments.py"),
    Feature("the source it generates, as MLX's", "metal_kernel/test_signature.py"),
    Feature(
        "`Library`: structs, instantiations, includes, several Python threads", "library/test_library.py"
    ),
    Feature("function constants", "library/test_library.py::test_function_constants"),
    Feature(
        "`[[threadgroup(i)]]` memory sized by the launch", "library/test_library.py::test_threadgroup_memory"
    ),
    Feature("every thread attribute, in grids of any shape", "conformance/test_ids.py"),
    Feature("integers of 8 to 64 bits", "conformance/test_integers.py"),
    Feature("`float`, `half`, `bfloat` and their mathematics", "conformance/test_floats.py"),
    Feature("vectors, swizzles, packed vectors, vectors of `bool`", "conformance/test_vectors.py"),
    Feature("matrices such as `float3x4`", "frontend/test_functions.py::test_matrices"),
    Feature("packing and unpacking of colours", "frontend/test_functions.py::test_packing"),
    Feature("`simd_*` and `quad_*` operations", "conformance/test_lanes.py"),
    Feature("`simdgroup_matrix<T, 8, 8>` of float, half and bfloat", "conformance/test_matrix.py"),
    Feature("threadgroup memory and barriers", "conformance/test_threadgroup.py"),
    Feature("arrays of a thread's own", "conformance/test_private.py"),
    Feature("atomics in device and threadgroup memory", "conformance/test_atomics.py"),
    Feature("divergent branches, loops and early returns", "conformance/test_divergence.py"),
    Feature("templates, lambdas, references, tables in `constant`", "conformance/test_language.py"),
    Feature("MLX's `gemv` and `gemv_t`", "library/test_mlx_headers.py::test_gemv"),
    Feature(
        "MLX's affine quantized kernels: 2, 3, 4, 5, 6, 8 bits", "library/test_mlx_headers.py::test_quantized"
    ),
    Feature("MLX's `steel_gemm_fused`", "library/test_mlx_headers.py::test_steel_gemm_fused"),
    Feature("MLX's softmax", "library/test_mlx_headers.py::test_softmax"),
    Feature("MLX's scan", "library/test_mlx_headers.py::test_scan"),
    Feature("MLX's sort", "library/test_mlx_headers.py::test_sort"),
    Feature("MLX's `sdpa_vector`", "library/test_mlx_headers.py::test_attention_of_one_query"),
    Feature("machine code kept on disk, safe under many processes", "runtime/test_cache.py"),
    Feature("errors on the line that was written, in Metal's words", "frontend/test_diagnostics.py"),
    Feature("what Metal refuses (`double`, `new`, recursion …)", "frontend/test_refusals.py", False),
    Feature(
        "textures, samplers, vertex and fragment functions", "frontend/test_refusals.py::test_refused", False
    ),
    Feature(
        "Metal 4's tensor operations (MLX's `*_nax.h`)",
        "library/test_mlx_headers.py::test_metal_4_tensors_are_refused_in_words",
        False,
    ),
)


def table() -> str:
    """The table as Markdown."""
    rows = [f"| {f.name} | {'yes' if f.supported else _REFUSED} | `tests/{f.test}` |" for f in FEATURES]
    return "\n".join(["| feature | supported | the test that proves it |", "|---|---|---|", *rows])


def written(readme: str) -> str:
    """The table that a README holds."""
    return readme.partition(BEGIN)[2].partition(END)[0].strip()


def missing_tests() -> list[str]:
    """Tests that the table names and nobody has written."""
    missing = []
    for feature in FEATURES:
        file, _, function = feature.test.partition("::")
        path = ROOT / "tests" / file
        text = path.read_text() if path.exists() else ""
        if not text or (function and not re.search(rf"^def {function}\(", text, re.MULTILINE)):
            missing.append(feature.test)
    return missing


def main() -> int:
    """Run the tests and write the table. Returns pytest's exit status."""
    import pytest

    named = list(dict.fromkeys(f"{ROOT}/tests/{f.test}" for f in FEATURES))
    status = int(pytest.main(["-q", f"--rootdir={ROOT}", *named]))
    if status:
        print("The table stays as it was: it may say nothing that a test denies.")
        return status
    readme = README.read_text()
    before, _, rest = readme.partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
