"""Export and import in the original's JSON."""

import json
from typing import Any

import msgspec
import pytest

from model.formats import parcels
from model.formats.parcels import import_commands
from model.formats.personis import Exporter, pieces_of, read_exported
from schemas.commands import Import
from schemas.definitions import ImportedRule
from schemas.errors import Code, Refusal
from schemas.evidence import ImportedEvidence
from schemas.limits import MAX_COMMAND_BYTES
from schemas.permissions import Permission
from schemas.queries import Ask, GetContext, ListApps
from schemas.replies import Accepted, AskReply, RuleDescription
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, answer, apps_reply, context_reply, piece, refused

APPS = apps_reply(probe="owner", scale="app")
DEFAULT = Exporter("alice", "probe")


def exported_piece(**members: Any) -> dict[str, Any]:
    return {
        "evidence_type": "explicit", "source": "app", "owner": "al", "value": 1, "comment": None, "flags": ["goal"],
        "time": 1.5, "creation_time": 2.5, "useby": None, "objectType": "Evidence", **members,
    }  # fmt: skip


def exported(name: str, **members: Any) -> dict[str, Any]:
    info = {"Identifier": name, "Description": "d", "perms": {}, "resolver": None, "objectType": "Context"}
    return {"contextinfo": info, "contexts": None, "components": {}, "views": {}, "subs": {}, **members}


def component(*pieces: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "Identifier": "c", "Description": "cd", "component_type": "goal", "value_type": "number", "value_list": [],
        "value": 5, "resolver": "goal", "goals": [["", "G"]], "objectType": "Component", "creation_time": 1.0,
        "evidencelist": list(pieces), **members,
    }  # fmt: skip


def commands(model: dict[str, Any], salt: str = "") -> list[Import]:
    return list(import_commands(pieces_of(read_exported(json.dumps(model).encode()), DEFAULT), ["to"], salt))


async def test_an_export_is_a_text_of_the_originals_shape(edge: Edge) -> None:
    """The context, its components with evidence and value, views, rules, and the contexts below it likewise."""

    def found(query: Any) -> Any:
        if isinstance(query, ListApps):
            return Refusal(Code.PERMISSION_DENIED, "no")
        below = query.context != ["P"]
        if isinstance(query, GetContext):
            return context_reply(*query.context, description="d")
        assert (query.include_evidence, query.show_contexts, query.resolver) == (True, True, "goal")
        if below:
            return AskReply(seq=5, contexts=[])
        return AskReply(
            seq=5,
            components=[answer("P", "c", value=2, evidence=[piece(1, 1), piece(2, 2)])],
            contexts=["Q"],
            views={"v": ["c"]},
            rules={"c": {"7": RuleDescription(statement="s", app="probe", created=3.0)}},
        )

    edge.requests.replies = [found] * 6
    answered = await edge.call("export_model", {"context": ["P"], "resolver": "goal"})
    assert isinstance(answered["val"], str)
    model = json.loads(answered["val"])
    assert model["contextinfo"]["Identifier"] == "P"
    assert [one["value"] for one in model["components"]["c"]["evidencelist"]] == [1, 2]
    assert model["components"]["c"]["value"] == 2
    assert model["views"]["v"]["component_list"] == ["c"]
    rule = {"user": "probe", "password": "", "statement": "s", "modelname": "alice"}
    assert model["subs"] == {"c": {"7": rule}}, "the original takes neither more nor less of a rule"
    assert list(model["contexts"]) == ["Q"]
    assert (model["contexts"]["Q"]["contexts"], model["contexts"]["Q"]["components"]) == (None, {})


async def test_the_evidence_of_an_export_may_be_filtered(edge: Edge) -> None:
    """As that of an ask."""
    edge.requests.replies = [context_reply(), Refusal(Code.PERMISSION_DENIED, "no")]
    await edge.call("export_model", {"context": [], "resolver": {"evidence_filter": "last1"}})
    ask = next(query for query in edge.requests.queries if isinstance(query, Ask))
    assert ask.evidence_filter is not None
    assert ask.evidence_filter.name == "last1"


async def test_what_may_not_be_asked_is_not_exported(edge: Edge) -> None:
    """A forbidden context below is left out; a forbidden context itself is an error."""
    denied = Refusal(Code.PERMISSION_DENIED, "no")

    def found(query: Any) -> Any:
        if isinstance(query, ListApps) or query.context:
            return denied
        return context_reply() if isinstance(query, GetContext) else AskReply(seq=1, contexts=["secret"])

    edge.requests.replies = [found] * 8
    assert json.loads((await edge.call("export_model"))["val"])["contexts"] is None
    edge.requests.replies = [found] * 8
    assert (await edge.call("export_model", {"context": ["secret"]}))["error"]["code"] == "permission_denied"


def test_an_import_keeps_order_times_sources_and_owners() -> None:
    """And every other member of the evidence."""
    model = exported("P", components={"c": component(exported_piece(value=1, exp=3), exported_piece(value=2))})
    (command,) = commands(model)
    assert command.context == ["to"]
    (context,) = command.contexts
    assert (context.path, context.description) == (["P"], "d")
    definition = context.components[0].definition
    assert (definition.name, definition.description, definition.component_type) == ("c", "cd", "goal")
    assert (definition.value_type, definition.resolver, definition.goals) == ("number", "goal", [["G"]])
    assert context.components[0].evidence == [
        ImportedEvidence(value=n, flags=["goal"], time=1.5, source="app", owner="al", creation_time=2.5, extra=extra)
        for n, extra in ((1, {"exp": 3}), (2, {}))
    ]


def test_contexts_come_parents_first() -> None:
    """With their paths below the one that is imported into; the root's own content goes right there."""
    below = exported("other name", contexts={"C": exported("C")})
    (command,) = commands(exported("P", contexts={"B": below, "D": exported("D")}))
    assert [one.path for one in command.contexts] == [["P"], ["P", "B"], ["P", "B", "C"], ["P", "D"]]
    (command,) = commands(exported(".", contexts={"B": below}))
    assert [one.path for one in command.contexts] == [[], ["B"], ["B", "C"]]


def test_the_same_import_has_the_same_ids() -> None:
    """Whatever else it holds or where it goes makes another one."""
    model = exported("P", components={"c": component(exported_piece())})
    other = exported("P", components={"c": component(exported_piece(value=2))})
    assert commands(model)[0].id == commands(model)[0].id
    assert len({commands(model)[0].id, commands(other)[0].id, commands(model, "x")[0].id}) == 3


def test_a_large_import_is_several_commands() -> None:
    """Each fits, none is nearly empty, and together they hold every piece in its order."""
    pieces = [exported_piece(value=n, comment="x" * 1000) for n in range(3000)]
    parts = commands(exported("P", components={"a": component(*pieces[:10]), "b": component(*pieces[10:])}))
    sizes = [len(msgspec.json.encode(part)) for part in parts]
    assert len(parts) > 3
    assert max(sizes) < MAX_COMMAND_BYTES
    assert min(sizes[:-1]) > MAX_COMMAND_BYTES / 2
    kept = [one.value for part in parts for context in part.contexts for c in context.components for one in c.evidence]
    assert kept == list(range(3000))
    assert len({part.id for part in parts}) == len(parts)


def test_many_small_pieces_are_several_commands() -> None:
    """There is a bound on their number too."""
    pieces = [exported_piece(value=None, flags=[]) for _ in range(2 * parcels.MAX_PARCEL_THINGS)]
    assert len(commands(exported("P", components={"c": component(*pieces)}))) >= 2


def test_evidence_without_a_teller_is_the_importers() -> None:
    """Written by hand, it need not say all; but when it was accepted must be known."""
    written = {"value": 1, "time": 5.0}
    (command,) = commands(exported("P", components={"c": component(written)}))
    evidence = command.contexts[0].components[0].evidence[0]
    assert (evidence.source, evidence.owner, evidence.creation_time) == ("probe", "alice", 5.0)
    with pytest.raises(Refusal) as caught:
        commands(exported("P", components={"c": component({"value": 1})}))
    assert caught.value.error.field == "partial_model.components.c.evidencelist[0].creation_time"


MODEL = exported(
    "P", components={"c": component(exported_piece())}, subs={"c": {"old": {"statement": "s", "user": "u"}}}
)
MODEL["contextinfo"]["perms"] = {"scale": {"ask": True}, "nobody": {"ask": True}}


@pytest.mark.parametrize("given", [MODEL, json.dumps(MODEL)])
async def test_an_import_gives_the_model(edge: Edge, given: Any) -> None:
    """As it was given, as text or not. What is set for apps, and rules, go in the same command."""
    edge.requests.replies = [APPS]
    assert (await edge.call("import_model", {"context": ["to"], "partial_model": given}))["val"] == MODEL
    (imported,) = edge.requests.commands
    assert isinstance(imported, Import)
    (context,) = imported.contexts
    assert context.permissions == {"scale": Permission(ask=True), "nobody": Permission(ask=True)}
    assert context.components[0].rules == [ImportedRule(statement="s", user="u")]


async def test_what_an_import_leaves_out_is_named_beside_the_model(edge: Edge) -> None:
    """What the model skips, and what could not even be sent: a setting for no app, a rule of no component."""
    skipped = {"what": "permission", "app": "x--_4dy", "path": ["to", "P"], "code": "no_such_app"}
    edge.requests.replies = [APPS]
    edge.requests.outcomes = [accepted(1, {"contexts": 1, "skipped": [skipped]})]
    info = {"Identifier": "P", "perms": {"n" * 300: {"ask": True}, "ask": True}}
    subs = {"gone": {"t": {"statement": "s"}}, "none": {}}
    found = await edge.call(
        "import_model", {"context": ["to"], "partial_model": exported("P", contextinfo=info, subs=subs)}
    )
    assert found["result"] == "ok"
    assert found["skipped"] == [
        {"what": "permission", "app": "n" * 300, "path": ["to", "P"], "code": "no_such_app"},
        {"what": "rule", "path": ["to", "P", "gone"], "code": "no_such_component"},
        {**skipped, "app": "My"},
    ]


async def test_a_repeated_import_sends_the_same_ids(edge: Edge) -> None:
    """So it changes nothing."""
    for _ in range(2):
        edge.requests.replies = [APPS]
        await edge.call("import_model", {"partial_model": MODEL})
    first, again = edge.requests.commands
    assert first.id == again.id


async def test_what_was_deleted_is_imported_anew(edge: Edge) -> None:
    """The commands are known, but what they made is gone: they are sent under other ids, the same ones each time."""

    def repeated(command: Import) -> Accepted:
        return Accepted(id=command.id, seq=7, repeated=True)

    gone = Refusal(Code.NO_SUCH_CONTEXT, "gone")
    edge.requests.outcomes = [repeated]
    edge.requests.replies = [APPS, gone]
    await edge.call("import_model", {"partial_model": MODEL})
    first, again, *_ = edge.requests.commands
    assert first.id != again.id
    assert first.contexts == again.contexts


async def test_only_an_owners_app_imports(edge: Edge) -> None:
    """Before the model is even read."""
    edge.requests.replies = [Refusal(Code.PERMISSION_DENIED, "no")]
    found = await edge.call("import_model", {"partial_model": "not json"})
    assert found["error"]["code"] == "permission_denied"
    assert edge.requests.sent == []


async def test_a_refused_part_is_told(edge: Edge) -> None:
    """Naming the member of the call."""
    edge.requests.replies = [APPS]
    edge.requests.outcomes = [refused(Code.BAD_VALUE, "no number", "contexts[0].components[0].evidence[0].value")]
    found = await edge.call("import_model", {"partial_model": MODEL})
    assert found["error"]["code"] == "bad_value"
    assert found["error"]["field"].startswith("partial_model[0].components[0]")


BAD_MODELS = [
    ("not json", "malformed"),
    ({}, "bad_field"),
    ({"contextinfo": {"Identifier": 3}}, "bad_field"),
    ([], "bad_field"),
    (exported("P", components={"c": {"value_type": "int"}}), "bad_field"),
    (exported("P", components={"c": component({"time": "now"})}), "bad_field"),
    (exported("P", views={"v": {"component_list": 3}}), "bad_field"),
    (exported("P", contexts=[]), "bad_field"),
]


@pytest.mark.parametrize(("given", "code"), BAD_MODELS)
async def test_a_bad_model_is_refused(edge: Edge, given: Any, code: str) -> None:
    """Nothing is sent."""
    edge.requests.replies = [APPS]
    found = await edge.call("import_model", {"partial_model": given})
    assert (found["result"], found["error"]["code"]) == ("error", code)
    assert edge.requests.sent == []


async def test_no_model_is_imported_as_null(edge: Edge) -> None:
    """As the original answers."""
    edge.requests.replies = [APPS] * 2
    assert await edge.call("import_model", {"partial_model": None}) == {"result": "ok", "val": None}


async def test_a_large_import_is_read(edge: Edge) -> None:
    """Its body may be larger than any other's."""
    pieces = [exported_piece(comment="x" * 3000) for _ in range(1000)]
    edge.requests.replies = [APPS]
    body = {"partial_model": json.dumps(exported("P", components={"c": component(*pieces)}))}
    assert (await edge.post("import_model", body)).status == 200
    assert len(edge.requests.commands) == 3
    assert (await edge.post("tell", {"componentid": "c", "evidence": {"value": "x" * 3_000_000}})).status == 413
