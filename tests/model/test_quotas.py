"""How much an app may have in a person's model, and who may change that."""

from typing import Any

import pytest

from schemas.apps import ADMIN_APP
from schemas.commands import (
    Command,
    DeleteComponent,
    DeleteRule,
    MakeComponent,
    MakeContext,
    MakeRule,
    MakeView,
    RegisterApp,
    SetQuota,
    SetResolver,
)
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code
from schemas.queries import ListApps
from schemas.quotas import DEFAULT_QUOTAS, Quotas

from .given import CRON_RULE, Person

TELLING = "'' ~ '' : TELL ./Personal/firstname, inferred:'x'"
SCHEDULED = f'["0 7 * * *"] {TELLING}'


def given(app: str = "probe", **quotas: int) -> Person:
    """A person whose app `probe` may do all, within these quotas."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    person.do(SetQuota(id="q", app=app, **quotas), ADMIN_APP)
    return person


def rule(statement: str = TELLING, component: str = "age") -> MakeRule:
    return MakeRule(id="s", context=["Personal"], component=component, statement=statement)


def component(name: str, *rules: str) -> MakeComponent:
    return MakeComponent(id="c", context=["Goals"], component=ComponentDefinition(name=name, rules=list(rules)))


def refused(person: Person, command: Command, app: str = "probe") -> bool:
    error = person.refuses(command, app)
    return error.code is Code.QUOTA and "llum admin app quota" in str(error.hint)


def test_an_app_has_so_many_rules() -> None:
    """Wherever they are; one that is deleted makes room; those of others are not counted."""
    person = given(rules=2)
    person.do(rule())
    first = person.do(rule(), "probe").result
    person.do(rule(component="mood"), "probe")
    assert refused(person, rule())
    assert refused(person, component("new", TELLING))
    person.do(DeleteRule(id="d", context=["Personal"], component="age", token=first), "probe")
    assert refused(person, component("new", TELLING, TELLING))
    person.do(component("new", TELLING), "probe")
    person.reload()
    assert refused(person, rule())
    person.do(rule())


def test_an_app_has_so_many_schedules() -> None:
    """And as many other rules as it had."""
    person = given(schedules=1)
    person.do(rule(SCHEDULED), "probe")
    assert refused(person, rule(SCHEDULED))
    assert refused(person, component("new", TELLING, SCHEDULED))
    person.do(rule(), "probe")
    person.do(rule(CRON_RULE))


@pytest.mark.parametrize("app", ["probe", "llum"])
@pytest.mark.parametrize(
    ("schedule", "times"),
    [("* * * * *", 1), ("30 * * * * *", 1), ("0,30 * * * * *", 2), ("*/10 * 1 1 * *", 6), ("* * * * * *", 60)],
)
def test_a_schedule_fires_at_most_once_a_minute(app: str, schedule: str, times: int) -> None:
    """Unless the operator allows more. That binds owner apps, too."""
    person = given()
    scheduled = rule(f'["{schedule}"] {TELLING}')
    if times > 1:
        assert refused(person, scheduled, app)
        assert refused(person, component("new", scheduled.statement), app)
        person.do(SetQuota(id="q", app=app, fires_per_minute=times - 1), ADMIN_APP)
        assert refused(person, scheduled, app)
        person.do(SetQuota(id="q", app=app, fires_per_minute=times), ADMIN_APP)
    person.do(scheduled, app)


def test_an_app_has_so_many_things() -> None:
    """Contexts, components and views that it has made and that are there, also when others change them."""
    person = given(things=3)
    person.do(MakeContext(id="x", context=["Goals"], name="Mine"), "probe")
    person.do(component("mine"), "probe")
    person.do(MakeView(id="v", context=["Goals"], view=ViewDefinition(name="mine", components=[])), "probe")
    person.do(SetResolver(id="r", context=["Goals"], component="mine", resolver="goal"))
    person.do(SetResolver(id="r", context=["Goals", "Mine"], resolver="goal"))
    person.reload()
    more: list[Command] = [
        MakeContext(id="x", context=["Goals"], name="More"),
        component("more"),
        MakeView(id="v", context=["Goals"], view=ViewDefinition(name="more", components=[])),
    ]
    for command in more:
        assert refused(person, command)
    person.do(component("owners"))
    person.do(DeleteComponent(id="d", context=["Goals"], component="mine"))
    person.do(component("more"), "probe")


def test_an_owners_app_is_not_counted() -> None:
    """It could register other apps."""
    person = given("llum", rules=0, things=0, schedules=0)
    person.do(rule(SCHEDULED))
    person.do(component("new", TELLING))


@pytest.mark.parametrize("app", ["llum", "probe"])
def test_only_the_operator_sets_quotas(app: str) -> None:
    """Neither the app nor its owner."""
    assert given().refuses(SetQuota(id="q", app="probe", rules=9), app).code is Code.PERMISSION_DENIED


def test_quotas_are_shown_and_kept() -> None:
    """What is not said stays; a new description or role changes none; the usual ones are not stored."""
    person = given(rules=7)
    person.do(SetQuota(id="q", app="probe", schedules=8), ADMIN_APP)
    person.do(RegisterApp(id="r", app="probe", description="new"))
    person.reload()
    apps = person.describe(ListApps()).apps
    assert (apps["probe"].quotas, apps["llum"].quotas) == (Quotas(rules=7, schedules=8), None)
    usual = {"rules": DEFAULT_QUOTAS.rules, "schedules": DEFAULT_QUOTAS.schedules}
    person.do(SetQuota(id="q", app="probe", **usual), ADMIN_APP)
    assert person.live.apps["probe"].quotas is None


@pytest.mark.parametrize(
    ("parts", "code", "field"),
    [
        ({"app": "nobody", "rules": 1}, Code.NO_SUCH_APP, "app"),
        ({"app": "probe", "rules": -1}, Code.BAD_FIELD, "rules"),
        ({"app": "probe", "things": 10**9}, Code.BAD_FIELD, "things"),
    ],
)
def test_bad_quotas(parts: dict[str, Any], code: Code, field: str) -> None:
    """Are refused, naming what is wrong."""
    error = given().refuses(SetQuota(id="q", **parts), ADMIN_APP)
    assert (error.code, error.field) == (code, field)
