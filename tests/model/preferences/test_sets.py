"""Putting preference sets together and taking them apart."""

from typing import Any

import pytest

from model.preferences.paths import leaves_in, tree_with
from model.preferences.sets import deep_merge, filter_preferences, merge_patched, merged_set, sanitised


@pytest.mark.parametrize(
    ("under", "over", "expected"),
    [
        ({"a": [{"a": 1, "b": 1}, 2, 3]}, {"a": [{"a": 9}]}, {"a": [{"a": 9, "b": 1}, 2, 3]}),
        ({"a": [1]}, {"a": [[2], 3]}, {"a": [[2], 3]}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": []}, {"a": []}),
        ({"a": {"b": 2}}, {"a": {}}, {"a": {"b": 2}}),
    ],
)
def test_merging(under: dict[str, Any], over: dict[str, Any], expected: Any) -> None:
    """Objects merge, lists merge item by item and never become shorter, everything else replaces."""
    assert deep_merge(under, over) == expected


@pytest.mark.parametrize(
    "over",
    [
        *({"contexts": odd} for odd in (None, [], "x", 3)),
        *({"contexts": {"a": odd}} for odd in (None, [], "x", 3)),
        *({"contexts": {"a": {"preferences": odd}}} for odd in (None, [], "x", 3)),
    ],
)
def test_a_merge_unsets_nothing(over: dict[str, Any]) -> None:
    """What is no object where settings are is passed over, and the rest of the body counts."""
    under: dict[str, Any] = {"contexts": {"a": {"preferences": {"size": 1}}}, "name": "Old"}
    assert merged_set(under, over | {"name": "New"}) == under | {"name": "New"}
    assert merged_set({"name": "Old"}, over) == {"name": "Old"} | over, "there is nothing to unset"
    with_more = {"contexts": {"b": {"preferences": {"size": 2}}, "a": {"preferences": {"size": None}}}}
    assert merged_set(under, with_more)["contexts"]["a"]["preferences"] == {"size": None}, "null is a value"


def test_names_keep_their_order_when_merged() -> None:
    """First what was there, then what is new."""
    assert list(deep_merge({"b": 1, "a": 1}, {"c": 1, "a": 2})) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("full", "remove", "expected"),
    [
        ({"a": {}, "b": 1}, {"a": {}}, {"b": 1}),
        ({"a": 1}, {"a": {"b": 1}}, {}),
        ({"a": [1]}, {"a": {"b": 1}}, {}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}, {}),
        ({"b": {"x": 1, "y": 1}, "a": 1}, {"b": {"x": 1}}, {"b": {"y": 1}, "a": 1}),
    ],
)
def test_filtering(full: dict[str, Any], remove: dict[str, Any], expected: Any) -> None:
    """An object that is emptied goes with its name, one that was empty if it is named; the order stays."""
    kept = filter_preferences(full, remove)
    assert kept == expected
    assert list(kept) == list(expected)


def test_sanitising() -> None:
    """Empty lists in contexts and in the place of the set's metadata are left out, and nothing else is."""
    odd = {"name": [], "metadata": [], "contexts": {"a": {"x": [], "preferences": {"y": []}, "metadata": []}, "b": 1}}
    assert sanitised(odd) == {"name": [], "contexts": {"a": {"preferences": {"y": []}}, "b": 1}}
    assert sanitised({"contexts": {"a": {"x": None, "preferences": {}}}, "metadata": None}) == {
        "contexts": {"a": {"x": None, "preferences": {}}},
        "metadata": None,
    }


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}), ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]), ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}), ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)  # fmt: skip
def test_patching(target: Any, patch: Any, expected: Any) -> None:
    """The test cases of RFC 7396, appendix A."""
    assert merge_patched(target, patch) == expected


def test_a_tree_has_the_leaves_that_it_was_made_of() -> None:
    """An object with nothing in it is a leaf; what is one leaf itself has no path, and none."""
    assert tree_with(("a", "b.c"), {}) == {"a": {"b.c": {}}}
    assert list(leaves_in({"a": {"b.c": {}}, "d": [1]})) == [(("a", "b.c"), {}), (("d",), [1])]
    assert list(leaves_in({})) == list(leaves_in(None)) == []
