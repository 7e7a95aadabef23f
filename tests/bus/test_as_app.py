"""Speaking to one person's model as one app."""

from dataclasses import dataclass, field

import pytest

from bus.as_app import AsApp, LastWrites
from schemas.causes import Cause
from schemas.commands import Command, Derive, Forget, MakeComponent, Tell
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Error, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.queries import Access, Query
from schemas.replies import Accepted, AccessReply, Outcome, Refused, Reply


@dataclass
class Worker:
    """Gives laid-out outcomes, and remembers what it was asked."""

    outcomes: list[Outcome] = field(default_factory=list)
    queries: list[tuple[str, str, Query]] = field(default_factory=list)

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        return self.outcomes.pop(0)

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        self.queries.append((user, app, query))
        return AccessReply(seq=1, role="app", registration=1)


def accepted(seq: int) -> Accepted:
    return Accepted(id="x", seq=seq)


def refused(code: Code) -> Refused:
    return Refused(id="x", seq=9, error=Error(code, "no"))


async def test_an_ask_sees_what_the_app_has_written() -> None:
    """The sequence of the last accepted command goes with the next query."""
    worker = Worker([accepted(41), accepted(42)])
    alice = AsApp(worker, "alice", "kitchen", LastWrites())

    await alice.send(Forget(id="x"))
    await alice.send(Forget(id="x"))
    await alice.ask(Access())

    assert worker.queries == [("alice", "kitchen", Access(min_seq=42))]
    assert alice.last_seq == 42


async def test_an_ask_sees_what_rules_have_done_with_a_command() -> None:
    """If its sender has waited for them, the last sequence of what they told counts; an outcome may lack it."""
    worker = Worker([Accepted(id="x", seq=41, settled_seq=44, settled=True), accepted(43)])
    alice = AsApp(worker, "alice", "kitchen", LastWrites())

    await alice.send(Forget(id="x"), settle=True)
    assert alice.last_seq == 44
    await alice.send(Forget(id="x"), settle=True)
    assert alice.last_seq == 44


async def test_a_sequence_that_is_named_stands() -> None:
    """Who names what the answer must have seen, knows better: it is left alone."""
    worker = Worker([accepted(41)])
    alice = AsApp(worker, "alice", "kitchen", LastWrites())

    await alice.send(Forget(id="x"))
    await alice.ask(Access(min_seq=7))

    assert worker.queries == [("alice", "kitchen", Access(min_seq=7))]


async def test_writes_are_shared_by_those_who_share_their_memory() -> None:
    """Another who speaks as the same app for the same person sees them; another app or person does not wait."""
    worker, writes = Worker([accepted(41)]), LastWrites()

    await AsApp(worker, "alice", "kitchen", writes).send(Forget(id="x"))

    assert AsApp(worker, "alice", "kitchen", writes).last_seq == 41
    assert AsApp(worker, "alice", "garden", writes).last_seq is None
    assert AsApp(worker, "bob", "kitchen", writes).last_seq is None


async def test_a_refused_command_raises_and_leaves_nothing_to_see() -> None:
    """The error's code says whether it is the caller's fault or may pass."""
    alice = AsApp(Worker([refused(Code.NO_SUCH_CONTEXT), refused(Code.INTERNAL)]), "alice", "kitchen", LastWrites())

    with pytest.raises(Refusal) as refusal:
        await alice.send(Forget(id="x"))
    with pytest.raises(Transient):
        await alice.send(Forget(id="x"))

    assert refusal.value.code is Code.NO_SUCH_CONTEXT
    assert alice.last_seq is None


def test_an_older_sequence_does_not_move_back() -> None:
    """A repeated command is answered with its first, older, sequence."""
    writes = LastWrites()
    writes.note(("alice", "probe"), 7)
    writes.note(("alice", "probe"), 3)
    assert writes.seq_of(("alice", "probe")) == 7


def test_the_memory_is_bounded() -> None:
    """The writer that has not written for longest is forgotten."""
    writes = LastWrites(bound=2)
    for name in ("a", "b", "a", "c"):
        writes.note((name, "app"), 1)
    assert [writes.seq_of((name, "app")) for name in "abc"] == [1, None, 1]


@pytest.mark.parametrize("name", ["correction", "withdrawn", "rule", "source", "owner"])
async def test_members_of_llums_own_are_not_sent(name: str) -> None:
    """The log takes what comes, so it is refused before; with first evidence as with any other."""
    told = NewEvidence(value=1, extra={name: True})
    tell = Tell(id="x", context=[], component="c", evidence=told)
    component = ComponentDefinition(name="c", evidence=[NewEvidence(value=1), told])
    alice = AsApp(Worker(), "alice", "kitchen", LastWrites())
    for command, place in (
        (tell, "evidence.extra"),
        (MakeComponent(id="x", context=[], component=component), "component.evidence[1].extra"),
    ):
        with pytest.raises(Refusal) as caught:
            await alice.send(command)
        assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, f"{place}.{name}")


async def test_nobody_tells_as_if_a_rule_had() -> None:
    """It would be shown with the evidence, as if llum had seen the rule fire."""
    cause = Cause(rule="7", root="a.1", depth=1)
    derived = Derive(id="x", context=[], component="c", evidence=NewEvidence(value=1), cause=cause)
    with pytest.raises(Refusal) as caught:
        await AsApp(Worker(), "alice", "kitchen", LastWrites()).send(derived)
    assert caught.value.code is Code.PERMISSION_DENIED
