"""The only module of the sensors that reads the clock."""

import sys
import time


def now() -> float:
    """Give the time of day, seconds since 1970."""
    return time.time()


def suspended_s() -> float:
    """Give the seconds that the machine has slept since it was started; always 0 where the system does not say."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return 0.0
