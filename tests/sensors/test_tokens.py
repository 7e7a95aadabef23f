"""A sensor whose token is revoked keeps what it sees, says so once, and goes on when it has a token again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.commands import Tell
from schemas.evidence import NewEvidence
from sensors.channel import bus_at
from sensors.publisher import Publisher
from sensors.spool import Entry, Spool
from tests.identity.callout_ground import Ground, ground
from tests.waiting import until


def seen(number: int) -> Entry:
    command = Tell(id=f"seen-{number}", context=["c"], component="x", evidence=NewEvidence(value=number))
    return Entry.of("alice", "lamp", command)


async def revoke_all(there: Ground) -> None:
    for token in await there.authenticator.tokens.list("alice"):
        await there.authenticator.tokens.revoke(token)


@asynccontextmanager
async def publishing(spool: Spool, there: Ground, token: Callable[[], str | None]) -> AsyncIterator[None]:
    task = asyncio.create_task(Publisher(spool, bus_at(there.url, "lamp", token)).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_sensor_outlives_its_token(tmp_path: Path, logged: list[dict[str, object]]) -> None:
    """First the token is revoked, then there is none, then another one: nothing is lost, and it counts once."""

    def told() -> list[object]:
        return [line["hint"] for line in logged if line["event"] == "sensor.waits_for_bus"]

    async with ground(tmp_path / "llum") as there:
        shown: list[str | None] = [await there.token("alice", "lamp")]
        with Spool(tmp_path, "lamp") as spool:
            async with publishing(spool, there, lambda: shown[0]):
                spool.append(seen(0))
                await until(lambda: not len(spool), "the first entry is stored")
                await until(lambda: len(there.connections) == 1, "nats-server has told of it")
                await revoke_all(there)
                await until(lambda: len(there.connections) == 0, "the connection has ended")
                spool.append(seen(1))
                await until(lambda: any("revoked" in str(one) for one in told()), "it says so")
                shown[0] = None
                spool.append(seen(2))
                shown[0] = await there.another_token("alice", "lamp")
                await until(lambda: not len(spool), "all is stored")
        assert await there.llum.values("x") == [0, 1, 2]
    assert len([one for one in told() if "revoked" in str(one)]) == 1
    assert [line["event"] for line in logged if line["event"] == "sensor.reaches_bus"] == ["sensor.reaches_bus"] * 2
