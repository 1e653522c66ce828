"""Every case runs on a tiny product, with right results from everybody, and leaves what it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from benchmarks import cases, machine, run, table
from benchmarks.check import check
from benchmarks.goals import Row, Skipped
from benchmarks.product import Contender, Product


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.key)
def test_case(case: cases.Case) -> None:
    rows = list(cases.compare(case, rounds=1, tiny=True))
    assert len(rows) == len(case.against)
    for row in rows:
        if isinstance(row, Skipped):
            # Only what is not a dependency of ours may be missing.
            assert row.peer.startswith(cases.POCL)
            assert row.why
        else:
            assert row.ratio is not None
            assert row.theirs is not None
            assert row.ours.median > 0
            assert row.ratio.median == pytest.approx(row.theirs.median / row.ours.median)


def test_numbas_simulator() -> None:
    (row,) = cases.compare_simulator(rounds=1, tiny=True)
    if isinstance(row, Skipped):
        assert row.why == "numba is not installed"
    else:
        assert row.ratio is not None
        assert row.goal == cases.SIMULATOR_GOAL
        assert "multiplied by 1," in row.note


@pytest.mark.skipif(mx.metal.is_available(), reason="Apple's compiler and cache are not ours to measure")
def test_first_calls() -> None:
    compiled, found = run.everything(rounds=1, tiny=True)["first-call"]()
    assert isinstance(compiled, Row)
    assert isinstance(found, Row)
    assert compiled.peer is None
    assert compiled.ours.median > 0
    assert found.ours.median > 0


def test_what_mlx_ships_and_four_bits() -> None:
    rows = list(run.everything(rounds=1, tiny=True)["shipped"]())
    assert [row.goal for row in rows if isinstance(row, Row)] == [0.5, 0.5, 0.5, 0.4]
    assert all(isinstance(row, Row) and row.ratio is not None and row.ratio.median > 0 for row in rows)


def test_checked_mode_against_fast_mode() -> None:
    rows = list(run.everything(rounds=1, tiny=True)["checked"]())
    assert len(rows) == 4
    assert all(isinstance(row, Row) and row.goal == 1 / 25 and row.theirs is not None for row in rows)


def test_warm_call() -> None:
    (row,) = run.everything(rounds=1, tiny=True)["warm-call"]()
    assert isinstance(row, Row)
    assert row.ours.median > 0


def test_filter() -> None:
    rows = run.run(rounds=1, only="naive", tiny=True)
    assert [row.case for row in rows] == ["naive GEMV f32 4096×4096, lanes side by side"]
    with pytest.raises(ValueError, match=r"--case is 'nothing'; .* simd-gemv"):
        run.run(rounds=1, only="nothing", tiny=True)


def test_a_contender_that_is_wrong_is_not_timed() -> None:
    product = Product(3, 4, 5)
    right = product.x.astype(np.float64) @ product.w
    check(Contender("right", lambda: None, lambda: right.astype(np.float32)), product)
    wrong = right.astype(np.float32)
    wrong[2, 3] *= 1.01
    with pytest.raises(AssertionError, match="wrong does not compute this product"):
        check(Contender("wrong", lambda: None, lambda: wrong), product)


def test_keep_writes_json_and_the_table(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{table.BEGIN}\n{table.END}\n", encoding="utf-8")
    rows = run.run(rounds=1, only="warm", tiny=True)
    file = run.keep([*rows, Skipped("c", "PoCL", "not here")], threads=1, load=0.25, folder=tmp_path)
    report = json.loads(file.read_text(encoding="utf-8"))
    assert file.parent == tmp_path / "results"
    assert report["rows"][0]["case"] == "warm call, tiny arrays"
    assert report["skipped"] == [{"case": "c", "peer": "PoCL", "why": "not here"}]
    assert report["machine"] == machine.describe(1, 0.25)
    text = readme.read_text(encoding="utf-8")
    assert "| warm call, tiny arrays |" in text
    assert f"- measured: {report['measured']}" in text


def test_the_readme_has_its_markers() -> None:
    text = (run.HERE / "README.md").read_text(encoding="utf-8")
    assert text.count(table.BEGIN) == text.count(table.END) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--threads", "0"], "--threads is 0; it must be from 1 to"),
        (["--rounds", "0"], "--rounds is 0; it must be at least 1"),
        (["--case", "nothing"], "--case is 'nothing'"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments: list[str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=run.HERE.parent,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
