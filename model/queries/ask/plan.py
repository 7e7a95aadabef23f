"""What is to be read for an answer: the evidence that decides the value, a page of it, and what explains it.

Evidence that has been withdrawn is left out of what decides, and marked in pages and explanations. A component that
never had a withdrawal pays nothing for that.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import msgspec

from model.caches import Latest
from model.evidence import EVERYTHING, Selection, is_expired, to_us
from model.permissions import Grant
from model.queries.ask.explain import explain_reads
from model.queries.targets import Target
from model.reads import Read
from model.resolvers.registry import Arguments, Considered, Resolver
from model.state import Component
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE
from schemas.paths import Path
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer

ResolverFrom = Literal["ask", "component", "context", "default", "grant"]

SLOTS: Final = ("plain", "goal", "correction")
_KINDS_OF: Final[dict[Considered, tuple[Literal["plain", "goal"], ...]]] = {
    "plain": ("plain",),
    "goal": ("goal",),
    "any": ("plain", "goal"),
}


class PendingAnswer(msgspec.Struct, kw_only=True):
    """A component whose answer waits for reads."""

    answer: ComponentAnswer
    resolver: Resolver
    resolver_from: ResolverFrom
    arguments: Arguments
    grant: Grant
    path: Path
    """Of the context."""
    name: str
    component_no: int
    latest: Latest
    """The latest evidence as it was known at the time of the plan; what was not known is read."""
    over_latest: bool
    """The value comes from that."""
    reads: dict[str, int] = {}
    """What each read is for, and its index in the plan."""

    @property
    def sees(self) -> Literal["all", "passing", "nothing"]:
        """Which evidence the app may be shown."""
        if self.grant.bind_resolver is not None:
            return "nothing"
        return "all" if self.grant.filters is None else "passing"

    def shows_evidence(self, query: Ask) -> bool:
        return query.include_evidence and self.sees != "nothing"


class Plan(msgspec.Struct, kw_only=True):
    """A reply in the making, and the evidence to read for it. Holds nothing that later commands change."""

    seq: int
    now: float
    query: Ask
    selection: Selection
    as_of: bool
    """About the past: memory, which is of the present, is neither used nor kept."""
    reply: AskReply
    reads: list[Read] = []
    open: list[PendingAnswer] = []


def open_part(
    plan: Plan,
    target: Target,
    answer: ComponentAnswer,
    resolver: Resolver,
    arguments: Arguments,
    latest: Latest | None,
) -> PendingAnswer:
    """Leave a component open, and plan what is to be read for it."""
    query, component = plan.query, target.component
    known = Latest(latest.plain, latest.goal, latest.correction) if latest is not None else Latest()
    part = PendingAnswer(
        answer=answer,
        resolver=resolver,
        resolver_from=resolver_from(query, target),
        arguments=arguments,
        grant=target.grant,
        path=target.place.path,
        name=target.name,
        component_no=component.number,
        latest=known,
        over_latest=resolver.newest_of is not None and plan.selection is EVERYTHING,
    )
    make = _maker(plan, component)
    marked = {"withdrawn": "marked"} if component.withdrawals else {}
    reads = _correction_reads(latest, plan.now, make) | _value_reads(plan, resolver, latest, make)
    if part.shows_evidence(query) and (marked or not reads.keys() & {"window", "whole"}):
        reads["page"] = _page_read(plan, partial(make, **marked))
    if query.explain:
        reads |= explain_reads(plan.selection, make, marked)
    for role, read in reads.items():
        part.reads[role] = len(plan.reads)
        plan.reads.append(read)
    return part


def _maker(plan: Plan, component: Component) -> Callable[..., Read]:
    query = plan.query
    seq_max = plan.seq if query.as_of_seq is None else min(plan.seq, query.as_of_seq)
    until_us = None if query.as_of_time is None else to_us(query.as_of_time)
    withdrawn: Literal["left_out", "none"] = "left_out" if component.withdrawals else "none"
    return partial(Read, component_no=component.number, seq_max=seq_max, until_us=until_us, withdrawn=withdrawn)


def _correction_reads(latest: Latest | None, now: float, make: Callable[..., Read]) -> dict[str, Read]:
    if latest is not None and not stale(latest.correction, now):
        return {}
    return {"correction": make(kind="correction", unexpired_at=now, newest=1, limit=1)}


def _value_reads(plan: Plan, resolver: Resolver, latest: Latest | None, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan what decides the value: what the filter lets through, or only the newest of it if that decides."""
    selection, kind = plan.selection, resolver.newest_of
    if selection.newest is not None:
        return {"window": make(newest=selection.newest, limit=selection.newest)}
    if kind is None:
        limit = MAX_EVIDENCE_CONSIDERED + 1
        return {"whole": make(kind=selection.kind, since_us=selection.since_us, limit=limit)}
    if selection is EVERYTHING:
        return _latest_reads(latest, kind, plan.now, make)
    if kind == "plain" and selection.kind == "goal":
        return {}
    only = selection.kind if kind == "any" else kind
    return {"value": make(kind=only, since_us=selection.since_us, unexpired_at=plan.now, newest=1, limit=1)}


def _latest_reads(latest: Latest | None, kind: Considered, now: float, make: Callable[..., Read]) -> dict[str, Read]:
    kinds = _KINDS_OF["any"] if latest is None else _KINDS_OF[kind]
    return {
        each: make(kind=each, unexpired_at=now, newest=1, limit=1)
        for each in kinds
        if latest is None or stale(latest.plain if each == "plain" else latest.goal, now)
    }


def _page_read(plan: Plan, make: Callable[..., Read]) -> Read:
    selection = plan.selection
    if selection.newest is not None:
        return make(newest=selection.newest, limit=selection.newest)
    return make(
        kind=selection.kind,
        since_us=selection.since_us,
        after=plan.query.evidence_after,
        limit=MAX_EVIDENCE_PAGE + 1,
    )


def resolver_from(query: Ask, target: Target) -> ResolverFrom:
    """Say where the resolver's name comes from."""
    if target.grant.bind_resolver is not None:
        return "grant"
    if query.resolver:
        return "ask"
    if target.component.resolver:
        return "component"
    return "context" if target.place.resolver else "default"


def stale(piece: Evidence | None, now: float) -> bool:
    """Tell whether there is a piece that no longer counts: an older one may then take its place."""
    return piece is not None and is_expired(piece, now)
