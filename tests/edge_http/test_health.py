"""GET /health and GET /ready."""

import asyncio
from typing import Any

import pytest

from bus.inbox import RawAnswer
from bus.subjects import partition_ask_subject
from edge_http.http.health import READINESS, Unready
from schemas.codec import encode
from schemas.errors import Code, Error, Transient
from schemas.replies import Failed, PingReply
from tests.edge_http.conftest import PARTITIONS, Edge
from tests.waiting import until

READY = {"isReady": True}
NOT_READY = {"isError": True, "message": "Problem with the database connection"}


async def test_health_needs_nothing_but_the_process(edge: Edge) -> None:
    """The process is alive even while the bus is away."""
    edge.bus.connected = False
    response = await edge.http.get("/health")
    assert (response.status, await response.json()) == (200, {"isHealthy": True})
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_ready_when_every_partition_answers(edge: Edge) -> None:
    """All partitions are pinged, each once."""
    response = await edge.http.get("/ready")
    assert (response.status, await response.json()) == (200, READY)
    assert sorted(edge.bus.inbox.pings) == [partition_ask_subject(p) for p in range(PARTITIONS)]


async def test_not_ready_without_the_bus(edge: Edge) -> None:
    """A lost connection is said at once, and no ping is tried."""
    edge.bus.connected = False
    response = await edge.http.get("/ready")
    body = await response.json()
    assert (response.status, body["bus"], body["error"]["code"]) == (503, "disconnected", "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert {name: body[name] for name in NOT_READY} == NOT_READY, "as clients of the preferences service know it"
    assert edge.bus.inbox.pings == []


@pytest.mark.parametrize(
    "answer",
    [
        RawAnswer(b"NATS/1.0 503\r\n\r\n", b""),
        Transient(Code.UNAVAILABLE, "no answer"),
        b"nonsense",
        encode(Failed(error=Error(Code.INTERNAL, "ill"))),
    ],
)
async def test_not_ready_names_the_missing_partitions(edge: Edge, answer: object) -> None:
    """A partition that no one serves, or that answers something else, is listed."""
    edge.bus.inbox.served[partition_ask_subject(2)] = answer
    response = await edge.http.get("/ready")
    assert (response.status, (await response.json())["missing_partitions"]) == (503, [2])


async def test_not_ready_says_why_nothing_is_applied(edge: Edge) -> None:
    """A worker that cannot write answers asks, but a tell would wait: which partitions, and what is in the way."""
    paused = encode(PingReply(partition=2, applied_seq=9, pauses="database or disk is full"))
    edge.bus.inbox.served[partition_ask_subject(2)] = paused
    response = await edge.http.get("/ready")
    body = await response.json()
    assert (response.status, body["paused_partitions"]) == (503, [2])
    assert body["error"]["message"] == f"1 of {PARTITIONS} partitions apply nothing: database or disk is full"


async def test_probes_at_once_share_one_look(edge: Edge) -> None:
    """Many probes do not multiply the pings."""
    gate, arrived = asyncio.Event(), 0
    request, readiness = edge.bus.inbox.request, edge.app[READINESS]
    look = readiness.unready

    async def counted(*arguments: Any) -> Unready:
        nonlocal arrived
        arrived += 1
        return await look(*arguments)

    async def slow(subject: str, data: bytes, timeout_s: float, again_s: float | None = None) -> object:
        await gate.wait()
        return await request(subject, data, timeout_s)

    edge.bus.inbox.request = slow  # type: ignore[method-assign,assignment]
    readiness.unready = counted  # type: ignore[method-assign]
    probes = [asyncio.create_task(edge.http.get("/ready")) for _ in range(8)]
    await until(lambda: arrived == len(probes), "all probes ask")
    assert not any(probe.done() for probe in probes)
    gate.set()
    assert {(await probe).status for probe in probes} == {200}
    assert len(edge.bus.inbox.pings) == PARTITIONS


class Probes:
    """Stands in for the bus: remembers which streams were probed, and what to say of them."""

    def __init__(self) -> None:
        self.streams: list[int] = []
        self.why: str | None = None
        self.now = 1000.0

    async def probe(self, _bus: object, stream: int, _streams: int) -> str | None:
        self.streams.append(stream)
        return self.why


@pytest.fixture
def probes(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Probes:
    """Two streams of the log, and a clock that is set by hand."""
    made = Probes()
    readiness = edge.app[READINESS]
    monkeypatch.setattr(readiness, "_prober", made.probe)
    monkeypatch.setattr(readiness, "_clock", lambda: made.now)
    monkeypatch.setattr(readiness, "_log_streams", 2)
    return made


def idle(edge: Edge, partition: int, idle_s: float | None) -> None:
    reply = PingReply(partition=partition, applied_seq=9, idle_s=idle_s)
    edge.bus.inbox.served[partition_ask_subject(partition)] = encode(reply)


async def test_a_command_of_late_needs_no_probe(edge: Edge, probes: Probes) -> None:
    """One partition of each stream is enough: the others share the stream and the worker."""
    for partition in range(PARTITIONS):
        idle(edge, partition, 9.0 if partition < 2 else 3600.0)
    assert (await edge.http.get("/ready")).status == 200
    assert probes.streams == []


async def test_a_quiet_stream_is_probed_once_a_minute(edge: Edge, probes: Probes) -> None:
    """However often one asks; a stream where something was applied is not."""
    for partition in range(PARTITIONS):
        idle(edge, partition, 1.0 if partition % 2 else None)
    for _ in range(3):
        assert (await edge.http.get("/ready")).status == 200
    assert probes.streams == [0]
    probes.now += 59.0
    await edge.http.get("/ready")
    assert probes.streams == [0]
    probes.now += 1.0
    await edge.http.get("/ready")
    assert probes.streams == [0, 0]


async def test_a_probe_that_fails_is_tried_again_at_once(edge: Edge, probes: Probes) -> None:
    """The partitions of its stream are not ready, and the reason is given; it is ready as soon as it works."""
    for partition in range(PARTITIONS):
        idle(edge, partition, 1.0 if partition % 2 else 11.0)
    probes.why = "the log takes no commands: no space left"
    response = await edge.http.get("/ready")
    body = await response.json()
    assert (response.status, body["paused_partitions"]) == (503, list(range(0, PARTITIONS, 2)))
    assert "no space left" in body["error"]["message"]
    probes.why = None
    assert (await edge.http.get("/ready")).status == 200
    assert probes.streams == [0, 0]
