"""Asking, in two steps: `plan_ask` says what evidence must be read, `finish_ask` makes the reply from what was found.

The built-in resolvers over all evidence need only the latest of each kind, which the model keeps in memory: then there
is nothing to read and the cost does not depend on how much evidence there is. `remember` keeps what had to be read
for that. Evidence that has expired never counts again, so an older piece may take its place in memory.
"""

from collections.abc import Sequence

from model import permissions
from model.caches import Caches, Latest
from model.checks import check_time
from model.evidence import EVERYTHING, Selection, decode_evidence, is_expired, selection_of, unexpired
from model.permissions import Asker, Grant
from model.queries.ask.explain import Decided, left_out, looked, shown_used, unshown_used
from model.queries.ask.paging import Budget, page_of
from model.queries.ask.plan import SLOTS, PendingAnswer, Plan, open_part, stale
from model.queries.targets import Target, Targets, find_targets
from model.queries.visible import visible_contexts, visible_rules, visible_views
from model.reads import Found
from model.resolvers.registry import DEFAULT_RESOLVER, Resolved, Resolver, Resolvers, checked_arguments, run
from model.resolvers.summaries import SHIPPED
from model.state import Model
from schemas.errors import Code, Refusal
from schemas.evidence import Evidence
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_REPLY_BYTES
from schemas.queries import Ask
from schemas.replies import AccessReply, AskReply, ComponentAnswer, ComponentFailure, Explanation


def plan_ask(
    model: Model,
    app: str,
    query: Ask,
    now: float,
    resolvers: Resolvers = SHIPPED,
    rights: Model | None = None,
    asked_at: float | None = None,
    caches: Caches | None = None,
) -> Plan:
    """Plan an ask of the model at the time `now` (seconds since 1970).

    For an ask about the past, the model is the one of then and so is `now`, while `rights` is the present model, whose
    permissions count, and `asked_at` the present time. `caches` are the present model's. Raises a `Refusal` if nothing
    can be answered; a component that cannot is a failure in the reply.
    """
    if query.as_of_time is not None:
        check_time(query.as_of_time, "as_of_time")
    caches = Caches() if caches is None else caches
    asker = Asker(app, model if rights is None else rights, now if asked_at is None else asked_at, caches.grants)
    selection = selection_of(query.evidence_filter)
    targets = find_targets(model, asker, query)
    reply = AskReply(seq=model.seq, failures=targets.failures)
    as_of = query.as_of_seq is not None or query.as_of_time is not None
    plan = Plan(seq=model.seq, now=now, query=query, selection=selection, as_of=as_of, reply=reply)
    from_memory = selection is EVERYTHING and not (query.include_evidence or query.explain or query.resolver_arguments)
    for target in targets.found:
        try:
            _plan_target(plan, target, app, resolvers, caches, from_memory)
        except Refusal as refusal:
            reply.failures.append(ComponentFailure(path=[*target.place.path, target.name], error=refusal.error))
    if query.show_contexts:
        _show_contexts(asker, targets, reply)
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


def remember(model: Model, caches: Caches, plan: Plan, found: list[Found]) -> None:
    """Keep what was read as the latest in memory, unless the model has moved on or the ask was about the past."""
    if model.seq != plan.seq or plan.as_of:
        return
    for part in plan.open:
        slots = [slot for slot in SLOTS if slot in part.reads]
        latest = caches.latest.get(part.component_no)
        if not slots or (latest is None and len(slots) < len(SLOTS)):
            continue
        latest = latest or Latest()
        for slot in slots:
            setattr(latest, slot, _only(found[part.reads[slot]]))
        caches.latest[part.component_no] = latest


def answer_access(model: Model, app: str) -> AccessReply:
    """Say what the app is to the model, or raise `no_such_app`."""
    registered = model.apps.get(app)
    if registered is None:
        raise Refusal(Code.NO_SUCH_APP, f"{app} is not registered with this model", None, "the owner can register it")
    return AccessReply(seq=model.seq, role=registered.role, registration=registered.registration)


def _plan_target(plan: Plan, target: Target, app: str, resolvers: Resolvers, caches: Caches, from_memory: bool) -> None:
    place, name, component, grant = target
    wanted = plan.query.resolver or component.resolver or place.resolver or DEFAULT_RESOLVER
    if not grant.unlimited:
        wanted = _permitted(plan.selection, wanted, grant, app)
    resolver = resolvers.get(wanted)
    if resolver is None:
        raise Refusal(Code.UNKNOWN_RESOLVER, f"there is no resolver {wanted[:80]!r}", "resolver")
    latest = None if plan.as_of else caches.latest.get(component.number)
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
        plan.open.append(_opened(plan, target, answer, resolver, latest))
    plan.reply.components.append(answer)


def _opened(
    plan: Plan, target: Target, answer: ComponentAnswer, resolver: Resolver, latest: Latest | None
) -> PendingAnswer:
    given = {} if target.grant.bind_resolver is not None else plan.query.resolver_arguments
    return open_part(plan, target, answer, resolver, checked_arguments(resolver, given), latest)


def _permitted(selection: Selection, wanted: str, grant: Grant, app: str) -> str:
    """Give the name of the resolver that the app gets, or raise `permission_denied`.

    A bound app gets one value: to choose what it is made of would tell more.
    """
    bound = grant.bind_resolver is not None and selection is not EVERYTHING
    if bound or (grant.filters is not None and selection.name not in grant.filters):
        raise permissions.denied(app, f"use the filter {selection.name}", "evidence_filter")
    if grant.bind_resolver is not None:
        return grant.bind_resolver
    if grant.resolvers is not None and wanted not in grant.resolvers:
        raise permissions.denied(app, f"use the resolver {wanted[:80]}", "resolver")
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
        if stale(latest.plain, now) or stale(latest.goal, now):
            return False
        newest = _in_order(latest.plain, latest.goal)
        answer.value = newest[-1].value if newest else None
        return True
    piece = latest.plain if kind == "plain" else latest.goal
    if piece is not None:
        if piece.useby is not None and piece.useby <= now:
            return False
        answer.value = piece.value
    return True


def _finish(plan: Plan, part: PendingAnswer, found: dict[str, Found], budget: Budget) -> None:
    correction = _only(found["correction"]) if "correction" in found else part.latest.correction
    if correction is None:
        evidence = _considered(plan, part, found)
        resolved = run(part.resolver, evidence, plan.now, part.arguments)
    else:
        resolved = Resolved(correction.value, (correction,))
    part.answer.value = resolved.value
    if part.shows_evidence(plan.query):
        bodies = (found.get("page") or found.get("window") or found.get("whole") or Found()).bodies
        after = plan.query.evidence_after
        part.answer.evidence, part.answer.evidence_more = page_of(bodies, decode_evidence(bodies), after, budget)
    if plan.query.explain:
        part.answer.explanation = _explanation(plan, part, found, resolved, correction is not None, budget)


def _considered(plan: Plan, part: PendingAnswer, found: dict[str, Found]) -> Sequence[Evidence]:
    """Give the evidence that the resolver decides over."""
    read = found.get("window") or found.get("whole")
    if read is not None:
        _check_amount(part.resolver, len(read.bodies))
        return unexpired(decode_evidence(read.bodies), plan.now)
    if not part.over_latest:
        return decode_evidence(found["value"].bodies) if "value" in found else []
    plain = _only(found["plain"]) if "plain" in found else part.latest.plain
    goal = _only(found["goal"]) if "goal" in found else part.latest.goal
    return _in_order(plain, goal)


def _check_amount(resolver: Resolver, amount: int) -> None:
    if amount > MAX_EVIDENCE_CONSIDERED:
        message = f"the resolver {resolver.name} would have to read more than {MAX_EVIDENCE_CONSIDERED} pieces"
        raise Refusal(Code.TOO_MUCH_EVIDENCE, message, "evidence_filter", "use a filter that selects less evidence")


def _explanation(
    plan: Plan, part: PendingAnswer, found: dict[str, Found], resolved: Resolved, corrected: bool, budget: Budget
) -> Explanation:
    decided = Decided(resolved.used, part.resolver.newest_of or part.resolver.considers, corrected, part.sees)
    return Explanation(
        resolver=part.resolver.name,
        resolver_from=part.resolver_from,
        evidence_filter=plan.selection.name,
        grant=part.grant.source,
        evaluated_at=plan.now,
        used=shown_used(decided),
        left_out=[*unshown_used(decided), *left_out(looked(found), plan.selection, decided, plan.now, budget)],
    )


def _show_contexts(asker: Asker, targets: Targets, reply: AskReply) -> None:
    """Add what is in the context. What the app may not ask is left out, as are the rules of others."""
    own = targets.own
    assert own is not None, "an ask that shows contexts is refused where the app may not ask"
    context = own.context
    reply.context_description = context.item.description
    reply.contexts = visible_contexts(asker, own)
    reply.views = visible_views(own)
    reply.subscriptions = visible_rules(asker, own)


def _in_order(plain: Evidence | None, goal: Evidence | None) -> list[Evidence]:
    pieces = [piece for piece in (plain, goal) if piece is not None]
    return sorted(pieces, key=lambda piece: (piece.seq, piece.n))


def _only(found: Found) -> Evidence | None:
    return decode_evidence(found.bodies)[0] if found.bodies else None
