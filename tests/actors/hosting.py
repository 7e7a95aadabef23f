"""A nats-server with workers that are told what to hold, for tests."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from actors.worker import Worker
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.subjects import DEFAULT_LOG_STREAMS, command_subject, log_stream_of, partition_of
from schemas.codec import encode
from schemas.commands import Tell
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import AskReply
from schemas.verbs import verb_of
from tests.actors import answering
from tests.actors.serving import PARTITIONS, Llum
from tests.waiting import DEADLINE_S

ALICE, BOB = "alice", "bob"
HERS, HIS = partition_of(ALICE, PARTITIONS), partition_of(BOB, PARTITIONS)
assert HERS != HIS


class Host:
    """A nats-server with workers that are told what to hold."""

    def __init__(self, server: EmbeddedServer, llum: Llum, folder: Path, exits: AsyncExitStack) -> None:
        self.server = server
        self.llum = llum
        self.folder = folder
        self._exits = exits

    async def worker(self, name: str, **options: Any) -> Worker:
        """Start a worker with a connection and shards of its own."""
        bus = await Bus.connect(self.server.url_as("operator"), name=name)
        self._exits.push_async_callback(bus.close)
        worker = await Worker.open(
            bus,
            shard_dir=self.folder / name,
            log_streams=DEFAULT_LOG_STREAMS,
            max_active_models=100,
            allow_private_webhooks=True,
            **options,
        )
        self._exits.push_async_callback(worker.drain)
        return worker

    async def store_tells(self, count: int, user: str = ALICE, first: int = 0) -> int:
        """Put tells of the numbers from `first` on into the log; give the last one's sequence."""
        seq = 0
        for number in range(first, first + count):
            evidence = NewEvidence(value=number)
            tell = Tell(id=self.llum.next_id(), context=["c"], component="a", evidence=evidence)
            seq = await self.llum.requests.store(user, "llum", tell)
        return seq

    async def store_once(self, value: Any, user: str = ALICE) -> int:
        """Put a tell into the log, and never a second time, whatever the server takes for it; give its sequence."""
        tell = Tell(id=self.llum.next_id(), context=["c"], component="a", evidence=NewEvidence(value=value))
        subject = command_subject(user, "llum", verb_of(tell))
        return await JetStream(self.llum.bus).publish(subject, encode(tell), timeout_s=DEADLINE_S)

    async def commands_of_rules(self, user: str = ALICE) -> list[str]:
        """Give the ids of the commands that rules have sent, as often as they stand in the log."""
        number = partition_of(user, PARTITIONS)
        subject = f"llum.log.{number}.{user}.*.derive"
        stream = log_stream_of(number, DEFAULT_LOG_STREAMS)
        page, _ = await JetStream(self.llum.bus).page(stream, subject, 1, 10_000)
        ids = [str(msgspec.json.decode(stored.data)["id"]) for stored in page]
        return [one for one in ids if one.startswith("rule-")]

    async def held_by(self, name: str, user: str = ALICE) -> AskReply:
        """Ask the shard that a worker has left behind."""
        number = partition_of(user, PARTITIONS)
        shard = await Shard.open(self.folder / name / f"{number}.db")
        try:
            query = Ask(context=["c"], include_evidence=True)
            return await answering.ask(Partition(number, shard, ActiveModels(1)), query, user)
        finally:
            await shard.close()
