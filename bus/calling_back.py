"""Speaking to a person's model as `AsApp` does, for who is called back in place of waiting in a coroutine.

It is for the many that need nothing but one answer. Whatever would have to wait before it is sent is not sent.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from bus.as_app import OUTCOME_WITHIN_S, LastWrites, Writer, seeing
from bus.exchanges import OnSettled
from bus.turns import Turns
from schemas.codec import decode_outcome, decode_reply
from schemas.commands import Command
from schemas.queries import Query
from schemas.replies import Accepted, Outcome, Reply
from schemas.reserved import check_told

T = TypeVar("T")

OnOutcome = Callable[[Outcome | None, Exception | None], None]
OnReply = Callable[[Reply | None, Exception | None], None]
"""Called with what came, which may say that it was refused, or with what was wrong."""


class SendingSoon(Protocol):
    """The part of `bus.requests.Requests` that is used here."""

    def send_soon(
        self, user: str, app: str, command: Command, on_settled: OnSettled, timeout_s: float = ..., *, settle: bool
    ) -> bool:
        """Send a command. False: it cannot be sent at once."""

    def ask_soon(self, user: str, app: str, query: Query, on_settled: OnSettled) -> bool:
        """Ask. False: it cannot be sent at once."""


class CallingBack:
    """The models of all people, as the apps see them. `writes` and `turns` are shared with those who wait."""

    __slots__ = ("_requests", "_turns", "_writes")

    def __init__(self, requests: SendingSoon, writes: LastWrites, turns: Turns) -> None:
        self._requests = requests
        self._writes = writes
        self._turns = turns

    def send(self, writer: Writer, command: Command, on_outcome: OnOutcome, *, settle: bool = False) -> bool:
        """Send a command as `AsApp.outcome` does. False, and nothing is sent, where that would have to wait.

        Raises `Refusal` for what cannot be sent, `Transient`; then nothing is sent, either.
        """
        check_told(command)
        turns = self._turns
        if not turns.enter_at_once(writer):
            return False

        def settled(data: bytes | None, error: Exception | None) -> None:
            turns.leave(writer)
            outcome, error = _decoded(decode_outcome, data, error)
            if isinstance(outcome, Accepted):
                self._writes.note(writer, outcome.settled_seq or outcome.seq)
            on_outcome(outcome, error)

        is_sent = False
        try:
            is_sent = self._requests.send_soon(*writer, command, settled, OUTCOME_WITHIN_S, settle=settle)
        finally:
            if not is_sent:
                turns.leave(writer)
        return is_sent

    def ask(self, writer: Writer, query: Query, seen: int | None, on_reply: OnReply) -> bool:
        """Send a query as `AsApp.ask` does, which sees `seen` and this app's own writes. As `send`."""
        seq = self._writes.seq_of(writer, seen)
        if seq is not None and query.min_seq is None:
            query = seeing(query, seq)

        def settled(data: bytes | None, error: Exception | None) -> None:
            on_reply(*_decoded(decode_reply, data, error))

        return self._requests.ask_soon(*writer, query, settled)


def _decoded(
    decode: Callable[[bytes], T], data: bytes | None, error: Exception | None
) -> tuple[T | None, Exception | None]:
    """Decode what came. What cannot be decoded is an error, too: whoever waits hears of it."""
    if data is None:
        return None, error
    try:
        return decode(data), None
    except Exception as failure:  # noqa: BLE001 - passed on
        return None, failure
