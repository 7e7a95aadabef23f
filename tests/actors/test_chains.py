"""Which outcomes wait for which firings."""

from typing import Any

import msgspec
import pytest

from actors import chains
from actors.chains import Chains
from actors.incoming import decode_incoming
from actors.settling import Settled
from bus.log import LogMessage
from model.changes import Fired
from schemas.codec import encode
from schemas.commands import Tell
from schemas.errors import Code, Error
from schemas.evidence import NewEvidence
from schemas.replies import Accepted, Outcome, Refused
from tests.waiting import until

INBOX = "_INBOX.first"
FIRED = Fired(("c", "a"))
ALSO_FIRED = Fired(("c", "b"), n=1)


class World:
    """Applies commands of alice in their order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Outcome]] = []
        self.chains = Chains(lambda inbox, outcome: self.said.append((inbox, outcome)))
        self._seq = 10

    def apply(self, command_id: str, *changes: Any, outcome: Outcome | None = None) -> Settled:
        """Apply a tell, and note it."""
        self._seq += 1
        tell = Tell(id=command_id, context=["c"], component="a", evidence=NewEvidence(value=1))
        message = LogMessage(self._seq, 1, 0, "llum.log.0.alice.llum.tell", encode(tell), INBOX, True)
        given = outcome or Accepted(id=command_id, seq=self._seq)
        item = Settled(decode_incoming(message), given, bool(changes), changes)
        self.chains.note(item)
        return item

    def tell(self, *changes: Any) -> Outcome | None:
        """Apply a tell whose sender waits for its rules. Without other changes its sequence is 11."""
        return self.chains.begin(self.apply("told", *changes), INBOX)

    def repeat(self, inbox: str = INBOX) -> Outcome | None:
        item = self.apply("told", outcome=Accepted(id="told", seq=11, repeated=True))
        return self.chains.begin(item, inbox)

    def ends(self, settled_seq: int, *, settled: bool = True) -> None:
        """Check that the outcome has been said, and that nothing is left."""
        assert self.said == [(INBOX, Accepted(id="told", seq=11, settled_seq=settled_seq, settled=settled))]
        assert not self.chains.awaited


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def never_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """No chain ends because its time is over, however slow the machine."""
    monkeypatch.setattr(chains, "WITHIN_S", 3600.0)


def sent(command_id: str) -> tuple[str, str, str]:
    return "alice", "llum", command_id


async def test_what_fires_nothing_is_answered_at_once(world: World) -> None:
    """It has settled with its own sequence."""
    assert world.tell() == Accepted(id="told", seq=11, settled_seq=11, settled=True)
    assert not world.chains.awaited


async def test_a_refused_command_is_answered_as_it_is(world: World) -> None:
    """It has set off nothing."""
    refused = Refused(id="told", seq=11, error=Error(Code.BAD_VALUE, "no"))
    assert world.chains.begin(world.apply("told", outcome=refused), INBOX) is refused


async def test_rules_without_effect(world: World) -> None:
    """The outcome comes when they have been decided."""
    assert world.tell(FIRED) is None
    assert not world.said
    world.chains.decided((11, 0), [])
    world.ends(11)


async def test_each_component_that_a_command_tells_is_waited_for(world: World) -> None:
    """What one has fired may be decided, and have sent nothing, before the other is looked at."""
    assert world.tell(FIRED, ALSO_FIRED) is None
    world.chains.decided((11, 0), [])
    assert not world.said
    world.chains.decided((11, 1), [sent("one")])
    assert not world.said
    world.apply("one")
    world.ends(12)


async def test_what_rules_tell_is_waited_for(world: World) -> None:
    """All of it; other commands do not count."""
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one"), sent("two")])
    world.apply("one")
    world.apply("another")
    assert not world.said
    world.apply("two")
    world.ends(14)


async def test_a_chain_is_followed_to_its_end(world: World) -> None:
    """What was told fires in its turn."""
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one")])
    world.apply("one", FIRED)
    assert not world.said
    world.chains.decided((12, 0), [sent("two")])
    world.apply("two")
    world.ends(13)


async def test_a_command_that_is_refused_or_never_sent_ends(world: World) -> None:
    """Neither adds to what the next ask must have seen."""
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one"), sent("two")])
    world.chains.given_up(sent("one"))
    world.chains.given_up(sent("one"))
    world.apply("two", outcome=Refused(id="two", seq=12, error=Error(Code.BAD_VALUE, "no")))
    world.ends(11)


async def test_a_command_that_was_sent_twice_counts_once(world: World) -> None:
    """A firing that is tried again sends its commands again."""
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one")])
    world.apply("one", FIRED)
    world.chains.decided((11, 0), [sent("one")])
    world.apply("one", outcome=Accepted(id="one", seq=12, repeated=True))
    assert not world.said
    world.chains.decided((12, 0), [])
    world.ends(12)


async def test_rules_that_take_too_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome says so when the time is over, with what was applied until then. Nothing is awaited any more."""
    monkeypatch.setattr(chains, "WITHIN_S", 0.01)
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one"), sent("two")])
    world.apply("one")
    await until(lambda: bool(world.said), "the time is over")
    world.ends(12, settled=False)
    world.apply("two")
    world.chains.decided((11, 0), [sent("three")])
    assert not world.chains.awaited


async def test_a_partition_that_leaves_lets_nobody_wait(world: World) -> None:
    """What is known is said."""
    world.tell(FIRED)
    world.chains.close()
    world.ends(11, settled=False)


async def test_a_repeat_waits_for_the_first(world: World) -> None:
    """Both are told the same; who sends the same again is told once."""
    world.tell(FIRED)
    assert world.repeat() is None
    assert world.repeat("_INBOX.second") is None
    world.chains.decided((11, 0), [])
    outcome = Accepted(id="told", seq=11, settled_seq=11, settled=True)
    assert sorted(world.said, key=lambda one: one[0]) == [(INBOX, outcome), ("_INBOX.second", outcome)]


async def test_a_repeat_is_told_what_is_known(world: World) -> None:
    """After the end it is told how that was; of a command of another time it is not known."""
    unknown = Accepted(id="told", seq=11, repeated=True, settled_seq=11)
    assert world.repeat() == unknown
    world = World()
    world.tell(FIRED)
    world.chains.decided((11, 0), [sent("one")])
    world.apply("one")
    assert world.repeat() == msgspec.structs.replace(unknown, settled_seq=12, settled=True)


async def test_what_has_left_before_is_not_waited_for(world: World) -> None:
    """After a rebuild the firings of the past are not decided again, and what they told may be still to come."""
    item = world.apply("told", FIRED)
    item.leaves = False
    assert world.chains.begin(item, INBOX) == Accepted(id="told", seq=11, settled_seq=11, settled=False)


async def test_chains_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is answered at once."""
    monkeypatch.setattr(chains, "MAX_CHAINS", 1)
    assert world.chains.begin(world.apply("first", FIRED), INBOX) is None
    outcome = world.chains.begin(world.apply("second", FIRED), INBOX)
    assert outcome == Accepted(id="second", seq=12, settled_seq=12, settled=False)
