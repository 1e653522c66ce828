"""Variables that need no watching stay in registers: what is counted is then the code of fast mode."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from anymetal.checks import kept, program
from anymetal.simt.parse import parse_module

from .kernel_files import HERE, read
from .test_correct import PRODUCTS


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each kernel compiled from here on, whether any of its variables stay in memory."""
    found: list[bool] = []
    usual = kept.kept

    def watched(ir: str, entry: str, files: frozenset[str]) -> str | None:
        made = usual(ir, entry, files)
        found.append(made is not None)
        return made

    monkeypatch.setattr(program, "kept", watched)
    monkeypatch.setattr(program, "_programs", {})
    monkeypatch.setenv("ANYMETAL_CACHE", "off")
    return found


@pytest.mark.parametrize("name", PRODUCTS)
def test_reference_kernels_keep_nothing_in_memory(name: str, in_memory: list[bool]) -> None:
    function, transposed, shapes = PRODUCTS[name]
    m, n, k = shapes[-1]
    x, w = (
        mx.array(np.ones((m, k), np.float32)),
        mx.array(np.ones((n, k) if transposed else (k, n), np.float32)),
    )
    with anymetal.checked():
        function(x, w)
    assert in_memory == [False]


@pytest.mark.parametrize(
    "name", ["set_on_every_way", "vector_by_element", "struct_with_gaps", "tile_in_registers"]
)
def test_what_is_surely_set_stays_in_registers(name: str, in_memory: list[bool]) -> None:
    read(HERE / "correct" / f"private_{name}.metal").checked()
    assert in_memory == [False]


def test_structs_are_read_in_any_order() -> None:
    text = '%"a b" = type { float, %inner }\n%inner = type { i32, [2 x half] }\n'
    text += 'define void @f() {\n  %x = alloca %"a b", align 4\n  ret void\n}\n'
    (alloca, _) = (i for _, i in parse_module(text).functions["f"].instructions())
    assert alloca.attributes["allocated"].size == 12
