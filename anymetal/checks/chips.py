"""Real chips: how fast their memory and their arithmetic can be at best, each figure with its public source.

The figures feed lower bounds, so each is the largest that is published for a chip's fullest configuration: a
chip with fewer cores or slower memory only takes longer. What no public source gives is left out, and with it
the part of the bound that it would feed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Clock × cores × operations, tabulated for the M1 and M2 families: GOPS32 and GOPS16.
METAL_BENCHMARKS = "https://github.com/philipturner/metal-benchmarks"
# Widths and clocks of each chip's memory, in `AppleGPUInfo.swift`.
APPLE_GPU_INFO = "https://github.com/philipturner/applegpuinfo"
HUGGINGFACE = "https://github.com/huggingface/huggingface.js/pull/1044"
HMC_TECH = "https://hmc-tech.com/gpu/apple-32-core-m4-max-vs-apple-40-core-m3-max"
# What was announced, for 76 cores.
M2_ULTRA = "https://tekspecz.com/new-blog-2/2023/6/8/hardware-breakdown-presents-apples-m2-ultra-processor"
# What was announced, in whole gigabytes a second.
M4 = "https://mactrast.com/?p=168123"
M5 = "https://the-decoder.com/apples-m5-chip-brings-faster-ai-to-macbook-ipad-and-vision-pro/"
M5_PRO = "https://thefuturemedia.eu/?p=17804"
H100 = "https://glennklockwood.com/garden/processors/h100"
PEAK_RATE = "https://modal.com/gpu-glossary/perf/peak-rate"


@dataclass(frozen=True)
class Figure:
    """A published figure: operations or bytes a second, and where it is published."""

    value: float
    source: str


@dataclass(frozen=True)
class Chip:
    """A chip's limits. bandwidth: of its memory, in bytes a second. peak: floating-point operations a second
    by dtype, a fused multiply-add being two; empty where no source gives it. matrix: the same for matrix
    products, where separate units do those; otherwise they run on the units of ``peak``."""

    name: str
    bandwidth: Figure
    peak: Mapping[str, Figure] = field(default_factory=dict)
    matrix: Mapping[str, Figure] = field(default_factory=dict)


def _bandwidth(gigabytes: float, source: str = APPLE_GPU_INFO) -> Figure:
    return Figure(gigabytes * 1e9, source)


def _peak(teraflops: float, source: str, *dtypes: str) -> dict[str, Figure]:
    return {dtype: Figure(teraflops * 1e12, source) for dtype in dtypes}


def _both(teraflops: float, source: str = METAL_BENCHMARKS) -> dict[str, Figure]:
    # The M1 and M2 families do as many operations a second in half as in float.
    return _peak(teraflops, source, "float32", "float16")


CHIPS: Mapping[str, Chip] = {
    chip.name: chip
    for chip in (
        Chip("M1", _bandwidth(68.3), _both(2.617)),
        Chip("M1 Pro", _bandwidth(204.8), _both(5.308)),
        Chip("M1 Max", _bandwidth(409.6), _both(10.617)),
        Chip("M1 Ultra", _bandwidth(819.2), _both(21.233)),
        Chip("M2", _bandwidth(102.4), _both(3.579)),
        Chip("M2 Pro", _bandwidth(204.8), _both(6.8)),
        Chip("M2 Max", _bandwidth(409.6), _both(13.6)),
        Chip("M2 Ultra", _bandwidth(819.2), _both(27.2, M2_ULTRA)),
        Chip("M3", _bandwidth(102.4), _peak(4.1, HUGGINGFACE, "float32")),
        Chip("M3 Pro", _bandwidth(153.6), _peak(7.4, HUGGINGFACE, "float32")),
        Chip("M3 Max", _bandwidth(409.6), _peak(14.32, HMC_TECH, "float32")),
        Chip("M3 Ultra", _bandwidth(819.2)),
        Chip("M4", _bandwidth(120, M4), _peak(4.6, HUGGINGFACE, "float32")),
        Chip("M4 Pro", _bandwidth(273.0), _peak(9.2, HUGGINGFACE, "float32")),
        Chip("M4 Max", _bandwidth(546.1), _peak(18.4, HUGGINGFACE, "float32")),
        # The M5 family's matrix units are in no source's peak: only memory bounds it here.
        Chip("M5", _bandwidth(153, M5)),
        Chip("M5 Pro", _bandwidth(307, M5_PRO)),
        Chip("M5 Max", _bandwidth(614, M5_PRO)),
        Chip(
            "H100 SXM",
            _bandwidth(3350, H100),
            {**_peak(66.9, PEAK_RATE, "float32"), **_peak(133.8, H100, "float16", "bfloat16")},
            _peak(989.4, H100, "float16", "bfloat16"),
        ),
    )
}


def find(name: str) -> Chip:
    """The chip of that name, however it is spaced and capitalised ("m2 pro", "Apple M2 Pro"). Raises
    ``ValueError`` with the known names for any other."""
    if not isinstance(name, str):
        raise TypeError(f"chip must be a name or a Chip, got {name!r}")
    wanted = _plain(name)
    for chip in CHIPS.values():
        if _plain(chip.name) == wanted:
            return chip
    raise ValueError(f"chip must be one of {', '.join(CHIPS)}; got {name!r}")


def _plain(name: str) -> str:
    return "".join(name.lower().removeprefix("apple").removeprefix("nvidia").split())
