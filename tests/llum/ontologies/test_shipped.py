"""The ontologies that llum brings along: well-formed, and with the facts that documents of others rely on."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from llum.ontologies.checking import checked_files
from llum.ontologies.format import OntologyFile
from llum.ontologies.loading import SHIPPED, load
from model.preferences.ontologies import Ontologies
from model.preferences.paths import PathSegments, path_of, segments_of
from tests.model.preferences.examples import gpii_ontologies
from tests.shared_data import shared_json

INSTALLED = load(None)
DEFAULTS = [
    (place, term.schema["default"])
    for terms in INSTALLED.codex.terms.values()
    for place, term in terms.items()
    if "default" in term.schema
]


def test_every_file_is_as_an_operator_would_have_to_write_it() -> None:
    """The same checks find nothing."""
    assert checked_files(SHIPPED, []) != []


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.glob("*.json")))
def test_every_file_fits_the_documented_format(name: str) -> None:
    """The JSON Schema of the format accepts it."""
    content = msgspec.json.decode((SHIPPED / name).read_bytes())
    Draft202012Validator(msgspec.json.schema(OntologyFile)).validate(content)


@pytest.mark.parametrize(("place", "default"), DEFAULTS)
def test_the_default_of_every_term_is_valid(place: PathSegments, default: Any) -> None:
    """A person may choose what is usual."""
    assert INSTALLED.codex.errors({"contexts": {"gpii-default": {"preferences": at(place, default)}}}) == []


FACTS = ("type", "default", "enum", "minimum", "maximum", "multipleOf")


def facts_of(schema: dict[str, Any]) -> dict[str, Any]:
    facts = {word: schema[word] for word in FACTS if word in schema}
    return facts | ({"items": facts_of(schema["items"])} if "items" in schema else {})


def test_the_common_terms_take_the_values_that_others_know() -> None:
    """Each is there with its type, range, choices and default; the words are llum's own."""
    theirs = {name: one["schema"] for name, one in shared_json("preferences/ontologies/flat.json").items()}
    ours = INSTALLED.codex.terms["flat"]
    assert {name: facts_of(ours[(name,)].schema) for name in theirs} == {n: facts_of(s) for n, s in theirs.items()}
    assert [name for name, schema in theirs.items() if ours[(name,)].description == schema["description"]] == []


NAMES = ("flat", "ISO24751", "apptology")
WAYS = [(start, end) for start in NAMES for end in NAMES if start != end]


@pytest.mark.parametrize(("start", "end"), WAYS)
def test_the_mappings_say_what_those_of_others_say(start: str, end: str) -> None:
    """Every rule, in both directions, alone and all at once: the same result in the same order."""
    theirs, ours = gpii_ontologies("mappings"), INSTALLED.ontologies
    for preferences in documents_for(theirs, start):
        asked = {"contexts": {"gpii-default": {"preferences": preferences, "metadata": metadata_for(theirs, start)}}}
        expected = msgspec.json.encode(theirs.to_ontology(asked, start, end))
        assert msgspec.json.encode(ours.to_ontology(asked, start, end)) == expected


def documents_for(ontologies: Ontologies, view: str) -> list[dict[str, Any]]:
    """Make a document for each place that a rule names, and one with all of them."""
    paths = paths_in(ontologies, view)
    one_each = [at(segments_of(path), index) for index, path in enumerate(paths)]
    whole: dict[str, Any] = {}
    for index, path in enumerate(paths):
        put(whole, segments_of(path), index)
    for block in ({"applications": {"org.x}y": {"parameters": {"a": 1}, "id": "org.x}y"}}}, FLAT_BLOCK):
        one_each.append(block)
        whole |= block
    return [*one_each, whole]


FLAT_BLOCK = {"http://registry.gpii.net/applications/org.x}y": {"a": 1}}


def metadata_for(ontologies: Ontologies, view: str) -> list[dict[str, Any]]:
    paths = [path for path in paths_in(ontologies, view) if not path.endswith("/magnification")]
    return [{"type": "provenance", "scope": ["*", "display.*", *paths, path_of(tuple(FLAT_BLOCK))]}]


def paths_in(ontologies: Ontologies, view: str) -> list[str]:
    mappings = [ontologies.mapping(*hop) for end in NAMES for hop in list(pairwise(ontologies.route(view, end)))[:1]]
    found = [rule.source for mapping in mappings for rule in mapping.rules if rule.source not in ("", "applications")]
    return list(dict.fromkeys(found))


def at(place: PathSegments, value: Any) -> dict[str, Any]:
    document: dict[str, Any] = {}
    put(document, place, value)
    return document


def put(document: dict[str, Any], place: PathSegments, value: Any) -> None:
    for segment in place[:-1]:
        document = document.setdefault(segment, {})
    document[place[-1]] = value
