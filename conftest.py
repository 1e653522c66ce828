"""How the tests run: hypothesis's search, and what stays together when several processes share them."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.browsers import chromium

# By chance at a desk, the same way each time where a failure must be repeatable.
# No deadline: the first example of a kernel compiles it. A machine's speed is no matter for a test.
settings.register_profile(
    "desk", deadline=None, max_examples=25, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


class NotebooksWhole(LoadScopeScheduling):  # type: ignore[misc]
    """Hand each test to whichever process is free, a notebook in one piece: a cell needs those before it."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return path if path.endswith(".ipynb") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> NotebooksWhole:
    """How `pytest -n` shares out the tests."""
    return NotebooksWhole(config, log)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, one for all tests of a process: Playwright does not start twice."""
    with chromium() as opened:
        yield opened
