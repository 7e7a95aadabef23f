"""A preview equals what then happens on a real shard, whatever of it waits for its commit."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.causes import Cause
from schemas.commands import Command, Correct, DeleteComponent, Derive, MakeModel, Tell, Withdraw
from schemas.evidence import NewEvidence
from schemas.queries import Ask, Consequences
from schemas.replies import AskReply, ConsequencesReply, Failed
from tests.actors import histories
from tests.actors.test_replay import Live
from tests.effort import EFFORT

PLACES = st.sampled_from([("a", "a"), ("a", "a"), ("b", "a")])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), PLACES, st.integers(0, 3)),
        st.tuples(st.just("follow"), PLACES, st.integers(0, 20)),
        st.tuples(st.just("follow"), PLACES, st.integers(0, 20)),
        st.tuples(st.just("correct"), PLACES, st.integers(0, 3)),
        st.tuples(st.just("withdraw"), PLACES, st.integers(0, 20)),
        st.tuples(st.just("commit"), PLACES, st.just(0)),
    ),
    min_size=3,
    max_size=20,
)


class Lived:
    """A partition with one person, to whom random things have happened."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.seq = 0
        self.told: list[tuple[tuple[str, str], int]] = []
        """Where something was told, and its sequence."""

    async def do(self, command: Command) -> None:
        self.seq += 1
        message = histories.message(self.seq, histories.START_US + self.seq, "alice", "llum", command)
        await self.live.apply([message])

    async def step(self, what: str, place: tuple[str, str], number: int) -> None:
        if what == "commit":
            await self.live.commit()
            return
        (context, name), members = place, {"id": f"i{self.seq}", "context": [place[0]], "component": place[1]}
        if what == "correct":
            await self.do(Correct(**members, value=number))
        elif what == "withdraw" and self.told:
            await self.do(self.withdrawal(number))
        elif what == "follow" and self.told:
            of, seq = self.told[number % len(self.told)]
            cause = Cause(rule="5", root=f"alice.{seq}", depth=1, seq=seq, path=list(of))
            await self.do(Derive(**members, evidence=NewEvidence(value=number), cause=cause))
        else:
            await self.do(Tell(**members, evidence=NewEvidence(value=number)))
        self.told.append(((context, name), self.seq))

    def withdrawal(self, number: int) -> Withdraw:
        (context, name), seq = self.told[number % len(self.told)]
        return Withdraw(id=f"w{self.seq}", context=[context], component=name, seq=seq)

    async def values(self) -> dict[tuple[str, ...], Any]:
        values: dict[tuple[str, ...], Any] = {}
        for context in ("a", "b"):
            reply = await self.live.ask("alice", "llum", Ask(context=[context]))
            assert isinstance(reply, AskReply), reply
            values |= {tuple(one.path): one.value for one in reply.components}
        return values


@settings(max_examples=25 * EFFORT)
@given(STEPS, st.integers(0, 20), st.booleans())
def test_a_preview_equals_what_then_happens(steps: list[Any], number: int, deletes: bool) -> None:
    """The same values change, from what to what, after a withdrawal as after a component is deleted."""

    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as folder:
            live = Live(Path(folder) / "one.db", 10)
            await live.open()
            try:
                await compare(Lived(live), steps, number, deletes)
            finally:
                await live.close()

    asyncio.run(scenario())


async def compare(lived: Lived, steps: list[Any], number: int, deletes: bool) -> None:
    await lived.do(MakeModel(id="make", definition=histories.DEFINITION))
    for what, place, given_number in [("tell", ("a", "a"), 1), *steps]:
        await lived.step(what, place, given_number)
    command: Any = DeleteComponent(id="d", context=["a"], component="a") if deletes else lived.withdrawal(number)
    preview = await lived.live.ask("alice", "llum", Consequences(command=command))
    before = await lived.values()
    await lived.do(command)
    after = await lived.values()
    if isinstance(preview, Failed):
        assert after == before
        return
    assert isinstance(preview, ConsequencesReply), preview
    changed = {tuple(one.path): (one.before, one.after) for one in preview.values}
    assert changed == {
        path: (before[path], after.get(path))
        for path in before
        if path not in after or msgspec.json.encode(before[path]) != msgspec.json.encode(after[path])
    }
