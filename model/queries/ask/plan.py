"""What an ask can answer from memory, and what is to be read for the rest.

The built-in resolvers over all evidence need only the latest of each kind, which the caches keep: then there is nothing
to read and the cost does not depend on how much evidence there is. Otherwise there is to read what decides the value, a
page of evidence, and what explains the value. Evidence that has been withdrawn is left out of what decides; in pages
and explanations it is marked for the owner's apps, and does not exist for others. A component that never had a
withdrawal pays nothing for that.
"""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, Final

from model.caches import Caches
from model.evidence import EVERYTHING, MAX_AHEAD_S, Selection, counts, selection_of
from model.latest import Latest, LatestPieces
from model.permissions import OWNER, Asker, Grant, denied, exists_for
from model.queries.ask.explain import explain_reads
from model.queries.ask.paging import shown_to
from model.queries.ask.parts import PendingAnswer, Plan, ResolverFrom, grants_a_result, in_order
from model.queries.ask.to_read import correction_reads, maker, page_read, value_reads
from model.queries.past import Then, check_reach, seconds_since, too_far_back
from model.queries.targets import Target, Targets, find_targets
from model.queries.visible import view_details, visible_contexts, visible_rules, visible_views, with_former_rules
from model.resolvers.latest import DEFAULT_RESOLVER
from model.resolvers.registry import Resolver, Resolvers, checked_arguments
from model.sight import Sight
from model.state import Leaf, Model
from schemas.errors import Code, Refusal
from schemas.evidence import EncodedEvidence
from schemas.missing import right
from schemas.plain_checks import check_time
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer, ComponentFailure

WholeEvidence = Callable[[int], list[bytes] | None]
"""Finds all evidence of a component in memory; None: it is not there."""

_NOT_LOOKED_AT: Final = LatestPieces()
"""What is known of a model of the past."""


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
    plan.time_us = model.time_us
    if then is not None:
        plan.now, plan.at = then.now, then.at
        plan.withdrawn_by, plan.shown_until = then.withdrawn_by, then.shown_until
    from_memory = not (query.include_evidence or query.explain) and _is_plain(query, selection)
    if query.held_at is not None:
        check_time(query.held_at, "held_at")
        known, from_memory = _NOT_LOOKED_AT, False
        plan.now = query.held_at
    whole = None
    if query.include_evidence and caches is not None and len(targets.found) == 1:
        # One page, from its beginning. Pages of several components share a budget: those are made together.
        is_page = not query.explain and query.evidence_after is None and plan.at is None
        if is_page and _is_plain(query, selection):
            whole = caches.whole
    ready = known.ready
    for target in targets.found:
        number = target.number
        try:
            _plan_target(plan, target, asker, resolvers, ready.get(number) or known.get(number), from_memory, whole)
        except Refusal as refusal:
            reply.failures.append(ComponentFailure(path=[*target.place.path, target.name], error=refusal.error))
    if query.show_contexts:
        _show_contexts(asker, targets, reply)
    return plan


def _is_plain(query: Ask, selection: Selection) -> bool:
    """Tell whether the value is that of all evidence as it counts now, by a resolver that is told nothing."""
    return selection is EVERYTHING and not query.resolver_arguments and query.held_at is None


def _plan_target(
    plan: Plan,
    target: Target,
    asker: Asker,
    resolvers: Resolvers,
    latest: Latest | None,
    from_memory: bool,
    whole: WholeEvidence | None,
) -> None:
    place, component, grant = target.place, target.leaf, target.grant
    if plan.at is not None and plan.at < asker.now - grant.past:
        past = seconds_since(asker, plan.at)
        raise too_far_back(asker, right("ask", place.path, target.name, past=past))
    if plan.query.held_at is not None and grant is not OWNER:
        check_reach(asker, grant, plan.query.held_at, place.path, target.name)
    wanted = plan.query.resolver or component.resolver or place.resolver or DEFAULT_RESOLVER
    if not grant.unlimited:
        wanted = _permitted(plan.selection, wanted, target, asker.app)
        if latest is not None and not _exists_for(grant, latest):
            latest = None
    resolver = resolvers.get(wanted)
    if resolver is None:
        raise Refusal(Code.UNKNOWN_RESOLVER, f"there is no resolver {wanted[:80]!r}", "resolver")
    if grants_a_result(grant, resolver):
        from_memory = False
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
    if latest is None or not (
        (from_memory and _answer_at_once(answer, component, resolver, latest, plan))
        or (whole is not None and _page_at_once(answer, target, resolver, latest, plan, whole))
    ):
        part = _opened(plan, asker, target, answer, resolver, latest)
        plan.open.append(part)
        if resolver.elsewhere is not None:
            plan.elsewhere.append(part)
    plan.reply.components.append(answer)


def _permitted(selection: Selection, wanted: str, target: Target, app: str) -> str:
    """Give the name of the resolver that the app gets, or raise `permission_denied`.

    A bound app gets one value: to choose what it is made of would tell more.
    """
    grant, path, name = target.grant, target.place.path, target.name
    bound = grant.bind_resolver is not None and selection is not EVERYTHING
    if bound or (grant.filters is not None and selection.name not in grant.filters):
        raise denied(app, f"use the filter {selection.name}", "evidence_filter", right("ask", path, name))
    if grant.bind_resolver is not None:
        return grant.bind_resolver
    if grant.resolvers is not None and wanted not in grant.resolvers:
        missing = right("ask", path, name, resolver=wanted)
        raise denied(app, f"use the resolver {wanted[:80]}", "resolver", missing)
    return wanted


def _answer_at_once(answer: ComponentAnswer, component: Leaf, resolver: Resolver, latest: Latest, plan: Plan) -> bool:
    """Fill in the value if memory has it: the latest of the kind is known, has not expired, and is not ahead."""
    now = plan.now
    if latest.correction is not None:
        answer.value = latest.correction.value
        return counts(latest.correction, now)
    kind = resolver.newest_of
    if kind is None:
        return False
    if kind == "any":
        if not (counts(latest.plain, now) and counts(latest.goal, now)):
            return False
        newest = in_order(latest.plain, latest.goal)
        answer.value = newest[-1].value if newest else None
        return True
    piece = latest.plain if kind == "plain" else latest.goal
    if resolver.by_held and component.held_order:
        piece = latest.held_last
        if not latest.knows_held or (piece is not None and piece.held_from > plan.held_now):
            return False
    if piece is not None:
        if piece.useby is not None and piece.useby <= now:
            return False
        if piece.time is not None and piece.time > now + MAX_AHEAD_S:
            return False
        answer.value = piece.value
    return True


def _page_at_once(
    answer: ComponentAnswer, target: Target, resolver: Resolver, latest: Latest, plan: Plan, whole: WholeEvidence
) -> bool:
    """Fill in the value and all evidence if memory has both, as it has of most components once they have been read."""
    component, grant = target.leaf, target.grant
    if not grant.unlimited or component.withdrawals or component.held_order:
        return False
    if not _answer_at_once(answer, component, resolver, latest, plan):
        return False
    bodies = whole(target.number)
    if bodies is None:
        return False
    # So little as is kept in memory fits into one page.
    answer.evidence = shown_to(grant, EncodedEvidence(bodies))
    return True


def _opened(
    plan: Plan, asker: Asker, target: Target, answer: ComponentAnswer, resolver: Resolver, latest: Latest | None
) -> PendingAnswer:
    """Leave a component open, and plan what is to be read for it."""
    query, component = plan.query, target.leaf
    selection = _seen_by_resolver(plan, target.grant)
    given = {} if target.grant.bind_resolver is not None else query.resolver_arguments
    if resolver.spans:
        given = _period_arguments(plan, asker, resolver, selection) | given
    known = copy(latest) if latest is not None else Latest()
    by_held = plan.shows_held or (resolver.by_held and component.held_order)
    part = PendingAnswer(
        answer=answer,
        resolver=resolver,
        resolver_from=_resolver_from(query, target),
        arguments=checked_arguments(resolver, given),
        grant=target.grant,
        component_no=target.number,
        held_order=component.held_order,
        latest=known,
        selection=selection,
        counts_until=plan.held_now if resolver.by_held or query.held_at is not None else plan.now + MAX_AHEAD_S,
        shows_held=plan.shows_held,
        by_held=by_held,
    )
    if part.selection is not EVERYTHING:
        answer.value_filtered_by = part.selection.name
    make = maker(plan, target)
    # What has been withdrawn is shown to the owner's apps alone.
    marked = {"withdrawn": "marked"} if component.withdrawals and target.grant is OWNER else {}
    reads = correction_reads(plan, latest, make) | value_reads(plan, part, latest, make)
    shown_too = part.selection is plan.selection and not marked and reads.keys() & {"window", "whole"}
    if part.shows_evidence(query) and not shown_too:
        reads["page"] = page_read(plan, partial(make, **marked))
    if query.explain:
        reads |= explain_reads(part.selection, make, marked)
    for role, read in reads.items():
        part.reads[role] = len(plan.reads)
        plan.reads.append(read)
    return part


def _period_arguments(plan: Plan, asker: Asker, resolver: Resolver, selection: Selection) -> dict[str, Any]:
    """Give a resolver of spans the period that it is about, and whose midnight it is."""
    given: dict[str, Any] = {"time_zone": asker.rights.time_zone}
    wanted = plan.query.evidence_filter
    if selection.is_period and wanted is not None:
        given |= {"since": wanted.held_from, "until": wanted.held_until}
    return {name: value for name, value in given.items() if name in resolver.arguments and value is not None}


def _seen_by_resolver(plan: Plan, grant: Grant) -> Selection:
    """Say which evidence the value is made of: no app gets a value of evidence that its filters keep from it."""
    over_all = plan.query.value_over_all and (grant.filters is None or EVERYTHING.name in grant.filters)
    return EVERYTHING if over_all else plan.selection


def _exists_for(grant: Grant, latest: Latest) -> bool:
    """Tell whether all that is latest exists for the app: then no other piece is the latest for it."""
    pieces = (latest.plain, latest.goal, latest.correction, latest.held)
    return all(piece is None or exists_for(grant, piece) for piece in pieces)


def _resolver_from(query: Ask, target: Target) -> ResolverFrom:
    """Say where the resolver's name comes from."""
    if target.grant.bind_resolver is not None:
        return "grant"
    if query.resolver:
        return "ask"
    if target.leaf.resolver:
        return "component"
    return "context" if target.place.resolver else "default"


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
