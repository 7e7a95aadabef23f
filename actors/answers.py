"""A query's bytes to a reply's bytes.

Most asks are answered at once from the actor's memory. What must wait (for an activation, for evidence to be read,
for a sequence to be applied) goes on as a coroutine.
"""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from actors.live import LiveModel
from actors.partition import Partition
from bus.subjects import Address
from model.permissions import Asker
from model.queries.ask.finish import answer_access, finish_ask, plan_ask, remember
from model.queries.ask.plan import Plan
from model.queries.describe import describe
from model.queries.export import Exporting, read_mark
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from model.state import Model
from schemas.codec import decode_query
from schemas.errors import Code, Error, LlumError, Refusal, Transient
from schemas.queries import Access, Ask, Export, ListResolvers, Ping, Query
from schemas.replies import Failed, PingReply, Reply

log = structlog.get_logger(__name__)

MIN_SEQ_WAIT_S = 5.0
"""How long an ask waits for its `min_seq`: as long as the asker's own default deadline."""

_FAULT = Error(Code.INTERNAL, "a fault in llum; it has been recorded")

Answer = Reply | Coroutine[None, None, Reply]


class Answers:
    """Answers the queries of one partition."""

    def __init__(
        self,
        partition: Partition,
        clock: Callable[[], float],
        read_position: Callable[[], int],
        resolvers: Resolvers = SHIPPED,
    ) -> None:
        self._partition = partition
        self._resolvers = resolvers
        self._clock = clock
        self._read_position = read_position
        """The partition has nothing unapplied up to this sequence of the log."""

    def answer(self, address: Address, data: bytes) -> Answer:
        """Answer at once, or give the coroutine that will. Never raises: what is wrong becomes a `Failed`."""
        try:
            query = decode_query(data, address.verb)
            actor = self._partition.active(address.user)
            if actor is None or actor.model is None or not self._is_simple(query):
                return self._guarded(self._answer_later(address, query))
            if isinstance(query, Access):
                return answer_access(actor.model, address.app)
            assert isinstance(query, Ask)
            plan = plan_ask(actor.model, address.app, query, self._clock(), self._resolvers, caches=actor.caches)
            found = self._partition.shard.recall(plan.reads)
            if found is None:
                return self._guarded(self._finish(actor, actor.model, plan))
            return finish_ask(plan, found)
        except LlumError as error:
            return Failed(error=error.error)
        except Exception:
            log.exception("ask_failed", user=address.user, app=address.app, verb=address.verb)
            return Failed(error=_FAULT)

    def _is_simple(self, query: Query) -> bool:
        """Tell whether the query is about what is in memory now, or may be."""
        if query.min_seq is not None and not self._reached(query.min_seq):
            return False
        if isinstance(query, Ask):
            return query.as_of_seq is None and query.as_of_time is None
        return isinstance(query, Access)

    async def _guarded(self, answer: Coroutine[None, None, Reply]) -> Reply:
        try:
            return await answer
        except LlumError as error:
            return Failed(error=error.error)
        except Exception:
            log.exception("ask_failed", partition=self._partition.number)
            return Failed(error=_FAULT)

    async def _answer_later(self, address: Address, query: Query) -> Reply:
        if query.min_seq is not None:
            await self._wait_for(query.min_seq)
        if isinstance(query, Ping):
            return PingReply(partition=self._partition.number, applied_seq=self._partition.applied_seq)
        # What is read is committed, and no later command slips in before the plan is made.
        async with self._partition.reading(address.user) as found:
            actor, model = _existing(found, address.user)
            if isinstance(query, Access):
                return answer_access(model, address.app)
            asker = Asker(address.app, model, self._clock(), actor.caches.grants)
            past, now = await self._historical(model, query, asker.now)
            if isinstance(query, Ask):
                plan = plan_ask(past, address.app, query, now, self._resolvers, model, asker.now, actor.caches)
            elif isinstance(query, Export):
                exporting = Exporting(past, asker, query)
            else:
                described = describe(past, asker, query, self._resolvers)
        if isinstance(query, Ask):
            return await self._finish(actor, model, plan)
        if isinstance(query, Export):
            return await self._export(exporting)
        return described.finish(await self._partition.shard.read(described.reads))

    async def _finish(self, actor: LiveModel, model: Model, plan: Plan) -> Reply:
        found = await self._partition.shard.read(plan.reads)
        remember(model, actor.caches, plan, found)
        return finish_ask(plan, found)

    async def _export(self, exporting: Exporting) -> Reply:
        while (read := exporting.next_read()) is not None:
            (found,) = await self._partition.shard.read([read])
            exporting.take(found)
        return exporting.reply

    async def _historical(self, model: Model, query: Query, now: float) -> tuple[Model, float]:
        """Load the model as of the asked sequence or time, and say at which time expiry is to be judged."""
        as_of_seq, as_of_time = _as_of(query)
        if as_of_seq is None and as_of_time is None:
            return model, now
        shard, seq = self._partition.shard, model.seq
        if as_of_seq is not None:
            seq = min(seq, as_of_seq)
        if as_of_time is not None:
            time_us = _microseconds(as_of_time)
            seq = min(seq, await shard.seq_at(time_us))
        else:
            time_us = await shard.time_at(seq)
        past = await shard.load_as_of(model.user, seq, max(time_us, model.time_us) if as_of_time is None else time_us)
        if past is None:
            raise Refusal(Code.NO_SUCH_MODEL, "the model had not yet been made then", "as_of")
        return past, time_us / 1e6

    def _reached(self, seq: int) -> bool:
        return seq <= self._partition.applied_seq or seq <= self._read_position()

    async def _wait_for(self, seq: int) -> None:
        try:
            async with asyncio.timeout(MIN_SEQ_WAIT_S):
                while not self._reached(seq):
                    await self._partition.advanced()
        except TimeoutError:
            raise Transient(Code.NOT_YET, f"sequence {seq} has not been applied here yet") from None


def _existing(actor: LiveModel | None, user: str) -> tuple[LiveModel, Model]:
    if actor is None or actor.model is None:
        raise Refusal(Code.NO_SUCH_MODEL, f"{user} has no model here", hint="the operator can make one")
    return actor, actor.model


def _as_of(query: Query) -> tuple[int | None, float | None]:
    """Say about which sequence and time of the past a query is. The mark of an export names its state."""
    if isinstance(query, Access | Ping | ListResolvers):
        return None, None
    mark = read_mark(query) if isinstance(query, Export) else None
    return (query.as_of_seq, query.as_of_time) if mark is None else (mark.seq, None)


def _microseconds(seconds: float) -> int:
    if not -62135596800 <= seconds <= 253402300800:
        raise Refusal(Code.BAD_FIELD, "a time is seconds since 1970, between the years 1 and 9999", "as_of_time")
    return int(seconds * 1e6)
