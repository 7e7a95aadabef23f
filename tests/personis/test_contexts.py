"""The one context in all the spellings that old clients have for it, in every operation that takes one."""

import json
from typing import Any

import pytest

from tests.edge_http.personis_client import Component, Context, Evidence, View
from tests.personis.conftest import Person

RULE = {"user": "u", "password": "", "statement": "<./T/c> ~ 'x' : TELL ./T/d, inferred:'y'"}


@pytest.mark.parametrize("spelling", [["T"], ["", "T"], ["T", ""], ["", "T", ""], ["", "", "T"], "T", "/T", "/T/"])
def test_every_operation_takes_every_spelling(person: Person, spelling: Any) -> None:
    """Empty segments name nothing."""
    client = person.client
    person.make("T", "c", "d")
    client.registerapp("scale", "a scale", "secret")
    assert client.tell(spelling, "c", Evidence(evidence_type="explicit", value="v")) is None
    assert [one.value for one in client.ask(spelling, ["c", ["", "T", "c", ""]])] == ["v", "v"]
    assert client.mkcontext(spelling, Context(Identifier="sub")) is True
    new = Component(Identifier="new", component_type="goal", value_type="string")
    assert client.mkcomponent(spelling, new) is None
    assert client.mkview(spelling, View(Identifier="view", component_list=["c", ["", "T", "", "d"]])) is None
    assert [one.Identifier for one in client.ask(spelling, "view")] == ["c", "d"]
    assert client.setresolver(spelling, "c", "goal") is True
    assert client.set_goals(spelling, "c", [["", "T", "d", ""]]) is None
    token = client.subscribe(spelling, ["c"], RULE)
    assert list(client.list_subs(spelling, "c")) == [token]
    assert client.delete_sub(spelling, "c", token) is None
    assert client.setpermission(spelling, app="scale", permissions={"ask": True}) is None
    assert client.getpermission(spelling, app="scale") == {"ask": True}
    assert client.getcontext(spelling)["perms"] == {"scale": {"ask": True}}
    exported = json.loads(client.export_model(spelling))
    assert exported["components"]["c"]["goals"] == [["T", "d"]]
    exported["contextinfo"]["Identifier"] = "copy"
    assert client.import_model(spelling, json.dumps(exported))
    assert sorted(client.ask(spelling, [], None, True)[1]) == ["copy", "sub"]
    assert client.delview(spelling, "view") is None
    assert client.delcomponent(spelling, "new") is None
    assert client.delcontext(spelling) is True
    assert client.getcontext(["T"]) == {}


@pytest.mark.parametrize("root", [[], [""], ["", ""], "", "/", None])
def test_every_operation_takes_every_root(person: Person, root: Any) -> None:
    """Only what is deleted or granted is never meant by saying nothing."""
    client = person.client
    assert client.mkcontext(root, Context(Identifier="T")) is True
    assert client.mkcomponent(root, Component(Identifier="c", component_type="goal", value_type="string")) is None
    assert client.tell(root, "c", Evidence(evidence_type="explicit", value="v")) is None
    assert client.ask(root, ["c"])[0].value == "v"
    assert client.mkview(root, View(Identifier="view", component_list=["c"])) is None
    assert "T" in client.ask(root, "view", None, True)[1]
    assert client.getcontext(root)["Identifier"] == "."
    assert "c" in json.loads(client.export_model(root))["components"]
