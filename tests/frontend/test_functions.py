"""Metal's library, function by function, against NumPy in float64 or Python's integers.

The limits, in units in the last place, are those of the Metal Shading Language Specification (version 4,
"Relative error of math functions", without fast maths).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal

Array = np.ndarray[Any, Any]


def run(
    expressions: Sequence[str],
    inputs: Sequence[Any],
    dtype: mx.Dtype = mx.float32,
    before: str = "",
    header: str = "",
    n: int | None = None,
) -> list[Array]:
    """What each expression gives for each thread ``i``; the inputs are ``a0``, ``a1``, ..."""
    arrays = [mx.array(a) for a in inputs]
    n = n or arrays[0].shape[0]
    names = [f"out{k}" for k in range(len(expressions))]
    body = f"uint i = thread_position_in_grid.x;\n{before}\n"
    body += "\n".join(f"{name}[i] = {e};" for name, e in zip(names, expressions, strict=True))
    kernel = anymetal.metal_kernel("f", [f"a{k}" for k in range(len(arrays))], names, body, header=header)
    outputs = kernel(
        inputs=arrays,
        grid=(n, 1, 1),
        threadgroup=(min(n, 64), 1, 1),
        output_shapes=[(n,)] * len(names),
        output_dtypes=[dtype] * len(names),
    )
    return [np.array(o.astype(mx.float32) if dtype == mx.bfloat16 else o) for o in outputs]


def half_turns(x: Array, quarters: int = 0) -> Array:
    """sin(pi x + quarters pi / 2) without losing x's last bits to pi."""
    nearest = np.rint(2 * x)
    rest, quadrant = np.pi * (x - nearest / 2), (nearest + quarters) % 4
    value: Array = np.where(quadrant >= 2, -1, 1) * np.where(quadrant % 2 == 1, np.cos(rest), np.sin(rest))
    return value


RNG = np.random.default_rng(20)
ANY = np.concatenate(
    [
        RNG.uniform(-3, 3, 300),
        RNG.uniform(-90, 90, 300),
        10 ** RNG.uniform(-20, 1.9, 100),
        [0.5, -1.5, 2.5, 0.0],
    ]
).astype(np.float32)
NO_POLES = np.where(np.abs(ANY % 1) == 0.5, np.float32(0.25), ANY)
UNIT = RNG.uniform(-1, 1, ANY.size).astype(np.float32)
POSITIVE = np.abs(ANY) + np.float32(1e-30)

Case = tuple[Callable[[Array], Array], Array, float]
UNARY: dict[str, Case] = {
    "acos": (np.arccos, UNIT, 4),
    "acosh": (np.arccosh, POSITIVE + 1, 4),
    "asin": (np.arcsin, UNIT, 4),
    "asinh": (np.arcsinh, ANY, 4),
    "atan": (np.arctan, ANY, 5),
    "atanh": (np.arctanh, UNIT, 5),
    "ceil": (np.ceil, ANY, 0),
    "cos": (np.cos, ANY, 4),
    "cosh": (np.cosh, ANY / 2, 4),
    "cospi": (lambda x: half_turns(x, 1), ANY, 4),
    "exp": (np.exp, ANY / 2, 4),
    "exp10": (lambda x: 10.0**x, ANY / 3, 4),
    "exp2": (np.exp2, ANY, 4),
    "fabs": (np.abs, ANY, 0),
    "abs": (np.abs, ANY, 0),
    "floor": (np.floor, ANY, 0),
    "fract": (lambda x: np.minimum(x - np.floor(x), np.float32(1) - np.float32(2) ** -24), ANY, 0.5),
    "log": (np.log, POSITIVE, 4),
    "log10": (np.log10, POSITIVE, 4),
    "log2": (np.log2, POSITIVE, 4),
    "rint": (np.rint, ANY, 0),
    "round": (lambda x: np.trunc(x + np.copysign(0.5, x)), ANY, 0),
    "rsqrt": (lambda x: 1 / np.sqrt(x), POSITIVE, 2),
    "saturate": (lambda x: np.clip(x, 0, 1), ANY, 0),
    "sign": (np.sign, ANY, 0),
    "sin": (np.sin, ANY, 4),
    "sinh": (np.sinh, ANY / 2, 4),
    "sinpi": (half_turns, ANY, 4),
    "sqrt": (np.sqrt, POSITIVE, 0.5),
    "tan": (np.tan, ANY, 6),
    "tanh": (np.tanh, ANY, 5),
    "tanpi": (lambda x: half_turns(x) / half_turns(x, 1), NO_POLES, 6),
    "trunc": (np.trunc, ANY, 0),
}


def ulps(got: Array, want: Array, digits: int = 24, least: float = 2.0**-149) -> Array:
    """The error in units in the last place of a format with so many digits."""
    exponent = np.floor(np.log2(np.maximum(np.abs(want), 1e-300)))
    unit = np.maximum(2.0 ** (exponent - digits + 1), least)
    error: Array = np.abs(got.astype(np.float64) - want) / unit
    return error


@pytest.mark.parametrize("names", [list(UNARY)[:17], list(UNARY)[17:]], ids=["acos to fract", "log to trunc"])
def test_functions_of_one_number(names: list[str]) -> None:
    inputs = [UNARY[name][1] for name in names]
    # One kernel for several functions: an input each, side by side in one array.
    count = len(names)
    results = run(
        [f"metal::{name}(a0[i + {k * ANY.size}u])" for k, name in enumerate(names)],
        [np.concatenate(inputs)],
        n=ANY.size,
    )
    assert len(results) == count
    for name, x, got in zip(names, inputs, results, strict=True):
        f, _, limit = UNARY[name]
        want = f(x.astype(np.float64))
        assert np.all(np.isfinite(got)), name
        worst = np.argmax(ulps(got, want))
        assert ulps(got, want)[worst] <= limit, (name, x[worst], got[worst], want[worst])


@pytest.mark.parametrize(
    ("dtype", "digits", "least"),
    [(mx.float16, 11, 2.0**-24), (mx.bfloat16, 8, 2.0**-133)],
    ids=["half", "bfloat"],
)
def test_half_and_bfloat_are_rounded_once(dtype: mx.Dtype, digits: int, least: float) -> None:
    x = mx.array(RNG.uniform(0.1, 4, 200).astype(np.float32)).astype(dtype)
    exact = np.array(x.astype(mx.float32)).astype(np.float64)
    names: dict[str, Callable[[Array], Array]] = {
        "exp": np.exp,
        "log": np.log,
        "sin": np.sin,
        "sqrt": np.sqrt,
        "tanh": np.tanh,
        "rsqrt": lambda v: v**-0.5,
    }
    for got, f in zip(
        run([f"metal::{name}(a0[i])" for name in names], [x], dtype), names.values(), strict=True
    ):
        # Half a unit for the rounding; four units of float are nothing beside it but where it ties.
        assert np.all(ulps(got, f(exact), digits, least) <= 0.502)


def test_functions_of_several_numbers() -> None:
    x, y = ANY, RNG.permutation(ANY)
    p = np.abs(x) / 30 + np.float32(0.1)
    e = y / 10
    t = np.abs(UNIT)
    got = run(
        [
            "atan2(a0[i], a1[i])",
            "pow(a2[i], a3[i])",
            "fmod(a0[i], a2[i])",
            "fmax(a0[i], a1[i])",
            "min(a0[i], a1[i])",
            "copysign(a0[i], a1[i])",
            "fdim(a0[i], a1[i])",
            "fma(a0[i], a1[i], a2[i])",
            "clamp(a0[i], -1.0f, 2.0f)",
            "mix(a0[i], a1[i], a4[i])",
            "step(a0[i], a1[i])",
            "median3(a0[i], a1[i], a2[i])",
            "ldexp(a0[i], int(a1[i]))",
            "smoothstep(0.25f, 0.75f, a4[i])",
        ],
        [x, y, p, e, t],
    )
    x, y, p, e, t = (v.astype(np.float64) for v in (x, y, p, e, t))  # type: ignore[assignment]
    s = np.clip((t - 0.25) * 2, 0, 1)
    want = [
        (np.arctan2(x, y), 6),
        (p**e, 16),
        (np.fmod(x, p), 0),
        (np.maximum(x, y), 0),
        (np.minimum(x, y), 0),
        (np.copysign(x, y), 0),
        (np.maximum(x - y, 0), 0.5),
        (x * y + p, 0.5),
        (np.clip(x, -1, 2), 0),
        (None, 0),
        (np.where(y < x, 0, 1), 0),
        (np.median([x, y, p], axis=0), 0),
        (x * 2.0 ** np.trunc(y), 0.5),
        (None, 0),
    ]
    for k, (exact, limit) in enumerate(want):
        if exact is not None:
            assert np.max(ulps(got[k], exact)) <= limit, k
    # x + (y - x) t: three roundings, each of at most half a unit of what it rounds.
    scale = np.abs(x) + 2 * np.abs(y - x)
    assert np.all(np.abs(got[9] - (x + (y - x) * t)) <= 2.0**-23 * scale)
    assert np.all(np.abs(got[13] - s * s * (3 - 2 * s)) <= 2.0**-21)


def test_special_values() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 1.0, -2.5], np.float32)
    got = run(
        [
            "isnan(a0[i])",
            "isinf(a0[i])",
            "isfinite(a0[i])",
            "isnormal(a0[i])",
            "signbit(a0[i])",
            "isnan(half(a0[i]))",
            "isinf(bfloat(a0[i]))",
            "all(isnan(float2(a0[i])))",
        ],
        [x],
        mx.uint32,
    )
    smallest = np.finfo(np.float32).tiny
    want = [
        np.isnan(x),
        np.isinf(x),
        np.isfinite(x),
        np.isfinite(x) & (np.abs(x) >= smallest),
        np.signbit(x),
        np.isnan(x),
        np.isinf(x),
        np.isnan(x),
    ]
    for g, w in zip(got, want, strict=True):
        assert g.tolist() == w.astype(int).tolist()
    one = run(["fmax(a0[i], 1.0f)", "min(a0[i], 1.0f)", "max(1.0f, a0[i])"], [x[:1]])
    assert [float(g[0]) for g in one] == [1.0, 1.0, 1.0], "a NaN gives way to the other number"


def test_parts_of_numbers() -> None:
    before = "int e; float m = frexp(a0[i], e); float w; float f = modf(a0[i], w);"
    before += "float c; float s = sincos(a0[i], c);"
    m, e, w, f, s, c, g = run(["m", "e", "w", "f", "s", "c", "ilogb(a0[i])"], [ANY], before=before)
    mantissa, exponent = np.frexp(ANY)
    assert np.array_equal(m, mantissa)
    assert np.array_equal(e, exponent)
    assert np.array_equal(w, np.trunc(ANY))
    assert np.array_equal(f, ANY - np.trunc(ANY))
    assert np.max(ulps(s, np.sin(ANY.astype(np.float64)))) <= 4
    assert np.max(ulps(c, np.cos(ANY.astype(np.float64)))) <= 4
    assert np.array_equal(g[ANY != 0], exponent[ANY != 0] - 1)


def wrap(value: int, bits: int, signed: bool) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


INTEGERS: dict[str, Callable[[int, int, int, bool], int]] = {
    "popcount(x)": lambda x, y, b, s: (x & ((1 << b) - 1)).bit_count(),
    "clz(x)": lambda x, y, b, s: b - (x & ((1 << b) - 1)).bit_length(),
    "ctz(x)": lambda x, y, b, s: b if x == 0 else (x & -x).bit_length() - 1,
    "reverse_bits(x)": lambda x, y, b, s: int(f"{x & ((1 << b) - 1):0{b}b}"[::-1], 2),
    "rotate(x, y)": lambda x, y, b, s: (
        ((x & ((1 << b) - 1)) << (y % b)) | ((x & ((1 << b) - 1)) >> (b - y % b))
    ),
    "mulhi(x, y)": lambda x, y, b, s: (x * y) >> b,
    "madhi(x, y, x)": lambda x, y, b, s: ((x * y) >> b) + x,
    "addsat(x, y)": lambda x, y, b, s: clip(x + y, b, s),
    "subsat(x, y)": lambda x, y, b, s: clip(x - y, b, s),
    "madsat(x, y, y)": lambda x, y, b, s: clip(x * y + y, b, s),
    "hadd(x, y)": lambda x, y, b, s: (x + y) >> 1,
    "rhadd(x, y)": lambda x, y, b, s: (x + y + 1) >> 1,
    "absdiff(x, y)": lambda x, y, b, s: abs(x - y),
    "max(x, y)": lambda x, y, b, s: max(x, y),
    "min(x, y)": lambda x, y, b, s: min(x, y),
    "clamp(x, T(3), T(90))": lambda x, y, b, s: min(max(x, 3), 90),
    "extract_bits(x, 2, 5)": lambda x, y, b, s: wrap((x & ((1 << b) - 1)) >> 2, 5, s),
    "insert_bits(x, y, 3, 4)": lambda x, y, b, s: (x & ~(15 << 3)) | ((y & 15) << 3),
    "abs(x)": lambda x, y, b, s: abs(x),
}


def clip(value: int, bits: int, signed: bool) -> int:
    low = -(1 << (bits - 1)) if signed else 0
    return min(max(value, low), low + (1 << bits) - 1)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_functions_of_integers(dtype: str) -> None:
    info = np.iinfo(dtype)
    edges = [info.min, info.max, 0, 1, 2, info.max - 1, info.max // 2]
    x = np.concatenate(
        [np.array(edges, dtype), RNG.integers(info.min, info.max, 60, dtype, endpoint=True)]
    ).astype(dtype)
    y = np.concatenate(
        [RNG.permutation(np.array(edges, dtype)), RNG.integers(info.min, info.max, 60, dtype, endpoint=True)]
    ).astype(dtype)
    x[40:], y[40:] = x[40:] // np.array(2 ** (info.bits // 2), dtype), y[40:] % np.array(7, dtype)
    results = run(
        list(INTEGERS), [x, y], getattr(mx, dtype), before=f"using T = {dtype}_t; T x = a0[i], y = a1[i];"
    )
    signed = info.min < 0
    for (name, f), got in zip(INTEGERS.items(), results, strict=True):
        want = [
            wrap(f(int(a), int(b), info.bits, signed), info.bits, signed) for a, b in zip(x, y, strict=True)
        ]
        assert got.tolist() == want, name


def test_vectors_do_what_their_elements_do() -> None:
    x = RNG.uniform(0.1, 2, (50, 4)).astype(np.float32)
    y = RNG.uniform(0.1, 2, (50, 4)).astype(np.float32)
    before = "float4 x = float4(a0[4*i], a0[4*i+1], a0[4*i+2], a0[4*i+3]);"
    before += "float4 y = *(const device float4*)(a1 + 4 * i);"
    got = run(
        [
            "exp(x).z - exp(x.z)",
            "dot(x, y)",
            "length(x.xy)",
            "cross(x.xyz, y.zxy).y",
            "normalize(x).w",
            "distance(x, y)",
            "select(x, y, x < y).y",
            "max(x, 1).x + clamp(y, 0.5f, 1).w",
            "float4(x.wz, 0, 1).x + float4(half4(x)).y * 0 + float3(y.x, x.yz).z",
            "any(x > 1.9f) ? 1 : 0",
            "all(x < y) ? 1 : 0",
            "reflect(x.xyz, float3(0, 1, 0)).y",
            "(x.yx * 2 + y.zw).y",
            "uchar4(x * 100).z",
        ],
        [x.ravel(), y.ravel()],
        before=before,
        n=50,
    )
    x, y = x.astype(np.float64), y.astype(np.float64)
    want = [
        np.zeros(50),
        np.sum(x * y, 1),
        np.hypot(x[:, 0], x[:, 1]),
        np.cross(x[:, :3], y[:, [2, 0, 1]])[:, 1],
        x[:, 3] / np.linalg.norm(x, axis=1),
        np.linalg.norm(x - y, axis=1),
        np.maximum(x, y)[:, 1],
        np.maximum(x, 1)[:, 0] + np.clip(y, 0.5, 1)[:, 3],
        x[:, 3] + x[:, 2],
        np.any(x > np.float32(1.9), axis=1),
        np.all(x < y, axis=1),
        -x[:, 1],
        x[:, 0] * 2 + y[:, 3],
        np.floor((x[:, 2].astype(np.float32) * np.float32(100)).astype(np.float64)),
    ]
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        # Fewer than sixteen roundings of values of at most eight.
        assert np.max(np.abs(g - w)) <= 16 * 8 * 2.0**-24, k


def test_matrices() -> None:
    a = RNG.uniform(-1, 1, (20, 9)).astype(np.float32)
    before = "float3x3 m; for (int k = 0; k < 9; k++) m[k / 3][k % 3] = a0[9 * i + k];"
    got = run(
        [
            "(m * float3(1, 2, 3)).y",
            "(float3(1, 2, 3) * m).y",
            "(m * transpose(m))[2].x",
            "determinant(m)",
            "(m * 2.0f + float3x3(1.0f))[1].y",
            "float2x3(1, 2, 3, 4, 5, 6)[1].x + float2x2(float2(1, 2), float2(3, 4))[0].y",
        ],
        [a.ravel()],
        before=before,
        n=20,
    )
    m = a.reshape(20, 3, 3).transpose(0, 2, 1).astype(np.float64)
    v = np.array([1.0, 2.0, 3.0])
    want = [
        (m @ v)[:, 1],
        (m.transpose(0, 2, 1) @ v)[:, 1],
        (m @ m.transpose(0, 2, 1))[:, 0, 2],
        np.linalg.det(m),
        m[:, 1, 1] * 2 + 1,
        np.full(20, 6.0),
    ]
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        assert np.max(np.abs(g - w)) <= 16 * 6 * 2.0**-24, k


def test_packing() -> None:
    x = RNG.uniform(-1.5, 1.5, (40, 4)).astype(np.float32)
    before = "float4 x = *(const device float4*)(a0 + 4 * i);"
    names = ["pack_float_to_unorm4x8(x)", "pack_float_to_snorm4x8(x)", "pack_float_to_snorm2x16(x.xy)"]
    got = run(names, [x.ravel()], mx.uint32, before, n=40)

    def fields(bits: int, low: float, count: int) -> list[int]:
        scale = (1 << (bits - (low < 0))) - 1
        levels = np.rint(np.clip(x[:, :count], low, 1) * np.float32(scale)).astype(int) & ((1 << bits) - 1)
        return [sum(int(v) << (bits * k) for k, v in enumerate(row)) for row in levels]

    assert got[0].tolist() == fields(8, 0, 4)
    assert got[1].tolist() == fields(8, -1, 4)
    assert got[2].tolist() == fields(16, -1, 2)
    back = run(["unpack_unorm4x8_to_float(a0[i]).z", "unpack_snorm4x8_to_float(a0[i]).z"], [got[1]])
    byte = (got[1] >> 16) & 255
    assert np.array_equal(back[0], byte.astype(np.float32) / np.float32(255))
    assert np.array_equal(back[1], np.maximum(byte.astype(np.int8).astype(np.float32) / np.float32(127), -1))


def test_packed_vectors_and_structs_in_device_memory() -> None:
    x = RNG.uniform(-1, 1, 96).astype(np.float32)
    header = """
    struct item { packed_float3 v; float w; float norm() const device { return length(float3(v)) + w; } };
    """
    before = """
    const device packed_float3* p = (const device packed_float3*)a0;
    const device item* q = (const device item*)a0;
    float3 v = p[i]; float3 sum = p[i] + v * 2; item one = q[i];
    """
    got = run(["v.z", "sum.y", "one.v.x + one.w", "q[i].norm()", "sizeof(item) + sizeof(packed_half3)"], [x],
              before=before, header=header, n=24)  # fmt: skip
    v, q = x[:72].reshape(24, 3), x.reshape(24, 4)
    assert np.array_equal(got[0], v[:, 2])
    assert np.max(np.abs(got[1] - 3.0 * v[:, 1])) <= 2 * 4 * 2.0**-24
    assert np.array_equal(got[2], q[:, 0] + q[:, 3])
    assert (
        np.max(np.abs(got[3] - (np.linalg.norm(q[:, :3].astype(np.float64), axis=1) + q[:, 3]))) <= 2.0**-21
    )
    assert got[4].tolist() == [22.0] * 24


def test_matrices_and_packed_vectors_in_device_memory() -> None:
    x = RNG.uniform(-1, 1, 16 * 8).astype(np.float32)
    body = """
    uint i = thread_position_in_grid.x;
    const device float4x4* m = (const device float4x4*)a0;
    device float4x4* o = (device float4x4*)out0;
    o[i] = transpose(m[i]);
    o[i][1] = m[i][2] * 2;
    o[i][3].y = 5;
    ((device packed_float3*)(out1 + 3 * i))[0] = float3(m[i][0].x, 1, 2);
    ((device packed_float3*)(out1 + 3 * i))[0] += float3(1);
    """
    kernel = anymetal.metal_kernel("f", ["a0"], ["out0", "out1"], body)
    o, p = kernel(
        inputs=[mx.array(x)],
        grid=(8, 1, 1),
        threadgroup=(8, 1, 1),
        output_shapes=[(8, 4, 4), (8, 3)],
        output_dtypes=[mx.float32, mx.float32],
    )
    m = x.reshape(8, 4, 4)
    want = m.transpose(0, 2, 1).copy()
    want[:, 1] = m[:, 2] * 2
    want[:, 3, 1] = 5
    assert np.array_equal(np.array(o), want)
    assert np.array_equal(np.array(p), np.stack([m[:, 0, 0] + 1, np.full(8, 2), np.full(8, 3)], 1))


def test_vectors_of_bool() -> None:
    x = RNG.uniform(-1, 1, (30, 3)).astype(np.float32)
    before = "float3 x(0); x = float3(a0[3*i], a0[3*i+1], a0[3*i+2]);"
    before += "bool3 m = x > 0; bool3 n = bool3(true, false, m.x);"
    got = run(
        [
            "all(m)",
            "any(m && n)",
            "!m.y",
            "(m == n).z",
            "select(1, 2, m[2])",
            "sizeof(bool3) + sizeof(bool2)",
        ],
        [x.ravel()],
        mx.int32,
        before,
        n=30,
    )
    m = x > 0
    assert got[0].tolist() == m.all(1).astype(int).tolist()
    assert got[1].tolist() == m[:, 0].astype(int).tolist()
    assert got[2].tolist() == (~m[:, 1]).astype(int).tolist()
    assert got[3].tolist() == (m[:, 2] == m[:, 0]).astype(int).tolist()
    assert got[4].tolist() == (1 + m[:, 2]).tolist()
    assert set(got[5].tolist()) == {6}


SIMD: dict[str, Callable[[Array], Array]] = {
    "simd_sum(x)": lambda v: np.full(32, v.sum()),
    "simd_product(x)": lambda v: np.full(32, v.prod()),
    "simd_max(x)": lambda v: np.full(32, v.max()),
    "simd_min(x)": lambda v: np.full(32, v.min()),
    "simd_and(x)": lambda v: np.full(32, np.bitwise_and.reduce(v)),
    "simd_or(x)": lambda v: np.full(32, np.bitwise_or.reduce(v)),
    "simd_xor(x)": lambda v: np.full(32, np.bitwise_xor.reduce(v)),
    "simd_prefix_inclusive_sum(x)": np.cumsum,
    "simd_prefix_exclusive_sum(x)": lambda v: np.cumsum(v) - v,
    "simd_prefix_inclusive_product(x)": np.cumprod,
    "simd_shuffle(x, (i * 7) & 31)": lambda v: v[np.arange(32) * 7 & 31],
    "simd_shuffle_xor(x, 5)": lambda v: v[np.arange(32) ^ 5],
    "simd_shuffle_up(x, 3)": lambda v: np.concatenate([v[:3], v[:-3]]),
    "simd_shuffle_down(x, 3)": lambda v: np.concatenate([v[3:], v[-3:]]),
    "simd_shuffle_rotate_up(x, 3)": lambda v: np.roll(v, 3),
    "simd_shuffle_rotate_down(x, 3)": lambda v: np.roll(v, -3),
    "simd_shuffle_and_fill_up(x, y, 3)": lambda v: np.concatenate([v[-3:] + 1, v[:-3]]),
    "simd_shuffle_and_fill_down(x, y, 3)": lambda v: np.concatenate([v[3:], v[:3] + 1]),
    "simd_broadcast(x, 9)": lambda v: np.full(32, v[9]),
    "simd_broadcast_first(x)": lambda v: np.full(32, v[0]),
    "quad_sum(x)": lambda v: np.repeat(v.reshape(8, 4).sum(1), 4),
    "quad_max(x)": lambda v: np.repeat(v.reshape(8, 4).max(1), 4),
    "quad_shuffle_xor(x, 3)": lambda v: v[np.arange(32) ^ 3],
    "quad_broadcast(x, 2)": lambda v: np.repeat(v.reshape(8, 4)[:, 2], 4),
    "quad_prefix_inclusive_sum(x)": lambda v: np.cumsum(v.reshape(8, 4), 1).ravel(),
    "quad_prefix_exclusive_sum(x)": lambda v: (np.cumsum(v.reshape(8, 4), 1) - v.reshape(8, 4)).ravel(),
}


@pytest.mark.parametrize("type", ["int", "uint", "short", "uchar", "long", "int2"])
def test_operations_across_lanes(type: str) -> None:
    v = RNG.integers(1, 3, 64)
    element = type.removesuffix("2")
    pick = ".y" if type == "int2" else ""
    before = f"{type} x = {type}(({element})a0[i]); {type} y = {type}(({element})(a0[i] + 1));"
    bits = {"uchar": 8, "short": 16, "long": 64}.get(element, 32)
    unsigned = element.startswith("u")
    for group in (list(SIMD)[:13], list(SIMD)[13:]):
        got = run([name + pick for name in group], [v], mx.int64, before)
        for name, g in zip(group, got, strict=True):
            want = np.concatenate([SIMD[name](v[:32]), SIMD[name](v[32:])])
            assert g.tolist() == [wrap(int(w), bits, not unsigned) for w in want], name


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_sums_across_lanes_of_floats(dtype: mx.Dtype) -> None:
    # Small whole numbers: every order of adding gives the same.
    v = RNG.integers(-4, 4, 64).astype(np.float32)
    got = run(
        ["simd_sum(a0[i])", "simd_max(a0[i])", "simd_prefix_inclusive_sum(a0[i])"],
        [mx.array(v).astype(dtype)],
        dtype,
    )
    halves = v.reshape(2, 32)
    assert np.array_equal(got[0], np.repeat(halves.sum(1), 32))
    assert np.array_equal(got[1], np.repeat(halves.max(1), 32))
    assert np.array_equal(got[2], np.cumsum(halves, 1).ravel())


def test_votes() -> None:
    v = RNG.integers(0, 2, 64)
    v[32:] = 1
    got = run(
        [
            "simd_all(a0[i] != 0)",
            "simd_any(a0[i] == 0)",
            "int((ulong)simd_ballot(a0[i] != 0) >> (i & 31)) & 1",
            "simd_is_first()",
            "popcount((ulong)simd_active_threads_mask())",
            "quad_all(a0[i] != 0)",
            "quad_any(a0[i] != 0)",
        ],
        [v],
        mx.int32,
    )
    lanes, quads = v.reshape(2, 32), v.reshape(16, 4)
    assert got[0].tolist() == np.repeat(lanes.all(1), 32).astype(int).tolist()
    assert got[1].tolist() == np.repeat(~lanes.all(1), 32).astype(int).tolist()
    assert got[2].tolist() == v.tolist()
    assert got[3].tolist() == [int(i % 32 == 0) for i in range(64)]
    assert got[4].tolist() == [32] * 64
    assert got[5].tolist() == np.repeat(quads.all(1), 4).astype(int).tolist()
    assert got[6].tolist() == np.repeat(quads.any(1), 4).astype(int).tolist()


def test_limits_of_numbers() -> None:
    types = ["half", "float", "bfloat"]
    got = run(
        [f"float(numeric_limits<{t}>::{f}())" for t in types for f in ("max", "min", "epsilon", "lowest")],
        [np.zeros(1)],
    )
    half, single = np.finfo(np.float16), np.finfo(np.float32)
    brain = [(2 - 2.0**-7) * 2.0**127, 2.0**-126, 2.0**-7, -(2 - 2.0**-7) * 2.0**127]
    want = [x for f in (half, single) for x in (f.max, f.tiny, f.eps, f.min)] + brain
    assert [float(g[0]) for g in got] == [float(w) for w in want]
    whole = ["char", "uchar", "short", "ushort", "int", "uint", "long"]
    ends = run(
        [f"long(numeric_limits<{t}>::{f}())" for t in whole for f in ("max", "min")], [np.zeros(1)], mx.int64
    )
    names = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]
    assert [int(g[0]) for g in ends] == [int(e) for n in names for e in (np.iinfo(n).max, np.iinfo(n).min)]


def test_numbers_change_type_as_written() -> None:
    x = np.array([1.0, -2.75, 300.5, 65519.0, 1e-3], np.float32)
    got = run(
        [
            "float(half(a0[i]))",
            "float(bfloat(a0[i]))",
            "float(static_cast<half>(bfloat(a0[i])))",
            "float((bfloat)half(a0[i]))",
            "as_type<float>(as_type<uint>(a0[i]) ^ 0x80000000u)",
            "float(as_type<half2>(as_type<uint>(a0[i])).y)",
            "1.5h + 0.25h",
        ],
        [x],
    )
    with np.errstate(over="ignore"):
        half = x.astype(np.float16)
    brain = np.array(mx.array(x).astype(mx.bfloat16).astype(mx.float32))
    assert np.array_equal(got[0], half.astype(np.float32))
    assert np.array_equal(got[1], brain)
    with np.errstate(over="ignore"):
        assert np.array_equal(got[2], brain.astype(np.float16).astype(np.float32))
    again = np.array(mx.array(half).astype(mx.float32).astype(mx.bfloat16).astype(mx.float32))
    assert np.array_equal(got[3], again)
    assert np.array_equal(got[4], -x)
    assert np.array_equal(got[5], x.view(np.float16)[1::2].astype(np.float32), equal_nan=True)
    assert np.all(got[6] == 1.75)
