"""Each operation of the Personis face: what it sends on the bus and what it answers. Asks are in `test_ask.py`."""

from typing import Any

import pytest

from schemas.commands import MakeComponent, MakeContext, MakeView, Tell
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.permissions import Permission
from schemas.queries import Access
from schemas.replies import AskReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, refused

OK_NULL = {"result": "ok", "val": None}
OK_TRUE = {"result": "ok", "val": True}
OK_FALSE = {"result": "ok", "val": False}


def told(**members: Any) -> Tell:
    return Tell(id="1", context=["Personal"], component="c", evidence=NewEvidence(**members), convert=True)


def component(convert: bool = False, **members: Any) -> MakeComponent:
    definition = ComponentDefinition(name="c", **members)
    return MakeComponent(id="1", context=["Personal"], component=definition, convert=convert)


COMMANDS: list[tuple[str, str, dict[str, Any], Any, Any]] = [
    ("a tell", "tell", {"componentid": "c", "evidence": {"value": 3}}, told(value=3), OK_NULL),
    (
        "a tell with all that the original sends",
        "tell",
        {
            "modelname": "-", "user": "", "password": "", "componentid": "c",
            "evidence": {
                "flags": ["goal"], "evidence_type": "implicit", "source": "me", "owner": "me", "value": "v",
                "comment": "so", "creation_time": 1, "time": 5, "useby": 9.5, "objectType": "Evidence",
                "exp": {"a": [1]},
            },
        },
        told(
            value="v", evidence_type="implicit", flags=["goal"], comment="so", time=5.0, useby=9.5,
            extra={"exp": {"a": [1]}},
        ),
        OK_NULL,
    ),
    (
        "nulls are as absent",
        "tell",
        {"componentid": "c", "evidence": {"value": None, "flags": None, "comment": None, "time": None, "mine": None}},
        told(extra={"mine": None}),
        OK_NULL,
    ),
    (
        "a member called extra is one more unknown one",
        "tell",
        {"componentid": "c", "evidence": {"extra": {"a": 1}}},
        told(extra={"extra": {"a": 1}}),
        OK_NULL,
    ),
    (
        "a component",
        "mkcomponent",
        {"componentobj": {"Identifier": "c", "component_type": "goal", "value_type": "enum", "value_list": ["a", "b"]}},
        component(component_type="goal", value_type="enum", value_list=["a", "b"]),
        OK_NULL,
    ),
    (
        "a component with all that the original sends",
        "mkcomponent",
        {
            "componentobj": {
                "Identifier": "c", "Description": "d", "component_type": "attribute", "value_type": "string",
                "value_list": [], "value": None, "resolver": "goal", "goals": [["", "Goals", "fit"], ["Goals"]],
                "evidencelist": [{"evidence_type": "explicit", "value": 1, "mine": 2}], "objectType": "Component",
                "creation_time": 12.5,
            },
        },
        component(
            description="d", resolver="goal", goals=[["Goals", "fit"], ["Goals"]],
            evidence=[NewEvidence(value=1, extra={"mine": 2})], convert=True,
        ),
        OK_NULL,
    ),
    (
        "a component at the top level",
        "mkcomponent",
        {"Identifier": "c", "Description": "d"},
        component(description="d"),
        OK_NULL,
    ),
    (
        "a context",
        "mkcontext",
        {"contextobj": {"Identifier": "n", "Description": "d", "perms": {}, "resolver": None, "objectType": "Context"}},
        MakeContext(id="1", context=["Personal"], name="n", description="d"),
        OK_TRUE,
    ),
    (
        "a context at the top level",
        "mkcontext",
        {"Identifier": "n", "resolver": "goal"},
        MakeContext(id="1", context=["Personal"], name="n", resolver="goal"),
        OK_TRUE,
    ),
    (
        "a view",
        "mkview",
        {"viewobj": {"Identifier": "n", "Description": "d", "component_list": ["a", ["", "P", "b"]]}},
        MakeView(
            id="1",
            context=["Personal"],
            view=ViewDefinition(name="n", components=["a", ["P", "b"]], description="d"),
        ),
        OK_NULL,
    ),
    (
        "a view at the top level",
        "mkview",
        {"Identifier": "n", "component_list": []},
        MakeView(id="1", context=["Personal"], view=ViewDefinition(name="n", components=[])),
        OK_NULL,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "body", "command", "expected"), [pytest.param(*row, id=name) for name, *row in COMMANDS]
)
async def test_a_call_becomes_a_command(edge: Edge, op: str, body: dict[str, Any], command: Any, expected: Any) -> None:
    """A good call is sent as the token's user and app, and answered as the original answers."""
    response = await edge.post(op, {"id": "1", "context": ["Personal"], **body})
    assert (response.status, await response.json()) == (200, expected)
    assert edge.requests.sent == [("alice", "probe", command)]


BAD_CALLS = [
    ("tell", {}, "componentid"),
    ("tell", {"componentid": None, "evidence": {}}, "componentid"),
    ("tell", {"componentid": "c"}, "evidence"),
    ("tell", {"componentid": "c", "evidence": None}, "evidence"),
    ("tell", {"componentid": "c", "evidence": {"evidence_type": "guess"}}, "evidence.evidence_type"),
    ("tell", {"componentid": "c", "evidence": {"flags": 3}}, "evidence.flags"),
    ("tell", {"componentid": "c", "evidence": {"flags": ["a", 1]}}, "evidence.flags[1]"),
    ("tell", {"componentid": "c", "evidence": {"time": "now"}}, "evidence.time"),
    ("tell", {"componentid": "c", "evidence": {"useby": True}}, "evidence.useby"),
    ("tell", {"componentid": "c", "evidence": {}, "context": ["a", 2]}, "context[1]"),
    ("tell", {"componentid": "c", "evidence": {}, "context": 7}, "context"),
    ("tell", {"componentid": "c", "evidence": {}, "modelname": 7}, "modelname"),
    ("tell", {"componentid": "c", "evidence": {}, "id": 7}, "id"),
    ("tell", {"componentid": "c", "evidence": {}, "id": "a b"}, "id"),
    ("tell", {"componentid": "c", "evidence": {}, "id": "x" * 129}, "id"),
    ("ask", {"context": {"a": 1}}, "context"),
    ("ask", {"view": 3}, "view"),
    ("ask", {"view": ["a", ["b", 1]]}, "view[1][1]"),
    ("ask", {"resolver": []}, "resolver"),
    ("ask", {"resolver": {"resolver": 1}}, "resolver.resolver"),
    ("ask", {"resolver": {"since_time": []}}, "resolver.since_time"),
    ("ask", {"resolver": {"recent_count": 1.5}}, "resolver.recent_count"),
    ("mkcontext", {}, "Identifier"),
    ("mkcontext", {"contextobj": {}}, "contextobj.Identifier"),
    ("mkcontext", {"contextobj": {"Identifier": None}}, "contextobj.Identifier"),
    ("mkcontext", {"contextobj": []}, "contextobj"),
    ("mkcontext", {"contextobj": {"Identifier": "n", "perms": {"app": {"ask": "yes"}}}}, "contextobj.perms.app.ask"),
    ("mkcomponent", {}, "Identifier"),
    ("mkcomponent", {"componentobj": {"Description": "d"}}, "componentobj.Identifier"),
    ("mkcomponent", {"componentobj": {"Identifier": "c", "component_type": "x"}}, "componentobj.component_type"),
    ("mkcomponent", {"componentobj": {"Identifier": "c", "value_type": "int"}}, "componentobj.value_type"),
    ("mkcomponent", {"componentobj": {"Identifier": "c", "value_list": [1]}}, "componentobj.value_list[0]"),
    ("mkcomponent", {"componentobj": {"Identifier": "c", "goals": ["a"]}}, "componentobj.goals[0]"),
    (
        "mkcomponent",
        {"componentobj": {"Identifier": "c", "evidencelist": [{}, {"time": []}]}},
        "componentobj.evidencelist[1].time",
    ),
    ("mkview", {}, "Identifier"),
    ("mkview", {"viewobj": {"Identifier": "v", "component_list": 3}}, "viewobj.component_list"),
    ("mkcontext", {"contextobj": {"Identifier": "c", "perms": {"scale": {"ask": 3}}}}, "contextobj.perms.scale.ask"),
    ("mkview", {"viewobj": {"Identifier": "v", "component_list": [{}]}}, "viewobj.component_list[0]"),
    ("access", {"modelname": []}, "modelname"),
]


@pytest.mark.parametrize(("op", "body", "field"), BAD_CALLS)
async def test_a_bad_call_is_refused_naming_the_field(edge: Edge, op: str, body: dict[str, Any], field: str) -> None:
    """Status 200, an error of three items, nothing sent."""
    response = await edge.post(op, body)
    found = await response.json()
    assert (response.status, found["result"], len(found["val"])) == (200, "error", 3)
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_field", field)
    assert edge.requests.sent == []
    assert edge.requests.asked == []


async def test_access_asks_whether_the_model_is_there(edge: Edge) -> None:
    """True, or the error."""
    assert await edge.call("access") == OK_TRUE
    assert edge.requests.asked == [("alice", "probe", Access())]
    edge.requests.replies = [Refusal(Code.NO_SUCH_MODEL, "alice has no model")]
    assert (await edge.call("access"))["error"]["code"] == "no_such_model"


@pytest.mark.parametrize("op", ["getcomponent", "no_such_thing", "x" * 2000])
async def test_an_unknown_operation_is_answered_false(edge: Edge, op: str) -> None:
    """As the original does, once the caller is known."""
    response = await edge.post(op)
    assert (response.status, await response.json()) == (200, OK_FALSE)
    assert (await edge.post(op, token=None)).status == 401


async def test_an_existing_component_is_told_as_text(edge: Edge) -> None:
    """Result ok, in the original's words, and in ASCII: its client cannot take other text there."""
    edge.requests.outcomes = [refused(Code.ALREADY_EXISTS)] * 2
    assert (await edge.call("mkcomponent", {"Identifier": "age"}))["val"] == "component age already exists"
    assert (await edge.call("mkcomponent", {"Identifier": "grüße"}))["val"] == "component gr\\xfc\\xdfe already exists"


async def test_a_component_is_not_made_with_a_value(edge: Edge) -> None:
    """A value comes from evidence; the original refuses with text and result ok."""
    found = await edge.call("mkcomponent", {"componentobj": {"Identifier": "c", "value": "secret"}})
    assert found == {"result": "ok", "val": "component value specified at creation - not allowed"}
    assert edge.requests.sent == []


@pytest.mark.parametrize("code", [Code.ALREADY_EXISTS, Code.NO_SUCH_CONTEXT])
async def test_a_context_that_cannot_be_made_is_answered_false(edge: Edge, code: Code) -> None:
    """Because it is there, or its parent is not."""
    edge.requests.outcomes = [refused(code)]
    assert await edge.call("mkcontext", {"Identifier": "n"}) == OK_FALSE


async def test_permissions_of_a_new_context_are_set(edge: Edge) -> None:
    """`perms` goes with the context in one command, so that both are there or neither."""
    perms = {"fit": {"ask": True, "tell": False}, "My chat": {"resolvers": ["goal"]}}
    body = {"id": "1", "context": ["P"], "contextobj": {"Identifier": "n", "perms": perms}}
    assert await edge.call("mkcontext", body) == OK_TRUE
    permissions = {
        "fit": Permission(ask=True, tell=False, make=False, delete=False, rules=False),
        "x--_4dy_20chat": Permission(resolvers=["goal"]),
    }
    assert edge.requests.commands == [MakeContext(id="1", context=["P"], name="n", permissions=permissions)]


async def test_members_that_llum_does_not_know_are_kept(edge: Edge) -> None:
    """Those that the server writes are not taken from the caller; those of the call itself are no members."""
    given = {"Identifier": "n", "myattr": {"a": [1]}, "creation_time": 5.0, "objectType": "X", "null": None}
    kept = {"myattr": {"a": [1]}, "null": None}
    for op, member in (("mkcontext", "contextobj"), ("mkcomponent", "componentobj"), ("mkview", "viewobj")):
        await edge.call(op, {member: given})
        await edge.call(op, given)
    context, bare, component, bare_component, view, bare_view = edge.requests.commands
    assert (context.extra, component.component.extra, view.view.extra) == (kept, kept, kept)
    assert (bare.extra, bare_component.component.extra, bare_view.view.extra) == ({}, {}, {})


REFUSALS = [
    ("tell", {"componentid": "c", "evidence": {}}, "component", "componentid"),
    ("tell", {"componentid": "c", "evidence": {}}, "evidence.value", "evidence.value"),
    ("mkcomponent", {"Identifier": "c"}, "component.name", "componentobj.Identifier"),
    ("mkcomponent", {"Identifier": "c"}, "component.evidence[2].value", "componentobj.evidencelist[2].value"),
    ("mkcomponent", {"Identifier": "c"}, "component.goals[0]", "componentobj.goals[0]"),
    ("mkcontext", {"Identifier": "c"}, "name", "contextobj.Identifier"),
    ("mkview", {"Identifier": "c", "component_list": []}, "view.components[1]", "viewobj.component_list[1]"),
    ("mkview", {"Identifier": "c", "component_list": []}, "context[0]", "context[0]"),
]


@pytest.mark.parametrize(("op", "body", "field", "in_call"), REFUSALS)
async def test_a_refused_command_names_the_field_as_the_call_does(
    edge: Edge, op: str, body: dict[str, Any], field: str, in_call: str
) -> None:
    """The model speaks of commands, the caller has sent a call."""
    edge.requests.outcomes = [refused(Code.BAD_PATH, "bad", field)]
    response = await edge.post(op, body)
    expected = {"code": "bad_path", "message": "bad", "field": in_call, "hint": None}
    assert (response.status, (await response.json())["error"]) == (200, expected)


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, Code.NO_SUCH_MODEL, Code.NO_SUCH_COMPONENT, Code.BAD_VALUE])
@pytest.mark.parametrize("op", ["tell", "ask"])
async def test_an_operations_error_is_status_200(edge: Edge, op: str, code: Code) -> None:
    """No 403 or 404 for errors about the model: the client would refresh its token upon those."""
    edge.requests.outcomes = [refused(code)]
    edge.requests.replies = [Refusal(code, "no")]
    response = await edge.post(op, {"componentid": "c", "evidence": {}})
    found = await response.json()
    assert (response.status, found["result"], found["error"]["code"]) == (200, "error", code.value)


async def test_without_a_version_the_value_is_bare(edge: Edge) -> None:
    """False on error."""
    edge.requests.replies = [AskReply(seq=1, components=[answer("a")]), Refusal(Code.NO_SUCH_CONTEXT, "none")]
    assert (await edge.call("ask", b"{}"))[0]["Identifier"] == "a"
    assert await edge.call("ask", b"{}") is False
    assert await edge.call("tell", b'{"componentid": "c", "evidence": {}}') is None
    assert await edge.call("tell", b"{}") is False
    assert await edge.call("access", b"{}") is True
    assert await edge.call("nothing", b'{"modelname": "-"}') is False


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "nonsense"])
async def test_the_content_type_does_not_matter(edge: Edge, content_type: str) -> None:
    """Some original clients send none."""
    found = await edge.call("access", b'{"version": "11.2"}\n', headers={"Content-Type": content_type})
    assert found == OK_TRUE


async def test_unavailable_is_503_with_an_error_that_the_original_sees(edge: Edge) -> None:
    """The original ignores the status, so the body must say error; the hint says how to repeat it safely."""
    edge.requests.outcomes = [Transient(Code.UNAVAILABLE, "no worker", retry_after_s=2)]
    response = await edge.post("tell", {"id": "my-id", "componentid": "c", "evidence": {}})
    found = await response.json()
    assert (response.status, response.headers["Retry-After"]) == (503, "2")
    assert (found["result"], found["error"]["code"]) == ("error", "unavailable")
    assert "my-id" in found["error"]["hint"]


async def test_a_commands_id_comes_from_the_header_first(edge: Edge) -> None:
    """Then from the body; else each call gets a fresh one."""
    body = {"id": "from-body", "componentid": "c", "evidence": {}}
    await edge.call("tell", body, headers={"Idempotency-Key": "from-header"})
    await edge.call("tell", body)
    for _ in range(2):
        await edge.call("tell", body | {"id": None})
    first, second, third, fourth = [command.id for command in edge.requests.commands]
    assert (first, second, len(third)) == ("from-header", "from-body", 32)
    assert third != fourth


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ü"])
async def test_a_bad_idempotency_key_is_refused(edge: Edge, key: str) -> None:
    """Before anything is sent."""
    found = await edge.call("tell", {"componentid": "c", "evidence": {}}, headers={"Idempotency-Key": key})
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_field", "Idempotency-Key")
    assert edge.requests.sent == []
