"""Models go from the original to llum untouched, and from llum to the original."""

import json
from typing import Any

import pytest

from tests.edge_http.personis_client import PersonisClient
from tests.personis import old_exports
from tests.personis.conftest import Person
from tests.personis.old_exports import STATEMENT
from tests.personis.old_importer import imported
from tests.personis.old_programs import ITEMS, LOGGING, LogLlum, counted


def pieces(client: PersonisClient, context: list[str], name: str) -> list[Any]:
    found: list[Any] = client.ask(context, [name])[0].evidencelist
    return found


def test_what_log_llum_left_is_imported(person: Person) -> None:
    """Below the `Apps` that are there, in order, with times; and it goes on where it was. Twice adds nothing."""
    client = person.client
    for _ in range(2):
        client.import_model([], json.dumps(old_exports.log_llums_apps()))
    assert counted(client) == dict.fromkeys(ITEMS, 1)
    kept = pieces(client, LOGGING, "logged_items")
    assert [one.value for one in kept] == list(ITEMS)
    assert (kept[0].time, kept[0].creation_time, kept[0].owner) == (1_340_000_000.0, 1_340_000_000.5, old_exports.OWNER)
    program = LogLlum(client)
    assert not program.installed
    program.log("kiwi", time=1_700_000_000.0)
    assert client.ask(LOGGING)[0].value == "kiwi"


def test_a_rich_context_is_imported(person: Person) -> None:
    """Every kind of component, with values as llum takes them."""
    client = person.client
    client.registerapp("scale", "a scale", "secret")
    given = old_exports.rich_context()
    assert client.import_model([], json.dumps(given))["contextinfo"]["Identifier"] == "Health"
    found = {one.Identifier: one for one in client.ask(["Health"])}
    assert list(found) == list(given["components"])
    values = {name: [piece.value for piece in one.evidencelist] for name, one in found.items()}
    assert values == {
        "weight": [82, 81.5, 70], "seen": ["82", "None", "x"], "vegan": [True, False], "mood": ["good"],
        "raw": ['{"a": 1}', {"b": [2]}], "listed": [], "empty": [],
    }  # fmt: skip
    assert found["weight"].value == 81.5
    assert [piece.flags for piece in found["weight"].evidencelist] == [[], [], ["goal"]]
    assert [piece.time for piece in found["weight"].evidencelist] == [None, None, 1_340_000_100.0]
    assert found["seen"].evidencelist[2].exp == {"a": [1]}
    assert (found["mood"].value_list, found["listed"].value_list) == (["good"], ["a", "b"])
    assert (found["weight"].goals, found["listed"].goals) == ([["Goals", "Health"]], [["Health", "weight"]])
    assert [one.Identifier for one in client.ask(["Health"], "body")] == ["weight", "seen"]
    assert client.getcontext(["Health", "Empty"])["Identifier"] == "Empty"
    assert client.getpermission(["Health"], app="scale")["ask"] is True
    (rule,) = client.list_subs(["Health"], "weight").values()
    assert rule["statement"] == STATEMENT


def test_what_llum_knows_nothing_of_is_kept(person: Person) -> None:
    """Of contexts, components and views, and when they were made: in lists, and in the next export."""
    client = person.client
    given = old_exports.rich_context()
    client.import_model([], json.dumps(given))
    exported = json.loads(client.export_model(["Health"]))
    for found in (client.getcontext(["Health"]), exported["contextinfo"]):
        assert (found["doctor"], found["creation_time"]) == ("Who", given["contextinfo"]["creation_time"])
        assert found["Description"] == "about Health"
    (empty,) = client.ask(["Health"], ["empty"])
    for members in (vars(empty), exported["components"]["empty"]):
        assert (members["myattr"], members["creation_time"]) == ({"a": [1]}, 1_330_000_000.5)
    for views in (client.ask(["Health"], [], None, True)[2], exported["views"]):
        assert views == given["views"]
    (rule,) = exported["subs"]["weight"].values()
    assert (rule["user"], rule["statement"]) == (old_exports.OWNER, STATEMENT)


def test_a_whole_model_is_imported(person: Person) -> None:
    """What it describes is put into what is there: contexts that both have keep what llum made of them."""
    client = person.client
    client.import_model([], json.dumps(old_exports.whole_model()))
    assert {"Apps", "Health", "Personal", "Devices", "Goals", "modelinfo"} <= set(client.ask([], [], None, True)[1])
    names = client.ask(["Personal"], ["firstname", "nickname", "lastname"])
    assert [one.value for one in names] == ["Alice", "Al", None]
    assert client.ask(["Health"], ["weight"])[0].value == 81.5
    assert counted(client) == dict.fromkeys(ITEMS, 1)


@pytest.mark.parametrize(
    ("model", "context"),
    [("log_llums_apps", ["Apps"]), ("rich_context", ["Health"]), ("whole_model", [])],
)
def test_what_llum_exports_the_original_takes(person: Person, model: str, context: list[str]) -> None:
    """Every member that it looks for is there, and says what an ask says."""
    client = person.client
    client.import_model([], json.dumps(getattr(old_exports, model)()))
    taken = imported(client.export_model(context, {"evidence_filter": "all"}))
    for one in taken.values():
        path = one.path[1:] if one.path[0] == "." else one.path
        components, contexts, views, rules = client.ask(path, None, None, True)
        assert {f"{'/'.join(one.path)}/{name}" for name in contexts} <= taken.keys()
        assert {name: vars(each) for name, each in one.views.items()} == views
        expected = {name: [rule["statement"] for rule in by.values()] for name, by in rules.items()}
        assert one.rules == expected
        for asked in components:
            kept = one.components[asked.Identifier]
            assert [vars(piece) for piece in kept.evidencelist] == [vars(piece) for piece in asked.evidencelist]
            assert (kept.value_list, kept.goals, kept.Description) == (asked.value_list, asked.goals, asked.Description)


def test_what_a_program_left_goes_there_and_back(person: Person) -> None:
    """Told to llum, exported, read by the original, and imported again."""
    program = LogLlum(person.client)
    for item in ("kiwi", "pear"):
        program.log(item, time=1000.0)
    exported = person.client.export_model(["Apps"])
    assert [piece.value for piece in imported(exported)["Apps/Logging"].components["logged_items"].evidencelist] == [
        "kiwi", "pear",
    ]  # fmt: skip
    assert person.client.delcontext(LOGGING) is True
    person.client.import_model([], exported)
    assert counted(person.client) == {"kiwi": 1, "pear": 1}
