"""Run one assembled notebook and write what came of it: `python -m grader.worker NOTEBOOK OUT SECONDS`.

`grader.submissions` starts one for each submission, in a folder and a process group of its own, and ends it
when it breaks a limit.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from grader.notebooks import NotebookFailed, execute, results

FILE_BYTES = 256 << 20


def main() -> None:
    import nbformat

    notebook, out, seconds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    # The kernel inherits it: one file may not fill the disk. Many files are the parent's to watch.
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    graded, problem, first = [], "", ""
    try:
        read = nbformat.read(notebook, as_version=4)
        done = execute(read, notebook.parent, seconds=seconds, allow_errors=True)
        graded = results(done)
        outputs = [o for cell in done.cells for o in cell.get("outputs", []) if o.output_type == "error"]
        first = f"{outputs[0].ename}: {outputs[0].evalue}" if outputs else ""
    except NotebookFailed as error:
        problem = str(error)
    out.write_text(json.dumps({"graded": graded, "problem": problem, "first_error": first}), encoding="utf-8")


if __name__ == "__main__":
    main()
