"""People about whom much is told and asked while faults happen, and what each answer must have been."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from bus.requests import Requests
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Transient
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import Accepted, AskReply

PATIENCE_S = 20.0
"""Seconds for one attempt; the next has the same id."""


@dataclass
class Findings:
    """What is wrong, each a sentence. All are to be empty."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def counts(self) -> str:
        return ", ".join(f"{name} {len(found)}" for name, found in vars(self).items())


class Person:
    """Is told 1, 2, 3 and so on, each under an id of its own, until it is acknowledged; and asked after each."""

    def __init__(self, user: str, requests: Requests, findings: Findings) -> None:
        self.user = user
        self.asks = 0
        self.seqs: list[int] = []
        """Where in the log each number is that was acknowledged."""
        self._requests = requests
        self._findings = findings

    async def make(self) -> None:
        component = ComponentDefinition(name="x", value_type="JSON")
        definition = ModelDefinition(contexts=[ContextDefinition(path=["c"], components=[component])])
        outcome = await self._requests.send(self.user, ADMIN_APP, MakeModel(id="made", definition=definition), 120.0)
        assert isinstance(outcome, Accepted), outcome

    async def go_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.seqs.append((await self._tell(len(self.seqs) + 1)).seq)
            await self._look(await self.ask(min_seq=self.seqs[-1]))
            await asyncio.sleep(0.02)

    async def _tell(self, number: int) -> Accepted:
        command = Tell(id=f"n-{number}", context=["c"], component="x", evidence=NewEvidence(value=number))
        while True:
            try:
                outcome = await self._requests.send(self.user, "llum", command, PATIENCE_S)
            except Transient:
                continue
            assert isinstance(outcome, Accepted), outcome
            return outcome

    async def ask(self, *, min_seq: int | None = None) -> AskReply:
        """Ask until there is an answer."""
        return await self._answer(Ask(context=["c"], view=["x"], min_seq=min_seq))

    async def _answer(self, query: Ask) -> AskReply:
        while True:
            try:
                reply = await self._requests.ask(self.user, "llum", query, PATIENCE_S)
            except Transient:
                continue
            self.asks += 1
            assert isinstance(reply, AskReply), reply
            return reply

    async def _look(self, reply: AskReply) -> None:
        """See that the answer is explained by the log up to its sequence, and that this is not behind."""
        explained = bisect_right(self.seqs, reply.seq)
        value = reply.components[0].value
        if reply.seq < self.seqs[-1]:
            self._findings.stale.append(f"{self.user} was answered up to {reply.seq}, wanted {self.seqs[-1]}")
        if value != explained:
            self._findings.stale.append(f"{self.user} was {value} up to {reply.seq}, which had {explained}")

    async def _told(self) -> AsyncIterator[int]:
        """Read all that was told, page by page."""
        query = Ask(context=["c"], view=["x"], min_seq=self.seqs[-1], include_evidence=True)
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

    async def check(self) -> None:
        """See that each number is there once, in order."""
        told = [number async for number in self._told()]
        wanted = list(range(1, len(self.seqs) + 1))
        self._findings.lost += [f"{self.user} lacks {number}" for number in sorted(set(wanted) - set(told))]
        twice = sorted(number for number in set(told) if told.count(number) > 1)
        self._findings.duplicated += [f"{self.user} has {number} more than once" for number in twice]
        if sorted(told) != told:
            self._findings.reordered.append(f"{self.user} has {told}")
