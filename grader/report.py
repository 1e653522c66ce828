"""The result of a grading, as text and as HTML. Both say first what to fix."""

from __future__ import annotations

import html
import math
import sys
from dataclasses import dataclass, field
from typing import Any

from grader.budgets import Spent, number
from grader.diagnose import Diagnosis
from grader.exercise import Exercise
from grader.headline import first_to_fix
from grader.judge import Outcome, WrongElement
from grader.question import Question

METADATA_KEY = "matmul-on-metal"


@dataclass
class Grade:
    """What `grade()` returns. It prints as the report, and shows itself in a notebook."""

    exercise: Exercise | Question
    outcomes: tuple[Outcome, ...]
    seed: int
    seed_was_given: bool = True
    machine_at_fault: bool = False
    """The reference fails the same case on this machine."""
    hints_opened: int = 0
    _shown_in_cell: int | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        return self.checks_passed == self.checks

    @property
    def checks(self) -> int:
        return self.exercise.checks

    @property
    def spent(self) -> tuple[Spent, ...]:
        """What was counted, one entry a budget; empty while the numbers are wrong."""
        return tuple(outcome.spent for outcome in self.outcomes if outcome.spent is not None)

    @property
    def checks_passed(self) -> int:
        return sum(not outcome.diagnoses for outcome in self.outcomes)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What to fix first; None where the kernel passed."""
        found = first_to_fix(self.outcomes)
        return found[1] if found else None

    @property
    def kind(self) -> str:
        """The diagnosis's stable name, "passed" where there is none."""
        return self.diagnosis.kind if self.diagnosis else "passed"

    def summary(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "exercise": self.exercise.id,
            "passed": self.passed,
            "checks_passed": self.checks_passed,
            "checks": self.checks,
            "kind": self.kind,
            "hints": self.hints_opened,
            "report": as_text(self),
        }

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def show(self) -> None:
        """Display the report in a notebook, print it elsewhere."""
        if not _in_notebook():
            print(as_text(self))
            return
        from IPython.display import display

        self._shown_in_cell = _cell_number()
        bundle = {"text/plain": as_text(self, counts=False), "text/html": as_html(self)}
        show: Any = display  # IPython's own is untyped
        show(bundle, raw=True, metadata={METADATA_KEY: self.summary()})

    def _ipython_display_(self) -> None:
        # `grade(...)` as a cell's last line has shown the report already; do not show it a second time.
        if self._shown_in_cell != _cell_number():
            self.show()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def _cell_number() -> int:
    """Which execution of a cell this is, in a notebook."""
    return int(sys.modules["IPython"].get_ipython().execution_count)


def _title(grade: Grade) -> str:
    return f"Lab {grade.exercise.id} · {grade.exercise.title}"


def _number(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return f"({', '.join(map(_number, value))})"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return "NaN"
    return f"{value:.6g}".replace("inf", "∞")


def _element(grade: Grade, wrong: WrongElement) -> tuple[str, str, str]:
    return grade.exercise.element(wrong.index), _number(wrong.got), _number(wrong.want)


def _passed_line(grade: Grade) -> str:
    return f"All {grade.checks} checks passed: {grade.exercise.praise}"


def _spent_title(grade: Grade) -> str:
    case = grade.exercise.budget_case
    # Over a grid of shapes, each row names its own.
    return f"Counted{f' with {case}' if case else ''}: the same on every machine."


def _spent_rows(grade: Grade) -> list[tuple[str, str, str, str, str]]:
    rows = [("", "yours", "budget", "reference", "unoptimised")]
    for each in grade.spent:
        limit = f"{'≥' if each.at_least else '≤'} {number(each.limit)}"
        rows.append((each.what, number(each.yours), limit, number(each.reference), number(each.unoptimised)))
    return rows


def _spent_text(grade: Grade) -> list[str]:
    if not grade.spent:
        return []
    rows = _spent_rows(grade)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    table = [
        "  ".join(f"{cell:>{w}}" if i else f"{cell:<{w}}" for i, (cell, w) in enumerate(zip(row, widths)))
        for row in rows
    ]
    return ["", _spent_title(grade), *(f"  {line}" for line in table)]


def _spent_html(grade: Grade) -> str:
    if not grade.spent:
        return ""
    header, *rows = _spent_rows(grade)
    table = "".join([_row("th", header), *(_row("td", row) for row in rows)])
    return f'<p>{html.escape(_spent_title(grade))}</p><table style="margin: 0 0 1em 0">{table}</table>'


def _score(grade: Grade) -> str:
    tried = {outcome.case.stage for outcome in grade.outcomes}
    waiting = [stage for stage in grade.exercise.stages if stage not in tried]
    wait = ""
    if waiting and not any(outcome.refused for outcome in grade.outcomes):
        wait = f"; {' and '.join(waiting)} {'waits' if len(waiting) == 1 else 'wait'} until these do"
    checks = len(grade.outcomes) if wait else grade.checks
    return f"{grade.checks_passed} of {checks} checks passed{wait}"


def _hints_line(grade: Grade) -> str:
    return f"Hints opened: {grade.hints_opened} of {len(grade.exercise.steps)}. They cost nothing."


def _case_line(grade: Grade, outcome: Outcome) -> str:
    known = grade.seed_was_given or outcome.spent or not outcome.case.drawn
    return f"Seen with {outcome.case}.{'' if known else f' Numbers from seed={grade.seed}.'}"


def as_text(grade: Grade, *, counts: bool = True) -> str:
    """The report. `counts=False` leaves a passing kernel's own counts away: two right kernels then give the
    same text, which nbval compares."""
    found = first_to_fix(grade.outcomes)
    if found is None:
        return "\n".join(
            [f"{_title(grade)}: passed", _passed_line(grade), *(_spent_text(grade) if counts else [])]
        )
    outcome, diagnosis = found
    lines = [f"{_title(grade)}: not yet, {_score(grade)}", ""]
    if grade.machine_at_fault:
        lines += [
            "The book's own kernel fails here too, so this machine or its set-up is at fault, not you.",
            "",
        ]
    says, _, detail = diagnosis.says.partition("\n\n")
    lines += [f"First: {says}"]
    if not outcome.refused:
        lines += [_case_line(grade, outcome)]
    if detail:
        lines += ["", detail]
    if outcome.wrong:
        rows = [grade.exercise.columns, *(_element(grade, wrong) for wrong in outcome.wrong)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines += ["", *(f"  {a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows)]
    lines += _spent_text(grade)
    if diagnosis.hint:
        lines += ["", f"Hint: {diagnosis.hint}"]
    if grade.hints_opened:
        lines += [
            "",
            f"Hints opened: {grade.hints_opened} of {len(grade.exercise.steps)}. They cost nothing.",
        ]
    return "\n".join(lines)


def as_html(grade: Grade) -> str:
    found = first_to_fix(grade.outcomes)
    colour, state = ("#2e7d32", "passed") if found is None else ("#b26a00", "not yet")
    # Colours come from the page; only the edge says how it went, and the words say it too.
    parts = [
        f'<div style="border-left: 4px solid {colour}; padding: 0.2em 0 0.2em 1em">',
        f"<p><strong>{html.escape(_title(grade))}: {state}</strong>",
    ]
    if found is None:
        return "".join([*parts, f"<br>{html.escape(_passed_line(grade))}</p>{_spent_html(grade)}</div>"])
    outcome, diagnosis = found
    parts.append(f" ({html.escape(_score(grade))})</p>")
    if grade.machine_at_fault:
        parts.append(
            "<p>The book's own kernel fails here too: this machine or its set-up is at fault, not you.</p>"
        )
    says, _, detail = diagnosis.says.partition("\n\n")
    parts.append(f"<p><strong>First:</strong> {_inline(says)}")
    parts.append("</p>" if outcome.refused else f"<br>{html.escape(_case_line(grade, outcome))}</p>")
    if detail:
        parts.append(f"<pre>{html.escape(detail)}</pre>")
    if outcome.wrong:
        rows = [_row("th", grade.exercise.columns)]
        rows += [_row("td", _element(grade, wrong)) for wrong in outcome.wrong]
        parts.append(f'<table style="margin: 0 0 1em 0">{"".join(rows)}</table>')
    parts.append(_spent_html(grade))
    if diagnosis.hint:
        parts.append(f"<p><strong>Hint:</strong> {_inline(diagnosis.hint)}</p>")
    if grade.hints_opened:
        parts.append(f"<p>{_hints_line(grade)}</p>")
    return "".join([*parts, "</div>"])


def _row(tag: str, texts: tuple[str, ...]) -> str:
    styles = ("text-align: left", *["text-align: right"] * (len(texts) - 1))
    cells = zip(texts, styles, strict=True)
    inside = (
        f'<{tag} style="{style}; padding: 0 2em 0 0">{html.escape(text)}</{tag}>' for text, style in cells
    )
    return f"<tr>{''.join(inside)}</tr>"


def _inline(text: str) -> str:
    """HTML of one line in which back-quotes mark code."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
