"""One SIMD-group step by step, against NumPy."""

from __future__ import annotations

import json

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal.checks import Trace
from anymetal.simt.matrix import coordinate
from anymetal.simt.variables import evaluate
from tests.checks_display import kernels

ALL = 0xFFFFFFFF


@pytest.fixture(scope="module")
def gemv() -> tuple[Trace, np.ndarray, np.ndarray]:
    call, w, x = kernels.gemv(np.random.default_rng(4))
    return anymetal.trace(call, threadgroup=1, simdgroup=1), w, x


def test_steps_follow_the_lines(gemv: tuple[Trace, np.ndarray, np.ndarray]) -> None:
    trace = gemv[0]
    assert (trace.threadgroup, trace.simdgroup, trace.complete) == ((1, 0, 0), 1, True)
    inside = [step.mask for step in trace.steps if step.line == 6]
    # 100 columns: three rounds of all lanes, one of four.
    assert inside == [ALL, ALL, ALL, 0xF]
    assert trace.steps[-1].mask == 1
    assert trace.text(trace.steps[-1]) == "if (lane == 0) y[row] = acc;"
    assert [s.line for s in trace.steps if s.line in (6, 7)] == [6, 7] * 4


def test_accesses_have_names_indices_and_values(gemv: tuple[Trace, np.ndarray, np.ndarray]) -> None:
    trace, w, x = gemv
    reads = [(s, a) for s in trace.steps for a in s.accesses if a.kind == "read"]
    row = 3
    for round_, (step, access) in enumerate([r for r in reads if r[1].memory == "W"]):
        lanes = [lane for lane in range(32) if step.mask >> lane & 1]
        columns = [32 * round_ + lane for lane in lanes]
        assert [access.index[lane] for lane in lanes] == [row * 100 + c for c in columns]
        assert access.value is not None
        assert [np.float32(access.value[lane]) for lane in lanes] == list(w[row, columns])
        assert all(access.index[lane] is None for lane in range(32) if lane not in lanes)
    vector = [a for _, a in reads if a.memory == "x"]
    assert [a.size for a in vector] == [x.nbytes] * 4
    write = trace.steps[-1].accesses[-1]
    assert (write.kind, write.memory, write.index[0], write.space) == ("write", "y", row, "device")


def test_variables_by_lane(gemv: tuple[Trace, np.ndarray, np.ndarray]) -> None:
    trace, w, x = gemv
    assert {"row", "lane", "acc", "k", "w"} <= set(trace.types)
    assert (trace.types["k"], trace.types["acc"]) == ("uint", "float")
    start = trace.variables(0)
    assert start["row"] == (3,) * 32
    assert start["lane"] == tuple(range(32))
    # What each lane has after its rounds: one fused multiply-add each, as MSL contracts it.
    at = max(i for i, s in enumerate(trace.steps) if s.line == 7)
    acc = trace.variables(at)["acc"]
    expected = [sum(np.float64(w[3, c]) * x[c] for c in range(lane, 100, 32)) for lane in range(32)]
    scale = [sum(abs(np.float64(w[3, c]) * x[c]) for c in range(lane, 100, 32)) for lane in range(32)]
    error = np.abs(np.array(acc) - expected)
    assert np.all(error <= 4 * 2.0**-24 * np.array(scale))
    end = trace.variables(-1)["acc"]
    assert len(set(end)) == 1
    total = w[3].astype(np.float64) @ x
    assert abs(end[0] - total) <= 100 * 2.0**-24 * np.sum(np.abs(w[3].astype(np.float64) * x))


def test_output_and_counters_are_those_of_checked_mode() -> None:
    call, _, _ = kernels.gemv(np.random.default_rng(5))
    outputs = []
    trace = anymetal.trace(lambda: outputs.append(np.array(call())))
    with anymetal.checked() as report:
        outputs.append(np.array(call()))
    outputs.append(np.array(call()))
    assert outputs[0].tobytes() == outputs[1].tobytes() == outputs[2].tobytes()
    assert trace.report.counters == report.counters
    assert trace.report.findings == report.findings == []


def test_json_is_plain_and_whole(gemv: tuple[Trace, np.ndarray, np.ndarray]) -> None:
    trace = gemv[0]
    read = json.loads(trace.to_json(), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert read == trace.to_dict()
    assert len(read["steps"]) == len(trace)
    assert read["steps"][0]["variables"]["lane"] == list(range(32))
    assert "\n" not in trace.to_json()


def test_infinities_and_nan_are_strings_in_json() -> None:
    source = """
        uint i = thread_position_in_grid.x;
        float v = x[i] / z[i];
        y[i] = v;
    """
    x = np.zeros(32, np.float32)
    z = np.zeros(32, np.float32)
    x[1:3] = 1, -1
    trace = anymetal.trace(kernels.run(source, {"x": x, "z": z}, 32))
    found = json.loads(trace.to_json())
    value = found["steps"][-1]["accesses"][-1]["value"]
    assert value[:4] == ["NaN", "Infinity", "-Infinity", "NaN"]


def test_types_of_values() -> None:
    source = """
        uint i = thread_position_in_grid.x;
        half h = half(x[i]);
        bfloat16_t b = bfloat16_t(x[i]);
        int8_t s = int8_t(i) - 16;
        uchar u = uchar(240 + i % 16);
        long l = long(i) - 3;
        bool odd = x[i] > 0;
        y[i] = float(h) + float(b) + s + u + l + (odd ? 1 : 0) + simd_sum(odd ? 2 : 3);
    """
    x = np.random.default_rng(6).standard_normal(32).astype(np.float32)
    trace = anymetal.trace(kernels.run(source, {"x": x}, 32))
    seen: dict[str, tuple[object, ...]] = {}
    for step in trace.steps:
        seen.update({name: v for name, v in step.variables.items() if v is not None})
    assert np.array_equal(np.array(seen["h"], np.float16), x.astype(np.float16))
    assert np.array_equal(
        np.array(seen["b"], np.float32), np.array(mx.array(x).astype(mx.bfloat16).astype(mx.float32))
    )
    expected = {
        "s": [i - 16 for i in range(32)],
        "u": [240 + i % 16 for i in range(32)],
        "l": [i - 3 for i in range(32)],
        "odd": [bool(v > 0) for v in x],
    }
    for name, values in expected.items():
        if name in seen:  # the compiler may keep no value of one that it can do without
            assert list(seen[name]) == values, name
    assert len(set(expected) & set(seen)) >= 2


def test_vectors_threadgroup_memory_shuffles_and_barriers() -> None:
    source = """
        uint i = thread_position_in_threadgroup.x;
        threadgroup float tile[64];
        float4 v = *(device const float4*)(x + 4 * i);
        tile[i] = v.z;
        threadgroup_barrier(mem_flags::mem_threadgroup);
        float other = simd_shuffle_xor(v.x, 5);
        y[i] = tile[63 - i] + other;
    """
    x = np.random.default_rng(7).standard_normal(256).astype(np.float32)
    call = kernels.run(source, {"x": x}, 64, grid=(64, 1, 1), threadgroup=(64, 1, 1))
    trace = anymetal.trace(call, simdgroup=1)
    accesses = [a for s in trace.steps for a in s.accesses]
    load = accesses[0]
    assert (load.memory, load.bytes, load.element) == ("x", 16, 4)
    assert load.index == tuple(4 * i for i in range(32, 64))
    assert load.value is not None
    assert [np.float32(n) for n in load.value[3]] == list(x[140:144])
    store, back = (a for a in accesses if a.memory == "tile")
    assert (store.kind, store.space, store.size, store.index[0]) == ("write", "threadgroup", 256, 32)
    assert back.index == tuple(range(31, -1, -1))
    assert sum(s.barrier for s in trace.steps) == 1
    (shuffle,) = [s for step in trace.steps for s in step.shuffles]
    assert shuffle.source == tuple(lane ^ 5 for lane in range(32))
    assert [np.float32(n) for n in shuffle.given] == list(x[128::4])


def test_matrices_by_lane() -> None:
    source = """
        simdgroup_float8x8 m;
        simdgroup_load(m, x, 8, 0, true);
        simdgroup_store(m, y, 8);
    """
    x = np.random.default_rng(8).standard_normal(64).astype(np.float32)
    call = kernels.run(source, {"x": x}, 64, header="#include <metal_simdgroup_matrix>\n")
    trace = anymetal.trace(call)
    accesses = [a for s in trace.steps for a in s.accesses]
    assert [a.kind for a in accesses] == ["read", "read", "write", "write"]
    for part in range(2):
        read, written = accesses[part], accesses[2 + part]
        assert read.value is not None
        assert read.value == written.value
        for lane in range(32):
            row, column = coordinate(lane)
            assert read.index[lane] == (column + part) * 8 + row
            assert written.index[lane] == row * 8 + column + part
            assert np.float32(read.value[lane]) == x[(column + part) * 8 + row]


def test_ragged_last_simdgroup_and_early_return() -> None:
    source = """
        uint i = thread_position_in_grid.x;
        if (i % 2 == 0) return;
        y[i] = x[i];
    """
    x = np.arange(40, dtype=np.float32)
    call = kernels.run(source, {"x": x}, 40, grid=(40, 1, 1), threadgroup=(40, 1, 1))
    trace = anymetal.trace(call, simdgroup=1)
    assert all(step.mask < 1 << 8 for step in trace.steps)
    assert trace.steps[-1].mask == 0b10101010
    assert trace.steps[-1].accesses[-1].index[:8] == (None, 33, None, 35, None, 37, None, 39)


def test_out_of_bounds_is_recorded_as_asked() -> None:
    call = kernels.run(
        "uint i = thread_position_in_grid.x; y[i] = x[i - 1];", {"x": np.ones(32, np.float32)}, 32
    )
    trace = anymetal.trace(call)
    read = next(a for s in trace.steps for a in s.accesses if a.kind == "read")
    # i - 1 wraps in uint before it becomes an address.
    assert read.index[0] == 2**32 - 1
    assert read.value is not None
    assert read.value[0] == 0
    assert [f.kind for f in trace.report.findings] == ["out-of-bounds"]


def test_max_steps_cut_the_trace_and_not_the_kernel() -> None:
    call, w, x = kernels.gemv(np.random.default_rng(9))
    kept = []
    trace = anymetal.trace(lambda: kept.append(np.array(call())), max_steps=3)
    assert len(trace) == 3
    assert not trace.complete
    assert str(trace).endswith("… cut short")
    assert np.allclose(kept[0], w @ x, rtol=1e-4, atol=1e-4)


def test_library_kernels_and_their_parameters() -> None:
    source = """#include <metal_stdlib>
using namespace metal;
kernel void twice(device const half* a [[buffer(0)]], device half* b [[buffer(1)]],
                  threadgroup half* t [[threadgroup(0)]], uint i [[thread_position_in_grid]]) {
    t[i % 32] = a[i];
    half v = t[i % 32] * 2;
    b[i] = v;
}
"""
    a, b = np.arange(64, dtype=np.float16), np.zeros(64, np.float16)
    function = anymetal.Library(source).function("twice")
    trace = anymetal.trace(
        lambda: function(a, b, grid=(64, 1, 1), threadgroup=(32, 1, 1), threadgroup_memory=(64,)),
        threadgroup=1,
    )
    assert trace.kernel == "twice"
    assert trace.sources == {"source": source}
    assert all(trace.text(step) for step in trace.steps)
    assert trace.variables(0)["i"] == tuple(range(32, 64))
    names = [(x.kind, x.memory, x.space) for s in trace.steps for x in s.accesses]
    assert ("write", "t", "threadgroup") in names
    assert names[-1] == ("write", "b", "device")
    assert np.array_equal(b, a * 2)


def test_one_launch_of_several() -> None:
    first = kernels.run(
        "y[thread_position_in_grid.x] = x[thread_position_in_grid.x];", {"x": np.ones(32, np.float32)}, 32
    )
    call, _, _ = kernels.gemv(np.random.default_rng(10))
    trace = anymetal.trace(lambda: (first(), call()), launch=1)
    assert "display_gemv" in trace.kernel
    assert {s.file for s in trace.steps} == {"source (2)"}
    assert trace.text(trace.steps[-1]).startswith("if (lane == 0)")
    assert trace.report.counters.launches == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threadgroup": (3, 0, 0)}, r"threadgroup must be within \(3, 1, 1\), got \(3, 0, 0\)"),
        ({"threadgroup": (0, 0)}, "threadgroup must be a position"),
        ({"threadgroup": -1}, "threadgroup must be a position"),
        ({"simdgroup": 2}, "simdgroup must be below 2"),
        ({"simdgroup": -1}, "simdgroup must be a whole number from 0, got -1"),
        ({"max_steps": 0}, "max_steps must be a whole number from 1, got 0"),
        ({"launch": 1}, "it made 1, got launch 1"),
    ],
)
def test_what_is_not_there(arguments: dict, message: str) -> None:
    call, _, _ = kernels.gemv(np.random.default_rng(11))
    with pytest.raises(ValueError, match=message):
        anymetal.trace(call, **arguments)


def test_call_must_be_a_function() -> None:
    with pytest.raises(TypeError, match="kernel_call must be a function"):
        anymetal.trace(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("DW_OP_plus_uconst, 7, DW_OP_stack_value", 5, 12),
        ("DW_OP_constu, 3, DW_OP_mul, DW_OP_lit1, DW_OP_minus", 5, 14),
        ("DW_OP_not", 0, -1),
        ("DW_OP_constu, 1, DW_OP_and, DW_OP_lit0, DW_OP_eq", 6, 1),
        ("DW_OP_LLVM_convert, 8, DW_ATE_signed, DW_OP_LLVM_convert, 32, DW_ATE_signed", 0xFE, -2),
        ("DW_OP_LLVM_convert, 8, DW_ATE_unsigned, DW_OP_LLVM_convert, 32, DW_ATE_unsigned", 0x1FE, 0xFE),
        ("DW_OP_constu, 63, DW_OP_shl", 1, -(2**63)),
        ("DW_OP_constu, 60, DW_OP_shr", -1, 15),
        ("DW_OP_constu, 60, DW_OP_shra", -1, -1),
        ("DW_OP_LLVM_entry_value, 1", 4, None),
    ],
)
def test_dwarf_expressions(expression: str, value: int, expected: int | None) -> None:
    assert evaluate(expression.split(", "), value) == expected
