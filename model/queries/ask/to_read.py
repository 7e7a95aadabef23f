"""What is to be read for a component that memory cannot answer: what decides its value, and what is shown of it."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

from model.evidence import Selection, counts, first_us, is_expired, to_us
from model.latest import Latest
from model.queries.ask.parts import PendingAnswer, Plan
from model.queries.targets import Target
from model.reads import Read
from model.resolvers.registry import Considered
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE, MAX_REPLY_BYTES

_KINDS_OF: Final[dict[Considered, tuple[Literal["plain", "goal"], ...]]] = {
    "plain": ("plain",),
    "goal": ("goal",),
    "any": ("plain", "goal"),
}


def maker(plan: Plan, target: Target) -> Callable[..., Read]:
    query = plan.query
    seq_max = plan.seq if query.as_of_seq is None else min(plan.seq, query.as_of_seq)
    until_us = None if query.as_of_time is None else to_us(query.as_of_time)
    if plan.shown_until is not None:
        seq_max = plan.seq
    make = partial(
        Read,
        component_no=target.number,
        seq_max=seq_max,
        until_us=until_us,
        withdrawn="left_out" if target.leaf.withdrawals else "none",
        withdrawn_by=plan.withdrawn_by,
        held_order=target.leaf.held_order,
        types=target.grant.types,
    )
    since = target.grant.since
    return make if since is None else partial(_read_since, make, first_us(since))


def _read_since(make: Callable[..., Read], first: int, since_us: int | None = None, **bounds: Any) -> Read:
    """Make a read of evidence that exists for an app: what was accepted earlier does not."""
    return make(since_us=first if since_us is None else max(first, since_us), **bounds)


def correction_reads(plan: Plan, latest: Latest | None, make: Callable[..., Read]) -> dict[str, Read]:
    if latest is not None and counts(latest.correction, plan.now):
        return {}
    bounds = {} if plan.query.held_at is None else {"by_held": True, "held_until": plan.query.held_at}
    return {"correction": make(kind="correction", unexpired_at=plan.now, newest=1, limit=1, **bounds)}


def _period(plan: Plan, selection: Selection) -> dict[str, Any]:
    """Give the bounds of reads by the time at which evidence held; none: they are in the order of acceptance."""
    at, until = plan.query.held_at, selection.held_until
    if at is None and not selection.is_period:
        return {}
    if at is not None:
        until = at if until is None else min(at, until)
    return {"by_held": True, "held_from": selection.held_from, "held_until": until}


def value_reads(plan: Plan, part: PendingAnswer, latest: Latest | None, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan what decides the value: what the resolver sees, or only the newest of it if that decides."""
    selection, kind, period = part.selection, part.resolver.newest_of, _period(plan, part.selection)
    if selection.newest is not None:
        return {"window": make(newest=selection.newest, limit=selection.newest, **period)}
    if kind is None:
        limit = MAX_EVIDENCE_CONSIDERED + 1
        whole = {"whole": make(kind=selection.kind, since_us=selection.since_us, limit=limit, **period)}
        return whole | _before_reads(plan, part, make)
    if part.over_latest:
        return _latest_reads(part, latest, kind, plan.now, make)
    if kind == "plain" and selection.kind == "goal":
        return {}
    only = selection.kind if kind == "any" else kind
    newest = partial(make, since_us=selection.since_us, unexpired_at=plan.now, newest=1, limit=1)
    return {"value": newest(kind=only, **({"by_held": part.by_held} | period))}


def _before_reads(plan: Plan, part: PendingAnswer, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan to read what held when a period began, for a resolver of spans."""
    first = part.selection.held_from
    if first is None or not part.resolver.spans:
        return {}
    just_before = math.nextafter(first, -math.inf)
    newest = partial(make, kind="plain", unexpired_at=plan.now, newest=1, limit=1)
    return {"before": newest(by_held=True, held_until=just_before)}


def _latest_reads(
    part: PendingAnswer, latest: Latest | None, kind: Considered, now: float, make: Callable[..., Read]
) -> dict[str, Read]:
    """Plan reads of the latest. What is not bounded by time is kept in memory."""
    newest = partial(make, unexpired_at=now, newest=1, limit=1)
    reads: dict[str, Read] = {}
    if latest is None:
        reads = {each: newest(kind=each) for each in _KINDS_OF["any"]}
    elif not part.by_held:
        pieces = {each: latest.plain if each == "plain" else latest.goal for each in _KINDS_OF[kind]}
        reads = {
            each: newest(kind=each, **_behind(part, piece, now))
            for each, piece in pieces.items()
            if not counts(piece, now)
        }
    if part.by_held:
        last = None if latest is None or not latest.knows_held else latest.held_last
        is_known = latest is not None and latest.knows_held and not _stale(last, now)
        if not is_known or (last is not None and last.held_from > part.counts_until):
            reads["held"] = newest(kind="plain", by_held=True, **_behind(part, last, now))
    return reads


def _behind(part: PendingAnswer, latest: Evidence | None, now: float) -> dict[str, float]:
    """Bound a read where the latest is known, and is ahead: what is behind it counts."""
    is_ahead_only = latest is not None and not _stale(latest, now) and latest.held_from > part.counts_until
    return {"held_until": part.counts_until} if is_ahead_only else {}


def page_read(plan: Plan, make: Callable[..., Read]) -> Read:
    selection, period = plan.selection, _period(plan, plan.selection)
    if selection.newest is not None:
        return make(newest=selection.newest, limit=selection.newest, **period)
    return make(
        **period,
        kind=selection.kind,
        since_us=selection.since_us,
        after=plan.query.evidence_after,
        limit=MAX_EVIDENCE_PAGE + 1,
        max_bytes=MAX_REPLY_BYTES,
    )


def _stale(piece: Evidence | None, now: float) -> bool:
    """Tell whether there is a piece that no longer counts: an older one may then take its place."""
    return piece is not None and is_expired(piece, now)
