"""Deleting parts of a model, setting resolvers and goals, and forgetting all of it."""

import pytest

from model.changes import ForgetUser, ScheduleDropped, SchedulePlanned
from schemas.commands import (
    Command,
    DeleteComponent,
    DeleteContext,
    DeleteView,
    Forget,
    MakeComponent,
    MakeContext,
    MakeModel,
    MakeRule,
    SetGoals,
    SetResolver,
)
from schemas.definitions import ComponentDefinition
from schemas.errors import Code
from schemas.queries import Ask, GetContext

from .given import CRON_RULE, DEFINITION, RULE, Person, picture


def delete_context(*path: str) -> DeleteContext:
    return DeleteContext(id="d", context=list(path))


def test_a_context_is_deleted_with_all_below_it() -> None:
    """Contexts, components, views and rules go; a restart finds the same."""
    person = Person()
    person.do(MakeContext(id="c", context=["Personal"], name="Inner"))
    person.do(MakeComponent(id="c", context=["Personal", "Inner"], component=ComponentDefinition(name="x")))
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=CRON_RULE))
    assert person.do(delete_context("Personal")).result is True
    assert person.live.context(("Personal",)) is None
    assert person.describe(GetContext()).contexts == ["Goals"]
    live = picture(person.model)
    person.reload()
    assert picture(person.model)[2].keys() == live[2].keys()
    assert any(isinstance(change, ScheduleDropped) for change in person.store.left)


def test_the_root_is_not_deleted() -> None:
    """Deleting the empty path would delete the model."""
    assert Person().refuses(delete_context()).code is Code.BAD_PATH


def test_what_is_deleted_stays_in_the_past() -> None:
    """As of an earlier sequence the component and its evidence are there."""
    person = Person()
    person.tell("firstname", "Al")
    before = person.seq
    person.do(DeleteComponent(id="d", context=["Personal"], component="firstname"))
    past = person.store.load("alice", before, 2**62)
    assert past is not None
    person.model = past
    assert person.value("firstname") == "Al"


def test_a_component_made_anew_starts_without_evidence() -> None:
    """Nor does it have the earlier one's rules."""
    person = Person()
    person.tell("firstname", "Al")
    person.do(MakeRule(id="s", context=["Personal"], component="firstname", statement=RULE))
    person.do(DeleteComponent(id="d", context=["Personal"], component="firstname"))
    person.do(MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name="firstname")))
    assert person.value("firstname") is None
    person.tell("firstname", "Bo")
    assert person.store.left == []
    person.reload()
    assert person.value("firstname") == "Bo"


def test_deleting_a_context_is_no_way_around_a_setting() -> None:
    """What the owner set for the path holds for the context that is made there again."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    person.permit("probe", "Personal", ask=False)
    person.do(delete_context("Personal"), app="probe")
    person.do(MakeContext(id="c", context=[], name="Personal"), app="probe")
    assert person.refuses_ask(Ask(context=["Personal"]), "probe").code is Code.PERMISSION_DENIED


def test_everything_below_must_be_permitted() -> None:
    """An app that may not change a sub-context or a single component does not delete it with the context."""
    person = Person()
    person.register("probe", tell=True)
    person.permit("probe", "Goals", "Health", tell=False)
    assert person.refuses(delete_context("Goals"), "probe").code is Code.PERMISSION_DENIED
    person.permit("probe", "Goals", "Health", tell=True)
    person.permit("probe", "Goals", "Health", component="steps", tell=False)
    assert person.refuses(delete_context("Goals"), "probe").code is Code.PERMISSION_DENIED


def test_a_view_is_deleted() -> None:
    """Only once."""
    person = Person()
    command = DeleteView(id="d", context=["Personal"], view="fullname")
    person.do(command)
    assert person.refuses(command).code is Code.NO_SUCH_VIEW


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (delete_context("Nowhere"), Code.NO_SUCH_CONTEXT),
        (delete_context(".."), Code.BAD_PATH),
        (DeleteComponent(id="d", context=["Personal"], component="x"), Code.NO_SUCH_COMPONENT),
        (DeleteComponent(id="d", context=["Nowhere"], component="x"), Code.NO_SUCH_CONTEXT),
        (DeleteView(id="d", context=["Personal"], view="x"), Code.NO_SUCH_VIEW),
        (SetResolver(id="d", context=["Personal"], component="x"), Code.NO_SUCH_COMPONENT),
        (SetResolver(id="d", context=["Personal"], resolver=""), Code.BAD_FIELD),
        (SetGoals(id="d", context=["Personal"], component="age", goals=[[]]), Code.BAD_PATH),
    ],
)
def test_what_is_not_there_is_refused(command: Command, code: Code) -> None:
    """And an app without permission learns nothing of it."""
    person = Person()
    person.register("probe")
    assert person.refuses(command).code is code
    if code not in (Code.BAD_PATH, Code.BAD_FIELD):
        assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED


def test_resolvers_are_set_and_unset() -> None:
    """A component's own goes before its context's, that before the root's."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2, flags=["goal"])
    person.do(SetResolver(id="s", context=[], resolver="goal"))
    assert person.value("age") == 2
    person.do(SetResolver(id="s", context=["Personal"], component="age", resolver="default"))
    assert person.value("age") == 1
    person.do(SetResolver(id="s", context=["Personal"], component="age"))
    person.reload()
    assert person.value("age") == 2


def test_setting_what_is_set_changes_nothing() -> None:
    """There is nothing to store."""
    person = Person()
    assert person.do(SetResolver(id="s", context=["Personal"], component="age")).changes == []
    assert person.do(SetGoals(id="s", context=["Personal"], component="age", goals=[])).changes == []


def test_goals_are_set() -> None:
    """They are paths; nothing needs to be there."""
    person = Person()
    person.do(SetGoals(id="s", context=["Personal"], component="age", goals=[["Goals", "Health", "steps"]]))
    person.reload()
    assert person.answer("age").goals == [["Goals", "Health", "steps"]]


def test_a_model_is_forgotten() -> None:
    """Nothing is left, and a model made later starts anew."""
    person = Person()
    person.tell("firstname", "Al")
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=CRON_RULE))
    applied = person.do(Forget(id="f"))
    assert applied.model is None
    assert any(isinstance(change, ForgetUser) for change in applied.changes)
    assert person.store.versions == []
    assert person.store.rows == []
    scheduled = [change for change in person.store.left if isinstance(change, SchedulePlanned | ScheduleDropped)]
    assert isinstance(scheduled[-1], ScheduleDropped)
    assert person.refuses(delete_context("Personal")).code is Code.NO_SUCH_MODEL
    person.do(MakeModel(id="m", definition=DEFINITION))
    assert person.value("firstname") is None


def test_only_the_owner_has_a_model_forgotten() -> None:
    """An app that may tell everywhere may not."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    assert person.refuses(Forget(id="f"), "probe").code is Code.PERMISSION_DENIED
