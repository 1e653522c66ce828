"""Counters of each SIMD-group, where they are asked for."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

import anymetal
from anymetal.checks import LineCounters, SimdgroupIndex
from tests.checks_display import kernels

UNEQUAL = """
uint i = thread_position_in_grid.x;
uint group = simdgroup_index_in_threadgroup + 2 * threadgroup_position_in_grid.x;
threadgroup float tile[64];
float sum = 0;
for (uint k = 0; k <= group; k++) sum += x[32 * k + thread_index_in_simdgroup];
tile[i % 64] = sum;
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = tile[63 - i % 64];
"""


def test_each_has_its_own() -> None:
    x = np.random.default_rng(14).standard_normal(256).astype(np.float32)
    call = kernels.run(UNEQUAL, {"x": x}, 112, grid=(112, 1, 1), threadgroup=(64, 1, 1))
    with anymetal.checked(per_simdgroup=True) as report:
        call()
        call()
    found = report.counters.by_simdgroup
    where = [((0, 0, 0), 0), ((0, 0, 0), 1), ((1, 0, 0), 0), ((1, 0, 0), 1)]
    assert list(found) == [SimdgroupIndex(n, group, i) for n in range(2) for group, i in where]
    for n in range(2):
        for number, (group, i) in enumerate(where):
            one = found[SimdgroupIndex(n, group, i)]
            # The last threadgroup has 48 threads: its second SIMD-group 16.
            lanes = 16 if number == 3 else 32
            # Round by round, and back from the tile; a write to the tile and one to y.
            assert one.bytes_read == 4 * lanes * (number + 2)
            assert one.bytes_written == 4 * lanes * 2
            assert one.flops == lanes * (number + 1)
            assert one.active_lanes == lanes / 32


def test_they_add_up_to_all() -> None:
    call, _, _ = kernels.gemv(np.random.default_rng(15))
    with anymetal.checked(per_simdgroup=True) as report:
        call()
    counters = report.counters
    total = LineCounters()
    for one in counters.by_simdgroup.values():
        for counter in fields(total):
            setattr(total, counter.name, getattr(total, counter.name) + getattr(one, counter.name))
    assert len(counters.by_simdgroup) == kernels.ROWS
    assert total.bytes_read == sum(b.bytes_read for b in counters.buffers.values())
    assert total.bytes_written == sum(b.bytes_written for b in counters.buffers.values())
    assert total.sectors == sum(b.sectors for b in counters.buffers.values())
    assert total.lines == sum(b.lines for b in counters.buffers.values())
    assert (total.flops, total.integer_ops) == (counters.flops, counters.integer_ops)
    assert (total.lanes, total.steps) == (counters.lanes, counters.steps)
    assert "SIMD-group" in counters.table()
    assert "SIMD-group" in counters._repr_html_()


def test_nobody_asked() -> None:
    call, _, _ = kernels.gemv(np.random.default_rng(16))
    with anymetal.checked() as report:
        call()
    assert report.counters.by_simdgroup == {}


def test_bank_conflicts_are_their_own() -> None:
    source = """
        uint lane = thread_index_in_simdgroup;
        threadgroup float tile[2048];
        uint stride = simdgroup_index_in_threadgroup == 0 ? 1 : 32;
        tile[simdgroup_index_in_threadgroup * 1024 + lane * stride] = 1;
        y[thread_position_in_grid.x] = lane;
    """
    call = kernels.run(source, {"x": np.ones(8, np.float32)}, 64, grid=(64, 1, 1), threadgroup=(64, 1, 1))
    with anymetal.checked(per_simdgroup=True) as report:
        call()
    assert [c.bank_conflicts for c in report.counters.by_simdgroup.values()] == [0, 31]
