"""A file that the gguf package has written is read, and its weights are used."""

from __future__ import annotations

import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter, quants

from kernels import tolerance
from kernels.quantized import gguf_file, q4_0, q4_k, q8_0

from .conftest import Draw

N, K = 7, 512
PACKED = {
    "Q4_0": (GGMLQuantizationType.Q4_0, q4_0.Q4_0, q4_0.BYTES),
    "Q8_0": (GGMLQuantizationType.Q8_0, q8_0.Q8_0, q8_0.BYTES),
    "Q4_K": (GGMLQuantizationType.Q4_K, q4_k.Q4_K, q4_k.BYTES),
}


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng([5, *shape]).standard_normal(shape).astype(np.float32)


def octets(name: str) -> np.ndarray:
    """[N, bytes of a row]. The package has no quantizer for Q4_K: a book's own gives its bytes."""
    kind, _, _ = PACKED[name]
    if name == "Q4_K":
        return np.array(q4_k.quantize(numbers(N, K)).blocks).reshape(N, -1)
    return np.asarray(quants.quantize(numbers(N, K), kind))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_name("a few tensors")
    for name, (kind, _, _) in PACKED.items():
        writer.add_tensor(f"{name}.weight", octets(name), raw_dtype=kind)
    writer.add_tensor("norm.weight", numbers(K))
    writer.add_tensor("half.weight", numbers(3, 5).astype(np.float16))
    short = np.array(mx.array(numbers(3, 5)).astype(mx.bfloat16).view(mx.uint16)).view(np.uint8)
    writer.add_tensor("short.weight", short, raw_dtype=GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_each_tensor_comes_back(path: Path) -> None:
    found = gguf_file.tensors(path)
    assert list(found) == [
        *(f"{name}.weight" for name in PACKED),
        "norm.weight",
        "half.weight",
        "short.weight",
    ]
    for name, (kind, class_, size) in PACKED.items():
        w = found[f"{name}.weight"]
        assert isinstance(w, class_)
        assert not isinstance(w, mx.array)
        assert w.shape == (N, K)
        assert np.array_equal(np.array(w.blocks), octets(name).reshape(N, -1, size))
        assert np.array_equal(w.dequantize(), quants.dequantize(octets(name), kind))
    for name, dtype, want in (
        ("norm", mx.float32, numbers(K)),
        ("half", mx.float16, numbers(3, 5).astype(np.float16)),
        ("short", mx.bfloat16, np.array(mx.array(numbers(3, 5)).astype(mx.bfloat16).astype(mx.float32))),
    ):
        array = found[f"{name}.weight"]
        assert isinstance(array, mx.array)
        assert array.dtype == dtype
        assert np.array_equal(np.array(array.astype(mx.float32)), want)


def test_its_weights_multiply(path: Path, draw: Draw) -> None:
    found = gguf_file.tensors(path, ["Q8_0.weight"])
    assert list(found) == ["Q8_0.weight"]
    w = found["Q8_0.weight"]
    path.unlink()  # nothing of the file is needed any more
    x = draw((K,), mx.float16)
    assert isinstance(w, q8_0.Q8_0)
    assert tolerance.quantized_excess(q8_0.matmul(x, w), x, w) <= 1


def test_names_that_are_not_there(path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no tensor 'output'; it has 6: Q4_0\.weight, "):
        gguf_file.tensors(path, ["norm.weight", "output"])


@pytest.mark.parametrize(
    ("array", "kind", "words"),
    [
        (
            numbers(2, 32).astype(np.float64),
            None,
            r"tensor 'odd' has type F64; this book reads F32, F16, BF16, Q4_0",
        ),
        (np.zeros((2, 22), np.uint8), GGMLQuantizationType.Q5_0, r"tensor 'odd' has type Q5_0"),
        (
            np.zeros((4, 2, 18), np.uint8),
            GGMLQuantizationType.Q4_0,
            r"'odd' is Q4_0 of shape \[4, 2, 32\]; .* of shape \[N, K\]",
        ),
    ],
)
def test_tensors_that_no_kernel_takes(
    tmp_path: Path, array: np.ndarray, kind: GGMLQuantizationType | None, words: str
) -> None:
    path = tmp_path / "odd.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_tensor("odd", array, raw_dtype=kind)
    writer.add_tensor("even", numbers(4))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match=words):
        gguf_file.tensors(path)
    assert list(gguf_file.tensors(path, ["even"])) == ["even"]


@pytest.mark.parametrize("content", [b"not a model", b"GGUF", b""])
def test_files_that_are_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.gguf is not a GGUF file that can be read"):
        gguf_file.tensors(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        gguf_file.tensors(tmp_path / "none.gguf")


def test_a_machine_without_the_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ImportError, match=r"needs the gguf package"):
        gguf_file.tensors(path)
