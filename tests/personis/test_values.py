"""Values, filters and times as the original's clients know them, against a real llum."""

import json

import pytest

from tests.personis.conftest import Person

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
