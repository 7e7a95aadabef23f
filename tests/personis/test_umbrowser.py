"""The original's tutorial at its model browser, and the mistakes that people make there."""

from pathlib import Path
from typing import Any

import pytest

from tests.personis.conftest import Person
from tests.personis.umbrowser import YES, Umbrowser
from tests.system.harness import until

RULE = "<default!./Prefs/food> ~ 'T' : TELL ./Prefs/last, inferred:<default!./Prefs/food>"


@pytest.fixture
def browser(person: Person) -> Umbrowser:
    return Umbrowser(person.client)


def prefs(browser: Umbrowser) -> Umbrowser:
    """Do what the tutorial does until there is a context with a component."""
    browser.type("mkcontext Prefs", "My preferences", YES)
    browser.type("cd Prefs")
    browser.type("mkcomponent food", "what I like to eat", "4", "0", YES)
    return browser


def shown(browser: Umbrowser, name: str, member: str = "value") -> list[str]:
    return [line.removeprefix(f"{member} = ") for line in browser.type(f"ls {name}") if line.startswith(f"{member} = ")]


def test_the_tutorial(browser: Umbrowser) -> None:
    """From the empty model to two preferences and the evidence of both."""
    contexts = next(line for line in browser.type("ls") if line.startswith("Contexts"))
    assert all(name in contexts for name in ("Devices", "Personal", "Apps", "Goals"))
    browser.type("mkcontext Prefs", "My preferences", YES)
    assert "'Prefs'" in browser.type("ls")[-3]
    assert browser.type("cd Prefs") == []
    assert browser.context == ["", "Prefs"]
    browser.type("mkcomponent food", "what I like to eat", "4", "0", YES)
    assert browser.type("ls") == ["food: what I like to eat", "Contexts: []", "Views: {}", "Subscriptions: {}"]
    assert browser.type("tell food", "Thai", "", "", YES) == []
    assert shown(browser, "food") == ["Thai", "Thai"]
    assert browser.type("tell food", "Greek", "1", "", YES) == []
    browser.type("set evnum 10")
    assert shown(browser, "food") == ["Greek", "Greek", "Thai"]
    assert shown(browser, "food", "evidence_type") == ["implicit", "explicit"]
    assert shown(browser, "food", "time") == ["None", "None"]


def test_numbers_and_booleans_are_typed_as_text(browser: Umbrowser) -> None:
    """The browser asks for a value and sends what was typed."""
    prefs(browser)
    browser.type("mkcomponent weight", "in kg", "0", "1", YES)
    browser.type("mkcomponent vegan", "", "0", "2", YES)
    browser.type("mkcomponent json", "", "0", "4", YES)
    for line, value in (("weight", "82"), ("weight", "81.5"), ("vegan", "True"), ("json", '{"a": [1]}')):
        assert browser.type(f"tell {line}", value, "", "", YES) == []
    assert shown(browser, "weight")[0] == "81.5"
    assert shown(browser, "vegan")[0] == "True"
    assert "Value: {'a': [1]}" in browser.type("ls json")


@pytest.mark.parametrize(
    ("line", "answers", "code"),
    [
        ("ls nosuch", (), "no_such_component"),
        ("ls nosuch/", (), "no_such_context"),
        ("ls ../", (), "bad_path"),
        ("tell nosuch", ("x", "", "", YES), "no_such_component"),
        ("tell weight", ("notanumber", "", "", YES), "bad_value"),
        ("tell weight", ("", "", "", YES), "bad_value"),
        ("tell vegan", ("maybe", "", "", YES), "bad_value"),
        ("tell food", ("a\x07b", "", "", YES), "bad_value"),
    ],
)
def test_a_mistake_is_told_and_the_browser_lives_on(
    browser: Umbrowser, line: str, answers: tuple[str, ...], code: str
) -> None:
    """It survives nothing but a `ValueError`, and the next command works."""
    prefs(browser)
    browser.type("mkcomponent weight", "in kg", "0", "1", YES)
    browser.type("mkcomponent vegan", "", "0", "2", YES)
    (failed,) = browser.type(line, *answers)
    assert failed.startswith(f"failed: {code}")
    assert browser.type("tell food", "Thai", "", "goal", "", YES) == []
    assert shown(browser, "food", "flags") == ["['goal']"]


def test_what_is_there_or_missing_is_said_without_an_exception(browser: Umbrowser) -> None:
    """Contexts and components that are made twice, or deleted twice; places that are not there."""
    prefs(browser)
    assert browser.type("mkcomponent food", "again", "0", "1", YES) == []
    assert browser.type("ls")[0] == "food: what I like to eat"
    assert browser.type("mkcontext below", "", YES) == []
    assert browser.type("mkcontext below", "", YES) == ["not made"]
    assert browser.type("delcomponent food", YES) == []
    assert browser.type("delcomponent food", YES) == ["no component matched food"]
    assert browser.type("cd nosuch") == ["no context ['', 'Prefs', 'nosuch']"]
    assert browser.context == ["", "Prefs"]


def test_the_root_has_many_spellings(browser: Umbrowser) -> None:
    """One goes up too far, or into a context without a name."""
    for line in ("cd", "cd ..", "cd Personal", "cd .."):
        assert browser.type(line) == []
    browser.context = ["", ""]
    assert any("Personal" in one for one in browser.type("ls"))
    assert browser.type("mkcontext Prefs", "", YES) == []
    browser.context = ["", "Prefs", ""]
    assert browser.type("mkcomponent food", "", "0", "0", YES) == []
    assert browser.type("tell food", "Thai", "", "", YES) == []
    browser.context = ["Prefs"]
    assert shown(browser, "food")[0] == "Thai"


def test_a_rule_is_made_and_deleted(browser: Umbrowser) -> None:
    """Made, seen, fired and deleted; then there is none, and the browser knows the component all the same."""
    prefs(browser)
    browser.type("mkcomponent last", "", "0", "0", YES)
    assert browser.type("subscribe food", RULE, YES) == []
    for value in ("Thai", "Tibetan", "Turkish"):
        browser.type("tell food", value, "", "", YES)
        until(lambda it=value: shown(browser, "last")[0] == it, "the rule has told it")
    assert "'food': {" in browser.type("ls")[-1]
    assert browser.type("delsub food", YES) == [RULE, "None"]
    assert browser.type("delsub food") == ["no subscriptions"]
    assert browser.type("ls")[-1] == "Subscriptions: {'food': {}}"
    browser.type("tell food", "Tuscan", "", "", YES)
    assert shown(browser, "last")[0] == "Turkish"


def test_goals_are_set(browser: Umbrowser, person: Person) -> None:
    """As paths, with and without a slash in front."""
    prefs(browser)
    browser.type("setgoals food Goals/Health /Prefs/food")
    assert person.client.ask(["Prefs"], ["food"])[0].goals == [["Goals", "Health"], ["Prefs", "food"]]


def test_apps_come_and_go(browser: Umbrowser, person: Person) -> None:
    """Registered with a password, permitted, shown, deleted; an app that is not there is said."""
    prefs(browser)
    browser.type("app scale", "a scale", "secret")
    assert "scale" in browser.type("app")[0]
    assert browser.type("setperm nosuch") == ["not registered"]
    browser.type("setperm scale", YES, "", YES)
    for spelling in ("Prefs", "/Prefs", "/Prefs/"):
        assert browser.type("showperm scale", spelling) == [str({"ask": False, "tell": True})]
    assert browser.type("showperm scale", "") == ["None"]
    told = person.device("scale", "secret").call("tell", context=["Prefs"], componentid="food", evidence=piece("x"))
    assert told is None
    browser.type("delapp scale")
    assert "scale" not in browser.type("listapps")[0]


def piece(value: Any) -> dict[str, Any]:
    return {"evidence_type": "explicit", "value": value}


def test_what_it_exports_it_imports(browser: Umbrowser, tmp_path: Path) -> None:
    """A context, to a file and back below another one: components, evidence, rules, contexts."""
    prefs(browser)
    browser.type("mkcomponent last", "", "0", "0", YES)
    browser.type("mkcontext below", "", YES)
    browser.type("subscribe food", RULE, YES)
    browser.type("tell food", "Greek", "", "", YES)
    file = tmp_path / "prefs.json"
    browser.type(f"export {file}")
    browser.type("cd")
    browser.type("mkcontext Copy", "", YES)
    browser.type("cd Copy")
    browser.type(f"import {file}")
    browser.type("cd Prefs")
    assert browser.context == ["", "Copy", "Prefs"]
    assert browser.type("ls")[:3] == ["food: what I like to eat", "last: ", "Contexts: ['below']"]
    assert shown(browser, "food")[0] == "Greek"
    browser.type("cd")
    browser.type(f"export {file}")
    browser.type(f"import {file}")
    browser.type("cd Prefs")
    assert shown(browser, "food")[0] == "Greek"
