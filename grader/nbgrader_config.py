"""For a course with nbgrader: copy this file into the course's folder.

The labs' own skeletons take the place of nbgrader's stubs: `raise NotImplementedError()` would stand in the
middle of a Metal kernel.
"""

from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821

c.ClearSolutions.code_stub = {"python": ""}
c.ClearSolutions.text_stub = ""
# An endless loop in Python ends here; one in a kernel is ended by the grader long before.
c.Execute.timeout = 120
c.Execute.error_on_timeout = {
    "ename": "TooSlow",
    "evalue": "A cell took longer than 120 s.",
    "traceback": ["A cell took longer than 120 s."],
}
