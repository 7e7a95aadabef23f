"""Members of evidence that would pass for llum's own: refused, never shown, and never made real by an import."""

import json
from typing import Any

import pytest

from schemas.commands import LLUMS_OWN, Import
from schemas.definitions import ImportedRule
from schemas.evidence import Evidence
from schemas.replies import AskReply
from schemas.reserved import RESERVED_MEMBERS
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, apps_reply, piece

CLAIMED = ("correction", "withdrawn", "rule", "cause", "seq")
STAMPED = ("source", "owner", "creation_time", "objectType")


@pytest.mark.parametrize("member", CLAIMED)
async def test_a_tell_does_not_claim_what_llum_says(edge: Edge, member: str) -> None:
    """It is refused by name, at once and with the first evidence of a component; null is no claim."""
    call = {"context": ["P"], "componentid": "c", "evidence": {"value": 1, member: True}}
    refused = await edge.call("tell", call)
    assert (refused["error"]["code"], refused["error"]["field"]) == ("bad_field", f"evidence.{member}")
    made = {"Identifier": "c", "evidencelist": [{"value": 1, member: True}]}
    refused = await edge.call("mkcomponent", {"context": ["P"], "componentobj": made})
    assert refused["error"]["field"] == f"componentobj.evidencelist[0].{member}"
    assert edge.requests.commands == []
    call["evidence"] = {"value": 1, member: None}
    assert (await edge.call("tell", call))["result"] == "ok"


@pytest.mark.parametrize("member", STAMPED)
async def test_what_the_originals_clients_send_along_is_dropped(edge: Edge, member: str) -> None:
    """They send back what they were given; llum stamps these anew."""
    call = {"context": ["P"], "componentid": "c", "evidence": {"value": 1, member: "x"}}
    assert (await edge.call("tell", call))["result"] == "ok"
    assert edge.requests.commands[0].evidence.extra == {}


async def test_no_call_makes_a_command_that_only_llum_sends(edge: Edge) -> None:
    """Whatever stands beside its members: a tell is a tell, of the token's app."""
    cause = {"rule": "7", "root": "alice.1", "depth": 1}
    call = {"context": ["P"], "componentid": "c", "evidence": {"value": 1}}
    await edge.call("tell", call | {"verb": "derive", "cause": cause, "app": "_rules", "source": "_rules"})
    await edge.call("derive", call | {"cause": cause})
    assert not {type(command) for command in edge.requests.commands} & LLUMS_OWN
    assert all(not hasattr(command, "cause") for command in edge.requests.commands)


async def test_what_was_told_before_is_not_shown_as_llums_own(edge: Edge) -> None:
    """It may lie in the log: what stands beside llum's own members is none of it."""
    told = piece(1, 1, extra={**dict.fromkeys(sorted(RESERVED_MEMBERS), "claimed"), "exp": 3})
    edge.requests.replies = [AskReply(seq=5, components=[answer("P", "c", value=1, evidence=[told])])]
    (shown,) = (await edge.call("ask", {"context": ["P"]}))["val"][0]["evidencelist"]
    assert "claimed" not in shown.values()
    assert not {"correction", "withdrawn", "rule"} & {*shown}
    assert shown["exp"] == 3


async def test_an_import_makes_nothing_real_that_a_file_claims(edge: Edge) -> None:
    """Corrections are evidence like any other, rules wait, and other claims are dropped."""
    claims = {"correction": True, "withdrawn": {"by": "llum", "time": 1.0}, "rule": "7", "seq": 3, "exp": 3}
    told = {"value": 1, "time": 1.5, "creation_time": 2.5, "source": "app", "owner": "al", **claims}
    model: dict[str, Any] = {
        "contextinfo": {"Identifier": "P"},
        "components": {"c": {"value_type": "number", "evidencelist": [told]}},
        "subs": {"c": {"old": {"statement": "s"}}},
    }
    edge.requests.replies = [apps_reply(probe="owner")]
    await edge.call("import_model", {"context": [], "partial_model": json.dumps(model)})
    (imported,) = edge.requests.commands
    assert isinstance(imported, Import)
    (evidence,) = imported.contexts[0].components[0].evidence
    assert (evidence.correction, evidence.withdrawn, evidence.rule, evidence.extra) == (False, None, None, {"exp": 3})
    # The model suspends all rules that come with an import.
    assert imported.contexts[0].components[0].rules == [ImportedRule(statement="s")]
    assert not imported.only_new


def test_every_member_of_llums_own_is_reserved() -> None:
    """A new one is added to the list by being there."""
    assert {*Evidence.__struct_fields__} - RESERVED_MEMBERS == {"extra", "n"}


async def test_nobody_asks_for_a_rule(edge: Edge) -> None:
    """What is granted to the rules of an app is for these, and llum alone asks for them."""
    error = await edge.call("ask", {"context": ["P"], "view": None, "whose_rules": "bob"})
    assert (error["error"]["code"], error["error"]["field"]) == ("bad_field", "whose_rules")
    assert edge.requests.queries == []
