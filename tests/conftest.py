"""What holds for all tests."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from bus import lines, logger
from tests.effort import EFFORT, STORMS

# No deadline: how long an example takes says something about the machine, and nothing about llum.
settings.register_profile("llum", deadline=None, max_examples=100 * EFFORT, print_blob=True)
settings.load_profile("llum")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a storm as often as is wanted."""
    if STORMS > 1 and metafunc.definition.get_closest_marker("storm"):
        metafunc.fixturenames.append("storm")
        metafunc.parametrize("storm", range(STORMS))


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """Let no test's logging reach into another: what a test sets up ends with it."""
    handlers = logging.getLogger().handlers
    yield
    lines.lead()
    logger.lead()
    logging.getLogger().handlers = handlers
