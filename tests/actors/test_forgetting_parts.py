"""Forgetting a part of a person: in the shard nothing of it is left, and all else is as it was.

What is left is said anew in chunks. With the last one the person is what the chunks say, whichever of the earlier
messages a shard that is made anew still meets.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from actors.rewriting import Saying
from actors.store import part_sql
from actors.store.shard import Shard
from schemas.apps import RESTATING_APP
from schemas.causes import Cause
from schemas.codec import encode
from schemas.commands import (
    Derive,
    Forget,
    MakeModel,
)
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.parts import ForgetPart, MeasurePartReply, PartSize
from schemas.queries import Ask, Export, Grants, MeasurePart
from schemas.replies import Accepted, Refused
from schemas.slices import Slice
from tests.actors import histories
from tests.actors.parting import MARKER, SMALL, World, live, told
from tests.effort import EFFORT

START = histories.START_US / 1e6


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    world = World(tmp_path)
    await world.open()
    yield world
    await world.close()


COMPONENT = ForgetPart(id="part", context=["a"], component=MARKER)


async def otherwise(world: World, seqs: Sequence[int]) -> list[Any]:
    """All that is asked of the rest, now and in the past."""
    replies = [
        await world.ask(Ask(context=["a"], view=["a", "b"], include_evidence=True, explain=True, **past))
        for past in [{}, *({"as_of_seq": seq} for seq in seqs)]
    ]
    replies.append(await world.ask(Export(context=["b"])))
    for reply in replies:
        reply.seq = 0
    return [_without_goals(msgspec.json.decode(encode(reply))) for reply in replies]


def _without_goals(value: Any) -> Any:
    """Leave out what names the component that goes."""
    if isinstance(value, dict):
        return {name: _without_goals(member) for name, member in value.items() if name != "goals"}
    return [_without_goals(one) for one in value] if isinstance(value, list) else value


async def test_what_named_the_component_names_it_no_longer(world: World) -> None:
    """Views and goals, in all versions; rules of other components are left to their apps."""
    await live(world)
    await world.accept(COMPONENT)
    view = await world.ask(Ask(context=["a"], view="v"))
    assert [one.path for one in view.components] == [["a", "a"]]
    reply = await world.ask(Ask(context=["a"], view=["b"], explain=True))
    assert MARKER not in encode(reply).decode()
    assert "goals" not in msgspec.to_builtins(reply.components[0]) or reply.components[0].goals == [["b", "a"]]


async def test_a_decision_says_nothing_of_the_component(world: World) -> None:
    """What was decided about other places stays, and that something was decided."""
    await live(world)
    await world.accept(COMPONENT)
    reply = await world.ask(Grants(app="other"))
    (app,) = reply.apps
    left = Slice(components=["a/b"], actions=["ask"])
    assert app.slices == [left]
    assert [(one.decision, one.granted, one.refused) for one in app.decisions] == [
        ("refused", [], []),
        ("allowed", [left], []),
    ]


async def test_nothing_is_left_of_a_forgotten_component(world: World) -> None:
    """No value, comment, name, id or word of a refusal: not in the shard's files, nor in those messages that stay."""
    await live(world)
    assert world.holds(MARKER)
    await world.accept(COMPONENT)
    await world.partition.shard.drop_outbox(world.log[-1].seq)
    await world.say_anew()
    assert not world.holds(MARKER)
    await world.erase()
    assert not world.log_holds(MARKER)
    await world.make_anew()
    assert not world.holds(MARKER)


async def test_all_else_is_as_it_was(world: World) -> None:
    """Values, reasons, the past and archives; in the shard that was there, and in one that is made from the log."""
    await live(world)
    seqs = [message.seq for message in world.log[6:12]]
    before = await otherwise(world, seqs)
    await world.accept(COMPONENT)
    for change in ("nothing", "say anew", "make anew"):
        if change == "say anew":
            await world.say_anew()
        elif change == "make anew":
            assert await world.erase()
            await world.make_anew()
        assert await otherwise(world, seqs) == before, change
    assert await world.ask(Ask(context=["a"]), "bob")


async def test_a_repeat_gets_its_first_outcome(world: World) -> None:
    """Of what is left and of what went; the same id with another command is refused as long as its id is known."""
    await live(world)
    kept, gone = told(0, "a"), told(f"{MARKER}-3", MARKER, f"{MARKER}-3", comment=MARKER)
    first = {one.id: (await world.send(one, app=app)).outcome.seq for one, app in ((kept, "probe"), (gone, "llum"))}
    await world.accept(COMPONENT)
    await world.say_anew()
    await world.erase()
    await world.make_anew()
    for one, app in ((kept, "probe"), (gone, "llum")):
        outcome = (await world.send(one, app=app)).outcome
        assert (type(outcome), outcome.repeated, outcome.seq, outcome.id) == (Accepted, True, first[one.id], one.id)
    other = told(99, "a", kept.id)
    outcome = (await world.send(other, app="probe")).outcome
    assert isinstance(outcome, Refused)
    assert outcome.error.code is Code.ID_REUSED


@pytest.mark.parametrize(
    ("part", "left"),
    [
        ({"context": ["a"], "component": "a", "seq": 5}, [1, 2, 7]),
        ({"context": ["a"], "component": "a", "seq": 5, "n": 1}, [0, 1, 2, 7]),
        ({"source": "probe"}, []),
        ({"source": "nobody"}, [0, 1, 2, 7]),
        ({"accepted_from": START + 0.007, "accepted_until": START + 0.009}, [0, 2, 7]),
        ({"held_from": START + 0.009}, [0, 1]),
        ({"source": "probe", "held_until": START + 0.009}, [2, 7]),
    ],
)  # fmt: skip
async def test_which_part_is_meant(world: World, part: dict[str, Any], left: list[int]) -> None:
    """What fulfils all that is said; the structure stays."""
    await live(world)
    await world.accept(ForgetPart(id="part", **part))
    for anew in (False, True):
        if anew:
            await world.say_anew()
            await world.erase()
            await world.make_anew()
        reply = await world.ask(Ask(context=["a"], view=["a"], include_evidence=True))
        assert [piece.value for piece in reply.components[0].evidence] == left
    reply = await world.ask(Ask(context=["a"], view=[MARKER]))
    assert not reply.failures


async def test_what_rules_have_derived_goes_along(world: World) -> None:
    """Through chains; and what a rule tells only now of a cause that has gone is refused."""
    await live(world)
    cause = await world.accept(told("cause"))
    first = await world.accept(derived(f"{MARKER}-one", cause, ["a", "a"], "b"))
    await world.accept(derived(f"{MARKER}-two", first, ["b", "a"], "a"))
    one = {"context": ["a"], "component": "a", "seq": cause}
    measured = await world.ask(MeasurePart(**one))
    assert measured.size == PartSize(evidence=1, derived=2)
    await world.accept(ForgetPart(id="part", **one))
    for anew in (False, True):
        if anew:
            await world.say_anew()
            await world.erase()
            await world.make_anew()
        reply = await world.ask(Ask(context=["b"], view=["a"], include_evidence=True))
        assert not reply.components[0].evidence
        refused = await world.send(derived(f"late-{anew}", cause, ["a", "a"], "b"))
        assert isinstance(refused.outcome, Refused)
        assert refused.outcome.error.code is Code.CAUSE_WITHDRAWN


def derived(value: str, seq: int, path: list[str], context: str) -> Derive:
    """What a rule tells because of a piece."""
    why = Cause(rule="1-0-0", root=f"alice.{seq}", depth=1, person="alice", seq=seq, path=path)
    evidence = NewEvidence(value=value)
    return Derive(id=f"rule-{value}", context=[context], component="a", evidence=evidence, cause=why)


async def test_what_would_go_is_counted(world: World) -> None:
    """Before and after; nothing is left then."""
    await live(world)
    query = MeasurePart(context=["a"], component=MARKER)
    before = await world.ask(query)
    assert isinstance(before, MeasurePartReply)
    assert before.size == PartSize(components=1, evidence=22, withdrawals=1, rules=1, permissions=2)
    assert not before.waits
    await world.accept(COMPONENT)
    after = await world.ask(query)
    assert (after.size, after.waits) == (PartSize(), True)


async def test_what_is_told_between_the_chunks_is_there(world: World) -> None:
    """The last chunk holds it; it is told once."""
    await live(world)
    await world.accept(COMPONENT)
    between = [told(f"between-{number}", "a") for number in range(5)]
    await world.say_anew(between=between)
    await world.accept(told("after", "a"))
    state = await world.state()
    await world.erase()
    await world.make_anew()
    assert await world.state() == state
    reply = await world.ask(Ask(context=["a"], view=["a"], include_evidence=True))
    values = [piece.value for piece in reply.components[0].evidence]
    assert values == [0, 1, 2, 7, *(f"between-{number}" for number in range(5)), "after"]


async def test_an_attempt_that_is_not_whole_counts_for_nothing(world: World) -> None:
    """It was left, or something of it went meanwhile: then its last chunk changes nothing."""
    await live(world)
    await world.accept(COMPONENT)
    await world.partition.commit_all()
    left = Saying("alice", SMALL)
    await world.accept(await left.chunk(world.partition.shard), app=RESTATING_APP)
    left.said()
    await world.crash()
    whole = Saying("alice")
    await world.accept(ForgetPart(id="second", source="probe"))
    chunk = await whole.chunk(world.partition.shard)
    assert chunk.last is not None
    state = (await world.state())[0]
    chunk.number = 1
    await world.accept(chunk, app=RESTATING_APP)
    assert (await world.state())[0].rows == state.rows
    assert [one.kept for one in await world.partition.shard.rewritings.all()] == [None]
    await world.say_anew()
    state = await world.state()
    await world.erase()
    await world.make_anew()
    assert await world.state() == state


async def test_a_person_who_is_forgotten_takes_all_of_it_along(world: World) -> None:
    """Chunks that wait for others, and what is still to be done."""
    await live(world)
    await world.accept(COMPONENT)
    await world.partition.commit_all()
    attempt = Saying("alice", SMALL)
    await world.accept(await attempt.chunk(world.partition.shard), app=RESTATING_APP)
    await world.accept(Forget(id="forget"))
    await world.partition.shard.drop_outbox(world.log[-1].seq)
    assert await world.partition.shard.rewritings.all() == []
    assert not world.holds("alice")


async def test_only_llum_itself_says_anew(world: World) -> None:
    """An owner's app may not: it would write a history."""
    await live(world)
    chunk = await Saying("alice").chunk(world.partition.shard)
    settled = await world.send(chunk)
    assert isinstance(settled.outcome, Refused)
    assert settled.outcome.error.code is Code.PERMISSION_DENIED


@pytest.mark.parametrize(
    "part", [{}, {"seq": 3}, {"context": ["a"]}, {"context": ["a"], "component": "a", "n": 3}, {"held_from": 1e300}]
)
async def test_a_part_must_be_named(world: World, part: dict[str, Any]) -> None:
    """By a component, an app or a period; a number alone names nothing."""
    await live(world)
    for app, code in (("llum", Code.BAD_FIELD), ("probe", Code.PERMISSION_DENIED)):
        settled = await world.send(ForgetPart(id=f"part-{app}", **part), app=app)
        assert isinstance(settled.outcome, Refused)
        assert settled.outcome.error.code is code


def test_all_columns_are_said_anew() -> None:
    """A column that a table gets must be in `TABLES`, or be lost with the earlier messages."""
    own = {"user_key", "digest", "era"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.db"

        async def made() -> None:
            shard = await Shard.open(path)
            await shard.count_state()
            await shard.close()

        asyncio.run(made())
        with closing(sqlite3.connect(path)) as connection:
            for table, columns in part_sql.TABLES.items():
                there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
                assert there - own == set(columns), table
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    others = {"meta", "user", "structure", "outbox", "cause", "held", "restated", "rewriting"}
    assert tables == others | set(part_sql.TABLES)


parts = st.sampled_from(
    [
        {"context": ["a"], "component": "a"},
        {"context": ["b"], "component": "a"},
        {"source": "probe"},
        {"context": ["a"], "component": "b", "source": "llum"},
        {"held_until": histories.START_US / 1e6},
        {"accepted_from": START + 0.01, "accepted_until": START + 0.03},
    ]
)
steps = st.lists(st.tuples(st.sampled_from(histories.SENDERS), st.sampled_from(histories.APPS), histories.commands))
well = st.lists(st.integers(0, 3), max_size=10)


@settings(max_examples=15 * EFFORT, deadline=None, print_blob=True, report_multiple_bugs=False, phases=[Phase.generate])
@given(before=steps, told_well=well, part=parts, between=steps, after=steps, data=st.data())
def test_a_shard_made_anew_is_the_same(
    before: list[Any], told_well: list[int], part: dict[str, Any], between: list[Any], after: list[Any], data: Any
) -> None:
    """Whatever was told before, between and after, and whichever of the erased messages is still there."""

    async def scenario(folder: Path) -> None:
        world = World(folder)
        await world.open()
        try:
            await world.accept(MakeModel(id="make", definition=histories.DEFINITION), "alice", "_admin")
            for number, value in enumerate(told_well):
                await world.accept(told(value, "a", f"well-{number}"))
            for user, app, command in before:
                await world.send(command, user, app)
            await world.accept(ForgetPart(id="part", **part))
            await world.say_anew(between=[command for _, _, command in between])
            for user, app, command in after:
                await world.send(command, user, app)
            state = await world.state()
            old = [message.seq for message in world.log]
            keep = data.draw(st.sets(st.sampled_from(old)))
            await world.erase(keep=keep)
            await world.make_anew()
            assert await world.state() == state
            await world.erase()
            await world.make_anew()
            assert await world.state() == state
        finally:
            await world.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder)))
