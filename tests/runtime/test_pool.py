"""The pool of helper threads: who helps whom, with what memory; and how its C is compiled and kept."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from anymetal.errors import AnymetalError
from anymetal.frontend import clang
from anymetal.runtime import native, pool
from tests.runtime import modules

BLOCK = ctypes.create_string_buffer(768)


def run(own: pool.Pool, work: Callable[[int, int], None], helpers: int, nbytes: int = 128) -> None:
    """`work` on the pool as a launch has it run."""
    scratch = ctypes.create_string_buffer(nbytes)
    code = modules.coded(work)
    own.run(code.address, ctypes.addressof(BLOCK), ctypes.addressof(scratch), nbytes, helpers)


@pytest.mark.parametrize("helpers", [1, 2, 3, 7, 12])
def test_as_many_help_as_are_wanted(helpers: int) -> None:
    own = pool.Pool()
    together = threading.Barrier(helpers + 1, timeout=60)
    who: set[int] = set()

    def work(block: int, scratch: int) -> None:
        together.wait()  # all workers are in here at once, or this fails
        who.add(threading.get_ident())

    for _ in range(3):
        run(own, work, helpers)
    assert own.size == helpers
    assert len(who) == helpers + 1


def test_no_more_help_than_are_wanted() -> None:
    own = pool.Pool()
    run(own, lambda block, scratch: None, 3)  # three threads, of which one is wanted
    who: list[int] = []
    second = threading.Barrier(2, timeout=60)

    def work(block: int, scratch: int) -> None:
        who.append(threading.get_ident())
        second.wait()

    for _ in range(20):
        who.clear()
        run(own, work, 1)
        assert len(set(who)) == 2


def test_jobs_of_several_callers_are_all_helped() -> None:
    own = pool.Pool()
    everybody = threading.Barrier(6, timeout=60)  # three callers and three helpers

    def work(block: int, scratch: int) -> None:
        everybody.wait()

    # The pool must have three threads, so the first two callers' jobs cannot have taken them all.
    run(own, lambda block, scratch: None, 3)
    callers = [threading.Thread(target=run, args=(own, work, 1)) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
        assert not caller.is_alive()
    assert not everybody.broken


@pytest.mark.parametrize("sizes", [(128, 1 << 20, 256, 9 << 20, 512), (5 << 20, 6 << 20)])
def test_a_helpers_memory_is_aligned_and_as_large_as_the_job_needs(sizes: tuple[int, ...]) -> None:
    own = pool.Pool()
    caller = threading.get_ident()
    places: list[int] = []
    both = threading.Barrier(2, timeout=60)
    for nbytes in sizes:

        def work(block: int, scratch: int, nbytes: int = nbytes) -> None:
            both.wait()
            ctypes.memset(scratch, 0xFF, nbytes)
            if threading.get_ident() != caller:
                places.append(scratch)

        run(own, work, 1, nbytes)
    assert len(places) == len(sizes)
    assert all(place % 128 == 0 for place in places)


def test_a_helper_without_memory_leaves_the_work_to_the_others() -> None:
    own = pool.Pool()
    workers: list[int] = []
    scratch = ctypes.create_string_buffer(128)
    code = modules.coded(lambda block, scratch: workers.append(threading.get_ident()))
    for _ in range(100):  # more than any machine has
        own.run(code.address, ctypes.addressof(BLOCK), ctypes.addressof(scratch), 1 << 62, 1)
    assert workers == [threading.get_ident()] * 100


def test_the_object_is_kept_on_disk(tmp_path: Path) -> None:
    """Two processes and one cache: the second calls clang no more."""
    program = """
from anymetal.frontend import clang
calls = []
ran = clang.run
clang.run = lambda *a: calls.append(a) or ran(*a)
from anymetal.runtime import pool
pool.Pool()
pool.Pool()
print(len(calls))
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "ANYMETAL_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["1", "0"]


def test_a_launch_at_the_interpreters_end_and_a_sleeping_pool_do_not_hold_the_process() -> None:
    program = """
import atexit, ctypes
from anymetal.runtime import pool
from tests.runtime import modules
own = pool.Pool()
block = ctypes.create_string_buffer(1024)
code = modules.coded(lambda block, scratch: None)
def go():
    own.run(code.address, ctypes.addressof(block), ctypes.addressof(block), 128, own.size + 1)
    print("ran")
go()
atexit.register(go)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["ran", "ran"]), done.stderr


def test_c_that_does_not_compile_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMETAL_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "wrong.c"
    file.write_text("int f(void) { return g; }\n")
    with pytest.raises(AnymetalError, match=r"wrong\.c does not compile:(.|\n)*undeclared identifier 'g'"):
        native.load_functions(file, ["f"])


def test_a_header_that_changed_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMETAL_CACHE", str(tmp_path / "cache"))
    answers = []
    for folder, answer in (("one", 41), ("two", 42), ("again", 42)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "answer.h").write_text(f"enum {{ ANSWER = {answer} }};\n")
        file = tmp_path / folder / "f.c"
        file.write_text('#include "answer.h"\nint f(void) { return ANSWER; }\n')
        if folder == "again":
            monkeypatch.setattr(clang, "run", lambda *a: pytest.fail("it is on disk"))
        answers.append(ctypes.CFUNCTYPE(ctypes.c_int)(native.load_functions(file, ["f"])["f"])())
    assert answers == [41, 42, 42]
