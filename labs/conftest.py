"""`pytest --nbval labs/` holds a learner's notebooks against the reference."""

from grader.nbval_hook import pytest_collection_modifyitems

__all__ = ["pytest_collection_modifyitems"]
