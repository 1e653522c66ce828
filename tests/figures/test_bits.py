"""The bits of a block: each value's, put together again, are what the format's own module unpacks."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import figures
from kernels.quantized import affine, q4_0, q4_k

RNG = np.random.default_rng(11)
W = RNG.standard_normal((3, 512)).astype(np.float32)


def _number(data: Any, name: str) -> int:
    (value,) = (v for v in data["values"] if v["name"] == name)
    number, shift = 0, 0
    for byte, low, count in value["parts"]:
        if byte < 2 and name.isdigit() and len(value["parts"]) > 2:
            continue  # the scale, which a Q4_0 element points to as well
        number |= (data["bytes"][byte] >> low & (1 << count) - 1) << shift
        shift += count
    return number


def _said(data: Any, name: str) -> float:
    (value,) = (v for v in data["values"] if v["name"] == name)
    return float(value["says"].rstrip(".").rsplit("= ", 1)[1])


def test_q4_0() -> None:
    w = q4_0.quantize(W)
    data = figures.bits(w, row=2, block=5).data
    assert data["bytes"] == np.array(w.blocks)[2, 5].tolist()
    _, codes = q4_0.unpack(np.array(w.blocks))
    for i in range(32):
        assert _number(data, str(i)) == codes[2, 5, i]
        assert _said(data, str(i)) == pytest.approx(w.dequantize()[2, 160 + i], rel=1e-4)


def test_q4_k() -> None:
    w = q4_k.quantize(W)
    data = figures.bits(w, row=1, block=1).data
    _, _, sc, m, codes = q4_k.unpack(np.array(w.blocks))
    for j in range(8):
        assert _number(data, f"s{j}") == sc[1, 1, j]
        assert _number(data, f"m{j}") == m[1, 1, j]
    for i in range(256):
        assert _number(data, str(i)) == codes[1, 1, i // 32, i % 32]
        assert _said(data, str(i)) == pytest.approx(w.dequantize()[1, 256 + i], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
def test_affine(bits: int) -> None:
    packed = mx.quantize(mx.array(W).astype(mx.float16), group_size=64, bits=bits, stream=mx.cpu)
    w = affine.Affine(*packed, bits=bits, group=64)
    data = figures.bits(w, row=1, block=3).data
    assert len(data["bytes"]) == 64 * bits // 8 + 4
    for i in range(64):
        assert _number(data, str(i)) == w.codes()[1, 192 + i]
        assert _said(data, str(i)) == pytest.approx(w.dequantize()[1, 192 + i], rel=1e-3, abs=1e-5)


def test_what_is_not_there_is_refused() -> None:
    w = q4_0.quantize(W)
    with pytest.raises(ValueError, match="row is 3; w has rows 0 to 2"):
        figures.bits(w, row=3)
    with pytest.raises(ValueError, match="block is 16; a row of w has blocks 0 to 15"):
        figures.bits(w, block=16)
    with pytest.raises(TypeError, match="w is a ndarray"):
        figures.bits(W)  # type: ignore[arg-type]


def test_a_value_and_a_byte_in_a_browser(show: Any) -> None:
    shown = show(figures.bits(q4_0.quantize(W)), 390)
    data = figures.bits(q4_0.quantize(W)).data
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.status == data["values"][0]["says"]
    shown.figure.get_by_label("value 20", exact=True).click()
    assert shown.status == data["values"][21]["says"]
    assert shown.figure.locator(".mm-byte.mm-mine").count() == 3
    shown.page.keyboard.press("ArrowRight")
    assert shown.status == data["values"][22]["says"]
    shown.figure.locator(".mm-byte").nth(7).click()
    assert shown.status.endswith("belongs to 32 nibbles and is part of 5, 21.")
