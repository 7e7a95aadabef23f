"""How much the tests with chance in them do: laws over random histories, and storms in which processes are killed.

`make test` does a little each time. `make test-long` does much more: every law with more and longer histories, every
storm again and again, each with another seed.
"""

import os
import random
import zlib
from typing import Final

EFFORT: Final = int(os.environ.get("LLUM_TEST_EFFORT", "1"))
"""How many examples a law has, in those of `make test`."""

LENGTH: Final = 1 if EFFORT == 1 else 3
"""How long a history is, in those of `make test`."""

STORMS: Final = max(1, EFFORT // 3)
"""How often a storm is run."""


SAME_CHANCE: Final = "LLUM_TEST_SAME_CHANCE" in os.environ
"""Whether each test has the same chance each time, as in CI: what passed once is not refused for what was drawn.

Whoever works on llum draws anew with each run, and so finds what is rare.
"""


def seed() -> int:
    """Choose the seed of a schedule, and print it: a test that fails shows it."""
    chosen = int(os.environ.get("LLUM_TEST_SEED") or _drawn())
    print(f"LLUM_TEST_SEED={chosen} repeats this schedule")
    return chosen


def _drawn() -> int:
    if not SAME_CHANCE:
        return random.randrange(2**32)
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    return zlib.crc32(test.encode())
