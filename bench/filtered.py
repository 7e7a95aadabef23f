"""Asks with an evidence filter: what the amount of evidence does to them, when the same number of pieces comes back."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from actors.driving import finish
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bench import people
from bench.failures import BenchError
from bench.figures import Result, at_most
from bench.ground import BenchGround, Benchmark
from bus.log import LogMessage
from bus.subjects import log_subject
from model.caches import Caches
from model.queries import answer
from schemas.codec import encode
from schemas.commands import Command, Tell
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer
from schemas.verbs import verb_of

BAR = 1.5
FEW_PIECES = 100
RETURNED = 10
BATCH = 1000
FIRST_US = 1_790_000_000_000_000
ASKS_PER_ROUND = 50


async def ask_last10(ground: BenchGround) -> Result:
    """Compare `last10` of a component with much evidence and of one with a hundred pieces."""
    return await _compare(ground, lambda _last_us: EvidenceFilter(name="last10"), "last10")


async def ask_recent_count(ground: BenchGround) -> Result:
    """Compare `recent_count` likewise."""
    wanted = EvidenceFilter(name="recent_count", recent_count=RETURNED)
    return await _compare(ground, lambda _last_us: wanted, "recent_count")


async def ask_since_time(ground: BenchGround) -> Result:
    """Compare `since_time` likewise, from the tenth last piece on."""

    def since(last_us: int) -> EvidenceFilter:
        return EvidenceFilter(name="since_time", since_time=(last_us - RETURNED + 1) / 1e6)

    return await _compare(ground, since, "since_time")


async def ask_held(ground: BenchGround) -> Result:
    """Compare what held half-way, of components whose evidence was told backwards: the last told held first."""
    folder, pieces = ground.new_folder("held"), max(FEW_PIECES, ground.sizes.much_evidence)
    values: list[float] = []
    limits: list[float] = []
    async with (
        _Model.opened(folder / "many.db", pieces, _tell_backwards) as many,
        _Model.opened(folder / "few.db", FEW_PIECES, _tell_backwards) as few,
    ):
        for _ in range(ground.sizes.rounds):
            limits.append(await few.seconds_per_ask(_held_half_way(FEW_PIECES), 1) * 1e6)
            values.append(await many.seconds_per_ask(_held_half_way(pieces), 1) * 1e6)
    counted = f"an ask with held_at of {pieces:,} pieces of evidence, told backwards; limit: of {FEW_PIECES}"
    return Result(at_most(BAR, "µs", values, limits), counted)


def _held_half_way(pieces: int) -> Ask:
    """Ask for the value of the piece in the middle."""
    return Ask(context=people.CONTEXT, view=[people.MANY], held_at=(FIRST_US - pieces // 2) / 1e6)


def _tell_backwards(number: int) -> Tell:
    """Tell a piece that held before all that were told before it."""
    told = people.tell_again(people.MANY, number)
    told.evidence.time = (FIRST_US - number) / 1e6
    return told


def _tell(number: int) -> Tell:
    return people.tell_again(people.MANY, number)


class _Model:
    """One partition in this process, with one model in which one component has so many pieces of evidence."""

    def __init__(self, partition: Partition, last_us: int) -> None:
        self._partition = partition
        self.last_us = last_us

    @classmethod
    @asynccontextmanager
    async def opened(cls, path: Path, pieces: int, tell: Callable[[int], Tell] = _tell) -> AsyncIterator["_Model"]:
        shard = await Shard.open(path)
        try:
            partition = Partition(0, shard, ActiveModels(10))
            made = people.making(people.definition((people.MANY,)))
            await partition.apply([_message(1, made)])
            for first in range(0, pieces, BATCH):
                numbers = range(first, min(first + BATCH, pieces))
                await partition.apply([_message(n + 2, tell(n)) for n in numbers])
                await partition.commit_all()
            yield cls(partition, FIRST_US + pieces + 1)
        finally:
            await shard.close()

    async def seconds_per_ask(self, query: Ask, returned: int = RETURNED) -> float:
        """Ask and read from the disk, past what is remembered beside the model; give the median."""
        actor = self._partition.active("alice")
        assert actor is not None
        assert actor.model is not None
        times: list[float] = []
        for _ in range(ASKS_PER_ROUND):
            began = time.perf_counter()
            work = answer(actor.model, Caches(), people.APP, query, self.last_us / 1e6)
            reads = next(work)
            assert isinstance(reads, list), "a filter reads evidence"
            reply = await finish(work, self._partition.stored, reads)
            times.append(time.perf_counter() - began)
            assert isinstance(reply, AskReply)
            _check(reply.components[0], query, returned)
        return median(times)


def _filtered(wanted: EvidenceFilter) -> Ask:
    return Ask(context=people.CONTEXT, view=[people.MANY], evidence_filter=wanted, include_evidence=True)


def _check(answer: ComponentAnswer, query: Ask, returned: int) -> None:
    """Raise unless so many pieces came back, or where none are asked for a value."""
    came = len(answer.evidence or []) if query.include_evidence else int(answer.value is not None)
    if came != returned:
        raise BenchError(f"{came} pieces came back, {returned} expected")


async def _compare(ground: BenchGround, filter_at: Callable[[int], EvidenceFilter], name: str) -> Result:
    folder, pieces = ground.new_folder(name), max(FEW_PIECES, ground.sizes.much_evidence)
    values: list[float] = []
    limits: list[float] = []
    async with _Model.opened(folder / "many.db", pieces) as many, _Model.opened(folder / "few.db", FEW_PIECES) as few:
        for _ in range(ground.sizes.rounds):
            limits.append(await few.seconds_per_ask(_filtered(filter_at(few.last_us))) * 1e6)
            values.append(await many.seconds_per_ask(_filtered(filter_at(many.last_us))) * 1e6)
    counted = f"an ask with {name} that reads {RETURNED} of {pieces:,} pieces of evidence; limit: of {FEW_PIECES}"
    return Result(at_most(BAR, "µs", values, limits), counted)


def _message(seq: int, command: Command) -> LogMessage:
    subject = log_subject(0, "alice", people.sender_of(command), verb_of(command))
    return LogMessage(seq, FIRST_US + seq, 0, subject, encode(command), None)


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "ask_last10": ask_last10,
    "ask_recent_count": ask_recent_count,
    "ask_since_time": ask_since_time,
    "ask_held": ask_held,
}
