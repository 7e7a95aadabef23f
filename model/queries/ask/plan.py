"""What an ask can answer from memory, and what is to be read for the rest.

The built-in resolvers over all evidence need only the latest of each kind, which the caches keep: then there is nothing
to read and the cost does not depend on how much evidence there is. Otherwise there is to read what decides the value, a
page of evidence, and what explains the value. Evidence that has been withdrawn is left out of what decides; in pages
and explanations it is marked for the owner's apps, and does not exist for others. A component that never had a
withdrawal pays nothing for that.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

import msgspec

from model.caches import Caches
from model.evidence import EVERYTHING, Selection, first_us, is_expired, selection_of, to_us
from model.latest import Latest, LatestPieces
from model.permissions import OWNER, Asker, Grant, denied
from model.queries.ask.explain import explain_reads
from model.queries.past import Then, too_far_back
from model.queries.targets import Target, Targets, find_targets
from model.queries.visible import view_details, visible_contexts, visible_rules, visible_views, with_former_rules
from model.reads import Read
from model.resolvers.latest import DEFAULT_RESOLVER
from model.resolvers.registry import Arguments, Considered, Resolved, Resolver, Resolvers, checked_arguments
from model.sight import Sight
from model.state import Model
from schemas.errors import Code, LlumError, Refusal
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE, MAX_REPLY_BYTES
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer, ComponentFailure

ResolverFrom = Literal["ask", "component", "context", "default", "grant"]

_KINDS_OF: Final[dict[Considered, tuple[Literal["plain", "goal"], ...]]] = {
    "plain": ("plain",),
    "goal": ("goal",),
    "any": ("plain", "goal"),
}


_NOT_LOOKED_AT: Final = LatestPieces()
"""What is known of a model of the past."""


class PendingAnswer(msgspec.Struct, kw_only=True):
    """A component whose answer waits for reads."""

    answer: ComponentAnswer
    resolver: Resolver
    resolver_from: ResolverFrom
    arguments: Arguments
    grant: Grant
    component_no: int
    latest: Latest
    """The latest evidence as it was known at the time of the plan; what was not known is read."""
    selection: Selection
    """What the resolver sees."""
    reads: dict[str, int] = {}
    """What each read is for, and its index in the plan."""
    resolved: Resolved | LlumError | None = None
    """What a resolver that runs elsewhere has given."""

    @property
    def over_latest(self) -> bool:
        """Tell whether the latest evidence decides the value."""
        return self.resolver.newest_of is not None and self.selection is EVERYTHING

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
    """What is shown, and unless the ask says otherwise what the resolvers see."""
    reply: AskReply
    reads: list[Read] = []
    open: list[PendingAnswer] = []
    elsewhere: list[PendingAnswer] = []
    """Those of them whose resolver does not run here."""
    at: float | None = None
    """See `model.queries.past.Then`, as what follows."""
    withdrawn_by: int | None = None
    shown_until: int | None = None


def plan_ask(
    model: Model, asker: Asker, query: Ask, resolvers: Resolvers, caches: Caches | None, then: Then | None
) -> Plan:
    """Plan an ask of the model as it is, or as it was `then`.

    `caches` are the model's; None for a model of the past. Raises a `Refusal` if nothing can be answered; a component
    that cannot is a failure in the reply.
    """
    selection = selection_of(query.evidence_filter)
    if then is not None:
        model = then.model
    targets = find_targets(model, asker, query)
    reply = AskReply(seq=model.seq, failures=targets.failures)
    known = _NOT_LOOKED_AT if caches is None else caches.latest
    plan = Plan(seq=model.seq, now=asker.now, query=query, selection=selection, reply=reply)
    if then is not None:
        plan.now, plan.at = then.now, then.at
        plan.withdrawn_by, plan.shown_until = then.withdrawn_by, then.shown_until
    from_memory = selection is EVERYTHING and not (query.include_evidence or query.explain or query.resolver_arguments)
    ready = known.ready
    for target in targets.found:
        number = target.number
        try:
            _plan_target(plan, target, asker, resolvers, ready.get(number) or known.get(number), from_memory)
        except Refusal as refusal:
            reply.failures.append(ComponentFailure(path=[*target.place.path, target.name], error=refusal.error))
    if query.show_contexts:
        _show_contexts(asker, targets, reply)
    return plan


def _plan_target(
    plan: Plan, target: Target, asker: Asker, resolvers: Resolvers, latest: Latest | None, from_memory: bool
) -> None:
    place, component, grant = target.place, target.leaf, target.grant
    if plan.at is not None and plan.at < asker.now - grant.past:
        raise too_far_back(asker)
    wanted = plan.query.resolver or component.resolver or place.resolver or DEFAULT_RESOLVER
    if not grant.unlimited:
        wanted = _permitted(plan.selection, wanted, grant, asker.app)
        if latest is not None and grant.since is not None and not _is_since(latest, grant.since):
            latest = None
    resolver = resolvers.get(wanted)
    if resolver is None:
        raise Refusal(Code.UNKNOWN_RESOLVER, f"there is no resolver {wanted[:80]!r}", "resolver")
    answer = ComponentAnswer(
        path=[*place.path, target.name],
        description=component.description,
        component_type=component.component_type,
        value_type=component.value_type,
        value_list=component.value_list,
        resolver=component.resolver,
        goals=component.goals and (component.goals if grant is OWNER else Sight(asker).goals(component.goals)),
        creation_time=(place.context.created_us + component.later_us) / 1e6,
        extra=component.extra,
    )
    if latest is None or not from_memory or not _answer_at_once(answer, resolver, latest, plan.now):
        part = _opened(plan, target, answer, resolver, latest)
        plan.open.append(part)
        if resolver.elsewhere is not None:
            plan.elsewhere.append(part)
    plan.reply.components.append(answer)


def _permitted(selection: Selection, wanted: str, grant: Grant, app: str) -> str:
    """Give the name of the resolver that the app gets, or raise `permission_denied`.

    A bound app gets one value: to choose what it is made of would tell more.
    """
    bound = grant.bind_resolver is not None and selection is not EVERYTHING
    if bound or (grant.filters is not None and selection.name not in grant.filters):
        raise denied(app, f"use the filter {selection.name}", "evidence_filter")
    if grant.bind_resolver is not None:
        return grant.bind_resolver
    if grant.resolvers is not None and wanted not in grant.resolvers:
        raise denied(app, f"use the resolver {wanted[:80]}", "resolver")
    return wanted


def _answer_at_once(answer: ComponentAnswer, resolver: Resolver, latest: Latest, now: float) -> bool:
    """Fill in the value if memory has it: the latest of the kind is known and has not expired."""
    if latest.correction is not None:
        answer.value = latest.correction.value
        return not is_expired(latest.correction, now)
    kind = resolver.newest_of
    if kind is None:
        return False
    if kind == "any":
        if _stale(latest.plain, now) or _stale(latest.goal, now):
            return False
        newest = in_order(latest.plain, latest.goal)
        answer.value = newest[-1].value if newest else None
        return True
    piece = latest.plain if kind == "plain" else latest.goal
    if piece is not None:
        if piece.useby is not None and piece.useby <= now:
            return False
        answer.value = piece.value
    return True


def _opened(
    plan: Plan, target: Target, answer: ComponentAnswer, resolver: Resolver, latest: Latest | None
) -> PendingAnswer:
    """Leave a component open, and plan what is to be read for it."""
    query, component = plan.query, target.leaf
    given = {} if target.grant.bind_resolver is not None else query.resolver_arguments
    known = Latest(latest.plain, latest.goal, latest.correction) if latest is not None else Latest()
    part = PendingAnswer(
        answer=answer,
        resolver=resolver,
        resolver_from=_resolver_from(query, target),
        arguments=checked_arguments(resolver, given),
        grant=target.grant,
        component_no=target.number,
        latest=known,
        selection=_seen_by_resolver(plan, target.grant),
    )
    if part.selection is not EVERYTHING:
        answer.value_filtered_by = part.selection.name
    make = _maker(plan, target)
    # What has been withdrawn is shown to the owner's apps alone.
    marked = {"withdrawn": "marked"} if component.withdrawals and target.grant is OWNER else {}
    reads = _correction_reads(latest, plan.now, make) | _value_reads(plan, part, latest, make)
    shown_too = part.selection is plan.selection and not marked and reads.keys() & {"window", "whole"}
    if part.shows_evidence(query) and not shown_too:
        reads["page"] = _page_read(plan, partial(make, **marked))
    if query.explain:
        reads |= explain_reads(part.selection, make, marked)
    for role, read in reads.items():
        part.reads[role] = len(plan.reads)
        plan.reads.append(read)
    return part


def _seen_by_resolver(plan: Plan, grant: Grant) -> Selection:
    """Say which evidence the value is made of: no app gets a value of evidence that its filters keep from it."""
    over_all = plan.query.value_over_all and (grant.filters is None or EVERYTHING.name in grant.filters)
    return EVERYTHING if over_all else plan.selection


def _maker(plan: Plan, target: Target) -> Callable[..., Read]:
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
    )
    since = target.grant.since
    return make if since is None else partial(_read_since, make, first_us(since))


def _read_since(make: Callable[..., Read], first: int, since_us: int | None = None, **bounds: Any) -> Read:
    """Make a read of evidence that exists for an app: what was accepted earlier does not."""
    return make(since_us=first if since_us is None else max(first, since_us), **bounds)


def _is_since(latest: Latest, since: float) -> bool:
    """Tell whether all that is latest was accepted since then: then no other piece is the latest for the app."""
    pieces = (latest.plain, latest.goal, latest.correction)
    return all(piece is None or piece.creation_time >= since for piece in pieces)


def _correction_reads(latest: Latest | None, now: float, make: Callable[..., Read]) -> dict[str, Read]:
    if latest is not None and not _stale(latest.correction, now):
        return {}
    return {"correction": make(kind="correction", unexpired_at=now, newest=1, limit=1)}


def _value_reads(plan: Plan, part: PendingAnswer, latest: Latest | None, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan what decides the value: what the resolver sees, or only the newest of it if that decides."""
    selection, kind = part.selection, part.resolver.newest_of
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
        if latest is None or _stale(latest.plain if each == "plain" else latest.goal, now)
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
        max_bytes=MAX_REPLY_BYTES,
    )


def _resolver_from(query: Ask, target: Target) -> ResolverFrom:
    """Say where the resolver's name comes from."""
    if target.grant.bind_resolver is not None:
        return "grant"
    if query.resolver:
        return "ask"
    if target.leaf.resolver:
        return "component"
    return "context" if target.place.resolver else "default"


def _stale(piece: Evidence | None, now: float) -> bool:
    """Tell whether there is a piece that no longer counts: an older one may then take its place."""
    return piece is not None and is_expired(piece, now)


def _show_contexts(asker: Asker, targets: Targets, reply: AskReply) -> None:
    """Add what is in the context. What the app may not ask is left out, as are the rules of others."""
    own = targets.own
    assert own is not None, "an ask that shows contexts is refused where the app may not ask"
    context = own.context
    reply.context_description = context.item.description
    reply.contexts = visible_contexts(asker, own)
    reply.views = visible_views(asker, own)
    reply.view_details = view_details(own, reply.views) or None
    reply.rules = with_former_rules(asker, own, visible_rules(asker, own))


def in_order(plain: Evidence | None, goal: Evidence | None) -> list[Evidence]:
    """Give those of the two that there are, the newest last."""
    pieces = [piece for piece in (plain, goal) if piece is not None]
    return sorted(pieces, key=lambda piece: (piece.seq, piece.n))
