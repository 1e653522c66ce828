"""Run notebook files and read the grades in them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from grader.report import METADATA_KEY

CELL_SECONDS = 120


class NotebookFailed(Exception):
    """A notebook could not be run to its end; the message says why."""


def execute(notebook: Any, folder: Path, *, seconds: int = CELL_SECONDS, allow_errors: bool = False) -> Any:
    """A copy of `notebook` with the outputs of a run in a fresh kernel.

    Args:
        notebook: an nbformat notebook.
        folder: the kernel's working folder.
        seconds: how long one cell may take; its kernel is killed then.
        allow_errors: go on after a cell that raises.

    Raises:
        NotebookFailed: a cell raised, took too long, or killed its kernel.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    done = copy.deepcopy(notebook)
    client = NotebookClient(
        done,
        timeout=seconds,
        kernel_name="python3",
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no word about its sockets on our terminal
    )
    try:
        client.execute()
    except CellTimeoutError:
        raise NotebookFailed(f"A cell took longer than {seconds} s.") from None
    except DeadKernelError:
        raise NotebookFailed("The kernel died: a cell crashed it.") from None
    except CellExecutionError as error:
        raise NotebookFailed(f"A cell failed.\n{error}") from None
    return done


def results(notebook: Any) -> list[dict[str, Any]]:
    """The summaries of all grades that an executed notebook shows, in order."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            summary = output.get("metadata", {}).get(METADATA_KEY)
            if summary is not None:
                found.append(dict(summary) | {"report": output["data"]["text/plain"]})
    return found
