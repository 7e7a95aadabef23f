"""What holds between all ontologies that llum brings along, whatever a store holds of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llum.ontologies.loading import load
from model.preferences.mappings import Pack, Unpack, ValueTable
from model.preferences.paths import segments_of, value_at
from tests.model.preferences.given import put

SHIPPED = load(None).ontologies

PLACES = {
    start: [
        (rule.source, [given for given, _ in rule.pairs] if isinstance(rule, ValueTable) else [])
        for end in SHIPPED.names
        if len(SHIPPED.route(start, end)) == 2
        for rule in SHIPPED.mapping(start, end).rules
        if not isinstance(rule, Pack | Unpack)
    ]
    for start in SHIPPED.names
}
"""Of each ontology the paths that rules read, with the values that tables know."""

VALUES = (True, False, 0.5, 1, 2, "x")


@st.composite
def two_bodies(draw: st.DrawFn, view: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two sets with the same settings, and with values of their own."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for path, known in draw(st.lists(st.sampled_from(PLACES[view]), min_size=1, max_size=6)):
        values = st.sampled_from([*VALUES, *known])
        put(old, segments_of(path), draw(values))
        put(new, segments_of(path), draw(values))
    return one_context(old), one_context(new)


def one_context(preferences: dict[str, Any]) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"preferences": preferences}}}


def leaves(tree: Any, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, dict):
        return [(place, tree)]
    return [leaf for name, part in tree.items() for leaf in leaves(part, (*place, name))]


@given(st.data())
def test_what_was_put_last_is_read(data: st.DataObject) -> None:
    """Each setting has the value that was put, whatever the other ontologies said of it, and wherever it was stored."""
    view = data.draw(st.sampled_from(SHIPPED.names))
    old, new = data.draw(two_bodies(view))
    others = data.draw(st.permutations([name for name in SHIPPED.names if SHIPPED.route(view, name)]))
    raw = {name: SHIPPED.to_ontology(old, view, name) for name in others}
    said = SHIPPED.one_set(SHIPPED.add(new, view, raw), view)
    for place, value in leaves(new):
        assert repr(value_at(said, place)) == repr(value)
