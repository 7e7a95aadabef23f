"""What holds whatever is stored and sent."""

import copy
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.preferences.paths import path_of, segments_of, value_at
from model.preferences.routing import Routes
from model.preferences.sets import deep_merge, filter_preferences, merge_patched, sanitised
from model.preferences.transforms import marks

from .given import ONE_TO_ONE, WORLD, anything, bodies, odd_sets, odd_stores, trees

Tree = dict[str, Any]

ontologies = st.sampled_from(ONE_TO_ONE)
objects = st.dictionaries(st.sampled_from("abcd"), anything, max_size=4)


def leaves(tree: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give each value of a preference tree with its place."""
    if isinstance(tree, dict):
        for name, part in tree.items():
            yield from leaves(part, (*place, name))
    else:
        yield place, tree


def settings(preference_set: Tree) -> dict[tuple[str, ...], Any]:
    """Give each setting of each context with its value. Names of applications are names, not settings."""
    return {
        (name, *place): value
        for name, context in preference_set.get("contexts", {}).items()
        for place, value in leaves(context["preferences"])
        if place[-1:] != ("id",)
    }


@given(st.lists(st.text(alphabet="ab.\\}{ \n", max_size=4), min_size=1).filter(lambda names: names != [""]))
def test_paths_are_read_as_they_were_written(names: list[str]) -> None:
    """Any names can be written as a path."""
    assert segments_of(path_of(tuple(names))) == tuple(names)


@given(st.text(alphabet="ab.\\}"))
def test_every_text_is_a_path(path: str) -> None:
    """It is read in one way, and what that is written as is read in the same way."""
    assert segments_of(path_of(segments_of(path))) == segments_of(path)


@given(st.data())
def test_there_and_back_keeps_what_both_can_say(data: st.DataObject) -> None:
    """A set that the other ontology can say whole comes back whole: what came through once comes through again."""
    start, end = data.draw(ontologies), data.draw(ontologies)
    there = WORLD.to_ontology(data.draw(bodies(start)), start, end)
    back = WORLD.to_ontology(there, end, start)
    assert settings(WORLD.to_ontology(back, start, end)) == settings(there)


@given(trees("words"))
def test_there_and_back_keeps_everything_if_each_setting_has_a_counterpart(tree: Tree) -> None:
    """Two ontologies that say the same lose nothing."""
    body = {"contexts": {"gpii-default": {"preferences": tree}}}
    assert WORLD.to_ontology(WORLD.to_ontology(body, "words", "nested"), "nested", "words") == body


@given(st.integers(0, 100))
def test_numbers_on_two_scales_come_back(percent: int) -> None:
    """Decimals that are fine enough lose nothing."""
    body = {"contexts": {"a": {"preferences": {"percent": percent}}}}
    assert WORLD.to_ontology(WORLD.to_ontology(body, "values", "far"), "far", "values") == {
        "contexts": {"a": {"preferences": {}}}
    }
    assert WORLD.to_ontology(WORLD.to_ontology(body, "values", "nested"), "nested", "values") == body


@given(st.data())
def test_no_setting_is_readable_twice(data: st.DataObject) -> None:
    """After a set was added, what is stored in other ontologies says nothing about its settings, in no ontology."""
    view = data.draw(ontologies)
    raw = {ontology: data.draw(bodies(ontology)) for ontology in data.draw(st.lists(ontologies, unique=True))}
    added = WORLD.add(data.draw(bodies(view)), view, raw)
    asked = data.draw(ontologies)
    new = settings(WORLD.to_ontology(added.pop(view), view, asked))
    for ontology, stored in added.items():
        assert not new.keys() & settings(WORLD.to_ontology(stored, ontology, asked)).keys()


@given(st.data())
def test_what_a_patch_sets_is_readable_once(data: st.DataObject) -> None:
    """What a patch names is named in other ontologies as if it had been put."""
    view = data.draw(ontologies)
    body = without_null(data.draw(bodies(view)))
    assert WORLD.equivalents_of_patch(body, view) == marks(WORLD.equivalents(body, view))


@given(st.data())
def test_a_set_is_read_as_it_was_added(data: st.DataObject) -> None:
    """Alone it comes back without its empty lists; beside others each of its settings has the value that was sent."""
    view = data.draw(ontologies)
    body = data.draw(bodies(view))
    raw = {ontology: data.draw(bodies(ontology)) for ontology in data.draw(st.lists(ontologies, unique=True))}
    assert WORLD.one_set(WORLD.add(body, view, {}), view) == sanitised(body)
    said = settings(WORLD.one_set(WORLD.add(body, view, raw), view))
    assert {place: said.get(place) for place in settings(body)} == settings(body)


@given(odd_sets, odd_stores, st.sampled_from([*WORLD.names, "unknown"]), st.sampled_from([*WORLD.names, "unknown"]))
def test_anything_can_be_stored(body: Any, raw: Any, view: str, asked: str) -> None:
    """Nothing that is stored or sent makes a function fail, and none changes what it is given."""
    before = copy.deepcopy([body, raw])
    WORLD.to_ontology(body, view, asked)
    WORLD.equivalents(body, view)
    WORLD.equivalents_of_patch(body, view)
    WORLD.one_set(WORLD.add(body, view, raw), asked)
    WORLD.one_set(raw, asked)
    merge_patched(raw, body)
    assert repr([body, raw]) == repr(before)


@given(objects, objects, objects)
def test_merging_leaves_its_arguments_alone(first: Tree, second: Tree, third: Tree) -> None:
    """It shares parts with them, but what is merged again changes neither."""
    before = repr([first, second, third])
    merged = deep_merge(first, second)
    between = repr(merged)
    filter_preferences(deep_merge(merged, third), first)
    merge_patched(merged, third)
    assert [repr([first, second, third]), repr(merged)] == [before, between]


@given(objects, objects)
def test_what_lies_over_is_read(under: Tree, over: Tree) -> None:
    """Merged over something, an object has its own values, and laid over that again it changes nothing."""
    merged = deep_merge(under, over)
    assert all(value_at(merged, place) == value for place, value in leaves(over) if not isinstance(value, list))
    assert list(merged) == list(dict.fromkeys([*under, *over]))
    assert repr(deep_merge(merged, over)) == repr(merged)


@given(objects, objects)
def test_what_is_filtered_is_gone(full: Tree, remove: Tree) -> None:
    """Nothing that is named remains, everything else does, and filtering again changes nothing."""
    kept = filter_preferences(full, remove)
    named = {place for place, _ in leaves(remove)}
    assert all(not _covered(place, named) for place, _ in leaves(kept))
    assert filter_preferences(kept, remove) == kept
    untouched = {name: value for name, value in full.items() if name not in remove}
    assert {name: value for name, value in kept.items() if name not in remove} == untouched


def _covered(place: tuple[str, ...], named: set[tuple[str, ...]]) -> bool:
    return any(place[:length] in named for length in range(1, len(place) + 1))


def without_null(value: Any) -> Any:
    """What a merge patch can put: RFC 7396 has no null members, and says nothing of those in lists."""
    if not isinstance(value, dict):
        return value
    return {name: without_null(part) for name, part in value.items() if part is not None}


@given(anything, anything)
def test_a_merge_patch_does_what_the_rfc_says(target: Any, patch: Any) -> None:
    """It agrees with the algorithm of RFC 7396, section 2, and onto nothing it puts what it holds."""

    def by_the_rfc(target: Any, patch: Any) -> Any:
        if not isinstance(patch, dict):
            return patch
        result = dict(target) if isinstance(target, dict) else {}
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = by_the_rfc(result.get(name), value)
        return result

    assert merge_patched(target, patch) == by_the_rfc(target, patch)
    assert merge_patched({}, patch) == without_null(patch)


def test_of_ways_of_one_length_the_numbers_decide() -> None:
    """The first ontology has its number from where it is named again: so the way from C to D goes over B, not A."""
    both = [edge for one, other in ("AB", "AC", "BC", "AD", "BD") for edge in ((one, other), (other, one))]
    assert Routes(both).between("C", "D") == ("C", "B", "D")


@given(st.lists(st.tuples(st.sampled_from("ABCDEFG"), st.sampled_from("ABCDEFG")), max_size=12))
def test_ways_are_as_short_as_can_be(edges: list[tuple[str, str]]) -> None:
    """They go along edges, and a search in all directions finds no shorter one."""
    routes = Routes(edges)
    for start in "ABCDEFG":
        lengths = _lengths_from(start, edges)
        for end in "ABCDEFG":
            way = routes.between(start, end)
            assert len(way) == (lengths[end] + 1 if end in lengths else 0)
            assert set(itertools.pairwise(way)) <= set(edges)


def _lengths_from(start: str, edges: list[tuple[str, str]]) -> dict[str, int]:
    lengths = {start: 0} if any(start in edge for edge in edges) else {}
    todo = deque(lengths)
    while todo:
        here = todo.popleft()
        for source, target in edges:
            if source == here and target not in lengths:
                lengths[target] = lengths[here] + 1
                todo.append(target)
    return lengths
