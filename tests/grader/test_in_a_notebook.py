"""How a report shows itself in a notebook."""

from __future__ import annotations

from pathlib import Path

import nbformat

from grader.notebooks import execute, results


def test_a_report_is_shown_once_and_again_when_asked_for(tmp_path: Path) -> None:
    cells = [
        "from grader import grade\nimport mlx.core as mx",
        "grade('02', lambda x, w: x @ w, seed=1)",  # the cell's last value, too
        "result = grade('02', lambda x, w: x @ w, seed=1)",
        "result.passed",
        "result",
        "result",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    done = execute(notebook, tmp_path)
    assert [len(cell.outputs) for cell in done.cells] == [0, 1, 1, 1, 1, 1]
    assert done.cells[3].outputs[0].data["text/plain"] == "False"
    shown = [done.cells[i].outputs[0] for i in (1, 2, 5)]
    for output in shown:
        assert output.data["text/plain"].startswith("Lab 02")
        assert "launched no kernel" in output.data["text/html"]
        assert "at 0x" not in str(output.data)
    assert results(done)[0]["kind"] == "no-launch"
