"""Affine groups in NumPy: the very codes, scales and biases of ``mx.quantize``, and what is refused."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.quantized import affine, weights

DTYPES = [mx.float32, mx.float16, mx.bfloat16]


def awkward(k: int, seed: int) -> NDArray[np.float32]:
    """Rows of many scales, and rows where a group is all zero, one number, one sign, or two numbers."""
    rng = np.random.default_rng([seed, k])
    w = rng.normal(size=(23, k)) * np.exp(4 * rng.normal(size=(23, 1)))
    w[0], w[1], w[2], w[3] = 0, 3, -3, -0.0
    w[4], w[5] = np.abs(w[4]), -np.abs(w[5])
    w[6] = 1e-9
    w[7] = np.where(np.arange(k) % 2, 1, -1)
    w[8] = np.arange(k)
    return w.astype(np.float32)


def bits_of(array: mx.array) -> NDArray[np.uint32]:
    """Tells even the zeros apart."""
    return np.array(array.astype(mx.float32)).view(np.uint32)


@pytest.mark.parametrize("group", affine.GROUPS)
@pytest.mark.parametrize("bits", affine.BITS)
def test_it_is_mx_quantize(bits: int, group: int) -> None:
    for dtype in DTYPES:
        w = mx.array(awkward(3 * group, bits)).astype(dtype)
        packed, scales, biases = mx.quantize(w, group_size=group, bits=bits, stream=mx.cpu)
        ours = affine.quantize(w, bits, group)
        assert np.array_equal(np.array(ours.packed), np.array(packed))
        assert np.array_equal(bits_of(ours.scales), bits_of(scales))
        assert np.array_equal(bits_of(ours.biases), bits_of(biases))
        assert ours.scales.dtype == ours.biases.dtype == dtype
        assert np.array_equal(affine.pack(ours.codes(), bits), np.array(packed))

        # In float32 MLX rounds as we do; in a narrower dtype it rounds the product, too.
        if dtype == mx.float32:
            theirs = mx.dequantize(packed, scales, biases, group_size=group, bits=bits, stream=mx.cpu)
            assert np.array_equal(ours.dequantize(), np.array(theirs))


@pytest.mark.parametrize("bits", affine.BITS)
def test_codes_are_one_stream_of_bits(bits: int) -> None:
    codes = np.random.default_rng(bits).integers(0, 1 << bits, (5, 96))
    stream = (codes[..., None] >> np.arange(bits) & 1).reshape(5, -1).astype(np.uint8)
    expected = np.packbits(stream, axis=1, bitorder="little").view("<u4")
    packed = affine.pack(codes, bits)
    assert np.array_equal(packed, expected)
    assert np.array_equal(affine.unpack(packed, bits), codes)
    each, size = affine.pack_of(bits)
    assert each * bits == 8 * size
    assert all(n * bits % 8 for n in range(1, each))


@pytest.mark.parametrize("dtype", DTYPES[1:])
def test_a_dtype_for_the_scales(dtype: mx.Dtype) -> None:
    w = awkward(128, 1)
    ours, theirs = affine.quantize(w, 5, 64, dtype), affine.quantize(mx.array(w).astype(dtype), 5, 64)
    assert ours.scales.dtype == dtype
    assert np.array_equal(np.array(ours.packed), np.array(theirs.packed))
    assert affine.quantize(w.astype(np.float16), 4, 64).scales.dtype == mx.float16
    assert affine.quantize(w.astype(np.float64), 4, 64).scales.dtype == mx.float32


def test_what_all_weights_have_in_common() -> None:
    w = affine.quantize(awkward(256, 2), 3, 128, mx.bfloat16)
    assert isinstance(w, weights.Weights)
    assert (w.format, w.shape) == ("affine, 3 bits in groups of 128", (23, 256))
    assert w.nbytes == 23 * (256 * 3 // 8 + 2 * 2 * 2)
    assert weights.bits_per_weight(w) == 3 + 2 * 16 / 128
    scales, biases = (np.array(a.astype(mx.float32)).astype(np.float64) for a in (w.scales, w.biases))
    scaled = w.codes() * np.repeat(scales, 128, axis=1)
    assert np.array_equal(w.magnitudes(), np.abs(scaled) + np.abs(np.repeat(biases, 128, axis=1)))


def test_experts() -> None:
    each = [affine.quantize(awkward(64, seed), 6, 32) for seed in range(3)]
    packed, scales, biases = (
        mx.stack([getattr(w, name) for w in each]) for name in ("packed", "scales", "biases")
    )
    experts = affine.Experts(packed, scales, biases, 6, 32)
    assert (len(experts), experts.shape) == (3, (3, 23, 64))
    assert experts.nbytes == 3 * each[0].nbytes
    for one, alone in zip(experts, each, strict=True):
        assert np.array_equal(one.dequantize(), alone.dequantize())
    for wrong in (-1, 3):
        with pytest.raises(IndexError, match=rf"expert is {wrong}; it must be 0 … 2"):
            experts[wrong]


def test_what_is_refused() -> None:
    w = np.ones((2, 96), np.float32)
    with pytest.raises(ValueError, match=r"bits is 7; it must be one of 2, 3, 4, 5, 6, 8"):
        affine.quantize(w, 7, 32)
    with pytest.raises(ValueError, match=r"group is 48; it must be one of 32, 64, 128"):
        affine.quantize(w, 4, 48)
    with pytest.raises(ValueError, match=r"K = 96; .* multiple of 64"):
        affine.quantize(w, 4, 64)
    with pytest.raises(ValueError, match=r"dtype is .*int32.*; it must be float32, float16 or bfloat16"):
        affine.quantize(w, 4, 32, mx.int32)
    for empty in ((0, 32), (3, 0)):
        with pytest.raises(ValueError, match="N and K must be at least 1"):
            affine.quantize(np.ones(empty, np.float32), 4, 32)
    with pytest.raises(TypeError, match="array of floats"):
        affine.quantize(np.ones((2, 32), np.int32))
    with pytest.raises(ValueError, match=r"codes holds 0 … 8; 3 bits hold 0 … 7"):
        affine.pack(np.arange(32) % 9, 3)
    with pytest.raises(ValueError, match="must be a multiple of 32"):
        affine.pack(np.zeros((2, 31), int), 3)
    with pytest.raises(ValueError, match=r"at 5 bits its last axis must be a multiple of 5"):
        affine.unpack(np.zeros((2, 4), np.uint32), 5)

    good = affine.quantize(w, 4, 32)
    packed, scales, biases = good.packed, good.scales, good.biases
    with pytest.raises(TypeError, match="scales is a ndarray"):
        affine.Affine(packed, np.ones((2, 3)), biases, 4, 32)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"packed has dtype uint8 .* must be uint32 of shape \[N, "):
        affine.Affine(packed.view(mx.uint8), scales, biases, 4, 32)
    with pytest.raises(ValueError, match=r"which holds 96 codes a row; .* multiple of the group, 64"):
        affine.Affine(packed, scales, biases, 4, 64)
    with pytest.raises(ValueError, match=r"biases has shape \(2, 2\); .* needs \(2, 3\)"):
        affine.Affine(packed, scales, biases[:, :2], 4, 32)
    with pytest.raises(ValueError, match="scales has dtype int32"):
        affine.Affine(packed, scales.astype(mx.int32), biases, 4, 32)
    with pytest.raises(ValueError, match="both must have the same dtype"):
        affine.Affine(packed, scales, biases.astype(mx.float16), 4, 32)
    with pytest.raises(ValueError, match="no axis may be 0"):
        affine.Affine(packed[:0], scales[:0], biases[:0], 4, 32)
    with pytest.raises(ValueError, match=r"\[E, N, "):
        affine.Experts(packed, scales, biases, 4, 32)
