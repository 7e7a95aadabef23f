"""Settings for single components, filters, bound resolvers and views, and settings that expire."""

from typing import Any

import pytest

from model.resolvers.registry import Resolved, Resolver, given_by
from model.resolvers.summaries import SHIPPED
from schemas.commands import (
    Correct,
    DeleteApp,
    DeleteView,
    MakeRule,
    MakeView,
    RegisterApp,
    SetPermission,
    Tell,
)
from schemas.definitions import ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.permissions import Permission
from schemas.queries import Ask, GetContext, GetPermission

from .given import CRON_RULE, RULE, STEP_US, Person, failed, last


def given(**permission: Any) -> Person:
    """A person whose app `probe` has one setting at the root."""
    person = Person()
    person.register("probe", **permission)
    return person


def names(person: Person, query: Ask) -> list[str]:
    return [answer.path[-1] for answer in person.ask(query, app="probe").components]


def test_a_component_can_be_closed() -> None:
    """In a whole context it is left out, in a list it is a failure, and it cannot be told."""
    person = given(ask=True, tell=True)
    person.permit("probe", "Personal", component="age", ask=False, tell=False)
    assert "age" not in names(person, Ask(context=["Personal"]))
    reply = person.ask(Ask(context=["Personal"], view=["age", "firstname"]), app="probe")
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}
    assert person.refuses_tell("age", 1, app="probe").code is Code.PERMISSION_DENIED
    person.tell("firstname", "Al", app="probe")


def test_a_component_can_be_opened() -> None:
    """In a context that is closed; what else is in there cannot even be told apart from nothing."""
    person = given()
    person.permit("probe", "Personal", component="age", ask=True, tell=True)
    person.tell("age", 1, app="probe")
    view: list[str | list[str]] = ["age", "firstname", "nothing", ["Nowhere", "x"]]
    reply = person.ask(Ask(context=["Personal"], view=view), app="probe")
    assert [answer.value for answer in reply.components] == [1]
    assert set(failed(reply).values()) == {Code.PERMISSION_DENIED}
    assert person.refuses_ask(Ask(context=["Personal"]), "probe").code is Code.PERMISSION_DENIED


def test_a_components_setting_is_nearer_than_its_contexts() -> None:
    """Part by part: what it does not say is inherited."""
    person = given(ask=True, resolvers=["goal"])
    person.permit("probe", "Personal", component="age", tell=True)
    person.tell("age", 1, app="probe")
    assert failed(person.ask(Ask(context=["Personal"], view=["age"]), app="probe")) == {
        "Personal/age": Code.PERMISSION_DENIED
    }
    assert person.answer("age", app="probe", resolver="goal").value is None


def test_settings_of_components_survive_a_restart() -> None:
    """And go with the app."""
    person = given()
    person.permit("probe", "Personal", component="age", ask=True)
    person.reload()
    assert person.answer("age", app="probe").value is None
    person.do(DeleteApp(id="d", app="probe"))
    person.reload()
    assert not person.live.component_permissions
    assert not person.live.permissions
    person.do(RegisterApp(id="r", app="probe"))
    reply = person.ask(Ask(context=["Personal"], view=["age"]), app="probe")
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}


def test_filters_are_limited() -> None:
    """Naming no filter is the filter `all`."""
    person = given(ask=True, filters=["last1", "goal"])
    assert person.answer("age", app="probe", evidence_filter=EvidenceFilter(name="last1")).value is None
    for wanted in (None, EvidenceFilter(name="all"), last(3)):
        reply = person.ask(Ask(context=["Personal"], view=["age"], evidence_filter=wanted), app="probe")
        assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}
    person.permit("probe", "Personal", filters=[])
    assert person.answer("age", app="probe").value is None


@pytest.mark.parametrize(("resolver", "of_goals"), [("default", None), ("sum", 0)])
def test_a_limited_app_gets_no_value_of_what_it_may_not_see(resolver: str, of_goals: object) -> None:
    """Also if it wants the value over all evidence: that is for apps that may use the filter `all`."""
    person = given(ask=True, filters=["goal"])
    person.tell("age", 1, flags=["goal"])
    person.tell("age", 2)
    how: dict[str, Any] = {"evidence_filter": EvidenceFilter(name="goal"), "resolver": resolver, "value_over_all": True}
    limited = person.answer("age", app="probe", **how)
    assert (limited.value, limited.value_filtered_by) == (of_goals, "goal")
    person.permit("probe", "Personal", filters=["goal", "all"])
    free = person.answer("age", app="probe", **how)
    assert (free.value, free.value_filtered_by) == (2, None)


def test_what_a_limited_filter_excludes_is_counted_only() -> None:
    """Explain shows no evidence that the app could not have listed."""
    person = given(ask=True, filters=["last1"])
    for value in (1, 2, 3):
        person.tell("age", value)
    explanation = person.answer(
        "age", app="probe", explain=True, evidence_filter=EvidenceFilter(name="last1")
    ).explanation
    assert explanation is not None
    assert [piece.value for piece in explanation.used] == [3]
    (filtered,) = explanation.left_out
    assert (filtered.reason, filtered.count, filtered.examples) == ("filter", 2, [])


def test_a_bound_resolver_gives_its_value_and_nothing_else() -> None:
    """Whatever the app names; no evidence, no filter, counts in explain."""
    at_desk = Resolver("at_desk", lambda pieces, now, said: given_by(pieces[0]), None, "the first")
    person = Person(resolvers={**SHIPPED, "at_desk": at_desk})
    person.register("probe", ask=True, bind_resolver="at_desk")
    for value in (1, 2, 3):
        person.tell("age", value)
    answer = person.answer("age", app="probe", resolver="recent", include_evidence=True, explain=True)
    assert (answer.value, answer.evidence) == (1, None)
    explanation = answer.explanation
    assert explanation is not None
    assert (explanation.resolver, explanation.resolver_from, explanation.used) == ("at_desk", "grant", [])
    assert [(one.reason, one.count, one.examples) for one in explanation.left_out] == [
        ("no_permission", 1, []),
        ("older", 2, []),
    ]
    reply = person.ask(Ask(context=["Personal"], view=["age"], evidence_filter=last(1)), app="probe")
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("elsewhere", [None, "there"])
def test_a_correction_does_not_undo_the_limit_to_a_resolver(elsewhere: str | None, remembered: bool) -> None:
    """The resolver is called with it alone. As the value it would tell what the app may not know."""
    amount = Resolver("amount", lambda pieces, now, said: Resolved(len(pieces)), None, "how many", elsewhere=elsewhere)
    person = Person(resolvers={**SHIPPED, "amount": amount})
    person.register("probe", ask=True, bind_resolver="amount")
    for value in (1, 2, 3):
        person.tell("age", value)
    person.do(Correct(id="c", context=["Personal"], component="age", value=7))
    for bound, value in (("amount", 1), ("is_known", True), ("default", 7)):
        person.permit("probe", "Personal", bind_resolver=bound)
        if not remembered:
            person.reload()
        answer = person.answer("age", app="probe", explain=True)
        assert (answer.value, person.answer("age", app="probe").value) == (value, value)
        assert answer.explanation is not None
        assert answer.explanation.used == []


def test_a_bound_resolver_takes_no_arguments_of_the_app() -> None:
    """It would choose what the value tells."""
    person = given(ask=True, bind_resolver="time_in_state")
    person.tell("mood", "good")
    answer = person.answer("mood", app="probe", resolver_arguments={"state": "bad"})
    assert list(answer.value) == ["good"]


def test_a_nearer_setting_unbinds() -> None:
    """With an empty name."""
    person = given(ask=True, bind_resolver="count")
    person.permit("probe", "Personal", bind_resolver="")
    person.tell("age", 5)
    assert person.answer("age", app="probe").value == 5


def test_a_bound_view_is_all_that_is_seen() -> None:
    """Of the context and below: its components, its name, and nothing else."""
    person = given()
    person.do(MakeView(id="v", context=[], view=ViewDefinition(name="some", components=[["Personal", "age"]])))
    person.do(MakeRule(id="s", context=["Personal"], component="firstname", statement=RULE))
    person.permit("probe", ask=True, bind_view="some")
    assert names(person, Ask(context=["Personal"])) == ["age"]
    assert names(person, Ask(view="some")) == ["age"]
    for view in ("fullname", "nothing"):
        assert person.refuses_ask(Ask(context=["Personal"], view=view), "probe").code is Code.PERMISSION_DENIED
    shown = person.ask(Ask(context=[], show_contexts=True), app="probe")
    assert (shown.contexts, shown.views) == ([], {"some": [["Personal", "age"]]})
    described = person.describe(GetContext(context=["Personal"], size=True), app="probe")
    assert (described.components, described.views) == (["age"], {})
    assert described.size.components == 1


def test_a_bound_view_follows_the_view() -> None:
    """As it is now: changed, and when it is gone nothing is seen."""
    person = given(ask=True)
    person.do(MakeView(id="v", context=["Personal"], view=ViewDefinition(name="some", components=["age"])))
    person.permit("probe", "Personal", bind_view="some")
    person.do(DeleteView(id="d", context=["Personal"], view="some"))
    person.do(MakeView(id="v", context=["Personal"], view=ViewDefinition(name="some", components=["mood"])))
    assert names(person, Ask(context=["Personal"])) == ["mood"]
    person.do(DeleteView(id="d", context=["Personal"], view="some"))
    assert names(person, Ask(context=["Personal"])) == []


def test_a_setting_expires() -> None:
    """For asks by their time, for commands by theirs."""
    person = given()
    expires = person.now + 10
    person.permit("probe", ask=True, tell=True, expires=expires)
    query = Ask(context=["Personal"], view=["age"])
    assert not failed(person.ask(query, app="probe", now=expires - 0.001))
    assert failed(person.ask(query, app="probe", now=expires)) == {"Personal/age": Code.PERMISSION_DENIED}
    tell = Tell(id="t", context=["Personal"], component="age", evidence=NewEvidence(value=1))
    person.do(tell, "probe", round((expires - 1) * 1e6))
    with pytest.raises(Refusal) as caught:
        person.do(tell, "probe", round((expires + 1) * 1e6))
    assert caught.value.code is Code.PERMISSION_DENIED


def test_behind_an_expired_setting_the_next_one_counts() -> None:
    """As if it had not been made."""
    person = given(ask=True)
    person.permit("probe", "Personal", ask=False, expires=person.now + 5)
    assert person.refuses_ask(Ask(context=["Personal"]), "probe").code is Code.PERMISSION_DENIED
    assert person.ask(Ask(context=["Personal"]), app="probe", now=person.now + 100).components


def test_an_expired_setting_is_begun_anew() -> None:
    """What it said does not come back with a new part; without an expiry it never ends."""
    person = given()
    person.permit("probe", ask=True, tell=True, expires=person.now + 1)
    person.seq += 10
    person.permit("probe", ask=True)
    assert person.describe(GetPermission(app="probe")).permission == Permission(ask=True)


def test_an_expiry_is_taken_back() -> None:
    """With a zero."""
    person = given()
    person.permit("probe", ask=True, expires=person.now + 5 * STEP_US)
    person.permit("probe", expires=0)
    assert person.describe(GetPermission(app="probe")).permission == Permission(ask=True)


def test_the_past_is_judged_by_the_permissions_of_today() -> None:
    """Who has lost a permission does not get back what there was while they had it."""
    person = given(ask=True)
    person.tell("age", 1)
    query = Ask(context=["Personal"], as_of_seq=person.seq)
    assert person.ask(query, "probe").components
    person.permit("probe", ask=False)
    assert person.refuses_ask(query, "probe").code is Code.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("permission", "code", "field"),
    [
        ({"filters": ["all", "some"]}, Code.BAD_FILTER, "filters[1]"),
        ({"bind_resolver": "x" * 300}, Code.TOO_LARGE, "bind_resolver"),
        ({"bind_view": ".."}, Code.BAD_PATH, "bind_view"),
        ({"bind_view": "v", "component": "age"}, Code.BAD_FIELD, "bind_view"),
        ({"expires": 1e300}, Code.BAD_FIELD, "expires"),
        ({"component": "nothing"}, Code.NO_SUCH_COMPONENT, "component"),
    ],
)
def test_bad_settings(permission: dict[str, Any], code: Code, field: str) -> None:
    """Are refused, naming what is wrong."""
    person = given()
    command = SetPermission(id="p", app="probe", context=["Personal"], **permission)
    error = person.refuses(command)
    assert (error.code, error.field) == (code, field)


def test_an_app_is_deleted_with_its_rules() -> None:
    """Its evidence stays; a schedule is taken down."""
    person = given(ask=True, tell=True)
    person.tell("age", 1, app="probe")
    for statement in (RULE, CRON_RULE):
        person.do(MakeRule(id="s", context=["Personal"], component="age", statement=statement), "probe")
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=RULE))
    person.do(DeleteApp(id="d", app="probe"))
    context = person.live.context(("Personal",))
    assert context is not None
    assert [rule.app for rule in context.rules["age"].values()] == ["llum"]
    assert person.value("age") == 1
    assert person.refuses(DeleteApp(id="d", app="probe")).code is Code.NO_SUCH_APP


def test_the_last_owner_stays() -> None:
    """A model without an owner app could not be changed any more."""
    person = given()
    assert person.refuses(DeleteApp(id="d", app="llum")).code is Code.BAD_FIELD
    person.do(RegisterApp(id="r", app="other", role="owner"))
    person.do(DeleteApp(id="d", app="llum"))
    assert person.refuses(DeleteApp(id="d", app="other"), "other").code is Code.BAD_FIELD


def test_a_registration_is_named_by_its_sequence() -> None:
    """It stays while description and role change; an app that is registered anew has another one. Each is announced."""
    person = Person()
    first = person.do(RegisterApp(id="r", app="probe")).result
    assert first == person.seq
    assert person.do(RegisterApp(id="r", app="probe", description="d", role="owner")).result == first
    assert person.do(RegisterApp(id="r", app="probe", description="d", role="owner")).result == first
    person.reload()
    assert person.live.apps["probe"].registration == first
    person.do(DeleteApp(id="d", app="probe"))
    again = person.do(RegisterApp(id="r", app="probe")).result
    assert again == person.seq > first
    announced = [(one.app, one.registration) for one in person.store.announced]
    assert announced == [("llum", 1), ("probe", first), ("probe", None), ("probe", again)]


def test_llums_own_apps_cannot_be_registered() -> None:
    """Whoever speaks as `_cron` fires rules."""
    assert Person().refuses(RegisterApp(id="r", app="_cron")).code is Code.BAD_FIELD
