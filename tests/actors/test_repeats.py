"""The filter of repeats: it never says no to a command that was seen, and seldom maybe to one that was not."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.keys import CommandKey, First, command_key
from actors.store.repeats import FIRST_CAPACITY, Repeats
from bus.log import LogMessage
from model.reads import Found, Read
from schemas.apps import ADMIN_APP
from schemas.commands import Command, Forget, MakeModel, Tell, Withdraw
from schemas.evidence import NewEvidence
from tests.actors import histories
from tests.actors.shards import opened
from tests.waiting import until

texts = st.text(max_size=5)
keys = st.builds(command_key, texts, texts, texts)


def numbered(count: int, app: str = "phone") -> list[CommandKey]:
    return [command_key("alice", app, str(number)) for number in range(count)]


async def paged(hashes: Sequence[int]) -> AsyncIterator[list[int]]:
    """Give hashes as a shard does, two at a time and with others' turns in between."""
    for first in range(0, len(hashes), 2):
        await asyncio.sleep(0)
        yield list(hashes[first : first + 2])


def answers(repeats: Repeats, asked: Sequence[CommandKey]) -> int:
    """Count the maybes."""
    return sum(map(repeats.maybe, asked))


@given(st.lists(keys), st.lists(keys))
async def test_what_was_seen_is_never_new(stored: list[CommandKey], added: list[CommandKey]) -> None:
    """Whether it was loaded, or added before, during or after the loading."""
    repeats = Repeats(is_complete=False)
    third = len(added) // 3
    for key in added[:third]:
        repeats.add([key.hashed])
    loading = asyncio.create_task(repeats.load(len(stored), paged([key.hashed for key in stored])))
    for key in added[third : 2 * third]:
        await asyncio.sleep(0)
        repeats.add([key.hashed])
        assert answers(repeats, added[:third]) == third
    await loading
    for key in added[2 * third :]:
        repeats.add([key.hashed])
    assert repeats.is_complete
    assert answers(repeats, stored + added) == len(stored) + len(added)


def test_growing_loses_nothing_and_stays_sharp_and_small() -> None:
    """Of new commands one in 200 is expected to be a maybe for each filter; ten times as many are too many."""
    seen = numbered(20 * FIRST_CAPACITY)
    repeats = Repeats(is_complete=True)
    for key in seen:
        repeats.add([key.hashed])
    assert answers(repeats, seen) == len(seen)
    assert answers(repeats, numbered(20_000, "tablet")) < 20_000 * 0.05
    assert repeats.size_bytes <= 6 * len(seen)


async def test_what_is_loaded_is_one_sharp_filter() -> None:
    """It has room for half as much again, at two bytes a key."""
    seen = numbered(5 * FIRST_CAPACITY)
    repeats = Repeats(is_complete=False)
    await repeats.load(len(seen), paged([key.hashed for key in seen]))
    assert answers(repeats, seen) == len(seen)
    assert answers(repeats, numbered(20_000, "tablet")) < 20_000 * 0.02
    assert repeats.size_bytes <= 3 * len(seen) + 2 * FIRST_CAPACITY


def test_before_it_is_complete_all_may_be_repeats() -> None:
    """What is not loaded yet cannot be told from what is new."""
    assert answers(Repeats(is_complete=False), numbered(100)) == 100
    assert answers(Repeats(is_complete=True), numbered(100)) == 0


async def test_what_was_added_after_a_forget_stays_when_it_is_tried_again() -> None:
    """The commit of a forget may fail and be repeated, while others' commands go on."""
    repeats = Repeats(is_complete=True)
    before, after = numbered(100, "phone"), numbered(100, "tablet")
    for key in before:
        repeats.add([key.hashed])
    repeats.empty()
    for key in after:
        repeats.add([key.hashed])
    repeats.empty()
    await repeats.load(0, paged([]))
    assert answers(repeats, after) == 100
    assert answers(repeats, before) < 10


COMMANDS = 1200
"""More than two pages of hashes."""


async def fill(partition: Partition) -> None:
    """Make models of bob and alice, and apply so many commands of alice."""
    await apply(partition, "bob", [MakeModel(id="make", definition=histories.DEFINITION)])
    await apply(partition, "alice", [MakeModel(id=str(n), definition=histories.DEFINITION) for n in range(COMMANDS)])


async def apply(partition: Partition, user: str, commands: Sequence[Command]) -> None:
    await partition.apply(messages_of(partition, commands, user))
    await partition.commit_all()


def messages_of(partition: Partition, commands: Sequence[Command], user: str = "alice") -> list[LogMessage]:
    """Give messages that come next in the log."""
    first = partition.applied_seq + 1
    return [
        histories.message(seq, histories.START_US + seq, user, "llum", command)
        for seq, command in enumerate(commands, first)
    ]


async def test_a_shard_loads_its_commands_when_something_is_first_wanted_of_it(tmp_path: Path) -> None:
    """Beside all else; at first each command may be a repeat, then only those that are."""
    async with opened(tmp_path / "3.db") as shard:
        await fill(Partition(3, shard, ActiveModels(10)))
    async with opened(tmp_path / "3.db") as shard:
        new = numbered(1000, "tablet")
        assert answers(shard.repeats, new) == 1000
        shard.repeats.add([new[0].hashed])
        await shard.load(["nobody"])
        await until(lambda: shard.repeats.is_complete, "the loading of the filter")
        assert answers(shard.repeats, numbered(COMMANDS, ADMIN_APP)) == COMMANDS
        assert shard.repeats.maybe(new[0])
        assert answers(shard.repeats, new[1:]) < 100


async def test_nothing_is_left_in_the_filter_of_who_is_forgotten(tmp_path: Path) -> None:
    """Of the person no key stays, of others all do, and so does the forget itself, which names nobody."""
    async with opened(tmp_path / "3.db") as shard:
        partition = Partition(3, shard, ActiveModels(10))
        await fill(partition)
        for key in numbered(COMMANDS, ADMIN_APP):
            shard.repeats.add([key.hashed])
        await apply(partition, "alice", [Forget(id="forget")])
        await until(lambda: shard.repeats.is_complete, "the loading of the filter")
        assert answers(shard.repeats, numbered(COMMANDS, ADMIN_APP)) < COMMANDS // 10
        assert shard.repeats.maybe(command_key("bob", ADMIN_APP, "make"))
        assert shard.repeats.maybe(command_key("alice", "llum", "forget"))


async def test_closing_ends_the_loading(tmp_path: Path) -> None:
    """A shard may be closed at once after it was opened."""
    async with opened(tmp_path / "3.db") as shard:
        await fill(Partition(3, shard, ActiveModels(10)))
    async with opened(tmp_path / "3.db") as shard:
        assert not shard.repeats.is_complete


def telling(number: int) -> Tell:
    return Tell(id=f"tell-{number}", context=["a"], component="a", evidence=NewEvidence(value=number))


async def told(partition: Partition) -> list[int]:
    """Give the values that are in the model, in their order."""
    await partition.commit_all()
    rows = await partition.shard._connection.execute_fetchall("SELECT body FROM evidence ORDER BY seq, n")
    return [msgspec.json.decode(body)["value"] for (body,) in rows]


async def test_a_commit_while_the_shard_is_asked_hides_no_repeat(tmp_path: Path) -> None:
    """The first one waits when the repeat comes, and is committed while others are looked up."""
    async with opened(tmp_path / "3.db") as shard:
        partition = Partition(3, shard, ActiveModels(10))
        await apply(partition, "alice", [MakeModel(id="make", definition=histories.DEFINITION)])
        await partition.apply(messages_of(partition, [telling(11)]))
        look_up = shard.known_commands

        async def commit_meanwhile(keys: Iterable[CommandKey]) -> dict[CommandKey, First]:
            known = await look_up(keys)
            await partition.commit_all()
            return known

        shard.known_commands = commit_meanwhile  # type: ignore[method-assign]
        shard.repeats.add([command_key("alice", "llum", "tell-12").hashed])
        settled = await partition.apply(messages_of(partition, [telling(12), telling(11)]))
        assert partition.committed_seq == 2, "the commit came in between"
        assert [one.outcome.repeated for one in settled] == [False, True]
        assert [value for value in await told(partition) if value > 10] == [11, 12]


async def test_a_commit_while_a_command_reads_hides_no_repeat(tmp_path: Path) -> None:
    """The first one and its repeat come together, with a command in between for which something is read."""
    async with opened(tmp_path / "3.db") as shard:
        partition = Partition(3, shard, ActiveModels(10))
        await apply(partition, "alice", [MakeModel(id="make", definition=histories.DEFINITION)])
        await apply(partition, "alice", [telling(number) for number in range(100)])
        read, commits = partition.stored.read, []

        async def commit_meanwhile(reads: Sequence[Read]) -> list[Found]:
            commits.append(await partition.commit())
            return await read(reads)

        partition.stored.read = commit_meanwhile  # type: ignore[method-assign]
        withdrawal = Withdraw(id="withdraw", context=["a"], component="a", seq=2)
        settled = await partition.apply(messages_of(partition, [telling(100), withdrawal, telling(100)]))
        assert any(commits), "the commit came in between"
        assert [one.outcome.repeated for one in settled] == [False, False, True]
        partition.stored.read = read  # type: ignore[method-assign]
        assert (await told(partition))[-2:] == [99, 100]
