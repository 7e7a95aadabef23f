"""The examples of others, and the mappings that they are about."""

import functools
from collections.abc import Mapping as Members
from typing import Any

from model.formats.gpii_mappings import gpii_mapping
from model.preferences.ontologies import Ontologies
from tests.shared_data import shared_json, shared_path


@functools.cache
def gpii_ontologies(folder: str) -> Ontologies:
    """Read a folder of mappings of GPII, each named after its two ontologies; skip the test if it is not there."""
    names = sorted(path.stem for path in shared_path(f"preferences/ontologies/{folder}").glob("*.json"))
    return ontologies_of({name: shared_json(f"preferences/ontologies/{folder}/{name}.json") for name in names})


def ontologies_of(documents: Members[str, Any]) -> Ontologies:
    """Read documents, named `from-to`."""
    return Ontologies([gpii_mapping(*name.split("-"), document) for name, document in documents.items()])


def without_undefined(value: Any) -> Any:
    """Leave out the members that an example expects to be undefined."""
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if part != {"$undefined": True}}
        return {name: without_undefined(part) for name, part in kept.items()}
    return value


def only_members_of(expected: dict[str, Any], actual: dict[str, Any]) -> dict[str, Any]:
    """Leave what an example says nothing about out of what it is compared with: at the top only, below all counts."""
    return {name: value for name, value in actual.items() if name in expected}
