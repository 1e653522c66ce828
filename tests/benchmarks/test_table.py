"""Goals, the table's words, and the markers in README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.goals import Row, Skipped
from benchmarks.timing import Spread


def spread(value: float) -> Spread:
    return Spread(value, value, value)


def test_a_goal_is_a_least_ratio_or_a_longest_time() -> None:
    fast = Row("c", spread(1.0), "NumPy", spread(0.7), spread(0.7), goal=0.7)
    slow = Row("c", spread(1.0), "NumPy", spread(0.6), spread(0.6), goal=0.7)
    assert fast.met is True
    assert slow.met is False
    assert Row("c", spread(0.8), goal=0.8).met is True
    assert Row("c", spread(0.81), goal=0.8).met is False
    assert Row("c", spread(1.0), "PoCL", spread(9.0), spread(9.0)).met is None
    assert fast.as_dict()["met"] is True
    assert fast.as_dict()["ratio"] == {"median": 0.7, "low": 0.7, "high": 0.7}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2.0, "2.00 s"),
        (0.8, "800 ms"),
        (0.00153, "1.53 ms"),
        (0.0153, "15.3 ms"),
        (150e-6, "150 µs"),
        (4e-8, "0.04 µs"),
        (12345.0, "12,345 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, words: str) -> None:
    assert table.duration(seconds) == words


def test_table() -> None:
    rows: list[Row | Skipped] = [
        Row("GEMV", spread(0.002), "NumPy", spread(0.001), spread(0.5), goal=0.7),
        Row("warm call", spread(1e-4), goal=150e-6),
        Skipped("GEMV", "PoCL", "not here"),
    ]
    assert table.table(rows).splitlines() == [
        "| case | ours | peer | its time | ratio | goal | met? |",
        "|---|---|---|---|---|---|---|",
        "| GEMV | 2.00 ms (2.00 ms – 2.00 ms) | NumPy | 1.00 ms (1.00 ms – 1.00 ms) "
        "| 0.50× (0.50 – 0.50) | ≥ 0.7× | **no** |",
        "| warm call | 100 µs (100 µs – 100 µs) | – | – | – | ≤ 150 µs | yes |",
        "| GEMV | | PoCL | skipped: not here | | | |",
    ]


def test_refresh_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", encoding="utf-8")
    for text in ("new", "newer"):
        table.refresh(readme, text)
        assert (
            readme.read_text(encoding="utf-8") == f"before\n{table.BEGIN}\n\n{text}\n\n{table.END}\nafter\n"
        )


@pytest.mark.parametrize(
    "text", ["", f"{table.BEGIN}", f"{table.END}{table.BEGIN}", f"{table.BEGIN}{table.END}" * 2]
)
def test_refresh_wants_its_markers(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="must hold"):
        table.refresh(readme, "new")
    assert readme.read_text(encoding="utf-8") == text
