"""Asking, in two steps: `plan_ask` says what evidence must be read, `finish_ask` makes the reply from what was found.

The built-in resolvers over all evidence need only the latest of each kind, which the model keeps in memory: then there
is nothing to read and the cost does not depend on how much evidence there is. `remember` keeps what had to be read
for that. Evidence that has expired never counts again, so an older piece may take its place in memory.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal

import msgspec

from model import permissions
from model.checks import check_time
from model.evidence import EVERYTHING, Selection, decode_evidence, is_expired, selection_of, to_us, unexpired
from model.explain import explain_reads, left_out, looked, resolved_used
from model.paging import Budget, page_of
from model.reading import Found as Found
from model.reading import Read as Read
from model.resolvers import BUILT_IN, DEFAULT_RESOLVER, Kind, Resolved, Resolver, Resolvers
from model.state import Component, Latest, Model
from model.views import Place, Target, Targets, find_targets
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_EVIDENCE_PAGE, MAX_REPLY_BYTES
from schemas.paths import Path
from schemas.queries import Ask
from schemas.replies import AccessReply, AskReply, ComponentAnswer, ComponentFailure, Explanation

ResolverFrom = Literal["ask", "component", "context", "default"]

_GOAL_OF: Final[dict[Kind, bool | None]] = {"plain": False, "goal": True, "any": None}
_KINDS_OF: Final[dict[Kind, tuple[Literal["plain", "goal"], ...]]] = {
    "plain": ("plain",),
    "goal": ("goal",),
    "any": ("plain", "goal"),
}


class Open(msgspec.Struct, kw_only=True):
    """A component whose answer waits for reads."""

    answer: ComponentAnswer
    resolver: Resolver
    resolver_from: ResolverFrom
    grant: str
    path: Path
    """Of the context."""
    name: str
    component_no: int
    latest: Latest | None
    """The latest evidence as it was known at the time of the plan; None: the value does not come from it."""
    reads: dict[str, int] = {}
    """What each read is for, and its index in the plan."""


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
    open: list[Open] = []


def plan_ask(model: Model, app: str, query: Ask, now: float, resolvers: Resolvers = BUILT_IN) -> Plan:
    """Plan an ask of the model at the time `now` (seconds since 1970).

    For an ask about the past, the model is the one of then and so is `now`. Raises a `Refusal` if nothing can be
    answered; a component that cannot is a failure in the reply.
    """
    if query.as_of_time is not None:
        check_time(query.as_of_time, "as_of_time")
    selection = selection_of(query.evidence_filter)
    targets = find_targets(model, app, query)
    reply = AskReply(seq=model.seq, failures=targets.failures)
    as_of = query.as_of_seq is not None or query.as_of_time is not None
    plan = Plan(seq=model.seq, now=now, query=query, selection=selection, as_of=as_of, reply=reply)
    from_memory = selection is EVERYTHING and not query.include_evidence and not query.explain
    for target in targets.found:
        try:
            _plan_target(plan, target, app, resolvers, from_memory)
        except Refusal as refusal:
            reply.failures.append(ComponentFailure(path=[*target.place.path, target.name], error=refusal.error))
    if query.show_contexts:
        _show_contexts(model, app, targets, reply)
    return plan


def finish_ask(plan: Plan, found: list[Found]) -> AskReply:
    """Complete the plan's reply; `found` is parallel to `plan.reads`. To be called once."""
    reply = plan.reply
    budget = Budget(MAX_REPLY_BYTES)
    for part in plan.open:
        try:
            _finish(plan, part, {role: found[index] for role, index in part.reads.items()}, budget)
        except Refusal as refusal:
            reply.components = [answer for answer in reply.components if answer is not part.answer]
            reply.failures.append(ComponentFailure(path=part.answer.path, error=refusal.error))
    return reply


def remember(model: Model, plan: Plan, found: list[Found]) -> None:
    """Keep what was read as the latest in memory, unless the model has moved on or the ask was about the past."""
    if model.seq != plan.seq or plan.as_of:
        return
    for part in plan.open:
        kinds = [kind for kind in _KINDS_OF["any"] if kind in part.reads]
        context = model.context(part.path)
        component = context.components.get(part.name) if context is not None else None
        if not kinds or context is None or component is None or component.number != part.component_no:
            continue
        latest = context.latest.get(part.name)
        if latest is None and len(kinds) < 2:
            continue
        latest = latest or Latest()
        for kind in kinds:
            setattr(latest, kind, _only(found[part.reads[kind]]))
        context.latest[part.name] = latest


def answer_access(model: Model, app: str) -> AccessReply:
    """Say what the app is to the model, or raise `no_such_app`."""
    registered = model.apps.get(app)
    if registered is None:
        raise Refusal(Code.NO_SUCH_APP, f"{app} is not registered with this model", None, "the owner can register it")
    return AccessReply(seq=model.seq, role=registered.role)


def _plan_target(plan: Plan, target: Target, app: str, resolvers: Resolvers, from_memory: bool) -> None:
    place, name, component = target
    resolver = _resolver(plan.query, place, component, app, resolvers)
    latest = None if plan.as_of else place.context.latest.get(name)
    answer = ComponentAnswer(
        path=[*place.path, name],
        description=component.description,
        component_type=component.component_type,
        value_type=component.value_type,
        value_list=component.value_list,
        resolver=component.resolver,
        goals=component.goals,
        creation_time=component.created_us / 1e6,
    )
    if latest is None or not from_memory or not _answer_at_once(answer, resolver, latest, plan.now):
        plan.open.append(_open(plan, target, answer, resolver, latest))
    plan.reply.components.append(answer)


def _resolver(query: Ask, place: Place, component: Component, app: str, resolvers: Resolvers) -> Resolver:
    name = query.resolver or component.resolver or place.resolver or DEFAULT_RESOLVER
    if place.grant.resolvers is not None and name not in place.grant.resolvers:
        raise permissions.denied(app, f"use the resolver {name[:80]}", "resolver")
    resolver = resolvers.get(name)
    if resolver is None:
        raise Refusal(Code.UNKNOWN_RESOLVER, f"there is no resolver {name[:80]!r}", "resolver")
    return resolver


def _resolver_from(query: Ask, place: Place, component: Component) -> ResolverFrom:
    if query.resolver:
        return "ask"
    if component.resolver:
        return "component"
    return "context" if place.resolver else "default"


def _answer_at_once(answer: ComponentAnswer, resolver: Resolver, latest: Latest, now: float) -> bool:
    """Fill in the value if memory has it: the latest of the kind is known and has not expired."""
    kind = resolver.newest_of
    if kind is None:
        return False
    if kind == "any":
        if _stale(latest.plain, now) or _stale(latest.goal, now):
            return False
        answer.value = resolver.resolve(_in_order(latest.plain, latest.goal)).value
        return True
    piece = latest.plain if kind == "plain" else latest.goal
    if piece is not None:
        if piece.useby is not None and piece.useby <= now:
            return False
        answer.value = piece.value
    return True


def _open(plan: Plan, target: Target, answer: ComponentAnswer, resolver: Resolver, latest: Latest | None) -> Open:
    place, name, component = target
    query = plan.query
    over_latest = resolver.newest_of is not None and plan.selection is EVERYTHING
    known = Latest(latest.plain, latest.goal) if latest is not None else Latest()
    part = Open(
        answer=answer,
        resolver=resolver,
        resolver_from=_resolver_from(query, place, component),
        grant=place.grant.source,
        path=place.path,
        name=name,
        component_no=component.number,
        latest=known if over_latest else None,
    )
    make = _maker(plan, component.number)
    reads = _value_reads(plan, resolver, latest, make)
    if query.include_evidence and "window" not in reads and "whole" not in reads:
        reads["page"] = _page_read(plan, make)
    if query.explain:
        reads |= explain_reads(plan.selection, make)
    for role, read in reads.items():
        part.reads[role] = len(plan.reads)
        plan.reads.append(read)
    return part


def _maker(plan: Plan, component_no: int) -> Callable[..., Read]:
    query = plan.query
    seq_max = plan.seq if query.as_of_seq is None else min(plan.seq, query.as_of_seq)
    until_us = None if query.as_of_time is None else to_us(query.as_of_time)
    return partial(Read, component_no=component_no, seq_max=seq_max, until_us=until_us)


def _value_reads(plan: Plan, resolver: Resolver, latest: Latest | None, make: Callable[..., Read]) -> dict[str, Read]:
    """Plan what decides the value: what the filter lets through, or only the newest of it if that decides."""
    selection, kind = plan.selection, resolver.newest_of
    if selection.newest is not None:
        return {"window": make(newest=selection.newest, limit=selection.newest)}
    if kind is None:
        limit = MAX_EVIDENCE_CONSIDERED + 1
        return {"whole": make(goal=selection.goal, since_us=selection.since_us, limit=limit)}
    if selection is EVERYTHING:
        return _latest_reads(latest, kind, plan.now, make)
    goal = _GOAL_OF[kind]
    if goal is False and selection.goal:
        return {}
    goal = selection.goal if goal is None else goal
    return {"value": make(goal=goal, since_us=selection.since_us, unexpired_at=plan.now, newest=1, limit=1)}


def _latest_reads(latest: Latest | None, kind: Kind, now: float, make: Callable[..., Read]) -> dict[str, Read]:
    kinds = _KINDS_OF["any"] if latest is None else _KINDS_OF[kind]
    return {
        each: make(goal=_GOAL_OF[each], unexpired_at=now, newest=1, limit=1)
        for each in kinds
        if latest is None or _stale(latest.plain if each == "plain" else latest.goal, now)
    }


def _page_read(plan: Plan, make: Callable[..., Read]) -> Read:
    selection = plan.selection
    return make(
        goal=selection.goal,
        since_us=selection.since_us,
        after=plan.query.evidence_after,
        limit=MAX_EVIDENCE_PAGE + 1,
    )


def _finish(plan: Plan, part: Open, found: dict[str, Found], budget: Budget) -> None:
    listed = found.get("window") or found.get("whole") or found.get("page") or Found()
    if "whole" in found and len(listed.bodies) > MAX_EVIDENCE_CONSIDERED:
        message = f"the resolver {part.resolver.name} would have to read more than {MAX_EVIDENCE_CONSIDERED} pieces"
        raise Refusal(Code.TOO_MUCH_EVIDENCE, message, "evidence_filter", "use a filter that lets less through")
    pieces = decode_evidence(listed.bodies)
    resolved = part.resolver.resolve(_considered(plan, part, found, pieces))
    part.answer.value = resolved.value
    if plan.query.include_evidence:
        after = plan.query.evidence_after
        part.answer.evidence, part.answer.evidence_more = page_of(listed.bodies, pieces, after, budget)
    if plan.query.explain:
        part.answer.explanation = _explanation(plan, part, found, resolved, budget)


def _considered(plan: Plan, part: Open, found: dict[str, Found], pieces: list[Evidence]) -> Sequence[Evidence]:
    """Give the evidence that the resolver decides over."""
    if "window" in found or "whole" in found:
        return unexpired(pieces, plan.now)
    if part.latest is None:
        return decode_evidence(found["value"].bodies) if "value" in found else []
    plain = _only(found["plain"]) if "plain" in found else part.latest.plain
    goal = _only(found["goal"]) if "goal" in found else part.latest.goal
    return _in_order(plain, goal)


def _explanation(plan: Plan, part: Open, found: dict[str, Found], resolved: Resolved, budget: Budget) -> Explanation:
    kind = part.resolver.newest_of
    return Explanation(
        resolver=part.resolver.name,
        resolver_from=part.resolver_from,
        evidence_filter=plan.selection.name,
        grant=part.grant,
        evaluated_at=plan.now,
        used=resolved_used(resolved),
        left_out=left_out(looked(found), plan.selection, kind, resolved.used, plan.now, budget),
    )


def _show_contexts(model: Model, app: str, targets: Targets, reply: AskReply) -> None:
    """Add what is in the context. A sub-context that the app may not ask is left out."""
    own = targets.own
    assert own is not None, "an ask that shows contexts is refused where the app may not ask"
    context = own.context
    reply.context_description = context.item.description
    reply.contexts = [
        name for name in sorted(context.children) if permissions.grant_of(model, app, (*own.path, name)).ask
    ]
    reply.views = {name: view.components for name, view in sorted(context.views.items())}
    reply.subscriptions = {name: {} for name, component in context.components.items() if component.rules}


def _stale(piece: Evidence | None, now: float) -> bool:
    return piece is not None and is_expired(piece, now)


def _in_order(plain: Evidence | None, goal: Evidence | None) -> list[Evidence]:
    pieces = [piece for piece in (plain, goal) if piece is not None]
    return sorted(pieces, key=lambda piece: (piece.seq, piece.n))


def _only(found: Found) -> Evidence | None:
    return decode_evidence(found.bodies)[0] if found.bodies else None
