"""Scopes of metadata in another ontology."""

from typing import Any

import pytest

from model.preferences.mappings import Copy, Pack, Unpack, ValueTable
from model.preferences.metadata import transformed_metadata
from model.preferences.transforms import Transform

TO_TERMS = Transform(
    [
        Copy("display.size", "http://terms\\.example/fontSize"),
        Copy("control.mouse.speed", "http://terms\\.example/cursorSpeed"),
        Copy("control.mouse.delay", "http://terms\\.example/initDelay"),
        Copy("control.mouseKeys", "http://terms\\.example/mouseKeys"),
        ValueTable("language", "http://terms\\.example/language", (("en", "english"),)),
        Copy("extras", "more"),
        Unpack("applications", "", "http://terms.example/apps/"),
    ]
)

TO_BLOCKS = Transform([Copy("font\\.size", "display.size"), Pack("", "applications", "http://terms.example/apps/")])


def scope(*scopes: Any, by: Transform = TO_TERMS) -> Any:
    """Give the scope of the entry that has this scope."""
    [entry] = transformed_metadata([{"type": "provenance", "scope": list(scopes), "source": "x"}], by)
    assert {**entry, "scope": None} == {"type": "provenance", "scope": None, "source": "x"}
    return [name.replace("http://terms\\.example/", "…") for name in entry["scope"]]


def test_a_star_comes_first_and_the_rest_by_the_length_of_its_path() -> None:
    """A star in a scope stands for every setting that begins with what is before it."""
    said = scope("control.mouse*", "*", "language", "display.size")
    assert said == ["*", "…fontSize", "…language", "…initDelay", "…mouseKeys", "…cursorSpeed"]
    assert scope("**")[:2] == ["more", "…fontSize"]


def test_a_scope_goes_with_its_settings_whatever_their_values() -> None:
    """A rule with a table of values carries a scope over as any other."""
    assert scope("language") == ["…language"]


def test_a_scope_inside_a_setting_stays_inside() -> None:
    """What a rule copies whole can be named in part."""
    assert scope("extras.a\\.b", "extras.c") == ["more.a\\.b", "more.c"]


@pytest.mark.parametrize("path", ["nothing", "display", "applications", "applications.*", "applications.x", "", "\\"])
def test_a_scope_that_cannot_be_said_vanishes(path: str) -> None:
    """The entry stays."""
    assert scope(path) == []


def test_scopes_of_applications() -> None:
    """A term is its block's parameters, and the other way round; the id that is written beside them is no scope."""
    assert scope("http://terms\\.example/apps/org\\.a", by=TO_BLOCKS) == ["applications.org\\.a.parameters"]
    assert scope("http://terms.example/apps/org.a", by=TO_BLOCKS) == []
    assert scope("applications.org\\.a.parameters.volume") == ["…apps/org\\.a.volume"]


def test_a_scope_below_another_is_dropped() -> None:
    """The wider one says it already, in whatever order they come."""
    assert scope("extras", "extras.a") == ["more"]
    assert scope("extras.a", "extras") == ["more"]
    assert scope("language.a", "language.a.b", "language.c") == ["…language.a", "…language.c"]


def test_what_is_no_scope_is_dropped() -> None:
    """And what is no entry."""
    assert scope(1, None, ["language"], "language", {}) == ["…language"]
    assert transformed_metadata([{"scope": "language"}, {}, 1, None, []], TO_TERMS) == [{"scope": []}, {"scope": []}]


def test_a_priority_speaks_of_no_setting() -> None:
    """It is taken as it is."""
    priority = {"type": "priority", "value": 1, "scope": ["language"]}
    assert transformed_metadata([priority], TO_TERMS) == [priority]
