"""Values as old clients send them, and what components take them for."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.changes import AddEvidence
from model.checks import check_evidence
from model.conversions import converted, like
from schemas.causes import Cause
from schemas.commands import Derive, MakeComponent, Tell
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, NewEvidence, ValueType

from .given import Person
from .strategies import json_values

CLEAN: list[tuple[ValueType, Any, Any]] = [
    ("number", "82", 82),
    ("number", "-3", -3),
    ("number", "+7", 7),
    ("number", "007", 7),
    ("number", "8.5", 8.5),
    ("number", ".5", 0.5),
    ("number", "5.", 5.0),
    ("number", "1e3", 1000.0),
    ("number", "-1.5E-2", -0.015),
    ("number", 82, 82),
    ("boolean", "True", True),
    ("boolean", "false", False),
    ("boolean", "TRUE", True),
    ("boolean", False, False),
    ("string", 82, "82"),
    ("string", 8.0, "8.0"),
    ("string", -0.25, "-0.25"),
    ("string", True, "True"),
    ("string", False, "False"),
    ("string", None, "None"),
    ("string", "82", "82"),
    ("enum", 2, "2"),
    ("enum", True, "True"),
    ("enum", "2", "2"),
    ("JSON", "82", "82"),
    ("JSON", "True", "True"),
    ("JSON", None, None),
]

UNCLEAN: list[tuple[ValueType, Any]] = [
    *[("number", text) for text in ("notanumber", "", " ", "82 ", " 82", "8 2", "1_000", "0x10", "1,5", "nan", "inf")],
    *[("number", text) for text in ("1e999", "9" * 30, "9" * 5000, "８２", "True", "-", ".", "1e", "82kg")],
    *[("number", value) for value in (True, None, [1], {"a": 1})],
    *[("boolean", value) for value in ("yes", "", "1", "True ", "None", 1, 0, None, [True])],
    *[("string", value) for value in ([1], {"a": 1}, 2**70)],
    *[("enum", value) for value in (3, 1.0, "3", None, [1])],
]


def told(applied: Any) -> Any:
    change = next(one for one in applied.changes if isinstance(one, AddEvidence))
    return msgspec.json.decode(change.body, type=Evidence).value


@pytest.mark.parametrize(("value_type", "value", "expected"), CLEAN)
def test_what_is_clean_is_taken(value_type: ValueType, value: Any, expected: Any) -> None:
    """As the component's own type: no more is converted than that."""
    found = converted(value, value_type, ["2", "True"])
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("value_type", "value"), UNCLEAN)
def test_what_is_not_clean_is_refused(value_type: ValueType, value: Any) -> None:
    """With the code and the field that any wrong value has."""
    values = ["1", "2"]
    evidence = NewEvidence(value=converted(value, value_type, values))
    with pytest.raises(Refusal) as refused:
        check_evidence(evidence, value_type, values, "evidence")
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_VALUE, "evidence.value")


@given(st.sampled_from(["string", "number", "boolean", "enum", "JSON"]), json_values)
def test_what_is_converted_stays(value_type: ValueType, value: Any) -> None:
    """A second time changes nothing, so a command may be applied again."""
    once = converted(value, value_type, ["a", "1"])
    again = converted(once, value_type, ["a", "1"])
    assert again == once or (math.isnan(once) and math.isnan(again))


def test_only_who_wants_it_gets_it() -> None:
    """On the bus a text is a text."""
    person = Person()
    error = person.refuses_tell("age", "82")
    assert (error.code, error.field) == (Code.BAD_VALUE, "evidence.value")
    command = Tell(id="t", context=["Personal"], component="age", evidence=NewEvidence(value="82"), convert=True)
    assert told(person.do(command)) == 82
    assert person.value("age") == 82


def test_nothing_is_the_empty_text_when_a_rule_tells_it() -> None:
    """As in the original, whose rules put the empty text where a component has no value."""
    cause = Cause(rule="1", root="alice.1", depth=1)
    tell = {"context": ["Personal"], "component": "firstname", "evidence": NewEvidence(value=None), "convert": True}
    assert told(Person().do(Derive(id="t", cause=cause, **tell))) == ""
    assert told(Person().do(Tell(id="t", **tell))) == "None"


def test_initial_evidence_is_converted_too() -> None:
    """All of it, or the component is not made."""
    person = Person()
    evidence = [NewEvidence(value=value) for value in ("1", "2.5", 3)]
    definition = ComponentDefinition(name="n", value_type="number", evidence=evidence)
    person.do(MakeComponent(id="m", context=["Personal"], component=definition, convert=True))
    answer = person.answer("n", include_evidence=True)
    assert [piece.value for piece in answer.evidence or ()] == [1, 2.5, 3]
    broken = ComponentDefinition(
        name="o", value_type="number", evidence=[NewEvidence(value="1"), NewEvidence(value="x")]
    )
    error = person.refuses(MakeComponent(id="m", context=["Personal"], component=broken, convert=True))
    assert (error.code, error.field) == (Code.BAD_VALUE, "component.evidence[1].value")


@pytest.mark.parametrize(
    ("value", "other", "expected"),
    [("82", 5, 82), ("True", False, True), (82, "x", "82"), (None, "x", ""), ("82", None, "82"), ("82", [1], "82")],
)
def test_a_value_is_made_like_another(value: Any, other: Any, expected: Any) -> None:
    """Of the other's type, as far as that can be."""
    assert like(value, other) == expected
