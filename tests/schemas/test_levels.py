"""Levels: what is of a higher one is refused as an llum refuses it that has never heard of it."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.level_subjects import RAISE_VERB
from schemas.codec import decode_command, decode_query, encode
from schemas.commands import COMMAND_VERBS, Command, MakeComponent, MakeContext, SetGoals, Tell
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Error, Refusal
from schemas.evidence import NewEvidence
from schemas.levels import ADDED, FIRST_LEVEL, NEWEST, Added, Levels, RaiseLevel, decode_raise
from schemas.queries import ListApps, Query
from schemas.verbs import verb_of

LATER = {
    2: Added(frozenset({SetGoals}), frozenset({(NewEvidence, "comment")})),
    3: Added(frozenset({ListApps}), frozenset({(Tell, "convert")})),
}
"""As if some of what there is had come later: so no verb need be made up."""

VERSIONS = {known: Levels(newest=known, added=LATER) for known in (1, 2, 3)}
"""What each version of llum knows, by the highest level that it does."""

CAUSE = {"rule": "1", "root": "alice.1", "depth": 1}
TOLD = {"verb": "tell", "id": "1", "context": ["a"], "component": "x", "evidence": {"value": 1}}


def changed(told: dict[str, Any], **members: Any) -> bytes:
    return encode({**told, **members})


def said(data: bytes, verb: str, levels: Levels, level: int) -> Error | None:
    """Give what a worker says to a command; None: it takes it."""
    try:
        decode_command(data, verb, levels.at(level).commands)
    except Refusal as refusal:
        return refusal.error
    return None


@pytest.mark.parametrize(
    ("data", "verb", "since"),
    [
        (encode(SetGoals(id="1", context=["a"], component="x", goals=[])), "set_goals", 2),
        (changed(TOLD, evidence={"value": 1, "comment": "seen"}), "tell", 2),
        # Given as it is by default, it is given all the same: an earlier llum refuses it.
        (changed(TOLD, evidence={"value": 1, "comment": None}), "tell", 2),
        (changed(TOLD, convert=False), "tell", 3),
        # What extends a struct has its members.
        (changed(TOLD, verb="derive", cause=CAUSE, convert=True), "derive", 3),
        (
            encode(
                MakeComponent(
                    id="1",
                    context=["a"],
                    component=ComponentDefinition(name="x", evidence=[NewEvidence(value=1, comment="first")]),
                )
            ),
            "make_component",
            2,
        ),
    ],
)
def test_what_a_level_has_added_is_refused_below_it_by_all_alike(data: bytes, verb: str, since: int) -> None:
    """Given verbs and members of a level, an llum that knows them refuses them below it with the words of one that does
    not.
    """
    newest = VERSIONS[3]
    for level in range(1, 4):
        by_newest = said(data, verb, newest, level)
        by_others = {said(data, verb, VERSIONS[known], level) for known in range(level, 4)}
        assert by_others == {by_newest}
        if level < since:
            assert by_newest is not None
            assert by_newest.code in (Code.UNKNOWN_VERB, Code.BAD_FIELD)
            assert "llum admin upgrade" in (by_newest.hint or "")
            assert f"level {level}" in (by_newest.hint or "")
        else:
            assert by_newest is None


def test_an_unknown_verb_is_told_those_of_the_level() -> None:
    refused = said(b'{"verb":"wave","id":"1"}', "wave", VERSIONS[3], 1)
    assert refused is not None
    assert refused.hint is not None
    assert "set_goals" not in refused.hint
    assert "tell" in refused.hint


def test_queries_have_levels_too() -> None:
    """An ask that is refused by some workers and answered by others would depend on who hears it."""
    levels = VERSIONS[3]
    data = encode(ListApps())
    assert decode_query(data, "list_apps", levels.at(3).queries) == ListApps()
    with pytest.raises(Refusal) as refused:
        decode_query(data, "list_apps", levels.at(2).queries)
    assert refused.value.code is Code.UNKNOWN_VERB


MEMBERS = st.sampled_from(["comment", "convert", "flags", "time", "wave", "id", "v", "goals", "verb"])
VALUES = st.sampled_from([None, 1, "x", [], {}, True, ["a"], {"value": 1, "comment": "x"}, {"value": 1, "wave": 1}])


@given(
    st.dictionaries(MEMBERS, VALUES, max_size=3),
    st.dictionaries(MEMBERS, VALUES, max_size=3),
    st.sampled_from(["tell", "set_goals", "derive", "make_context", "wave"]),
    st.integers(1, 3),
)
def test_workers_of_all_versions_say_the_same(
    members: dict[str, Any], within: dict[str, Any], verb: str, level: int
) -> None:
    """Whatever comes, all that know the level say the same: else their states would differ."""
    permissions = {"lamp": within}
    data = encode({**TOLD, "evidence": {"value": 1, **within}, "permissions": permissions, **members, "verb": verb})
    if verb == "make_context":
        data = encode({"id": "1", "verb": verb, "context": [], "name": "a", "permissions": permissions, **members})
    assert len({said(data, verb, VERSIONS[known], level) for known in range(level, 4)}) == 1


def within(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Give all structs of which something of this type is made."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from within(field.type)
    for argument in get_args(kind):
        yield from within(argument)


@pytest.mark.parametrize("union", [Command, Query])
def test_no_struct_holds_itself(union: Any) -> None:
    """Structs of earlier levels are made from the inside out: one that holds itself would have no inside."""

    def check(kind: Any, above: list[Any]) -> None:
        assert kind not in above
        for field in (
            msgspec.structs.fields(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else ()
        ):
            check(field.type, [*above, kind])
        for argument in get_args(kind):
            check(argument, above)

    check(union, [])


def test_unknown_members_are_refused_wherever_they_stand() -> None:
    """A later llum may know what this one does not: what one ignores and another obeys would make them differ."""
    for told, verb in (
        (changed(TOLD, evidence={"value": 1, "wave": 1}), "tell"),
        (encode({"verb": "make_context", "id": "1", "context": [], "name": "a", "permissions": {"b": {"wave": 1}}}),
         "make_context"),
        (encode({"verb": "import", "id": "1", "context": [], "contexts": [], "decisions": [
            {"app": "a", "decision": "allowed", "time": 1.0, "by": "b", "wave": 1}]}), "import"),
    ):  # fmt: skip
        refused = said(told, verb, Levels(), FIRST_LEVEL)
        assert refused is not None
        assert refused.code is Code.BAD_FIELD
        assert "wave" in (refused.field or "")


def test_what_is_there_is_read_as_before() -> None:
    known = Levels().at(NEWEST)
    made = MakeContext(id="1", context=[], name="a")
    assert decode_command(encode(made), "make_context", known.commands) == made
    assert known.commands.verbs == COMMAND_VERBS


def test_what_levels_have_added_is_in_the_schemas() -> None:
    """A level names verbs and members that there are; whoever does not know a member does without it."""
    there = {*within(Command), *within(Query)}
    assert sorted(ADDED) == list(range(FIRST_LEVEL + 1, NEWEST + 1))
    for added in ADDED.values():
        assert added.verbs <= {*get_args(Command), *get_args(Query)}
        for kind, name in added.members:
            assert kind in there
            assert any(field.name == name and not field.required for field in msgspec.structs.fields(kind))


def test_raising_the_level_is_the_same_command_for_ever() -> None:
    command = RaiseLevel(id="1", level=7)
    assert encode(command) == b'{"verb":"raise_level","id":"1","v":1,"level":7}'
    assert decode_raise(encode(command)) == command
    assert verb_of(command) == RAISE_VERB
    good = {"verb": "raise_level", "id": "1", "level": 2}
    for wrong in ({"level": 0}, {"level": "2"}, {"force": True}, {"id": "a b"}, {"v": 2}):
        with pytest.raises(Refusal):
            decode_raise(encode({**good, **wrong}))
