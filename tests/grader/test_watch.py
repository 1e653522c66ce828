"""What the watching layer sees, and that it leaves everything else alone."""

from __future__ import annotations

import sys
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import anymetal
from grader import watch

ADD_ONE = "uint i = thread_position_in_grid.x; y[i] = x[i] + 1;"


def launch(source: str = ADD_ONE, size: int = 10, threads: int | None = None, **more: Any) -> mx.array:
    kernel: Any = mx.fast.metal_kernel(name="k", input_names=["x"], output_names=["y"], source=source)
    (y,) = kernel(
        inputs=[mx.arange(float(size))],
        grid=(size if threads is None else threads, 1, 1),
        threadgroup=(8, 1, 1),
        output_shapes=[(size,)],
        output_dtypes=[mx.float32],
        **more,
    )
    return y


def test_outside_a_block_calls_pass_through() -> None:
    assert isinstance(mx.fast.metal_kernel, watch.WatchedFactory)
    assert launch().tolist() == [i + 1.0 for i in range(10)]


def test_inside_a_checked_block_a_launch_runs_where_it_can_be_counted() -> None:
    def on_gpu(**_arguments: Any) -> list[mx.array]:
        raise AssertionError("a GPU counts nothing")

    made_with = {"name": "k", "input_names": ["x"], "output_names": ["y"], "source": ADD_ONE}
    kernel = watch.WatchedKernel(on_gpu, made_with)
    with anymetal.checked() as report:
        (y,) = kernel(
            inputs=[mx.arange(10.0)],
            grid=(10, 1, 1),
            threadgroup=(8, 1, 1),
            output_shapes=[(10,)],
            output_dtypes=[mx.float32],
        )
    assert y.tolist() == [i + 1.0 for i in range(10)]
    assert report.counters.buffers["x"].bytes_read == 40


def test_a_second_install_adds_no_second_layer() -> None:
    factory = mx.fast.metal_kernel
    watch.install()
    assert mx.fast.metal_kernel is factory


def test_running_the_set_up_cell_again_keeps_the_layer() -> None:
    factory = mx.fast.metal_kernel
    anymetal.install()
    assert mx.fast.metal_kernel is factory
    with watch.watching() as seen:
        launch()
    assert len(seen.launches) == 1


def test_a_launch_is_recorded_and_its_result_kept() -> None:
    with watch.watching() as seen:
        y = launch()
    assert y.tolist() == [i + 1.0 for i in range(10)]
    (one,) = seen.launches
    assert (one.name, one.source, one.grid, one.threadgroup) == ("k", ADD_ONE, (10, 1, 1), (8, 1, 1))
    assert one.inputs[0].shape == (10,)
    assert one.strays() == [0]


def test_elements_never_written_hold_the_poison() -> None:
    with watch.watching(poison=7.0) as seen:
        y = launch(threads=4)
    assert y.tolist() == [1.0, 2.0, 3.0, 4.0] + [7.0] * 6
    assert seen.launches[0].fill == 7.0


def test_an_init_value_of_the_learners_own_is_respected() -> None:
    with watch.watching(poison=7.0) as seen:
        y = launch(threads=4, init_value=-2)
    assert y.tolist() == [1.0, 2.0, 3.0, 4.0] + [-2.0] * 6
    assert seen.launches[0].strays() == [0]


@pytest.mark.parametrize("poison", [7.0, float("nan")])
def test_a_store_behind_the_end_is_found_and_measured(poison: float) -> None:
    with watch.watching(poison=poison) as seen:
        launch("y[thread_position_in_grid.x + 3] = 1;")
    assert seen.launches[0].strays() == [3]


def test_a_fake_launch_gives_nan_and_runs_nothing() -> None:
    with watch.watching(fake=True) as seen:
        y = launch("this is not Metal")
    assert np.isnan(np.array(y)).all()
    assert len(seen.launches) == 1


def test_the_reference_is_noticed_however_it_was_imported() -> None:
    from kernels import textbook

    with watch.watching() as seen:
        textbook.matmul(mx.ones((2, 3)), mx.ones((3, 2)))
    assert seen.reference_called
    with watch.watching() as seen:
        launch()
    assert not seen.reference_called


def test_a_profiler_survives_the_block_even_after_an_error() -> None:
    def profiler(*_: object) -> None:
        return None

    before = sys.getprofile()
    sys.setprofile(profiler)
    try:
        with pytest.raises(ValueError, match="mine"), watch.watching():
            raise ValueError("mine")
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(before)
    assert launch()[0].item() == 1.0


def test_blocks_may_be_nested() -> None:
    with watch.watching(poison=1.0) as outer:
        with watch.watching(poison=2.0) as inner:
            launch()
        launch()
    assert (len(outer.launches), len(inner.launches)) == (1, 1)
    assert outer.launches[0].fill == 1.0
