"""Speaking to one person's model as one app: commands whose refusals are raised, asks that see one's own writes."""

import os
from typing import Final, Protocol, TypeVar

import msgspec

from bus.turns import Sender, Turns
from schemas.commands import Command
from schemas.errors import raised_from
from schemas.queries import Query
from schemas.recent import Recent
from schemas.replies import Accepted, Outcome, Refused, Reply
from schemas.reserved import check_told

OUTCOME_WITHIN_S: Final = 10.0
"""Seconds to wait for a command's outcome, a restart of the worker included."""

MAX_WRITERS: Final = 50_000
"""Writers remembered, about 200 bytes each. A forgotten one may, for the moment a replica lags, read an older state."""

R = TypeVar("R", bound=Reply)

Writer = tuple[str, str]
"""User and app: whoever speaks as the same app about the same person sees the same writes."""


class LastWrites:
    """The sequence of each writer's last accepted command; the longest unused are forgotten first."""

    __slots__ = ("_seqs",)

    def __init__(self, bound: int = MAX_WRITERS) -> None:
        self._seqs: Recent[Writer, int] = Recent(bound)

    def note(self, writer: Writer, seq: int) -> None:
        """Remember a write. An older sequence, as of a repeated command, changes nothing."""
        known = self._seqs.get(writer)
        if known is None or known < seq:
            self._seqs[writer] = seq

    def seq_of(self, writer: Writer, seen: int | None = None) -> int | None:
        """Give the sequence that this writer's ask must have seen; None if it has not written lately.

        `seen` is what it has written elsewhere, by its own word.
        """
        written = self._seqs.get(writer)
        return written if seen is None or (written is not None and written > seen) else seen


class Sending(Protocol):
    """The part of `bus.requests.Requests` that is used here."""

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = ..., *, settle: bool = ...
    ) -> Outcome:
        """Send a command and wait for its outcome; with `settle` also for what it sets off by rules in its model."""

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        """Ask, and give the reply."""


class AsApp:
    """One person's model, as one app sees it. Costs nothing to make; `writes` and `turns` may be shared by many.

    Commands take turns with others of the same sender, which is this app for this person, or who is named.
    """

    __slots__ = ("_requests", "_seen", "_sender", "_turns", "_writer", "_writes")

    def __init__(
        self,
        requests: Sending,
        user: str,
        app: str,
        writes: LastWrites,
        turns: Turns | None = None,
        sender: Sender | None = None,
        seen: int | None = None,
    ) -> None:
        """`seen` is a sequence that each ask must have seen at least, as whoever asks has written it elsewhere."""
        self._requests = requests
        self._seen = seen
        self._writer = (user, app)
        self._writes = writes
        self._turns = turns or Turns()
        self._sender = sender or self._writer

    @property
    def user(self) -> str:
        return self._writer[0]

    @property
    def app(self) -> str:
        return self._writer[1]

    @property
    def last_seq(self) -> int | None:
        """The sequence that the next ask will have seen; None: this app has not written lately."""
        return self._writes.seq_of(self._writer, self._seen)

    async def outcome(self, command: Command, timeout_s: float = OUTCOME_WITHIN_S, *, settle: bool = False) -> Outcome:
        """Send a command and give its outcome. Raises `Refusal` for what cannot be sent, `Transient`.

        After a `Transient` it is not known whether the command is applied: send it again with the same id. With
        `settle` the next ask sees what rules in the same model have done with it, too, if they need less than 2 s.
        """
        check_told(command)
        turns, sender = self._turns, self._sender
        if not turns.enter(sender):
            await turns.wait(sender)
        try:
            outcome = await self._requests.send(*self._writer, command, timeout_s, settle=settle)
        finally:
            turns.leave(sender)
        if isinstance(outcome, Accepted):
            self._writes.note(self._writer, outcome.settled_seq or outcome.seq)
        return outcome

    async def send(self, command: Command, timeout_s: float = OUTCOME_WITHIN_S, *, settle: bool = False) -> Accepted:
        """Send a command; raises as `outcome`, and `Refusal` or `Transient` when it was refused."""
        outcome = await self.outcome(command, timeout_s, settle=settle)
        if isinstance(outcome, Refused):
            raise raised_from(outcome.error)
        return outcome

    async def ask(self, query: Query) -> Reply:
        """Send a query and give its reply, or raise its error. Without a `min_seq` it sees this app's own writes."""
        seq = None if query.min_seq is not None else self.last_seq
        return await self._requests.ask(*self._writer, query if seq is None else seeing(query, seq))

    async def find(self, query: Query, kind: type[R]) -> R:
        """Send a query and give its reply, which is of this kind. Raises as `ask`."""
        reply = await self.ask(query)
        assert isinstance(reply, kind), "each query is answered by its own reply"
        return reply


def new_id() -> str:
    """Make an id for a command: chosen once, and kept for when the command is sent again."""
    return os.urandom(16).hex()


def seeing(query: Query, seq: int) -> Query:
    """Have a query see a sequence."""
    return msgspec.structs.replace(query, min_seq=seq)
