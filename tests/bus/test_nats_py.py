"""nats-py is imported without what it seldom needs; that is there as soon as somebody wants it."""

import subprocess
import sys

IMPORTED = """
import sys
import bus.connection
print(*sorted({"aiohttp", "nats.js", "nats.aio.client"} & set(sys.modules)))
"""

WANTED_LATER = """
import asyncio, sys
from bus.nats_py import nats
from nats.aio.transport import WebSocketTransport

async def connect():
    transport = WebSocketTransport()
    await transport._client.close()

asyncio.run(connect())
print(type(nats.aio.client.Client().jetstream()).__name__, nats.js.errors.NotFoundError.__name__)
"""


def output_of(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_a_connection_imports_neither_aiohttp_nor_the_jetstream_client() -> None:
    """Together they take more time and memory than all else that a command imports."""
    assert output_of(IMPORTED) == "nats.aio.client"


def test_websockets_and_the_jetstream_client_still_work() -> None:
    """Addresses such as wss://… are allowed, and so is nats-py's own client in the same process."""
    assert output_of(WANTED_LATER) == "JetStreamContext NotFoundError"
