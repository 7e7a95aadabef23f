"""What it costs to know who asks, and what live sessions take: `python -m bench.sessions [SESSIONS]`.

Asks over HTTP with a cookie, with a bearer token, and with one of OAuth 2 under a grant, beside asks of which the edge
believes whose they are. Previews of a grant in a second, 32 at a time and one after the other. Then so many live
sessions (100,000 unless said otherwise): bytes of each in nats-server and in an edge, and how long an edge takes to be
ready.
It prints ratios, one a line. Nothing of it is part of `make bench`.
"""

import asyncio
import contextlib
import operator
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psutil

from bench import accounting, http_load, people
from bench.processes import Started, llum_up, program
from bench.programs.edge_beside import PUBLIC_URL, until_watched
from bench.sizes import IN_FLIGHT
from bus.connection import Bus
from bus.jetstream import JetStream
from bus.key_rings import SESSION_KEYS, WatchedRing
from bus.subjects import SESSION_BUCKET, bucket_key, bucket_stream
from edge_http.auth.cookies import names_at
from identity.registrations import access
from identity.sessions.csrf import CsrfTokens
from identity.sessions.session import Session
from identity.sessions.store import CACHE_ENTRIES, Sessions, hash_of, new_sid
from identity.tokens import Tokens
from llum.client import Client
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import MakeModel
from schemas.slices import Slice

SESSIONS: Final = 100_000
ROUNDS: Final = 9
ROUND_S: Final = 0.5
LIFETIME_S: Final = 3600.0
AT_ONCE: Final = 1000

PREVIEWS_S: Final = 2.0
GRANTED_APP: Final = "granted"

BAR: Final = 1.1
"""What a cookie or a token may cost, as a multiple of an ask without a check."""

ASK: Final = msgspec.json.encode({"version": "11.2", "context": people.CONTEXT, "view": [people.component(0)]})
DETAILS: Final = {"user_id": "person", "fullname": "Alice Example", "email": "alice@example.org", "homepage": ""}


class Aimed(msgspec.Struct):
    """One way to ask, the edge that is asked, and what came of each round."""

    name: str
    edge: Started
    requests: list[bytes]
    per_s: list[float] = []
    cpu_us: list[float] = []


async def main(sessions: int) -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        async with llum_up(Path(folder) / "data", sync="10s") as (running, _):
            await _asks(running.nats, folder)
            await _previews(running.nats)
            await _live_sessions(running.nats, folder, running.pid, sessions)


async def _asks(nats_url: str, folder: str) -> None:
    async with contextlib.AsyncExitStack() as exits:
        edge = await exits.enter_async_context(program("programs.edge_beside", nats_url, folder))
        async with Client.connect(nats_url) as client:
            users = [people.person(number) for number in range(IN_FLIGHT)]
            heads = [await _heads(client, user) for user in users]
        aims = [
            Aimed(name, edge, [_post(edge, head[name]) for head in heads])
            for name in ("unchecked", "grant", "bearer", "cookie")
        ]
        for number in range(ROUNDS + 1):
            for aim in aims:
                await _round(aim, warm_up=number == 0)
    _say_asks(aims)


async def _heads(client: Client, user: str) -> dict[str, list[str]]:
    """Make a person, and give the headers by which they ask in each way."""
    made = MakeModel(id="make", definition=people.definition(()), owner=OWNER_APP)
    await client.requests.send(user, ADMIN_APP, made)
    registration = (await access(client.requests, user, OWNER_APP)).registration
    token = await Tokens(client.bus).issue(user, OWNER_APP, registration, LIFETIME_S)
    sid, csrf = new_sid(), CsrfTokens(WatchedRing(client.bus, SESSION_KEYS))
    await Sessions(client.bus).set_session(sid, _session(user))
    await csrf.load()
    token_of_form = csrf.make(sid)
    csrf.close()
    cookie = f"Cookie: {names_at(PUBLIC_URL).session}={sid}; {names_at(PUBLIC_URL).profile}=passkey"
    slices = [Slice(paths=["/".join(people.CONTEXT)], actions=["ask"], purpose="to measure")]
    granted = await client.consent(user, GRANTED_APP, "allowed", slices)
    by_grant = await Tokens(client.bus).issue(user, GRANTED_APP, granted.result, LIFETIME_S, oauth=True)
    return {
        "grant": [f"Authorization: Bearer {by_grant}"],
        "unchecked": [f"Llum-User: {user}"],
        "bearer": [f"Authorization: Bearer {token}"],
        "cookie": [cookie, f"Origin: {PUBLIC_URL}", f"X-CSRF-Token: {token_of_form}"],
    }


def _post(edge: Started, headers: list[str]) -> bytes:
    head, _, body = http_load.post(edge.said["url"], "/ask", ASK).partition(b"\r\n\r\n")
    return b"\r\n".join([head, *(one.encode() for one in headers), b"", b""]) + body


async def _round(aim: Aimed, *, warm_up: bool) -> None:
    async with http_load.lanes(aim.edge.said["url"], aim.requests, b'{"result":"ok"') as lanes:
        before = accounting.cpu_seconds([aim.edge.pid])
        turn = await http_load.throughput(lanes, ROUND_S)
        spent = accounting.cpu_seconds([aim.edge.pid]) - before
    if not warm_up:
        aim.per_s.append(turn.figure)
        aim.cpu_us.append(spent / turn.operations * 1e6)


def _say_asks(aims: Sequence[Aimed]) -> None:
    least = aims[0]
    for aim in aims:
        rate, cost = statistics.median(aim.per_s), statistics.median(aim.cpu_us)
        slower = statistics.median(map(operator.truediv, least.per_s, aim.per_s))
        dearer = statistics.median(map(operator.truediv, aim.cpu_us, least.cpu_us))
        verdict = "" if aim is least else f", bar {BAR}: {'ok' if slower <= BAR else 'missed'}"
        print(
            f"ask_{aim.name}: {rate:,.0f} asks/s, ratio {slower:.2f}{verdict}; edge {cost:.0f} µs, ratio {dearer:.2f}"
        )


async def _previews(nats_url: str) -> None:
    """Show owners what an app would see of twenty components that have values."""
    async with Client.connect(nats_url) as client:
        users = [people.person(number) for number in range(IN_FLIGHT)]
        for user in users:
            for number in range(people.COMPONENTS):
                await client.tell(user, [*people.CONTEXT, people.component(number)], str(number))
        for at_once in (users, users[:1]):
            begun, until = time.perf_counter(), time.perf_counter() + PREVIEWS_S
            done = sum(await asyncio.gather(*(_preview_until(client, user, until) for user in at_once)))
            rate = done / (time.perf_counter() - begun)
            print(f"consent_preview: {rate:,.0f} previews/s, {len(at_once)} at a time")


async def _preview_until(client: Client, user: str, until: float) -> int:
    slices, done = [Slice(paths=[""], actions=["ask"])], 0
    while time.perf_counter() < until:
        await client.preview_grant(user, "newcomer", slices)
        done += 1
    return done


def _session(user: str) -> Session:
    now = time.time()
    return Session(
        user=user, details=DETAILS, made=now, expires=now + LIFETIME_S, authenticated=now, how="passkey",
        place="Firefox on Linux, 192.0.x.x",
    )  # fmt: skip


async def _live_sessions(nats_url: str, folder: str, llum: int, count: int) -> None:
    server = accounting.named(accounting.tree(llum), "nats-server")[0]
    empty_s = await _ready_s(nats_url, folder)
    bus = await Bus.connect(nats_url, name="bench")
    try:
        before = _resident(server)
        sids = await _filled(bus, count)
        grown = _resident(server) - before
        print(f"sessions_nats_server: {grown / count:,.0f} bytes of memory each, at {count:,}")
        print(f"sessions_disk: {await _stored_bytes(bus) / count:,.0f} bytes on the disk each")
        async with _watched(bus) as sessions:
            process, held = psutil.Process().pid, min(count, CACHE_ENTRIES)
            before = _resident(process)
            for sid in sids:
                await sessions.get_session(sid)
            grown = _resident(process) - before
        print(f"sessions_edge: {grown / held:,.0f} bytes each, for at most {CACHE_ENTRIES:,} of {count:,}")
        full_s = await _ready_s(nats_url, folder)
        ratio = full_s / empty_s
        print(f"sessions_ready: {full_s * 1000:.0f} ms with {count:,}, {empty_s * 1000:.0f} ms with none: {ratio:.2f}")
    finally:
        await bus.close()


async def _filled(bus: Bus, count: int) -> list[str]:
    """Store so many sessions, and give the ids of those that an edge may remember, the last ones."""
    sids: list[str] = []
    for first in range(0, count, AT_ONCE):
        some = [new_sid() for _ in range(min(AT_ONCE, count - first))]
        await asyncio.gather(*(_put(bus, sid, first + number) for number, sid in enumerate(some)))
        sids = (sids + some)[-CACHE_ENTRIES:]
    return sids


async def _put(bus: Bus, sid: str, number: int) -> None:
    user = f"person-{number}"
    value = msgspec.json.encode(_session(user))
    subject = bucket_key(SESSION_BUCKET, f"{hash_of(sid)}.{user}")
    await JetStream(bus).publish(subject, value, {"Nats-TTL": f"{LIFETIME_S:.0f}s"})


@contextlib.asynccontextmanager
async def _watched(bus: Bus) -> AsyncIterator[Sessions]:
    sessions = Sessions(bus)
    task = asyncio.create_task(sessions.run())
    try:
        await until_watched(sessions)
        yield sessions
    finally:
        task.cancel()


async def _ready_s(nats_url: str, folder: str) -> float:
    """Give the seconds of an edge from its connection until it believes what it remembers of sessions."""
    async with program("programs.edge_beside", nats_url, folder) as edge:
        return float(edge.said["ready_s"])


async def _stored_bytes(bus: Bus) -> int:
    info = await JetStream(bus).call(f"STREAM.INFO.{bucket_stream(SESSION_BUCKET)}")
    return int(info["state"]["bytes"])


def _resident(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS))
