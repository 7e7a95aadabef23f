"""Asks and time: evidence that expires, and models as they were."""

from schemas.commands import MakeComponent
from schemas.definitions import ComponentDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import Ask

from .given import Person, failed


def test_expired_evidence_does_not_count() -> None:
    """From `useby` on the older evidence decides again, and memory keeps that."""
    person = Person()
    person.tell("age", 1)
    useby = person.now + 10
    person.tell("age", 2, useby=useby)
    query = Ask(context=["Personal"], view=["age"])
    assert person.ask(query, now=useby - 0.1).components[0].value == 2
    assert len(person.reads(query, now=useby)) == 1
    assert person.ask(query, now=useby).components[0].value == 1
    assert person.reads(query, now=useby + 1) == []


def test_when_all_evidence_has_expired_the_value_is_null() -> None:
    """And nothing is read again to find that out."""
    person = Person()
    person.tell("age", 1, useby=3.0)
    for _ in range(2):
        assert person.value("age", resolver="recent") is None
    assert person.reads(Ask(context=["Personal"], view=["age"], resolver="recent")) == []


def test_recent_looks_again_at_the_kind_that_expired() -> None:
    """The newest of both kinds decides, each without what expired."""
    person = Person()
    person.tell("age", 1, flags=["goal"])
    person.tell("age", 2)
    person.tell("age", 3, flags=["goal"], useby=person.now + 10)
    assert person.answer("age", resolver="recent").value == 3
    assert person.answer("age", resolver="recent", now=person.now + 20).value == 2
    assert person.answer("age", resolver="goal", now=person.now + 20).value == 1


def test_an_ask_about_the_past_neither_uses_nor_fills_memory() -> None:
    """By sequence or by time: memory is of the present."""
    person = Person()
    person.tell("age", 1)
    then = person.live.time_us
    person.tell("age", 2)
    person.caches.latest.clear()
    for query in (
        Ask(context=["Personal"], view=["age"], as_of_seq=2),
        Ask(context=["Personal"], view=["age"], as_of_time=then / 1e6),
    ):
        assert person.ask(query).components[0].value == 1
        assert list(person.caches.latest) == []
    person.caches.latest.begin(person.live.root.children["Personal"].components["age"].number)
    assert person.ask(query).components[0].value == 1


def test_a_time_between_commands_is_bounded_exactly() -> None:
    """`as_of_time` set to a `creation_time` includes that evidence and its component, to the microsecond."""
    person = Person()
    for step in range(1, 50):
        person.do(
            MakeComponent(
                id="c",
                context=["Personal"],
                component=ComponentDefinition(name=f"c{step}", evidence=[NewEvidence(value="x")]),
            ),
            time_us=person.live.time_us + 1,
        )
        creation = person.answer(f"c{step}", include_evidence=True).evidence[0].creation_time
        query = Ask(context=["Personal"], view=[f"c{step}"], as_of_time=creation)
        assert person.ask(query).components[0].value == "x"
        query.as_of_time = creation - 1e-6
        assert failed(person.ask(query)) == {f"Personal/c{step}": Code.NO_SUCH_COMPONENT}
