"""People about whom much is told and asked while faults happen, and what each answer must have been."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator

import msgspec

from bus.requests import Requests
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Transient
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import Accepted, AskReply
from tests.chaos.report import Findings
from tests.waiting import eventually

PATIENCE_S = 20.0
"""Seconds for one attempt; the next has the same id."""

PAUSE_S = 0.02
"""Seconds between two tells to a person."""

RULE = r"<default!./c/x> ~ '\d*[05]$' : TELL ./c/fives, inferred:<default!./c/x>"
"""Tells every fifth number once more."""

EVERY = 5


async def make_person(requests: Requests, user: str) -> None:
    """Make a model with a component of numbers, and a rule."""
    numbers = ComponentDefinition(name="x", value_type="number", rules=[RULE])
    fives = ComponentDefinition(name="fives", value_type="number")
    definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=[numbers, fives])])
    outcome = await requests.send(user, ADMIN_APP, MakeModel(id="made", definition=definition), 120.0)
    assert isinstance(outcome, Accepted), outcome


class Numbers:
    """A component that is told 1, 2, 3 and so on."""

    def __init__(self, requests: Requests, user: str, app: str, context: list[str], component: str) -> None:
        self.user = user
        self.asks = 0
        self._requests = requests
        self._app = app
        self._context = context
        self._component = component

    async def ask(self, *, min_seq: int | None = None) -> AskReply:
        """Ask until there is an answer."""
        return await self._answer(Ask(context=self._context, view=[self._component], min_seq=min_seq))

    async def _answer(self, query: Ask) -> AskReply:
        while True:
            try:
                reply = await self._requests.ask(self.user, self._app, query, PATIENCE_S)
            except Transient:
                continue
            self.asks += 1
            assert isinstance(reply, AskReply), reply
            return reply

    async def told(self, min_seq: int) -> list[int]:
        """Read all that was told."""
        return [number async for number in self._told(min_seq)]

    async def _told(self, min_seq: int) -> AsyncIterator[int]:
        """Read page by page."""
        query = Ask(context=self._context, view=[self._component], min_seq=min_seq, include_evidence=True)
        while True:
            reply = await self._answer(query)
            found = reply.components[0]
            pieces = found.evidence or []
            for piece in pieces:
                yield piece.value
            if not found.evidence_more:
                return
            last = pieces[-1]
            query = msgspec.structs.replace(
                query, evidence_after=(last.seq, last.n), as_of_seq=query.as_of_seq or reply.seq
            )

    async def check(self, wanted: list[int], min_seq: int, findings: Findings) -> None:
        """See that each number is there once, in order."""
        told, name = await self.told(min_seq), f"{self.user} in {self._component}"
        findings.lost += [f"{name}: {number}" for number in sorted(set(wanted) - set(told))]
        twice = sorted(number for number in set(told) if told.count(number) > 1)
        findings.duplicated += [f"{name}: {number}" for number in twice]
        findings.duplicated += [f"{name}: {number} was never told" for number in sorted(set(told) - set(wanted))]
        if sorted(told) != told:
            findings.reordered.append(f"{name}: {told}")


class Person:
    """Is told 1, 2, 3 and so on, each under an id of its own, until it is acknowledged; and asked after each."""

    kind = "tells on the bus"

    def __init__(self, user: str, requests: Requests, findings: Findings) -> None:
        self.user = user
        self.seqs: list[int] = []
        """Where in the log each number is that was acknowledged."""
        self.numbers = Numbers(requests, user, "llum", ["c"], "x")
        self._fives = Numbers(requests, user, "llum", ["c"], "fives")
        self._requests = requests
        self._findings = findings

    @property
    def acknowledged(self) -> int:
        return len(self.seqs)

    @property
    def asks(self) -> int:
        return self.numbers.asks

    @property
    def fives(self) -> list[int]:
        """What the rule has to tell."""
        return list(range(EVERY, self.acknowledged + 1, EVERY))

    async def make(self) -> None:
        await make_person(self._requests, self.user)

    async def go_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.seqs.append(await self._tell(len(self.seqs) + 1))
            self._look(await self.numbers.ask(min_seq=self.seqs[-1]), min_seq=self.seqs[-1])
            self._look(await self.numbers.ask())
            await asyncio.sleep(PAUSE_S)

    async def _tell(self, number: int) -> int:
        command = Tell(id=f"n-{number}", context=["c"], component="x", evidence=NewEvidence(value=number))
        while True:
            try:
                outcome = await self._requests.send(self.user, "llum", command, PATIENCE_S)
            except Transient:
                continue
            assert isinstance(outcome, Accepted), outcome
            return outcome.seq

    def _look(self, reply: AskReply, min_seq: int = 0) -> None:
        """See that the answer is explained by the log up to its sequence, and that this is not behind."""
        explained = bisect_right(self.seqs, reply.seq)
        value = reply.components[0].value
        if reply.seq < min_seq:
            self._findings.stale.append(f"{self.user} was answered up to {reply.seq}, wanted {min_seq}")
        if (value or 0) != explained:
            self._findings.stale.append(f"{self.user} was {value} up to {reply.seq}, which had {explained}")

    async def check(self) -> None:
        """See that each number is there once, in order, and what the rule tells of them."""
        last = self.seqs[-1] if self.seqs else 0
        await self.numbers.check(list(range(1, self.acknowledged + 1)), last, self._findings)

        async def rule_has_told() -> bool:
            return len(await self._fives.told(last)) >= len(self.fives)

        await eventually(rule_has_told, f"the rule of {self.user} has told all")
        await self._fives.check(self.fives, last, self._findings)
