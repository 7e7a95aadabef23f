"""An edge as a service of NATS: operators see which edges there are, and what they know."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from bus.connection import Bus
from bus.micro import EDGE_SERVICE, MicroService
from schemas.levels import NEWEST


@asynccontextmanager
async def shown_on_the_bus(bus: Bus) -> AsyncIterator[None]:
    """Answer those who look for edges. Raises `Transient`."""
    about = {"host": socket.gethostname(), "pid": str(os.getpid()), "newest_level": str(NEWEST)}
    service = MicroService(bus, EDGE_SERVICE, secrets.token_hex(6), version("llum"), "Serves HTTP.", [], lambda: about)
    await service.open()
    try:
        yield
    finally:
        await service.close()
