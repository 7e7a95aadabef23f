"""What codes and refresh tokens cost, and what live tokens take: `python -m bench.tokens [TOKENS]`.

Codes and refresh tokens at `/token`, 32 at a time and one after the other, beside a bare handler that makes the same
writes and a read in nats-server. Then so many live access tokens, each with the family that it comes from (100,000
unless said otherwise): bytes of each in nats-server and in an edge, and how long an edge takes to be ready.
It prints one figure a line. Nothing of it is part of `make bench`.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import psutil

from bench import accounting, people
from bench.processes import llum_up, program
from bench.programs.edge_beside import until_watched
from bench.sizes import IN_FLIGHT
from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import FAMILY_BUCKET, FLOW_BUCKET, TOKEN_BUCKET, bucket_stream
from identity.oauth.clients import Clients, OAuthClient
from identity.oauth.families import Issued
from identity.oauth.issuing import Issuing
from identity.registrations import access
from identity.tokens import CACHE_ENTRIES, Tokens
from llum.client import Client
from llum.running import Running
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import MakeModel, RegisterApp

TOKENS: Final = 100_000
EACH: Final = 30
"""Refreshes and codes of each of those that are under way at once: fewer than one sign-in may refresh."""

ALONE: Final = 60
"""Of which the time of each is measured."""

LEAST_S: Final = 1e-6
"""CPU seconds for each below which a process is left out."""

AT_ONCE: Final = 500
CLIENT_ID: Final = "bench"
REDIRECT: Final = "http://127.0.0.1/cb"
VERIFIER: Final = "v" * 43

TokenStep = Callable[["TokenAsker"], Awaitable[None]]


class TokenAsker:
    """A client on a connection of its own, of one person."""

    def __init__(self, user: str, issued: Issued, codes: list[str]) -> None:
        self.user = user
        self.refresh_token = issued.refresh_token
        self.codes = codes

    async def connect(self, url: str) -> None:
        host = urlsplit(url)
        self._host = host.netloc
        self._reader, self._writer = await asyncio.open_connection(host.hostname, host.port)

    async def refresh(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": CLIENT_ID}
        self.refresh_token = (await self._post(form))["refresh_token"]

    async def redeem(self) -> None:
        form = {"grant_type": "authorization_code", "code": self.codes.pop(), "client_id": CLIENT_ID}
        await self._post(form | {"redirect_uri": REDIRECT, "code_verifier": VERIFIER})

    async def bare(self, buckets: str) -> None:
        await self._post({"grant_type": "refresh_token", "refresh_token": self.refresh_token, "buckets": buckets})

    def close(self) -> None:
        self._writer.close()

    async def _post(self, form: dict[str, str]) -> dict[str, Any]:
        body = urlencode(form)
        head = f"POST /token HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
        content: dict[str, Any] = msgspec.json.decode(await self._reader.readexactly(length))
        assert " 200 " in answer.partition("\r\n")[0], content
        return content


async def main(tokens: int) -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        async with llum_up(Path(folder) / "data", sync="10s") as (running, _):
            async with Client.connect(running.nats) as client:
                callers = await _callers(client)
                await _rates(running, callers)
            await _live_tokens(running, folder, tokens)


async def _callers(client: Client) -> list[TokenAsker]:
    """Make people who have let a client in, a sign-in and codes for each."""
    await Clients(client.bus).add(OAuthClient(id=CLIENT_ID, name=CLIENT_ID, redirect_uris=[REDIRECT]))
    issuing = Issuing(client.bus, Tokens(client.bus))
    made = [await _caller(client, issuing, people.person(number)) for number in range(IN_FLIGHT)]
    issuing.close()
    return made


async def _caller(client: Client, issuing: Issuing, user: str) -> TokenAsker:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    made = MakeModel(id="make", definition=people.definition(()), owner=OWNER_APP)
    await client.requests.send(user, ADMIN_APP, made)
    await client.requests.send(user, OWNER_APP, RegisterApp(id="app", app=CLIENT_ID))
    registration = (await access(client.requests, user, CLIENT_ID)).registration
    challenge = create_s256_code_challenge(VERIFIER)
    codes = [await issuing.issue_code(CLIENT_ID, user, registration, REDIRECT, challenge) for _ in range(EACH + ALONE)]
    return TokenAsker(user, await issuing.begin_family(user, CLIENT_ID, registration), codes)


async def _rates(running: Running, callers: list[TokenAsker]) -> None:
    """Codes first: they are good for a minute only."""
    async with program("programs.bare_tokens", running.nats) as bare:
        for name, step, buckets in (
            ("code", TokenAsker.redeem, f"{FLOW_BUCKET} {TOKEN_BUCKET} {FAMILY_BUCKET}"),
            ("refresh", TokenAsker.refresh, f"{TOKEN_BUCKET} {FAMILY_BUCKET}"),
        ):
            llum = await _measured(str(running.http), step, callers, accounting.tree(running.pid))
            server = accounting.named(accounting.tree(running.pid), "nats-server")
            least = await _measured(bare.said["url"], _bare(buckets), callers, [bare.pid, *server])
            print(
                f"token_{name}: {llum.per_s:,.0f}/s, ratio {llum.per_s / least.per_s:.2f} of a bare handler's "
                f"{least.per_s:,.0f}/s; p50 {llum.p50_s * 1000:.2f} ms, ratio {llum.p50_s / least.p50_s:.2f}"
            )
            print(f"token_{name}_cpu_us: {llum.cpu}; bare: {least.cpu}")


class TokenFigures(NamedTuple):
    """What came of one way to get tokens."""

    per_s: float
    p50_s: float
    cpu: str
    """Microseconds by process."""


async def _measured(url: str, step: TokenStep, callers: list[TokenAsker], pids: list[int]) -> TokenFigures:
    for caller in callers:
        await caller.connect(url)
    await step(callers[0])
    alone = [await _timed(step, callers[0]) for _ in range(ALONE - 1)]
    before, began = accounting.spent(pids), time.perf_counter()
    await asyncio.gather(*(_many(step, caller, EACH) for caller in callers))
    took_s, count = time.perf_counter() - began, EACH * len(callers)
    cost = accounting.between(before, accounting.spent(pids))
    for caller in callers:
        caller.close()
    shown = (f"{name} {seconds / count * 1e6:,.0f}" for name, seconds in cost.items() if seconds / count > LEAST_S)
    return TokenFigures(count / took_s, statistics.median(alone), ", ".join(shown))


def _bare(buckets: str) -> TokenStep:
    return lambda caller: caller.bare(buckets)


async def _many(step: TokenStep, caller: TokenAsker, times: int) -> None:
    for _ in range(times):
        await step(caller)


async def _timed(step: TokenStep, caller: TokenAsker) -> float:
    began = time.perf_counter()
    await step(caller)
    return time.perf_counter() - began


async def _live_tokens(running: Running, folder: str, count: int) -> None:
    server = accounting.named(accounting.tree(running.pid), "nats-server")[0]
    empty_s = await _ready_s(running.nats, folder)
    bus = await Bus.connect(running.nats, name="bench")
    try:
        before = _resident(server)
        held = await _filled(bus, count)
        grown = _resident(server) - before
        print(f"tokens_nats_server: {grown / count:,.0f} bytes of memory each with its family, at {count:,}")
        for name, bucket in (("access token", TOKEN_BUCKET), ("family", FAMILY_BUCKET)):
            print(f"tokens_disk: {await _stored_bytes(bus, bucket) / count:,.0f} bytes on the disk for each {name}")
        async with _watched(bus) as tokens:
            process = psutil.Process().pid
            before = _resident(process)
            for token in held:
                await tokens.look_up(token)
            grown = _resident(process) - before
        print(f"tokens_edge: {grown / len(held):,.0f} bytes each, for at most {CACHE_ENTRIES:,} of {count:,}")
        full_s = await _ready_s(running.nats, folder)
        print(
            f"tokens_ready: {full_s * 1000:.0f} ms with {count:,}, {empty_s * 1000:.0f} ms with none: "
            f"{full_s / empty_s:.2f}"
        )
    finally:
        await bus.close()


async def _filled(bus: Bus, count: int) -> list[str]:
    """Begin so many families, and give the access tokens that an edge may remember, the last ones."""
    issuing = Issuing(bus, Tokens(bus))
    held: list[str] = []
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        some = await asyncio.gather(*(issuing.begin_family(f"somebody-{n}", CLIENT_ID, 7) for n in numbers))
        held = (held + [one.access_token for one in some])[-CACHE_ENTRIES:]
    issuing.close()
    return held


@contextlib.asynccontextmanager
async def _watched(bus: Bus) -> AsyncIterator[Tokens]:
    tokens = Tokens(bus)
    task = asyncio.create_task(tokens.run())
    try:
        await until_watched(tokens)
        yield tokens
    finally:
        task.cancel()


async def _ready_s(nats_url: str, folder: str) -> float:
    """Give the seconds of an edge from its connection until it believes what it remembers."""
    async with program("programs.edge_beside", nats_url, folder) as edge:
        return float(edge.said["ready_s"])


async def _stored_bytes(bus: Bus, bucket: str) -> int:
    info = await JetStream(bus).call(f"STREAM.INFO.{bucket_stream(bucket)}")
    return int(info["state"]["bytes"])


def _resident(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TOKENS))
