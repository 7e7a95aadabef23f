"""Rules on a running worker: told evidence becomes told evidence, in order and once; what fails is reported."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from bus import rejections
from schemas.commands import DeleteApp, DeleteRule, RegisterApp, Tell
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.limits import MAX_PER_CAUSE
from schemas.queries import ListRules
from schemas.replies import Rejection, RulesReply
from tests.actors.serving import DEADLINE_S, Llum, serving
from tests.waiting import eventually


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as one:
        yield one


async def rejected(llum: Llum, user: str = "alice", app: str | None = None) -> list[Rejection]:
    async def there() -> list[Rejection]:
        return await rejections.read(llum.bus, user, app)

    return list(await eventually(there))


async def test_a_tell_fires_a_tell(llum: Llum) -> None:
    """The derived evidence names the rule and its app, and has the type that the rule says."""
    await llum.make_person("alice", "a", "b")
    token = await llum.subscribe("a", "<./c/a> ~ 'y' : TELL ./c/b, inferred:<./c/a>")
    await llum.tell("a", "yes")
    await llum.tell("a", "no")
    await llum.tell("a", "yep")
    await llum.until("b", ["yes", "yep"])
    (piece, _) = await llum.evidence("b")
    assert (piece.source, piece.evidence_type, piece.rule) == ("llum", "inferred", token)


async def test_rules_see_the_model_as_it_was_when_they_fired(llum: Llum) -> None:
    """Many tells at once: each firing tells the value of its own tell, in their order."""
    await llum.make_person("alice", "a", "b")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:<./c/a>")
    for number in range(200):
        await llum.requests.store("alice", "llum", _tell(llum, number))
    await llum.until("b", list(range(200)))


async def test_tellchanged_tells_only_what_is_new(llum: Llum) -> None:
    """The same value again is not told again."""
    await llum.make_person("alice", "a", "b", "end")
    await llum.subscribe("a", "'' ~ '' : TELLCHANGED ./c/b, explicit:<./c/a>")
    await llum.subscribe("b", "'' ~ '' : TELL ./c/end, explicit:<./c/b>")
    for value, so_far in ((1, [1]), (1, [1]), (2, [1, 2])):
        await llum.tell("a", value)
        await llum.until("end", so_far)
    await llum.until("b", [1, 2])


async def test_a_removed_rule_fires_no_more(llum: Llum) -> None:
    """From the removal on; and a deleted app's rules are gone with it."""
    await llum.make_person("alice", "a", "b", "d")
    await llum.grant("alice", "probe")
    token = await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:1")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:2", app="probe")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/d, explicit:3")
    await llum.tell("a", 0)
    await llum.until("b", [1, 2])
    await llum.do(DeleteRule(id=llum.next_id(), context=["c"], component="a", token=token))
    await llum.do(DeleteApp(id=llum.next_id(), app="probe"))
    await llum.tell("a", 0)
    await llum.until("d", [3, 3])
    assert await llum.values("b") == [1, 2]


@pytest.mark.parametrize("app", ["probe", "llum"])
async def test_a_rule_reads_and_tells_another_person_where_granted(llum: Llum, app: str) -> None:
    """Granted to the rules of this app in that model. An owner app needs that, too: its own rights do not count."""
    await llum.make_person("alice", "a")
    await llum.make_person("bob", "place", "seen")
    await llum.grant("alice", "probe")
    await llum.do(RegisterApp(id=llum.next_id(), app="probe"), "bob")
    await llum.grant_rules("bob", app, of="alice", ask=True, tell=True)
    await llum.tell("place", "home", "bob")
    await llum.subscribe("a", "<bob/c/place> ~ 'home' : TELL bob/c/seen, inferred:<./c/a>", app=app)
    await llum.tell("a", "hello")
    await llum.until("seen", ["hello"], "bob")
    (piece,) = await llum.evidence("seen", "bob")
    assert (piece.source, piece.owner) == (app, "bob")


@pytest.mark.parametrize("app", ["probe", "llum"])
async def test_no_grant_no_value(llum: Llum, app: str) -> None:
    """Bob lets the app do all, Eve lets its rules in Mallory's model: a rule in Alice's gets nothing of either.

    It fails, is reported to its owner, and tells nothing. An owner app is that of many people, so its right ends at
    the rule's own model.
    """
    await llum.make_person("alice", "a", "b")
    await llum.grant("alice", "probe")
    for user in ("bob", "eve"):
        await llum.make_person(user, "secret")
        await llum.grant(user, "probe", ask=user == "bob", tell=user == "bob")
        await llum.tell("secret", "x", user)
    await llum.grant_rules("eve", app, of="mallory", ask=True, tell=True)
    for user in ("bob", "eve"):
        await llum.subscribe("a", f"'' ~ '' : TELL ./c/b, inferred:<{user}/c/secret>", app=app)
        await llum.subscribe("a", f"'' ~ '' : TELL {user}/c/secret, inferred:'y'", app=app)
        await llum.subscribe("a", f"'' ~ '' : TELLCHANGED {user}/c/secret, inferred:'y'", app=app)
    await llum.tell("a", 1)
    reports = await _reported(llum, 6)
    assert {one.error.code for one in reports} == {Code.PERMISSION_DENIED}
    assert {(one.user, one.app, one.verb) for one in reports} == {("alice", app, "rule")}
    assert await llum.values("b") == []
    for user in ("bob", "eve"):
        assert await llum.values("secret", user) == ["x"]


async def test_a_grant_to_tell_is_none_to_ask(llum: Llum) -> None:
    """Nor does what Bob grants reach beyond the place that he grants it for."""
    await llum.make_person("alice", "a", "b")
    await llum.make_person("bob", "place")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    await llum.subscribe("a", "<bob/c/place> ~ '' : TELL ./c/b, inferred:1")
    await llum.subscribe("a", "'' ~ '' : TELL bob/d/place, inferred:2")
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/place, inferred:3")
    await llum.tell("a", 1)
    await llum.until("place", [3], "bob")
    assert {one.error.code for one in await _reported(llum, 2)} == {Code.PERMISSION_DENIED}
    assert await llum.values("b") == []


async def test_a_rule_that_lost_a_right_is_suspended_and_reported(llum: Llum) -> None:
    """The tell that would fire it suspends it; the owner's rule on the same component fires."""
    await llum.make_person("alice", "a", "b")
    await llum.grant("alice", "probe")
    token = await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:'probe'", app="probe")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    await llum.tell("a", 1)
    await llum.until("b", ["probe", 1])
    await llum.grant("alice", "probe", ask=False)
    await llum.tell("a", 2)
    await llum.until("b", ["probe", 1, 2])
    (report,) = await _reported(llum, 1)
    assert (report.app, report.verb, report.error.code) == ("probe", "rule", Code.PERMISSION_DENIED)
    assert token in report.error.message
    reply = await llum.requests.ask("alice", "llum", ListRules(context=["c"]), DEADLINE_S)
    assert isinstance(reply, RulesReply)
    assert reply.rules["a"][token].suspended == "no_right"


async def test_a_rule_that_fails_holds_up_no_other(llum: Llum) -> None:
    """A pattern that is none, a path without a value, a refused value: each is reported, the rule after them fires."""
    await llum.make_person("alice", "a", "b", "pattern", "empty")
    await llum.tell("pattern", "(")
    await llum.subscribe("a", "'a' ~ <./c/pattern> : TELL ./c/b, explicit:1")
    await llum.subscribe("a", "<./<./c/empty>/x> ~ '' : TELL ./c/b, explicit:2")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/nowhere, explicit:3")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, explicit:4")
    await llum.tell("a", 0)
    await llum.until("b", [4])
    codes = {one.error.code for one in await _reported(llum, 3)}
    assert codes == {Code.BAD_RULE, Code.BAD_PATH, Code.NO_SUCH_COMPONENT}


async def test_a_cycle_ends_and_is_reported(llum: Llum) -> None:
    """A rule that triggers itself stops after so many rounds, and the owner learns why."""
    await llum.make_person("alice", "a")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/a, inferred:<./c/a>")
    await llum.tell("a", 1)
    (report,) = await _reported(llum, 1)
    assert report.error.code is Code.RULE_LIMIT
    assert len(await llum.evidence("a")) == 65


async def test_an_explosion_ends_and_is_reported(llum: Llum) -> None:
    """Rules that fire many of themselves stop at a number of commands for one cause."""
    await llum.make_person("alice", "a")
    for _ in range(12):
        await llum.subscribe("a", "'' ~ '' : TELL ./c/a, inferred:1")
    await llum.tell("a", 1)
    reports = await rejected(llum)

    async def settled() -> bool:
        nonlocal reports
        before, reports = len(reports), await rejections.read(llum.bus, "alice", limit=10_000)
        return before == len(reports) and len(await llum.evidence("a")) == MAX_PER_CAUSE + 1

    await eventually(settled)
    assert {one.error.code for one in reports} == {Code.RULE_LIMIT}
    assert len(reports) < 20


async def test_a_long_chain_and_many_rules(llum: Llum) -> None:
    """Two hundred rules on one component, and a chain of fifty."""
    names = [f"n{number}" for number in range(51)]
    await llum.make_person("alice", *names, "a", "b")
    for name, following in pairwise(names):
        await llum.subscribe(name, f"'' ~ '' : TELL ./c/{following}, inferred:<./c/{name}>")
    for number in range(200):
        await llum.subscribe("a", f"<./c/a> ~ 'go' : TELL ./c/b, inferred:{number}")
    await llum.tell("n0", "on")
    await llum.tell("a", "go")
    await llum.until("n50", ["on"])
    await llum.until("b", list(range(200)))


async def _reported(llum: Llum, count: int) -> list[Rejection]:
    async def enough() -> list[Rejection]:
        reports = await rejections.read(llum.bus, "alice")
        return reports if len(reports) >= count else []

    reports = await eventually(enough)
    assert len(reports) == count
    return list(reports)


def _tell(llum: Llum, value: object) -> Tell:
    return Tell(id=llum.next_id(), context=["c"], component="a", evidence=NewEvidence(value=value))
