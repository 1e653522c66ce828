"""Run notebook files and read the grades in them."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from grader.report import METADATA_KEY
from kernels.progress import VARIABLE as PROGRESS

CELL_SECONDS = 120
OUTPUT_BYTES = 5_000_000


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
    printed = 0

    class Bounded(NotebookClient):  # type: ignore[misc]
        """Stops at a flood of output, which would otherwise be kept in memory to its end."""

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            nonlocal printed
            content = msg["content"]
            printed += len(str(content.get("text", ""))) + len(str(content.get("data", "")))
            if printed > OUTPUT_BYTES:
                self.km.provisioner.process.kill()  # raising here would be noticed only at the cell's end
                return None
            return super().process_message(msg, cell, cell_index)

    client = Bounded(
        done,
        timeout=seconds,
        kernel_name="python3",
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,  # the kernel cuts what is printed into pieces by the clock
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no word about its sockets on our terminal
    )
    flood = f"The notebook printed more than {OUTPUT_BYTES // 1_000_000} MB."
    try:
        client.execute(env=os.environ | {PROGRESS: "off"})
    except CellTimeoutError:
        slow = f"A cell took longer than {seconds} s."
        raise NotebookFailed(flood if printed > OUTPUT_BYTES else slow) from None
    except DeadKernelError:
        died = "The kernel died: a cell crashed it."
        raise NotebookFailed(flood if printed > OUTPUT_BYTES else died) from None
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
                found.append({"report": output["data"]["text/plain"]} | dict(summary))
    return found
