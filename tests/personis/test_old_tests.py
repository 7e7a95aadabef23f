"""What the original's own tests ask for: of its server, and of its library, which here are the same.

| the original's test | here |
|---|---|
| test_server, test_base: test_ask_firstname | test_a_name |
| test_server, test_base: test_ask_gender | test_an_enum_by_the_last_piece |
| test_server, test_base: test_ask_fullname | test_a_stored_view |
| test_server, test_base: test_ask_fullname_resolver | test_a_stored_view_by_the_last_piece |
| test_server, test_base: test_ask_comboview | test_a_list_of_components |
| test_base: test_ask_more | test_a_component_of_another_context |
| test_base_mkempty: test_ask_modelversion | test_what_is_known_of_the_model |
"""

from typing import Any

import pytest

from tests.edge_http.personis_client import Component, Context, PersonisClient
from tests.personis.conftest import Person

PERSONAL = ["Personal"]
LAST = {"evidence_filter": "last1"}


@pytest.fixture
def client(person: Person) -> PersonisClient:
    """Of a new person's model, told three things, as those tests begin."""
    for name, value in (("firstname", "Alice"), ("lastname", "Smith"), ("gender", "female")):
        person.tell(PERSONAL, name, value)
    return person.client


def values(found: list[Any]) -> list[Any]:
    return [one.value for one in found]


def test_a_name(client: PersonisClient) -> None:
    """One component of a context."""
    assert values(client.ask(PERSONAL, ["firstname"])) == ["Alice"]


def test_an_enum_by_the_last_piece(client: PersonisClient) -> None:
    """With a filter and no resolver."""
    assert values(client.ask(PERSONAL, ["gender"], LAST)) == ["female"]


def test_a_stored_view(client: PersonisClient) -> None:
    """By its name, in its order."""
    assert values(client.ask(PERSONAL, "fullname")) == ["Alice", "Smith"]


def test_a_stored_view_by_the_last_piece(client: PersonisClient) -> None:
    """Each component has its one piece."""
    found = client.ask(PERSONAL, "fullname", LAST)
    assert values(found) == ["Alice", "Smith"]
    assert [values(one.evidencelist) for one in found] == [["Alice"], ["Smith"]]


def test_a_list_of_components(client: PersonisClient) -> None:
    """In the order of the list."""
    assert values(client.ask(PERSONAL, ["firstname", "lastname"])) == ["Alice", "Smith"]


def test_a_component_of_another_context(client: PersonisClient) -> None:
    """Named by its path, beside one of the context that is asked."""
    artists = ["Preferences", "Music", "Jazz", "Artists"]
    for depth, name in enumerate(artists):
        assert client.mkcontext(artists[:depth], Context(Identifier=name)) is True
    davis = Component(Identifier="Miles_Davis", component_type="preference", value_type="string")
    assert client.mkcomponent(artists, davis) is None
    found = client.ask(artists, ["Miles_Davis", ["Personal", "firstname"]], {"evidence_filter": "all"})
    assert [one.Identifier for one in found] == ["Miles_Davis", "firstname"]
    assert values(found) == [None, "Alice"]


def test_what_is_known_of_the_model(person: Person) -> None:
    """Told and asked below `modelinfo`, wherever that is."""
    assert person.client.mkcontext([], Context(Identifier="Admin")) is True
    assert person.client.mkcontext(["Admin"], Context(Identifier="modelinfo")) is True
    version = Component(Identifier="personisversion", component_type="attribute", value_type="string")
    assert person.client.mkcomponent(["Admin", "modelinfo"], version) is None
    for context in (["Admin", "modelinfo"], ["modelinfo"]):
        person.tell(context, "personisversion", "test")
        assert values(person.client.ask(context, ["personisversion"])) == ["test"]
