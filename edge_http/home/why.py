"""Why a value is what it is, in words for the person whose model it is."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from edge_http.home.values import ShownValue, shown
from schemas.evidence import Evidence
from schemas.explaining import Explanation, Reason, Skew
from schemas.paths import format_path

MAX_USED: Final = 5
"""Pieces of evidence that a page names one by one; more are counted."""

KINDS: Final = {
    "explicit": "said outright",
    "implicit": "observed",
    "exmachina": "by a machine",
    "inferred": "worked out",
    "stereotype": "assumed",
}
"""How it is known, by the type of evidence."""

REASONS: Final = {
    "filter": "not asked for",
    "expired": "no longer valid",
    "ahead": "not true yet: the time is still to come",
    "goal_flag": "a wish, not an observation",
    "no_goal_flag": "an observation, not a wish",
    "older": "older than what counts",
    "no_permission": "not to be seen here",
    "withdrawn": "taken back",
    "cause_withdrawn": "its reason was taken back",
    "outranked": "you have corrected it",
    "corrected": "your earlier correction",
}
"""Why evidence does not count."""

ORIGINS: Final = {
    "ask": "asked for here",
    "component": "set for this component",
    "context": "set for its context",
    "grant": "set by a permission",
    "default": "the usual one",
}
"""Where the resolver comes from."""


class ShownPiece(NamedTuple):
    """A piece of evidence, ready for a template."""

    value: ShownValue
    is_correction: bool
    kind: str
    source: str
    held: float
    notes: tuple[str, ...]
    known: float | None
    """When llum heard of it, if that was at quite another time."""
    comment: str | None


class ShownReason(NamedTuple):
    """Why some evidence does not count."""

    why: str
    number: int
    examples: list[ShownPiece]


class ShownWhy(NamedTuple):
    """Why a value is what it is."""

    resolver: str
    origin: str
    used: list[ShownPiece]
    more_used: int
    left_out: list[ShownReason]


def why(explanation: Explanation) -> ShownWhy:
    """Make an explanation ready to be shown."""
    skews = {(skew.seq, skew.n): skew for skew in explanation.skews}
    return ShownWhy(
        explanation.resolver,
        ORIGINS[explanation.resolver_from],
        [_piece(one, skews) for one in explanation.used[:MAX_USED]],
        max(0, len(explanation.used) - MAX_USED),
        [_reason(one, skews) for one in explanation.left_out],
    )


def _reason(reason: Reason, skews: Mapping[tuple[int, int], Skew]) -> ShownReason:
    return ShownReason(REASONS[reason.reason], reason.count, [_piece(one, skews) for one in reason.examples])


def _piece(one: Evidence, skews: Mapping[tuple[int, int], Skew]) -> ShownPiece:
    skew = skews.get((one.seq, one.n))
    return ShownPiece(
        shown(one.value),
        one.correction,
        KINDS[one.evidence_type],
        one.source,
        one.held_from,
        tuple(_notes(one)),
        skew.known if skew is not None and skew.large else None,
        one.comment,
    )


def _notes(one: Evidence) -> list[str]:
    """Say what else is worth knowing of a piece."""
    notes = [f"flag {flag}" for flag in one.flags]
    if one.rule is not None:
        notes.append(f"told by a rule{_because(one)}")
    if one.withdrawn is not None:
        notes.append(f"taken back by {one.withdrawn.by}")
    return notes


def _because(one: Evidence) -> str:
    cause = one.cause
    if cause is None:
        return ""
    if cause.person is not None:
        return f", because of something in the model of {cause.person}"
    return f", because of {format_path(cause.path) or '/'}"
