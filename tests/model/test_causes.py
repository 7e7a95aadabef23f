"""Evidence that a rule has told goes with the evidence that fired the rule: here, further on, and elsewhere."""

from typing import Any

import pytest

from model.changes import WithdrawFurther
from model.commands import causes
from schemas.apps import RULES_APP
from schemas.causes import Cause
from schemas.commands import (
    Correct,
    DeleteComponent,
    DeleteContext,
    DeleteRule,
    Derive,
    MakeComponent,
    MakeRule,
    Tell,
    WithdrawFollowing,
)
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code
from schemas.evidence import CausingPiece, NewEvidence

from .causing import NAMES, NEVER, because, evidence, follows, given, left, tell, value, withdraw
from .given import Person


def test_what_a_rule_told_goes_with_what_fired_it() -> None:
    """In the same command. The rule's other firings stay, and what was there before counts again."""
    person = given("src")
    other = tell(person)
    follows(person, other, value=41)
    seq = tell(person)
    follows(person, seq, value=42)
    assert value(person) == 42
    person.do(withdraw(seq))
    assert value(person) == 41


def test_what_goes_says_whose_withdrawal_took_it() -> None:
    """And the piece says what it came from, by which rule, and what else the rule has read."""
    person = given("src")
    seq = tell(person)
    person.do(because(seq, read=["./T/plain", "bob/Location/place"]))
    person.do(withdraw(seq))
    (piece,) = evidence(person)
    assert piece.cause is not None
    assert (piece.rule, piece.cause.seq, piece.cause.n, piece.cause.path) == ("7", seq, 0, ["T", "src"])
    assert piece.cause.read == ["./T/plain", "bob/Location/place"]
    assert piece.withdrawn is not None
    assert (piece.withdrawn.by, piece.withdrawn.cause) == ("llum", CausingPiece(seq=seq))


def test_chains_go_to_their_end() -> None:
    """However many rules lie between."""
    person = given("src", "der", "third")
    seq = tell(person)
    second = follows(person, seq)
    third = follows(person, second, "der", "third")
    follows(person, third, "third", "plain")
    person.do(withdraw(seq))
    assert [value(person, name) for name in NAMES] == [None] * 4


def test_only_what_comes_after_goes() -> None:
    """Withdrawing what followed leaves its cause as it is."""
    person = given("src", "der")
    seq = tell(person)
    second = follows(person, seq)
    follows(person, second, "der", "third")
    person.do(withdraw(second, "der"))
    assert [value(person, name) for name in ("src", "der", "third")] == [1, None, None]


def test_a_withdrawn_correction_takes_what_followed_from_it() -> None:
    """It is evidence as any other."""
    person = given("src")
    person.do(Correct(id="c", context=["T"], component="src", value=5))
    seq = person.seq
    follows(person, seq)
    person.do(withdraw(seq))
    assert value(person) is None


def test_a_correction_of_the_cause_takes_nothing() -> None:
    """It replaces no evidence: whoever wants that withdraws it."""
    person = given("src")
    seq = tell(person)
    follows(person, seq)
    person.do(Correct(id="c", context=["T"], component="src", value=5))
    assert value(person) == 42


@pytest.mark.parametrize("rule_is_there", [True, False])
def test_the_rule_itself_does_not_matter(rule_is_there: bool) -> None:
    """What it told goes, whether or not it has been deleted since."""
    person = given()
    token = person.do(MakeRule(id="r", context=["T"], component="src", statement=NEVER)).result
    seq = tell(person)
    follows(person, seq)
    if not rule_is_there:
        person.do(DeleteRule(id="d", context=["T"], component="src", token=token))
    person.do(withdraw(seq))
    assert value(person) is None


def test_deleting_the_component_of_causes_takes_all_that_followed() -> None:
    """From each of its pieces, and what followed further on."""
    person = given("src", "der")
    for _ in range(3):
        follows(person, follows(person, tell(person)), "der", "third")
    person.do(DeleteComponent(id="d", context=["T"], component="src"))
    assert [value(person, name) for name in ("der", "third")] == [None, None]


def test_deleting_a_context_takes_what_followed_outside_it() -> None:
    """What is in it is gone anyway."""
    person = Person(
        ModelDefinition(
            contexts=[
                ContextDefinition(path=["T"], components=[ComponentDefinition(name="far", value_type="number")]),
                *(
                    ContextDefinition(
                        path=path,
                        components=[ComponentDefinition(name="src", value_type="number", rules=[NEVER])],
                    )
                    for path in (["A"], ["A", "B"])
                ),
            ]
        )
    )
    person.do(Tell(id="t", context=["A"], component="src", evidence=NewEvidence(value=1)))
    first = person.seq
    fired = Cause(rule="7", root="alice.1", depth=1, seq=first, path=["A", "src"])
    person.do(Derive(id="t", context=["A", "B"], component="src", evidence=NewEvidence(value=2), cause=fired))
    fired = Cause(rule="7", root="alice.1", depth=2, seq=person.seq, path=["A", "B", "src"])
    person.do(Derive(id="t", context=["T"], component="far", evidence=NewEvidence(value=3), cause=fired))
    assert value(person, "far") == 3
    person.do(DeleteContext(id="d", context=["A"]))
    assert value(person, "far") is None


def test_what_is_told_after_its_cause_has_gone_is_refused() -> None:
    """The order of the two does not matter: there is nothing afterwards."""
    person = given("src")
    gone, kept = tell(person), tell(person)
    person.do(withdraw(gone))
    assert person.refuses(because(gone)).code is Code.CAUSE_WITHDRAWN
    follows(person, kept)
    assert value(person) == 42


@pytest.mark.parametrize("anew", [True, False])
def test_a_cause_in_a_deleted_component_has_gone(anew: bool) -> None:
    """Also when there is a component of that name again."""
    person = given("src")
    seq = tell(person)
    person.do(DeleteComponent(id="d", context=["T"], component="src"))
    if anew:
        remake(person)
    assert person.refuses(because(seq)).code is Code.CAUSE_WITHDRAWN


def remake(person: Person) -> None:

    person.do(
        MakeComponent(
            id="m", context=["T"], component=ComponentDefinition(name="src", value_type="number", rules=[NEVER])
        )
    )


def test_a_cause_that_was_never_there_is_refused_where_it_is_looked_for() -> None:
    """Only llum names causes; whoever makes one up gets nothing by it."""
    person = given("src")
    person.do(withdraw(tell(person)))
    assert person.refuses(because(3)).code is Code.CAUSE_WITHDRAWN
    assert person.refuses(because(person.seq + 5)).code is Code.BAD_FIELD


def test_nobody_learns_from_causes_what_is_there() -> None:
    """An app that may not ask a component gets the same answer, whatever has become of its evidence."""
    person = given("src")
    person.register("probe", ask=False, tell=True)
    person.permit("probe", "T", ask=False, tell=True)
    kept, gone = tell(person), tell(person)
    person.do(withdraw(gone))
    errors = [person.refuses(because(seq, cause), "probe") for seq in (kept, gone) for cause in ("src", "nothing")]
    assert {error.code for error in errors} == {Code.PERMISSION_DENIED}


def test_other_apps_do_not_see_causes() -> None:
    """They name components and people that an app may know nothing of."""
    person = given("src")
    person.register("probe", ask=True)
    seq = tell(person)
    person.do(because(seq, read=["bob/Location/place"]))
    (shown,) = evidence(person, app="probe")
    explained = person.answer_at("T", "der", "probe", explain=True).explanation
    assert explained is not None
    assert (shown.rule, shown.cause, explained.used[0].cause) == ("7", None, None)
    tell(person, "der")
    explained = person.answer_at("T", "der", "probe", explain=True).explanation
    assert explained is not None
    assert [one.cause for reason in explained.left_out for one in reason.examples] == [None]


def test_explaining_says_that_the_reason_was_withdrawn() -> None:
    """It is told apart from what somebody has withdrawn by itself."""
    person = given("src")
    seq = tell(person)
    follows(person, seq)
    own = tell(person, "der")
    person.do(withdraw(own, "der"))
    person.do(withdraw(seq))
    explained = person.answer_at("T", "der", explain=True).explanation
    assert explained is not None
    assert {reason.reason: reason.count for reason in explained.left_out} == {"withdrawn": 1, "cause_withdrawn": 1}


def test_a_component_without_rules_has_nothing_looked_for() -> None:
    """Neither when it is deleted, nor beyond the piece itself when that is withdrawn."""
    person = given()
    asked: list[Any] = []
    seq = tell(person)
    follow, person.store.follow = person.store.follow, lambda wanted: asked.append(wanted) or []  # type: ignore[method-assign]
    person.do(withdraw(seq))
    person.do(DeleteComponent(id="d", context=["T"], component="src"))
    assert not asked
    person.store.follow = follow  # type: ignore[method-assign]


def test_more_than_one_command_withdraws_is_withdrawn_by_further_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each goes on where the one before has ended. In the end all has gone, each piece once."""
    monkeypatch.setattr(causes, "MAX_TOGETHER", 3)
    person = given("src", "der")
    told = [follows(person, follows(person, tell(person)), "der", "third") for _ in range(7)]
    assert len(told) == 7
    changes = person.do(DeleteComponent(id="d", context=["T"], component="src")).changes
    rounds = 0
    while further := left(changes, WithdrawFurther):
        assert len(further) == 1
        rounds += 1
        command = WithdrawFollowing(id=f"f{rounds}", origins=list(further[0].origins), by=further[0].by)
        changes = person.do(command, RULES_APP).changes
    assert rounds >= 4
    assert [value(person, name) for name in ("der", "third")] == [None, None]
    assert len(person.store.marks) == len({mark.withdrawn for mark in person.store.marks}) == 14
    assert all(b'"by":"llum"' in mark.withdrawn.body for mark in person.store.marks)


def test_only_llum_goes_on_with_a_withdrawal() -> None:
    """An owner's app withdraws evidence by its name."""
    person = given("src")
    assert person.refuses(WithdrawFollowing(id="f", origins=[])).code is Code.PERMISSION_DENIED
