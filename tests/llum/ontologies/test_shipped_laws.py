"""What holds between all ontologies that llum brings along, whatever a store holds of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llum.ontologies.loading import load
from model.preferences.mappings import Pack, Unpack, ValueTable
from model.preferences.paths import segments_of, value_at

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
def sets(draw: st.DrawFn, view: str) -> dict[str, Any]:
    preferences: dict[str, Any] = {}
    for path, known in draw(st.lists(st.sampled_from(PLACES[view]), max_size=6)):
        *parents, name = segments_of(path)
        holder = preferences
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[name] = draw(st.sampled_from([*VALUES, *known]))
    return {"contexts": {"gpii-default": {"preferences": preferences}}}


def leaves(tree: Any, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, dict):
        return [(place, tree)]
    return [leaf for name, part in tree.items() for leaf in leaves(part, (*place, name))]


@given(st.data())
def test_what_was_put_last_is_read(data: st.DataObject) -> None:
    """Each setting has the value that was put, in whichever of the ontologies and whatever was there in the others."""
    raw: dict[str, Any] = {}
    view = body = None
    for view in data.draw(st.lists(st.sampled_from(SHIPPED.names), min_size=1, max_size=4)):
        body = data.draw(sets(view))
        raw = SHIPPED.add(body, view, raw)
    said = SHIPPED.one_set(raw, str(view))
    for place, value in leaves(body):
        assert repr(value_at(said, place)) == repr(value)
