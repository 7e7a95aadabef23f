"""The codex: what a body may be, and what is said of one that may not."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llum.ontologies.loading import load
from model.preferences.codex import Codex, Term
from model.preferences.mappings import Copy, Linear, Mapping, Unpack
from schemas.errors import Code, Refusal
from tests.shared_data import shared_cases, shared_json

COMMON = "http://registry.gpii.net/common/"


def body(preferences: Any, name: str = "gpii-default") -> dict[str, Any]:
    return {"contexts": {name: {"preferences": preferences}}}


def codex_of(**schemas: dict[str, Any]) -> Codex:
    return Codex({"plain": {(name,): Term(name, name, schema) for name, schema in schemas.items()}})


def said(codex: Codex, value: Any) -> list[tuple[str | None, list[Any]]]:
    return [(one.get("message"), one["dataPath"]) for one in codex.errors(body({"x": value}))]


@pytest.mark.parametrize("case", shared_cases("preferences/post.json", "success"), ids=lambda case: case["name"])
def test_what_others_post_is_taken(case: dict[str, Any]) -> None:
    """The examples that succeed are valid."""
    assert load(None).codex.errors(case["postBody"]) == []


@pytest.mark.parametrize("case", shared_cases("preferences/put.json", "success"), ids=lambda case: case["name"])
def test_what_others_put_is_taken(case: dict[str, Any]) -> None:
    """So are those of PUT, in every ontology."""
    assert load(None).codex.errors(case["putBody"]) == []


@pytest.mark.parametrize("name", ["post", "put"])
def test_what_others_may_not_send_is_refused(name: str) -> None:
    """The examples that fail for their bodies are not."""
    cases = [one for one in shared_json(f"preferences/{name}.json")["fail"] if one["expectedStatusCode"] == 400]
    assert cases
    assert [one["name"] for one in cases if not load(None).codex.errors(one[f"{name}Body"])] == []


BAD_SHAPES = [
    ([], "The value supplied should be a(n) object.", []),
    ({}, "This value is required.", ["contexts"]),
    ({"contexts": {"a": 1}}, "The value supplied should be a(n) object.", ["contexts", "a"]),
    ({"contexts": {"a": {}}}, "This value is required.", ["contexts", "a", "preferences"]),
    (body(None), "The value supplied should be a(n) object.", ["contexts", "gpii-default", "preferences"]),
    (
        {"contexts": {"a": {"name": 1, "preferences": {}}}},
        "The value supplied should be a(n) string.",
        ["contexts", "a", "name"],
    ),
    (
        body({"application": {"no url": 1}}),
        "The supplied string does not match the specified format (uri).",
        ["contexts", "gpii-default", "preferences", "application"],
    ),
]


@pytest.mark.parametrize(("bad", "message", "path"), BAD_SHAPES)
def test_a_wrong_shape_is_named(bad: Any, message: str, path: list[str]) -> None:
    """Each rule of the shape has its words and its place."""
    assert {"message": message, "dataPath": path}.items() <= Codex({}).errors(bad)[0].items()


def test_a_missing_member_is_quoted_as_its_own_rule() -> None:
    """What is required says so in the schema of the member, not in that of the object."""
    [error] = Codex({}).errors({})
    assert error["schemaPath"] == ["properties", "contexts", "required"]
    assert error["rule"]["required"] is True


def test_every_reason_of_a_choice_is_listed() -> None:
    """A client sees what either way of writing preferences would have wanted, and then that none was met."""
    messages = [one["message"] for one in Codex({}).errors(body({"application": {"no url": 1}}))]
    assert messages[-1] == "The value must match at least one valid format."
    assert messages.count("The supplied property name does not match the allowed names.") == 2


BY_KEYWORD = [
    ({"type": "boolean"}, "true", "The value supplied should be a(n) boolean."),
    ({"type": ["integer", "null"]}, "a", "The value supplied should be a(n) integer, null."),
    ({"type": "integer"}, 1.5, "The value supplied should be a(n) integer."),
    ({"enum": ["a", 2, True]}, "b", "The supplied value is not one of the allowed values (a, 2, true)."),
    ({"const": 1}, 2, "The supplied value is not the allowed value (1)."),
    ({"minimum": 3}, 2, "The value must be at least 3."),
    ({"maximum": 3}, 4, "The value must be less than 3."),
    ({"exclusiveMinimum": 3}, 3, "The value must be more than 3."),
    ({"exclusiveMaximum": 3}, 3, "The value must be less than 3."),
    ({"multipleOf": 0.1}, 0.25, "The value must be a multiple of 0.1."),
    ({"minLength": 2}, "a", "The supplied string must have at least 2 characters."),
    ({"maxLength": 2}, "abc", "The supplied string must have at most 2 characters."),
    ({"pattern": "^a"}, "b", "The supplied string does not match the specified pattern (^a)."),
    ({"format": "uri"}, "a b", "The supplied string does not match the specified format (uri)."),
    ({"minItems": 1}, [], "The supplied list must have at least 1 items."),
    ({"maxItems": 1}, [1, 2], "The supplied list must have at most 1 items."),
    ({"uniqueItems": True}, [1, 1], "The items of the supplied list must differ."),
    ({"required": ["a"]}, {}, "This value is required."),
    ({"additionalProperties": False}, {"a": 1}, None),
    ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, 2, "The value must match exactly one valid format."),
    ({"not": {}}, 1, None),
]


@pytest.mark.parametrize(("schema", "value", "message"), BY_KEYWORD)
def test_each_keyword_has_its_words(schema: dict[str, Any], value: Any, message: str | None) -> None:
    """Where there are none, an error has no message."""
    assert [found for found, _ in said(codex_of(x=schema), value)] == [message]


def test_an_error_leads_to_the_value_and_to_the_keyword() -> None:
    """From the term onwards, with the schema that holds the keyword."""
    codex = codex_of(x={"properties": {"list": {"items": {"enum": ["a"]}}}})
    [error] = codex.errors(body({"x": {"list": ["a", "b"]}}))
    assert error["dataPath"] == ["x", "list", 1]
    assert error["schemaPath"] == ["properties", "list", "items", "enum"]
    assert error["rule"] == {"enum": ["a"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1.0),
        ({"multipleOf": 0.1}, 0.1 * 33),
        ({"multipleOf": 0.1}, -0.7 * 6),
        ({"multipleOf": 0.1}, 1.7e308),
        ({"multipleOf": 0.1}, 10**400),
        ({"multipleOf": 0.1}, "no number"),
        ({"multipleOf": 2}, True),
        ({"enum": [1]}, 1.0),
        ({"maximum": 3}, 3),
    ],
)
def test_numbers_are_those_of_json(schema: dict[str, Any], value: Any) -> None:
    """A float that is whole is an integer, and what floats cannot say exactly is a multiple all the same."""
    assert said(codex_of(x=schema), value) == []


def test_the_first_wrong_term_ends_it() -> None:
    """In the order of the body, with all that is wrong with that term."""
    codex = codex_of(a={"minimum": 3, "multipleOf": 2}, b={"minimum": 3})
    assert [one["dataPath"] for one in codex.errors(body({"b": 1, "a": 1}))] == [["b"]]
    assert [one["dataPath"] for one in codex.errors(body({"a": 1, "b": 1}))] == [["a"], ["a"]]


def test_only_the_default_set_is_checked_and_in_it_the_part_named_application() -> None:
    """Other sets are taken as they are; so is what stands beside `application`."""
    codex = codex_of(**{"x:a": {"type": "string"}})
    assert codex.errors(body({"x:a": 1}, name="bright")) == []
    assert codex.errors(body({"x:a": 1, "application": {"x:b": 1}})) == []
    assert codex.errors(body({"x:a": "", "application": {"x:a": 1}})) != []


@pytest.mark.parametrize("contexts", [None, [], {}, "text", 3])
def test_contexts_that_are_no_object_have_nothing_to_check(contexts: Any) -> None:
    """They have no sets."""
    assert codex_of(x={"type": "string"}).errors({"contexts": contexts}) == []


def test_terms_further_down_are_checked_where_they_are() -> None:
    """Beside them anything may stand."""
    codex = Codex({"gsettings": {("org.x", "size"): Term("size", "size", {"type": "integer"})}})
    assert codex.errors(body({"org.x": {"size": 1, "other": []}, "org.y": 1})) == []
    assert [one["dataPath"] for one in codex.errors(body({"org.x": {"size": ""}}))] == [["org.x", "size"]]
    assert [one["dataPath"] for one in codex.errors(body({"org.x": 1}))] == [["org.x"]]


@pytest.mark.parametrize("schema", [{"type": "string"}, {"enum": [[1]]}, {"oneOf": [{"const": 1}]}])
def test_what_is_nested_too_deep_is_refused(schema: dict[str, Any]) -> None:
    """It ends no process, however deep it is."""
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Refusal) as caught:
        codex_of(x=schema).errors(body({"x": deep}))
    assert caught.value.code == Code.TOO_DEEP


def test_a_setting_is_known_by_its_own_term() -> None:
    """Its members too, by the schema of the whole."""
    member = {"type": "integer", "title": "Bass"}
    sound = Term("Sound", "How it sounds.", {"properties": {"bass": member}}, local=True)
    codex = Codex({"flat": {("x:sound",): sound}})
    assert codex.term("flat", ["x:sound"]) == sound
    assert codex.term("flat", ["x:sound", "bass"]) == Term("Bass", "How it sounds.", member, local=True)
    assert codex.term("flat", ["x:sound", "treble"]) is None
    assert codex.term("other", ["x:sound"]) is None


def test_a_setting_is_known_by_what_means_the_same() -> None:
    """Where values differ, only the words carry over."""
    size = Term("Size", "How large.", {"minimum": 3}, unit="pt")
    rules = (Copy("display.size", "x:size"), Linear("scale", "x:size", (0, 1), (0, 12), 1, 1))
    codex = Codex({"flat": {("x:size",): size}}, [Mapping("groups", "flat", rules)])
    assert codex.term("groups", ["display", "size"]) == size
    assert codex.term("groups", ["scale"]) == Term("Size", "How large.")


def test_a_setting_of_an_application_is_known_in_its_block() -> None:
    """By what the block's application is elsewhere."""
    look = Term("Look", "How it looks.", {"properties": {"size": {"title": "Size"}}})
    codex = Codex({"flat": {("x:apps/org.a",): look}}, [Mapping("groups", "flat", (Unpack("apps", "", "x:apps/"),))])
    assert codex.term("groups", ["apps", "org.a", "parameters"]) == look
    assert codex.term("groups", ["apps", "org.a", "parameters", "size"]) == Term(
        "Size", look.description, {"title": "Size"}
    )
    for unknown in (["apps"], ["apps", "org.a"], ["apps", "org.b", "parameters"], ["other", "org.a", "parameters"]):
        assert codex.term("groups", unknown) is None


def test_a_heading_gives_way_to_what_says_more() -> None:
    """A term without a schema is in front of nothing but its group."""
    size = Term("Size", "How large.", {"minimum": 3})
    heading = Term("Screen", "What is seen.")
    mappings = [Mapping("groups", "flat", (Copy("screen.size", "x:size"),))]
    codex = Codex({"groups": {("screen",): heading}, "flat": {("x:size",): size}}, mappings)
    assert codex.term("groups", ["screen"]) == heading
    assert codex.term("groups", ["screen", "size"]) == size
    assert codex.term("groups", ["screen", "other"]) is None


URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//)?[^\s]+")
NAMES = st.sampled_from(["a", "application", "http://x.org/a", "x:a", "a b", "x:", ":x", "1x:a", "x: a", "x:/", "x://"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3))
JSON = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner)))
PREFERENCES = st.one_of(JSON, st.dictionaries(NAMES, st.dictionaries(NAMES, LEAVES)))
SET_MEMBERS = {"name": LEAVES, "preferences": PREFERENCES, "other": JSON}
SETS = st.one_of(LEAVES, st.fixed_dictionaries({}, optional=SET_MEMBERS))
BODIES = st.one_of(
    JSON, st.fixed_dictionaries({}, optional={"contexts": st.one_of(JSON, st.dictionaries(NAMES, SETS)), "a": JSON})
)


@given(sent=BODIES)
def test_the_shape_is_that_of_the_schema_of_others(sent: Any) -> None:
    """A body is accepted exactly if a plain reading of their schema accepts it; what is no object never is."""
    schema = shared_json("preferences/prefs-base-schema.json")
    assert (Codex({}).errors(sent) == []) == (isinstance(sent, dict) and plainly_accepts(schema, sent))


def plainly_accepts(schema: dict[str, Any], value: Any) -> bool:
    """Read the few keywords that the schema uses, word by word; `required` stands in the member's own schema."""
    types = {"object": dict, "string": str}
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return False
    if schema.get("format") == "uri" and isinstance(value, str) and not URI.fullmatch(value):
        return False
    if "anyOf" in schema and not any(plainly_accepts(one, value) for one in schema["anyOf"]):
        return False
    return not isinstance(value, dict) or all(_members(schema, value))


def _members(schema: dict[str, Any], value: dict[str, Any]) -> Any:
    properties = schema.get("properties", {})
    for name, one in properties.items():
        yield plainly_accepts(one, value[name]) if name in value else not one.get("required")
    for name, member in value.items():
        yield plainly_accepts(schema.get("propertyNames", {}), name)
        yield name in properties or plainly_accepts(schema.get("additionalProperties", {}), member)
