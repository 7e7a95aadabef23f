"""Telling: what becomes of evidence, and what is refused."""

import math
from typing import Any

import msgspec
import pytest

from model.changes import AddEvidence
from model.state import NUMBERS_PER_COMMAND
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence, NewEvidence
from schemas.limits import MAX_JSON_DEPTH, MAX_LIST_ITEMS, MAX_TEXT_CHARACTERS
from schemas.queries import Ask
from tests.model.applying import apply

from .given import START_US, STEP_US, Person


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def told(changes: list[Any]) -> Evidence:
    assert isinstance(changes[-1], AddEvidence)
    return msgspec.json.decode(changes[-1].body, type=Evidence)


def test_evidence_is_stamped_with_source_owner_and_time() -> None:
    """Source is the app, owner the user, creation_time the command's time. A time that nobody gave stays null."""
    person = Person()
    applied = person.tell(value="Al", comment="hi", extra={"k": [1]})
    evidence = told(applied.changes)
    creation = (START_US + 2 * STEP_US) / 1e6
    assert applied.result is None
    assert evidence == Evidence(
        seq=2, n=0, value="Al", source="llum", owner="alice", comment="hi", time=None, creation_time=creation,
        extra={"k": [1]},
    )  # fmt: skip


def test_a_time_that_the_teller_gives_is_kept() -> None:
    """`time` says when it held; `creation_time` is never the teller's to say."""
    evidence = told(Person().tell(time=12.5).changes)
    assert evidence.time == 12.5
    assert evidence.creation_time > 1e9
    assert evidence.held_from == 12.5


def test_evidence_without_a_time_holds_from_its_acceptance() -> None:
    """The time stays null wherever the evidence is looked at: in memory, at rest, read again, in the past."""
    person = Person()
    person.tell(value="Al")
    seq = person.live.seq
    person.tell(value="Bo", time=(START_US + 3 * STEP_US) / 1e6)
    for _ in range(2):
        first, second = person.answer(include_evidence=True).evidence or []
        assert (first.time, first.held_from) == (None, first.creation_time)
        assert second.time == second.held_from == second.creation_time
        person.caches.rest("alice")
    assert person.value(as_of_seq=seq) == "Al"


def test_time_never_goes_back() -> None:
    """A command with an earlier time counts as being at the model's latest time."""
    person = Person()
    command = Tell(id="t", context=["Personal"], component="firstname", evidence=NewEvidence(value="x"))
    applied = person.do(command, time_us=5)
    assert told(applied.changes).creation_time == (START_US + STEP_US) / 1e6
    assert applied.model.time_us == START_US + STEP_US


def test_goal_evidence_is_marked_for_the_store() -> None:
    """The flag `goal` is lifted out of the body, as are the times that reads are bounded by."""
    added = Person().tell(flags=["goal"], useby=7.0).changes[-1]
    assert isinstance(added, AddEvidence)
    assert (added.is_goal, added.useby, added.creation_us) == (True, 7.0, START_US + 2 * STEP_US)


def test_initial_evidence_is_numbered_through_the_command() -> None:
    """Components get numbers of the command's sequence; pieces of evidence count on across components and contexts."""
    pieces = [NewEvidence(value="x"), NewEvidence(value="y")]
    contexts = [
        ContextDefinition(
            path=[path], components=[ComponentDefinition(name=name, evidence=list(pieces)) for name in ("a", "b")]
        )
        for path in ("c", "d")
    ]
    command = MakeModel(id="m", definition=ModelDefinition(contexts=contexts))
    applied = apply(None, "alice", ADMIN_APP, command, 9, START_US)
    added = [change for change in applied.changes if isinstance(change, AddEvidence)]
    assert [each.component_no - 9 * NUMBERS_PER_COMMAND for each in added] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [each.n for each in added] == list(range(8))
    assert [told([each]).n for each in added] == list(range(8))


def test_a_loaded_component_needs_no_read_after_a_tell() -> None:
    """A new component is known to be empty, so what is told afterwards is all in memory."""
    person = Person()
    person.tell(value="Al")
    assert person.reads(Ask(context=["Personal"])) == []
    assert person.value() == "Al"


def test_a_tell_to_a_component_that_is_not_loaded_leaves_it_so() -> None:
    """Only the newest would be known then, not the newest of each kind."""
    person = Person()
    person.tell(flags=["goal"])
    person.reload()
    person.tell(value="Bo")
    assert list(person.caches.latest) == []
    assert person.value(resolver="goal") == "Al"


def test_no_model() -> None:
    """A tell before there is a model is refused with a stable code."""
    command = Tell(id="t", context=[], component="c", evidence=NewEvidence())
    with pytest.raises(Refusal) as caught:
        apply(None, "alice", "llum", command, 1, START_US)
    assert caught.value.code is Code.NO_SUCH_MODEL


@pytest.mark.parametrize(
    ("context", "component", "code", "field"),
    [
        (["Personal"], "nobody", Code.NO_SUCH_COMPONENT, "component"),
        (["Nowhere"], "firstname", Code.NO_SUCH_CONTEXT, "context"),
        (["Personal", "..", "x"], "y", Code.BAD_PATH, "context[1]"),
        (["Personal"], "a\0b", Code.BAD_PATH, "component"),
        (["Personal", ""], "y", Code.BAD_PATH, "context[1]"),
        (["x"] * 33, "y", Code.BAD_PATH, "context"),
        (["\ud800"], "y", Code.BAD_PATH, "context[0]"),
    ],
)
def test_where_a_tell_leads_nowhere(context: list[str], component: str, code: Code, field: str) -> None:
    """A bad path is told from one at which there is nothing."""
    command = Tell(id="t", context=context, component=component, evidence=NewEvidence(value="x"))
    error = Person().refuses(command)
    assert (error.code, error.field) == (code, field)


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("firstname", ""),
        ("firstname", "a\tb\r\nc ü\u2028 \x7f"),
        ("age", 3),
        ("age", -2.5),
        ("age", 2**63 - 1),
        ("age", -(2**63)),
        ("active", False),
        ("mood", "bad"),
        ("anything", None),
        ("anything", {"a": [1, "x", None, True, 1.5]}),
        ("anything", "text"),
        ("anything", nested(MAX_JSON_DEPTH)),
    ],
)
def test_values_that_fit(component: str, value: Any) -> None:
    """Each value type takes its values, to the bounds, and gives them back."""
    person = Person()
    person.tell(component, value)
    assert person.value(component) == value


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("firstname", 1),
        ("firstname", None),
        ("firstname", ["x"]),
        ("firstname", "nul \0"),
        ("firstname", "escape \x1b"),
        ("firstname", "\ud800"),
        ("age", "3"),
        ("age", True),
        ("age", None),
        ("age", math.nan),
        ("age", math.inf),
        ("age", 2**63),
        ("age", -(2**63) - 1),
        ("active", 1),
        ("active", "true"),
        ("mood", "so so"),
        ("mood", ["good"]),
        ("mood", None),
        ("anything", [1, [math.nan]]),
        ("anything", {"a": 2**70}),
        ("anything", {"a": ["\0"]}),
        ("anything", {"a": {"\x01": 1}}),
        ("anything", {1: 2}),
        ("anything", [(1, 2)]),
    ],
)
def test_values_that_do_not_fit(component: str, value: Any) -> None:
    """A value outside the component's type is refused, naming the field."""
    error = Person().refuses_tell(component, value)
    assert (error.code, error.field) == (Code.BAD_VALUE, "evidence.value")


@pytest.mark.parametrize("levels", [MAX_JSON_DEPTH + 1, 100_000])
def test_values_that_are_too_deep(levels: int) -> None:
    """Depth is bounded and costs no recursion."""
    error = Person().refuses_tell("anything", nested(levels))
    assert (error.code, error.field) == (Code.TOO_DEEP, "evidence.value")


def test_an_empty_list_is_a_level() -> None:
    """The innermost container counts even if nothing is in it."""
    value: Any = []
    for _ in range(MAX_JSON_DEPTH):
        value = {"a": value}
    assert Person().refuses_tell("anything", value).code is Code.TOO_DEEP


@pytest.mark.parametrize(
    ("members", "code", "field"),
    [
        ({"comment": "x" * (MAX_TEXT_CHARACTERS + 1)}, Code.TOO_LARGE, "evidence.comment"),
        ({"comment": "\0"}, Code.BAD_FIELD, "evidence.comment"),
        ({"flags": ["ok", "\x02"]}, Code.BAD_FIELD, "evidence.flags[1]"),
        ({"flags": [""]}, Code.BAD_FIELD, "evidence.flags[0]"),
        ({"flags": ["x" * 257]}, Code.TOO_LARGE, "evidence.flags[0]"),
        ({"flags": ["x"] * (MAX_LIST_ITEMS + 1)}, Code.TOO_LARGE, "evidence.flags"),
        ({"time": math.nan}, Code.BAD_FIELD, "evidence.time"),
        ({"time": -math.inf}, Code.BAD_FIELD, "evidence.time"),
        ({"time": 1e15}, Code.BAD_FIELD, "evidence.time"),
        ({"useby": math.inf}, Code.BAD_FIELD, "evidence.useby"),
        ({"extra": {"a": math.nan}}, Code.BAD_FIELD, "evidence.extra"),
        ({"extra": {"a\0": 1}}, Code.BAD_FIELD, "evidence.extra"),
        ({"extra": {"a": nested(MAX_JSON_DEPTH)}}, Code.TOO_DEEP, "evidence.extra"),
    ],
)
def test_other_members_that_are_wrong(members: dict[str, Any], code: Code, field: str) -> None:
    """Each member of evidence is checked, and named when it is wrong."""
    error = Person().refuses_tell(**members)
    assert (error.code, error.field) == (code, field)
