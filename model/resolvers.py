"""Resolvers: pure functions from evidence to a value.

A resolver gets the evidence that the filter lets through and that has not expired, ascending by acceptance. A
registry is a mapping from names to resolvers and an argument of `plan_ask`, so an installation may extend `BUILT_IN`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from schemas.evidence import GOAL_FLAG, Evidence

DEFAULT_RESOLVER: Final = "default"

Kind = Literal["plain", "goal", "any"]
"""Evidence without the goal flag, with it, or either."""


class Resolved(msgspec.Struct, frozen=True):
    """A value and the evidence that gave it."""

    value: Any = None
    used: tuple[Evidence, ...] = ()


Resolve = Callable[[Sequence[Evidence]], Resolved]


class Resolver(msgspec.Struct, frozen=True):
    """`newest_of` promises that the value is that of the newest evidence of that kind: nothing else is read then."""

    name: str
    resolve: Resolve
    newest_of: Kind | None = None


Resolvers = Mapping[str, Resolver]


def is_goal(evidence: Evidence) -> bool:
    return GOAL_FLAG in evidence.flags


def resolve_default(evidence: Sequence[Evidence]) -> Resolved:
    """Give the value of the latest evidence that is no goal."""
    return _given(next((piece for piece in reversed(evidence) if not is_goal(piece)), None))


def resolve_goal(evidence: Sequence[Evidence]) -> Resolved:
    """Give the value of the latest evidence that is a goal."""
    return _given(next((piece for piece in reversed(evidence) if is_goal(piece)), None))


def resolve_recent(evidence: Sequence[Evidence]) -> Resolved:
    """Give the value of the latest evidence of any kind."""
    return _given(evidence[-1] if evidence else None)


def _given(piece: Evidence | None) -> Resolved:
    return Resolved() if piece is None else Resolved(piece.value, (piece,))


BUILT_IN: Final[Resolvers] = MappingProxyType(
    {
        "default": Resolver("default", resolve_default, "plain"),
        "goal": Resolver("goal", resolve_goal, "goal"),
        "recent": Resolver("recent", resolve_recent, "any"),
    }
)
