"""What a grant refers to is changed and deleted by the owner's apps alone: no app widens what it was given."""

from collections.abc import Sequence

import pytest

from schemas.commands import (
    Command,
    DeleteComponent,
    DeleteContext,
    DeleteView,
    Import,
    MakeComponent,
    MakeContext,
    MakeView,
    SetGoals,
    SetResolver,
)
from schemas.definitions import ComponentDefinition, ImportedContext, ViewDefinition
from schemas.errors import Code
from schemas.queries import Ask

from .given import Person

VERBS = {"tell": True, "make": True, "delete": True, "rules": True}


def view(*components: str | list[str], name: str = "some") -> MakeView:
    return MakeView(id="v", context=["Personal"], view=ViewDefinition(name=name, components=list(components)))


def bound() -> Person:
    """A person whose app `probe` sees the age alone, and may change all in that context."""
    person = Person()
    person.do(view("age"))
    person.register("probe")
    person.permit("probe", "Personal", ask=True, bind_view="some", **VERBS)
    return person


def seen(person: Person, app: str = "probe") -> Sequence[str]:
    return [answer.path[-1] for answer in person.ask(Ask(context=["Personal"]), app).components]


REDEFINING: list[Command] = [
    view("age", "firstname"),
    view(["Goals", "Health", "steps"]),
    DeleteView(id="d", context=["Personal"], view="some"),
    DeleteComponent(id="d", context=["Personal"], component="age"),
    DeleteContext(id="d", context=["Personal"]),
    SetResolver(id="s", context=["Personal"], resolver="recent"),
    SetResolver(id="s", context=["Personal"], component="age", resolver="recent"),
    Import(id="i", context=["Personal"], contexts=[ImportedContext(path=[], resolver="recent")]),
]


@pytest.mark.parametrize("command", REDEFINING, ids=lambda command: type(command).__name__)
def test_an_app_does_not_redefine_what_it_is_bound_to(command: Command) -> None:
    """Whatever it may make and delete beside that."""
    person = bound()
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    assert seen(person) == ["age"]


@pytest.mark.parametrize("command", REDEFINING, ids=lambda command: type(command).__name__)
def test_nor_does_another_app_that_may_change_everything_there(command: Command) -> None:
    """It would widen what the first one was given, or take it away."""
    person = bound()
    person.register("other", ask=True, **VERBS)
    assert person.refuses(command, "other").code is Code.PERMISSION_DENIED
    assert seen(person) == ["age"]


def test_a_view_that_the_owner_has_deleted_is_not_made_anew() -> None:
    """The name is the owner's as long as a grant has it: deleted by the owner, or gone with its context."""
    person = bound()
    person.do(DeleteView(id="d", context=["Personal"], view="some"))
    assert person.refuses(view("firstname"), "probe").code is Code.PERMISSION_DENIED
    person.do(DeleteContext(id="d", context=["Personal"]))
    person.permit("probe", make=True)
    person.do(MakeContext(id="c", context=[], name="Personal"), "probe")
    assert person.refuses(view("firstname"), "probe").code is Code.PERMISSION_DENIED
    person.do(view("age"))


def test_the_owner_changes_all_of_it() -> None:
    """And the app sees what is there then."""
    person = bound()
    person.do(DeleteView(id="d", context=["Personal"], view="some"))
    person.do(view("mood", "age"))
    assert seen(person) == ["age", "mood"]


def test_what_no_grant_refers_to_is_the_apps_to_change() -> None:
    """Other views, components and resolvers, also beside those that are referred to."""
    person = bound()
    person.do(view("age", name="own"), "probe")
    person.do(DeleteView(id="d", context=["Personal"], view="own"), "probe")
    person.do(DeleteComponent(id="d", context=["Personal"], component="mood"), "probe")
    person.do(SetGoals(id="g", context=["Personal"], component="lastname", goals=[["x"]]), "probe")
    person.register("other", ask=True, **VERBS)
    person.do(SetResolver(id="s", context=["Goals", "Health"], resolver="recent"), "other")
    person.do(DeleteContext(id="d", context=["Goals"]), "other")


def test_a_setting_that_has_expired_refers_to_nothing() -> None:
    """Then the view is like any other."""
    person = bound()
    person.permit("probe", "Personal", expires=person.now + 10)
    person.register("other", ask=True, **VERBS)
    assert person.refuses(DeleteView(id="d", context=["Personal"], view="some"), "other").code is Code.PERMISSION_DENIED
    person.seq += 10
    person.do(DeleteView(id="d", context=["Personal"], view="some"), "other")


def test_a_component_elsewhere_belongs_to_the_view_that_lists_it() -> None:
    """With the contexts above it; what lies beside it does not."""
    person = Person()
    person.do(view(["Goals", "Health", "steps"]))
    person.register("probe")
    person.permit("probe", "Personal", ask=True, bind_view="some")
    person.register("other", ask=True, **VERBS)
    for command in (
        DeleteComponent(id="d", context=["Goals", "Health"], component="steps"),
        DeleteContext(id="d", context=["Goals"]),
        SetResolver(id="s", context=["Goals"], resolver="recent"),
        SetResolver(id="s", context=[], resolver="recent"),
    ):
        assert person.refuses(command, "other").code is Code.PERMISSION_DENIED
    person.do(DeleteComponent(id="d", context=["Personal"], component="active"), "other")


def test_the_resolvers_that_a_limited_grant_counts_on_are_the_owners() -> None:
    """At its place, above and below: set, or removed with what they are set for."""
    person = Person()
    person.do(SetResolver(id="s", context=["Personal"], component="mood", resolver="goal"))
    person.register("probe")
    person.permit("probe", "Personal", ask=True, resolvers=["goal"])
    person.register("other", ask=True, **VERBS)
    for command in (
        SetResolver(id="s", context=[], resolver="recent"),
        SetResolver(id="s", context=["Personal"], resolver="recent"),
        SetResolver(id="s", context=["Personal"], component="age", resolver="recent"),
        DeleteComponent(id="d", context=["Personal"], component="mood"),
        DeleteContext(id="d", context=["Personal"]),
    ):
        assert person.refuses(command, "other").code is Code.PERMISSION_DENIED
    person.do(DeleteComponent(id="d", context=["Personal"], component="age"), "other")
    person.do(MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name="age")), "other")


def test_a_component_with_a_limited_grant_of_its_own_stays() -> None:
    """Deleted and made anew it would have another resolver."""
    person = Person()
    person.register("probe")
    person.permit("probe", "Personal", component="age", ask=True, resolvers=["goal"])
    person.register("other", ask=True, **VERBS)
    command = DeleteComponent(id="d", context=["Personal"], component="age")
    assert person.refuses(command, "other").code is Code.PERMISSION_DENIED
    person.do(command)
