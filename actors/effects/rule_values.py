"""Values for rules: of their own model as it was when they fired, of other people's as they are.

Of other people's models a rule gets what is granted there to the rules that its app has in this model. What is granted
to the app itself does not count: everybody who uses the app could have rules of it.

A firing may have many rules that want the same, so each value is resolved once for each app, and all that is wanted at
one step in one ask.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from actors.driving import begin, finish
from actors.partition import Partition
from bus.requests import Requests
from model.asked.about import headings_of
from model.asked.tally import Question
from model.queries import answer
from model.reads import AsOf
from model.resolvers.registry import Resolvers
from model.rules.decide import OWN_MODEL, Wanted
from model.state import Model
from schemas.errors import Code, LlumError, Refusal, Transient, raised_from
from schemas.queries import Ask, AskForRule, RuleMayTell
from schemas.replies import AskReply

MAX_PER_ASK: Final = 512
"""Components in one ask, within what a view may list."""

FOREIGN_TIMEOUT_S: Final = 5.0
"""Seconds to wait for another person's partition at each attempt."""

FOREIGN_ATTEMPTS: Final = 6
"""Attempts before a value of another person counts as not to be had: their worker must not hold up this partition."""

Key = tuple[str, Wanted]
"""The app that wants a value, and which."""


class PastModel:
    """A person's model as it was right after one command. Who may see it is judged by the model as it is."""

    def __init__(
        self, partition: Partition, user: str, seq: int, resolvers: Resolvers, clock: Callable[[], float]
    ) -> None:
        self.user = user
        self._partition = partition
        self._seq = seq
        self._resolvers = resolvers
        self._clock = clock
        self._past: Model | None = None

    async def model(self) -> Model | None:
        """Give the model of then, to be looked at before the next await; None if it is no longer there."""
        async with self._partition.reading(self.user) as live:
            return None if live is None else await self._model_of_then(live.model)

    async def ask(self, app: str, query: Ask) -> AskReply:
        """Answer as of then. Raises a `Refusal`."""
        query.as_of_seq = self._seq
        stored = self._partition.stored
        async with self._partition.reading(self.user) as live:
            present = None if live is None else live.model
            if live is None or present is None:
                raise Refusal(Code.NO_SUCH_MODEL, f"{self.user} has no model here")
            now, tally = self._clock(), self._partition.tally
            headings = headings_of(present, app, query, now, live.caches.grants, self.user)
            question = Question(self.user, headings, now, now)
            work = answer(present, live.caches, app, query, now, self._resolvers, fired=True)
            with tally.answering(question, now):
                need = await begin(work, lambda _: self._model_of_then(present))
        with tally.answering(question, now):
            reply = await finish(work, stored, need)
            assert isinstance(reply, AskReply), "each query is answered by its own reply"
            tally.count(question, reply.failures, now)
        return reply

    async def _model_of_then(self, present: Model | None) -> Model | None:
        if present is None or present.seq == self._seq:
            return present
        if self._past is None:
            self._past = await self._partition.stored.load_as_of(AsOf(user=self.user, seq=self._seq))
        return self._past


class Values:
    """The values that the rules of one firing have asked for so far."""

    def __init__(self, moment: PastModel, requests: Requests) -> None:
        self._moment = moment
        self._requests = requests
        self._known: dict[Key, Any] = {}

    def get(self, app: str, wanted: Wanted) -> Any:
        """Give a value that has been fetched, or raise why there is none."""
        value = self._known[(app, wanted)]
        if isinstance(value, LlumError):
            raise value
        return value

    async def fetch(self, keys: Iterable[Key]) -> None:
        """Resolve what is not known yet. Raises what the shard raises; all else is kept for `get`."""
        missing = sorted({key for key in keys if key not in self._known}, key=_group_key)
        for (app, model, resolver), group in groupby(missing, key=_group_key):
            paths = [wanted.path for _, wanted in group]
            for at in range(0, len(paths), MAX_PER_ASK):
                await self._fetch_some(app, model, resolver or None, paths[at : at + MAX_PER_ASK])

    async def check_tells(self, app: str, user: str, path: Sequence[str]) -> None:
        """Raise unless rules that the app has in this model may tell a component of another person's."""
        await check_tells(self._requests, app, user, path, self._moment.user)

    def is_own(self, model: str) -> bool:
        return model in (OWN_MODEL, self._moment.user)

    async def _fetch_some(self, app: str, model: str, resolver: str | None, paths: Sequence[tuple[str, ...]]) -> None:
        query = Ask(view=[list(path) for path in paths], resolver=resolver)
        try:
            found = _by_path(await self._ask(app, model, query))
        except LlumError as error:
            found = dict.fromkeys(paths, error)
        for path in paths:
            value = found.get(path, Refusal(Code.NO_SUCH_COMPONENT, "there is no such component"))
            self._known[(app, Wanted(model, path, resolver))] = value

    async def _ask(self, app: str, model: str, query: Ask) -> AskReply:
        if self.is_own(model):
            return await self._moment.ask(app, query)
        for_rule = AskForRule(whose_rules=self._moment.user, query=query)
        reply = await _patiently(lambda: self._requests.ask(model, app, for_rule, FOREIGN_TIMEOUT_S))
        assert isinstance(reply, AskReply)
        return reply


async def check_tells(requests: Requests, app: str, user: str, path: Sequence[str], whose_rules: str) -> None:
    """Raise unless rules that the app has in a person's model may tell a component of another one's.

    The command would be refused there, too, but then nobody here would hear of it.
    """
    query = RuleMayTell(whose_rules=whose_rules, component=list(path))
    await _patiently(lambda: requests.ask(user, app, query, FOREIGN_TIMEOUT_S))


def _group_key(key: Key) -> tuple[str, str, str]:
    app, wanted = key
    return app, wanted.model, wanted.resolver or ""


def _by_path(reply: AskReply) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {tuple(answer.path): answer.value for answer in reply.components}
    found |= {tuple(failure.path): raised_from(failure.error) for failure in reply.failures}
    return found


async def _patiently(ask: Callable[[], Any]) -> Any:
    """Ask again while nobody answers, within bounds."""
    for attempt in range(FOREIGN_ATTEMPTS):
        try:
            return await ask()
        except Transient as error:
            if error.code is not Code.UNAVAILABLE or attempt == FOREIGN_ATTEMPTS - 1:
                raise
            await asyncio.sleep(min(1.0, 0.1 * 2**attempt))
    raise AssertionError("the last attempt raises")
