"""Tells whose senders wait for the rules: the next ask sees what these have done. Nobody waits for anybody else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors import chains
from actors.effects import rule_values
from actors.worker import Worker
from bus.subjects import partition_of
from schemas.commands import Correct, RegisterApp, Tell
from schemas.evidence import NewEvidence
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
from tests.actors.serving import PARTITIONS, Llum, serving
from tests.waiting import eventually

CAROL = next(name for name in map("carol{}".format, range(9)) if partition_of(name, PARTITIONS) == HERS)


@pytest.fixture(autouse=True)
def never_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting ends because its time is over, however slow the machine."""
    monkeypatch.setattr(chains, "WITHIN_S", 3600.0)
    monkeypatch.setattr(rule_values, "FOREIGN_ATTEMPTS", 10_000)


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as one:
        yield one


async def test_the_next_ask_sees_what_a_rule_told(llum: Llum) -> None:
    """At the first look; the outcome says up to where all is applied."""
    await llum.make_person(ALICE, "gender", "firstname", "name")
    await llum.tell("name", "Al")
    await llum.subscribe("gender", "<./c/gender> ~ '.*' : TELL ./c/firstname, explicit:<./c/name>")
    for count in range(1, 6):
        outcome = await llum.settle("gender", "f")
        assert outcome.settled
        assert await llum.values("firstname") == ["Al"] * count
        assert outcome.settled_seq == (await llum.evidence("firstname"))[-1].seq > outcome.seq


async def test_the_next_ask_sees_what_a_chain_told(llum: Llum) -> None:
    """To its end, and what a correction sets off, too."""
    await llum.make_person(ALICE, "a", "b", "d")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    await llum.subscribe("b", "'' ~ '' : TELL ./c/d, explicit:<./c/b>")
    await llum.settle("a", 1)
    assert await llum.values("d") == [1]
    await llum.settled(Correct(id=llum.next_id(), context=["c"], component="a", value=2))
    assert await llum.values("d") == [1, 2]


async def test_rules_that_tell_nothing_or_fail_are_waited_for_too(llum: Llum) -> None:
    """No match, a refused value, a pattern that is none: all has ended when the outcome comes."""
    await llum.make_person(ALICE, "a", "pattern")
    await llum.tell("pattern", "(")
    for statement in (
        "<./c/a> ~ 'x' : TELL ./c/a, explicit:1",
        "'' ~ '' : TELL ./c/nowhere, explicit:1",
        "'a' ~ <./c/pattern> : TELL ./c/a, explicit:1",
    ):
        await llum.subscribe("a", statement)
    outcome = await llum.settle("a", "y")
    assert (outcome.settled_seq, outcome.settled) == (outcome.seq, True)


async def test_a_cycle_is_waited_for_until_it_is_refused(llum: Llum) -> None:
    """A rule that sets off itself ends at its bound."""
    await llum.make_person(ALICE, "a")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/a, inferred:<./c/a>")
    outcome = await llum.settle("a", 1)
    assert outcome.settled
    assert len(await llum.evidence("a")) == 65


async def test_a_repeat_gets_the_first_outcome(llum: Llum) -> None:
    """With what is known of its rules, as long as the worker remembers."""
    await llum.make_person(ALICE, "a", "b")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    command = Tell(id="chosen", context=["c"], component="a", evidence=NewEvidence(value=1))
    first, again = await llum.settled(command), await llum.settled(command)
    assert (again.seq, again.settled_seq, again.settled) == (first.seq, first.settled_seq, True)
    assert again.repeated
    assert await llum.values("b") == [1]


async def test_other_models_and_notices_are_not_waited_for(host: Host) -> None:
    """Nobody serves Bob's model, and nobody takes the notice: the outcome comes, with what the other rule told."""
    await _two_people(host)
    llum = host.llum
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/x, explicit:1", app="probe")
    await llum.subscribe("a", "'' ~ '' : NOTIFY 'http://127.0.0.1:9/'")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    assert (await llum.settle("a", 1)).settled
    assert await llum.values("b") == [1]


async def test_a_firing_that_waits_holds_up_nobody_else(host: Host) -> None:
    """Alice's rule wants a value of Bob's, whom nobody serves. Carol's rules go on, in the same partition.

    Once Bob is served, hers have told in the order of the tells.
    """
    await _two_people(host)
    llum = host.llum
    await llum.make_person(CAROL, "a", "b")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>", CAROL)
    await llum.subscribe("a", "<bob/c/x> ~ '' : TELL ./c/b, explicit:<./c/a>", app="probe")
    for number in range(3):
        await llum.tell("a", number)
    await llum.settle("a", "carol's", CAROL)
    assert await llum.values("b", CAROL) == ["carol's"]
    assert await llum.values("b") == []
    await (await host.worker("two")).add(HIS)
    await llum.until("b", [0, 1, 2])


async def test_a_worker_that_stops_lets_nobody_wait(host: Host) -> None:
    """The outcome comes, and says that the rules have not ended; another worker goes on with them."""
    llum = host.llum
    worker = await _two_people(host)
    await llum.subscribe("a", "<bob/c/x> ~ '' : TELL ./c/b, explicit:<./c/a>", app="probe")
    telling = asyncio.create_task(llum.settle("a", 1))

    async def applied() -> bool:
        return await llum.values("a") == [1]

    await eventually(applied)
    await worker.remove(HERS)
    outcome = await telling
    assert (outcome.settled_seq, outcome.settled) == (outcome.seq, False)
    await (await host.worker("two")).add(HERS)
    await (await host.worker("three")).add(HIS)
    await llum.until("b", [1])


async def _two_people(host: Host) -> Worker:
    """Have Alice's partition served, and Bob's only until he has granted all to the rules of the app probe in hers."""
    hers, his = await host.worker("one"), await host.worker("his")
    await hers.add(HERS)
    await his.add(HIS)
    llum = host.llum
    await llum.make_person(ALICE, "a", "b")
    await llum.make_person(BOB, "x")
    await llum.grant(ALICE, "probe")
    await llum.do(RegisterApp(id=llum.next_id(), app="probe"), BOB)
    await llum.grant_rules(BOB, "probe", of=ALICE, ask=True, tell=True)
    await his.remove(HIS)
    return hers
