"""Asks of recent evidence: what memory answers is what the disk would answer, and nothing of it outlives its person."""

import asyncio
import gc
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.answers import Answers
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bus.subjects import Address
from model.caches import Caches
from model.queries.ask import to_read
from model.tails import TailPiece
from schemas.apps import ADMIN_APP
from schemas.commands import Command, Correct, Forget, Import, MakeModel, Tell, Withdraw
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.queries import Ask
from schemas.replies import Reply
from tests.actors import histories

NOW_S = histories.START_US / 1e6 + 20
"""Some evidence expires at this time, some later."""

FILTERS = st.one_of(
    st.none(),
    st.builds(EvidenceFilter, name=st.sampled_from(["all", "last1", "last10", "goal"])),
    st.builds(EvidenceFilter, name=st.just("recent_count"), recent_count=st.integers(1, 4)),
    st.builds(
        EvidenceFilter,
        name=st.just("since_time"),
        since_time=st.integers(-5, 30).map(lambda step: (histories.START_US + step * 1000) / 1e6),
    ),
)
ASKS = st.builds(
    Ask,
    context=st.just(["a"]),
    view=st.sampled_from([None, ["a"]]),
    resolver=st.sampled_from([None, "recent", "goal", "count", "most_frequent"]),
    evidence_filter=FILTERS,
    include_evidence=st.booleans(),
    evidence_after=st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 30), st.integers(0, 1))),
    explain=st.booleans(),
)
OLD = st.lists(histories.imported_evidence, max_size=3).map(
    lambda pieces: Import(
        id="import",
        context=[],
        contexts=[
            ImportedContext(
                path=["a"],
                components=[
                    ImportedComponent(definition=ComponentDefinition(name="a", value_type="JSON"), evidence=pieces)
                ],
            )
        ],
    )
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Tell, id=st.just("t"), context=st.just(["a"]), component=st.just("a"), evidence=histories.evidence),
    st.builds(Tell, id=st.just("t"), context=st.just(["a"]), component=st.just("a"), evidence=histories.evidence),
    st.builds(Correct, id=st.just("c"), context=st.just(["a"]), component=st.just("a"), value=histories.values),
    st.builds(
        Withdraw,
        id=st.just("w"),
        context=st.just(["a"]),
        component=st.just("a"),
        seq=st.integers(2, 30),
        n=st.sampled_from([0, 0, 0, 1]),
    ),
    OLD,
    histories.commands,
)


class Live:
    """A partition with alice's model, applied command by command."""

    def __init__(self, shard: Shard) -> None:
        self.actives = ActiveModels(3)
        self.partition = Partition(3, shard, self.actives)
        self._answers = Answers(self.partition, lambda: NOW_S, lambda: 0)
        self.seq = 0

    async def apply(self, command: Command, app: str = "llum") -> None:
        """Apply a command under an id of its own."""
        self.seq += 1
        time_us = histories.START_US + self.seq * 1000
        command = msgspec.structs.replace(command, id=f"{self.seq}")
        await self.partition.apply([histories.message(self.seq, time_us, "alice", app, command)])

    async def ask(self, query: Ask, app: str = "llum") -> Reply:
        answer = self._answers.answer(Address(3, "alice", app, "ask"), msgspec.json.encode(query))
        return answer if isinstance(answer, msgspec.Struct) else await answer()

    async def ask_the_disk(self, query: Ask, app: str = "llum") -> Reply:
        """Ask as if nothing were remembered beside the model."""
        live = self.partition.active("alice")
        if live is None:
            return await self.ask(query, app)
        kept, live.caches = live.caches, Caches()
        try:
            return await self.ask(query, app)
        finally:
            live.caches = kept


def scenario(run: Any) -> None:
    """Run a coroutine with a partition that has a model, of which the disk keeps all that is read."""

    async def with_partition() -> None:
        with tempfile.TemporaryDirectory() as folder:
            live = Live(await Shard.open(Path(folder) / "3.db"))
            try:
                await live.apply(MakeModel(id="make", definition=histories.DEFINITION), ADMIN_APP)
                await run(live)
            finally:
                await live.partition.shard.close()

    asyncio.run(with_partition())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.one_of(COMMANDS, COMMANDS, ASKS), min_size=1, max_size=30), st.lists(ASKS, min_size=1, max_size=5))
def test_asks_are_answered_as_the_disk_would(history: list[Command | Ask], last: list[Ask]) -> None:
    """Rules, goals, corrections, imports, withdrawals and expiry in between make no difference."""

    async def run(live: Live) -> None:
        for step in [*history, *last]:
            if isinstance(step, Ask):
                for app in ("llum", "probe"):
                    expected = await live.ask_the_disk(step, app)
                    assert await live.ask(step, app) == expected
                    assert await live.ask(step, app) == expected, "what was read is remembered as it is"
            else:
                await live.apply(step)

    scenario(run)


def test_recent_evidence_is_answered_at_once_after_the_first_time() -> None:
    """An ask that finds all in memory needs no second step."""

    async def run(live: Live) -> None:
        query = Ask(context=["a"], view=["a"], evidence_filter=EvidenceFilter(name="last10"), include_evidence=True)
        tell = Tell(id="t", context=["a"], component="a", evidence=NewEvidence(value=1))
        for _ in range(12):
            await live.apply(tell)
        await live.ask(query)
        await live.apply(tell)
        answers = Answers(live.partition, lambda: NOW_S, lambda: 0)
        reply: Any = answers.answer(Address(3, "alice", "llum", "ask"), msgspec.json.encode(query))
        assert [piece.seq for piece in reply.components[0].evidence] == list(range(5, 15))

    scenario(run)


def test_a_reading_that_was_cut_short_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few large pieces do not pass for all: the next ask finds the rest on the disk."""
    monkeypatch.setattr(to_read, "MAX_REPLY_BYTES", 50)

    async def run(live: Live) -> None:
        for value in ("one", "two", "three"):
            await live.apply(Tell(id="t", context=["a"], component="a", evidence=NewEvidence(value=value)))
        first: Any = await live.ask(Ask(context=["a"], view=["a"], include_evidence=True))
        (page,) = first.components
        assert [piece.value for piece in page.evidence] == ["one"]
        assert page.evidence_more
        monkeypatch.undo()
        whole: Any = await live.ask(Ask(context=["a"], view=["a"], include_evidence=True))
        assert [piece.value for piece in whole.components[0].evidence] == ["one", "two", "three"]

    scenario(run)


def test_forgetting_leaves_no_evidence_in_memory() -> None:
    """Neither in the model that is there, nor in one that was passivated before."""

    async def run(live: Live) -> None:
        query = Ask(context=["a"], view=["a"], evidence_filter=EvidenceFilter(name="last10"), include_evidence=True)
        await live.apply(Tell(id="t", context=["a"], component="a", evidence=NewEvidence(value="a secret of alice's")))
        await live.ask(query)
        assert _secrets() == 1
        live.actives.passivate(3, "alice")
        assert _secrets() == 0
        await live.ask(query)
        assert _secrets() == 1
        await live.apply(Forget(id="f"))
        assert _secrets() == 0

    scenario(run)


def _secrets() -> int:
    """Count the pieces of evidence in memory that hold the secret; lists and dicts are tracked, pieces are not."""
    gc.collect()
    lists = [found for found in gc.get_objects() if type(found) is list]
    return sum(type(one) is TailPiece and b"a secret of alice" in one.body for found in lists for one in found)
