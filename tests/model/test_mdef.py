"""The model definition format: what can be written, where errors are, and back again."""

from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.checks import check_definition
from model.formats.mdef import MAX_CHARACTERS, MAX_INCLUDES, RULE_HINT, format_mdef, parse_mdef
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.limits import MAX_DEFINITION_ITEMS
from tests.effort import EFFORT
from tests.model.applying import apply

from .strategies import definitions

TEXT = r"""
# A comment, and an empty line

@@Personal: description="Who, the \"person\" is # not a comment", resolver="recent"   # a comment
--firstname: type="attribute", value_type="string", description="Given name",
    [evidence_type="explicit", value="Al", flags=["goal","x"], comment="c", time=1.5, useby="2.5"],

  # a comment in between
    [value="Bo", source="forged", exinfo={"a": [1, null]}], rule="<default!./Personal/x> ~ 'a\\d' : NOTIFY 'u'",
    rule="'a' ~ 'b' : NOTIFY 'c'"
--gender: value_type="enum", value="female", value="male", resolver="goal",
          goals=["Goals/Health/steps", "a~1b"]
--age: value_type="number", [value="42"], [value=7]
--active: type="activity", value_type="boolean", [value="true"], [value=false]
--any: value_type="JSON", [value={"a":[1,2.5,true,null,"x"]}]
==full name: firstname, Goals/Health/steps,
   /top, "od,d"
@@Goals/Health
--"steps: per day"
"""


def component(name: str, text: str = TEXT) -> ComponentDefinition:
    found = [each for context in parse_mdef(text).contexts for each in context.components if each.name == name]
    assert len(found) == 1
    return found[0]


def refused(text: str, **includes: str) -> tuple[str | None, str]:
    """Give position and message of the refusal."""
    with pytest.raises(Refusal) as caught:
        parse_mdef(text, {f"{name}.mdef": included for name, included in includes.items()})
    assert caught.value.code is Code.BAD_FIELD
    return caught.value.error.field, caught.value.error.message


def test_contexts_and_what_belongs_to_them() -> None:
    """Everything after `@@` belongs to that context; names may be quoted."""
    personal, health = parse_mdef(TEXT).contexts
    assert (personal.path, personal.resolver) == (["Personal"], "recent")
    assert personal.description == 'Who, the "person" is # not a comment'
    assert [each.name for each in personal.components] == ["firstname", "gender", "age", "active", "any"]
    assert health == ContextDefinition(
        path=["Goals", "Health"], components=[ComponentDefinition(name="steps: per day")]
    )


def test_evidence_in_brackets() -> None:
    """All its members; what llum stamps is dropped, what it does not know is extra."""
    first, second = component("firstname").evidence
    assert first == NewEvidence(value="Al", flags=["goal", "x"], comment="c", time=1.5, useby=2.5)
    assert second == NewEvidence(value="Bo", extra={"exinfo": {"a": [1, None]}})


def test_rules_and_goals_are_repeated() -> None:
    """Rules are kept as written, goals are paths."""
    assert component("firstname").rules == ["<default!./Personal/x> ~ 'a\\d' : NOTIFY 'u'", "'a' ~ 'b' : NOTIFY 'c'"]
    assert component("gender").goals == [["Goals", "Health", "steps"], ["a/b"]]


def test_the_values_of_an_enum() -> None:
    """Are said one by one."""
    assert (component("gender").value_list, component("gender").resolver) == (["female", "male"], "goal")


def test_quoted_numbers_and_booleans() -> None:
    """Values follow the component's value type, in quotes or not."""
    assert [piece.value for piece in component("age").evidence] == [42, 7]
    assert [piece.value for piece in component("active").evidence] == [True, False]
    assert component("any").evidence[0].value == {"a": [1, 2.5, True, None, "x"]}


def test_views() -> None:
    """A name is of the view's context, a `/` anywhere makes a path from the root."""
    (view,) = parse_mdef(TEXT).contexts[0].views
    assert view.name == "full name"
    assert view.components == ["firstname", ["Goals", "Health", "steps"], ["top"], "od,d"]


def test_a_context_may_be_opened_again() -> None:
    """What is said of it later holds, and what it has is kept."""
    text = '@@a: description="1"\n--x\n@@b\n@@a: description="2"\n--y'
    a, b = parse_mdef(text).contexts
    assert (a.description, [each.name for each in a.components], b.path) == ("2", ["x", "y"], ["b"])


def test_the_root_is_a_slash() -> None:
    """`@@/` speaks of the root."""
    assert parse_mdef("@@/\n--x").contexts[0].path == []


def test_includes() -> None:
    """A file stands in the place of the line that includes it, in the same context; errors name it."""
    text = "@@a\n$include more.mdef # comment\n--z"
    included = parse_mdef(text, {"more.mdef": "--x\n--y\r\n@@b\n"})
    assert [(each.path, [part.name for part in each.components]) for each in included.contexts] == [
        (["a"], ["x", "y"]),
        (["b"], ["z"]),
    ]
    assert refused(text, more="--x\n\n--y:: z")[0] == "more.mdef:3:5"


def test_includes_are_bounded() -> None:
    """A file that includes itself, or grows without measure, is refused."""
    assert refused("$include a.mdef", a="$include a.mdef")[1] == f"more than {MAX_INCLUDES} files are included"
    many = {f"f{index}": f"$include f{index + 1}\n" * 2 for index in range(40)}
    with pytest.raises(Refusal):
        parse_mdef("$include f0", {**many, "f40": "x"})


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("--a", "1:3"),
        ("@@a\n\n   nonsense", "3:4"),
        ("nonsense", "1:1"),
        ('@@a: description="x', "1:18"),
        ("@@a: description", "1:17"),
        ("@@a: descriptions='x'", "1:19"),
        ('@@a: title="x"', "1:6"),
        ("@@a: description=1", "1:6"),
        ("@@a/../b", "1:3"),
        ('@@a\n--b: type="thing"', "2:6"),
        ('@@a\n--b: foo="x"', "2:6"),
        ('@@a\n--b: description="x",\n  description="y"', "3:3"),
        ('@@a\n--b: description="\\d"', "2:18"),
        ('@@a\n--b: description="\\ud800"', "2:18"),
        ("@@a\n--b\n--b", "3:3"),
        ("@@a\n==b: x\n==b: y", "3:3"),
        ("@@a\n==b: x, /", "2:9"),
        ("@@a\n--x/y", "2:3"),
        ('@@a\n--b: value_type="enum"', "2:3"),
        ('@@a\n--b: value_type="number",\n\n # c\n  [value="x"]', "5:4"),
        ('@@a\n--b: value_type="number", [value=1e999]', "2:34"),
        ('@@a\n--b: [value="x", flags=[1]]', "2:18"),
        ('@@a\n--b: [value="x", evidence_type="guess"]', "2:18"),
        ('@@a\n--b: [value="x", time="never"]', "2:18"),
        ("@@a\n--b: goals=[1]", "2:6"),
        ("@@a\n--b: [", "2:7"),
        ("$include nothing", "1:1"),
        ('@@a\n--b: value_type="JSON", [value=' + "[" * 50_000 + "]" * 50_000 + "]", "2:26"),
    ],
)
def test_errors_have_a_position(text: str, position: str) -> None:
    """Line and column, counted from 1, of the text as it was given."""
    assert refused(text)[0] == position


BAD = "'a' ~ 'b' : TELLL ./x, explicit:'c'"
GOOD = "'a' ~ 'b' : NOTIFY 'c'"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (f'@@a\n--b: rule="{BAD}"', "2:6"),
        (f'@@a\n--b: value_type="number",\n  rule="{GOOD}",\n  rule="{BAD}"', "4:3"),
        ("@@a\n--b: [value=1], rule=3", "2:17"),
    ],
)
def test_a_bad_rule_is_refused_where_it_stands(text: str, position: str) -> None:
    """The message says where in the rule; the hint shows what one looks like."""
    with pytest.raises(Refusal) as caught:
        parse_mdef(text)
    error = caught.value.error
    assert (error.code, error.field, error.hint) == (Code.BAD_RULE, position, RULE_HINT)
    assert "(at 1:13 of the rule)" in error.message or "3" in text


def test_a_text_may_list_values() -> None:
    """The original's definitions have lists of values on components that are no enums."""
    (context,) = parse_mdef('@@a\n--b: value_type="string", value="a", value="b"').contexts
    assert context.components[0].value_list == ["a", "b"]


def test_a_definition_is_bounded() -> None:
    """In characters and in statements, before much work is done."""
    for text in ("#" * (MAX_CHARACTERS + 1), "@@a\n" * (MAX_DEFINITION_ITEMS + 1)):
        with pytest.raises(Refusal) as caught:
            parse_mdef(text)
        assert caught.value.code is Code.TOO_LARGE


def test_the_default_definition_makes_a_model() -> None:
    """The package's own definition can be read and applied."""
    text = resources.files("identity").joinpath("default.mdef").read_text("utf-8")
    definition = parse_mdef(text)
    assert {"/".join(context.path) for context in definition.contexts} >= {
        "Devices", "Apps", "Goals", "Goals/Health", "modelinfo", "Personal",
    }  # fmt: skip
    model = apply(None, "alice", ADMIN_APP, MakeModel(id="m", definition=definition), 1, 1).model
    personal = model.context(("Personal",))
    assert personal is not None
    assert list(personal.components) == ["firstname", "lastname", "gender", "email", "gid", "picture"]
    assert personal.views["fullname"].components == ["firstname", "lastname"]


@settings(max_examples=150 * EFFORT)
@given(definitions())
def test_what_is_written_reads_the_same(definition: ModelDefinition) -> None:
    """For every definition that llum accepts: parse_mdef(format_mdef(d)) == d."""
    check_definition(definition, "definition")
    assert parse_mdef(format_mdef(definition)) == definition


PIECES = ["@@", "--", "==", "a", "/", ":", ",", "\n", " ", "\t", "#", '"', "\\", "[", "]", "{", "}", "=", "value",
          "type", '"attribute"', "1", "-", "e9", "true", "$include x", "~1", "\r", "\0", "é", "\u2028"]  # fmt: skip


@settings(max_examples=300 * EFFORT)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a Refusal is raised, with a position; what is read can be made into a model."""
    definition = read(text)
    if definition is not None:
        assert read(format_mdef(definition)) == definition
        apply(None, "alice", ADMIN_APP, MakeModel(id="m", definition=definition), 1, 1)


@settings(max_examples=200 * EFFORT)
@given(definitions(), st.data())
def test_a_damaged_definition_is_read_or_refused(definition: ModelDefinition, data: Any) -> None:
    """Cutting a piece out of a good text raises nothing but a Refusal."""
    text = format_mdef(definition)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 8)))
    read(text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:])


def read(text: str) -> ModelDefinition | None:
    """Give the definition, or None for a refusal, which has a position."""
    try:
        return parse_mdef(text, {"x": "--included"})
    except Refusal as refusal:
        if not refusal.error.field:
            raise
        return None


@pytest.mark.parametrize("name", ["correction", "withdrawn", "rule", "seq"])
def test_evidence_does_not_claim_what_llum_says(name: str) -> None:
    """By itself or in `extra`; what the original writes along is dropped."""
    for member in (f"{name}=1", f'extra={{"{name}": 1}}'):
        with pytest.raises(Refusal) as caught:
            parse_mdef(f'@@P:\n--c: type="attribute", [value="x", {member}]')
        assert caught.value.error.field == "2:36"
        assert repr(name) in caught.value.message
    (context,) = parse_mdef('@@P:\n--c: type="attribute", [value="x", source="me", owner="me"]').contexts
    assert context.components[0].evidence == [NewEvidence(value="x")]
