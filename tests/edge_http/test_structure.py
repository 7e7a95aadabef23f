"""The operations that make, describe and delete what a model consists of."""

from typing import Any

import pytest

from schemas.commands import DeleteComponent, DeleteContext, DeleteView, SetGoals, SetResolver, SetTimeZone
from schemas.errors import Code, Refusal
from schemas.permissions import Permission
from schemas.queries import Access, GetContext, GetPermission, ListApps, ListResolvers
from schemas.replies import ContextSize, Granted, PermissionReply, ResolversReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import apps_reply, context_reply, refused

OK_NULL = {"result": "ok", "val": None}
OK_TRUE = {"result": "ok", "val": True}
P = ["Personal"]

COMMANDS: list[tuple[str, str, dict[str, Any], Any, Any]] = [
    ("a context", "delcontext", {"context": P}, DeleteContext(id="1", context=P), OK_TRUE),
    (
        "a component",
        "delcomponent",
        {"context": P, "componentid": "c"},
        DeleteComponent(id="1", context=P, component="c"),
        OK_NULL,
    ),
    ("a view", "delview", {"context": P, "viewid": "v"}, DeleteView(id="1", context=P, view="v"), OK_NULL),
    (
        "a resolver",
        "setresolver",
        {"context": P, "componentid": "c", "resolver": "goal"},
        SetResolver(id="1", context=P, component="c", resolver="goal"),
        OK_TRUE,
    ),
    (
        "no resolver",
        "setresolver",
        {"context": "Personal", "componentid": "c", "resolver": None},
        SetResolver(id="1", context=P, component="c"),
        OK_TRUE,
    ),
    (
        "a context's resolver",
        "setresolver",
        {"context": P, "resolver": "goal"},
        SetResolver(id="1", context=P, resolver="goal"),
        OK_TRUE,
    ),
    (
        "goals",
        "set_goals",
        {"context": P, "componentid": "c", "goals": [["", "Goals", "fit"], ["Goals"]]},
        SetGoals(id="1", context=P, component="c", goals=[["Goals", "fit"], ["Goals"]]),
        OK_NULL,
    ),
    (
        "a time zone",
        "settimezone",
        {"time_zone": "Europe/Amsterdam"},
        SetTimeZone(id="1", time_zone="Europe/Amsterdam"),
        OK_NULL,
    ),
    ("no time zone", "settimezone", {"time_zone": None}, SetTimeZone(id="1"), OK_NULL),
]


@pytest.mark.parametrize(
    ("op", "body", "command", "expected"), [pytest.param(*row, id=name) for name, *row in COMMANDS]
)
async def test_a_call_becomes_a_command(edge: Edge, op: str, body: dict[str, Any], command: Any, expected: Any) -> None:
    """A good call is sent as the token's user and app, and answered as the original answers."""
    response = await edge.post(op, {"id": "1", **body})
    assert (response.status, await response.json()) == (200, expected)
    assert edge.requests.sent == [("alice", "probe", command)]


BAD_CALLS = [
    ("delcontext", {}, "context"),
    ("delcontext", {"context": None}, "context"),
    ("delcomponent", {}, "componentid"),
    ("delcomponent", {"componentid": 3}, "componentid"),
    ("delview", {"viewid": None}, "viewid"),
    ("setresolver", {"resolver": 1}, "resolver"),
    ("set_goals", {"componentid": "c"}, "goals"),
    ("set_goals", {"componentid": "c", "goals": None}, "goals"),
    ("set_goals", {"componentid": "c", "goals": ["a"]}, "goals[0]"),
    ("settimezone", {}, "time_zone"),
    ("settimezone", {"time_zone": "Mars/Olympus"}, "time_zone"),
    ("getcontext", {"context": 3}, "context"),
    ("getresolvers", {"modelname": 3}, "modelname"),
    ("mkmodel", {"modelname": 3}, "modelname"),
]


@pytest.mark.parametrize(("op", "body", "field"), BAD_CALLS)
async def test_a_bad_call_is_refused_naming_the_field(edge: Edge, op: str, body: dict[str, Any], field: str) -> None:
    """Status 200, an error of four items, nothing sent. A missing context is never taken for the root to delete."""
    response = await edge.post(op, body)
    found = await response.json()
    assert (response.status, found["result"], len(found["val"])) == (200, "error", 3)
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_field", field)
    assert edge.requests.sent == []


async def test_mkmodel_says_that_ones_own_model_is_there(edge: Edge) -> None:
    """As the original answers for a model that exists already. Nothing is sent: no app makes models."""
    assert await edge.call("mkmodel", {"modelname": "alice", "descripion": "d"}) == OK_TRUE
    assert edge.requests.queries == [Access()]
    assert edge.requests.sent == []


@pytest.mark.parametrize("code", [Code.NO_SUCH_MODEL, Code.NO_SUCH_APP])
async def test_mkmodel_makes_no_model(edge: Edge, code: Code) -> None:
    """Neither one's own nor another person's."""
    edge.requests.replies = [Refusal(code, "none")]
    assert (await edge.call("mkmodel"))["error"]["code"] == "permission_denied"
    assert (await edge.call("mkmodel", {"modelname": "bob"}))["error"]["code"] == "permission_denied"
    assert edge.requests.sent == []


async def test_a_component_that_is_not_there_is_told_with_ok(edge: Edge) -> None:
    """As a text, in ASCII: the original's client takes nothing else."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_COMPONENT)]
    found = await edge.call("delcomponent", {"componentid": "größe"})
    assert found == {"result": "ok", "val": "no component matched gr\\xf6\\xdfe"}


async def test_any_other_refusal_of_a_deletion_is_an_error(edge: Edge) -> None:
    """Only what the original tells with ok is told so."""
    edge.requests.outcomes = [refused(Code.PERMISSION_DENIED)]
    assert (await edge.call("delcomponent", {"componentid": "c"}))["error"]["code"] == "permission_denied"


async def test_a_context_that_is_not_there_counts_as_deleted(edge: Edge) -> None:
    """Its parent is there, as a query for it shows."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_CONTEXT)]
    edge.requests.replies = [context_reply("a")]
    assert await edge.call("delcontext", {"context": ["a", "b"]}) == OK_TRUE
    assert edge.requests.queries == [GetContext(context=["a"])]


async def test_a_context_without_its_parent_is_false(edge: Edge) -> None:
    """As the original answers."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_CONTEXT)]
    edge.requests.replies = [Refusal(Code.NO_SUCH_CONTEXT, "none")]
    assert (await edge.call("delcontext", {"context": ["a", "b"]}))["val"] is False


async def test_the_root_is_refused_as_the_model_refuses_it(edge: Edge) -> None:
    """What may be deleted is for the model to say."""
    edge.requests.outcomes = [refused(Code.BAD_PATH, "the root stays", "context")]
    found = await edge.call("delcontext", {"context": []})
    assert (found["result"], found["error"]["code"]) == ("error", "bad_path")


CONTEXT = context_reply(
    "Personal", description="d", resolver="goal", components=["c"], permission=Granted(ask=True, tell=False)
)


async def test_a_context_is_described_with_the_permissions_of_all_apps(edge: Edge) -> None:
    """To an owner's app; parts that are not set are left out."""
    edge.requests.replies = [
        CONTEXT,
        apps_reply(probe="owner", **{"x--_4dy": "app"}),
        PermissionReply(seq=1),
        PermissionReply(seq=1, permission=Permission(ask=True, tell=False)),
    ]
    assert (await edge.call("getcontext", {"context": ["Personal"]}))["val"] == {
        "Identifier": "Personal",
        "Description": "d",
        "perms": {"My": {"ask": True, "tell": False}},
        "resolver": "goal",
        "objectType": "Context",
        "creation_time": 3.0,
    }
    assert edge.requests.queries == [
        GetContext(context=["Personal"]),
        ListApps(),
        GetPermission(app="probe", context=["Personal"]),
        GetPermission(app="x--_4dy", context=["Personal"]),
    ]


async def test_another_app_sees_its_own_permission(edge: Edge) -> None:
    """And nobody else's."""
    edge.requests.replies = [CONTEXT, Refusal(Code.PERMISSION_DENIED, "no")]
    own = {"ask": True, "tell": False, "notify": False, "resolvers": [], "filters": [], "types": []}
    assert (await edge.call("getcontext", {"context": ["Personal"]}))["val"]["perms"] == {"probe": own}


async def test_the_root_is_called_a_dot_and_has_a_size(edge: Edge) -> None:
    """The size is one number, as in the original."""
    size = ContextSize(contexts=2, components=3, evidence=40)
    edge.requests.replies = [context_reply(size=size), Refusal(Code.PERMISSION_DENIED, "no")]
    found = (await edge.call("getcontext", {"context": [], "getsize": True}))["val"]
    assert (found["Identifier"], found["size"]) == (".", 45)
    assert edge.requests.queries[0] == GetContext(context=[], size=True)


async def test_a_missing_context_is_described_as_nothing(edge: Edge) -> None:
    """As the original does."""
    edge.requests.replies = [Refusal(Code.NO_SUCH_CONTEXT, "none")]
    assert (await edge.call("getcontext", {"context": ["x"]}))["val"] == {}


async def test_a_forbidden_context_is_an_error(edge: Edge) -> None:
    """It is not described as nothing."""
    edge.requests.replies = [Refusal(Code.PERMISSION_DENIED, "no")]
    assert (await edge.call("getcontext", {"context": ["x"]}))["error"]["code"] == "permission_denied"


async def test_resolvers_are_listed_by_name(edge: Edge) -> None:
    """Without their descriptions, which the original does not have."""
    edge.requests.replies = [ResolversReply(seq=1, resolvers={"default": "the latest", "goal": "the latest goal"})]
    assert (await edge.call("getresolvers"))["val"] == ["default", "goal"]
    assert edge.requests.queries == [ListResolvers()]


FIELDS = [
    ("delcomponent", {"componentid": "c"}, "component", "componentid"),
    ("delview", {"viewid": "c"}, "view", "viewid"),
    ("set_goals", {"componentid": "c", "goals": []}, "goals[0]", "goals[0]"),
    ("setresolver", {"componentid": "c"}, "component", "componentid"),
    ("setpermission", {"context": [], "app": "a"}, "bind_view", "permissions.bind_view"),
    ("delete_sub", {"componentid": "c", "subname": "t"}, "token", "subname"),
    ("subscribe", {"view": ["c"], "subscription": "x"}, "statement:1:5", "subscription.statement:1:5"),
]


@pytest.mark.parametrize(("op", "body", "theirs", "ours"), FIELDS)
async def test_a_refusal_names_the_field_as_the_call_has_it(
    edge: Edge, op: str, body: dict[str, Any], theirs: str, ours: str
) -> None:
    """Whoever mends the call does not know the command that it became."""
    edge.requests.outcomes = [refused(Code.BAD_FIELD, "no", theirs)]
    assert (await edge.call(op, body))["error"]["field"] == ours
