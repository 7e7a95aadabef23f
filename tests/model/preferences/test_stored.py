"""Stores that hold what no one expects, and preferences that are deep and many."""

from typing import Any

import pytest

from model.preferences.paths import path_of
from model.preferences.sets import deep_merge, filter_preferences, merge_patched, sanitised

from .given import PREFIX, WORLD

FAR_DOWN = 5_000


def one_context(preferences: Any, **members: Any) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"preferences": preferences, **members}}}


def test_other_members_of_a_context_stay_behind() -> None:
    """In another ontology only what can be said there is said; in its own the context is given whole."""
    stored = {"words": one_context({"alpha": 1}, note="x", metadata=[])}
    assert WORLD.one_set(stored, "shouts") == one_context({"ALPHA": 1})
    assert WORLD.one_set(stored, "words") == one_context({"alpha": 1}, note="x")
    assert WORLD.to_ontology({**stored["words"], "metadata": []}, "words", "shouts") == one_context({"ALPHA": 1})


@pytest.mark.parametrize("metadata", [None, {"type": "required"}, "*", 1])
def test_metadata_that_is_none(metadata: Any) -> None:
    """It is given in its own ontology, said in no other, and gives way to what is some."""
    stored = {"words": {**one_context({"alpha": 1}, metadata=metadata), "metadata": metadata}}
    assert WORLD.one_set(stored, "shouts") == one_context({"ALPHA": 1})
    assert WORLD.one_set(stored, "words") == stored["words"]
    entries = [{"type": "required", "scope": ["*"]}]
    stored["shouts"] = {**one_context({}, metadata=entries), "metadata": entries}
    assert WORLD.one_set(stored, "words") == {**one_context({"alpha": 1}, metadata=entries), "metadata": entries}


def test_scopes_within_scopes() -> None:
    """They are answered."""
    stored = {"words": one_context({}, metadata=[{"type": "required", "scope": ["alpha", "alpha.b"]}])}
    said = WORLD.one_set(stored, "shouts")
    assert said == one_context({}, metadata=[{"type": "required", "scope": ["ALPHA"]}])


@pytest.mark.parametrize("contexts", [None, [], 1, {"gpii-default": None}, {"gpii-default": 5}, {"gpii-default": [1]}])
def test_contexts_that_are_none(contexts: Any) -> None:
    """They count as absent: another ontology can be put beside them, and both can be read."""
    stored = {"shouts": {"name": "x", "contexts": contexts}}
    body = one_context({"alpha": 1})
    added = WORLD.add(body, "words", stored)
    assert added == {"shouts": {"name": "x", "contexts": contexts}, "words": body}
    assert WORLD.one_set(added, "words") == {"name": "x", **body}


def test_blocks_of_applications_that_are_none() -> None:
    """They are passed over, beside those that are."""
    stored = {"nested": one_context({"applications": {"x": None, "y": {"parameters": {"volume": 1}}}})}
    assert WORLD.one_set(stored, "words") == one_context({PREFIX + "y": {"volume": 1}})


def test_a_context_without_preferences_hides_no_others() -> None:
    """What another ontology says for the same context is read."""
    stored = {"words": {"contexts": {"gpii-default": {"name": "x"}}}, "shouts": one_context({"ALPHA": 1})}
    assert WORLD.one_set(stored, "words") == one_context({"alpha": 1}, name="x")


def test_the_ontology_stored_later_counts() -> None:
    """Names and priority are the first's, metadata is one after the other."""
    first = {"name": "", **one_context({"alpha": 1, "beta": 1}, name="one", priority=1, metadata=[{"type": "a"}])}
    second = {"name": "two", **one_context({"ALPHA": 2}, name="two", priority=2, metadata=[{"type": "b"}])}
    said = one_context(
        {"alpha": 2, "beta": 1}, name="one", priority=1, metadata=[{"type": "a"}, {"type": "b", "scope": []}]
    )
    assert WORLD.one_set({"words": first, "shouts": second}, "words") == {"name": "two", **said}
    assert WORLD.one_set({"shouts": second, "words": {"name": "last"}}, "shouts")["name"] == "two"


def test_a_new_value_without_counterpart_takes_the_old_one_away() -> None:
    """Otherwise the old one would still be read."""
    stored = {"values": one_context({"mode": "on", "percent": 10})}
    body = one_context({"delta": "something else", "gamma": "much"})
    assert WORLD.equivalents(body, "words")["values"] == {"gpii-default": {"mode": True, "percent": True}}
    added = WORLD.add(body, "words", stored)
    assert added["values"] == one_context({})
    assert WORLD.one_set(added, "words") == body


def test_equivalents_name_only_what_is_somewhere_else() -> None:
    """Not the same ontology, none without a way, and no set that says nothing there."""
    body = {"contexts": {"a": {"preferences": {"ALPHA": 1}}, "b": {"preferences": {"unknown": 1}}, "c": None}}
    assert WORLD.equivalents(body, "shouts") == {
        "words": {"a": {"alpha": True}},
        "nested": {"a": {"deep": {"0": {"alpha": True}}}},
        "packed": {"a": {"first": {"of": {"all": True}}}},
        "far": {"a": {"x": True}},
    }
    assert WORLD.equivalents(body, "reef") == {}
    assert WORLD.equivalents(body, "nowhere") == {}


def test_a_patch_that_unsets_a_branch_names_all_in_it() -> None:
    """A null in a merge patch unsets what is below it, wherever that is stored: a group, an application, a context."""
    preferences = {"deep": {"0": None, "1": {"beta": 1}}, "applications": {"editor": None}}
    patch = {"contexts": {"a": {"preferences": preferences}, "b": None, "c": {"preferences": None}, "d": {"name": 1}}}
    all_words = dict.fromkeys(["alpha", "beta", "gamma", "delta", "a.dotted word"], True)
    named = WORLD.equivalents_of_patch(patch, "nested")
    assert named["words"] == {
        "a": {"alpha": True, "gamma": True, "a.dotted word": True, "beta": True, PREFIX + "editor": True},
        "b": all_words,
        "c": all_words,
    }
    assert named["packed"]["a"] == {
        "first": {"of": {"all": True}},
        "blocks": {"all": {"editor": {"parameters": True, "id": True}}},
    }
    assert WORLD.equivalents({"contexts": {"a": {"preferences": preferences}}}, "nested")["words"] == {
        "a": {"beta": True}
    }
    assert WORLD.equivalents_of_patch({"contexts": None}, "nested") == {}


def test_preferences_may_be_deep() -> None:
    """No depth is too deep for a store that has it."""
    deep: Any = 1
    listed: Any = 1
    for _ in range(FAR_DOWN):
        deep, listed = {"alpha": deep}, [listed]
    metadata = [{"type": "required", "scope": [path_of(("alpha",) * FAR_DOWN), path_of(("alpha",) * 10)]}]
    body = one_context({"alpha": deep, "beta": listed}, metadata=metadata)
    said = WORLD.one_set(WORLD.add(body, "words", {"shouts": one_context({"ALPHA": deep, "BETA": listed})}), "shouts")
    assert list(said["contexts"]["gpii-default"]["preferences"]) == ["BETA", "ALPHA"]
    assert said["contexts"]["gpii-default"]["metadata"][0]["scope"] == [".".join(["ALPHA"] + ["alpha"] * 9)]
    assert list(merge_patched(body, body)) == ["contexts"]
    assert list(deep_merge(deep, deep)) == ["alpha"]
    assert filter_preferences(deep, deep) == {}
    assert list(sanitised(body)) == ["contexts"]


def test_preferences_may_be_many() -> None:
    """Each of them is found."""
    many = {f"{PREFIX}{number}": {"a": number} for number in range(FAR_DOWN)} | {"alpha": 1}
    scopes = [f"a*{number}" for number in range(FAR_DOWN)]
    body = one_context(many, metadata=[{"type": "required", "scope": scopes}])
    said = WORLD.to_ontology(body, "words", "nested")
    context = said["contexts"]["gpii-default"]
    assert len(context["preferences"]["applications"]) == FAR_DOWN
    assert context["metadata"] == [{"type": "required", "scope": ["deep.0.alpha", "deep.0.a\\.dotted word"]}]
    assert WORLD.add(body, "words", {"nested": said})["nested"] == one_context({}, metadata=context["metadata"])
