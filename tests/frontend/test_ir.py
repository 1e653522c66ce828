"""What the IR promises to whoever widens it."""

from __future__ import annotations

import re
from pathlib import Path

import mlx.core as mx
import pytest

from anymetal import CompileError
from anymetal.frontend import compile_source

HEAD = "#include <metal_stdlib>\nusing namespace metal;\n"
MLX = str(Path(mx.__file__).parent / "include")
SIGNATURE = (
    "device float* a, const device float* b, "
    "uint i [[thread_position_in_grid]], uint lane [[thread_index_in_simdgroup]]"
)


def ir_of(body: str, before: str = "", **options: object) -> str:
    text = f"{HEAD}{before}\nkernel void f({SIGNATURE}) {{\n{body}\n}}\n"
    return compile_source(text, **options).ir  # type: ignore[arg-type]


def calls(ir: str) -> set[str]:
    body = ir[ir.index("define ") : ir.index("\n}\n")]
    return set(re.findall(r"@([\w.]+)\(", body)) - {"kernel_f"}


def test_only_intrinsics_are_called() -> None:
    before = """
    float helper(float x) { return simd_sum(x) + 1; }
    template <typename T> struct Acc {
      T v;
      void add(T x) thread { v += helper(x); }
      T get() const { return v; }
    };
    """
    ir = ir_of(
        "Acc<float> acc = {0}; for (int k = 0; k < 3; k++) acc.add(b[k]); a[i] = exp(acc.get());", before
    )
    assert all(name.startswith(("__simt_", "llvm.")) for name in calls(ir))
    assert ir.count("define ") == 1


def test_entries_take_no_parameters() -> None:
    assert re.search(r"define [^\n]*void @kernel_f\(\)", ir_of("a[i] = 1;"))


def test_address_spaces() -> None:
    ir = ir_of(
        "threadgroup float t[32]; float own[4]; own[lane & 3] = b[i]; t[lane] = table[lane & 1];"
        " threadgroup_barrier(mem_flags::mem_threadgroup); a[i] = t[lane ^ 1] + own[i & 3];",
        "constant float table[2] = {3, 4};",
    )
    assert re.search(r"^@\S+ = internal addrspace\(3\) global \[32 x float\]", ir, re.MULTILINE)
    assert re.search(r"^@\S+ = .*addrspace\(2\) constant \[2 x float\]", ir, re.MULTILINE)
    assert "alloca [4 x float]" in ir
    assert "load float, ptr addrspace(1)" in ir
    assert "store float %" in ir


def test_threadgroup_memory_is_never_guessed() -> None:
    # One store of one constant: an optimizer that thinks it sees every access would fold the load.
    ir = ir_of(
        "threadgroup int flag; if (i == 0) flag = 5;"
        "threadgroup_barrier(mem_flags::mem_threadgroup); a[i] = flag;"
    )
    assert re.search(r"store i32 5, ptr addrspace\(3\)", ir)
    assert re.search(r"load i32, ptr addrspace\(3\)", ir)
    assert "llvm.used" not in ir
    assert "llvm.compiler.used" not in ir


def test_cross_lane_operations_are_convergent() -> None:
    ir = ir_of(
        "float s = simd_sum(b[i]); threadgroup_barrier(mem_flags::mem_none); s += simd_shuffle_xor(s, 1);"
        " a[i] = simd_ballot(s > 0).any() ? s : 0;"
    )
    for name in (
        "__simt_reduce_add_f32",
        "__simt_threadgroup_barrier",
        "__simt_shuffle_f32",
        "__simt_ballot",
    ):
        declared = re.search(rf"declare [^\n]*@{name}\([^\n]*(#\d+)", ir)
        assert declared
        attributes = re.search(rf"^attributes {declared[1]} = {{([^\n]*)", ir, re.MULTILINE)
        assert attributes
        assert " convergent " in attributes[1]
        assert "memory(none)" not in attributes[1]


def test_a_sum_does_not_sink_into_a_branch() -> None:
    ir = ir_of("float s = simd_sum(b[i]); if (lane == 0) a[i] = s;")
    assert ir.index("@__simt_reduce_add_f32") < ir.index("br i1")


def test_a_branch_stays_though_one_side_leaves_a_value_undefined() -> None:
    ir = ir_of("float x; if (lane < 16) x = b[i]; float s = simd_sum(x); a[i] = s;")
    assert ir.index("br i1") < ir.index("@__simt_reduce_add_f32")


def test_half_rounds_after_every_operation() -> None:
    ir = ir_of("half x = half(b[i]); half y = x * x; y = y + half(1); a[i] = y;")
    assert re.search(r"fmul (contract )?half", ir) or "llvm.fmuladd.f16" in ir
    assert "fmul float" not in ir


def test_an_endless_loop_stays() -> None:
    assert re.search(r"br label %(\d+)", ir_of("while (true) { }"))


def test_loops_are_not_made_into_calls_of_memory_functions() -> None:
    assert "memset" not in ir_of("for (int k = 0; k < 100000; k++) a[k] = 0;")


def test_literals_are_float() -> None:
    assert "double" not in ir_of("a[i] = b[i] * 1.5 + 0.1;")
    # In a template, where the literal waits for its neighbour's type.
    before = "template <typename T> T g(T x) { return T(x / 6 + 0.1); }"
    assert "double" not in ir_of("a[i] = g(b[i]) + g(half(b[i]));", before)


def test_math_modes() -> None:
    assert re.search(r"fadd .*(fast|reassoc)", ir_of("a[i] = b[i] + b[i + 1];", math_mode="fast"))
    assert not re.search(r"fadd .*(fast|reassoc)", ir_of("a[i] = b[i] + b[i + 1];"))
    relaxed = ir_of("a[i] = b[i] + b[i + 1];", math_mode="relaxed")
    assert re.search(r"fadd (?!.*(nnan|ninf|fast)).*reassoc", relaxed)
    with pytest.raises(ValueError, match="math_mode must be one of safe, relaxed, fast, got 'quick'"):
        ir_of("", math_mode="quick")
    fast = "#ifdef __FAST_MATH__\na[i] = 7;\n#endif"
    assert "7.0" in ir_of(fast, math_mode="fast")
    assert "7.0" not in ir_of(fast)


def test_defines() -> None:
    assert "store float 3.0" in ir_of("a[i] = WIDTH;", defines={"WIDTH": 3})


def test_atomics_are_plain_instructions() -> None:
    text = f"""{HEAD}kernel void f(device atomic_uint* n, device atomic<float>* x, device float* out) {{
      threadgroup atomic_int t;
      atomic_store_explicit(&t, 3, memory_order_relaxed);
      atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
      atomic_fetch_max_explicit(n, 7u, memory_order_relaxed);
      atomic_fetch_add_explicit(x, 1.0f, memory_order_relaxed);
      float expected = 1;
      constexpr auto order = memory_order_relaxed;
      while (!atomic_compare_exchange_weak_explicit(x, &expected, 2.0f, order, order)) {{}}
      out[0] = atomic_load_explicit(&t, order) + atomic_exchange_explicit(n, 0, order);
    }}"""
    ir = compile_source(text).ir
    for instruction in (
        "atomicrmw add ptr addrspace(1)",
        "atomicrmw umax ptr addrspace(1)",
        "atomicrmw fadd ptr addrspace(1)",
        "atomicrmw xchg ptr addrspace(1)",
        "cmpxchg weak ptr addrspace(1)",
        "store atomic i32 3, ptr addrspace(3)",
        "load atomic i32, ptr addrspace(3)",
    ):
        assert instruction in ir


def test_matrices_reach_their_intrinsics() -> None:
    text = f"""{HEAD}kernel void f(device half* a, constant half* b, device float* c) {{
      threadgroup half t[64];
      simdgroup_half8x8 x, y;
      simdgroup_float8x8 z(0);
      simdgroup_load(x, a, 16, ulong2(8, 2));
      simdgroup_load(y, b, 8, 0, true);
      simdgroup_store(x, t, 8);
      simdgroup_multiply_accumulate(z, x, y, z);
      simdgroup_store(z, c, 8);
    }}"""
    ir = compile_source(text).ir
    for call in (
        r"@__simt_matrix_load_f16_p1\(ptr addrspace\(1\) %\d+, i64 16, i1 (zeroext )?false\)",
        r"@__simt_matrix_load_f16_p2\(ptr addrspace\(2\) %\d+, i64 8, i1 (zeroext )?true\)",
        r"@__simt_matrix_store_f16_p3\(<2 x half> ",
        r"@__simt_mma\(<2 x float> %\d+, <2 x float> %\d+, <2 x float> ",
        r"@__simt_matrix_store_f32_p1\(<2 x float> ",
    ):
        assert re.search(call, ir), call
    assert re.search(r"getelementptr .*i64 80", ir), "column 8 of row 2, sixteen halves a row"


def test_shuffles_have_plain_lane_arithmetic() -> None:
    ir = ir_of("a[i] = simd_shuffle_xor(b[i], 4);")
    lane = re.search(r"(%\d+) = .*@__simt_lane\(\)", ir)
    assert lane
    source = re.search(rf"(%\d+) = xor i32 {lane[1]}, 4", ir)
    assert source
    assert re.search(rf"@__simt_shuffle_f32\(float %\d+, i32 {source[1]}\)", ir)


def test_unrolling_by_a_macro() -> None:
    body = "float s = 0;\n#pragma unroll(WIDTH / 2)\nfor (int k = 0; k < N; k++) s += b[k];\na[i] = s;"
    before = "#define WIDTH 8"
    text = f"{HEAD}{before}\nkernel void f({SIGNATURE}, constant int& N) {{\n{body}\n}}"
    ir = compile_source(text).ir
    assert ir.count("fadd float") >= 4
    assert "!llvm.loop" in ir


def test_line_tables() -> None:
    assert "!DILocation" in ir_of("a[i] = b[i];", line_tables=True)
    assert "!DILocation" not in ir_of("a[i] = b[i];")


def test_structs_in_every_address_space() -> None:
    before = """
    struct block { half d; uchar q[6]; float at(int k) const device { return d * q[k]; } };
    template <typename T> void put(device T* p, T v) { p[1] = v; }
    """
    body = """
    device block* p = (device block*)a; threadgroup block t[2];
    block one = p[i]; p[i + 1] = one; p[i + 2] = p[i]; t[0] = one; p[5] = t[1];
    put(p, one); put(a, 1.0f);
    a[i] = p[i].at(2);
    """
    ir = ir_of(body, before)
    assert all(name.startswith(("__simt_", "llvm.")) for name in calls(ir))


def test_objects_with_constructors_in_threadgroup_memory() -> None:
    before = "struct pair { float a, b; pair() : a(0), b(0) {} pair(float x) : a(x), b(x) {} };"
    ir = ir_of("threadgroup pair t[4]; t[lane & 3] = pair(b[i]); a[i] = t[i & 1].a;", before)
    assert re.search(r"^@\S+ = internal addrspace\(3\) global \[4 x %struct.pair\]", ir, re.MULTILINE)


def test_function_constants() -> None:
    before = "constant int n [[function_constant(0)]];\nconstant bool b [[function_constant(1)]];"
    assert "store float 7.0" in ir_of("a[i] = n + 3;", before, constants={0: 4})
    assert "store float 7.0" in ir_of("a[i] = is_function_constant_defined(b) ? 1 : 7;", before)
    with pytest.raises(CompileError, match="function constant 'n' is used but has no value") as caught:
        ir_of("a[i] = n;", before)
    assert caught.value.line == 3


def test_types_without_headers_but_functions_with_them() -> None:
    compile_source("kernel void f(device float4* a) { a[1] = float4(a[0].xy, 0, 1); }")
    with pytest.raises(CompileError, match="no member named 'exp' in namespace 'metal'"):
        compile_source("kernel void f(device float* a) { a[0] = metal::exp(a[0]); }")


GEMM = """#include "mlx/backend/metal/kernels/utils.h"
#include "mlx/backend/metal/kernels/steel/gemm/gemm.h"
#include "mlx/backend/metal/kernels/quantized_utils.h"
"""
MLX_KERNELS = {
    "gemv": ("gemv.h", "gemv<bfloat16_t, 1, 8, 1, 32, 4, 4, false, false>"),
    "quantized gemv": ("quantized.h", "affine_qmv_fast<half, 64, 4, false>"),
    "quantized gemm": ("quantized.h", "affine_qmm_t<float, 32, 8, true, false>"),
    "gemm": ("steel/gemm/kernels/steel_gemm_fused.h", "gemm<float, 64, 64, 16, 2, 2, false, true>"),
    "softmax": ("softmax.h", "softmax_single_row<float, float>"),
    "attention": ("sdpa_vector.h", "sdpa_vector<half, 64, 64>"),
    "complex": ("unary.h", "unary_v<complex64_t, complex64_t, Exp>"),
}


@pytest.mark.parametrize("name", MLX_KERNELS)
def test_kernels_that_mlx_ships(name: str) -> None:
    header, kernel = MLX_KERNELS[name]
    folder = "mlx/backend/metal/kernels/"
    more = f'#include "{folder}unary_ops.h"\n' if header == "unary.h" else ""
    text = f'{GEMM}{more}#include "{folder}{header}"\n'
    text += f'template [[host_name("k")]] [[kernel]] decltype({kernel}) {kernel};\n'
    constants = dict.fromkeys((10, *range(20, 27), 100, 110, 200, 201, 202, 300, 301), False)
    module = compile_source(text, include_dirs=[MLX], constants=constants)
    assert list(module.kernels) == ["k"]
    called = set(re.findall(r"call [^@\n]*@([\w.]+)\(", module.ir))
    assert called
    assert all(function.startswith(("__simt_", "llvm.")) for function in called)
