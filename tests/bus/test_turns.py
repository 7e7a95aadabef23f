"""Senders take turns with themselves: how many of one's commands are on the bus, and what becomes of the others."""

import asyncio

import pytest

from bus import turns
from bus.turns import MAX_ON_BUS, MAX_UNDER_WAY, Turns
from schemas.errors import Code, Transient
from tests.waiting import until


class Commands:
    """Commands of some senders; each is on the bus until `end`."""

    def __init__(self, made: Turns) -> None:
        self.turns = made
        self.on_bus: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, asyncio.Event] = {}

    async def send(self, sender: str, *names: str) -> None:
        """Send commands, and wait until each is on the bus or waits."""
        for name in names:
            self._ended[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(sender, name))
            await asyncio.sleep(0)

    async def end(self, *names: str) -> None:
        """End commands that are on the bus, and wait until the next ones are there."""
        for name in names:
            self._ended[name].set()
        await asyncio.gather(*(self.tasks[name] for name in names))
        await asyncio.sleep(0)

    async def _run(self, sender: str, name: str) -> None:
        if not self.turns.enter(sender):
            await self.turns.wait(sender)
        self.on_bus.append(name)
        try:
            await self._ended[name].wait()
        finally:
            self.turns.leave(sender)


NAMES = [f"c{number}" for number in range(MAX_ON_BUS + 4)]
FIRST, REST = NAMES[:MAX_ON_BUS], NAMES[MAX_ON_BUS:]


@pytest.fixture
async def commands() -> Commands:
    """Give commands of whom as many as there are names may be under way."""
    return Commands(Turns(len(NAMES), 3600.0))


async def test_few_of_a_sender_are_on_the_bus(commands: Commands) -> None:
    """The others have their turns in their order, one for each that ends."""
    await commands.send("alice", *NAMES)
    assert commands.on_bus == FIRST
    await commands.end(FIRST[3])
    assert commands.on_bus == [*FIRST, REST[0]]
    await commands.end(FIRST[0], REST[0])
    assert commands.on_bus == [*FIRST, *REST[:3]]


async def test_others_do_not_wait(commands: Commands) -> None:
    """Whatever one sender has under way."""
    await commands.send("alice", *NAMES)
    await commands.send("bob", "his")
    assert commands.on_bus == [*FIRST, "his"]


async def test_too_many_are_refused(commands: Commands) -> None:
    """With a code of its own and when to try again; once one has ended there is room for one."""
    await commands.send("alice", *NAMES)
    for _ in range(2):
        with pytest.raises(Transient) as caught:
            commands.turns.enter("alice")
        assert (caught.value.code, caught.value.retry_after_s) == (Code.TOO_FAST, 1.0)
    await commands.end(FIRST[0])
    await commands.send("alice", "one more")
    with pytest.raises(Transient):
        commands.turns.enter("alice")


async def test_who_leaves_while_it_waits_gives_up_its_place(commands: Commands) -> None:
    """The one behind it has its turn, also if it is cancelled in the moment of its own."""
    await commands.send("alice", *NAMES)
    commands.tasks[REST[0]].cancel()
    await commands.end(FIRST[0])
    assert commands.on_bus == [*FIRST, REST[1]]
    commands.tasks[REST[2]].cancel()
    await asyncio.gather(commands.tasks[REST[2]], return_exceptions=True)
    commands._ended[FIRST[1]].set()
    await asyncio.gather(commands.tasks[FIRST[1]])
    commands.tasks[REST[3]].cancel()
    await asyncio.gather(commands.tasks[REST[3]], return_exceptions=True)
    await commands.end(*FIRST[2:], REST[1])
    await commands.send("alice", *(f"d{number}" for number in range(MAX_ON_BUS + 1)))
    assert commands.on_bus[-MAX_ON_BUS:] == [f"d{number}" for number in range(MAX_ON_BUS)]


async def test_who_waits_too_long_is_told(commands: Commands) -> None:
    """It has not been sent, and has left."""
    commands.turns = Turns(MAX_ON_BUS + 1, 0.01)
    await commands.send("alice", *FIRST)
    await commands.send("alice", "late")
    await until(commands.tasks["late"].done, "the time is over")
    error = commands.tasks["late"].exception()
    assert isinstance(error, Transient)
    assert error.code is Code.UNAVAILABLE
    assert commands.turns.enter("alice") is False


async def test_without_bounds_all_wait(commands: Commands) -> None:
    """As in the SDK: none of them is refused."""
    commands.turns = Turns()
    names = [f"n{number}" for number in range(2 * MAX_UNDER_WAY)]
    await commands.send("alice", *names)
    assert commands.on_bus == names[:MAX_ON_BUS]
    await commands.end(*names)
    assert commands.on_bus == names


def test_nothing_is_kept_of_who_has_nothing_under_way() -> None:
    """Or memory would grow with every sender that there ever was."""
    made = turns.Turns()
    assert made.enter("alice")
    made.leave("alice")
    assert not made._counts
    assert not made._queues
