"""Members that llum does not know: kept with contexts, components and views, and given back unchanged."""

from typing import Any

import pytest

from model.packing import pack, unpack
from schemas.commands import DeleteApp, DeleteRule, Import, MakeComponent, MakeContext, MakeRule, MakeView
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ViewDefinition
from schemas.errors import Code
from schemas.limits import MAX_EXTRA_BYTES
from schemas.queries import Ask, GetContext, ListRules

from .given import RULE, START_US, Person, picture

EXTRA = {"myattr": {"deep": [1, None, "ä"]}, "": 0}


def furnished() -> Person:
    """Someone with a context, a component and a view that have further members."""
    person = Person()
    person.do(MakeContext(id="c", context=[], name="New", description="d", extra=EXTRA))
    person.do(MakeComponent(id="p", context=["New"], component=ComponentDefinition(name="c", extra=EXTRA)))
    view = ViewDefinition(name="v", components=["c"], description="seen", extra=EXTRA)
    person.do(MakeView(id="v", context=["New"], view=view))
    person.do(MakeView(id="w", context=["New"], view=ViewDefinition(name="w", components=["c"])))
    return person


def shown(person: Person) -> list[Any]:
    """Ask for all that has further members."""
    described = person.describe(GetContext(context=["New"]))
    reply = person.ask(Ask(context=["New"], show_contexts=True))
    assert reply.view_details == described.view_details
    return [described.extra, reply.components[0].extra, reply.view_details]


def test_further_members_are_given_back() -> None:
    """Also after the model has been loaded anew, item by item or in one piece."""
    person = furnished()
    given = shown(person)
    context, component, views = given
    assert (context, component) == (EXTRA, EXTRA)
    assert {name: (one.description, one.extra) for name, one in views.items()} == {"v": ("seen", EXTRA)}
    before = picture(person.live)
    person.reload()
    assert shown(person) == given
    assert picture(person.live) == before
    packed = pack(person.live)
    assert packed is not None
    person.model = unpack("alice", packed, person.live.seq, person.live.time_us, {})
    assert shown(person) == given


def test_further_members_survive_export_and_import() -> None:
    """With the times at which things were made; a time that is yet to come counts as now."""
    person = furnished()
    (page,) = person.export_all("New")
    other = Person()
    other.seq = 100
    contexts = [*page.contexts, ImportedContext(path=["late"], creation_time=1e11)]
    other.do(Import(id="i", context=[], contexts=[at(["New"], contexts[0]), contexts[1]]))
    assert shown(other) == shown(person)
    assert other.describe(GetContext(context=["New"])).created == person.describe(GetContext(context=["New"])).created
    assert other.ask(Ask(context=["New"])).components[0].creation_time == START_US / 1e6 + 3
    assert other.describe(GetContext(context=["late"])).created == START_US / 1e6 + 101
    before = picture(other.live)
    other.reload()
    assert picture(other.live) == before


def at(path: list[str], context: ImportedContext) -> ImportedContext:
    context.path = path
    return context


def test_a_component_may_be_older_than_its_context() -> None:
    """It was made elsewhere, before this context was."""
    person = Person()
    old = ImportedComponent(definition=ComponentDefinition(name="old"), creation_time=5.0)
    person.do(Import(id="i", context=[], contexts=[ImportedContext(path=["Personal"], components=[old])]))
    person.reload()
    assert person.answer("old").creation_time == 5.0


def test_a_context_that_has_none_gets_the_members_of_an_import() -> None:
    """One that has some keeps its own."""
    person = furnished()
    contexts = [ImportedContext(path=[name], extra={"other": 1}) for name in ("New", "Personal")]
    person.do(Import(id="i", context=[], contexts=contexts))
    extras = [person.describe(GetContext(context=[name])).extra for name in ("New", "Personal")]
    assert extras == [EXTRA, {"other": 1}]


FULL = {"x": "y" * (MAX_EXTRA_BYTES - 8)}
TOO_MUCH = [
    ({"x": FULL["x"] + "y"}, Code.TOO_LARGE),
    ({"x": "\0"}, Code.BAD_FIELD),
    ({"\0": 1}, Code.BAD_FIELD),
    ({"x": 2**70}, Code.BAD_FIELD),
]


@pytest.mark.parametrize(("extra", "code"), TOO_MUCH)
def test_further_members_are_bounded(extra: dict[str, Any], code: Code) -> None:
    """They are in memory. The error names the field."""
    person = Person()
    definition = ComponentDefinition(name="c", extra=extra)
    view = ViewDefinition(name="v", components=[], extra=extra)
    commands = [
        (MakeContext(id="c", context=[], name="New", extra=extra), "extra"),
        (MakeComponent(id="p", context=[], component=definition), "component.extra"),
        (MakeView(id="v", context=[], view=view), "view.extra"),
        (Import(id="i", context=[], contexts=[ImportedContext(path=["N"], extra=extra)]), "contexts[0].extra"),
    ]
    for command, field in commands:
        error = person.refuses(command)
        assert (error.code, error.field) == (code, field)
    person.do(MakeContext(id="c", context=[], name="New", extra=FULL))


def test_without_further_members_contexts_are_shared() -> None:
    """They take room only where there are any."""
    left, right, other = Person(), Person(), Person()
    other.do(MakeComponent(id="p", context=["Personal"], component=ComponentDefinition(name="c", extra=EXTRA)))
    mine, theirs, its = (person.live.root.children["Personal"] for person in (left, right, other))
    assert mine.packed is theirs.packed
    assert b"myattr" in its.packed


def rules_listed(person: Person, app: str = "llum") -> dict[str, list[str]]:
    rules = person.ask(Ask(context=["Personal"], show_contexts=True), app).rules or {}
    return {name: list(each) for name, each in rules.items()}


def test_a_component_is_listed_after_its_last_rule_went() -> None:
    """As one without rules, also after loading anew; not before it ever had one, and not with another one left."""
    person = Person()
    tokens = [
        person.do(MakeRule(id="r", context=["Personal"], component="age", statement=RULE)).result for _ in range(2)
    ]
    assert rules_listed(person) == {"age": tokens}
    person.do(DeleteRule(id="d", context=["Personal"], component="age", token=tokens[0]))
    assert rules_listed(person) == {"age": tokens[1:]}
    person.do(DeleteRule(id="d", context=["Personal"], component="age", token=tokens[1]))
    assert rules_listed(person) == {"age": []}
    person.reload()
    assert rules_listed(person) == {"age": []}
    assert person.describe(ListRules(context=["Personal"])).rules == {}
    person.do(MakeRule(id="r", context=["Personal"], component="age", statement=RULE))
    assert [len(tokens) for tokens in rules_listed(person).values()] == [1]


def test_the_rules_of_an_app_that_is_deleted_leave_their_component_listed() -> None:
    """It is the same as deleting each of them."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    person.do(MakeRule(id="r", context=["Personal"], component="age", statement=RULE), "probe")
    person.do(DeleteApp(id="d", app="probe"))
    assert rules_listed(person) == {"age": []}
