"""Asking: plan what to read, read it, have it resolved, make the reply. From memory all of that is one step."""

from collections.abc import Generator
from typing import Any

from model.caches import Caches
from model.elsewhere import Together
from model.permissions import Asker
from model.queries.ask.finish import finish_ask, keep_latest
from model.queries.ask.held import cursor_reads, place_pages, read_behind
from model.queries.ask.parts import Plan
from model.queries.ask.plan import plan_ask
from model.queries.past import model_then
from model.queries.targets import grants_of
from model.reads import AsOf, Found, Pause, Read
from model.resolvers.registry import Resolve, Resolvers
from model.state import Model
from schemas.queries import Ask
from schemas.replies import AskReply


def answer_ask(
    model: Model, caches: Caches, asker: Asker, query: Ask, resolvers: Resolvers
) -> Generator[AsOf | list[Read] | Pause | Resolve | Together, Any, AskReply]:
    """Answer an ask. What is asked about the past neither uses nor fills the caches, which are of the present."""
    then, is_present = None, True
    if query.as_of_seq is not None or query.as_of_time is not None:
        then = yield from model_then(model, asker, query, grants_of(asker, query), query.evidence_after is not None)
        is_present = then.model is model
    plan = plan_ask(model, asker, query, resolvers, caches if is_present else None, then)
    if not plan.open:
        return plan.reply
    if plan.shows_held and query.evidence_after is not None:
        place_pages(plan, (yield cursor_reads(plan)))
    found: list[Found] = []
    if plan.reads:
        found = (yield from _read(plan, model, caches)) if is_present else (yield plan.reads)
        yield from read_behind(plan, found)
    return (yield from finish_ask(plan, found))


def _read(plan: Plan, model: Model, caches: Caches) -> Generator[list[Read], list[Found], list[Found]]:
    """Find what an ask of the present reads: in memory, and the rest on the disk, which is remembered.

    It is remembered only if no command has come in the meantime.
    """
    found = caches.recall(plan.reads, model)
    missing = [read for read, one in zip(plan.reads, found, strict=True) if one is None]
    fetched = (yield missing) if missing else []
    rest = iter(fetched)
    whole = [next(rest) if one is None else one for one in found]
    if model.seq == plan.seq:
        caches.learn(missing, fetched, model)
        keep_latest(caches, plan, whole)
    return whole
