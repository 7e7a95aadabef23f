"""Documents of mappings as installations of GPII keep them."""

from typing import Any

import pytest

from model.formats.gpii_mappings import gpii_mapping
from model.preferences.mappings import Copy, Pack, Unpack
from schemas.errors import Refusal

APPS = "http://registry.gpii.net/applications/"


def function(name: str, source: str, target: str) -> dict[str, str]:
    return {"type": name, "inputPath": source, "outputPath": target}


def test_rules_are_read_in_their_order() -> None:
    """A member's name is where to write, and functions write below it."""
    to_flat = function("gpii.ontologyHandler.transforms.applicationISOToFlat", "applications", "")
    to_blocks = function("gpii.ontologyHandler.transforms.applicationFlatToISO", "", "applications")
    document = {
        "transform": [function("fluid.transforms.value", "a", "b\\.c")],
        "x.y": "p\\.q",
        "": {"transform": to_flat},
        "in": {"transform": [to_blocks]},
    }
    assert gpii_mapping("one", "other", document) == (
        "one",
        "other",
        (Copy("a", "b\\.c"), Copy("p\\.q", "x.y"), Unpack("applications", "", APPS), Pack("", "in.applications", APPS)),
    )


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], None),
        ({"a.b": 1}, "a\\.b"),
        ({"a": {"transform": {}, "more": 1}}, "a"),
        ({"a": {"transform": [{"type": "fluid.transforms.value"}, 5]}}, "a.transform.1"),
        ({"transform": {"type": "unknown"}}, "transform.type"),
        ({"transform": [{"type": "fluid.transforms.value", "inputPath": 1}]}, "transform.0.inputPath"),
    ],
)
def test_what_cannot_be_read_is_named(document: Any, field: str | None) -> None:
    """The error says where in the document it is."""
    with pytest.raises(Refusal) as raised:
        gpii_mapping("one", "other", document)
    assert (raised.value.code, raised.value.error.field) == ("bad_field", field)
