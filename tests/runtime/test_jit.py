"""The JIT: modules in, numbers out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from anymetal.runtime import jit
from anymetal.runtime.launch import launch, plan
from tests.runtime import modules


def run(ir: str, entry: str, *arrays: np.ndarray) -> None:
    code = jit.load(jit.compile_object(ir), entry)
    launch(
        plan(code, grid=(1, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0),
        [a.ctypes.data for a in arrays],
    )


def test_calls_into_the_c_library_and_llvm_intrinsics_resolve() -> None:
    x = np.random.default_rng(1).normal(size=32).astype(np.float32)
    y = np.zeros_like(x)
    run(modules.EXP, "exp", x, y)
    exact = np.exp(x.astype(np.float64))
    # An exp of a C library is good to a unit in the last place or so; two leave room for poor ones.
    assert np.all(np.abs(y[1:] - exact[1:]) <= 2 * np.spacing(exact[1:].astype(np.float32)))
    # erf by its integral: 2/sqrt(pi) ∫ exp(-t²) dt over 0..x, by Simpson's rule
    t = np.linspace(0, float(x[0]), 2001)
    w = np.ones(2001)
    w[1:-1:2], w[2:-1:2] = 4, 2
    integral = 2 / np.sqrt(np.pi) * np.sum(w * np.exp(-(t**2))) * (t[1] - t[0]) / 3
    assert abs(y[0] - integral) < 1e-6


def test_half_and_bfloat_round_to_nearest_even() -> None:
    x = np.random.default_rng(2).normal(size=32).astype(np.float32)
    x[:7] = [np.nan, np.inf, -np.inf, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-11, 65520]
    half, bfloat = np.zeros_like(x), np.zeros_like(x)
    run(modules.NARROW, "narrow", x, half, bfloat)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(half, x.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(bfloat, modules.to_bfloat(x))


@pytest.mark.parametrize("make", [jit.compile_object, jit.assembly])
def test_a_module_that_llvm_refuses_is_an_error_not_a_crash(make: Callable[[str], object]) -> None:
    with pytest.raises(RuntimeError, match="expected"):
        make("define void @f(ptr %a, ptr %b) { ret i32 }")


def test_a_missing_entry_and_a_damaged_object_are_errors() -> None:
    code = jit.compile_object(modules.COUNT)
    with pytest.raises(RuntimeError, match="absent"):
        jit.load(code, "absent")
    with pytest.raises(RuntimeError):
        jit.load(code[:100], "count")


def test_the_same_object_loads_twice_and_both_copies_run() -> None:
    code = jit.compile_object(modules.COUNT)
    first, second = jit.load(code, "count"), jit.load(code, "count")
    assert first.address != second.address
    for one in (first, second):
        out = np.zeros(5, np.int32)
        launch(
            plan(one, grid=(5, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0),
            [out.ctypes.data],
        )
        np.testing.assert_array_equal(out, np.arange(1, 6))


def test_512_bit_vectors_are_used_where_the_machine_has_them() -> None:
    if jit.vector_bits() < 512:
        pytest.skip("this CPU has no 512-bit vectors")
    assert "zmm" in jit.assembly(modules.NARROW)
