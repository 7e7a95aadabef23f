"""Orders to the workers of a machine: who is lost is named, and keeps nobody else from being drained."""

from pathlib import Path

import msgspec
import pytest

from bus.connection import Bus
from bus.kv import Bucket
from bus.operator_subjects import worker_subject
from bus.subjects import WORKER_BUCKET
from bus.workers import Order, WorkerWord
from llum.people import draining
from llum.people.draining import drain
from schemas.errors import Transient
from tests.nats_server import installed_server


async def test_a_worker_that_is_lost_is_named_and_the_others_are_drained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes from it, and its connection stands."""
    monkeypatch.setattr(draining, "ANSWERED_WITHIN_S", 0.2)
    words = [WorkerWord(name, "run", "host-1", 1, "1.0", 0.0) for name in ("lost", "there")]
    async with installed_server(tmp_path, 2, 1) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        drained: list[Order] = []

        def on_order(_subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
            drained.append(msgspec.json.decode(data, type=Order))
            bus.publish_soon(reply, msgspec.json.encode(msgspec.structs.replace(words[1], draining=True)))

        await bus.listen(worker_subject("lost"), lambda *_: None)
        await bus.listen(worker_subject("there"), on_order)
        for word in words:
            await Bucket(bus, WORKER_BUCKET).put(word.id, msgspec.json.encode(word))
        with pytest.raises(Transient, match="worker lost on host-1 does not answer"):
            await drain(bus, "host-1", undo=False, within_s=0.0)
        assert drained == [Order(drain=True)]
        await bus.close()
