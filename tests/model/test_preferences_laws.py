"""Laws of preferences: whatever is put, in whatever order, a safe says what plain JSON would say."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from model.preferences.sets import deep_merge, filter_preferences, merge_patched, sanitised
from tests.effort import EFFORT

from .given import picture
from .safes import Safe, text

LAW = settings(max_examples=60 * EFFORT)
NAMES = st.sampled_from(["a", "b", "c", "http://example.org/x"])
VIEWS = st.sampled_from(["flat", "ISO24751", "css"])
SETS = st.sampled_from(["gpii-default", "night"])
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, 1.0, 1.5, "", "x", {}, [], [1, 2], [{"a": 1}, 2], [[]]]
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(VALUES, lambda below: st.dictionaries(NAMES, below, min_size=1, max_size=3), max_leaves=5),
    max_size=3,
)
CONTEXTS = st.fixed_dictionaries(
    {"preferences": TREES},
    optional={"name": st.sampled_from(["Day", "Night"]), "metadata": st.sampled_from([[], [{"type": "required"}]])},
)
BODIES = st.fixed_dictionaries(
    {"contexts": st.dictionaries(SETS, CONTEXTS, max_size=2) | st.sampled_from([None, [], "x", 3])},
    optional={"name": st.just("All"), "metadata": st.sampled_from([[], [{"scope": ["*"]}]])},
)
EQUIVALENTS = st.dictionaries(VIEWS, st.dictionaries(SETS, TREES, max_size=2), max_size=2)
PUTS = st.lists(
    # A patch without anything makes no view, which plain JSON does.
    st.tuples(st.sampled_from(["replace", "merge", "patch"]), VIEWS, BODIES, EQUIVALENTS, st.booleans()).filter(
        lambda one: one[0] != "patch" or one[2]["contexts"] is not None
    ),
    min_size=1,
    max_size=6,
)


class Oracle:
    """A safe as plain JSON, by view in the order of their making."""

    def __init__(self) -> None:
        self.sets: dict[str, Any] = {}

    def put(self, mode: str, view: str, body: Any, equivalents: Any) -> None:
        if not self.sets:
            self.sets = {view: merge_patched({}, body) if mode == "patch" else body}
            return
        old = self.sets.get(view)
        if mode == "merge":
            if type(body["contexts"]) is not dict and type((old or {}).get("contexts")) is dict:
                del body["contexts"]
            self.sets[view] = sanitised(body) if old is None else deep_merge(old, sanitised(body))
            return
        self.sets[view] = body if mode == "replace" else merge_patched(old or {}, body)
        for other, trees in equivalents.items():
            if other != view and other in self.sets:
                self._remove(self.sets[other], trees)
        self.sets = {name: sanitised(one) for name, one in self.sets.items()}

    def _remove(self, kept: Any, trees: Any) -> None:
        for set_id, tree in trees.items() if type(kept.get("contexts")) is dict else ():
            context = kept["contexts"].get(set_id)
            if context is not None and type(context.get("preferences")) is dict:
                context["preferences"] = filter_preferences(context["preferences"], tree)


def played(puts: list[Any]) -> tuple[Safe, Oracle]:
    """Put all of it, with the safe in memory or out of it."""
    safe, oracle = Safe(), Oracle()
    for mode, view, body, equivalents, leaves in puts:
        safe.put(copy.deepcopy(body), view, mode=mode, equivalents=copy.deepcopy(equivalents))
        oracle.put(mode, view, copy.deepcopy(body), equivalents)
        if leaves:
            safe.reload()
    return safe, oracle


@LAW
@given(PUTS)
def test_a_safe_says_what_plain_json_says(puts: list[Any]) -> None:
    """Each set, in the order of views, sets and settings, after any sequence of puts of all modes."""
    safe, oracle = played(puts)
    assert text(safe.sets()) == text(oracle.sets)


@LAW
@given(PUTS)
def test_memory_and_what_is_stored_say_the_same(puts: list[Any]) -> None:
    """A model that is folded from what is stored is the same, and says the same, also as of each moment."""
    safe, _ = played(puts)
    now, live = text(safe.sets()), picture(safe.model)
    safe.reload()
    assert picture(safe.model) == live
    assert text(safe.sets()) == now
    assert text(safe.sets(as_of_seq=safe.seq)) == now


@LAW
@given(PUTS)
def test_the_past_stays_as_it_was(puts: list[Any]) -> None:
    """As of each command a safe says what it said then."""
    safe, said = Safe(), []
    for mode, view, body, equivalents, _ in puts:
        safe.put(body, view, mode=mode, equivalents=equivalents)
        said.append(text(safe.sets()))
    assert [text(safe.sets(as_of_seq=seq)) for seq in range(1, safe.seq + 1)] == said


@LAW
@given(PUTS)
def test_what_is_put_again_changes_nothing(puts: list[Any]) -> None:
    """A second PUT of the same body tells nothing but when it was put."""
    safe, _ = played(puts)
    _, view, body, _, _ = puts[-1]
    safe.put(body, view)
    before = text(safe.sets())
    applied = safe.do_put(body, view)
    assert [change.path for change in applied.changes if hasattr(change, "evidence")] == [("Safe", "updated")]
    assert text(safe.sets()) == before
