"""The examples of an earlier preferences service, through the pure functions."""

from typing import Any

import pytest

from model.formats.gpii_mappings import gpii_mapping
from model.preferences.ontologies import Ontologies
from model.preferences.routing import Routes
from model.preferences.sets import deep_merge, filter_preferences
from model.preferences.transforms import Transform, inverse
from tests.shared_data import shared_cases, shared_json

from .examples import gpii_ontologies, only_members_of, ontologies_of, without_undefined

Example = dict[str, Any]

ONTOLOGY = "preferences/ontology.json"


def named(example: Example) -> str:
    return str(example.get("description") or example.get("name") or example)


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "floydWarshall"), ids=named)
def test_ways(example: Example) -> None:
    """Each way that the examples ask for is found, and it is the one of several of the same length."""
    routes = Routes([(start, end) for start, end in example["edges"]])
    for asked in example["tests"]:
        assert list(routes.between(asked["start"], asked["end"])) == asked["path"], asked["desc"]


def test_mappings_and_their_inverses() -> None:
    """What leads from one ontology to the next is the document that is there, or the inverse of the other one."""
    examples = shared_json(ONTOLOGY)["getTransformSpec"]
    ontologies = ontologies_of(examples["specs"])
    for asked in examples["tests"]:
        start, end = asked["from"], asked["to"]
        assert ontologies.mapping(start, end) == gpii_mapping(start, end, asked["expect"])


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "prefsToOntology"), ids=named)
def test_one_set_in_another_ontology(example: Example) -> None:
    """One stored set is said in another ontology, over as many mappings as it takes."""
    said = gpii_ontologies("test-mappings").to_ontology(example["prefs"], example["from"], example["to"])
    assert said == without_undefined(example["expect"])


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "rawPrefsToOntology"), ids=named)
def test_all_stored_sets_as_one(example: Example) -> None:
    """All that is stored is said as one set in one ontology."""
    said = gpii_ontologies("test-mappings").one_set(example["rawPrefs"], example["to"])
    assert said == without_undefined(example["expect"])


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "addPrefsToRawPrefs"), ids=named)
def test_a_set_is_added(example: Example) -> None:
    """What is put replaces its own ontology, and in the others what says the same."""
    added = gpii_ontologies("test-mappings").add(example["prefs"], example["prefsView"], example["rawPrefs"])
    assert added == without_undefined(example["expect"])


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "utilities", "filterPrefs"), ids=named)
def test_settings_are_filtered(example: Example) -> None:
    """What is named is taken away."""
    assert filter_preferences(example["full"], example["remove"]) == example["expected"]


@pytest.mark.parametrize("example", shared_cases(ONTOLOGY, "utilities", "applicationTransforms"), ids=named)
def test_settings_of_applications(example: Example) -> None:
    """The blocks of applications become terms, and their rule has an inverse."""
    mapping = gpii_mapping("blocks", "terms", example["rules"])
    assert Transform(mapping.rules).transformed(example["input"]) == example["expected"]
    assert inverse(mapping) == gpii_mapping("terms", "blocks", example["invertedRules"])
    assert Transform(inverse(mapping).rules).transformed(example["expected"]) == example["input"]


@pytest.mark.parametrize("example", shared_cases("preferences/get.json", "success"), ids=named)
def test_a_get(example: Example) -> None:
    """The stored documents are read in the ontology that is asked for."""
    _, _, view = example["url"].partition("view=")
    said = installed().one_set(stored(example["gpiiKey"]), view or "flat")
    assert only_members_of(example["expected"], said) == example["expected"]


@pytest.mark.parametrize("example", shared_cases("preferences/post.json", "success"), ids=named)
def test_a_post(example: Example) -> None:
    """What is sent makes a store of its own, and is read as it was sent."""
    body = example["postBody"]
    assert installed().one_set(installed().add(body, "flat", {}), "flat") == body


@pytest.mark.parametrize("example", shared_cases("preferences/put.json", "success"), ids=named)
def test_a_put(example: Example) -> None:
    """What is put changes what is stored, in all ontologies; with `merge`, what was there comes back under it."""
    view, body = example.get("view") or "flat", example["putBody"]
    raw = stored(example["gpiiKey"])
    added = installed().add(body, view, raw)
    after = deep_merge(raw, added) if example.get("merge") is True or example.get("merge") == "true" else added
    assert added[view] == body
    assert only_members_of(example["expectedRaw"], after) == example["expectedRaw"]


def installed() -> Ontologies:
    return gpii_ontologies("mappings")


def stored(key: str) -> Example:
    """Give what the documents hold for a key; nothing if they have none."""
    keys = {one["_id"]: one["prefsSafeId"] for one in shared_json("preferences/documents/gpiiKeys.json")}
    safes = {one["_id"]: one["preferences"] for one in shared_json("preferences/documents/prefsSafes.json")}
    found: Example = safes.get(keys.get(key), {})
    return found
