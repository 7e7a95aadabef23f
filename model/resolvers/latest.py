"""The resolvers that give the latest value. They need only the latest evidence of a kind, which is kept in memory.

The latest is what was accepted last. For `latest_held`, and for all of them where an ask speaks of the time at which
something held, it is what held last: evidence is then given in that order.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from model.resolvers.registry import Arguments, Resolved, Resolver, Resolvers, given_by, is_goal
from schemas.evidence import Evidence

DEFAULT_RESOLVER: Final = "default"


def resolve_default(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence that is no goal."""
    return given_by(next((piece for piece in reversed(evidence) if not is_goal(piece)), None))


def resolve_goal(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence that is a goal."""
    return given_by(next((piece for piece in reversed(evidence) if is_goal(piece)), None))


def resolve_recent(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence of any kind."""
    return given_by(evidence[-1] if evidence else None)


def resolve_latest_held(evidence: Sequence[Evidence], now: float, _arguments: Arguments) -> Resolved:
    """Give the value that held last, and is no goal: by `time`, or else by acceptance; of two at once the newer one.

    What is told late takes its place in the past. What is told ahead counts from its time on.
    """
    held = [piece for piece in evidence if not is_goal(piece) and (piece.time is None or piece.time <= now)]
    return given_by(max(held, key=lambda piece: (piece.held_from, piece.seq, piece.n), default=None))


LATEST: Final = (
    Resolver("default", resolve_default, "plain", "the latest value that is no goal", considers="plain"),
    Resolver("goal", resolve_goal, "goal", "the latest goal", considers="goal"),
    Resolver("recent", resolve_recent, "any", "the latest value of any kind"),
    Resolver("latest_held", resolve_latest_held, "plain", "the value that held last", considers="plain", by_held=True),
)

BUILT_IN: Final[Resolvers] = MappingProxyType({resolver.name: resolver for resolver in LATEST})
