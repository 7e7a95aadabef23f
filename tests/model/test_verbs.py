"""What a permission allows is said verb by verb: ask, tell, make, delete, rules, notify."""

from typing import Any

import pytest

from schemas.commands import (
    Command,
    DeleteApp,
    DeleteComponent,
    DeleteContext,
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeRule,
    MakeView,
    SetGoals,
    SetPermission,
    SetResolver,
    Tell,
    Withdraw,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.permissions import Permission
from schemas.queries import GetContext, GetPermission

from .given import RULE, Person

TOLD = NewEvidence(value=1)
HERE = ["Personal"]

NEEDS: list[tuple[str, Command]] = [
    ("tell", Tell(id="x", context=HERE, component="age", evidence=TOLD)),
    ("tell", Withdraw(id="x", context=HERE, component="age", seq=1)),
    ("make", MakeContext(id="x", context=HERE, name="new")),
    ("make", MakeComponent(id="x", context=HERE, component=ComponentDefinition(name="new"))),
    ("make", MakeView(id="x", context=HERE, view=ViewDefinition(name="new", components=[]))),
    ("make", SetResolver(id="x", context=HERE, component="age", resolver="goal")),
    ("make", SetResolver(id="x", context=HERE, resolver="goal")),
    ("make", SetGoals(id="x", context=HERE, component="age", goals=[])),
    ("delete", DeleteContext(id="x", context=HERE)),
    ("delete", DeleteComponent(id="x", context=HERE, component="age")),
    ("delete", DeleteView(id="x", context=HERE, view="fullname")),
    ("rules", MakeRule(id="x", context=HERE, component="age", statement=RULE)),
]
EVERYTHING_BUT = {"ask": True, "tell": True, "make": True, "delete": True, "rules": True, "notify": True}


def given(**permission: Any) -> Person:
    """A person whose app `probe` has one setting at the root."""
    person = Person()
    person.register("probe", **permission)
    return person


@pytest.mark.parametrize(("verb", "command"), NEEDS)
def test_each_command_needs_its_verb(verb: str, command: Command) -> None:
    """All others together are not enough."""
    person = given(**{**EVERYTHING_BUT, verb: False})
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED


@pytest.mark.parametrize(("verb", "command"), [one for one in NEEDS if not isinstance(one[1], Withdraw)])
def test_each_verb_is_enough(verb: str, command: Command) -> None:
    """For a rule the right to ask, which it reads with, is needed beside."""
    only: dict[str, Any] = {"tell": False, verb: True, "ask": verb == "rules"}
    if verb == "tell":
        only |= {"make": False, "delete": False, "rules": False}
    given(**only).do(command, "probe")


def test_tell_says_it_of_making_deleting_and_rules_too() -> None:
    """As it did before there were verbs for these; but it never said that a rule may call a URL."""
    person = given(tell=True)
    grant = person.grant("probe", "Personal")
    assert (grant.make, grant.delete, grant.rules, grant.notify) == (True, True, True, False)
    person.permit("probe", "Personal", tell=False)
    grant = person.grant("probe", "Personal")
    assert (grant.make, grant.delete, grant.rules) == (False, False, False)


def test_a_setting_that_names_a_verb_is_not_talked_over() -> None:
    """What it says of `tell` later leaves what it says of the verb."""
    person = given(make=False)
    person.permit("probe", tell=True)
    grant = person.grant("probe", "Personal")
    assert (grant.tell, grant.make, grant.delete) == (True, False, True)


def test_a_nearer_tell_speaks_for_itself() -> None:
    """The nearest setting that says anything of a verb decides, be it by `tell`."""
    person = given(tell=True, make=False)
    person.permit("probe", "Personal", tell=True)
    assert person.grant("probe", "Personal").make
    assert not person.grant("probe", "Goals").make


def test_the_verbs_are_described() -> None:
    """To the app itself, after all that is set above."""
    granted = given(ask=True, make=True, purpose="to help").describe(GetContext(context=HERE), "probe").permission
    assert (granted.ask, granted.tell, granted.make, granted.delete) == (True, False, True, False)
    assert granted.purpose == "to help"


def test_rules_elsewhere_have_settings_of_their_own() -> None:
    """Nothing of the app's own counts for them, and nothing of theirs for the app."""
    person = given(ask=True, tell=True)
    person.permit("probe", "Goals", whose_rules="mallory", ask=True)
    assert not person.grant("probe@mallory", "Personal").ask
    assert person.grant("probe@mallory", "Goals", "Health").ask
    assert not person.grant("probe@mallory", "Goals").tell
    assert not person.grant("probe@eve", "Goals").ask
    person.permit("probe", whose_rules="eve", tell=True)
    person.permit("probe", ask=False)
    assert not person.grant("probe", "Goals").ask


def test_rules_elsewhere_of_an_owner_app_have_no_owner_rights() -> None:
    """The command line is an owner app in everybody's model."""
    person = Person()
    assert not person.grant("llum@mallory", "Personal").ask
    person.permit("llum", "Personal", whose_rules="mallory", ask=True)
    assert person.grant("llum@mallory", "Personal").ask
    assert person.grant("llum", "Personal").delete


def test_settings_for_rules_elsewhere_are_shown_kept_and_dropped() -> None:
    """Beside the app's own; after a restart, too; with the app."""
    person = given(ask=True)
    person.permit("probe", whose_rules="mallory", ask=True)
    person.permit("probe", "Personal", component="age", whose_rules="eve", tell=True)
    person.reload()
    shown = person.describe(GetPermission(app="probe"))
    assert (shown.permission, shown.rules_of) == (Permission(ask=True), {"mallory": Permission(ask=True)})
    exported = person.export_all()[0].apps["probe"].permissions
    assert [(one.whose_rules, one.component) for one in exported] == [(None, None), ("eve", "age"), ("mallory", None)]
    person.do(DeleteApp(id="d", app="probe"))
    assert not person.live.permissions
    assert not person.live.component_permissions


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"whose_rules": "alice", "ask": True}, "whose_rules"),
        ({"whose_rules": "No One", "ask": True}, "whose_rules"),
        ({"whose_rules": "bob", "make": True}, "make"),
        ({"whose_rules": "bob", "rules": True}, "rules"),
        ({"purpose": "x" * 5000}, "purpose"),
    ],
)
def test_bad_settings_for_rules_elsewhere(parts: dict[str, Any], field: str) -> None:
    """Are refused, naming what is wrong."""
    assert given().refuses(SetPermission(id="p", app="probe", context=[], **parts)).field == field
