"""A private server per test, and connections that are closed whatever happens: those of the tests of the bus."""

from tests.bus.conftest import bus, connect, server

__all__ = ["bus", "connect", "server"]
