"""How much the tests with chance in them do: laws over random histories, and storms in which processes are killed.

`make test` does a little each time. `make test-long` does much more: every law with more and longer histories, every
storm again and again, each with another seed.
"""

import os
import random
from typing import Final

EFFORT: Final = int(os.environ.get("LLUM_TEST_EFFORT", "1"))
"""How many examples a law has, in those of `make test`."""

LENGTH: Final = 1 if EFFORT == 1 else 3
"""How long a history is, in those of `make test`."""

STORMS: Final = max(1, EFFORT // 2)
"""How often a storm is run."""


def seed() -> int:
    """Choose the seed of a schedule, and print it: a test that fails shows it."""
    chosen = int(os.environ.get("LLUM_TEST_SEED") or random.randrange(2**32))
    print(f"LLUM_TEST_SEED={chosen} repeats this schedule")
    return chosen
