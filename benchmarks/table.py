"""The results as a Markdown table, and its place in README.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.goals import Row, Skipped
from benchmarks.timing import Spread

BEGIN = "<!-- results: written by python -m benchmarks -->"
END = "<!-- end of results -->"


def duration(seconds: float) -> str:
    """Three significant digits in the unit that fits: ``1.53 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            return f"{_three(seconds / size)} {unit}"
    raise AssertionError("unreachable")


def _three(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _times(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"{duration(spread.median)} ({duration(spread.low)} – {duration(spread.high)})"


def _goal(row: Row) -> str:
    if row.goal is None:
        return "–"
    return f"≤ {duration(row.goal)}" if row.ratio is None else f"≥ {row.goal:,g}×"


def table(rows: Iterable[Row | Skipped]) -> str:
    """One line a comparison: medians, and the quartiles over rounds in parentheses."""
    lines = ["| case | ours | peer | its time | ratio | goal | met? |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if isinstance(row, Skipped):
            lines.append(f"| {row.case} | | {row.peer} | skipped: {row.why} | | | |")
            continue
        ratio = (
            f"{_three(row.ratio.median)}× ({_three(row.ratio.low)} – {_three(row.ratio.high)})"
            if row.ratio
            else "–"
        )
        met = {True: "yes", False: "**no**", None: "–"}[row.met]
        cells = [row.case, _times(row.ours), row.peer or "–", _times(row.theirs), ratio, _goal(row), met]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(rows: Iterable[Row | Skipped], machine: Mapping[str, str], date: str) -> str:
    """The table with the machine, the versions and the rows' notes under it."""
    rows = list(rows)
    notes = list(dict.fromkeys(row.note for row in rows if isinstance(row, Row) and row.note))
    about = "\n".join(f"- {key}: {value}" for key, value in {"measured": date, **machine}.items())
    return "\n\n".join([table(rows), *notes, about])


def refresh(readme: Path, text: str) -> None:
    """Puts ``text`` between the markers of ``readme``.

    Raises:
        ValueError: the file does not hold the markers once each, in order.
    """
    old = readme.read_text(encoding="utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        raise ValueError(f"{readme} must hold {BEGIN!r} and then {END!r}, once each.")
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    readme.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
