"""What a resolver is: a pure function from evidence to a value, with the arguments that it declares.

A resolver gets the evidence that the filter lets through and that still counts (not expired, not withdrawn),
ascending by acceptance; the time, which it must not take from a clock; and its arguments, checked against what it
declares. The owner's correction stands above every resolver, which is then not called. A registry is a mapping from
names to resolvers and an argument of `answer`, so an installation may add its own to those that llum ships.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from model.checks import check_json
from schemas.errors import Code, Refusal
from schemas.evidence import GOAL_FLAG, Evidence

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


class Day(NamedTuple):
    """A day of a time zone."""

    name: str
    """Such as `2031-05-04`."""
    begin: float
    """Its midnight, seconds since 1970."""
    end: float
    """The next one's."""


Days = Callable[[str | None, float, float], Sequence[Day]]
"""Gives the days of a zone (None: that of the installation) that lie between two times, at least in part.

Time-zone data change, so this comes from outside; nothing that is kept depends on it. Raises `bad_field`.
"""

Function = Callable[[Sequence[Evidence], float, Arguments], Resolved]


class Resolver(msgspec.Struct, frozen=True):
    """`newest_of` promises that the value is that of the newest evidence of that kind: nothing else is read then."""

    name: str
    resolve: Function
    newest_of: Considered | None = None
    description: str = ""
    arguments: Mapping[str, Argument] = {}
    considers: Considered = "any"
    """For explanations: evidence of the other kind never counts for it."""
    by_held: bool = False
    """With `newest_of`: the newest is what held last, and nothing counts that held only after now."""
    spans: bool = False
    """Each value holds until the next one: in a period that begins amid one, that one counts from the beginning on.

    Its arguments `since` and `until` are then the period's.
    """
    elsewhere: Any = None
    """Who runs it, if it is not run here: `resolve` is not called then. The model only hands this on."""


Resolvers = Mapping[str, Resolver]


def checked_arguments(resolver: Resolver, given: Arguments) -> Arguments:
    """Complete what was given with defaults. Raises `bad_field` naming the argument."""
    for name in given:
        if name not in resolver.arguments:
            known = ", ".join(sorted(resolver.arguments)) or "none"
            message = f"the resolver {resolver.name} has no argument {name[:80]!r}"
            raise Refusal(Code.BAD_FIELD, message, "resolver_arguments", f"it has: {known}")
    return {name: _checked(name, declared, given) for name, declared in resolver.arguments.items()}


class Resolve(msgspec.Struct, frozen=True):
    """A resolver's run, which an answer asks for: it may be another process that has the resolver.

    The answer is sent a `Resolved`, or the `Refusal` that says why there is none.
    """

    resolver: Resolver
    evidence: Sequence[Evidence]
    """What counts, ascending by acceptance."""
    now: float
    """Seconds since 1970."""
    arguments: Arguments


def run(resolver: Resolver, evidence: Sequence[Evidence], now: float, arguments: Arguments) -> Resolved:
    """Resolve, or raise `resolver_failed`: what a plug-in does wrong is its component's failure and no more."""
    try:
        resolved = resolver.resolve(evidence, now, arguments)
        if not isinstance(resolved, Resolved):
            raise TypeError("a resolver gives a Resolved")
        check_json(resolved.value, "value", Code.RESOLVER_FAILED)
        return resolved
    except Refusal as refusal:
        if refusal.code is Code.BAD_FIELD:
            raise
        raise failed(resolver.name, refusal.message) from refusal
    except Exception as error:
        raise failed(resolver.name, f"{type(error).__name__}: {str(error)[:200]}") from error


def failed(name: str, why: str) -> Refusal:
    """Make the refusal of a component whose resolver gives no value."""
    return Refusal(Code.RESOLVER_FAILED, f"the resolver {name} failed: {why}", "resolver", "name another resolver")


def resolved_or_refused(wanted: Resolve) -> Resolved | Refusal:
    """Run a resolver here."""
    try:
        return run(wanted.resolver, wanted.evidence, wanted.now, wanted.arguments)
    except Refusal as refusal:
        return refusal


def is_goal(evidence: Evidence) -> bool:
    return GOAL_FLAG in evidence.flags and not evidence.correction


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
