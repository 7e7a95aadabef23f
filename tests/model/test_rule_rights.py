"""A rule works as long as its app may ask what fires it, have rules there and, to call a URL, notify."""

from typing import Any

import pytest

from model.changes import Fired, RuleSuspended, ScheduleDropped, SchedulePlanned
from model.state import StoredRule
from schemas.apps import CRON_APP
from schemas.commands import (
    ActivateRule,
    Correct,
    DeleteView,
    Fire,
    MakeComponent,
    MakeRule,
    MakeView,
    Tell,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import ListRules

from .given import CRON_RULE, RULE, Person

AGE = ("Personal", "age")
TELLING = "'' ~ '' : TELL ./Personal/firstname, inferred:'x'"
MAY = {"ask": True, "rules": True, "notify": True}


def given(**permission: Any) -> Person:
    """A person whose app `probe` has one setting at the root."""
    person = Person()
    person.register("probe", **permission)
    return person


def subscribe(person: Person, statement: str = RULE, app: str = "probe") -> str:
    command = MakeRule(id="s", context=["Personal"], component="age", statement=statement)
    token: str = person.do(command, app).result
    return token


def rule(person: Person, token: str) -> StoredRule:
    context = person.live.context(("Personal",))
    assert context is not None
    return context.rules["age"][token]


def left(person: Person) -> list[type]:
    """Give the kinds of what has left since this was looked at last."""
    kinds = [type(effect) for effect in person.store.left]
    person.store.left.clear()
    return kinds


@pytest.mark.parametrize("lost", ["ask", "rules", "notify"])
def test_a_rule_that_lost_a_right_is_suspended_when_it_would_fire(lost: str) -> None:
    """And reported: to its app, among what was refused. It stays suspended until an owner activates it."""
    person = given(**MAY)
    token = subscribe(person)
    person.tell("age", 1)
    assert left(person) == [Fired]
    person.permit("probe", "Personal", **{lost: False})
    person.tell("age", 2)
    (report,) = person.store.left
    assert isinstance(report, RuleSuspended)
    assert (report.path, report.token, report.app, report.error.code) == (AGE, token, "probe", Code.PERMISSION_DENIED)
    assert token in report.error.message
    person.store.left.clear()
    person.reload()
    person.permit("probe", "Personal", **{lost: True})
    person.tell("age", 3)
    assert (left(person), rule(person, token).suspended) == ([], "no_right")


def test_an_owner_activates_it_once_the_right_is_there() -> None:
    """Not before."""
    person = given(**MAY)
    token = subscribe(person)
    person.permit("probe", ask=False)
    person.tell("age", 1)
    activate = ActivateRule(id="a", context=["Personal"], component="age", token=token)
    assert person.refuses(activate).code is Code.PERMISSION_DENIED
    person.permit("probe", ask=True)
    person.do(activate)
    person.store.left.clear()
    person.tell("age", 2)
    assert left(person) == [Fired]


def test_others_of_the_component_go_on() -> None:
    """The owner's rule fires, and what calls no URL needs no right to notify."""
    person = given(**MAY)
    first, second = subscribe(person), subscribe(person, TELLING)
    third = subscribe(person, app="llum")
    person.permit("probe", notify=False)
    person.tell("age", 1)
    assert left(person) == [RuleSuspended, Fired]
    assert [rule(person, token).suspended for token in (first, second, third)] == ["no_right", None, None]


def test_a_right_that_expires_is_lost() -> None:
    """By the time of the command that would fire the rule."""
    person = given(**MAY, expires=Person().now + 4)
    token = subscribe(person)
    person.tell("age", 1)
    assert left(person) == [Fired]
    person.seq += 10
    person.tell("age", 2)
    assert (left(person), rule(person, token).suspended) == ([RuleSuspended], "no_right")


def test_a_correction_fires_with_the_same_rights() -> None:
    """As a tell does."""
    person = given(**MAY)
    subscribe(person)
    person.permit("probe", ask=False)
    person.do(Correct(id="c", context=["Personal"], component="age", value=3))
    assert left(person) == [RuleSuspended]


def test_a_schedule_ends_with_the_right() -> None:
    """And begins again when the rule is activated."""
    person = given(**MAY)
    token = subscribe(person, CRON_RULE)
    fire = Fire(id="f", context=["Personal"], component="age", token=token, at=int(person.now))
    person.do(fire, CRON_APP)
    assert left(person) == [SchedulePlanned, SchedulePlanned, Fired]
    person.permit("probe", rules=False)
    person.do(fire, CRON_APP)
    assert left(person) == [ScheduleDropped, RuleSuspended]
    assert person.refuses(fire, CRON_APP).code is Code.NO_SUCH_RULE
    person.permit("probe", rules=True)
    person.do(ActivateRule(id="a", context=["Personal"], component="age", token=token))
    assert left(person) == [SchedulePlanned]


def test_a_bound_view_must_list_what_fires_the_rule() -> None:
    """When it is made, and when it fires: else the rule tells when something was said that the app may not see."""
    person = given()
    view = ViewDefinition(name="some", components=[["Personal", "age"]])
    person.do(MakeView(id="v", context=[], view=view))
    person.permit("probe", **MAY, bind_view="some")
    command = MakeRule(id="s", context=["Personal"], component="mood", statement=RULE)
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    token = subscribe(person)
    person.do(DeleteView(id="d", context=[], view="some"))
    person.tell("age", 1)
    assert rule(person, token).suspended == "no_right"


def test_a_rule_that_calls_a_url_without_the_right_is_there_and_suspended() -> None:
    """Older logs have such rules, so it is not refused; its app is told, and nothing leaves."""
    person = given(ask=True, tell=True)
    token = subscribe(person)
    assert left(person) == [RuleSuspended]
    person.tell("age", 1)
    assert left(person) == []
    (shown,) = person.describe(ListRules(context=["Personal"]), "probe").rules["age"].values()
    assert shown.suspended == "no_right"
    person.permit("probe", notify=True)
    person.do(ActivateRule(id="a", context=["Personal"], component="age", token=token))
    person.tell("age", 2)
    assert left(person) == [Fired]


@pytest.mark.parametrize("missing", ["ask", "rules", "make"])
def test_a_component_with_rules_needs_what_a_rule_needs(missing: str) -> None:
    """Else an app that may only tell could listen, with a component of its own."""
    person = given(ask=True, make=True, rules=True)
    person.permit("probe", **{missing: False})
    command = MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name="new", rules=[TELLING]))
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    person.permit("probe", **{missing: True})
    person.do(command, "probe")


def test_a_component_with_evidence_needs_the_right_to_tell() -> None:
    """Of the component itself, if there is a setting for it from before."""
    person = given(make=True)
    with_evidence = ComponentDefinition(name="new", evidence=[NewEvidence(value="x")])
    command = MakeComponent(id="c", context=["Personal"], component=with_evidence)
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    person.permit("probe", tell=True)
    person.do(command, "probe")


def test_a_components_rule_that_calls_a_url_waits_for_the_right() -> None:
    """As one that is made by itself."""
    person = given(ask=True, tell=True)
    definition = ComponentDefinition(name="new", rules=[RULE, CRON_RULE, TELLING])
    person.do(MakeComponent(id="c", context=["Personal"], component=definition), "probe")
    assert left(person) == [RuleSuspended, RuleSuspended]


def test_what_a_suspension_did_is_stored() -> None:
    """A model that is loaded again is the one that was in memory, and the tell that suspended is in it."""
    person = given(**MAY)
    token = subscribe(person)
    person.permit("probe", ask=False)
    person.do(Tell(id="t", context=["Personal"], component="age", evidence=NewEvidence(value=7)))
    person.reload()
    assert (rule(person, token).suspended, person.value("age")) == ("no_right", 7)
