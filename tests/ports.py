"""Ports for what has to be told one before it listens."""

import random
import socket
from contextlib import ExitStack, suppress

LOWEST, HIGHEST = 12_000, 32_000
"""Below those that systems choose themselves, so that no connection and no test beside this one is given one of them
between a look and its use."""


def free_port(host: str = "127.0.0.1") -> int:
    """Give a port that nobody listens at."""
    return free_ports(1, host)[0]


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Give ports that nobody listens at. Raises `OSError` for an address that is not of this machine."""
    socket.create_server((host, 0)).close()
    chance = random.SystemRandom()  # tests that run side by side have the same seed
    with ExitStack() as held:
        found = list[int]()
        while len(found) < count:
            port = chance.randrange(LOWEST, HIGHEST)
            with suppress(OSError):
                held.enter_context(socket.create_server((host, port)))
                found.append(port)
        return found
