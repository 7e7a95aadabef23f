"""Names that an app may not ask: nothing that it is told differs by whether they are there."""

from typing import Any

import msgspec
import pytest

from schemas.commands import DeleteRule, MakeComponent, MakeContext, MakeRule, MakeView, SetGoals
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Error, Refusal
from schemas.queries import Ask, GetContext, GetPermission, ListRules, Query

from .given import RULE, Person, failed


def outcome(person: Person, command: Any, app: str) -> Any:
    """Give what the sender of a command is told."""
    try:
        return person.do(command, app).result
    except Refusal as refusal:
        return refusal.error


def reply(person: Person, query: Query, app: str = "probe") -> Error:
    return person.refuses_ask(query, app)


def but_for_the_name(error: Error) -> Error:
    """Leave out of a refusal the name that was asked for: the right that it names as missing has it."""
    assert error.missing is not None
    same = msgspec.structs.replace(error.missing, paths=[], components=[], view=None)
    return msgspec.structs.replace(error, missing=same)


def closed() -> Person:
    """A person whose app `probe` may do all in `Personal`, but for the age and a context `Diary`."""
    person = Person()
    person.do(MakeContext(id="c", context=["Personal"], name="Diary"))
    person.register("probe")
    person.permit("probe", "Personal", ask=True, tell=True, make=True, delete=True, rules=True)
    person.permit("probe", "Personal", "Diary", ask=False, tell=False, make=False)
    person.permit("probe", "Personal", component="age", ask=False, tell=False, make=False)
    return person


def bound() -> Person:
    """A person whose app `probe` sees the mood alone."""
    person = Person()
    person.do(MakeView(id="v", context=[], view=ViewDefinition(name="some", components=[["Personal", "mood"]])))
    person.do(MakeContext(id="c", context=["Personal"], name="Diary"))
    person.register("probe", ask=True, tell=True, make=True, rules=True, bind_view="some")
    return person


def component(name: str, exist_ok: bool = False) -> MakeComponent:
    return MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name=name), exist_ok=exist_ok)


def context(name: str, exist_ok: bool = False) -> MakeContext:
    return MakeContext(id="c", context=["Personal"], name=name, exist_ok=exist_ok)


def view(name: str) -> MakeView:
    return MakeView(id="v", context=["Personal"], view=ViewDefinition(name=name, components=["mood"]))


@pytest.mark.parametrize("exist_ok", [False, True])
def test_what_is_made_where_nothing_may_be_asked_tells_of_nothing(exist_ok: bool) -> None:
    """A name that is taken and one that is free have the same outcome, and what is there stays as it is."""
    person = Person()
    person.register("blind", tell=True, make=True)
    before = person.answer("age")
    assert outcome(person, component("age", exist_ok), "blind") == outcome(person, component("new"), "blind")
    person.do(MakeContext(id="c", context=["Personal"], name="Diary"))
    assert outcome(person, context("Diary", exist_ok), "blind") == outcome(person, context("New"), "blind")
    assert outcome(person, view("fullname"), "blind") == outcome(person, view("new"), "blind")
    assert person.answer("age") == before
    assert person.ask(Ask(context=["Personal"], show_contexts=True)).views == {
        "fullname": ["lastname", ["Personal", "firstname"]],
        "new": ["mood"],
    }


def test_what_is_made_beside_a_bound_view_tells_of_nothing() -> None:
    """Though the app may ask there."""
    person = bound()
    assert outcome(person, component("age"), "probe") == outcome(person, component("new"), "probe")
    assert outcome(person, context("Diary"), "probe") == outcome(person, context("New"), "probe")
    assert outcome(person, view("fullname"), "probe") == outcome(person, view("new"), "probe")
    assert person.refuses(component("mood"), "probe").code is Code.ALREADY_EXISTS


def test_a_closed_name_is_closed_whether_or_not_it_is_there() -> None:
    """What is set for the name itself counts for who would make it."""
    person = closed()
    person.do(MakeContext(id="c", context=["Personal"], name="Open"))
    taken = (outcome(person, component("age"), "probe"), outcome(person, context("Diary"), "probe"))
    assert {error.code for error in taken} == {Code.PERMISSION_DENIED}
    assert person.refuses(component("mood"), "probe").code is Code.ALREADY_EXISTS
    assert person.refuses(context("Open"), "probe").code is Code.ALREADY_EXISTS


def test_views_show_what_may_be_asked() -> None:
    """In listings and in asks; a view of which nothing is left looks like none."""
    person = closed()
    for name, listed in (("part", ["age", "mood", ["Goals", "Health", "steps"]]), ("hidden", ["age"]), ("empty", [])):
        person.do(MakeView(id="v", context=["Personal"], view=ViewDefinition(name=name, components=list(listed))))
    shown = {"empty": [], "fullname": ["lastname", ["Personal", "firstname"]], "part": ["mood"]}
    assert person.ask(Ask(context=["Personal"], show_contexts=True), "probe").views == shown
    assert person.describe(GetContext(context=["Personal"]), "probe").views == shown
    answered = person.ask(Ask(context=["Personal"], view="part"), "probe")
    assert ([one.path[-1] for one in answered.components], failed(answered)) == (["mood"], {})
    hidden, nothing = (reply(person, Ask(context=["Personal"], view=name)) for name in ("hidden", "absent"))
    assert (hidden.code, nothing.code) == (Code.NO_SUCH_VIEW, Code.NO_SUCH_VIEW)
    assert hidden.message == nothing.message.replace("absent", "hidden")
    assert len(person.ask(Ask(context=["Personal"], view="part")).components) == 3


def test_goals_show_what_may_be_asked() -> None:
    """They are paths of other components."""
    person = closed()
    goals = [["Personal", "age"], ["Goals", "Health", "steps"], ["Personal", "mood"]]
    person.do(SetGoals(id="g", context=["Personal"], component="firstname", goals=goals))
    assert person.answer("firstname", app="probe").goals == [["Personal", "mood"]]
    assert person.answer("firstname").goals == goals


def test_an_app_that_is_bound_to_a_view_learns_of_no_other_name() -> None:
    """Of contexts, views, components, rules and what is set for them; nor how many there are."""
    person = bound()
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=RULE))
    for there, absent in (
        (GetContext(context=["Goals"]), GetContext(context=["Nowhere"])),
        (GetContext(context=["Personal", "Diary"]), GetContext(context=["Personal", "Nothing"])),
        (Ask(context=["Goals", "Health"]), Ask(context=["Goals", "Nothing"])),
        (Ask(context=["Personal"], view="fullname"), Ask(context=["Personal"], view="nothing")),
        (ListRules(context=["Personal"], component="age"), ListRules(context=["Personal"], component="no")),
    ):
        assert but_for_the_name(reply(person, there)) == but_for_the_name(reply(person, absent))
    assert person.describe(GetContext(context=[], size=True), "probe").size.contexts == 2
    mine = [GetPermission(app="probe", context=["Personal"], component=name) for name in ("age", "nothing")]
    assert [person.describe(query, "probe").permission for query in mine] == [None, None]


def test_rules_of_names_that_may_not_be_asked() -> None:
    """Neither making nor removing one tells whether the component is there."""
    person = bound()
    for name in ("age", "nothing"):
        remove = DeleteRule(id="d", context=["Personal"], component=name, token="1")
        assert person.refuses(remove, "probe").code is Code.NO_SUCH_RULE
        make = MakeRule(id="s", context=["Personal"], component=name, statement=RULE)
        assert person.refuses(make, "probe").code is Code.PERMISSION_DENIED


def test_what_is_set_for_a_closed_component_tells_nothing_of_it() -> None:
    """To the app that it is closed for."""
    person = closed()
    person.register("other")
    assert person.describe(GetPermission(app="probe", context=["Goals"], component="x"), "probe").permission is None
    own = person.describe(GetPermission(app="probe", context=["Personal"], component="age"), "probe").permission
    assert own.ask is False
