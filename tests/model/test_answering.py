"""One door for every query: `answer` yields what it needs, and returns the reply."""

from typing import Any

import msgspec
import pytest

from model.queries import Answering, Need
from model.queries.ask import finish
from model.reads import AsOf, Pause
from schemas.commands import DeleteComponent, DeleteContext
from schemas.errors import Code
from schemas.queries import (
    LLUMS_OWN_QUERIES,
    QUERIES,
    Access,
    Ask,
    Asked,
    Check,
    CheckImport,
    Consequences,
    Export,
    Follows,
    GetContext,
    GetPermission,
    Grants,
    ListApps,
    ListResolvers,
    ListRules,
    MeasurePart,
    Ping,
    Preferences,
    PreviewGrant,
    Query,
)
from schemas.replies import REPLIES, Reply
from schemas.slices import Slice
from tests.model.given import Person

EVERY_QUERY: list[Query] = [
    Ask(context=["Personal"]),
    Access(),
    GetContext(context=["Personal"], size=True),
    ListResolvers(),
    ListApps(),
    GetPermission(app="llum"),
    Grants(),
    ListRules(context=["Personal"]),
    Export(),
    CheckImport(context=[], contexts=[]),
    Consequences(command=DeleteComponent(id="", context=["Personal"], component="age")),
    Asked(),
    Follows(context=["Personal"], component="age", seq=2),
    Check(app="probe", context=["Personal"]),
    PreviewGrant(app="probe", granted=[Slice(paths=["Personal"], actions=["ask"])]),
    Preferences(context=["Personal"]),
]
FROM_THE_STORE = Export | Consequences | Asked | Follows | Grants | PreviewGrant
FROM_MEMORY = [query for query in EVERY_QUERY if not isinstance(query, FROM_THE_STORE)]
ABOUT_THE_PAST = [query for query in EVERY_QUERY if "as_of_seq" in query.__struct_fields__]


def verb(query: Any) -> str:
    return str(query.__struct_config__.tag)


def ended(answering: Answering, need: Need, person: Person) -> Reply:
    """Go on to the reply, with what is stored by now."""
    try:
        while True:
            need = answering.send(person.store.meet(need))
    except StopIteration as done:
        reply: Reply = done.value
        return reply


def test_every_query_is_here() -> None:
    """All but a ping, which is about no model, what only the store can count, and what llum asks for rules."""
    assert {type(query) for query in EVERY_QUERY} == set(QUERIES) - {Ping, MeasurePart} - LLUMS_OWN_QUERIES


@pytest.mark.parametrize("query", EVERY_QUERY, ids=verb)
def test_every_query_is_answered_by_its_own_reply(query: Query) -> None:
    """The one whose tag is the query's verb; it says which state it is of, and survives the wire."""
    person = Person()
    person.tell("age", 5)
    reply = person.answered(query)
    (kind,) = [one for one in REPLIES if verb(one) == verb(query)]
    assert type(reply) is kind
    assert reply.seq == person.seq
    assert msgspec.json.decode(msgspec.json.encode(reply), type=kind) == reply


@pytest.mark.parametrize("query", FROM_MEMORY, ids=verb)
def test_what_is_in_memory_needs_nothing(query: Query) -> None:
    """The answer is there at the first step. Only evidence must be read or counted."""
    person = Person()
    person.tell("age", 5)
    query = msgspec.structs.replace(query, size=False) if isinstance(query, GetContext) else query
    with pytest.raises(StopIteration) as done:
        next(person.begin(query))
    assert verb(done.value.value) == verb(query)


@pytest.mark.parametrize("query", ABOUT_THE_PAST, ids=verb)
def test_the_past_is_asked_for_first(query: Query) -> None:
    """By sequence and time; it is the model of then that is answered from, if there was one."""
    person = Person()
    then = person.seq
    person.tell("age", 5)
    past = msgspec.structs.replace(query, as_of_seq=then, as_of_time=person.now)
    wanted = next(person.begin(past))
    assert wanted == AsOf(user="alice", seq=then, until_us=round(person.now * 1e6))
    assert person.answered(msgspec.structs.replace(query, as_of_seq=then)).seq == then
    assert person.refuses_ask(msgspec.structs.replace(query, as_of_seq=0)).code is Code.NO_SUCH_MODEL


@pytest.mark.parametrize("time", [float("nan"), 1e300, -1e300])
def test_a_time_that_no_calendar_has_is_refused(time: float) -> None:
    """Whatever is asked."""
    for query in ABOUT_THE_PAST:
        error = Person().refuses_ask(msgspec.structs.replace(query, as_of_time=time))
        assert (error.code, error.field) == (Code.BAD_FIELD, "as_of_time")


def test_an_export_is_of_the_state_at_its_beginning() -> None:
    """Whatever is deleted, made and told between the steps of one page."""
    person = Person()
    for value in (1, 2):
        person.tell("age", value)
    before = person.export(Export())
    exporting = person.begin(Export())
    need = next(exporting)
    person.tell("age", 3)
    person.do(DeleteComponent(id="d", context=["Personal"], component="lastname"))
    person.do(DeleteContext(id="d", context=["Goals"]))
    assert ended(exporting, need, person) == before


def test_a_resolver_that_reads_much_lets_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its evidence is decoded in slices with pauses between them; the value is the same."""
    person = Person()
    for value in range(10):
        person.tell("age", value)
    query = Ask(context=["Personal"], view=["age"], resolver="sum")
    at_once, needs = kinds_of_needs(person, query)
    assert Pause not in needs
    monkeypatch.setattr(finish, "DECODED_AT_ONCE", 3)
    in_slices, needs = kinds_of_needs(person, query)
    assert needs.count(Pause) == 3
    assert in_slices == at_once
    assert in_slices.components[0].value == sum(range(10))


def kinds_of_needs(person: Person, query: Query) -> tuple[Any, list[type]]:
    """Answer a query, and give the reply and what it has needed."""
    answering, needs = person.begin(query), []
    try:
        need = next(answering)
        while True:
            needs.append(type(need))
            need = answering.send(person.store.meet(need))
    except StopIteration as done:
        return done.value, needs
