"""Export and import: an equal model elsewhere, in pages, and what may go wrong on the way in."""

from typing import Any

import pytest
from hypothesis import given, settings

from model.queries.export import read_mark
from schemas.commands import (
    Correct,
    DeleteComponent,
    DeleteContext,
    Import,
    MakeContext,
    MakeModel,
    MakeRule,
    SetResolver,
    Withdraw,
)
from schemas.definitions import (
    ComponentDefinition,
    ContextDefinition,
    ImportedComponent,
    ImportedContext,
    ModelDefinition,
    ViewDefinition,
)
from schemas.errors import Code
from schemas.evidence import Evidence, EvidenceFilter, ImportedEvidence, NewEvidence, Withdrawal
from schemas.queries import Ask, Export, GetContext
from schemas.replies import ArchivedApp, ArchivedPermission, ArchivedRule, ExportReply
from tests.effort import EFFORT

from .given import RULE, Person
from .strategies import definitions


def lived() -> Person:
    """A person with a bit of everything."""
    person = Person()
    person.register("probe", ask=True, tell=True)
    person.permit("probe", "Personal", component="age", resolvers=["count"])
    for value in (1, 2, 3):
        person.tell("age", value, app="probe", time=5.0 + value, flags=["goal"] if value == 2 else [])
    person.tell("firstname", "Al", comment="said so", extra={"unit": "x"}, useby=4e9)
    person.do(Withdraw(id="w", context=["Personal"], component="age", seq=person.seq - 1, comment="a slip"))
    person.do(Correct(id="c", context=["Personal"], component="lastname", value="Smith"))
    person.do(SetResolver(id="s", context=["Goals"], resolver="recent"))
    person.do(MakeContext(id="c", context=[], name="Empty", description="nothing in it"))
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=RULE), "probe")
    return person


def elsewhere() -> Person:
    """Another person, later, with an empty model."""
    other = Person(ModelDefinition())
    other.seq = 1000
    return other


def imported(pages: list[ExportReply]) -> Person:
    """Another person, who gets the pages."""
    other = elsewhere()
    for page in pages:
        other.do(Import(id="i", context=[], contexts=page.contexts))
    return other


def evidence_of(person: Person, *context: str) -> dict[str, list[dict[str, Any]]]:
    """Give each component's evidence without what says where in the log it is."""
    reply = person.ask(Ask(context=list(context), include_evidence=True), now=1e10)
    return {answer.path[-1]: [_plain(piece) for piece in answer.evidence or []] for answer in reply.components}


def _plain(piece: Evidence) -> dict[str, Any]:
    members = {name: getattr(piece, name) for name in piece.__struct_fields__}
    return {name: value for name, value in members.items() if name not in ("seq", "n")}


def test_what_is_exported_imports_to_an_equal_model() -> None:
    """Structure, values, and evidence in order with its times, tellers, corrections and withdrawals."""
    person = lived()
    other = imported(person.export_all())
    for context in ([], ["Personal"], ["Goals"], ["Goals", "Health"], ["Empty"]):
        query = Ask(context=context, show_contexts=True)
        mine, theirs = person.ask(query), other.ask(query)
        assert (mine.contexts, mine.views, mine.context_description) == (
            theirs.contexts,
            theirs.views,
            theirs.context_description,
        )
        assert [one.value for one in mine.components] == [one.value for one in theirs.components]
        assert evidence_of(person, *context) == evidence_of(other, *context)
    assert other.value("lastname") == "Smith"


def test_the_first_page_lists_apps_and_rules() -> None:
    """With all that is set for the apps."""
    person = lived()
    page, *_ = person.export_all()
    assert page.rules == [ArchivedRule(path=["Personal"], component="age", statement=RULE, app="probe")]
    assert page.apps["llum"] == ArchivedApp(description="", role="owner")
    assert page.apps["probe"].permissions == [
        ArchivedPermission(context=[], ask=True, tell=True),
        ArchivedPermission(context=["Personal"], component="age", resolvers=["count"]),
    ]


def test_settings_for_what_is_gone_are_left_out() -> None:
    """They hold if it is made again, but could not be made elsewhere."""
    person = lived()
    person.permit("probe", "Goals", "Health", ask=False)
    person.do(DeleteContext(id="d", context=["Goals"]))
    person.do(DeleteComponent(id="d", context=["Personal"], component="age"))
    page, *_ = person.export_all()
    assert page.apps["probe"].permissions == [ArchivedPermission(context=[], ask=True, tell=True)]


def test_pages_make_up_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are; each names the state that it is of."""
    person = lived()
    whole = imported(person.export_all())
    monkeypatch.setattr("model.queries.export.MAX_EVIDENCE_PAGE", 2)
    monkeypatch.setattr("model.queries.export._READ_PIECES", 3)
    other = elsewhere()
    seq = person.live.seq
    query = Export()
    while True:
        page = person.export(query)
        other.do(Import(id="i", context=[], contexts=page.contexts))
        if page.next is None:
            break
        query = Export(after=page.next)
        mark = read_mark(query)
        assert mark is not None
        assert mark.seq == seq
        assert sum(len(one.evidence) for context in page.contexts for one in context.components) <= 2
    for context in ([], ["Personal"], ["Goals", "Health"]):
        assert evidence_of(other, *context) == evidence_of(whole, *context)


def test_a_page_holds_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """But at least one thing, so that there is an end."""
    person = lived()
    monkeypatch.setattr("model.queries.export.MAX_EXPORT_PAGE_BYTES", 1)
    pages = person.export_all()
    assert len(pages) > 10
    assert evidence_of(imported(pages), "Personal") == evidence_of(person, "Personal")


def test_a_part_is_exported_with_paths_below_it() -> None:
    """It can be put elsewhere."""
    person = lived()
    (page,) = person.export_all("Goals")
    assert [context.path for context in page.contexts] == [[], ["Health"]]
    other = Person(ModelDefinition())
    other.do(MakeContext(id="c", context=[], name="Old"))
    other.do(Import(id="i", context=["Old"], contexts=page.contexts))
    assert other.describe(GetContext(context=["Old"])).contexts == ["Health"]


@pytest.mark.parametrize("after", [("", 0, 0), ("1:x", 0, 0), ("9" * 30 + ":1", 0, 0)])
def test_a_mark_is_one_that_a_page_gave(after: tuple[str, int, int]) -> None:
    """Anything else is refused."""
    with pytest.raises(Exception, match="bad_field"):
        Person().export(Export(after=after))


def test_only_the_owner_exports_and_imports() -> None:
    """Whatever else an app may."""
    person = lived()
    with pytest.raises(Exception, match="permission_denied"):
        person.export(Export(), app="probe")
    assert person.refuses(Import(id="i", context=[], contexts=[]), "probe").code is Code.PERMISSION_DENIED


def test_what_is_there_is_kept_and_added_to() -> None:
    """An existing component keeps its definition; new evidence comes after what is there."""
    person = Person()
    person.tell("age", 1)
    definition = ComponentDefinition(name="age", description="another", value_type="number")
    component = ImportedComponent(definition=definition, evidence=[told(2), told(3)])
    context = ImportedContext(path=[], description="another", components=[component], views=[])
    result = person.do(Import(id="i", context=["Personal"], contexts=[context])).result
    assert result == {"contexts": 0, "components": 0, "views": 0, "evidence": 2}
    answer = person.answer("age", include_evidence=True)
    assert (answer.description, answer.value) == ("", 3)
    assert [piece.value for piece in answer.evidence or []] == [1, 2, 3]
    person.reload()
    assert person.value("age") == 3


def told(value: Any, **members: Any) -> ImportedEvidence:
    stamped = {"source": "elsewhere", "owner": "bob", "creation_time": 1e9, **members}
    return ImportedEvidence(value=value, **stamped)


def imports(*evidence: ImportedEvidence, **definition: Any) -> Import:
    made = ComponentDefinition(**{"name": "new", **definition})
    component = ImportedComponent(definition=made, evidence=list(evidence))
    return Import(id="i", context=["Personal"], contexts=[ImportedContext(path=["In"], components=[component])])


def test_evidence_keeps_its_stamps() -> None:
    """Except a time of acceptance in the future, which counts as now."""
    person = Person()
    person.do(imports(told("a"), told("b", creation_time=9e9)))
    query = Ask(context=["Personal", "In"], include_evidence=True)
    (answer,) = person.ask(query).components
    assert answer.evidence is not None
    first, second = answer.evidence
    assert (first.source, first.owner, first.creation_time, first.time) == ("elsewhere", "bob", 1e9, None)
    assert second.creation_time == person.live.time_us / 1e6
    since = EvidenceFilter(name="since_time", since_time=2e9 - 1e9)
    assert len(person.ask(Ask(context=["Personal", "In"], evidence_filter=since)).components) == 1


def test_imported_evidence_fires_nothing() -> None:
    """It is history."""
    person = Person()
    person.do(imports(told("a"), rules=[RULE]))
    person.do(imports(told("b")))
    assert person.store.left == []


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (imports(told(1)), Code.BAD_VALUE, "contexts[0].components[0].evidence[0].value"),
        (imports(told("a", source="")), Code.BAD_FIELD, "contexts[0].components[0].evidence[0].source"),
        (
            imports(told("a", creation_time=1e300)),
            Code.BAD_FIELD,
            "contexts[0].components[0].evidence[0].creation_time",
        ),
        (
            imports(told("a", withdrawn=Withdrawal(by="", time=1.0))),
            Code.BAD_FIELD,
            "contexts[0].components[0].evidence[0].withdrawn.by",
        ),
        (imports(name=".."), Code.BAD_PATH, "contexts[0].components[0].definition.name"),
        (imports(evidence=[NewEvidence(value="x")]), Code.BAD_FIELD, "contexts[0].components[0].definition.evidence"),
        (imports(rules=["x"]), Code.BAD_RULE, None),
        (
            Import(id="i", context=[], contexts=[ImportedContext(path=["a"]), ImportedContext(path=["a"])]),
            Code.ALREADY_EXISTS,
            "contexts[1].path",
        ),
        (Import(id="i", context=[], contexts=[ImportedContext(path=[".."])]), Code.BAD_PATH, "contexts[0].path[0]"),
        (Import(id="i", context=["Nowhere"], contexts=[]), Code.NO_SUCH_CONTEXT, "context"),
        (
            Import(
                id="i",
                context=[],
                contexts=[ImportedContext(path=["a"], views=[ViewDefinition(name="", components=[])])],
            ),
            Code.BAD_PATH,
            "contexts[0].views[0].name",
        ),
    ],
)
def test_bad_imports_change_nothing(command: Import, code: Code, field: str | None) -> None:
    """One wrong thing refuses the whole command."""
    error = Person().refuses(command)
    assert error.code is code
    assert field is None or error.field == field


def test_a_bad_import_names_the_component_by_its_path() -> None:
    """Whoever imports has not counted contexts and components."""
    error = Person().refuses(imports(told(1)))
    assert error.message.startswith("Personal/In/new: ")


@given(definition=definitions())
@settings(max_examples=40 * EFFORT)
def test_any_model_survives_the_way_out_and_in(definition: ModelDefinition) -> None:
    """Whatever it is made of, its contexts, values and evidence are the same afterwards."""
    person = Person(definition)
    other = imported(person.export_all())
    paths = {tuple(context.path) for context in definition.contexts}
    for path in paths:
        mine, theirs = person.describe(GetContext(context=list(path))), other.describe(GetContext(context=list(path)))
        for part in ("description", "resolver", "contexts", "components", "views"):
            assert getattr(mine, part) == getattr(theirs, part)
        assert evidence_of(person, *path) == evidence_of(other, *path)


def test_a_model_is_made_before_it_is_imported_into() -> None:
    """Import needs a model, and an owner app of it."""
    person = Person()
    person.model = None
    assert person.refuses(Import(id="i", context=[], contexts=[])).code is Code.NO_SUCH_MODEL
    person.do(MakeModel(id="m", definition=ModelDefinition(contexts=[ContextDefinition(path=["a"])])))
