"""Why a component has its value: what was used, and why the rest was not.

Looked at one by one are the newest `MAX_EVIDENCE_PAGE` pieces. What is older is counted only: as `filter` exactly as
far as the filter excluded it, and the remainder as `older`, though some of it may also have expired or be of the other
kind. `used` is always exact, however old it is.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from model.evidence import Selection, decode_evidence, is_expired, selected
from model.paging import Budget
from model.reading import Found, Read
from model.resolvers import Kind, Resolved, is_goal
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_PAGE
from schemas.replies import Reason

MAX_EXAMPLES: Final = 5
"""Pieces of evidence given with each reason, the newest first: enough to recognise what it is about."""

Why = Literal["filter", "expired", "goal_flag", "no_goal_flag", "older"]
_ORDER: Final[tuple[Why, ...]] = ("filter", "expired", "goal_flag", "no_goal_flag", "older")


class Looked(NamedTuple):
    """What the reads of an explanation found."""

    newest: Sequence[bytes]
    total: int
    passing: int | None
    """How many the filter lets through; None: the filter's name says it."""


def explain_reads(selection: Selection, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan what `looked` needs."""
    reads = {
        "newest": make(newest=MAX_EVIDENCE_PAGE, limit=MAX_EVIDENCE_PAGE),
        "total": make(limit=MAX_EVIDENCE_PAGE, count_only=True),
    }
    if selection.goal is not None or selection.since_us is not None:
        reads["passing"] = make(
            goal=selection.goal, since_us=selection.since_us, limit=MAX_EVIDENCE_PAGE, count_only=True
        )
    return reads


def looked(found: dict[str, Found]) -> Looked:
    passing = found["passing"].count if "passing" in found else None
    return Looked(found["newest"].bodies, found["total"].count, passing)


def left_out(
    at: Looked, selection: Selection, kind: Kind | None, used: Sequence[Evidence], now: float, budget: Budget
) -> list[Reason]:
    """Say why each piece of evidence that was not used was not, with counts and a few examples."""
    pieces = decode_evidence(at.newest)
    passing = {_id(piece) for piece in selected(selection, pieces)}
    using = {_id(piece) for piece in used}
    reasons = {why: Reason(reason=why, count=0, examples=[]) for why in _ORDER}
    for body, piece in zip(reversed(at.newest), reversed(pieces), strict=True):
        if _id(piece) in using:
            using.discard(_id(piece))
            continue
        reason = reasons[_why(piece, _id(piece) in passing, kind, now)]
        reason.count += 1
        if len(reason.examples) < MAX_EXAMPLES and budget.take(len(body)):
            reason.examples.append(piece)
    excluded, older = _unseen(at, selection, len(passing))
    reasons["filter"].count += excluded
    reasons["older"].count += older - len(using)
    return [reason for reason in reasons.values() if reason.count]


def _why(piece: Evidence, passes: bool, kind: Kind | None, now: float) -> Why:
    if not passes:
        return "filter"
    if is_expired(piece, now):
        return "expired"
    if kind == "plain" and is_goal(piece):
        return "goal_flag"
    if kind == "goal" and not is_goal(piece):
        return "no_goal_flag"
    return "older"


def _unseen(at: Looked, selection: Selection, passing_seen: int) -> tuple[int, int]:
    """Count what was not looked at: excluded by the filter, and let through."""
    unseen = at.total - len(at.newest)
    if selection.newest is not None:
        return unseen, 0
    let_through = unseen if at.passing is None else at.passing - passing_seen
    return unseen - let_through, let_through


def _id(piece: Evidence) -> tuple[int, int]:
    return piece.seq, piece.n


def resolved_used(resolved: Resolved) -> list[Evidence]:
    """Give what was used; of a resolver that uses very much, the newest."""
    return list(resolved.used[-MAX_EVIDENCE_PAGE:])
