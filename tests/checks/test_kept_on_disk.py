"""A watched kernel is compiled once for all processes, and its report is the same from the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anymetal.checks import Report, program
from anymetal.runtime import build, cache

from .kernel_files import HERE, read

# Findings of several kinds, a threadgroup's memory and a loop: all that a program's description holds.
KERNELS = ["bounds_private_overrun", "bounds_threadgroup_into_the_next_array", "endless_with_a_barrier"]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that are compiled from here on; the disk's cache is empty."""
    found: list[str] = []
    usual = program._compile

    def noted(source: Any, kernel: str, *rest: Any, **more: Any) -> Any:
        found.append(kernel)
        return usual(source, kernel, *rest, **more)

    monkeypatch.setattr(program, "_compile", noted)
    monkeypatch.setattr(program, "_programs", {})
    monkeypatch.setenv("ANYMETAL_CACHE", str(tmp_path))
    return found


def run_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> Report:
    """As a new process would: with nothing in memory."""
    monkeypatch.setattr(program, "_programs", {})
    return read(HERE / "broken" / f"{name}.metal").checked()[0]


@pytest.mark.parametrize("name", KERNELS)
def test_the_report_from_the_disk_is_the_same(
    name: str, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_anew(name, monkeypatch)
    again = run_anew(name, monkeypatch)
    assert len(compiled) == 1
    assert first.findings
    assert str(again) == str(first)
    assert again.counters == first.counters


def test_what_cannot_be_used_is_built_again(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_anew(KERNELS[0], monkeypatch)
    spoilt = 0
    for path in tmp_path.glob("*.kernel"):
        stored = cache.load(path.stem)
        assert stored is not None
        if stored[1].startswith(b"\x80"):  # a pickle
            cache.store(path.stem, {}, stored[1][: len(stored[1]) // 2])
            spoilt += 1
    assert spoilt == 1
    assert str(run_anew(KERNELS[0], monkeypatch)) == str(first)
    assert len(compiled) == 2


def test_what_is_watched_is_not_compiled_for_fast_mode(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("compiled twice")

    monkeypatch.setattr(build, "_build", never)
    run_anew(KERNELS[0], monkeypatch)
    assert len(compiled) == 1


def test_a_change_of_the_checks_is_another_program(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_anew(KERNELS[0], monkeypatch)
    monkeypatch.setattr(program, "_version", lambda: "another")
    run_anew(KERNELS[0], monkeypatch)
    assert len(compiled) == 2
