"""One run over all cases, its progress, and what it leaves behind."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import mlx.core as mx

from benchmarks import cases, checked, machine, overhead, quantized, shipped, table
from benchmarks.goals import Row, Skipped

HERE = Path(__file__).parent
Results = Iterator[Row | Skipped]


def everything(*, rounds: int, tiny: bool = False) -> dict[str, Callable[[], Results]]:
    """All there is to measure, by key; nothing runs before it is called."""
    found: dict[str, Callable[[], Results]] = {}
    for case in cases.CASES:
        found[case.key] = lambda case=case: cases.compare(case, rounds=rounds, tiny=tiny)  # type: ignore[misc]
    found[cases.SIMULATOR_KEY] = lambda: cases.compare_simulator(rounds=rounds, tiny=tiny)
    found["shipped"] = lambda: shipped.compare(rounds=rounds, tiny=tiny)
    found["quantized"] = lambda: quantized.compare(rounds=rounds, tiny=tiny)
    found["checked"] = lambda: checked.compare(rounds=min(rounds, 5), tiny=tiny)
    # On Metal the first call is Apple's compiler and its cache, which are not ours to measure.
    if not mx.metal.is_available():
        found["first-call"] = lambda: overhead.first_calls(rounds=min(rounds, 5), tiny=tiny)
    found["warm-call"] = lambda: overhead.warm_call(rounds=rounds)
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*, rounds: int, only: str = "", tiny: bool = False) -> list[Row | Skipped]:
    """Measures everything whose key contains ``only``, telling how far it is.

    Raises:
        ValueError: no key contains ``only``.
    """
    wanted = {key: go for key, go in everything(rounds=rounds, tiny=tiny).items() if only in key}
    if not wanted:
        keys = ", ".join(everything(rounds=rounds, tiny=tiny))
        raise ValueError(f"--case is {only!r}; it must be part of one of these: {keys}.")
    rows: list[Row | Skipped] = []
    for number, (key, go) in enumerate(wanted.items(), 1):
        _say(f"[{number}/{len(wanted)}] {key} …")
        for row in go():
            rows.append(row)
            _say("      " + table.table([row]).splitlines()[-1])
    return rows


def keep(rows: list[Row | Skipped], threads: int, load: float | None = None, folder: Path = HERE) -> Path:
    """Writes the results as JSON and refreshes the table in README.md. Gives the JSON's path."""
    about = machine.describe(threads, load)
    date = datetime.now(timezone.utc).date().isoformat()
    results = folder / "results"
    results.mkdir(exist_ok=True)
    file = results / f"{platform.system()}-{platform.machine()}-{threads}-threads.json".lower()
    report = {
        "measured": date,
        "machine": about,
        "rows": [row.as_dict() for row in rows if isinstance(row, Row)],
        "skipped": [vars(row) for row in rows if isinstance(row, Skipped)],
    }
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table.refresh(folder / "README.md", table.page(rows, about, date))
    return file
