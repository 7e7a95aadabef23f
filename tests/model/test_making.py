"""Making models, contexts, components and views; registering apps."""

from typing import Any

import pytest

from schemas.apps import ADMIN_APP
from schemas.commands import (
    DeleteView,
    MakeComponent,
    MakeContext,
    MakeModel,
    MakeView,
    RegisterApp,
    SetPermission,
    Tell,
)
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.grants import Consent
from schemas.limits import MAX_DEFINITION_ITEMS, MAX_LIST_ITEMS, MAX_PATH_SEGMENTS, MAX_TEXT_CHARACTERS
from schemas.queries import Ask
from schemas.slices import Slice
from tests.model.applying import apply

from .given import START_US, Person, failed


def context(path: list[str], *components: ComponentDefinition, **members: Any) -> ContextDefinition:
    return ContextDefinition(path=path, components=list(components), **members)


NAMED = ComponentDefinition(name="name", evidence=[NewEvidence(value="Alice")])


def refused(*contexts: ContextDefinition) -> tuple[Code, str | None]:
    command = MakeModel(id="m", definition=ModelDefinition(contexts=list(contexts)))
    with pytest.raises(Refusal) as caught:
        apply(None, "alice", ADMIN_APP, command, 1, START_US)
    return caught.value.code, caught.value.error.field


def test_the_app_that_is_named_owns_a_model() -> None:
    """The command names the first owner app, whose own all is that comes with the model; others are nobody to it."""
    person = Person(ModelDefinition(contexts=[context(["Personal"], NAMED)]))
    assert list(person.live.apps) == ["llum"]
    assert person.live.apps["llum"].role == "owner"
    (piece,) = person.answer("name", include_evidence=True).evidence or []
    assert piece.source == "llum"
    assert person.refuses_tell(app="other").code is Code.PERMISSION_DENIED


@pytest.mark.parametrize("app", ["_admin", "_sign_in", "_preferences"])
def test_llums_own_apps_make_models(app: str) -> None:
    """They own none themselves."""
    made = apply(None, "alice", app, MakeModel(id="m", owner="wallet"), 7, START_US).model
    assert made is not None
    assert {name: (one.role, one.registration) for name, one in made.apps.items()} == {"wallet": ("owner", 7)}


@pytest.mark.parametrize("app", ["llum", "probe", "_cron"])
def test_no_other_app_makes_models(app: str) -> None:
    """Not even for somebody who has one: then, too, it is the app that is refused."""
    with pytest.raises(Refusal) as caught:
        apply(None, "alice", app, MakeModel(id="m"), 1, START_US)
    assert caught.value.code is Code.PERMISSION_DENIED
    assert Person().refuses(MakeModel(id="again"), app).code is Code.PERMISSION_DENIED


@pytest.mark.parametrize("owner", ["_admin", "", "no id"])
def test_an_owner_app_has_an_id_that_can_be_registered(owner: str) -> None:
    """Those of llum itself cannot."""
    with pytest.raises(Refusal) as caught:
        apply(None, "alice", ADMIN_APP, MakeModel(id="m", owner=owner), 1, START_US)
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "owner")


def test_a_model_is_made_once() -> None:
    """A second make_model is refused, whatever it defines."""
    assert Person().refuses(MakeModel(id="again")).code is Code.ALREADY_EXISTS


def test_missing_parents_are_made_without_description() -> None:
    """A parent that the definition names later gets its description all the same."""
    person = Person(ModelDefinition(contexts=[context(["a", "b", "c"]), context(["a"], description="A")]))
    reply = person.ask(Ask(context=["a"], show_contexts=True))
    assert (reply.contexts, reply.context_description) == (["b"], "A")
    assert person.ask(Ask(context=["a", "b"], show_contexts=True)).context_description == ""


def test_the_root_may_have_components() -> None:
    """The empty path defines the root itself."""
    person = Person(ModelDefinition(contexts=[context([], ComponentDefinition(name="x"), description="All")]))
    reply = person.ask(Ask(show_contexts=True))
    assert [answer.path for answer in reply.components] == [["x"]]
    assert reply.context_description == "All"


def test_initial_evidence_is_told() -> None:
    """Evidence in a definition decides the value at once."""
    part = ComponentDefinition(name="x", evidence=[NewEvidence(value="1"), NewEvidence(value="2")])
    person = Person(ModelDefinition(contexts=[context(["Personal"], part)]))
    assert person.value("x") == "2"
    assert person.answer("x", include_evidence=True).evidence[0].value == "1"


ENUM = ComponentDefinition(name="e", value_type="enum")


@pytest.mark.parametrize(
    ("contexts", "code", "field"),
    [
        ([context(["a"]), context(["b", ".."])], Code.BAD_PATH, "definition.contexts[1].path[1]"),
        ([context(["a"]), context(["a"])], Code.ALREADY_EXISTS, "definition.contexts[1].path"),
        ([context(["a"], description="\0")], Code.BAD_FIELD, "definition.contexts[0].description"),
        ([context(["a"], resolver="")], Code.BAD_FIELD, "definition.contexts[0].resolver"),
        ([context(["a"], ENUM)], Code.BAD_FIELD, "definition.contexts[0].components[0].value_list"),
        (
            [context(["a"], ComponentDefinition(name="x"), ComponentDefinition(name="x"))],
            Code.ALREADY_EXISTS,
            "definition.contexts[0].components[1].name",
        ),
        (
            [context(["a"], ComponentDefinition(name="x/\n"))],
            Code.BAD_PATH,
            "definition.contexts[0].components[0].name",
        ),
        (
            [context(["a"], ComponentDefinition(name="x", goals=[["ok"], []]))],
            Code.BAD_PATH,
            "definition.contexts[0].components[0].goals[1]",
        ),
        (
            [context(["a"], ComponentDefinition(name="x", rules=["x" * (MAX_TEXT_CHARACTERS + 1)]))],
            Code.TOO_LARGE,
            "definition.contexts[0].components[0].rules[0]",
        ),
        (
            [context(["a"], ComponentDefinition(name="x", value_type="number", evidence=[NewEvidence(value="1")]))],
            Code.BAD_VALUE,
            "definition.contexts[0].components[0].evidence[0].value",
        ),
        (
            [context(["a"], views=[ViewDefinition(name="v", components=["x", [""]])])],
            Code.BAD_PATH,
            "definition.contexts[0].views[0].components[1][0]",
        ),
        ([context(["a"] * MAX_PATH_SEGMENTS, ENUM)], Code.BAD_FIELD, None),
        (
            [context(["a"] * MAX_PATH_SEGMENTS, ComponentDefinition(name="x"))],
            Code.BAD_PATH,
            "definition.contexts[0].components[0].name",
        ),
    ],
)
def test_definitions_that_are_refused(contexts: list[ContextDefinition], code: Code, field: str | None) -> None:
    """The refusal names the part of the definition that is wrong."""
    got = refused(*contexts)
    assert got[0] is code
    assert field is None or got[1] == field


def test_a_definition_is_bounded_by_all_that_it_makes() -> None:
    """Parents that are made on the way count, too."""
    deep = [context([f"{index}", *"abcdefghij"]) for index in range(MAX_DEFINITION_ITEMS // 10)]
    assert refused(*deep)[0] is Code.TOO_LARGE
    told = ComponentDefinition(name="x", evidence=[NewEvidence(value="x")] * MAX_DEFINITION_ITEMS)
    assert refused(context(["a"], told))[0] is Code.TOO_LARGE


def test_mkcontext_says_whether_it_made_one() -> None:
    """True for a new one; with exist_ok false for one that is there, which stays as it is."""
    person = Person()
    assert person.do(MakeContext(id="c", context=["Personal"], name="Work", description="W")).result is True
    again = person.do(MakeContext(id="c", context=["Personal"], name="Work", description="other", exist_ok=True))
    assert (again.result, again.changes) == (False, [])
    reply = person.ask(Ask(context=["Personal", "Work"], show_contexts=True))
    assert reply.context_description == "W"


def test_an_accepted_command_without_change_moves_nothing() -> None:
    """Sequence and time of the model are those of its last stored change, so a restart cannot tell the difference."""
    person = Person()
    before = person.live.seq, person.live.time_us
    person.do(MakeContext(id="c", context=[], name="Personal", exist_ok=True))
    assert (person.live.seq, person.live.time_us) == before


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (MakeContext(id="c", context=[], name="Personal"), Code.ALREADY_EXISTS, "name"),
        (MakeContext(id="c", context=["No"], name="x"), Code.NO_SUCH_CONTEXT, "context"),
        (MakeContext(id="c", context=[], name=".."), Code.BAD_PATH, "name"),
        (MakeContext(id="c", context=[], name="x", description="\0"), Code.BAD_FIELD, "description"),
        (MakeComponent(id="c", context=["No"], component=ENUM), Code.NO_SUCH_CONTEXT, "context"),
        (MakeComponent(id="c", context=[], component=ENUM), Code.BAD_FIELD, "component.value_list"),
        (
            MakeComponent(id="c", context=["Personal"], component=ComponentDefinition(name="age")),
            Code.ALREADY_EXISTS,
            "component.name",
        ),
        (
            MakeComponent(id="c", context=[], component=ComponentDefinition(name="x", evidence=[NewEvidence(value=1)])),
            Code.BAD_VALUE,
            "component.evidence[0].value",
        ),
        (
            MakeView(id="v", context=["No"], view=ViewDefinition(name="v", components=[])),
            Code.NO_SUCH_CONTEXT,
            "context",
        ),
        (
            MakeView(id="v", context=[], view=ViewDefinition(name="v", components=["x"] * (MAX_LIST_ITEMS + 1))),
            Code.TOO_LARGE,
            "view.components",
        ),
        (RegisterApp(id="r", app="Not A Token"), Code.BAD_FIELD, "app"),
        (RegisterApp(id="r", app="x", description="\0"), Code.BAD_FIELD, "description"),
        (SetPermission(id="p", app="nobody", context=[]), Code.NO_SUCH_APP, "app"),
        (SetPermission(id="p", app="llum", context=["No"]), Code.NO_SUCH_CONTEXT, "context"),
        (SetPermission(id="p", app="llum", context=["."]), Code.BAD_PATH, "context[0]"),
        (SetPermission(id="p", app="llum", context=[], resolvers=["\0"]), Code.BAD_FIELD, "resolvers[0]"),
    ],
)
def test_commands_that_are_refused(command: Any, code: Code, field: str) -> None:
    """A refused command names the field and changes nothing."""
    error = Person().refuses(command)
    assert (error.code, error.field) == (code, field)


def test_a_context_at_the_deepest_level_holds_no_components() -> None:
    """A component's name counts as a segment of its path."""
    person = Person(ModelDefinition(contexts=[context(["a"] * MAX_PATH_SEGMENTS)]))
    command = MakeComponent(id="c", context=["a"] * MAX_PATH_SEGMENTS, component=ComponentDefinition(name="x"))
    assert person.refuses(command).code is Code.BAD_PATH


def test_a_new_component_has_a_value_at_once() -> None:
    """It is known to hold its initial evidence only, so nothing is read for it."""
    person = Person()
    part = ComponentDefinition(name="new", evidence=[NewEvidence(value="x")])
    assert person.do(MakeComponent(id="c", context=["Personal"], component=part)).result is None
    assert person.reads(Ask(context=["Personal"], view=["new"])) == []
    assert person.value("new") == "x"


def test_a_component_that_is_there_stays_as_it_is() -> None:
    """exist_ok accepts a component of that name, however it is defined."""
    person = Person()
    person.tell(value="Al")
    part = ComponentDefinition(name="firstname", value_type="number")
    assert person.do(MakeComponent(id="c", context=["Personal"], component=part, exist_ok=True)).changes == []
    assert person.answer().value_type == "string"
    assert person.value() == "Al"


def view_of(*names: str) -> MakeView:
    return MakeView(id="v", context=["Personal"], view=ViewDefinition(name="v", components=list(names)))


def test_a_view_of_a_name_is_made_once() -> None:
    """Another one is refused, and the first one stays until it is deleted. Its components need not be there."""
    person = Person()
    person.do(view_of("age"))
    assert person.refuses(view_of("mood")).code is Code.ALREADY_EXISTS
    assert list(failed(person.ask(Ask(context=["Personal"], view="v")))) == []
    person.do(DeleteView(id="d", context=["Personal"], view="v"))
    person.do(view_of("mood", "nobody"))
    reply = person.ask(Ask(context=["Personal"], view="v"))
    assert [answer.path[-1] for answer in reply.components] == ["mood"]
    assert failed(reply) == {"Personal/nobody": Code.NO_SUCH_COMPONENT}


def test_a_component_and_a_context_may_share_a_name() -> None:
    """They are leaves and nodes of the tree, looked up apart."""
    person = Person()
    person.do(MakeContext(id="c", context=["Personal"], name="age"))
    person.reload()
    assert person.value("age") is None
    assert person.ask(Ask(context=["Personal", "age"])).components == []


def test_only_owner_apps_register_apps_and_set_permissions() -> None:
    """Neither the right to tell nor to ask is enough."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    for command in (RegisterApp(id="r", app="x"), SetPermission(id="p", app="probe", context=[], ask=True)):
        assert person.refuses(command, app="probe").code is Code.PERMISSION_DENIED


def test_an_owner_app_can_make_another_and_give_up_itself() -> None:
    """But the model keeps at least one owner app."""
    person = Person()
    assert person.refuses(RegisterApp(id="r", app="llum", role="app")).field == "role"
    person.do(RegisterApp(id="r", app="second", role="owner"))
    person.do(RegisterApp(id="r", app="llum", role="app"), app="second")
    assert person.refuses_tell(app="llum").code is Code.PERMISSION_DENIED
    person.tell(app="second")


def test_registering_again_changes_the_description() -> None:
    """And does nothing when there is nothing to change; permissions stay."""
    person = Person()
    person.register("probe", tell=True)
    assert person.do(RegisterApp(id="r", app="probe", description="new")).changes
    assert person.do(RegisterApp(id="r", app="probe", description="new")).changes == []
    person.tell(app="probe")


def test_only_who_may_tell_may_make() -> None:
    """Contexts, components and views are made under the permission of their context."""
    person = Person()
    person.register("probe", ask=True)
    person.permit("probe", "Personal", tell=True)
    for command in (
        lambda at: MakeContext(id="c", context=at, name="n"),
        lambda at: MakeComponent(id="c", context=at, component=ComponentDefinition(name="n")),
        lambda at: MakeView(id="c", context=at, view=ViewDefinition(name="n", components=[])),
    ):
        assert person.refuses(command(["Goals"]), app="probe").code is Code.PERMISSION_DENIED
        person.do(command(["Personal"]), app="probe")


def test_who_may_make_things_in_a_place_may_make_the_place() -> None:
    """The owner has allowed it before it was there. Its neighbours stay out of reach, and so do places without one."""
    person = Person()
    person.register("probe")
    granted = [Slice(paths=["Personal/Logging", "Nowhere/Logging"], actions=["make"])]
    person.do(Consent(id="g", app="probe", decision="allowed", granted=granted))
    person.do(MakeContext(id="c", context=["Personal"], name="Logging"), app="probe")
    other = person.refuses(MakeContext(id="c", context=["Personal"], name="Other"), app="probe")
    assert (other.code, other.missing) == (Code.PERMISSION_DENIED, Slice(paths=["Personal/Other"], actions=["make"]))
    nowhere = person.refuses(MakeContext(id="c", context=["Nowhere"], name="Logging"), app="probe")
    assert nowhere.code is Code.NO_SUCH_CONTEXT


def test_who_may_not_tell_learns_nothing_of_what_is_there() -> None:
    """What is missing, and what is not permitted, look the same."""
    person = Person()
    person.register("probe")
    errors = [
        person.refuses(Tell(id="t", context=path, component=name, evidence=NewEvidence(value="x")), app="probe")
        for path in (["Personal"], ["Nowhere"])
        for name in ("firstname", "nobody")
    ]
    assert len({(error.code, error.message, error.field) for error in errors}) == 1
