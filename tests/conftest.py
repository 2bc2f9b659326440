"""How property tests run: the same examples every time, so that a red test is the change's and not the draw's.

`HYPOTHESIS_PROFILE=explore pytest ...` draws new examples, as a search for faults should.
"""

import os

from hypothesis import HealthCheck, settings

# Both measure the machine: neither a slow draw nor a slow call says anything about the code on a busy one.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("repeatable", settings.get_profile("explore"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
