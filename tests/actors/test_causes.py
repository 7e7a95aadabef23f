"""Evidence goes with its cause on a running worker: in the same model and in other people's, whatever comes first."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bus import rejections
from bus.requests import Requests
from model.commands import causes
from schemas.commands import DeleteComponent, Derive, Forget, MakeComponent, Tell, Withdraw, WithdrawFollowing
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Transient
from schemas.evidence import Evidence, NewEvidence
from schemas.following import FollowsReply
from schemas.queries import Ask, Follows
from schemas.replies import Rejection
from tests.actors.serving import DEADLINE_S, Llum, serving
from tests.waiting import eventually


@pytest.fixture
async def llum(tmp_path: Path) -> AsyncIterator[Llum]:
    async with serving(tmp_path) as one:
        yield one


def tell(llum: Llum, value: int, component: str = "a") -> Tell:
    return Tell(id=llum.next_id(), context=["c"], component=component, evidence=NewEvidence(value=value))


def withdraw(llum: Llum, seq: int, component: str = "a") -> Withdraw:
    return Withdraw(id=llum.next_id(), context=["c"], component=component, seq=seq)


async def counting(llum: Llum, component: str, user: str = "alice") -> list[int]:
    return [piece.value for piece in await llum.evidence(component, user) if piece.withdrawn is None]


async def until_counts(llum: Llum, component: str, values: list[int], user: str = "alice") -> list[Evidence]:
    """Wait until exactly these values count; give all evidence."""

    async def reached() -> bool:
        return await counting(llum, component, user) == values

    await eventually(reached, f"of {component} of {user} there count {values}")
    return await llum.evidence(component, user)


async def reported(llum: Llum, code: Code, count: int = 1) -> list[Rejection]:
    async def there() -> list[Rejection] | None:
        found = [one for one in await rejections.read(llum.bus, "alice") if one.error.code is code]
        return found if len(found) >= count else None

    return list(await eventually(there, f"{count} reports {code}"))


async def test_what_a_rule_told_goes_with_what_fired_it(llum: Llum) -> None:
    """Through a chain of rules. What another tell has brought about stays."""
    await llum.make_person("alice", "a", "b", "d")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    await llum.subscribe("b", "<./c/a> ~ '' : TELL ./c/d, inferred:<./c/b>")
    await llum.settle("a", 1)
    gone = await llum.settle("a", 2)
    await llum.do(withdraw(llum, gone.seq))
    assert [await counting(llum, name) for name in ("a", "b", "d")] == [[1]] * 3
    (_, last) = await llum.evidence("d")
    assert last.cause is not None
    assert (last.cause.path, last.cause.read) == (["c", "b"], ["./c/a"])


async def test_the_order_of_withdrawal_and_rule_does_not_matter(llum: Llum) -> None:
    """Withdrawn while its rules are still being decided: what they tell is refused, and nothing is left."""
    await llum.make_person("alice", "a", "b")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    for value in range(50):
        await llum.requests.store("alice", "llum", tell(llum, value))
    seqs = [piece.seq for piece in await _all_of(llum, "a", 50)]
    for seq in seqs[:-1]:
        await llum.requests.store("alice", "llum", withdraw(llum, seq))
    await until_counts(llum, "a", [49])
    # It fires after all others: what it brings about comes last.
    await llum.settle("a", 50)
    assert await counting(llum, "b") == [49, 50]


async def _all_of(llum: Llum, component: str, count: int) -> list[Evidence]:
    async def there() -> list[Evidence] | None:
        found = await llum.evidence(component)
        return found if len(found) == count else None

    return list(await eventually(there, f"{component} has {count} pieces"))


async def test_a_component_that_is_deleted_while_its_rules_are_decided_leaves_nothing(llum: Llum) -> None:
    """Nor does what they tell pass for what a new component of that name has fired."""
    await llum.make_person("alice", "a", "b")
    await llum.make_person("bob", "slow")
    await llum.grant_rules("bob", "llum", of="alice", ask=True)
    await llum.subscribe("a", "<bob/c/slow> ~ '' : TELL ./c/b, inferred:<./c/a>")
    for value in range(20):
        await llum.requests.store("alice", "llum", tell(llum, value))
    await llum.do(DeleteComponent(id=llum.next_id(), context=["c"], component="a"))
    made = ComponentDefinition(name="a", value_type="JSON", rules=["'' ~ '' : TELL ./c/b, inferred:'end'"])
    await llum.do(MakeComponent(id=llum.next_id(), context=["c"], component=made))
    await llum.settle("a", 1)
    assert await counting(llum, "b") == ["end"]


@pytest.mark.parametrize("deletes", [True, False])
async def test_what_was_told_another_person_goes_there(llum: Llum, deletes: bool) -> None:
    """With what their own rules have made of it. Their evidence of other causes stays."""
    await llum.make_person("alice", "a")
    await llum.make_person("bob", "seen", "further")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/seen, inferred:<./c/a>")
    await llum.subscribe("seen", "'' ~ '' : TELL ./c/further, inferred:<./c/seen>", "bob")
    await llum.tell("seen", 7, "bob")
    await llum.tell("a", 1)
    await llum.tell("a", 2)
    await llum.until("further", [7, 1, 2], "bob")
    (_, second) = await llum.evidence("a")
    if deletes:
        await llum.do(DeleteComponent(id=llum.next_id(), context=["c"], component="a"))
    else:
        await llum.do(withdraw(llum, second.seq))
    for component in ("seen", "further"):
        await until_counts(llum, component, [7] if deletes else [7, 1], "bob")


async def test_a_withdrawal_comes_after_what_it_withdraws(llum: Llum) -> None:
    """Effects of one person leave in the order of the log: nothing is told another person after it was withdrawn."""
    await llum.make_person("alice", "a")
    await llum.make_person("bob", "seen")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/seen, inferred:<./c/a>")
    first = await llum.requests.store("alice", "llum", tell(llum, 0))
    for value in range(1, 20):
        seq = await llum.requests.store("alice", "llum", tell(llum, value))
        await llum.requests.store("alice", "llum", withdraw(llum, seq))
    await llum.requests.store("alice", "llum", withdraw(llum, first))
    await llum.tell("a", 100)
    pieces = await until_counts(llum, "seen", [100], "bob")
    assert [piece.value for piece in pieces] == [*range(20), 100]


async def test_what_nobody_lets_it_withdraw_is_reported_and_stays(llum: Llum) -> None:
    """The grant does not stand any more: the rule's app is told, as of any rule that fails."""
    await llum.make_person("alice", "a")
    await llum.make_person("bob", "seen")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    token = await llum.subscribe("a", "'' ~ '' : TELL bob/c/seen, inferred:<./c/a>")
    await llum.tell("a", 1)
    await llum.until("seen", [1], "bob")
    await llum.grant_rules("bob", "llum", of="alice", tell=False)
    (piece,) = await llum.evidence("a")
    await llum.do(withdraw(llum, piece.seq))
    (report,) = await reported(llum, Code.PERMISSION_DENIED)
    assert (report.app, report.verb, report.id) == ("llum", "rule", f"rule-{report.seq}-{token}")
    assert "bob" in report.error.message
    assert await counting(llum, "seen", "bob") == [1]


async def test_more_than_one_command_withdraws_goes_by_further_ones(
    llum: Llum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the outbox, until nothing is left."""
    monkeypatch.setattr(causes, "MAX_TOGETHER", 4)
    await llum.make_person("alice", "a", "b")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    for value in range(30):
        await llum.requests.store("alice", "llum", tell(llum, value))
    await llum.until("b", list(range(30)))
    await llum.do(DeleteComponent(id=llum.next_id(), context=["c"], component="a"))
    pieces = await until_counts(llum, "b", [])
    assert {piece.withdrawn.by for piece in pieces if piece.withdrawn is not None} == {"llum"}


async def test_a_withdrawal_waits_for_a_tell_that_is_tried_again(llum: Llum, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails meanwhile, the two are stored in another person's log in the order of this one."""
    store, stored, failures = Requests.store, [], [3]

    async def failing(self: Requests, user: str, app: str, command: Any, **more: Any) -> int:
        if user == "bob":
            if failures[0] and isinstance(command, Derive):
                failures[0] -= 1
                raise Transient(Code.UNAVAILABLE, "not now")
            stored.append(type(command))
        return await store(self, user, app, command, **more)

    await llum.make_person("alice", "a")
    await llum.make_person("bob", "seen")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/seen, inferred:<./c/a>")
    monkeypatch.setattr(Requests, "store", failing)
    seq = await llum.requests.store("alice", "llum", tell(llum, 1))
    await llum.requests.store("alice", "llum", withdraw(llum, seq))
    await eventually(lambda: _has(stored, WithdrawFollowing), "the withdrawal is stored")
    (piece,) = await until_counts(llum, "seen", [], "bob")
    assert piece.withdrawn is not None
    assert (failures[0], stored) == (0, [Derive, WithdrawFollowing])


async def _has(there: list[type], wanted: type) -> bool:
    return wanted in there


async def test_forgetting_a_person_changes_nobody_else(llum: Llum) -> None:
    """What their rules told others stays there; and of them nothing is left."""
    await llum.make_person("alice", "a", "b")
    await llum.make_person("bob", "seen")
    await llum.grant_rules("bob", "llum", of="alice", tell=True)
    await llum.subscribe("a", "'' ~ '' : TELL bob/c/seen, inferred:<./c/a>")
    await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    await llum.tell("a", 1)
    await llum.until("seen", [1], "bob")
    await llum.do(Forget(id=llum.next_id()))
    await llum.tell("seen", 2, "bob")
    assert await counting(llum, "seen", "bob") == [1, 2]
    await eventually(lambda: _consequences(llum, 1), "only bob's piece remembers a cause")


async def _consequences(llum: Llum, count: int) -> bool:
    rows = 0
    for path in llum.shard_dir.glob("*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as shard:
            rows += shard.execute("SELECT count(*) FROM consequence").fetchone()[0]
    return rows == count


async def test_what_has_followed_can_be_asked(llum: Llum) -> None:
    """A value, the notice that went out and the rules that did it; and who has asked since."""
    await llum.make_person("alice", "a", "b")
    await llum.grant("alice", "probe")
    value = await llum.subscribe("a", "'' ~ '' : TELL ./c/b, inferred:<./c/a>")
    call = await llum.subscribe("a", "'' ~ '' : NOTIFY POST 'http://127.0.0.1:9/secret?of=her'")
    told = await llum.settle("a", 1)
    await llum.requests.ask("alice", "probe", Ask(context=["c"], view=["b"]), DEADLINE_S)
    query = Follows(context=["c"], component="a", seq=told.seq)

    async def noted() -> FollowsReply | None:
        reply = await llum.requests.ask("alice", "llum", query, DEADLINE_S)
        assert isinstance(reply, FollowsReply)
        return reply if reply.notices else None

    reply = await eventually(noted, "the notice is noted")
    assert [(one.path, one.value, one.rule) for one in reply.values] == [(["c", "b"], 1, value)]
    assert [(one.rule, one.method, one.url) for one in reply.notices] == [(call, "POST", "http://127.0.0.1:9")]
    assert {rule.token for rule in reply.rules} == {value, call}
    assert ("probe", ["c", "b"]) in [(row.app, row.path) for row in reply.asked]
