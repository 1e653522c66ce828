"""The roofline: a bound from counters and published figures."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import anymetal
from anymetal.checks import CHIPS, BufferCounters, Chip, Counters, Figure
from tests.checks_display import kernels


def counters(read: int, written: int, flops: int = 0, mma: int = 0) -> Counters:
    buffers = {
        "a": BufferCounters(bytes_read=10 * read, distinct_bytes_read=read),
        "b": BufferCounters(bytes_written=10 * written, distinct_bytes_written=written),
    }
    return Counters(buffers=buffers, flops=flops, mma=mma, launches=1)


def test_memory_bound_by_hand() -> None:
    # 34.8 MB at 204.8 GB/s.
    found = counters(34_000_000, 816_000).roofline("M2 Pro")
    assert found.bytes == 34_816_000
    assert found.memory_seconds == pytest.approx(1.7e-4)
    assert (found.limit, found.seconds) == ("memory", found.memory_seconds)
    assert str(found) == "at least 0.17 ms on an M2 Pro: memory, 204.8 GB/s"


def test_compute_bound_by_hand() -> None:
    # 100,000 products of 1,024 operations and 6e8 others at 6.8 TFLOP/s.
    found = anymetal.roofline(counters(4096, 4096, flops=600_000_000, mma=100_000), "M2 Pro")
    assert found.flops == 600_000_000 + 102_400_000
    assert found.compute_seconds == pytest.approx(702_400_000 / 6.8e12)
    assert found.limit == "compute"
    assert str(found) == "at least 0.1 ms on an M2 Pro: compute, 6.8 TFLOP/s in float32"


def test_separate_matrix_units_work_at_the_same_time() -> None:
    found = counters(0, 0, flops=133_800, mma=10_000_000).roofline("H100 SXM", dtype="float16")
    assert found.compute_seconds == pytest.approx(1024 * 10_000_000 / 989.4e12)
    alone = counters(0, 0, flops=133_800).roofline("H100 SXM", dtype="float16")
    assert alone.compute_seconds == pytest.approx(1e-9)


def test_counted_kernel_reads_its_matrix_once() -> None:
    call, w, x = kernels.gemv(np.random.default_rng(3))
    with anymetal.checked() as report:
        call()
    found = report.counters.roofline("M4 Max")
    assert found.bytes == w.nbytes + x.nbytes + 4 * kernels.ROWS
    assert found.memory_seconds == pytest.approx(found.bytes / CHIPS["M4 Max"].bandwidth.value)


@pytest.mark.parametrize("name", ["M2 Pro", "m2pro", "Apple M2 Pro", "M2  PRO"])
def test_names_of_chips_are_read_kindly(name: str) -> None:
    assert counters(1, 1).roofline(name).chip is CHIPS["M2 Pro"]


def test_unknown_chip_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"M1, M1 Pro.*H100 SXM; got 'M9'"):
        counters(1, 1).roofline("M9")
    with pytest.raises(TypeError, match="chip must be a name"):
        counters(1, 1).roofline(9)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dtype must be one of float32, float16, bfloat16; got 'f32'"):
        counters(1, 1).roofline("M1", dtype="f32")


def test_unknown_peak_is_said() -> None:
    found = counters(1 << 20, 0, flops=10**15).roofline("M5")
    assert found.compute_seconds is None
    assert found.limit == "memory"
    assert "peak in float32 is not known" in str(found)


def test_a_chip_of_your_own() -> None:
    chip = Chip("Example", Figure(1e9, "made up"), {"float32": Figure(1e9, "made up too")})
    found = counters(500, 500, flops=3000).roofline(chip)
    assert (found.memory_seconds, found.compute_seconds) == (1e-6, 3e-6)
    assert found.sources == ("made up", "made up too")
    assert found.intensity == 3.0


def test_nothing_done_takes_no_time() -> None:
    found = Counters().roofline("M1")
    assert found.seconds == 0
    assert math.isnan(found.intensity)
    assert "nothing was counted" in str(found)


@pytest.mark.parametrize("nanoseconds", [1.0, 9.96, 99.9, 101.0, 1e3, 1.299e5, 9.99e8, 5e10])
def test_bounds_are_rounded_down(nanoseconds: float) -> None:
    found = counters(round(nanoseconds * 1000), 0).roofline(Chip("Example", Figure(1e12, "made up")))
    number, unit = re.match(r"at least ([\d.]+) (\S+) on", str(found)).groups()  # type: ignore[union-attr]
    said = float(number) * {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    assert said <= found.seconds * (1 + 1e-9)
    assert said >= found.seconds * 0.9


def test_every_figure_has_a_public_source() -> None:
    for chip in CHIPS.values():
        for figure in (chip.bandwidth, *chip.peak.values(), *chip.matrix.values()):
            assert figure.source.startswith("https://"), chip.name
            assert figure.value > 0
        # Rates and bandwidths of one chip are of a kind: no slip of a thousand.
        assert 50e9 < chip.bandwidth.value < 1e13
        assert all(1e12 < figure.value < 1e15 for figure in chip.peak.values())
    assert {"M1", "M2", "M3", "M4", "M5"} <= set(CHIPS)
