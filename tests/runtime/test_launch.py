"""Launching: the block, the threads, and what happens when several things happen at once."""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import anymetal
from anymetal.runtime import jit, launch, pool
from tests.runtime import modules


@pytest.fixture(scope="module")
def count() -> jit.Loaded:
    return jit.load(jit.compile_object(modules.COUNT), "count")


def words(p: launch.Plan) -> list[int]:
    return list(np.frombuffer(p.block, np.int64))


def test_the_block_says_what_the_launch_is() -> None:
    p = launch.plan(
        modules.coded(lambda block, scratch: None),
        grid=(100, 7, 2),
        threadgroup=(64, 8, 1),
        frame_bytes=40,
        threadgroup_bytes=1000,
        threadgroup_arguments=(4, 100),
    )
    block = words(p)
    assert block[3:6] == [100, 7, 2]
    assert block[6:9] == [64, 7, 1]  # cut to the grid
    assert block[9:12] == [2, 1, 2]
    assert p.groups == block[1] == 4
    assert block[0] == 0
    frames = 14 * 40  # 64 x 7 threads are 14 SIMD-groups
    assert block[12] == -(-frames // 128) * 128
    assert block[48] == 1008  # 16-byte aligned, from where threadgroup memory begins
    assert block[49] == 1024
    assert block[13] == 1124
    assert p.scratch >= block[12] + block[13]


@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize("groups", [1, 2, 3, 31, 1000, 100_003])
def test_every_threadgroup_runs_once(count: jit.Loaded, n: int, groups: int) -> None:
    out = np.zeros(groups, np.int32)
    p = launch.plan(count, grid=(groups, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
    with launch.threads(n):
        launch.launch(p, [out.ctypes.data])
    np.testing.assert_array_equal(out, np.arange(1, groups + 1))


def test_each_worker_has_its_own_aligned_scratch() -> None:
    seen: dict[int, int] = {}
    both = threading.Barrier(2, timeout=30)

    def work(block: int, scratch: int) -> None:
        both.wait()  # two workers are in here at once, or this fails
        ctypes.memset(scratch, 0xFF, 5000)
        seen[threading.get_ident()] = scratch

    p = launch.plan(
        modules.coded(work), grid=(2, 1, 1), threadgroup=(1, 1, 1), frame_bytes=1000, threadgroup_bytes=4000
    )
    with launch.threads(2):
        launch.launch(p, [])
    assert len(set(seen.values())) == 2
    assert all(s % 128 == 0 for s in seen.values())


def test_the_caller_waits_for_the_helpers_that_began() -> None:
    began, finished = threading.Event(), threading.Event()
    caller = threading.get_ident()

    def work(block: int, scratch: int) -> None:
        if threading.get_ident() == caller:
            assert began.wait(30)
        else:
            began.set()
            time.sleep(0.05)
            finished.set()

    p = launch.plan(
        modules.coded(work), grid=(2, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0
    )
    with launch.threads(2):
        launch.launch(p, [])
    assert finished.is_set()


def test_the_caller_does_not_wait_for_helpers_that_are_busy_elsewhere(
    count: jit.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = pool.Pool()
    monkeypatch.setattr(launch, "_pool", own)  # one with a single helper, which is held
    release, holding = threading.Event(), threading.Event()
    main = threading.Thread(target=lambda: None)

    def hold(block: int, scratch: int) -> None:
        if threading.current_thread() is not main:
            holding.set()
        assert release.wait(30)

    def first() -> None:
        with launch.threads(2):
            launch.launch(
                launch.plan(
                    modules.coded(hold),
                    grid=(2, 1, 1),
                    threadgroup=(1, 1, 1),
                    frame_bytes=0,
                    threadgroup_bytes=0,
                ),
                [],
            )

    main = threading.Thread(target=first)
    main.start()
    try:
        assert holding.wait(30)
        out = np.zeros(1000, np.int32)
        p = launch.plan(count, grid=(1000, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
        with launch.threads(2):
            launch.launch(p, [out.ctypes.data])  # returns although the pool's helper is held
        assert own.size == 1
        np.testing.assert_array_equal(out, np.arange(1, 1001))
    finally:
        release.set()
        main.join()


class TestSmallLaunches:
    """Helpers are left asleep where they would not pay, and only there."""

    @pytest.mark.parametrize(
        ("one", "many", "kinds"),
        [
            # tiny: learnt after the first launch
            ([5e-6], 20e-6, "many one one one one one one one one one"),
            # large: never tried
            ([500e-6], 300e-6, "many many many many many many many many many many"),
            # many CPUs make it quick: tried twice, then no more
            ([500e-6], 20e-6, "many one one one many one one one many many"),
            # tiny, and a CPU lost now and then teaches nothing
            ([5e-6, 8e-3, 8e-3], 20e-6, "many one one one one one one one one one"),
        ],
    )
    def test_learning(
        self, one: list[float], many: float, kinds: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = {"now": 0}

        def work(block: int, scratch: int) -> None:
            if threading.get_ident() == caller:
                clock["now"] += int((next(alone) if p.small else many) * 1e9)

        alone = itertools.cycle(one)
        caller = threading.get_ident()
        monkeypatch.setattr(time, "perf_counter_ns", lambda: clock["now"])
        p = launch.plan(
            modules.coded(work), grid=(2, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0
        )
        seen = []
        with launch.threads(2):
            for _ in range(10):
                seen.append("one" if p.small else "many")
                launch.launch(p, [])
        assert seen == kinds.split()


def test_what_python_raises_in_a_worker_ends_neither_the_launch_nor_the_helper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2, timeout=30)
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: said.append(what.exc_value))

    def work(block: int, scratch: int) -> None:
        both.wait()  # the helper of the first launch is there for the second
        raise ValueError("no")

    p = launch.plan(
        modules.coded(work), grid=(2, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0
    )
    with launch.threads(2):
        for _ in range(2):
            launch.launch(p, [])
    assert [str(e) for e in said] == ["no"] * 4


def test_launches_from_many_python_threads(count: jit.Loaded) -> None:
    wrong: list[int] = []

    def many(groups: int) -> None:
        p = launch.plan(
            count, grid=(groups, 1, 1), threadgroup=(1, 1, 1), frame_bytes=64, threadgroup_bytes=64
        )
        for _ in range(50):
            out = np.zeros(groups, np.int32)
            launch.launch(p, [out.ctypes.data])
            if not np.array_equal(out, np.arange(1, groups + 1)):
                wrong.append(groups)

    workers = [threading.Thread(target=many, args=(n,)) for n in (1, 5, 64, 777, 3000)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong


def test_threads_come_from_the_block_then_the_variable_then_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANYMETAL_THREADS", raising=False)
    assert launch.thread_count() == launch.available_threads() >= 1
    monkeypatch.setenv("ANYMETAL_THREADS", "3")
    assert launch.thread_count() == 3
    with anymetal.threads(5):
        assert launch.thread_count() == 5
        with anymetal.threads(1):
            assert launch.thread_count() == 1
        assert launch.thread_count() == 5
    assert launch.thread_count() == 3


@pytest.mark.parametrize(
    ("quota", "cpus"), [("max 100000", 64), ("250000 100000", 3), ("50000 100000", 1), ("nonsense", 64)]
)
def test_a_containers_quota_is_kept(quota: str, cpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.setattr(Path, "read_text", lambda self: quota)
    launch.available_threads.cache_clear()
    try:
        assert launch.available_threads() == cpus
    finally:
        launch.available_threads.cache_clear()


@pytest.mark.parametrize("bad", [0, -1, 1.5, "two", None, 100_000])
def test_a_bad_thread_count_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="`n` must be a whole number of threads"), anymetal.threads(bad):  # type: ignore[arg-type]
        pass


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMETAL_THREADS", "many")
    with pytest.raises(ValueError, match=r"ANYMETAL_THREADS must be .* got 'many'"):
        launch.thread_count()


def test_a_buffer_index_out_of_range_is_refused(count: jit.Loaded) -> None:
    p = launch.plan(count, grid=(1, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
    with pytest.raises(IndexError, match="buffer index 31"):
        launch.launch(p, {31: 0})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_launches_with_helpers_of_its_own() -> None:
    program = """
import os, numpy as np
from anymetal.runtime import jit, launch
from tests.runtime import modules
code = jit.load(jit.compile_object(modules.COUNT), "count")
def go():
    out = np.zeros(5000, np.int32)
    p = launch.plan(code, grid=(5000, 1, 1), threadgroup=(1, 1, 1), frame_bytes=0, threadgroup_bytes=0)
    with launch.threads(2):
        launch.launch(p, [out.ctypes.data])
    assert (out == np.arange(1, 5001)).all()
go()
parents = launch._pool
child = os.fork()
if child == 0:
    go()
    os._exit(launch._pool is parents or launch._pool.size != 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "0", done.stderr
