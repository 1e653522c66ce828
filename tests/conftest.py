"""How hypothesis searches: by chance at a desk, the same way each time where a failure must be repeatable."""

import os

from hypothesis import HealthCheck, settings

# No deadline: the first example of a kernel compiles it. A machine's speed is no matter for a test.
settings.register_profile(
    "desk", deadline=None, max_examples=25, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
