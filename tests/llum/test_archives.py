"""Archives: what was exported makes an equal model, once, and nothing that was tampered with."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llum.failures import Fault
from llum.people.archive_files import open_archive
from model.changes import Fired, SchedulePlanned
from model.formats.archive import Archive, ArchiveLines
from model.formats.archive_commands import check_archive, import_parts, model_command
from model.formats.foreign import ACCEPTABLE, Acceptable, plain_pieces
from model.formats.parcels import Piece, import_commands
from schemas.asked import AskedReply
from schemas.codec import encode
from schemas.commands import Correct, DeleteComponent, Forget, MakeRule, RegisterApp, Withdraw
from schemas.definitions import ComponentDefinition, ImportedComponent, ImportedContext, ModelDefinition
from schemas.errors import Refusal
from schemas.evidence import EvidenceFilter
from schemas.grants import Consent, ConsentDecision
from schemas.queries import Ask, GetPermission, Grants, ListApps, ListRules
from schemas.slices import Slice
from tests.effort import EFFORT
from tests.model.given import CRON_RULE, RULE, Person
from tests.model.strategies import any_commands, definitions, fitting_tells

STATEMENTS = st.sampled_from([RULE, CRON_RULE])
AMENDING = st.one_of(
    st.builds(
        Correct, id=st.just("c"), context=st.just(["Personal"]), component=st.just("age"), value=st.integers(0, 9)
    ),
    st.builds(
        Withdraw, id=st.just("w"), context=st.just(["Personal"]), component=st.just("age"), seq=st.integers(1, 30)
    ),
    st.builds(MakeRule, id=st.just("s"), context=st.just(["Personal"]), component=st.just("age"), statement=STATEMENTS),
    st.just(DeleteComponent(id="d", context=["Personal"], component="mood")),
)
HISTORIES = st.lists(
    st.tuples(st.one_of(fitting_tells(), any_commands(), AMENDING), st.sampled_from(["llum", "llum", "probe"])),
    max_size=30,
)
FILTERS = [
    None,
    EvidenceFilter(name="last1"),
    EvidenceFilter(name="goal"),
    EvidenceFilter(name="recent_count", recent_count=3),
]
RESOLVERS = [None, "goal", "recent", "mean", "most_frequent"]
HERE = {"seq", "n", "creation_time", "created"}
"""Members that say where and when something was put into this model; evidence keeps its time of acceptance."""


def person_with(history: list[Any], definition: ModelDefinition | None = None) -> Person:
    person = Person() if definition is None else Person(definition)
    person.register("probe", ask=True, tell=True)
    for command, app in history:
        try:
            person.do(command, app)
        except Refusal:
            continue
    return person


def archive_of(person: Person, path: Path) -> Archive:
    """Export into a file and open it."""
    lines = ArchiveLines("alice", 0.0)
    pages = [lines.add(page) for page in person.export_all()]
    path.write_bytes(b"".join([*pages, lines.finish(AskedReply(seq=0))]))
    return open_archive(path)


def imported(archive: Archive, later_than: Person) -> Person:
    """Import into a model that is made for it."""
    person = Person(ModelDefinition())
    person.do(Forget(id="f"))
    person.seq = later_than.seq + 100
    person.do(model_command(archive, accept=ACCEPTABLE))
    check_archive(archive, "alice", "llum", ACCEPTABLE)
    for command in import_parts(archive, ACCEPTABLE):
        assert "skipped" not in (person.do(command).result or {})
    return person


def test_decisions_go_along_as_history(tmp_path: Path) -> None:
    """They are marked, and give no right; an archive of that one has them again."""
    person = Person()
    slices = [Slice(paths=["Personal"], actions=["ask"], expires=person.now + 10)]
    person.do(Consent(id="1", app="probe", decision="allowed", granted=slices, name="Probe", how="session 1"))
    person.do(Consent(id="2", app="probe", decision="revoked"))
    person.do(Consent(id="3", app="other", decision="refused", refused=slices))
    there = imported(archive_of(person, tmp_path / "first"), person)
    assert not there.live.permissions
    before, after = decisions(person), decisions(there)
    assert [msgspec.structs.replace(one, imported=True) for one in before] == after
    again = imported(archive_of(there, tmp_path / "second"), there)
    assert decisions(again) == after


def decisions(person: Person) -> list[ConsentDecision]:
    return [one for app in person.answered(Grants()).apps for one in app.decisions]


def paths(person: Person) -> list[list[str]]:
    found: list[list[str]] = []
    waiting: list[list[str]] = [[]]
    while waiting:
        path = waiting.pop()
        found.append(path)
        context = person.live.context(tuple(path))
        assert context is not None
        waiting += [[*path, name] for name in context.children]
    return sorted(found)


def without(value: Any, names: set[str]) -> Any:
    """Drop members, and the tokens of rules, at every depth."""
    if isinstance(value, dict):
        return {name: without(member, names) for name, member in value.items() if name not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


def answers(person: Person, now: float) -> list[Any]:
    """Ask for everything in every way that there is."""
    found: list[Any] = [paths(person)]
    for app in ("llum", "probe", "second"):
        for path in paths(person):
            queries = [Ask(context=path, resolver=name, evidence_filter=one) for one in FILTERS for name in RESOLVERS]
            queries.append(Ask(context=path, include_evidence=True, explain=True, show_contexts=True))
            found += [_answer(person, query, app, now) for query in queries]
            found += [_described(person, query, app) for query in (GetPermission(app=app, context=path), ListApps())]
    return found


def _answer(person: Person, query: Ask, app: str, now: float) -> Any:
    try:
        reply = msgspec.json.decode(encode(person.ask(query, app, now)))
    except Refusal as refusal:
        return str(refusal)
    reply["rules"] = {
        name: sorted([rule["statement"], rule["app"]] for rule in rules.values())
        for name, rules in (reply.get("rules") or {}).items()
    }
    for component in reply.get("components", []):
        component["evidence_times"] = [piece["creation_time"] for piece in component.get("evidence") or []]
        component["evidence_ahead"] = len(component.get("evidence_ahead", []))
    return without(reply, HERE)


def _described(person: Person, query: GetPermission | ListApps, app: str) -> Any:
    try:
        return without(msgspec.to_builtins(person.describe(query, app)), HERE)
    except Refusal as refusal:
        return str(refusal)


@settings(max_examples=60 * EFFORT)
@given(history=HISTORIES)
def test_an_imported_person_answers_every_ask_as_the_exported_one(
    tmp_path_factory: pytest.TempPathFactory, history: list[Any]
) -> None:
    """Values, evidence with its times, corrections, withdrawals, explanations, views, apps, permissions, rules.

    The owner accepts the archive as it is; rules are suspended all the same.
    """
    person = person_with(history)
    copy = imported(archive_of(person, tmp_path_factory.mktemp("a") / "alice.jsonl"), person)
    now = copy.now
    assert answers(copy, now) == answers(person, now)
    assert _rules(copy) == _rules(person)


@settings(max_examples=30 * EFFORT)
@given(definition=definitions())
def test_whatever_can_be_defined_can_be_imported(
    tmp_path_factory: pytest.TempPathFactory, definition: ModelDefinition
) -> None:
    """Names and values of every kind survive the way through the file."""
    person = person_with([], definition)
    copy = imported(archive_of(person, tmp_path_factory.mktemp("a") / "alice.jsonl"), person)
    assert answers(copy, copy.now) == answers(person, copy.now)


def _rules(person: Person) -> Any:
    return [without(_statements(person, path), set()) for path in paths(person)]


def _statements(person: Person, path: list[str]) -> Any:
    rules = person.describe(ListRules(context=path)).rules
    return {name: [(one.statement, one.app) for one in by_token.values()] for name, by_token in rules.items()}


@pytest.fixture
def hostile(tmp_path: Path) -> Archive:
    """What Mallory wrote: corrections, an owner app of her own, rules of that app and of the command line's."""
    person = person_with([])
    person.do(RegisterApp(id="r", app="mallory", role="owner"))
    for app in ("mallory", "llum"):
        person.do(MakeRule(id="s", context=["Personal"], component="age", statement=RULE), app)
    person.do(MakeRule(id="s", context=["Personal"], component="age", statement=CRON_RULE))
    person.do(Correct(id="c", context=["Personal"], component="age", value=7))
    person.tell("age", 8)
    return archive_of(person, tmp_path / "alice")


def made_of(archive: Archive, *accept: Acceptable) -> Person:
    person = Person(ModelDefinition())
    person.do(Forget(id="f"))
    person.do(model_command(archive, accept=accept))
    for command in import_parts(archive, accept):
        person.do(command)
    return person


def test_an_archive_is_taken_as_plainly_as_can_be(hostile: Archive) -> None:
    """Its rules are there and do not fire, its corrections do not count before other evidence, its owners are apps."""
    person = made_of(hostile)
    person.tell("age", 9)
    assert [change for change in person.store.left if isinstance(change, Fired | SchedulePlanned)] == []
    rules = list(person.describe(ListRules(context=["Personal"])).rules["age"].values())
    assert [(rule.app, rule.suspended) for rule in rules] == [
        ("mallory", "imported"), ("llum", "imported"), ("llum", "imported"),
    ]  # fmt: skip
    assert person.value("age") == 9
    assert not any(piece.correction for piece in person.answer("age", include_evidence=True).evidence or [])
    roles = {app: about.role for app, about in person.describe(ListApps()).apps.items()}
    assert roles == {"llum": "owner", "mallory": "app", "probe": "app"}


def test_what_the_owner_accepts_comes_as_it_is(hostile: Archive) -> None:
    """Each kind by itself; rules wait all the same."""
    person = made_of(hostile, "corrections")
    assert person.value("age") == 7
    assert person.describe(ListApps()).apps["mallory"].role == "app"
    person = made_of(hostile, "roles")
    assert person.value("age") == 8
    assert person.describe(ListApps()).apps["mallory"].role == "owner"
    rules = person.describe(ListRules(context=["Personal"])).rules["age"].values()
    assert {rule.suspended for rule in rules} == {"imported"}


def test_rules_in_a_definition_of_an_archive_are_suspended_too(hostile: Archive) -> None:
    """An export puts none there; somebody else may."""
    definition = ComponentDefinition(name="x", rules=[RULE])
    piece = Piece(ImportedContext(path=["Personal"]), ImportedComponent(definition=definition))
    (command,) = import_commands(plain_pieces([piece]), [])
    person = made_of(hostile)
    person.do(command)
    assert [rule.suspended for rule in person.describe(ListRules(context=["Personal"])).rules["x"].values()] == [
        "imported"
    ]


def test_accepting_something_else_is_another_import(hostile: Archive) -> None:
    """So evidence is never imported twice: the model is known as one that was not made in this way."""
    assert model_command(hostile).id != model_command(hostile, accept=["corrections"]).id
    plainly, whole = import_parts(hostile), import_parts(hostile, ["roles"])
    assert not {command.id for command in plainly} & {command.id for command in whole}


def test_who_has_become_an_owner_meanwhile_stays_one(hostile: Archive) -> None:
    """When an interrupted import goes on, or is done again."""
    person = made_of(hostile)
    person.do(RegisterApp(id="r", app="mallory", role="owner"))
    for command in import_parts(hostile):
        person.do(command)
    roles = {app: about.role for app, about in person.describe(ListApps()).apps.items()}
    assert roles == {"llum": "owner", "mallory": "owner", "probe": "app"}


def test_an_archive_of_the_same_state_has_the_same_commands(tmp_path: Path) -> None:
    """However often and whenever it is exported: so importing it twice sends what is known already."""
    person = person_with([])
    for value in range(50):
        person.tell("age", value)
    first, second = (archive_of(person, tmp_path / name) for name in ("first", "second"))
    assert list(import_parts(first)) == list(import_parts(second))
    assert model_command(first) == model_command(second)


def test_the_ids_of_an_archives_commands_differ(tmp_path: Path) -> None:
    """Also where they say the same thing twice."""
    person = person_with([])
    for _ in range(20_000):
        person.tell("age", 1)
    for _ in range(2):
        person.do(MakeRule(id="s", context=["Personal"], component="age", statement=RULE))
    archive = archive_of(person, tmp_path / "alice")
    ids = [command.id for command in import_parts(archive)] + [model_command(archive).id]
    assert len(ids) == len(set(ids)) > 2


def test_an_archive_of_another_state_has_other_ids(tmp_path: Path) -> None:
    """So what has been told since is imported too, into a new model."""
    person = person_with([])
    before = archive_of(person, tmp_path / "before")
    person.tell("age", 7)
    assert model_command(before).id != model_command(archive_of(person, tmp_path / "after")).id


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text.replace(b"41", b"42", 1), "has been changed"),
        (lambda text: text[: len(text) // 2], "line"),
        (lambda text: b"\n".join(text.splitlines()[:-2]), "ends too early"),
        (lambda text: text.replace(b'"version":3', b'"version":9', 1), "of version 9"),
        (lambda text: b"@@Personal:\n" + text, "not an archive"),
        (lambda _: b"", "not an archive"),
    ],
)
def test_a_damaged_archive_is_refused_before_anything_is_sent(tmp_path: Path, damage: Any, reason: str) -> None:
    """With a sentence that says what is wrong with the file."""
    person = person_with([])
    person.tell("age", 41)
    path = tmp_path / "alice"
    archive_of(person, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Fault, match=reason):
        open_archive(path)
