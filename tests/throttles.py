"""Attempts that do not come back while a test makes them, however slow the machine is.

`tests/identity/test_throttle.py` has a clock to move instead.
"""

import functools
from collections.abc import Iterator

import pytest

from identity.throttle import Throttle


def _still() -> float:
    return 0.0


@pytest.fixture(autouse=True, scope="module")
def _no_attempt_comes_back() -> Iterator[None]:
    """Stop the clock of all throttles that are made, also of those that a module shares."""
    make = Throttle.__init__

    @functools.wraps(make)
    def with_still_clock(self: Throttle, _monotonic: object, attempts: int, every_s: float, what: str) -> None:
        make(self, _still, attempts, every_s, what)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Throttle, "__init__", with_still_clock)
        yield
