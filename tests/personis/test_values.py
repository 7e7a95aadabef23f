"""Values, filters and times as the original's clients know them, against a real llum."""

import json
from typing import Any

import pytest

from tests.edge_http.personis_client import Component, Evidence
from tests.personis.conftest import Person
from tests.system.harness import until
from tests.system.plain_http import PlainHttp

T = ["T"]


@pytest.mark.parametrize(
    ("resolver", "listed"),
    [
        ({"evidence_filter": "last1"}, [12]),
        ({"evidence_filter": "goal"}, [12]),
        ({"evidence_filter": "recent_count", "recent_count": 2}, [11, 12]),
        ({"evidence_filter": "since_time", "since_time": 4e9}, []),
        ({"evidence_filter": "all"}, [10, 11, 12]),
        (None, [10, 11, 12]),
    ],
)
def test_a_filter_chooses_the_list_and_not_the_value(person: Person, resolver: object, listed: list[int]) -> None:
    """The newest is a goal: whatever is listed, the value is the newest that is none, and in an export, too."""
    person.make("T", "n", value_type="number")
    for value in (10, 11):
        person.tell(T, "n", value)
    person.tell(T, "n", 12, flags=["goal"])
    (found,) = person.client.ask(T, ["n"], resolver)
    assert (found.value, [one.value for one in found.evidencelist]) == (11, listed)
    exported = json.loads(person.client.export_model(T, resolver))["components"]["n"]
    assert (exported["value"], [one["value"] for one in exported["evidencelist"]]) == (11, listed)


def test_a_time_that_nobody_gave_is_null(person: Person) -> None:
    """`creation_time` has the time of acceptance; so it stays in an export, and in what is imported from it."""
    person.make("T", "c")
    person.tell(T, "c", "without")
    person.tell(T, "c", "with", time=12.5)
    without, given = person.evidence(T, "c")
    assert (without.time, given.time) == (None, 12.5)
    assert without.creation_time > 1e9
    exported = person.client.export_model(T)
    assert [one["time"] for one in json.loads(exported)["components"]["c"]["evidencelist"]] == [None, 12.5]
    assert person.client.delcontext(T) is True
    person.client.import_model([], exported)
    kept = person.evidence(T, "c")
    assert [one.time for one in kept] == [None, 12.5]
    assert [one.creation_time for one in kept] == [without.creation_time, given.creation_time]


CLEAN = [
    ("number", "82", 82),
    ("number", "-8.5", -8.5),
    ("number", "1e3", 1000.0),
    ("boolean", "True", True),
    ("boolean", "false", False),
    ("string", 82, "82"),
    ("string", 8.5, "8.5"),
    ("string", True, "True"),
    ("string", None, "None"),
    ("JSON", "82", "82"),
]
"""What is told, and what the component then holds."""


@pytest.mark.parametrize(("value_type", "value", "held"), CLEAN)
def test_clean_values_are_taken(person: Person, value_type: str, value: Any, held: Any) -> None:
    """However they come: told, with a new component, imported, or by a rule."""
    person.make("T", "told", "copied", value_type=value_type)
    person.make("From", "json", value_type="JSON")
    rule = "<./From/json> ~ '' : TELL ./T/copied, inferred:<./From/json>"
    person.client.subscribe(["From"], ["json"], {"statement": rule})
    person.tell(["From"], "json", value)
    until(lambda: person.evidence(T, "copied"), "the rule has told it")
    person.tell(T, "told", value)
    evidence = vars(Evidence(evidence_type="explicit", value=value))
    made = Component(Identifier="made", component_type="attribute", value_type=value_type, evidencelist=[evidence])
    assert person.client.mkcomponent(T, made) is None
    component = {**vars(made), "evidencelist": [{**evidence, "creation_time": 5.0}]}
    info = {"Identifier": "In", "Description": "", "perms": {}, "resolver": None}
    model = {"contextinfo": info, "contexts": None, "components": {"in": component}, "views": {}, "subs": {}}
    person.client.import_model(T, json.dumps(model))
    found = [person.value(T, "told"), person.value(T, "made"), person.value(["T", "In"], "in")]
    assert [(one, type(one)) for one in found] == [(held, type(held))] * 3
    assert person.value(T, "copied") == ("" if value is None else held)


@pytest.mark.parametrize(
    ("value_type", "value"), [("number", "notanumber"), ("number", "82 kg"), ("boolean", "yes"), ("string", [1])]
)
def test_values_that_are_not_clean_are_refused(person: Person, value_type: str, value: Any) -> None:
    """With an error that says what the component takes; nothing is kept, and an import of it does nothing."""
    person.make("T", "c", value_type=value_type)
    client = PlainHttp(person.llum.http, person.token)
    evidence = {"evidence_type": "explicit", "value": value}
    status, answered = client.call("tell", {"context": T, "componentid": "c", "evidence": evidence})
    error = answered["error"]
    assert (status, error["code"], error["field"]) == (200, "bad_value", "evidence.value")
    assert "the component takes" in error["message"]
    info = {"Identifier": "In", "Description": "", "perms": {}, "resolver": None}
    component = {"component_type": "goal", "value_type": value_type, "evidencelist": [{**evidence, "time": 5.0}]}
    model = {"contextinfo": info, "contexts": None, "components": {"c": component}, "views": {}, "subs": {}}
    with pytest.raises(ValueError, match="bad_value"):
        person.client.import_model(T, json.dumps(model))
    assert person.evidence(T, "c") == []
    assert person.client.getcontext(["T", "In"]) == {}
    client.close()
