"""How the tests run: hypothesis's search, and what stays together when several processes share them."""

import os

import pytest
from hypothesis import HealthCheck, settings

# By chance at a desk, the same way each time where a failure must be repeatable.
# No deadline: the first example of a kernel compiles it. A machine's speed is no matter for a test.
settings.register_profile(
    "desk", deadline=None, max_examples=25, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the cells of a notebook in one process: each needs those before it."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
