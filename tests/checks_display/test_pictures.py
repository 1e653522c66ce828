"""Pictures of recorded data: what they say, and that they can be drawn on any page."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgba

import anymetal
from anymetal import pictures
from anymetal.checks import MemoryAccess, Trace
from anymetal.simt.matrix import coordinate
from tests.checks_display import kernels

WALK = """
uint i = thread_position_in_threadgroup.x;
threadgroup float tile[256];
tile[i * 8] = x[i * 3];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = tile[i * 8] + x[64 + i];
"""


@pytest.fixture(scope="module")
def walk() -> Trace:
    x = np.random.default_rng(12).standard_normal(96).astype(np.float32)
    return anymetal.trace(kernels.run(WALK, {"x": x}, 32))


def accesses(trace: Trace, memory: str) -> list[MemoryAccess]:
    return [a for step in trace.steps for a in step.accesses if a.memory == memory]


def drawn(picture: pictures.Picture) -> str:
    """The picture as SVG: well-formed, transparent, the same each time."""
    text = picture.svg()
    ElementTree.fromstring(text)
    assert picture.svg() == text
    assert to_rgba(picture.get_facecolor())[3] == 0
    assert to_rgba(picture.axes[0].get_facecolor())[3] == 0
    assert len(picture.alt) > 40
    assert picture.alt.endswith(".")
    return text


def test_strip_counts_lines_and_sectors(walk: Trace) -> None:
    strided, whole = accesses(walk, "x")
    # Lane i reads bytes 12 i to 12 i + 3: 376 bytes, 3 lines, 12 sectors; 128 bytes are asked for.
    picture = pictures.memory_strip(strided)
    drawn(picture)
    assert picture.alt.startswith(
        "32 lanes read 4 bytes each of x: 3 lines of 128 bytes, 12 sectors of 32, 33%"
    )
    assert "1 line of 128 bytes, 4 sectors of 32, 100%" in pictures.memory_strip(whole).alt


def test_strip_agrees_with_the_counters(walk: Trace) -> None:
    found = [
        re.search(r": (\d+) lines? .*?, (\d+) sectors?", pictures.memory_strip(a).alt)
        for a in accesses(walk, "x")
    ]
    counted = walk.report.counters.buffers["x"]
    assert sum(int(m[1]) for m in found if m) == counted.lines
    assert sum(int(m[2]) for m in found if m) == counted.sectors


def test_strip_says_what_it_leaves_out(walk: Trace) -> None:
    assert "1 more lines are not shown" in pictures.memory_strip(accesses(walk, "x")[0], rows=2).alt


def test_bank_conflicts_agree_with_the_counters(walk: Trace) -> None:
    write, read = accesses(walk, "tile")
    # 32 words, 8 apart: 4 banks, 8 rounds, 7 of them too many; in each direction.
    for access in (write, read):
        picture = pictures.bank_conflicts(access)
        drawn(picture)
        assert "8 rounds, 1 would do. 28 banks of 32 are not asked" in picture.alt
    assert walk.report.counters.threadgroup.bank_conflicts == 14


def test_fragments_are_those_of_the_widener() -> None:
    picture = pictures.fragment_ownership()
    drawn(picture)
    rows = re.findall(r"row (\d): lanes ([\d, ]+)", picture.alt)
    assert len(rows) == 8
    for row, lanes in rows:
        for place, lane in enumerate(lanes.split(", ")):
            assert coordinate(int(lane)) == (int(row), 2 * place)


def test_walk_covers_what_was_read(walk: Trace) -> None:
    picture = pictures.tile_walk(walk, "x", (8, 12))
    drawn(picture)
    touched = {3 * i for i in range(32)} | set(range(64, 96))
    assert (
        f"reads {len(touched)} of 96 elements of x: rows 0 to 7, columns 0 to 11, in 2 accesses"
        in picture.alt
    )
    image: np.ndarray = np.ma.filled(np.ma.asarray(picture.axes[0].get_images()[0].get_array()), np.nan)
    assert {int(i) for i in np.flatnonzero(~np.isnan(image))} == touched
    assert image[0, 3] == 0
    assert image[7, 11] == 1


def test_roof_marks_each_kernel() -> None:
    call, _, _ = kernels.gemv(np.random.default_rng(13))
    with anymetal.checked() as report:
        call()
    bound = report.counters.roofline("M2 Pro")
    picture = pictures.roofline({"gemv": bound})
    drawn(picture)
    assert str(bound) in picture.alt
    assert f"gemv at {bound.intensity:.3g} operations a byte" in picture.alt
    point = picture.axes[0].get_lines()[-1]
    x, y = np.asarray(point.get_xydata())[0]
    assert x == bound.intensity
    assert y == pytest.approx(bound.intensity * bound.chip.bandwidth.value / 1e12)
    drawn(pictures.roofline(bound))


def test_refusals(walk: Trace) -> None:
    x, tile = accesses(walk, "x")[0], accesses(walk, "tile")[0]
    with pytest.raises(ValueError, match="access must be to threadgroup memory, x is device memory"):
        pictures.bank_conflicts(x)
    with pytest.raises(ValueError, match=r"has a read \(tile, x\), got 'z'"):
        pictures.tile_walk(walk, "z", (8, 12))
    with pytest.raises(ValueError, match="shape must be two positive numbers"):
        pictures.tile_walk(walk, "x", (0, 12))
    with pytest.raises(ValueError, match="bounds must all be of one chip"):
        pictures.roofline({n: walk.report.counters.roofline(n) for n in ("M1", "M2")})
    with pytest.raises(ValueError, match="peak in float32 is known, got M5"):
        pictures.roofline(walk.report.counters.roofline("M5"))
    nobody = MemoryAccess("read", "tile", "threadgroup", 1024, (None,) * 32, 4, 4, None)
    with pytest.raises(ValueError, match="a lane that takes part"):
        pictures.bank_conflicts(nobody)
    assert tile.space == "threadgroup"


def test_matplotlib_is_asked_for_by_name_and_only_on_use() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import anymetal\n"
        "try:\n    import anymetal.pictures\n"
        "except ImportError as e:\n    print(e)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "anymetal.pictures needs Matplotlib: pip install matplotlib\n"
