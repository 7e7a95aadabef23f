"""Rules between ontologies: what they read, what they write, and in which order."""

from typing import Any

import pytest

from model.preferences.mappings import Copy, Linear, Mapping, MappingRule, Pack, Unpack, ValueTable
from model.preferences.transforms import Transform, inverse

PREFIX = "http://terms.example/apps/"


def transformed(document: Any, *rules: MappingRule) -> Any:
    return Transform(rules).transformed(document)


def back(document: Any, *rules: MappingRule) -> Any:
    return Transform(inverse(Mapping("a", "b", rules)).rules).transformed(document)


@pytest.mark.parametrize("value", [False, 0, "", None, [], {}, {"a": {"b": [1]}}])
def test_every_value_is_carried_over(value: Any) -> None:
    """What is there is a value, whatever it is; what is not there is not written."""
    assert transformed({"a": value}, Copy("a", "x.y"), Copy("b", "z")) == {"x": {"y": value}}


def test_what_no_rule_names_is_left_out() -> None:
    """Neither other names nor what is below a name that should be an object."""
    assert transformed({"a": 1, "b": 2, "c": [3]}, Copy("a.b", "x"), Copy("c.0", "y")) == {}


def test_names_are_written_by_the_length_of_their_paths() -> None:
    """Shorter paths come first, as they are written with their backslashes; of the same length in the rules' order."""
    rules = [Copy("a", "long.er"), Copy("b", "dots\\.x"), Copy("c", "sh"), Copy("d", "hs"), Copy("e", "dots.y")]
    assert list(transformed(dict.fromkeys("abcde", 1), *rules)) == ["sh", "hs", "dots", "long", "dots.x"]


def test_of_two_writes_to_one_place_the_later_counts() -> None:
    """Values replace each other; objects, and lists of the same length, merge."""
    rules = [Copy("a", "x"), Copy("b", "x")]
    assert transformed({"b": 2, "a": 1}, *rules) == {"x": 2}
    assert transformed({"a": {"p": 1, "q": {"r": 1}}, "b": {"q": {"s": 2}}}, *rules) == {
        "x": {"p": 1, "q": {"r": 1, "s": 2}}
    }
    assert transformed({"a": [{"p": 1}, 1], "b": [{"q": 2}, 2]}, *rules) == {"x": [{"p": 1, "q": 2}, 2]}
    assert transformed({"a": [1, 2], "b": [3]}, *rules) == {"x": [3]}
    assert transformed({"a": {"p": 1}, "b": [3]}, *rules) == {"x": [3]}


def test_a_rule_may_write_into_what_another_wrote() -> None:
    """The document that both are from stays as it was, and a value gives way to an object."""
    document = {"a": {"p": {"q": 1}}, "b": 2}
    assert transformed(document, Copy("a", "x"), Copy("b", "x.p.r")) == {"x": {"p": {"q": 1, "r": 2}}}
    assert document == {"a": {"p": {"q": 1}}, "b": 2}
    assert transformed({"a": 1, "b": 2}, Copy("a", "x"), Copy("b", "x.y")) == {"x": {"y": 2}}


def test_the_empty_path_is_the_whole_document() -> None:
    """It can be read and written; only an object can be a document."""
    assert transformed({"a": 1}, Copy("", "all.of.it")) == {"all": {"of": {"it": {"a": 1}}}}
    assert transformed({"x": {"a": 1}, "b": 2}, Copy("x", ""), Copy("b", "b")) == {"a": 1, "b": 2}
    assert transformed({"x": 1}, Copy("x", "")) == {}
    assert transformed({"x": {"a": 1}}, Copy("x", "\\")) == {"a": 1}


def test_one_value_may_go_to_two_places() -> None:
    """And back, where each of the two is enough."""
    rules = [Copy("a", "x"), Copy("b", "x")]
    assert back({"x": 1}, *rules) == {"a": 1, "b": 1}
    assert list(back({"x": 1}, Copy("long", "x"), Copy("b", "x"))) == ["b", "long"]


def test_values_have_counterparts() -> None:
    """What is in no pair is not carried over; true is not 1, and 1 is 1.0. The first pair counts, both ways."""
    rule = ValueTable("a", "x", ((True, "yes"), (1, "one"), ("one", "one"), ([1, {"b": True}], None)))
    expected: list[tuple[Any, Any]] = [
        (True, {"x": "yes"}), (1, {"x": "one"}), (1.0, {"x": "one"}), ("one", {"x": "one"}), (False, {}), ("1", {}),
        ([1.0, {"b": True}], {"x": None}), ([1, {"b": 1}], {}), ([1], {}), ({}, {}), (None, {}),
    ]  # fmt: skip
    assert [transformed({"a": value}, rule) for value, _ in expected] == [meant for _, meant in expected]
    assert back({"x": "one"}, rule) == {"a": 1}
    assert back({"x": None}, rule) == {"a": [1, {"b": True}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.5), (100, 2.5), (50, 1.5), (12.34, 0.75), (-100, -1.5), (200, 4.5), (1e300, 2e298)],
)
def test_numbers_lie_on_a_line(value: float, expected: float) -> None:
    """Two points make it; it goes on beyond them."""
    assert transformed({"a": value}, Linear("a", "x", (0, 100), (0.5, 2.5), 0, 2)) == {"x": pytest.approx(expected)}


def test_numbers_are_rounded() -> None:
    """Half away from zero, as people do; with no decimals to an integer."""
    rule = Linear("a", "x", (0, 10), (0, 1), 1, 0)
    said = [transformed({"a": value}, rule)["x"] for value in (4, 5, 15, 25, -5, -15, 14.99)]
    assert said == [0, 1, 2, 3, -1, -2, 1]
    assert all(type(value) is int for value in said)
    assert back({"x": 3}, rule) == {"a": 30.0}


@pytest.mark.parametrize("value", [True, "1", None, [1], {}, 10**400])
def test_what_is_no_number_has_no_counterpart(value: Any) -> None:
    """Nor has a number that is no number on the other scale."""
    assert transformed({"a": value}, Linear("a", "x", (0, 1), (0.0, 1.5), 1, 1)) == {}


def test_blocks_of_applications_become_terms() -> None:
    """Of a block its parameters count; what is none is passed over."""
    blocks = {"org.a": {"id": "other", "parameters": {"volume": 1}}, "b": {"parameters": None}, "c": {"id": "c"}}
    document = {"apps": {**blocks, "d": None, "e": ["parameters"]}}
    assert transformed(document, Unpack("apps", "", PREFIX)) == {PREFIX + "b": None, PREFIX + "org.a": {"volume": 1}}
    assert transformed({"apps": [1]}, Unpack("apps", "", PREFIX)) == {}


def test_applications_are_written_by_the_length_of_their_paths() -> None:
    """Each with its whole path, among all others."""
    blocks = {"a.b.c": {"parameters": 1}, "abcdef": {"parameters": 2}}
    rules = [Unpack("apps", "", PREFIX), Copy("x", "n" * (len(PREFIX) + 1 + 6)), Copy("y", "n" * (len(PREFIX) + 1 + 8))]
    said = list(transformed({"apps": blocks, "x": 3, "y": 4}, *rules).values())
    assert said == [2, 3, 1, 4], "the prefix has one dot, and so a backslash, and the first id two"
    assert list(
        transformed(dict.fromkeys((PREFIX + "a.b.c", PREFIX + "abcdef"), 1), Pack("", "apps", PREFIX))["apps"]
    ) == [
        "abcdef",
        "a.b.c",
    ]


def test_terms_of_applications_become_blocks() -> None:
    """Each has its id, under any scheme."""
    document = {PREFIX + "org.a": {"volume": 1}, "https://terms.example/apps/b": 2, "http://terms.example/app": 3}
    packed = transformed(document, Pack("", "apps", PREFIX))
    assert packed == {
        "apps": {"b": {"parameters": 2, "id": "b"}, "org.a": {"parameters": {"volume": 1}, "id": "org.a"}}
    }
    assert back(packed, Pack("", "apps", PREFIX)) == {PREFIX + "org.a": {"volume": 1}, PREFIX + "b": 2}


def test_a_rule_may_write_into_the_blocks() -> None:
    """As into everything."""
    document = {PREFIX + "a": {"volume": 1}, "size": 2}
    rules = [Pack("", "apps", PREFIX), Copy("size", "apps.a.parameters.size")]
    assert transformed(document, *rules) == {"apps": {"a": {"parameters": {"volume": 1, "size": 2}, "id": "a"}}}
    assert document[PREFIX + "a"] == {"volume": 1}
    document = {"apps": {"a": {"parameters": {"volume": 1}}}, "size": 2}
    rules = [Unpack("apps", "", PREFIX), Copy("size", "http://terms\\.example/apps/a.size")]
    assert transformed(document, *rules) == {PREFIX + "a": {"volume": 1, "size": 2}}
    assert document["apps"] == {"a": {"parameters": {"volume": 1}}}
