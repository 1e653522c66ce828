"""Every mistake of the catalogue is found, in its line, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import pytest

import anymetal

from .kernel_files import HERE, compare, read

FILES = sorted((HERE / "broken").glob("*.metal"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_is_found(path: Path) -> None:
    kernel = read(path)
    assert kernel.expected
    report, _ = kernel.checked()
    assert not (wrong := compare(kernel, report)), wrong


@pytest.mark.parametrize("writer", [0, 31, 32, 63])
def test_nobody_is_said_to_race_with_itself(writer: int) -> None:
    kernel = anymetal.metal_kernel(
        name="many_readers",
        input_names=["writer"],
        output_names=["y"],
        source="""
            uint i = thread_position_in_grid.x;
            threadgroup float t[1];
            if (i == 0) { t[0] = 1; }
            threadgroup_barrier(mem_flags::mem_threadgroup);
            y[i] = t[0];
            if (i == uint(writer[0])) { t[0] = 2; }
        """,
    )
    with anymetal.checked() as report:
        kernel(
            inputs=[mx.array([writer])],
            grid=(64, 1, 1),
            threadgroup=(64, 1, 1),
            output_shapes=[(64,)],
            output_dtypes=[mx.float32],
        )
    assert {finding.kind for finding in report.findings} == {"race"}
    for finding in report.findings:
        assert finding.message.count(str(finding.thread)) == 1, finding.message


def test_there_are_enough() -> None:
    assert len(FILES) >= 60
