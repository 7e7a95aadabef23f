"""Resolvers: pure functions from evidence to a value.

A resolver gets the evidence that the filter lets through and that still counts (not expired, not withdrawn),
ascending by acceptance; the time, which it must not take from a clock; and its arguments, checked against what it
declares. The owner's correction stands above every resolver, which is then not called. A registry is a mapping from
names to resolvers and an argument of `plan_ask`, so an installation may extend `BUILT_IN`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from model.checks import check_json
from schemas.errors import Code, Refusal
from schemas.evidence import GOAL_FLAG, Evidence

DEFAULT_RESOLVER: Final = "default"

Considered = Literal["plain", "goal", "any"]
"""The kind of evidence that may decide, or any: a correction decides before all of them."""


class Resolved(msgspec.Struct, frozen=True):
    """A value and the evidence that gave it, ascending by acceptance."""

    value: Any = None
    used: tuple[Evidence, ...] = ()


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said to a resolver under a name."""

    kind: Literal["number", "string", "boolean", "JSON"]
    default: Any = None
    """Its value when nothing is said; not checked, so it may be null."""
    above: float | None = None
    """A number must be larger than this."""
    description: str = ""


Arguments = Mapping[str, Any]
"""One value for each argument that the resolver declares."""

Resolve = Callable[[Sequence[Evidence], float, Arguments], Resolved]


class Resolver(msgspec.Struct, frozen=True):
    """`newest_of` promises that the value is that of the newest evidence of that kind: nothing else is read then."""

    name: str
    resolve: Resolve
    newest_of: Considered | None = None
    description: str = ""
    arguments: Mapping[str, Argument] = {}
    considers: Considered = "any"
    """For explanations: evidence of the other kind never counts for it."""


Resolvers = Mapping[str, Resolver]


def checked_arguments(resolver: Resolver, given: Arguments) -> Arguments:
    """Complete what was given with defaults. Raises `bad_field` naming the argument."""
    for name in given:
        if name not in resolver.arguments:
            known = ", ".join(sorted(resolver.arguments)) or "none"
            message = f"the resolver {resolver.name} has no argument {name[:80]!r}"
            raise Refusal(Code.BAD_FIELD, message, "resolver_arguments", f"it has: {known}")
    return {name: _checked(name, declared, given) for name, declared in resolver.arguments.items()}


def run(resolver: Resolver, evidence: Sequence[Evidence], now: float, arguments: Arguments) -> Resolved:
    """Resolve, or raise `resolver_failed`: what a plug-in does wrong is its component's failure and no more."""
    try:
        resolved = resolver.resolve(evidence, now, arguments)
        if not isinstance(resolved, Resolved):
            raise TypeError("a resolver gives a Resolved")
        check_json(resolved.value, "value", Code.RESOLVER_FAILED)
        return resolved
    except Exception as error:
        message = f"the resolver {resolver.name} failed: {type(error).__name__}: {str(error)[:200]}"
        raise Refusal(Code.RESOLVER_FAILED, message, "resolver", "name another resolver") from error


def is_goal(evidence: Evidence) -> bool:
    return GOAL_FLAG in evidence.flags and not evidence.correction


def resolve_default(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence that is no goal."""
    return given_by(next((piece for piece in reversed(evidence) if not is_goal(piece)), None))


def resolve_goal(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence that is a goal."""
    return given_by(next((piece for piece in reversed(evidence) if is_goal(piece)), None))


def resolve_recent(evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
    """Give the value of the latest evidence of any kind."""
    return given_by(evidence[-1] if evidence else None)


def given_by(piece: Evidence | None) -> Resolved:
    """Give a single piece's value."""
    return Resolved() if piece is None else Resolved(piece.value, (piece,))


def _checked(name: str, declared: Argument, given: Arguments) -> Any:
    if name not in given:
        return declared.default
    value, field = given[name], f"resolver_arguments.{name}"
    if declared.kind != "JSON" and not isinstance(value, _TYPES[declared.kind]):
        raise Refusal(Code.BAD_FIELD, f"the argument {name} must be a {declared.kind}", field)
    if declared.kind == "number" and (isinstance(value, bool) or not math.isfinite(value)):
        raise Refusal(Code.BAD_FIELD, f"the argument {name} must be a finite number", field)
    if declared.above is not None and value <= declared.above:
        raise Refusal(Code.BAD_FIELD, f"the argument {name} must be above {declared.above:g}", field)
    return value


_TYPES: Final[dict[str, type | tuple[type, ...]]] = {"number": (int, float), "string": str, "boolean": bool}

LATEST: Final = (
    Resolver("default", resolve_default, "plain", "the latest value that is no goal", considers="plain"),
    Resolver("goal", resolve_goal, "goal", "the latest goal", considers="goal"),
    Resolver("recent", resolve_recent, "any", "the latest value of any kind"),
)

BUILT_IN: Final[Resolvers] = MappingProxyType({resolver.name: resolver for resolver in LATEST})
