"""Evidence types: of evidence of another type an app learns nothing, as if it had never been told."""

from typing import Any

import pytest

from model.changes import Fired
from model.tails import Tails
from schemas.causes import Cause
from schemas.commands import Correct, Derive, MakeRule, Withdraw
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.queries import Ask, Consequences, GetContext
from schemas.recent import Room

from .given import RULE, Person

AGE: dict[str, Any] = {"context": ["Personal"], "component": "age"}
NAME: dict[str, Any] = {"context": ["Personal"], "component": "firstname"}


def given(**permission: Any) -> Person:
    """A person whose app `probe` may ask for what was inferred; the newest was not."""
    person = Person()
    person.register("probe", ask=True, types=["inferred"], **permission)
    person.tell("age", 1, evidence_type="inferred")
    person.tell("age", 2)
    return person


def ages(**query: Any) -> Ask:
    return Ask(context=["Personal"], view=["age"], include_evidence=True, **query)


def listed(person: Person, query: Ask, app: str = "probe") -> list[Any]:
    (answer,) = person.ask(query, app).components
    return [piece.value for piece in answer.evidence or []]


@pytest.mark.parametrize("reload", [False, True])
@pytest.mark.parametrize(
    ("resolver", "value"), [("default", 1), ("recent", 1), ("count", 1), ("mean", 1), ("goal", None)]
)
def test_values_are_made_of_the_types_that_exist(reload: bool, resolver: str, value: Any) -> None:
    """From memory as from the store, however often it is asked; the owner gets all."""
    person = given()
    for _ in range(3):
        if reload:
            person.reload()
        assert person.answer("age", app="probe", resolver=resolver).value == value
        assert person.value("age") == 2
        assert person.value("age", resolver="count") == 2


def test_lists_filters_and_counts_hold_no_others() -> None:
    """Nor do pages, explanations and the size of a context."""
    person = given()
    person.tell("age", 3, evidence_type="inferred")
    first = person.seq
    assert listed(person, ages()) == [1, 3]
    assert listed(person, ages(evidence_filter=EvidenceFilter(name="last10"))) == [1, 3]
    assert listed(person, ages(evidence_filter=EvidenceFilter(name="recent_count", recent_count=1))) == [3]
    assert listed(person, ages(evidence_filter=EvidenceFilter(name="held", held_from=0.0))) == [1, 3]
    assert listed(person, ages(evidence_after=(first - 2, 0))) == [3]
    answer = person.answer("age", app="probe", explain=True)
    assert answer.explanation is not None
    assert [piece.value for piece in answer.explanation.used] == [3]
    assert sum(reason.count for reason in answer.explanation.left_out) == 1
    assert person.describe(GetContext(context=["Personal"], size=True), "probe").size.evidence == 2
    assert person.describe(GetContext(context=["Personal"], size=True)).size.evidence == 3


def test_a_page_begins_behind_no_evidence_that_does_not_exist() -> None:
    """In the order of holding a page names the piece that the one before ended with: nobody tries out pieces so."""
    person = given()
    hidden = person.seq
    held = EvidenceFilter(name="held", held_from=0.0)
    pages = [listed(person, ages(evidence_filter=held, evidence_after=(seq, 0))) for seq in (hidden, hidden + 1)]
    assert pages == [[], []]


def test_a_correction_is_explicit() -> None:
    """An app that sees other types alone gets no value of it."""
    person = given()
    person.do(Correct(id="c", value=7, **AGE))
    assert person.value("age") == 7
    assert person.answer("age", app="probe").value == 1
    person.permit("probe", types=["explicit"])
    assert person.answer("age", app="probe").value == 7


@pytest.mark.parametrize("limit", ["types", "since"])
def test_what_held_last_exists_for_the_app(limit: str) -> None:
    """What it may not see may have held later than what it may, although it was told before: memory knows both."""
    person = Person()
    person.register("probe", ask=True)
    person.tell("age", 1, time=person.now + 5)
    person.permit("probe", **{limit: ["inferred"] if limit == "types" else person.now})
    person.tell("age", 2, time=person.now - 100, evidence_type="inferred")
    later = person.now + 50
    for _ in range(2):
        assert person.answer("age", resolver="latest_held", now=later).value == 1
        assert person.answer("age", app="probe", resolver="latest_held", now=later).value == 2


def test_the_past_holds_no_others() -> None:
    """As of then, and what was true then."""
    person = given(past=1e6)
    then = person.seq
    person.tell("age", 3)
    assert listed(person, ages(as_of_seq=then)) == [1]
    assert person.answer("age", app="probe", as_of_seq=then).value == 1
    assert person.answer("age", app="probe", held_at=person.now - 0.1).value == 1


def test_memory_of_recent_evidence_gives_no_others() -> None:
    """Pieces that an owner's asks have brought into memory."""
    person = given()
    person.caches.enter(Room(10**6))
    for _ in range(3):
        assert listed(person, ages(), "llum") == [1, 2]
        assert listed(person, ages()) == [1]
    assert isinstance(person.caches._tails, Tails)


def test_a_component_may_have_types_of_its_own() -> None:
    """The nearest setting counts, and an empty list is all of them."""
    person = given()
    person.permit("probe", "Personal", component="age", types=[])
    assert listed(person, ages()) == [1, 2]
    person.permit("probe", "Personal", types=["stereotype"])
    person.tell("firstname", "Al", evidence_type="stereotype")
    assert person.answer("firstname", app="probe").value == "Al"


def test_an_app_is_told_which_types_it_gets() -> None:
    """With all else that is granted."""
    person = given()
    assert person.describe(GetContext(context=["Personal"]), "probe").permission.types == ["inferred"]
    assert person.describe(GetContext(context=["Personal"])).permission.types == []


def test_consequences_show_no_others() -> None:
    """Values are those that the app gets, and pieces those that exist for it, though it has told more."""
    person = given(tell=True)
    person.tell("age", 3, app="probe", evidence_type="inferred")
    reply = person.answered(Consequences(command=Withdraw(id="", seq=person.seq, **AGE)), "probe")
    assert [(one.before, one.after) for one in reply.values] == [(3, 1)]
    assert [piece.value for piece in reply.pieces] == [3]
    person.tell("age", 4, app="probe")
    reply = person.answered(Consequences(command=Withdraw(id="", seq=person.seq, **AGE)), "probe")
    assert (reply.values, reply.pieces) == ([], [])


def test_a_rule_hears_of_no_others() -> None:
    """Evidence that does not exist for an app fires no rule of it, whoever tells it; other rules fire."""
    person = Person()
    person.register("probe", ask=True, rules=True, notify=True, tell=True, types=["inferred"])
    token = person.do(MakeRule(id="r", statement=RULE, **NAME), "probe").result
    assert fired(person.tell("firstname", "Al")) == []
    assert fired(person.do(Correct(id="c", value="Al", **NAME))) == []
    assert fired(person.tell("firstname", "Al", evidence_type="inferred")) == [Fired(("Personal", "firstname"))]
    person.do(MakeRule(id="s", statement=RULE, **NAME))
    assert fired(person.tell("firstname", "Al")) == [Fired(("Personal", "firstname"), None, None, (token,))]
    derived = Derive(
        id="d",
        evidence=NewEvidence(value="Al"),
        cause=Cause(rule="5", root="alice.1", depth=1, path=["Personal", "age"], seq=None),
        **NAME,
    )
    (told,) = fired(person.do(derived, "probe"))
    assert told.but_not == (token,)


def fired(applied: Any) -> list[Fired]:
    return [change for change in applied.changes if isinstance(change, Fired)]
