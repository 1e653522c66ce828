"""bfloat16 without a CPU's help: the rewritten module against exact rounding, and against LLVM's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from anymetal.runtime import bfloat, jit
from anymetal.runtime.launch import launch, plan
from tests.runtime import modules

ARITHMETIC = """
define void @arithmetic(ptr %launch, ptr %scratch) {
  %x.p = getelementptr i64, ptr %launch, i64 16
  %x.i = load i64, ptr %x.p
  %x.a = inttoptr i64 %x.i to ptr
  %y.p = getelementptr i64, ptr %launch, i64 17
  %y.i = load i64, ptr %y.p
  %y.a = inttoptr i64 %y.i to ptr
  %z.p = getelementptr i64, ptr %launch, i64 18
  %z.i = load i64, ptr %z.p
  %z.a = inttoptr i64 %z.i to ptr
  %x = load <32 x bfloat>, ptr %x.a, align 2
  %y = load <32 x bfloat>, ptr %y.a, align 2
  %1 = fadd <32 x bfloat> %x, splat (bfloat 0xR3F80)
  %2 = fmul <32 x bfloat> %1, %y
  %q = fdiv <32 x bfloat> %2, %x
  %d = fsub <32 x bfloat> %q, %y
  store <32 x bfloat> %d, ptr %z.a, align 2
  ret void
}
"""


@pytest.fixture
def without_instructions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The JIT as on an x86-64 CPU that has AVX2 but no bfloat16 instructions."""
    triple, _, _ = jit.host()
    if not triple.startswith("x86_64"):
        pytest.skip("only x86-64 narrows by a call")
    jit._target_machine.cache_clear()
    monkeypatch.setattr(jit, "host", lambda: (triple, "x86-64-v3", ""))
    yield
    jit._target_machine.cache_clear()


def bits(x: np.ndarray) -> np.ndarray:
    return (x.view(np.uint32) >> 16).astype(np.uint16)


def test_which_cpus_need_it() -> None:
    assert bfloat.needed("x86_64-unknown-linux-gnu", "+avx2,-avx512bf16")
    assert not bfloat.needed("x86_64-unknown-linux-gnu", "+avx2,+avx512bf16")
    assert not bfloat.needed("aarch64-unknown-linux-gnu", "+neon")


def test_nothing_is_left_that_llvm_would_narrow_by_calls() -> None:
    lowered = bfloat.lower(modules.NARROW + ARITHMETIC)
    assert not re.search(r"fptrunc .* to .*bfloat", lowered)
    assert not re.search(r"= f(add|sub|mul|div) <32 x bfloat>", lowered)
    assert "fptrunc <32 x float> %x to <32 x half>" in lowered


def test_a_module_without_bfloat_is_left_alone() -> None:
    assert bfloat.lower(modules.EXP) == modules.EXP


@pytest.mark.usefixtures("without_instructions")
def test_narrowing_rounds_once_to_nearest_even() -> None:
    x = np.random.default_rng(3).normal(size=32).astype(np.float32)
    x[:8] = [np.nan, np.inf, -np.inf, 1 + 2**-8, 1 + 3 * 2**-8, 3.4e38, -0.0, 2.0**-130]
    half, narrow = np.zeros_like(x), np.zeros_like(x)
    code = jit.load(jit.compile_object(modules.NARROW), "narrow")
    one = plan(code, grid=(1, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
    launch(one, [a.ctypes.data for a in (x, half, narrow)])
    np.testing.assert_array_equal(narrow, modules.to_bfloat(x))
    assert "__truncsfbf2" not in jit.assembly(modules.NARROW)


@pytest.mark.usefixtures("without_instructions")
@pytest.mark.parametrize("lower", [True, False])
def test_arithmetic_is_that_of_rounded_operations(lower: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once rewritten; and once left to LLVM, whose calls then reach the function that we define."""
    if not lower:
        monkeypatch.setattr(bfloat, "lower", lambda ir: ir)
    generator = np.random.default_rng(4)
    x, y = (modules.to_bfloat(generator.normal(size=32).astype(np.float32)) for _ in range(2))
    z = np.zeros(32, np.uint16)
    code = jit.load(jit.compile_object(ARITHMETIC), "arithmetic")
    one = plan(code, grid=(1, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
    xb, yb = bits(x), bits(y)
    launch(one, [a.ctypes.data for a in (xb, yb, z)])
    step = modules.to_bfloat
    expected = step(x + np.float32(1))
    expected = step(expected * y)
    expected = step(expected / x)
    np.testing.assert_array_equal(z, bits(step(expected - y)))
