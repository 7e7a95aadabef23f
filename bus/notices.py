"""Notices to URLs: the work queue in which they wait, one subject for each rule, and those that were given up.

The primary of a partition puts notices there and takes them away. The oldest message of a
subject is the one that is due, so order is the stream's, and a worker that starts finds all that waits.
"""

import base64
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from bus.connection import Bus
from bus.jetstream import NO_MESSAGE, TOO_MANY_OF_SUBJECT, ApiError, JetStream
from bus.subjects import (
    DEAD_LETTERS_STREAM,
    EFFECTS_STREAM,
    dead_letter_subject,
    notice_subject,
    notice_subjects_of,
)
from schemas.codec import encode
from schemas.effects import DeadLetter, Notice
from schemas.errors import Code, Transient

PAGE: Final = 500
"""Dead letters read at once: about 300 kB."""

_notices: Final = msgspec.json.Decoder(Notice)
_dead_letters: Final = msgspec.json.Decoder(DeadLetter)


class Waiting(NamedTuple):
    """The notice that is due on a subject."""

    seq: int
    """Its place in the work queue."""
    since: float
    """When it was put there, seconds since 1970."""
    notice: Notice


class Enqueued(NamedTuple):
    """Where a notice was put."""

    subject: str
    is_dead: bool
    """The queue was full."""


async def enqueue(bus: Bus, partition: int, notice: Notice) -> Enqueued:
    """Put a notice into the queue, once however often it is put there soon after.

    One that finds the rule's queue full becomes a dead letter. Raises `Transient` when neither is sure.
    """
    subject = notice_subject(partition, notice.user, notice.rule)
    try:
        await JetStream(bus).publish(subject, encode(notice), {"Nats-Msg-Id": f"{partition}.{notice.id}"})
    except ApiError as error:
        if error.err_code != TOO_MANY_OF_SUBJECT:
            raise _not_stored(error) from error
        await bury(bus, notice, "too many notices of this rule wait already", f"{partition}.{notice.id}")
        return Enqueued(subject, True)
    return Enqueued(subject, False)


async def waiting_subjects(bus: Bus, partitions: Iterable[int]) -> set[str]:
    """List the subjects on which notices wait. Raises `Transient`, `ApiError`."""
    # All of them: so all partitions of a worker that starts have it from one request.
    everywhere = await JetStream(bus).listed(EFFECTS_STREAM, notice_subjects_of("*"))
    starts = tuple(notice_subjects_of(partition).removesuffix(">") for partition in partitions)
    return {subject for subject in everywhere if subject.startswith(starts)}


async def first_waiting(bus: Bus, subject: str) -> Waiting | None:
    """Give the notice that is due on a subject; None if none waits. Raises `Transient`, `ApiError`."""
    # From the leader: another replica may not know of the newest yet, and nobody would look again.
    try:
        reply = await JetStream(bus).call(f"STREAM.MSG.GET.{EFFECTS_STREAM}", {"seq": 1, "next_by_subj": subject})
    except ApiError as error:
        if error.err_code == NO_MESSAGE:
            return None
        raise
    message = reply["message"]
    since = datetime.fromisoformat(message["time"]).timestamp()
    return Waiting(message["seq"], since, _notices.decode(base64.b64decode(message["data"])))


async def settle(bus: Bus, waiting: Waiting) -> None:
    """Take a notice out of the queue. Raises `Transient`, `ApiError`."""
    await JetStream(bus).erase(EFFECTS_STREAM, waiting.seq)


async def bury(bus: Bus, notice: Notice, reason: str, letter_id: str) -> None:
    """Keep a notice that is given up; once for each `letter_id` for a while. Raises `Transient`."""
    letter = DeadLetter(notice=notice, reason=reason, given_up=time.time())
    subject = dead_letter_subject(notice.user, notice.rule)
    try:
        await JetStream(bus).publish(subject, encode(letter), {"Nats-Msg-Id": letter_id})
    except ApiError as error:
        raise _not_stored(error) from error


async def read_dead_letters(bus: Bus, user: str | None = None) -> list[DeadLetter]:
    """Give the notices that were given up, of one user or of all, the oldest first. Raises `Transient`."""
    letters: list[DeadLetter] = []
    seq, more = 1, True
    while more:
        page, more = await JetStream(bus).page(DEAD_LETTERS_STREAM, dead_letter_subject(user or "*", "*"), seq, PAGE)
        letters.extend(_dead_letters.decode(stored.data) for stored in page)
        more = more and bool(page)
        seq = page[-1].seq + 1 if page else seq
    return letters


def _not_stored(error: ApiError) -> Transient:
    return Transient(Code.UNAVAILABLE, f"the notice was not stored: {error.description}")
