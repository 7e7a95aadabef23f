"""Apps: what they are told of, what they may do, and their passwords."""

from typing import Any

import pytest

from schemas.commands import DeleteApp, RegisterApp, SetPermission
from schemas.errors import Code, Refusal, Transient
from schemas.permissions import Permission
from schemas.queries import GetPermission
from schemas.replies import AppDescription, AppsReply, PermissionReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, refused

APPS = {"probe": AppDescription(description="d", role="owner"), "scale": AppDescription(description="s", role="app")}
NOT_OWNER = Refusal(Code.PERMISSION_DENIED, "only owners")
REGISTERED = {"description": "a lamp", "realm": "password", "password": None, "givenpw": None}


async def test_an_app_is_registered_with_its_password(edge: Edge) -> None:
    """The reply has the original's keys, and neither password nor hash."""
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    body = {"id": "1", "app": "lamp", "description": "a lamp", "apppassword": "secret"}
    assert (await edge.call("registerapp", body))["val"] == REGISTERED
    assert edge.requests.commands == [RegisterApp(id="1", app="lamp", description="a lamp")]
    assert edge.passwords.passwords == {("alice", "lamp"): "secret"}


async def test_a_refused_registration_sets_no_password(edge: Edge) -> None:
    """The password comes after the app: it is bound to its registration."""
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    edge.requests.outcomes = [refused(Code.BAD_FIELD)]
    found = await edge.call("registerapp", {"app": "lamp", "apppassword": "secret"})
    assert found["error"]["code"] == "bad_field"
    assert edge.passwords.passwords == {}


async def test_a_refused_registration_leaves_the_former_password(edge: Edge) -> None:
    """A refusal changes nothing."""
    edge.passwords.passwords["alice", "scale"] = "old"
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    edge.requests.outcomes = [refused(Code.TOO_LARGE)]
    await edge.call("registerapp", {"app": "scale", "apppassword": "new"})
    assert edge.passwords.passwords == {("alice", "scale"): "old"}


async def test_only_an_owners_app_sets_a_password(edge: Edge) -> None:
    """It is found out before anything is stored."""
    edge.passwords.passwords["alice", "scale"] = "old"
    edge.requests.replies = [NOT_OWNER]
    found = await edge.call("registerapp", {"app": "scale", "apppassword": "mine"})
    assert found["error"]["code"] == "permission_denied"
    assert edge.passwords.passwords == {("alice", "scale"): "old"}
    assert edge.requests.sent == []


@pytest.mark.parametrize("body", [{"app": "lamp"}, {"app": "lamp", "realm": "password", "apppassword": None}])
async def test_without_a_password_nothing_is_registered(edge: Edge, body: dict[str, Any]) -> None:
    """As the original has it, the answer is null."""
    assert await edge.call("registerapp", body) == {"result": "ok", "val": None}
    assert edge.requests.sent == []


async def test_another_realm_needs_no_password_and_ends_the_one_there_was(edge: Edge) -> None:
    """The app comes with tokens from now on."""
    edge.passwords.passwords["alice", "scale"] = "old"
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    found = (await edge.call("registerapp", {"app": "scale", "desc": "x", "realm": "oauth"}))["val"]
    assert found == {"description": "x", "realm": "oauth", "password": None, "givenpw": None}
    assert edge.passwords.passwords == {}


async def test_an_owners_app_stays_one(edge: Edge) -> None:
    """Registering it again with a description does not take its role."""
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    await edge.call("registerapp", {"id": "1", "app": "probe", "apppassword": "x"})
    assert edge.requests.commands == [RegisterApp(id="1", app="probe", role="owner")]


async def test_names_that_the_bus_does_not_take_are_taken(edge: Edge) -> None:
    """The original's own examples have such apps; they are listed by the names they were given."""
    listed = {"x--_4dy_48ealth": AppDescription(description="d", role="app")}
    edge.requests.replies = [AppsReply(seq=1, apps={}), AppsReply(seq=1, apps=listed)]
    await edge.call("registerapp", {"app": "MyHealth", "apppassword": "x"})
    assert edge.requests.commands[0].app == "x--_4dy_48ealth"
    assert (await edge.call("listapps"))["val"] == {"MyHealth": {"description": "d"}}


async def test_a_deleted_app_loses_its_password(edge: Edge) -> None:
    """And its tokens, at this edge at once."""
    edge.passwords.passwords["alice", "scale"] = "old"
    edge.requests.outcomes = [accepted(9)]
    assert (await edge.call("deleteapp", {"id": "1", "app": "scale"}))["val"] is None
    assert edge.authenticator.registrations.noted == [("alice", "scale", None, 9)]
    assert edge.authenticator.tokens.deleted == [("alice", "scale", 9)]
    assert edge.requests.commands == [DeleteApp(id="1", app="scale")]
    assert edge.passwords.passwords == {}


async def test_deleting_an_unknown_app_is_an_error(edge: Edge) -> None:
    """As the original raises one."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_APP)]
    assert (await edge.call("deleteapp", {"app": "nobody"}))["error"]["code"] == "no_such_app"


async def test_only_an_owners_app_deletes_a_password(edge: Edge) -> None:
    """The others are refused by the model, and nothing is deleted."""
    edge.passwords.passwords["alice", "scale"] = "old"
    edge.requests.outcomes = [refused(Code.PERMISSION_DENIED)]
    assert (await edge.call("deleteapp", {"app": "scale"}))["error"]["code"] == "permission_denied"
    assert edge.passwords.passwords == {("alice", "scale"): "old"}


async def test_without_the_key_store_the_caller_is_told_to_come_again(edge: Edge) -> None:
    """The app is registered then, and its password is not set until the call is repeated."""
    edge.passwords.failure = Transient(Code.UNAVAILABLE, "the bus is away")
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    call = {"id": "1", "app": "lamp", "apppassword": "x"}
    assert (await edge.post("registerapp", call)).status == 503
    edge.passwords.failure = None
    edge.requests.replies = [AppsReply(seq=1, apps=APPS)]
    assert (await edge.post("registerapp", call)).status == 200
    assert edge.passwords.passwords == {("alice", "lamp"): "x"}


async def test_an_app_stays_deleted_when_its_password_cannot_be(edge: Edge) -> None:
    """What is left opens nothing, so the caller is not troubled with it."""
    edge.passwords.failure = Transient(Code.UNAVAILABLE, "the bus is away")
    assert (await edge.call("deleteapp", {"app": "scale"}))["val"] is None


async def test_a_permission_is_merged_by_the_model(edge: Edge) -> None:
    """Only what is named is sent."""
    body = {"id": "1", "context": ["P"], "app": "scale", "permissions": {"ask": True, "tell": None, "mine": 1}}
    assert (await edge.call("setpermission", body))["val"] is None
    assert edge.requests.commands == [SetPermission(id="1", app="scale", context=["P"], ask=True)]


async def test_a_permission_may_say_more_than_the_original(edge: Edge) -> None:
    """Filters, bindings and an expiry; for one component too."""
    parts = {"filters": ["last1"], "bind_resolver": "goal", "bind_view": "v", "expires": 5, "resolvers": ["goal"]}
    body = {"id": "1", "context": "P", "componentid": "c", "app": "scale", "permissions": parts}
    await edge.call("setpermission", body)
    assert edge.requests.commands == [
        SetPermission(
            id="1", app="scale", context=["P"], component="c", filters=["last1"], bind_resolver="goal", bind_view="v",
            expires=5.0, resolvers=["goal"],
        )
    ]  # fmt: skip


async def test_to_tell_meant_to_make_and_delete_and_to_have_rules(edge: Edge) -> None:
    """Where a call does not name these; but it did not mean to call URLs."""
    body = {"id": "1", "context": ["P"], "app": "scale", "permissions": {"tell": True, "delete": False}}
    await edge.call("setpermission", body)
    said = {"tell": True, "make": True, "delete": False, "rules": True}
    assert edge.requests.commands == [SetPermission(id="1", app="scale", context=["P"], **said)]
    edge.requests.replies = [PermissionReply(seq=1, permission=Permission(**said))]
    got = await edge.call("getpermission", {"context": ["P"], "app": "scale"})
    assert got["val"] == {"tell": True, "delete": False}


async def test_a_permission_may_be_for_rules_in_another_persons_model(edge: Edge) -> None:
    """Set and shown apart from the app's own; such rules ask and tell, so `tell` means no more there."""
    place = {"id": "1", "context": ["P"], "app": "scale", "whose_rules": "mallory"}
    await edge.call("setpermission", {**place, "permissions": {"tell": True}})
    assert edge.requests.commands == [
        SetPermission(id="1", app="scale", context=["P"], whose_rules="mallory", tell=True)
    ]
    reply = PermissionReply(seq=1, permission=Permission(ask=True), rules_of={"mallory": Permission(tell=True)})
    edge.requests.replies = [reply, reply, reply]
    assert (await edge.call("getpermission", place))["val"] == {"tell": True}
    assert (await edge.call("getpermission", {**place, "whose_rules": "eve"}))["val"] is None
    assert (await edge.call("getpermission", {**place, "whose_rules": None}))["val"] == {"ask": True}


async def test_a_permission_is_a_dictionary_or_null(edge: Edge) -> None:
    """Of what is set in exactly that place."""
    said = Permission(ask=True, tell=False)
    edge.requests.replies = [PermissionReply(seq=1, permission=said), PermissionReply(seq=1)]
    body = {"context": [""], "app": "scale", "componentid": None}
    assert (await edge.call("getpermission", body))["val"] == {"ask": True, "tell": False}
    assert (await edge.call("getpermission", body))["val"] is None
    assert edge.requests.queries[0] == GetPermission(app="scale", context=[])


BAD_CALLS = [
    ("registerapp", {"apppassword": "x"}, "app"),
    ("registerapp", {"app": "a", "apppassword": 5}, "apppassword"),
    ("registerapp", {"app": "", "apppassword": "x"}, "app"),
    ("registerapp", {"app": "A" * 80, "apppassword": "x"}, "app"),
    ("deleteapp", {}, "app"),
    ("deleteapp", {"app": None}, "app"),
    ("setpermission", {"app": "a", "permissions": {}}, "context"),
    ("setpermission", {"app": "a", "context": None}, "context"),
    ("setpermission", {"context": []}, "app"),
    ("setpermission", {"context": [], "app": "a", "permissions": {"ask": "yes"}}, "permissions.ask"),
    ("setpermission", {"context": [], "app": "a", "permissions": []}, "permissions"),
    ("getpermission", {"app": "a"}, "context"),
    ("getpermission", {"context": []}, "app"),
    ("listapps", {"modelname": 3}, "modelname"),
]


@pytest.mark.parametrize(("op", "body", "field"), BAD_CALLS)
async def test_a_bad_call_is_refused_naming_the_field(edge: Edge, op: str, body: dict[str, Any], field: str) -> None:
    """A missing context is never taken for the root: that would grant the whole model."""
    found = await edge.call(op, body)
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_field", field)
    assert edge.requests.sent == []
