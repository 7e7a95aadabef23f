"""A private server per test, and two edges on it."""

from collections.abc import Iterator

import pytest

from bus.connection import Bus
from tests.bus.conftest import bus, connect, server
from tests.identity.oauth.ground import Clock, Edge

__all__ = ["bus", "connect", "server"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def edge(bus: Bus, clock: Clock) -> Iterator[Edge]:
    made = Edge(bus, clock)
    yield made
    made.close()


@pytest.fixture
def other(bus: Bus, clock: Clock) -> Iterator[Edge]:
    """Another edge of the same llum."""
    made = Edge(bus, clock)
    yield made
    made.close()
