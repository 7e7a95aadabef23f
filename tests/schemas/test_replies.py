"""Every query has a reply of its own, in which all is said by types."""

import typing
from typing import Any

import msgspec
import pytest

from schemas.commands import SetPermission
from schemas.consequences import ChangedValue, GoingPiece
from schemas.definitions import ComponentDefinition, ImportedContext, ViewDefinition
from schemas.evidence import Evidence, ImportedEvidence, NewEvidence
from schemas.following import ToldValue
from schemas.granting import PreviewedComponent
from schemas.permissions import PERMISSION_PARTS
from schemas.preferences import PreferencesReply
from schemas.queries import LLUMS_OWN_QUERIES, QUERIES
from schemas.replies import REPLIES, ComponentAnswer, ContextReply, Failed, ViewDetails
from schemas.verbs import verb_of

WITH_EXTRA = (ComponentAnswer, ContextReply, ViewDetails, ComponentDefinition, ImportedContext, ViewDefinition)

ANYTHING = {
    (ComponentAnswer, "value"),
    (ChangedValue, "before"),
    (ChangedValue, "after"),
    (GoingPiece, "value"),
    (ToldValue, "value"),
    (PreviewedComponent, "value"),
    (PreferencesReply, "sets"),
    *((kind, "extra") for kind in WITH_EXTRA),
    *((kind, name) for kind in (Evidence, ImportedEvidence, NewEvidence) for name in ("value", "extra")),
}
"""What is by nature any JSON: the values that apps tell and resolvers give, and members that llum does not know."""


def structs_in(kind: Any, seen: set[Any]) -> set[Any]:
    """Find the structs that a type is made of."""
    if isinstance(kind, msgspec.StructMeta) and kind not in seen:
        seen.add(kind)
        for part in typing.get_type_hints(kind).values():
            structs_in(part, seen)
    for part in typing.get_args(kind):
        structs_in(part, seen)
    return seen


def says_anything(kind: Any) -> bool:
    return kind is Any or any(says_anything(part) for part in typing.get_args(kind))


def test_each_query_is_answered_by_the_reply_of_its_name() -> None:
    """The tags of the replies are the verbs of the queries that apps may ask, and `failed`."""
    verbs = [verb_of(query) for query in QUERIES if query not in LLUMS_OWN_QUERIES]
    assert sorted(map(verb_of, REPLIES)) == sorted([*verbs, verb_of(Failed)])


@pytest.mark.parametrize("reply", REPLIES, ids=verb_of)
def test_a_reply_says_what_is_in_it(reply: type[msgspec.Struct]) -> None:
    """At every depth; only what apps tell may be anything."""
    for struct in structs_in(reply, set()):
        for name, kind in typing.get_type_hints(struct).items():
            assert not says_anything(kind) or (struct, name) in ANYTHING, f"{struct.__name__}.{name}: {kind}"


@pytest.mark.parametrize("reply", REPLIES, ids=verb_of)
def test_a_reply_is_documented(reply: type[msgspec.Struct]) -> None:
    """In the words of its docstring, from which the reference is made."""
    assert (reply.__doc__ or "").strip()


def test_the_command_sets_all_parts_of_a_permission() -> None:
    """It is made of them, so that none can be forgotten."""
    assert set(PERMISSION_PARTS) <= set(SetPermission.__struct_fields__)
