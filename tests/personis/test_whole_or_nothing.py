"""An error is never answered after something was applied, and what the original keeps is kept: through a real llum."""

import json
import shutil
from typing import Any

import pytest

from tests.edge_http.personis_client import Component, Context, View
from tests.personis.conftest import Person
from tests.personis.old_exports import STATEMENT, component, context, piece

BAD_RULE = {"c": {"t": {"user": "u", "password": "p", "statement": "nonsense"}}}


def is_there(person: Person, name: str) -> bool:
    return bool(person.client.getcontext([name]))


def call(person: Person, op: str, **arguments: Any) -> dict[str, Any]:
    """Call an operation, and give all of the answer."""
    body = {"version": "11.2", "modelname": "-", **arguments}
    answer: dict[str, Any] = json.loads(person.client._post(op, json.dumps(body)))
    return answer


@pytest.mark.parametrize(
    "perms", [{"nobody": {"ask": True}}, {"probe": {"ask": "maybe"}}, {"probe": {"filters": ["x"]}}]
)
def test_a_context_with_wrong_perms_is_not_made(person: Person, perms: dict[str, Any]) -> None:
    """The error is answered, and the context is not there. With right ones it is made; flat ones are passed over."""
    with pytest.raises(ValueError, match=r"no_such_app|bad_field|bad_filter"):
        person.client.mkcontext([], Context(Identifier="New", perms=perms))
    assert not is_there(person, "New")
    flat = {"ask": True, "tell": True, "resolvers": ["all", "last1"]}
    assert person.client.mkcontext([], Context(Identifier="New", perms=flat)) is True
    assert person.client.getcontext(["New"])["perms"] == {}
    person.client.registerapp("scale", "d", "pw")
    assert person.client.mkcontext([], Context(Identifier="Newer", perms={"scale": {"ask": True}})) is True
    assert person.client.getpermission(["Newer"], app="scale") == {"ask": True}


def test_perms_from_an_app_that_is_no_owners_make_nothing(person: Person) -> None:
    """Though it may make contexts."""
    person.make("T")
    person.client.registerapp("scale", "a scale", "right")
    person.client.setpermission(["T"], app="scale", permissions={"ask": True, "tell": True})
    device = person.device("scale", "right")
    with pytest.raises(Exception, match="401"):
        device.call("mkcontext", context=["T"], contextobj={"Identifier": "n", "perms": {"scale": {"ask": True}}})
    assert person.client.getcontext(["T", "n"]) == {}
    assert device.call("mkcontext", context=["T"], contextobj={"Identifier": "n", "perms": {"ask": True}}) is True


def test_an_import_with_a_bad_rule_keeps_nothing(person: Person) -> None:
    """Nor the evidence that came before it."""
    model = context("Old", component("c", piece("x")), subs=BAD_RULE, below=[context("below")])
    with pytest.raises(ValueError, match="bad_rule"):
        person.client.import_model([], json.dumps(model))
    assert not is_there(person, "Old")
    model["subs"]["c"]["t"]["statement"] = STATEMENT
    person.client.import_model([], json.dumps(model))
    assert [one.value for one in person.evidence(["Old"], "c")] == ["x"]


def test_a_large_import_is_checked_before_any_of_it_is_applied(person: Person) -> None:
    """Its last piece is wrong: the error names the component, and none of the megabytes before it are there."""
    pieces = [piece("x" * 3000, creation_time=1000.0 + number) for number in range(1000)]
    last = component("z", piece(1), value_type="enum", value_list=["a"])
    answer = call(person, "import_model", context=[], partial_model=context("Large", component("c", *pieces), last))
    assert (answer["result"], answer["error"]["code"]) == ("error", "bad_value")
    assert answer["error"]["message"].startswith("Large/z: ")
    assert not is_there(person, "Large")


def test_perms_of_unknown_apps_do_not_fail_an_import(person: Person) -> None:
    """The answer is the original's, and what was left out stands beside it. What can be set is set."""
    person.client.registerapp("scale", "d", "pw")
    model = context("P", component("c"), perms={"nobody": {"ask": True}, "scale": {"ask": True}, "ask": True})
    for _ in range(2):
        answer = call(person, "import_model", context=[], partial_model=json.dumps(model))
        assert (answer["result"], answer["val"]) == ("ok", model)
        skipped = {"what": "permission", "app": "nobody", "path": ["P"], "code": "no_such_app"}
        assert answer["skipped"] == [skipped]
    assert person.client.getcontext(["P"])["perms"] == {"scale": {"ask": True}}


def test_an_import_that_was_refused_can_be_tried_again(person: Person) -> None:
    """The refusal is not remembered when what was in the way has gone."""
    exported = json.dumps(context("P", component("c", piece("x"))))
    with pytest.raises(ValueError, match="no_such_context"):
        person.client.import_model(["To"], exported)
    person.make("To")
    person.client.import_model(["To"], exported)
    assert [one.value for one in person.evidence(["To", "P"], "c")] == ["x"]


def test_members_that_llum_does_not_know_are_kept(person: Person) -> None:
    """With contexts, components, views and the user of a rule; told, shown, exported, imported, and after a rebuild."""
    client = person.client
    client.mkcontext([], Context(Identifier="T", Description="d", myattr={"a": [1, None]}))
    made = Component(Identifier="c", component_type="attribute", value_type="string", myattr="mine")
    assert client.mkcomponent(["T"], made) is None
    client.mkview(["T"], View(Identifier="v", Description="seen", component_list=["c"], myattr=7))
    client.subscribe(["T"], ["c"], {"user": "al", "password": "secret", "statement": STATEMENT})
    before = kept(person, ["T"])
    assert before == [{"a": [1, None]}, "mine", ("seen", 7), "al"]
    client.mkcontext([], Context(Identifier="To"))
    exported = client.export_model(["T"])
    client.import_model(["To"], exported)
    assert kept(person, ["To", "T"]) == before
    again = json.loads(client.export_model(["To", "T"]))
    given = json.loads(exported)
    assert again["contextinfo"] == given["contextinfo"]
    assert again["components"] == given["components"]
    assert again["views"] == given["views"]
    person.llum.stop()
    shutil.rmtree(person.llum.data_dir / "shards")
    person.llum.start()
    person.client = person.another_client()
    assert [kept(person, path) for path in (["T"], ["To", "T"])] == [before, before]


def kept(person: Person, path: list[str]) -> list[Any]:
    components, _, views, rules = person.client.ask(path, None, None, True)
    (rule,) = rules["c"].values()
    view = views["v"]
    return [
        person.client.getcontext(path)["myattr"],
        components[0].myattr,
        (view["Description"], view["myattr"]),
        rule["user"],
    ]


def test_times_of_making_are_kept_on_import(person: Person) -> None:
    """As the original's export gives them; where something is made they are llum's."""
    model = context("P", component("c"))
    person.client.import_model([], json.dumps(model))
    assert person.client.getcontext(["P"])["creation_time"] == model["contextinfo"]["creation_time"]
    (found,) = person.client.ask(["P"])
    assert found.creation_time == model["components"]["c"]["creation_time"]
    person.client.mkcontext([], Context(Identifier="Q", creation_time=5.0))
    assert person.client.getcontext(["Q"])["creation_time"] > 1e9


def test_further_members_that_are_too_many_are_refused(person: Person) -> None:
    """With a clear error, and nothing is made."""
    answer = call(person, "mkcontext", context=[], contextobj={"Identifier": "n", "myattr": "x" * 5000})
    assert answer["error"] == {
        "code": "too_large",
        "message": "the further members take 5013 bytes, at most 4096",
        "field": "contextobj",
        "hint": "tell it to a component as evidence",
    }
    assert not is_there(person, "n")
