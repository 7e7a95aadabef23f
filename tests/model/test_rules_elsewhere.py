"""What a rule in another person's model may do here: what is granted to rules of its app there, and nothing else."""

from typing import Any

import pytest

from model.permissions import OWNER
from schemas.causes import Cause
from schemas.commands import DeleteApp, Derive, SetPermission
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.queries import Ask, AskForRule, GetContext, RuleMayTell

from .given import Person, failed

AGE = ["Personal", "age"]


def given(app: str = "lim", **permission: Any) -> Person:
    """Alice lets the app do everything by itself, and rules of it in Mallory's model what is given."""
    person = Person()
    person.register("lim", ask=True, tell=True, notify=True)
    person.tell("age", 1)
    if permission:
        person.permit(app, "Personal", whose_rules="mallory", **permission)
    return person


def told(whose: str | None, component: str = "age", context: str = "Personal") -> Derive:
    cause = Cause(rule="7", root="mallory.7", depth=1, person=whose)
    return Derive(id="t", context=[context], component=component, evidence=NewEvidence(value=2), cause=cause)


def asked(whose: str, **members: Any) -> AskForRule:
    return AskForRule(whose_rules=whose, query=Ask(**{"context": ["Personal"], "view": ["age"], **members}))


def denied(person: Person, query: AskForRule, app: str = "lim") -> bool:
    return set(failed(person.ask(query, app)).values()) == {Code.PERMISSION_DENIED}


@pytest.mark.parametrize("app", ["lim", "llum"])
def test_what_the_app_may_do_is_not_for_rules_elsewhere(app: str) -> None:
    """Be it an owner app: neither to ask, nor to list, nor to tell."""
    person = given()
    assert denied(person, asked("mallory"), app)
    assert person.refuses_ask(asked("mallory", view=None), app).code is Code.PERMISSION_DENIED
    assert person.refuses_ask(asked("mallory", view=None, show_contexts=True), app).code is Code.PERMISSION_DENIED
    assert person.refuses(told("mallory"), app).code is Code.PERMISSION_DENIED
    assert person.refuses_ask(RuleMayTell(whose_rules="mallory", component=AGE), app).code is Code.PERMISSION_DENIED


@pytest.mark.parametrize("app", ["lim", "llum"])
def test_what_is_granted_to_rules_of_one_person_is_for_these(app: str) -> None:
    """Not for those of others, and not for those of another app."""
    person = given(app, ask=True, tell=True)
    assert person.ask(asked("mallory"), app).components[0].value == 1
    assert person.answered(RuleMayTell(whose_rules="mallory", component=AGE), app)
    person.do(told("mallory"), app)
    assert person.value("age") == 2
    other = "lim" if app == "llum" else "llum"
    for whose, theirs in (("eve", app), ("mallory", other), ("mallory@mallory", app)):
        assert denied(person, asked(whose), theirs)
        assert person.refuses(told(whose), theirs).code is Code.PERMISSION_DENIED


def test_each_verb_is_granted_by_itself() -> None:
    """Whoever may tell does not learn what is there; whoever may ask changes nothing."""
    telling, asking = given(tell=True), given(ask=True)
    assert denied(telling, asked("mallory"))
    telling.do(told("mallory"), "lim")
    assert telling.refuses(told("mallory", "nothing", "Nowhere"), "lim").code is Code.PERMISSION_DENIED
    assert not failed(asking.ask(asked("mallory"), "lim"))
    assert asking.refuses(told("mallory"), "lim").code is Code.PERMISSION_DENIED


def test_limits_hold_for_rules_elsewhere() -> None:
    """A resolver that is bound, a component that is closed, an end."""
    person = given(ask=True, bind_resolver="count", expires=4e9)
    person.permit("lim", "Personal", component="mood", whose_rules="mallory", ask=False)
    assert person.ask(asked("mallory", resolver="recent"), "lim").components[0].value == 1
    assert denied(person, asked("mallory", view=["mood"]))
    assert denied(person, asked("mallory", context=[], view=[["Goals", "Health", "steps"]]))
    assert set(failed(person.ask(asked("mallory"), "lim", now=4e9)).values()) == {Code.PERMISSION_DENIED}


def test_in_the_models_own_rules_the_app_counts() -> None:
    """A rule of this model has what its app has here."""
    person = given()
    person.do(told("alice"), "lim")
    person.do(told(None), "lim")
    assert person.value("age") == 2


def test_a_grant_ends_when_it_is_taken_back_or_the_app_goes() -> None:
    """From the next command on."""
    person = given(ask=True, tell=True)
    person.permit("lim", "Personal", whose_rules="mallory", tell=False)
    assert person.refuses(told("mallory"), "lim").code is Code.PERMISSION_DENIED
    person.do(DeleteApp(id="d", app="lim"))
    assert denied(person, asked("mallory"))


def test_names_that_nobody_granted_anything_are_not_remembered() -> None:
    """Anyone can have a rule, and there is any number of them."""
    person = given(ask=True)
    before = len(person.caches.grants)
    for number in range(20):
        assert denied(person, asked(f"eve{number}"))
    assert len(person.caches.grants) == before


def test_only_the_owner_grants() -> None:
    """And a grant to rules elsewhere makes nobody more than they are."""
    person = given(ask=True, tell=True)
    command = SetPermission(id="p", app="lim", context=[], whose_rules="eve", ask=True)
    assert person.refuses(command, "lim").code is Code.PERMISSION_DENIED
    assert person.grant("lim@mallory", "Personal") is not OWNER
    assert not person.describe(GetContext(context=["Personal"]), "lim").permission.source.startswith("owner")
