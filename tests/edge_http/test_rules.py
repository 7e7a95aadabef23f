"""Rules, which the original calls subscriptions."""

from typing import Any

import msgspec
import pytest

from schemas.commands import DeleteRule, MakeRule
from schemas.errors import Code, Error
from schemas.queries import Ask, ListRules
from schemas.replies import AskReply, ComponentFailure, RuleDescription, RulesReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, answer, refused

STATEMENT = '"a" ~ "b" : NOTIFY "c"'
LEGACY = {"user": "alice", "password": "secret", "statement": STATEMENT}


def subscribed(context: list[str], component: str, identifier: str = "1") -> MakeRule:
    return MakeRule(id=identifier, context=context, component=component, statement=STATEMENT)


@pytest.mark.parametrize("spelling", [LEGACY, {"statement": STATEMENT, "modelname": "x"}, STATEMENT])
async def test_a_rule_is_attached_and_named_by_a_token(edge: Edge, spelling: Any) -> None:
    """The password that the original sends with it goes nowhere, the user is only a name to be shown."""
    edge.requests.outcomes = [accepted(7, "7")]
    body = {"id": "1", "context": ["P"], "view": ["c"], "subscription": spelling}
    assert (await edge.call("subscribe", body))["val"] == "7"
    user = "alice" if spelling is LEGACY else None
    assert edge.requests.commands == [msgspec.structs.replace(subscribed(["P"], "c"), user=user)]


async def test_a_path_in_the_view_is_from_the_root(edge: Edge) -> None:
    """As in an ask."""
    edge.requests.outcomes = [accepted(7, "7")]
    await edge.call("subscribe", {"id": "1", "context": ["P"], "view": [["", "Q", "c"]], "subscription": STATEMENT})
    assert edge.requests.commands == [subscribed(["Q"], "c")]


async def test_one_component_may_be_named_without_a_view(edge: Edge) -> None:
    """As in the other operations."""
    edge.requests.outcomes = [accepted(7, "7")]
    await edge.call("subscribe", {"id": "1", "context": "P", "componentid": "c", "subscription": STATEMENT})
    assert edge.requests.commands == [subscribed(["P"], "c")]


@pytest.mark.parametrize("view", [None, "all"])
async def test_a_view_is_looked_up(edge: Edge, view: str | None) -> None:
    """Each of its components gets the rule; the tokens come in their order."""
    edge.requests.replies = [AskReply(seq=1, components=[answer("P", "a"), answer("Q", "b")])]
    edge.requests.outcomes = [accepted(7, ["7", "7-1"])]
    found = await edge.call("subscribe", {"id": "1", "context": ["P"], "view": view, "subscription": STATEMENT})
    assert found["val"] == ["7", "7-1"]
    assert edge.requests.queries == [Ask(context=["P"], view=view)]
    assert edge.requests.commands == [msgspec.structs.replace(subscribed(["P"], "a"), further=[["Q", "b"]])]


@pytest.mark.parametrize("code", [Code.UNKNOWN_RESOLVER, Code.RESOLVER_FAILED, Code.TOO_MUCH_EVIDENCE])
async def test_a_component_without_a_value_gets_the_rule_too(edge: Edge, code: Code) -> None:
    """It is there; that its resolver fails is no fault of the rule."""
    failure = ComponentFailure(path=["P", "odd"], error=Error(code, "no value"))
    edge.requests.replies = [AskReply(seq=1, components=[answer("P", "a")], failures=[failure])]
    edge.requests.outcomes = [accepted(7, ["7", "7-1"])]
    found = await edge.call("subscribe", {"context": ["P"], "view": None, "subscription": STATEMENT})
    assert found["val"] == ["7", "7-1"]
    (command,) = edge.requests.commands
    assert (command.component, command.further) == ("a", [["P", "odd"]])


async def test_a_view_of_what_is_not_there_gets_no_rule(edge: Edge) -> None:
    """The error says so; nothing is sent."""
    failure = ComponentFailure(path=["P", "gone"], error=Error(Code.NO_SUCH_COMPONENT, "there is no gone"))
    edge.requests.replies = [AskReply(seq=1, components=[answer("P", "a")], failures=[failure])]
    found = await edge.call("subscribe", {"context": ["P"], "view": "all", "subscription": STATEMENT})
    assert found["error"]["code"] == "no_such_component"
    assert edge.requests.sent == []


async def test_when_one_is_refused_none_has_the_rule(edge: Edge) -> None:
    """It is one command for all of them. A component that is named twice gets the rule once."""
    edge.requests.outcomes = [refused(Code.PERMISSION_DENIED, field="further[0]")]
    found = await edge.call("subscribe", {"context": ["P"], "view": ["a", "b", "a"], "subscription": STATEMENT})
    assert (found["error"]["code"], found["error"]["field"]) == ("permission_denied", "view[0]")
    (command,) = edge.requests.commands
    assert (command.component, command.further) == ("a", [["P", "b"]])


async def test_a_bad_rule_is_refused_with_its_position(edge: Edge) -> None:
    """It is never accepted silently."""
    edge.requests.outcomes = [refused(Code.BAD_RULE, "expected ':'", "statement:1:9")]
    found = await edge.call("subscribe", {"view": ["a"], "subscription": "x"})
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_rule", "subscription.statement:1:9")


RULE = RuleDescription(statement=STATEMENT, app="x--_4dy", created=3.0)


async def test_rules_are_listed_by_token(edge: Edge) -> None:
    """Without a password, which the original shows to everybody."""
    edge.requests.replies = [RulesReply(seq=1, rules={"c": {"7": RULE}})]
    found = await edge.call("list_subs", {"context": ["P"], "componentid": "c"})
    assert found["val"] == {"7": {"user": "My", "statement": STATEMENT, "modelname": "alice", "created": 3.0}}
    assert edge.requests.queries == [ListRules(context=["P"], component="c")]


async def test_a_component_without_rules_has_none(edge: Edge) -> None:
    """That is no error."""
    edge.requests.replies = [RulesReply(seq=1, rules={})]
    assert (await edge.call("list_subs", {"componentid": "c"}))["val"] == {}


async def test_all_rules_of_a_context_are_listed_by_component(edge: Edge) -> None:
    """When no component is named."""
    edge.requests.replies = [RulesReply(seq=1, rules={"c": {"7": RULE}, "d": {"8": RULE}})]
    found = await edge.call("list_subs", {"context": ["P"]})
    assert {name: list(by_token) for name, by_token in found["val"].items()} == {"c": ["7"], "d": ["8"]}


async def test_a_rule_is_removed_by_its_token(edge: Edge) -> None:
    """The answer is null."""
    body = {"id": "1", "context": ["P"], "componentid": "c", "subname": "7"}
    assert (await edge.call("delete_sub", body)) == {"result": "ok", "val": None}
    assert edge.requests.commands == [DeleteRule(id="1", context=["P"], component="c", token="7")]


BAD_CALLS = [
    ("subscribe", {"view": ["c"]}, "subscription"),
    ("subscribe", {"view": ["c"], "subscription": None}, "subscription"),
    ("subscribe", {"view": ["c"], "subscription": {}}, "subscription.statement"),
    ("subscribe", {"view": [], "subscription": "x"}, "view"),
    ("subscribe", {"view": [[]], "subscription": "x"}, "view"),
    ("subscribe", {"view": 3, "subscription": "x"}, "view"),
    ("delete_sub", {"componentid": "c"}, "subname"),
    ("delete_sub", {"subname": "7"}, "componentid"),
    ("list_subs", {"componentid": 7}, "componentid"),
]


@pytest.mark.parametrize(("op", "body", "field"), BAD_CALLS)
async def test_a_bad_call_is_refused_naming_the_field(edge: Edge, op: str, body: dict[str, Any], field: str) -> None:
    """Nothing is sent."""
    found = await edge.call(op, body)
    assert (found["error"]["code"], found["error"]["field"]) == ("bad_field", field)
    assert edge.requests.sent == []
