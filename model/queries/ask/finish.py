"""From what an ask has read to its reply: a value, a page of evidence, an explanation."""

from collections.abc import Generator, Sequence
from typing import Any, Final

from model.caches import Caches
from model.elsewhere import ResolveElsewhere, Together
from model.evidence import (
    Selection,
    counting,
    decode_evidence,
    encode_evidence,
    held_place,
    is_ahead,
    is_expired,
    piece_id,
)
from model.latest import KNOWN, Known
from model.permissions import OWNER
from model.queries.ask.explain import Decided, left_out, looked, shown_used, skews_of, unshown_used
from model.queries.ask.paging import Budget, page_of, shown_to
from model.queries.ask.parts import PendingAnswer, Plan, in_order
from model.reads import MAX_READ_BYTES, Found, Pause
from model.resolvers.registry import Considered, Resolve, Resolved, is_goal
from schemas.errors import Code, LlumError, Refusal
from schemas.evidence import Evidence
from schemas.explaining import Explanation
from schemas.limits import MAX_EVIDENCE_CONSIDERED, MAX_REPLY_BYTES
from schemas.replies import AskReply, ComponentFailure

DECODED_AT_ONCE: Final = 1000
"""Pieces of evidence decoded in one go: a third of a millisecond."""

_SELECT_LESS: Final = "use a filter that selects less evidence"
_RESOLVE_LESS: Final = "name a resolver of the newest evidence, such as default"
"""The hint where no filter helps."""


def finish_ask(plan: Plan, found: Sequence[Found]) -> Generator[Pause | Resolve | Together, Any, AskReply]:
    """Complete the plan's reply; `found` is parallel to `plan.reads`. To be called once."""
    reply = plan.reply
    if plan.elsewhere:
        yield from _resolve_elsewhere(plan, found)
    budget = Budget(MAX_REPLY_BYTES)
    for part in plan.open:
        try:
            yield from _finish(plan, part, {role: found[index] for role, index in part.reads.items()}, budget)
        except LlumError as error:
            reply.components = [answer for answer in reply.components if answer is not part.answer]
            reply.failures.append(ComponentFailure(path=part.answer.path, error=error.error))
    return reply


def keep_latest(caches: Caches, plan: Plan, found: Sequence[Found]) -> None:
    """Keep what was read of the latest evidence, whatever its time: the model must still be as it was planned for."""
    for part in plan.open:
        kinds: list[Known] = [
            kind for kind in KNOWN if kind in part.reads and plan.reads[part.reads[kind]].held_until is None
        ]
        if kinds and part.grant.since is None and part.grant.types is None:
            read = {kind: _only(found[part.reads[kind]]) for kind in kinds}
            caches.latest.keep(part.component_no, read, plan.now)


def _finish(
    plan: Plan, part: PendingAnswer, found: dict[str, Found], budget: Budget
) -> Generator[Pause | Resolve, Any, None]:
    correction = _only(found["correction"]) if "correction" in found else part.latest.correction
    if correction is None or part.gives_a_result:
        resolved = part.resolved or (yield from _resolved_here(plan, part, found, correction))
        if isinstance(resolved, LlumError):
            raise resolved
    else:
        resolved = Resolved(correction.value, (correction,))
    if correction is not None:
        part.answer.value_filtered_by = None
    part.answer.value = resolved.value
    if part.shows_evidence(plan.query):
        shown = found.get("page") or found.get("window") or found.get("whole") or Found()
        page, part.answer.evidence_more = page_of(
            shown, plan.query.evidence_after, part.after_held, plan.shown_until, budget
        )
        part.answer.evidence = shown_to(part.grant, page)
        if part.held_order:
            part.answer.evidence_ahead = _ahead(page.bodies, part.counts_until)
    if plan.query.explain:
        part.answer.explanation = _explanation(plan, part, found, resolved, correction is not None, budget)


def _resolved_here(
    plan: Plan, part: PendingAnswer, found: dict[str, Found], correction: Evidence | None
) -> Generator[Pause | Resolve, Any, Resolved | Refusal]:
    considered = [correction] if correction is not None else (yield from _considered(plan, part, found))
    now = plan.held_now if part.resolver.by_held else plan.now
    resolved: Resolved | Refusal = yield Resolve(part.resolver, considered, now, part.arguments)
    return resolved


def _resolve_elsewhere(plan: Plan, found: Sequence[Found]) -> Generator[Together, Any, None]:
    """Have all that is resolved elsewhere resolved in one go, and keep what came of each part with it."""
    wanted: list[ResolveElsewhere] = []
    parts: list[PendingAnswer] = []
    for part in plan.elsewhere:
        corrected = _correction_of(part, found)
        if corrected:
            if part.gives_a_result:
                wanted.append(_elsewhere(plan, part, corrected))
                parts.append(part)
            continue
        read = found[part.reads["window" if "window" in part.reads else "whole"]]
        try:
            _check_amount(part, read, plan.selection)
        except Refusal as refusal:
            part.resolved = refusal
            continue
        bodies = sorted(read.bodies, key=piece_id) if part.by_held else read.bodies
        wanted.append(_elsewhere(plan, part, bodies))
        parts.append(part)
    if wanted:
        for part, resolved in zip(parts, (yield Together(wanted)), strict=True):
            part.resolved = resolved


def _correction_of(part: PendingAnswer, found: Sequence[Found]) -> Sequence[bytes]:
    """Give the correction in effect as it is stored; nothing: there is none."""
    if "correction" in part.reads:
        return found[part.reads["correction"]].bodies
    correction = part.latest.correction
    return [] if correction is None else [encode_evidence(correction)]


def _elsewhere(plan: Plan, part: PendingAnswer, bodies: Sequence[bytes]) -> ResolveElsewhere:
    return ResolveElsewhere(part.resolver, bodies, plan.now, part.arguments, explains=plan.query.explain)


def _considered(plan: Plan, part: PendingAnswer, found: dict[str, Found]) -> Generator[Pause, None, Sequence[Evidence]]:
    """Give the evidence that the resolver decides over."""
    read = found.get("window") or found.get("whole")
    if read is not None:
        _check_amount(part, read, plan.selection)
        if part.resolver.newest_of is not None:
            return _newest(part, read.bodies, part.resolver.newest_of, plan.now)
        bodies = sorted(read.bodies, key=piece_id) if part.by_held else read.bodies
        if "before" in found:
            bodies = [*found["before"].bodies, *bodies]
        return (yield from _counting(bodies, plan.now))
    if not part.over_latest:
        return decode_evidence(found["value"].bodies) if "value" in found else []
    if part.by_held:
        last = _only(found["held"]) if "held" in found else part.latest.held_last
        return [] if last is None else [last]
    plain = _only(found["plain"]) if "plain" in found else part.latest.plain
    goal = _only(found["goal"]) if "goal" in found else part.latest.goal
    return in_order(plain, goal)


def _counting(bodies: Sequence[bytes], now: float) -> Generator[Pause, None, list[Evidence]]:
    """Decode evidence in slices, and leave out what has expired."""
    those: list[Evidence] = []
    for at in range(0, len(bodies), DECODED_AT_ONCE):
        if at:
            yield Pause()
        those += counting(decode_evidence(bodies[at : at + DECODED_AT_ONCE]), now)
    return those


def _newest(part: PendingAnswer, bodies: Sequence[bytes], kind: Considered, now: float) -> list[Evidence]:
    """Decode up to the newest piece that counts: nothing else decides for a resolver of the newest."""
    if part.by_held:
        bodies = sorted(bodies, key=held_place)
    for body in reversed(bodies):
        (piece,) = decode_evidence([body])
        if is_ahead(piece, part.counts_until):
            continue
        if not is_expired(piece, now) and (kind == "any" or is_goal(piece) == (kind == "goal")):
            return [piece]
    return []


def _check_amount(part: PendingAnswer, read: Found, selection: Selection) -> None:
    if read.cut or len(read.bodies) > MAX_EVIDENCE_CONSIDERED:
        amount = f"{MAX_EVIDENCE_CONSIDERED} pieces or {MAX_READ_BYTES} bytes"
        hint = _SELECT_LESS if part.selection is selection else _RESOLVE_LESS
        message = f"the resolver {part.resolver.name} would have to read more than {amount}"
        raise Refusal(Code.TOO_MUCH_EVIDENCE, message, "evidence_filter", hint)


def _explanation(
    plan: Plan, part: PendingAnswer, found: dict[str, Found], resolved: Resolved, corrected: bool, budget: Budget
) -> Explanation:
    kind = part.resolver.newest_of or part.resolver.considers
    decided = Decided(
        resolved.used, kind, corrected, part.sees, part.grant is OWNER, part.counts_until, plan.query.held_at
    )
    reasons = [*unshown_used(decided), *left_out(looked(found), part.selection, decided, plan.now, budget)]
    used = shown_used(decided)
    return Explanation(
        resolver=part.resolver.name,
        resolver_from=part.resolver_from,
        evidence_filter=part.selection.name,
        grant=part.grant.source,
        evaluated_at=plan.now,
        used=used,
        left_out=reasons,
        skews=skews_of([*used, *(piece for reason in reasons for piece in reason.examples)]),
    )


def _ahead(bodies: Sequence[bytes], until: float) -> list[tuple[int, int]]:
    """List the pieces that held only later."""
    places = (held_place(body) for body in bodies)
    return [(seq, n) for held, seq, n in places if held > until]


def _only(found: Found) -> Evidence | None:
    return decode_evidence(found.bodies)[0] if found.bodies else None
