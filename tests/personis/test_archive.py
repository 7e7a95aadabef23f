"""Large exports and imports through a real llum."""

import json
from typing import Any

import pytest

from tests.edge_http.personis_client import Context, View
from tests.personis.conftest import Person

PIECES = 4500
"""More than two pages of an ask, and more than one command's bytes."""


def piece(number: int) -> dict[str, Any]:
    return {
        "evidence_type": "implicit", "source": "elsewhere", "owner": "somebody", "value": number,
        "comment": "x" * 300, "flags": [], "time": 1000.0 + number, "creation_time": 2000.0 + number, "useby": None,
        "objectType": "Evidence", "extra member": [number],
    }  # fmt: skip


def large_model() -> dict[str, Any]:
    component = {
        "Identifier": "c", "Description": "d", "component_type": "attribute", "value_type": "number", "value_list": [],
        "value": None, "resolver": None, "goals": [], "objectType": "Component", "creation_time": 1.0,
        "evidencelist": [piece(number) for number in range(PIECES)],
    }  # fmt: skip
    info = {"Identifier": "Large", "Description": "d", "perms": {}, "resolver": None, "objectType": "Context"}
    return {"contextinfo": info, "contexts": None, "components": {"c": component}, "views": {}, "subs": {}}


def test_a_large_model_is_imported_and_exported_whole(person: Person) -> None:
    """In its order, with times, owners and members that llum does not know; twice changes nothing."""
    given = json.dumps(large_model())
    assert len(given) > 2 * 1024 * 1024
    for _ in range(2):
        assert person.client.import_model([], given)["components"]["c"]["Identifier"] == "c"
    exported = json.loads(person.client.export_model(["Large"]))
    (component,) = exported["components"].values()
    assert component["evidencelist"] == [piece(number) for number in range(PIECES)]
    assert component["value"] == PIECES - 1
    assert person.client.getcontext(["Large"], getsize=True)["size"] == 1 + 1 + PIECES


def test_what_was_deleted_can_be_imported_again(person: Person) -> None:
    """As often as it is deleted."""
    person.make("T", "c")
    person.tell(["T"], "c", "kept")
    exported = person.client.export_model(["T"])
    for _ in range(3):
        assert person.client.delcontext(["T"]) is True
        person.client.import_model([], exported)
        person.client.import_model([], exported)
        assert [one.value for one in person.evidence(["T"], "c")] == ["kept"]


def test_a_whole_context_comes_back(person: Person) -> None:
    """With what is below it, its views, the rules, and the permissions of apps that are registered."""
    statement = '<default!./T/a> ~ "x" : TELL ./T/b, inferred:"y"'
    client = person.client
    person.make("T", "a", "b")
    client.mkcontext(["T"], Context(Identifier="sub", Description="below"))
    client.mkview(["T"], View(Identifier="v", component_list=["b", ["", "T", "a"]]))
    client.subscribe(["T"], ["a"], {"statement": statement})
    client.registerapp("scale", "d", "pw")
    client.setpermission(["T", "sub"], app="scale", permissions={"ask": True})
    exported = client.export_model(["T"])
    client.mkcontext([], Context(Identifier="To"))
    client.import_model(["To"], exported)
    again = json.loads(client.export_model(["To", "T"]))
    assert again["views"] == json.loads(exported)["views"]
    assert again["contexts"]["sub"]["contextinfo"]["Description"] == "below"
    assert again["contexts"]["sub"]["contextinfo"]["perms"] == {"scale": {"ask": True}}
    (rule,) = client.list_subs(["To", "T"], "a").values()
    assert (rule["statement"], rule["user"]) == (statement, "probe")


def test_a_bad_rule_of_an_old_model_is_told(person: Person) -> None:
    """The original took rules unread; llum says which one it cannot take."""
    info = {"Identifier": "Old", "Description": "", "perms": {}, "resolver": None}
    component = {"component_type": "attribute", "value_type": "string", "evidencelist": []}
    subs = {"c": {"token": {"user": "u", "password": "p", "statement": "nonsense"}}}
    model = {"contextinfo": info, "contexts": None, "components": {"c": component}, "views": {}, "subs": subs}
    with pytest.raises(Exception, match="bad_rule"):
        person.client.import_model([], json.dumps(model))
