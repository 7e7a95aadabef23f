"""An edge beside the one of `llum up`: `edge_beside NATS_URL FOLDER`. It logs as that one does.

It believes the header `Llum-User` and looks at nothing else then: what an ask costs without knowing who asks.
"""

import asyncio
import functools
import os
import sys
import time
from pathlib import Path
from unittest.mock import patch

from aiohttp import web

from bench.programs.loop import report, run, until_terminated
from bus.connection import Bus
from bus.requests import Requests
from edge_http.app import make_app
from edge_http.auth.chain import caller_at_hand
from edge_http.http.observe import Trace
from edge_http.http.runner import EdgeRunner
from edge_http.personis import routes
from identity.authenticator import Authenticator
from identity.principal import Principal
from identity.sessions.store import Sessions
from identity.tokens import Tokens
from llum.processes import logs
from llum.processes.log_files import RotatingFile
from schemas.apps import OWNER_APP

PUBLIC_URL = "http://llum.example"


@functools.cache
def _principal(user: str) -> Principal:
    return Principal(user, OWNER_APP, 1, "token")


def _believed(request: web.Request, trace: Trace) -> Principal | None:
    user = request.headers.get("Llum-User")
    if user is None:
        return caller_at_hand(request, trace)
    principal = _principal(user)
    trace.user, trace.app = principal.user, principal.app
    return principal


async def until_watched(watched: Sessions | Tokens) -> None:
    """Return when what is looked up is remembered."""
    while watched.epoch is None:  # noqa: ASYNC110 - a look in memory, each millisecond
        await asyncio.sleep(0.001)


async def main(url: str, folder: str) -> None:
    """Serve until terminated. The ready line says where, and how long it took until all was watched."""
    patch.object(routes, "caller_at_hand", _believed).start()
    logs.set_up("info", [RotatingFile(Path(folder) / "edge.jsonl")], process="edge", pid=os.getpid())
    began = time.perf_counter()
    bus = await Bus.connect(url, name="bench-edge")
    requests = Requests(bus)
    await requests.start()
    authenticator = Authenticator(bus, requests)
    runner = EdgeRunner(make_app(bus, requests, authenticator, PUBLIC_URL), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await until_watched(authenticator.sessions)
    await until_watched(authenticator.tokens)
    report(url=f"http://127.0.0.1:{runner.addresses[0][1]}", ready_s=time.perf_counter() - began)
    await until_terminated()
    await runner.cleanup()
    await requests.close()
    await bus.close()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
