"""Why a component has its value: what was used, and why the rest was not.

Looked at one by one are the newest `MAX_EVIDENCE_PAGE` pieces. What is older is counted only: as `filter` exactly as
far as the filter excluded it, and the remainder as `older` (or `outranked`), though some of it may also have expired,
been withdrawn or be of the other kind. `used` is always exact, however old it is. Evidence that the app may not see is
counted only, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from model.evidence import Selection, decode_evidence, is_ahead, is_expired, selected, without_cause
from model.queries.ask.paging import Budget
from model.reads import Found, Read
from model.resolvers.registry import Considered, is_goal
from schemas.evidence import Evidence
from schemas.explaining import Reason, Skew
from schemas.limits import MAX_EVIDENCE_PAGE

MAX_EXAMPLES: Final = 5
"""Pieces of evidence given with each reason, the newest first: enough to recognise what it is about."""

LATE_S: Final = 86_400.0
"""Seconds after which evidence is late: it was not told when it held, but in a spool, an import, a memory."""

EARLY_S: Final = 60.0
"""Seconds by which clocks may differ: what is told further ahead is a plan, or the teller's clock is wrong."""

Why = Literal[
    "filter", "expired", "withdrawn", "cause_withdrawn", "ahead", "goal_flag", "no_goal_flag", "older", "outranked",
    "corrected",
]  # fmt: skip
_ORDER: Final[tuple[Why, ...]] = get_args(Why)


class Decided(NamedTuple):
    """How the value came about."""

    used: Sequence[Evidence]
    kind: Considered
    """What the resolver considers."""
    corrected: bool
    """It is the owner's correction that decided."""
    sees: Literal["all", "passing", "nothing"]
    """Which evidence the app may be shown: only what its filter lets through, if it may not choose the filter."""
    with_causes: bool
    """Whether it may be shown what rules have told it for."""
    counts_until: float
    """What held only later does not count."""
    held_at: float | None
    """What was true then is asked: what held only later is not even looked at by a filter."""

    def shown(self, piece: Evidence) -> Evidence:
        return piece if self.with_causes else without_cause(piece)


class Looked(NamedTuple):
    """What the reads of an explanation found."""

    newest: Sequence[bytes]
    total: int
    passing: int | None
    """How many the filter lets through; None: the filter's name says it."""


def explain_reads(selection: Selection, make: Callable[..., Read], marked: Mapping[str, Any]) -> dict[str, Read]:
    """Plan what `looked` needs. `marked` makes a read mark what has been withdrawn; empty: it does not exist."""
    count = {"limit": MAX_EVIDENCE_PAGE, "count_only": True, **({"withdrawn": "none"} if marked else {})}
    reads = {
        "newest": make(newest=MAX_EVIDENCE_PAGE, limit=MAX_EVIDENCE_PAGE, **marked),
        "total": make(**count),
    }
    if selection.kind is not None or selection.since_us is not None:
        reads["passing"] = make(kind=selection.kind, since_us=selection.since_us, **count)
    elif selection.is_period:
        period = {"by_held": True, "held_from": selection.held_from, "held_until": selection.held_until}
        reads["passing"] = make(**period, **count)
    return reads


def looked(found: dict[str, Found]) -> Looked:
    passing = found["passing"].count if "passing" in found else None
    return Looked(found["newest"].bodies, found["total"].count, passing)


def left_out(at: Looked, selection: Selection, decided: Decided, now: float, budget: Budget) -> list[Reason]:
    """Say why each piece of evidence that was not used was not, with counts and a few examples."""
    pieces = decode_evidence(at.newest)
    passing = {_id(piece) for piece in selected(selection, _looked_at(pieces, decided))}
    using = {_id(piece): piece for piece in decided.used}
    reasons = {why: Reason(reason=why, count=0, examples=[]) for why in _ORDER}
    for body, piece in zip(reversed(at.newest), reversed(pieces), strict=True):
        if using.pop(_id(piece), None) is not None:
            continue
        passes = _id(piece) in passing
        reason = reasons[_why(piece, passes, decided, now)]
        reason.count += 1
        shown = decided.sees == "all" or (decided.sees == "passing" and passes)
        if shown and len(reason.examples) < MAX_EXAMPLES and budget.take(len(body)):
            reason.examples.append(decided.shown(piece))
    excluded, let_through = _unseen(at, selection, len(selected(selection, pieces)))
    for piece in using.values():
        if selection.newest is None and selected(selection, [piece]):
            let_through -= 1
        else:
            excluded -= 1
    reasons["filter"].count += excluded
    reasons["outranked" if decided.corrected else "older"].count += let_through
    return [reason for reason in reasons.values() if reason.count]


def _looked_at(pieces: Sequence[Evidence], decided: Decided) -> Sequence[Evidence]:
    """Give what a filter looks at, in its order."""
    there = [piece for piece in pieces if piece.withdrawn is None]
    if decided.held_at is None:
        return there
    held = [piece for piece in there if piece.held_from <= decided.held_at]
    return sorted(held, key=lambda piece: (piece.held_from, piece.seq, piece.n))


def skews_of(pieces: Sequence[Evidence]) -> list[Skew]:
    """Say of each piece that has a time of its own when it held, when it became known, and what is between."""
    return [
        Skew(
            seq=piece.seq,
            n=piece.n,
            held=piece.time,
            known=piece.creation_time,
            skew_s=piece.creation_time - piece.time,
            large=not -EARLY_S <= piece.creation_time - piece.time <= LATE_S,
        )
        for piece in pieces
        if piece.time is not None
    ]


def _why(piece: Evidence, passes: bool, decided: Decided, now: float) -> Why:
    if piece.withdrawn is not None:
        return "withdrawn" if piece.withdrawn.cause is None else "cause_withdrawn"
    if decided.corrected and piece.correction:
        return "expired" if is_expired(piece, now) else "corrected"
    if decided.held_at is not None and piece.held_from > decided.held_at:
        return "ahead"
    if not passes:
        return "filter"
    if is_expired(piece, now):
        return "expired"
    if is_ahead(piece, decided.counts_until):
        return "ahead"
    return "outranked" if decided.corrected else _why_not_kind(piece, decided.kind)


def _why_not_kind(piece: Evidence, kind: Considered) -> Why:
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


def shown_used(decided: Decided) -> list[Evidence]:
    """Give what was used; of a resolver that uses very much, the newest."""
    return [] if decided.sees == "nothing" else [*map(decided.shown, decided.used[-MAX_EVIDENCE_PAGE:])]


def unshown_used(decided: Decided) -> list[Reason]:
    """Count what was used and may not be shown."""
    hidden = decided.sees == "nothing" and decided.used
    return [Reason(reason="no_permission", count=len(decided.used))] if hidden else []
