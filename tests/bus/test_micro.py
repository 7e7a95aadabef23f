"""What is answered is what the library's own services answer, so that tools of others show llum."""

from pathlib import Path
from typing import Any

import msgspec
import nats
import nats.micro
import pytest

from bus.connection import Bus
from bus.micro import MicroService, ServiceEndpoint, ServiceSeen, list_services
from tests.nats_server import installed_server
from tests.waiting import DEADLINE_S, eventually


async def _nothing(_request: Any) -> None:
    """Answer nothing: nobody asks."""


@pytest.mark.parametrize("kind", ["PING", "INFO", "STATS"])
async def test_it_answers_as_the_librarys_own_services_do(tmp_path: Path, kind: str) -> None:
    """The same members, of the same types, for all, for the name and for the id."""
    async with installed_server(tmp_path, 1) as server:
        bus = await Bus.connect(server.url_as("worker"), name="test")
        endpoints = [ServiceEndpoint("ask", "llum.query.*.*.*.*", "ask")]
        service = MicroService(bus, "llum-worker", "one", "1.2.3", "Serves.", endpoints, lambda: {"host": "here"})
        await service.open()
        other = await nats.connect(server.url_as("operator"))
        theirs = await nats.micro.add_service(other, name="theirs", version="1.0.0", description="x")
        await theirs.add_endpoint(name="ask", handler=_nothing)
        wanted = msgspec.json.decode((await other.request(f"$SRV.{kind}.theirs", b"", DEADLINE_S)).data)
        for subject in (f"$SRV.{kind}.llum-worker", f"$SRV.{kind}.llum-worker.one"):
            found = msgspec.json.decode((await other.request(subject, b"", DEADLINE_S)).data)
            assert (found["type"], found["id"], found["metadata"]) == (wanted["type"], "one", {"host": "here"})
            assert {name: type(value) for name, value in wanted.items()}.items() <= {
                name: type(value) for name, value in found.items()
            }.items()
            for one, their in zip(found.get("endpoints", []), wanted.get("endpoints", []), strict=True):
                assert set(their) - {"data"} <= set(one)
        everybody = await _answers(other, f"$SRV.{kind}")
        assert {one["name"] for one in everybody} == {"theirs", "llum-worker"}
        await service.close()
        await theirs.stop()
        await other.close()
        await bus.close()


async def _answers(client: Any, subject: str) -> list[dict[str, Any]]:
    """Ask all, and wait for two answers."""
    inbox = client.new_inbox()
    listening = await client.subscribe(inbox)
    await client.publish(subject, b"", reply=inbox)
    return [msgspec.json.decode((await listening.next_msg(DEADLINE_S)).data) for _ in range(2)]


async def test_those_who_are_there_are_listed(tmp_path: Path) -> None:
    """By their ids, with what they say of themselves; of a name that nobody has there are none."""
    async with installed_server(tmp_path, 1) as server:
        bus = await Bus.connect(server.url_as("edge"), name="test")
        assert await list_services(bus, "llum-edge", 0.01) == []
        services = [
            MicroService(bus, "llum-edge", id, "1.2.3", "Serves.", [], lambda: {"host": "here"}) for id in ("b", "a")
        ]
        for one in services:
            await one.open()

        async def both() -> bool:
            found = await list_services(bus, "llum-edge")
            return found == [ServiceSeen(id, "1.2.3", {"host": "here"}) for id in ("a", "b")]

        await eventually(both, "both say that they are there")
        for one in services:
            await one.close()
        await bus.close()
