"""Pages without Thebe: Jupyter Book adds its scripts, twice, to pages that offer no kernel to connect to."""

from __future__ import annotations

from typing import Any


def _is_thebes(script: Any) -> bool:
    body = str(getattr(script, "attributes", {}).get("body", ""))
    return "thebe" in body.lower() or "thebe" in str(getattr(script, "filename", "")).lower()


def _leave_out(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    context["script_files"] = [script for script in context["script_files"] if not _is_thebes(script)]


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("html-page-context", _leave_out, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
