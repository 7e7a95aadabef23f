"""What the log has at one place: the message of a sequence, or whether the server knows that there is none.

A message that was deleted stays listed as long as older ones are there. What is neither there nor listed is lost.
"""

import base64
from datetime import datetime
from typing import NamedTuple

import msgspec

from bus.connection import Bus
from bus.inbox import header
from bus.jetstream import NO_MESSAGE, ApiError, JetStream
from bus.log import LogMessage
from bus.losses import MAX_LISTED
from bus.subjects import api_subject, partition_in

_MICROSECONDS = 6


class Gaps(NamedTuple):
    """Where a log stream begins and ends, and what was deleted between."""

    first_seq: int
    last_seq: int
    deleted: frozenset[int] | None
    """Sequences after the first message; None: they are too many to be fetched."""

    def may_be_deleted(self, seq: int) -> bool:
        """Tell whether a sequence that is not there was deleted, as far as that is known."""
        return seq < self.first_seq or self.deleted is None or seq in self.deleted


async def message_at(bus: Bus, stream: str, seq: int) -> LogMessage | None:
    """Read one message of a log; None if it has none there. Raises `Transient`.

    Any replica may have it. That it is nowhere, the leader says: another one may be a moment behind.
    """
    body = msgspec.json.encode({"seq": seq})
    answer = await bus.inbox.request(api_subject(f"DIRECT.GET.{stream}"), body, 5.0)
    if not answer.no_responders and answer.headers.startswith(b"NATS/1.0\r\n"):
        subject = header(answer.headers, b"Nats-Subject") or ""
        time = header(answer.headers, b"Nats-Time-Stamp") or ""
        return _message(seq, subject, time, answer.data)
    try:
        found = (await JetStream(bus).call(f"STREAM.MSG.GET.{stream}", {"seq": seq}))["message"]
    except ApiError as error:
        if error.err_code == NO_MESSAGE:
            return None
        raise
    return _message(seq, found["subject"], found["time"], base64.b64decode(found.get("data", "")))


async def gaps_of(bus: Bus, stream: str) -> Gaps:
    """Ask what is deleted. Raises `ApiError` or `Transient`."""
    jetstream, deleted = JetStream(bus), None
    state = (await jetstream.call(f"STREAM.INFO.{stream}"))["state"]
    if state.get("num_deleted", 0) <= MAX_LISTED:
        state = (await jetstream.call(f"STREAM.INFO.{stream}", {"deleted_details": True}))["state"]
        deleted = frozenset(state.get("deleted") or ())
    return Gaps(state["first_seq"], state["last_seq"], deleted)


def _message(seq: int, subject: str, time: str, data: bytes) -> LogMessage:
    return LogMessage(seq, microseconds(time), partition_in(subject.encode()), subject, data, None)


def microseconds(written: str) -> int:
    """Read a time as nats-server writes it, to the nanosecond, as `LogMessage` has it: what is below is cut off."""
    moment, _, fraction = written.removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{moment}+00:00").timestamp())
    return whole * 1_000_000 + int(fraction[:_MICROSECONDS].ljust(_MICROSECONDS, "0"))
