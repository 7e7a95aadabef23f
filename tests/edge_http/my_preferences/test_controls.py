"""By which control a value is changed, and which value comes back from it."""

from typing import Any

import pytest

from edge_http.my_preferences.controls import control_for, value_of
from schemas.errors import Code, Refusal

SIZES = {"type": "number", "minimum": 0.5, "maximum": 3, "multipleOf": 0.1}
COLOURS = {"enum": ["White", "Black", None], "enumLabels": ["white", "black", "as it is"]}
HELPERS = {"type": "array", "items": {"enum": ["mouse", "caret"], "enumLabels": ["pointer", "text cursor"]}}


@pytest.mark.parametrize(
    ("schema", "value", "kind"),
    [
        ({"type": "boolean"}, None, "box"),
        (COLOURS, "White", "choice"),
        (SIZES, 1, "number"),
        ({"type": "integer"}, 1, "number"),
        ({"type": "string"}, "", "text"),
        (HELPERS, ["mouse"], "boxes"),
        ({"type": "array", "items": {"type": "string"}}, None, "lines"),
        ({"type": ["number", "string"]}, 1, "json"),
        ({"type": "object"}, {}, "json"),
        ({}, True, "box"),
        ({}, 1.5, "number"),
        ({}, "text", "text"),
        ({}, ["a", "b"], "lines"),
        ({}, [1, 2], "json"),
        ({}, {}, "json"),
        ({}, None, "json"),
    ],
)
def test_the_control_fits_the_schema_or_else_the_value(schema: dict[str, Any], value: object, kind: str) -> None:
    """So that nobody needs to know how it is written."""
    assert control_for(schema, value).kind == kind


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "boolean"}, True),
        (COLOURS, "Black"),
        (COLOURS, None),
        (SIZES, 1.5),
        ({"type": "integer"}, 3),
        ({"type": "string"}, "a text"),
        (HELPERS, ["mouse", "caret"]),
        ({"type": "array", "items": {"type": "string"}}, ["one", "two"]),
        ({}, {"a": [1, None]}),
        ({}, 2**60),
    ],
)
def test_what_is_sent_untouched_is_the_value_that_was_there(schema: dict[str, Any], value: object) -> None:
    """Whoever opens a form and saves it changes nothing."""
    control = control_for(schema, value)
    sent = list(control.chosen) if control.kind == "boxes" else [control.typed]
    assert value_of(control, sent) == value


def test_an_empty_box_is_off() -> None:
    """A browser sends nothing of it."""
    assert value_of(control_for({"type": "boolean"}, True), []) is False
    assert value_of(control_for(HELPERS, ["mouse"]), []) == []


def test_a_number_has_the_range_of_its_schema() -> None:
    """In the browser's control, and in words."""
    control = control_for(SIZES, 1)
    assert dict(control.attributes) == {"min": "0.5", "max": "3", "step": "0.1", "inputmode": "decimal"}
    assert control.hint == "From 0.5 to 3."


def test_a_choice_says_what_its_schema_calls_the_values() -> None:
    """And keeps which value each is."""
    assert control_for(COLOURS, "White").options == (('"White"', "white"), ('"Black"', "black"), ("null", "as it is"))


@pytest.mark.parametrize(
    ("schema", "value", "typed"),
    [
        (SIZES, 1, "much"),
        (SIZES, 1, "inf"),
        ({"type": "integer"}, 1, "1.5"),
        (COLOURS, "White", '"Green"'),
        ({}, {}, "{"),
        ({}, {}, "[" * 2000),
    ],
)
def test_what_is_no_value_is_refused_with_a_hint(schema: dict[str, Any], value: object, typed: str) -> None:
    """The page shows it next to the control."""
    with pytest.raises(Refusal) as caught:
        value_of(control_for(schema, value), [typed])
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "value")
    assert caught.value.hint
