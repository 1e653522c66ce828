"""Launches of a `Library` are watched too: buffers have their parameters' names."""

from __future__ import annotations

import numpy as np

import anymetal

SOURCE = """#include <metal_stdlib>
using namespace metal;

constant bool has_bias [[function_constant(0)]];

kernel void shift(device const float* from [[buffer(0)]],
                  device float* to [[buffer(1)]],
                  constant uint& by [[buffer(2)]],
                  device const float* bias [[buffer(3), function_constant(has_bias)]],
                  threadgroup float* tile [[threadgroup(0)]],
                  uint i [[thread_position_in_grid]]) {
    tile[i] = from[i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    float x = tile[i + by];
    if (has_bias) {
        x += bias[i];
    }
    to[i] = x;
}
"""
TILE_READ, BIAS_READ, STORE = 14, 16, 18


def shift(
    from_: np.ndarray, to: np.ndarray, by: int, *, bytes_: int = 256, bias: np.ndarray | None = None
) -> anymetal.checks.Report:
    function = anymetal.Library(SOURCE, constants={0: bias is not None}).function("shift")
    with anymetal.checked() as report:
        function(
            from_,
            to,
            np.uint32(by),
            bias,
            grid=(64, 1, 1),
            threadgroup=(64, 1, 1),
            threadgroup_memory=(bytes_,),
        )
    return report


def floats(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float32) + 0.5


def test_a_correct_launch_and_its_counters() -> None:
    to = np.zeros(64, np.float32)
    report = shift(floats(64), to, 0)
    assert not report.findings, str(report)
    assert np.array_equal(to, floats(64))
    counters = report.counters
    assert counters.buffers["from"].bytes_read == counters.buffers["to"].bytes_written == 256
    assert counters.buffers["by"].distinct_bytes_read == 4
    assert counters.threadgroup.bytes_written == 256
    assert counters.threadgroup_memory == 256
    assert (counters.barriers, counters.launches) == (2, 1)


def test_a_threadgroup_argument_has_an_end() -> None:
    (finding,) = shift(floats(64), np.zeros(64, np.float32), 1).findings
    assert (finding.kind, finding.buffer, finding.index, finding.size) == ("out-of-bounds", "tile", 64, 64)
    assert (finding.line, finding.count) == (TILE_READ, 1)
    assert "tile[i + by]" in finding.text


def test_a_threadgroup_argument_holds_nothing_at_first() -> None:
    (finding,) = shift(floats(64), np.zeros(64, np.float32), 1, bytes_=512).findings
    assert (finding.kind, finding.buffer, finding.index, finding.line) == (
        "uninitialised",
        "tile",
        64,
        TILE_READ,
    )


def test_buffers_side_by_side_are_two() -> None:
    memory = np.zeros(128, np.float32)
    report = shift(floats(64), memory[:60], 0)
    (finding,) = report.findings
    assert (finding.kind, finding.buffer, finding.index, finding.size) == ("out-of-bounds", "to", 60, 60)
    assert (finding.line, finding.count) == (STORE, 4)
    assert not memory[60:].any()


def test_a_buffer_of_nothing() -> None:
    (finding,) = shift(np.zeros(0, np.float32), np.zeros(64, np.float32), 0).findings
    assert (finding.kind, finding.buffer, finding.index, finding.size, finding.count) == (
        "out-of-bounds",
        "from",
        0,
        0,
        64,
    )


def test_a_buffer_that_a_constant_switches_on() -> None:
    to = np.zeros(64, np.float32)
    assert not shift(floats(64), to, 0, bias=floats(64)).findings
    assert np.array_equal(to, 2 * floats(64))
    (finding,) = shift(floats(64), to, 0, bias=floats(50)).findings
    assert (finding.kind, finding.buffer, finding.line, finding.count) == (
        "out-of-bounds",
        "bias",
        BIAS_READ,
        14,
    )


def test_outputs_of_a_library_may_stay_as_they_are() -> None:
    # They are the caller's memory: what it holds is known, written or not.
    to = floats(80)
    assert not shift(floats(64), to, 0).findings
    assert np.array_equal(to[64:], floats(80)[64:])
