"""Compiled rules against what they mean: each tried in turn, each write with a copy of its own."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.preferences.mappings import Copy, MappingRule, Pack, Unpack
from model.preferences.paths import MISSING, escaped, segments_of, value_at
from model.preferences.transforms import Transform

PREFIX = "u://t.t/"

paths = st.lists(st.sampled_from(["a", "b", "c\\.c"]), max_size=3).map(".".join)
rules = st.lists(
    st.one_of(
        st.builds(Copy, paths, st.one_of(paths, st.just("u://t\\.t/x.a"))),
        st.builds(Unpack, paths, paths, st.just(PREFIX)),
        st.builds(Pack, paths, paths, st.just(PREFIX)),
    ),
    max_size=6,
)
names = st.sampled_from(["a", "b", "c.c", "parameters", PREFIX + "x", "u2://t.t/y.y"])
documents = st.recursive(
    st.one_of(st.integers(0, 9), st.none(), st.just("text")),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2),
        st.dictionaries(
            st.sampled_from(["a", "b", "c.c", "parameters", PREFIX + "x", "u2://t.t/y.y"]), inner, max_size=4
        ),
    ),
    max_leaves=25,
)


def writes(rule: MappingRule, document: Any) -> Iterator[tuple[str, Any]]:
    """Give what a rule writes, and to which path."""
    value = value_at(document, segments_of(rule.source))
    if isinstance(rule, Copy):
        if value is not MISSING:
            yield rule.target, value
        return
    start = rule.target + "." if rule.target else ""
    for name, part in value.items() if isinstance(value, dict) else ():
        if isinstance(rule, Pack) and "//t.t/" in name:
            identifier = name.split("//t.t/", 1)[1]
            yield start + escaped(identifier), {"parameters": part, "id": identifier}
        if isinstance(rule, Unpack) and isinstance(part, dict) and "parameters" in part:
            yield start + escaped(PREFIX) + escaped(name), part["parameters"]


def written(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {name: written(old.get(name, MISSING), part) for name, part in new.items()}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return list(map(written, old, new))
    return new


def put(tree: Any, path: tuple[str, ...], value: Any) -> Any:
    """Give the tree with a value written to a path."""
    if not path:
        return written(tree, value)
    known = tree if isinstance(tree, dict) else {}
    return known | {path[0]: put(known.get(path[0], MISSING), path[1:], value)}


def one_by_one(rules: list[MappingRule], document: Any) -> Any:
    result: Any = {}
    found = [write for rule in rules for write in writes(rule, document)]
    for path, value in sorted(found, key=lambda write: len(write[0])):
        if path or isinstance(value, dict):
            result = put(result, segments_of(path), copy.deepcopy(value))
    return result


@given(rules, documents)
def test_compiled_rules_do_what_the_rules_say(rules: list[MappingRule], document: Any) -> None:
    """The same values, at the same places, in the same order; and the document stays as it was."""
    before = repr(document)
    assert repr(Transform(rules).transformed(document)) == repr(one_by_one(rules, document))
    assert repr(document) == before
