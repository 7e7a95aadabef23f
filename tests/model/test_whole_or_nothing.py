"""A command with many parts is applied whole or not at all, whichever of its parts is wrong."""

from typing import Any

import msgspec
import pytest

from schemas.commands import Command, Import, MakeContext, MakeRule
from schemas.definitions import (
    ComponentDefinition,
    ImportedApp,
    ImportedComponent,
    ImportedContext,
    ImportedRule,
    ViewDefinition,
)
from schemas.errors import Code
from schemas.evidence import ImportedEvidence, NewEvidence
from schemas.permissions import Permission
from schemas.queries import Ask, CheckImport, GetContext, GetPermission, ListApps, ListRules

from .given import RULE, Person, picture

ASK = Permission(ask=True)


def evidence(value: Any) -> ImportedEvidence:
    return ImportedEvidence(value=value, source="app", owner="al", creation_time=5.0)


def part(name: str = "c", *pieces: ImportedEvidence, **members: Any) -> ImportedComponent:
    return ImportedComponent(definition=ComponentDefinition(name=name), evidence=list(pieces), **members)


def bringing(*components: ImportedComponent, **members: Any) -> Import:
    return Import(id="i", context=[], contexts=[ImportedContext(path=["New"], components=list(components), **members)])


def test_a_context_is_made_with_what_is_set_in_it() -> None:
    """In one command, so that it is never there without."""
    person = Person()
    person.register("probe")
    command = MakeContext(id="c", context=[], name="New", permissions={"probe": ASK})
    assert person.do(command).result is True
    assert person.grant("probe", "New").ask
    assert not person.grant("probe").ask


NO_CONTEXT = [
    ("llum", {"nobody": ASK}, Code.NO_SUCH_APP, "permissions.nobody"),
    ("llum", {"probe": ASK, "nobody": ASK}, Code.NO_SUCH_APP, "permissions.nobody"),
    ("llum", {"probe": Permission(filters=["odd"])}, Code.BAD_FILTER, "permissions.probe.filters[0]"),
    ("probe", {"probe": ASK}, Code.PERMISSION_DENIED, None),
    ("probe", {"nobody": ASK}, Code.PERMISSION_DENIED, None),
]


@pytest.mark.parametrize(("app", "permissions", "code", "field"), NO_CONTEXT)
def test_a_context_is_not_made_when_its_settings_are_refused(
    app: str, permissions: dict[str, Permission], code: Code, field: str | None
) -> None:
    """For an app that is not registered, or from an app that is no owner's: nothing is there afterwards."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    error = person.refuses(MakeContext(id="c", context=[], name="New", permissions=permissions), app)
    assert (error.code, error.field) == (code, field)


def test_a_context_that_is_there_keeps_its_settings() -> None:
    """As all else of it stays as it is."""
    person = Person()
    person.register("probe")
    command = MakeContext(id="c", context=[], name="Personal", permissions={"probe": ASK}, exist_ok=True)
    assert person.do(command).result is False
    assert not person.grant("probe", "Personal").ask


def test_several_components_get_one_rule() -> None:
    """Each has its own token, and all are there after loading anew."""
    person = Person()
    command = MakeRule(
        id="r",
        context=["Personal"],
        component="age",
        statement=RULE,
        further=[["Personal", "mood"], ["Goals", "Health", "steps"]],
        user="al",
    )
    tokens = person.do(command).result
    assert tokens == ["2", "2-1", "2-2"]
    person.reload()
    listed = person.describe(ListRules(context=["Personal"])).rules
    assert {name: list(rules) for name, rules in listed.items()} == {"age": ["2"], "mood": ["2-1"]}
    assert listed["age"]["2"].user == "al"
    assert list(person.describe(ListRules(context=["Goals", "Health"])).rules["steps"]) == ["2-2"]


NO_RULES = [
    ([["Personal", "nothing"]], Code.NO_SUCH_COMPONENT, "further[0]"),
    ([["Personal", "mood"], ["Nowhere", "x"]], Code.NO_SUCH_CONTEXT, "further[1]"),
    ([["Personal", "mood"], []], Code.BAD_PATH, "further[1]"),
    ([["Personal", "age"]], Code.ALREADY_EXISTS, "further[1].path"),
    ([["Personal", "mood"]] * 1025, Code.TOO_LARGE, "further"),
]


@pytest.mark.parametrize(("further", "code", "field"), NO_RULES)
def test_none_gets_the_rule_when_one_cannot(further: list[list[str]], code: Code, field: str) -> None:
    """Whichever it is."""
    command = MakeRule(id="r", context=["Personal"], component="age", statement=RULE, further=further)
    error = Person().refuses(command)
    assert (error.code, error.field) == (code, field)


def test_none_gets_the_rule_when_the_app_may_not_at_one() -> None:
    """What it may at the others is not used."""
    person = Person()
    person.register("probe")
    person.permit("probe", "Personal", ask=True, tell=True)
    command = MakeRule(
        id="r", context=["Personal"], component="age", statement=RULE, further=[["Goals", "Health", "steps"]]
    )
    error = person.refuses(command, "probe")
    assert (error.code, error.field) == (Code.PERMISSION_DENIED, "further[0]")


def test_an_import_brings_apps_settings_and_rules() -> None:
    """All in one command. The rules are suspended: somebody else has written them."""
    person = Person()
    component = part("c", evidence("one"), rules=[ImportedRule(statement=RULE, app="fit", user="al")])
    component.permissions = {"fit": Permission(tell=True)}
    command = bringing(component, permissions={"fit": ASK})
    command.apps = {"fit": ImportedApp(description="Fitness")}
    result = person.do(command).result
    counts = {"contexts": 1, "components": 1, "views": 0, "evidence": 1, "apps": 1, "rules": 1, "permissions": 2}
    assert result == counts
    person.reload()
    assert person.describe(ListApps()).apps["fit"].description == "Fitness"
    assert person.describe(GetPermission(app="fit", context=["New"])).permission == ASK
    assert person.describe(GetPermission(app="fit", context=["New"], component="c")).permission == Permission(tell=True)
    (rule,) = person.describe(ListRules(context=["New"])).rules["c"].values()
    assert (rule.statement, rule.app, rule.user, rule.suspended) == (RULE, "fit", "al", "imported")


def test_what_concerns_an_unknown_app_is_skipped_and_named() -> None:
    """Everything else is imported."""
    person = Person()
    component = part("c", rules=[ImportedRule(statement=RULE, app="gone")], permissions={"nobody": ASK})
    result = person.do(bringing(component, permissions={"nobody": ASK, "llum": ASK})).result
    assert result["skipped"] == [
        {"what": "permission", "app": "nobody", "path": ["New"], "code": "no_such_app"},
        {"what": "permission", "app": "nobody", "path": ["New", "c"], "code": "no_such_app"},
        {"what": "rule", "app": "gone", "path": ["New", "c"], "code": "no_such_app"},
    ]
    assert result["permissions"] == 1
    assert person.describe(ListRules(context=["New"])).rules == {}


def test_a_rule_that_is_there_is_not_made_again() -> None:
    """A component that is there gets only rules that it has not got, with tokens of their own."""
    person = Person()
    rules = [ImportedRule(statement=RULE)]
    person.do(bringing(part("c", rules=rules), part("d", rules=rules)))
    other = ImportedRule(statement=RULE.replace("example", "example2"))
    person.do(bringing(part("c", rules=[*rules, other]), part("d", rules=[*rules, other])))
    person.reload()
    listed = person.describe(ListRules(context=["New"])).rules
    assert [[rule.statement for rule in each.values()] for each in listed.values()] == [[RULE, other.statement]] * 2
    assert len({token for each in listed.values() for token in each}) == 4


BAD_RULE = ImportedRule(statement="nonsense")
BAD_IMPORTS: list[tuple[Command, Code, str]] = [
    (bringing(part("a", evidence("x")), part("c", rules=[BAD_RULE])), Code.BAD_RULE, "New/c: "),
    (bringing(part("c", rules=[ImportedRule(statement=RULE, user="")])), Code.BAD_FIELD, "New/c: "),
    (bringing(part("c", evidence(1))), Code.BAD_VALUE, "New/c: "),
    (bringing(part("c", permissions={"llum": Permission(bind_view="v")})), Code.BAD_FIELD, "New/c: "),
    (bringing(part("c"), permissions={"llum": Permission(filters=["odd"])}), Code.BAD_FILTER, "New: "),
    (bringing(part("c"), permissions={"Odd app": ASK}), Code.BAD_FIELD, "New: "),
    (bringing(part("c", creation_time=1e300)), Code.BAD_FIELD, "New/c: "),
    (bringing(extra={"x": "y" * 5000}), Code.TOO_LARGE, "New: "),
    (bringing(views=[ViewDefinition(name="v", components=[[]])]), Code.BAD_PATH, "New/v: "),
    (msgspec.structs.replace(bringing(), apps={"_own": ImportedApp()}), Code.BAD_FIELD, ""),
]


@pytest.mark.parametrize(("command", "code", "about"), BAD_IMPORTS)
def test_an_import_with_something_wrong_leaves_nothing(command: Import, code: Code, about: str) -> None:
    """And says what it is about by its path."""
    error = Person().refuses(command)
    assert error.code is code
    assert error.message.startswith(about)


def test_an_import_can_be_checked_first() -> None:
    """It changes nothing, and says what the import would be refused with. For owner apps only."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    before = picture(person.live)
    good, bad = bringing(part("c", evidence("x"))), bringing(part("c", rules=[BAD_RULE]))
    assert person.answered(CheckImport(context=[], contexts=good.contexts)).seq == person.live.seq
    assert person.refuses_ask(CheckImport(context=[], contexts=bad.contexts)).code is Code.BAD_RULE
    assert person.refuses_ask(CheckImport(context=["No"], contexts=good.contexts)).code is Code.NO_SUCH_CONTEXT
    error = person.refuses_ask(CheckImport(context=[], contexts=good.contexts), "probe")
    assert error.code is Code.PERMISSION_DENIED
    assert picture(person.live) == before


def test_an_import_may_leave_alone_what_is_there() -> None:
    """So a definition completes a model: only what is new gets evidence and rules, which are at work."""
    person = Person()
    person.do(MakeContext(id="c", context=[], name="New"))
    definition = ComponentDefinition(name="c", evidence=[NewEvidence(value="first")], rules=[RULE])
    here = ComponentDefinition(name="age", evidence=[NewEvidence(value="first")], rules=[RULE])
    contexts = [
        ImportedContext(path=["New"], description="mine", components=[ImportedComponent(definition=definition)]),
        ImportedContext(path=["Personal"], components=[ImportedComponent(definition=here)]),
    ]
    result = person.do(Import(id="i", context=[], contexts=contexts, only_new=True)).result
    assert result == {"contexts": 0, "components": 1, "views": 0, "evidence": 1, "rules": 1, "found": 3}
    assert person.describe(GetContext(context=["New"])).description == ""
    (answer,) = person.ask(Ask(context=["New"], include_evidence=True)).components
    assert (answer.value, answer.evidence and answer.evidence[0].source) == ("first", "llum")
    (rule,) = person.describe(ListRules(context=["New"])).rules["c"].values()
    assert rule.suspended is None
    assert person.describe(ListRules(context=["Personal"])).rules == {}
