"""A query's bytes to a reply's bytes.

Most queries are answered at once from the memory of an active model. What must wait (for an activation, for evidence to
be read, for a sequence to be applied) goes on as a coroutine, which is made only when somebody awaits it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from actors.driving import Done, NotAtHand, begin, finish, go_on, no_record
from actors.partition import Partition
from actors.store.damage import ShardDamaged
from bus import lines
from bus.logger import get_logger
from bus.subjects import Address
from model.asked.about import headings_of
from model.asked.tally import Question
from model.caches import Caches
from model.queries import Answering, answer
from model.queries.measuring import part_to_measure
from model.reads import AsOf, Recorded
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from model.state import Model
from schemas.asked import AskedRow
from schemas.codec import decode_query
from schemas.errors import Code, Error, LlumError, Refusal, Transient
from schemas.parts import MeasurePartReply
from schemas.queries import MeasurePart, Ping, Query
from schemas.replies import AskReply, ComponentFailure, Failed, PingReply, Reply

log = get_logger(__name__)

MIN_SEQ_WAIT_S = 5.0
"""How long an ask waits for its `min_seq`: as long as the asker's own default deadline."""

MAX_REMEMBERED_BYTES = 1024
"""Bytes of a query that is remembered as it was read, for as long as it is counted by its bytes."""

_FAULT = Error(Code.INTERNAL, "a fault in llum; it has been recorded")

_OF_THE_PARTITION = frozenset({Ping, MeasurePart})
"""Queries that are not answered from a model alone."""

Later = partial[Coroutine[None, None, Reply]]
"""Makes the coroutine that ends with the reply. It never raises what is wrong with a query."""


class Condition(NamedTuple):
    """How a partition stands, as a `PingReply` says it."""

    pauses: str | None = None
    lost: str | None = None
    idle_s: float | None = None
    differs: str | None = None


class Answers:
    """Answers the queries of one partition."""

    def __init__(
        self,
        partition: Partition,
        clock: Callable[[], float],
        read_position: Callable[[], int],
        resolvers: Resolvers = SHIPPED,
        state: Callable[[], Condition] = Condition,
        recorded: Callable[[Recorded], Awaitable[list[AskedRow]]] = no_record,
    ) -> None:
        self._partition = partition
        self._resolvers = resolvers
        self._clock = clock
        self._read_position = read_position
        """The partition has nothing unapplied up to this sequence of the log."""
        self._state = state
        self._recorded = recorded
        """Reads who asked."""
        self._tally = partition.tally

    def answer(self, address: Address, data: bytes) -> Reply | Later:
        """Answer at once, or say how to answer later. Never raises: what is wrong becomes a `Failed`."""
        try:
            # One step in a dict for whatever was asked within the minute: it need not be read again.
            question = self._tally.questions.get((address, data))
            query = (question and question.query) or decode_query(
                data, address.verb, self._partition.level.known.queries
            )
            live = self._partition.active(address.user)
            if live is None or live.model is None or not self._is_simple(query):
                return partial(self._guarded, self._answer_later, address, data, query)
            now = self._clock()
            if question is None:
                question = self._new_question(address, data, query, live.model, live.caches, now)
            try:
                work = answer(live.model, live.caches, address.app, query, now, self._resolvers)
                need = go_on(work)
            except Refusal as refusal:
                self._tally.refuse(question, refusal.code, now)
                raise
            if type(need) is Done:
                reply = need.result
                if type(reply) is AskReply and reply.failures:
                    self._tally.count(question, reply.failures, now)
                else:
                    # The question has not been folded since it was found.
                    question.count += 1
                    question.last = now
                return reply
            if isinstance(need, AsOf):
                return partial(self._guarded, self._answer_later, address, data, query)
            return partial(self._guarded, self._read_on, question, work, need)
        except LlumError as error:
            return Failed(error=error.error)
        except Exception:
            log.exception("ask_failed", user=address.user, app=address.app, verb=address.verb)
            return Failed(error=_FAULT)

    def _is_simple(self, query: Query) -> bool:
        """Tell whether the query is about the model as it is now."""
        return type(query) not in _OF_THE_PARTITION and (query.min_seq is None or self._reached(query.min_seq))

    async def _guarded(self, make: Callable[..., Coroutine[None, None, Reply]], *given: object) -> Reply:
        try:
            return await make(*given)
        except LlumError as error:
            return Failed(error=error.error)
        except Exception as error:
            log.exception("ask_failed", partition=self._partition.number)
            return Failed(error=self._fault(error))

    def _fault(self, error: Exception) -> Error:
        """Say whose fault it is. The query was understood, so what cannot be read is of the shard."""
        if isinstance(error, msgspec.DecodeError | UnicodeError):
            error = self._partition.shard.doubted(error)
        return error.error if isinstance(error, ShardDamaged) else _FAULT

    async def _answer_later(self, address: Address, data: bytes, query: Query) -> Reply:
        if query.min_seq is not None:
            await self._wait_for(query.min_seq)
        if isinstance(query, Ping):
            # Whoever takes a person out of the log files pings before: what was asked about the person is in them then.
            lines.flush()
            number, applied_seq = self._partition.number, self._partition.applied_seq
            level = self._partition.level.level
            return PingReply(partition=number, applied_seq=applied_seq, level=level, **self._state()._asdict())
        if isinstance(query, MeasurePart):
            return await self._measure(address, query)
        # No later command slips in before it is known what to read.
        async with self._partition.reading(address.user) as live:
            if live is None or live.model is None:
                raise _no_such_model(address.user)
            now = self._clock()
            question = self._tally.questions.get((address, data))
            if question is None:
                question = self._new_question(address, data, query, live.model, live.caches, now)
            work = answer(live.model, live.caches, address.app, query, now, self._resolvers)
            with self._tally.answering(question, now):
                need = await begin(work, self._partition.stored.load_as_of)
        return await self._read_on(question, work, need)

    async def _read_on(self, question: Question, work: Answering, need: NotAtHand | Done[Reply]) -> Reply:
        with self._tally.answering(question, self._clock()):
            reply = await finish(work, self._partition.stored, need, self._recorded)
            self._tally.count(question, _failures_of(reply), self._clock())
        return reply

    def _new_question(
        self, address: Address, data: bytes, query: Query, model: Model, caches: Caches, now: float
    ) -> Question:
        """Begin to count an ask that was not asked within the minute."""
        headings = headings_of(model, address.app, query, now, caches.grants)
        known = query if len(data) <= MAX_REMEMBERED_BYTES else None
        return self._tally.ask((address, data), Question(address.user, headings, now, now, query=known))

    async def _measure(self, address: Address, query: MeasurePart) -> Reply:
        """Look into the shard, where the past is, too."""
        async with self._partition.reading(address.user) as live:
            if live is None or live.model is None:
                raise _no_such_model(address.user)
            key, seq, part = live.key, live.model.seq, part_to_measure(live.model, address.app, query)
        await self._partition.flush()
        rewritings = self._partition.shard.rewritings
        size = None if part is None else await rewritings.part_size(key, part)
        return MeasurePartReply(seq=seq, size=size, waits=await rewritings.waits(address.user))

    def _reached(self, seq: int) -> bool:
        return seq <= self._partition.applied_seq or seq <= self._read_position()

    async def _wait_for(self, seq: int) -> None:
        try:
            async with asyncio.timeout(MIN_SEQ_WAIT_S):
                while not self._reached(seq):
                    await self._partition.advanced()
        except TimeoutError:
            raise Transient(Code.NOT_YET, f"sequence {seq} has not been applied here yet") from None


def _failures_of(reply: Reply) -> Sequence[ComponentFailure]:
    return reply.failures if type(reply) is AskReply else ()


def _no_such_model(user: str) -> Refusal:
    return Refusal(Code.NO_SUCH_MODEL, f"{user} has no model here", hint="the operator can make one")
