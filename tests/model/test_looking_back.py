"""How far back an app may ask, and from when on evidence exists for it: parts of its grant, `past` and `since`."""

from typing import Any

import pytest

from model.resolvers.registry import Resolver, given_by
from model.resolvers.summaries import SHIPPED
from schemas.commands import (
    Correct,
    DeleteComponent,
    DeleteContext,
    DeleteRule,
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeRule,
    MakeView,
    SetPermission,
    Withdraw,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code
from schemas.evidence import EvidenceFilter
from schemas.limits import MAX_EVIDENCE_PAGE
from schemas.queries import Ask, GetContext, GetPermission, ListApps, ListRules, Query

from .given import RULE, START_US, Person, failed, last

DAY_S = 86_400.0
AGE = {"context": ["Personal"], "component": "age"}


def given(**permission: Any) -> Person:
    """A person whose app `probe` has one setting at the root, and whose age has been told three times."""
    person = Person()
    person.register("probe", **permission)
    for value in (1, 2, 3):
        person.tell("age", value)
    return person


def at(seq: int) -> float:
    """Give the time of a command."""
    return (START_US + seq * 1_000_000) / 1e6


def ages(**query: Any) -> Ask:
    return Ask(context=["Personal"], view=["age"], include_evidence=True, **query)


def listed(person: Person, query: Ask, app: str = "probe", now: float | None = None) -> list[Any]:
    (answer,) = person.ask(query, app, now).components
    return [piece.value for piece in answer.evidence or []]


EVERY_WAY_BACK = [
    ages(as_of_seq=4),
    ages(as_of_time=at(4)),
    Ask(context=["Personal"], as_of_seq=4),
    Ask(context=["Personal"], view="fullname", as_of_seq=4),
    Ask(context=["Goals"], show_contexts=True, as_of_time=at(4)),
    GetContext(context=["Personal"], as_of_seq=4),
    ListRules(context=["Personal"], as_of_seq=4),
    ListRules(context=["Personal"], component="age", as_of_time=at(4)),
    GetPermission(app="probe", as_of_seq=4),
    ListApps(as_of_seq=4),
]


@pytest.mark.parametrize("query", EVERY_WAY_BACK, ids=lambda query: type(query).__name__)
def test_an_app_does_not_ask_about_the_past(query: Query) -> None:
    """Unless the owner says so: what a filter, a binding or a withdrawal hides now was to be seen then."""
    person = given(ask=True)
    error = person.refuses_ask(query, "probe")
    assert error.code is Code.PERMISSION_DENIED
    person.answered(query)


@pytest.mark.parametrize("later", [{"as_of_seq": 2**40}, {"as_of_time": 4e9}, {"as_of_seq": 2**40, "as_of_time": 4e9}])
def test_what_is_not_past_needs_no_right(later: dict[str, Any]) -> None:
    """It is the present, whatever the ask calls it."""
    person = given(ask=True)
    assert listed(person, ages(**later)) == [1, 2, 3]


def test_the_owner_says_how_far_back() -> None:
    """In seconds before the ask, by time as by sequence."""
    person = given(ask=True, past=1.9)
    first = person.seq - 2
    now = person.now
    assert listed(person, ages(as_of_time=now - 1.9)) == [1]
    assert listed(person, ages(as_of_seq=first + 1)) == [1, 2]
    for query in (ages(as_of_time=now - 2), ages(as_of_seq=first), ages(as_of_seq=1)):
        assert person.refuses_ask(query, "probe").code is Code.PERMISSION_DENIED


def test_of_a_sequence_and_a_time_the_earlier_counts() -> None:
    """A late time does not make an old sequence young."""
    person = given(ask=True, past=5.0)
    query = ages(as_of_seq=2, as_of_time=person.now - 1)
    person.seq += 100
    assert person.refuses_ask(query, "probe").code is Code.PERMISSION_DENIED


def test_the_past_belongs_to_a_place() -> None:
    """Of a list each component is judged by itself."""
    person = given(ask=True)
    person.permit("probe", "Goals", past=DAY_S)
    reply = person.ask(Ask(view=[["Goals", "Health", "steps"], ["Personal", "age"]], as_of_seq=4), "probe")
    assert [answer.path[-1] for answer in reply.components] == ["steps"]
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}
    person.permit("probe", "Personal", component="age", past=DAY_S)
    assert listed(person, ages(as_of_seq=person.seq - 3)) == [1, 2]


def test_what_is_withdrawn_stays_hidden() -> None:
    """From apps, in the past as in the present: in lists, values, explanations, counts. The owner sees it, marked."""
    person = given(ask=True, past=DAY_S)
    third = person.seq
    before = person.answer("age", app="probe", explain=True, include_evidence=True, as_of_seq=third)
    assert before.value == 3
    person.do(Withdraw(id="w", seq=third, **AGE))
    for query in ({}, {"as_of_seq": third}, {"as_of_time": at(third)}):
        answer = person.answer("age", app="probe", explain=True, include_evidence=True, **query)
        assert (answer.value, [piece.value for piece in answer.evidence or []]) == (2, [1, 2])
        assert answer.explanation is not None
        assert [(one.reason, one.count) for one in answer.explanation.left_out] == [("older", 1)]
    owners = person.answer("age", explain=True, include_evidence=True)
    assert [piece.withdrawn is not None for piece in owners.evidence or []] == [False, False, True]
    assert person.value("age", as_of_seq=third) == 3
    size = GetContext(context=["Personal"], size=True)
    assert person.describe(size).size.evidence - person.describe(size, "probe").size.evidence == 1


def test_what_is_deleted_stays_hidden() -> None:
    """Components, contexts, views and rules; also if there is something new under the name."""
    person = given(ask=True, tell=True, past=DAY_S)
    person.do(MakeContext(id="c", context=[], name="Diary"))
    person.do(MakeComponent(id="c", context=["Diary"], component=ComponentDefinition(name="secret")))
    token = person.do(MakeRule(id="s", statement=RULE, **AGE), "probe").result
    then = person.seq
    person.do(DeleteRule(id="d", token=token, **AGE))
    person.do(DeleteComponent(id="d", **AGE))
    person.do(MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name="age")))
    person.do(DeleteView(id="d", context=["Personal"], view="fullname"))
    person.do(DeleteContext(id="d", context=["Diary"]))
    person.do(MakeContext(id="c", context=[], name="Diary"))

    reply = person.ask(Ask(context=["Personal"], show_contexts=True, as_of_seq=then), "probe")
    assert "age" not in [answer.path[-1] for answer in reply.components]
    assert (reply.views, reply.rules) == ({}, {})
    assert person.describe(GetContext(as_of_seq=then), "probe").contexts == ["Goals", "Personal"]
    past = person.ask(Ask(view=[["Personal", "age"], ["Diary", "secret"]], as_of_seq=then), "probe")
    assert failed(past) == {"Personal/age": Code.NO_SUCH_COMPONENT, "Diary/secret": Code.NO_SUCH_CONTEXT}
    assert person.value("age", as_of_seq=then) == 3


def test_rules_are_deleted_from_the_past_too() -> None:
    """While their component is still there."""
    person = given(ask=True, tell=True, past=DAY_S)
    tokens = [person.do(MakeRule(id="s", statement=RULE, **AGE), "probe").result for _ in range(2)]
    then = person.seq
    person.do(DeleteRule(id="d", token=tokens[0], **AGE))
    assert list(person.describe(ListRules(context=["Personal"], as_of_seq=then), "probe").rules["age"]) == tokens[1:]
    assert list(person.describe(ListRules(context=["Personal"], as_of_seq=then)).rules["age"]) == tokens


def test_a_filter_that_hides_the_past_is_no_way_into_it() -> None:
    """`last1` as of each sequence would list all of it, and so would a bound value and a view."""
    at_desk = Resolver("at_desk", lambda pieces, now, said: given_by(pieces[-1]), None, "the last")
    person = Person(resolvers={**SHIPPED, "at_desk": at_desk})
    person.do(MakeView(id="v", context=["Personal"], view=ViewDefinition(name="v", components=["age"])))
    for limit in ({"filters": ["last1"]}, {"bind_resolver": "at_desk"}, {"bind_view": "v"}):
        app = next(iter(limit)).replace("_", "-")
        person.register(app)
        person.permit(app, "Personal", ask=True, **limit)
    for value in (1, 2, 3):
        person.tell("age", value)
    last1 = EvidenceFilter(name="last1")
    query = Ask(context=["Personal"], view=["age"], include_evidence=True, as_of_seq=person.seq - 1)
    for app, wanted in (("filters", last1), ("bind-resolver", None), ("bind-view", None)):
        query.evidence_filter = wanted
        assert person.refuses_ask(query, app).code is Code.PERMISSION_DENIED
        query.evidence_after = (0, 0)
        assert listed(person, query, app) == ([1, 2] if app == "bind-view" else [])
        query.evidence_after = None


def test_pages_of_evidence_need_no_right_to_the_past() -> None:
    """The sequence of the first page bounds what the next ones list; values and withdrawals are those of now."""
    person = Person()
    person.register("probe", ask=True)
    for value in range(MAX_EVIDENCE_PAGE + 3):
        person.tell("age", value)
    first = person.ask(ages(), "probe")
    (answer,) = first.components
    assert answer.evidence_more
    final = answer.evidence[-1]  # type: ignore[index]
    person.do(Withdraw(id="w", seq=person.seq, **AGE))
    person.tell("age", -1)
    query = ages(as_of_seq=first.seq, evidence_after=(final.seq, final.n))
    (answer,) = person.ask(query, "probe").components
    assert [piece.value for piece in answer.evidence or []] == [MAX_EVIDENCE_PAGE, MAX_EVIDENCE_PAGE + 1]
    assert (answer.evidence_more, answer.value) == (False, -1)


def test_a_page_names_no_time() -> None:
    """Only the sequence of a first page."""
    person = given(ask=True)
    query = ages(as_of_time=at(4), evidence_after=(0, 0))
    assert person.refuses_ask(query, "probe").code is Code.PERMISSION_DENIED


def test_evidence_from_before_does_not_exist_for_an_app() -> None:
    """In lists, values, explanations, counts and filters; for a resolver that decides over all as over the newest."""
    person = given(ask=True)
    since = at(person.seq) - 0.5
    person.permit("probe", since=since)
    assert listed(person, ages()) == [3]
    for resolver, value in (("recent", 3), ("count", 1), ("mean", 3)):
        assert person.answer("age", app="probe", resolver=resolver).value == value
    assert listed(person, ages(evidence_filter=last(3))) == [3]
    assert listed(person, ages(evidence_filter=EvidenceFilter(name="since_time", since_time=0.0))) == [3]
    answer = person.answer("age", app="probe", explain=True)
    assert answer.explanation is not None
    assert (len(answer.explanation.used), answer.explanation.left_out) == (1, [])
    assert person.describe(GetContext(context=["Personal"], size=True), "probe").size.evidence == 1
    assert [person.answer("age", resolver=one).value for one in ("recent", "count")] == [3, 3]


@pytest.mark.parametrize("reload", [False, True])
def test_a_new_grant_from_now_on_shows_nothing_yet(reload: bool) -> None:
    """From memory as from the store, values, corrections and wishes; then what is told from then on."""
    person = given(ask=True)
    person.do(Correct(id="c", value=7, **AGE))
    person.tell("age", 8, flags=["goal"])
    person.permit("probe", since=person.now)
    if reload:
        person.reload()
    for _ in range(2):
        for resolver in ("default", "goal", "recent", "count"):
            assert person.answer("age", app="probe", resolver=resolver).value in (None, 0)
        assert listed(person, ages()) == []
        assert person.value("age") == 7
    person.tell("age", 9)
    assert person.answer("age", app="probe").value == 9
    assert person.value("age") == 7


def test_what_an_app_is_not_to_see_is_not_remembered_for_others() -> None:
    """Nor the other way round: memory is that of the model, and not of an app."""
    person = given(ask=True)
    person.register("other", ask=True)
    person.permit("probe", since=person.now)
    person.reload()
    assert person.answer("age", app="probe").value is None
    assert person.answer("age", app="other").value == 3
    assert person.answer("age", app="probe").value is None


def test_since_holds_for_the_past_too() -> None:
    """What did not exist for the app then, does not exist as of then."""
    person = given(ask=True, past=DAY_S)
    third = person.seq
    person.permit("probe", since=at(third))
    person.tell("age", 4)
    assert listed(person, ages(as_of_seq=third)) == [3]
    assert listed(person, ages(as_of_seq=third - 1)) == []


def test_a_nearer_setting_gives_back_what_was_taken() -> None:
    """With a zero."""
    person = given(ask=True, past=DAY_S, since=at(10**6))
    assert listed(person, ages()) == []
    person.permit("probe", "Personal", since=0, past=0)
    assert listed(person, ages()) == [1, 2, 3]
    assert person.refuses_ask(ages(as_of_seq=4), "probe").code is Code.PERMISSION_DENIED


def test_an_app_is_told_how_far_back_it_may_look() -> None:
    """With all else that is granted where it asks; the owner has no bound."""
    person = given(ask=True, past=DAY_S, since=at(3))
    granted = person.describe(GetContext(context=["Personal"]), "probe").permission
    assert (granted.past, granted.since) == (DAY_S, at(3))
    person.permit("probe", "Personal", past=0, since=0)
    for app in ("probe", "llum"):
        granted = person.describe(GetContext(context=["Personal"]), app).permission
        assert (granted.past, granted.since) == (None, None)


@pytest.mark.parametrize(
    ("part", "value"), [("past", -1.0), ("past", float("nan")), ("past", 1e300), ("since", 1e300), ("since", -1e300)]
)
def test_bad_bounds(part: str, value: float) -> None:
    """Are refused by name."""
    error = given().refuses(SetPermission(id="p", app="probe", context=[], **{part: value}))  # type: ignore[arg-type]
    assert (error.code, error.field) == (Code.BAD_FIELD, part)
