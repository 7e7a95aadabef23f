"""Whether what has been applied is of the log that is there now.

A log that was restored from an older copy, or cut by damage, gives out its sequences a second time. Then there is state
that is in no log, and new commands would be passed over as applied. So the log's message at the last command that was
committed, or applied, must be that command. If it was deleted (its person was forgotten, or it was a probe), the newest
command below it that is kept must be. The stream is not searched backwards: the shard says what to look for.

What was cut off the log is recorded (`bus/log_cuts.py`): it cannot be compared, and is not missed.
"""

from collections.abc import AsyncIterator
from typing import Final

from actors.store.digests import Digests, Landmark
from bus.connection import Bus
from bus.log_places import gaps_of, message_at
from schemas.errors import Code, Transient

WAYS_ON: Final = (
    "restore the newest copy of the log and start again, or run `llum admin log accept {}`: it rebuilds the models "
    "from the log that is there, and lists what is lost"
)


class OtherLogError(Transient):
    """A partition is not served, because what it holds is not of the log that is there."""

    def __init__(self, partition: int, what: str) -> None:
        super().__init__(Code.UNAVAILABLE, f"partition {partition} is not served: {what}", WAYS_ON.format(partition))
        self.why = f"{self.message}: {self.hint}"
        """In one line, for people: what happened, and the ways on."""


def check_same_key(partition: int, digest_key: int, digests: Digests) -> None:
    """Raise `OtherLogError` unless the shard's digests were made with the installation's key."""
    if digest_key != digests.fingerprint:
        raise OtherLogError(
            partition, "its shard is of another installation: data folder and nats-server do not belong together"
        )


async def check_same_log(
    bus: Bus,
    stream: str,
    partition: int,
    last: Landmark | None,
    kept: AsyncIterator[Landmark],
    digests: Digests,
    cut_seq: int = 0,
) -> None:
    """Raise `OtherLogError` unless the log has the last command, or lists it as deleted and has the newest one kept.

    `kept` gives what is kept below the last command, the newest first. What is before `cut_seq` was cut off the log.
    Raises `ApiError` and `Transient`, too.
    """
    if last is None or await _is_there(bus, stream, partition, last, digests):
        return
    gaps = await gaps_of(bus, stream)
    if last.seq > gaps.last_seq:
        raise OtherLogError(
            partition, f"the log ends at {gaps.last_seq}, but commands up to {last.seq} have been applied"
        )
    if last.seq < cut_seq:
        return
    if gaps.may_be_deleted(last.seq):
        await _check_kept(bus, stream, partition, kept, digests, cut_seq)
    else:
        raise _missing(partition, last)


async def common_until(bus: Bus, stream: str, kept: AsyncIterator[Landmark], digests: Digests, cut_seq: int = 0) -> int:
    """Give the sequence of the newest kept command that the log has, too; 0 if there is none. Raises `Transient`.

    What was cut off the log, before `cut_seq`, is taken for common.
    """
    async for landmark in kept:
        if landmark.seq < cut_seq:
            return landmark.seq
        message = await message_at(bus, stream, landmark.seq)
        if message is not None and digests.of(message)[0] == landmark.digest:
            return landmark.seq
    return 0


async def _check_kept(
    bus: Bus, stream: str, partition: int, kept: AsyncIterator[Landmark], digests: Digests, cut_seq: int
) -> None:
    """Look for the newest command that is kept. It must be there: llum deletes none of a person who is not forgotten.

    nats-server lists as deleted what it has cut off damaged files, too.
    """
    newest = await anext(kept, None)
    if newest is None or newest.seq < cut_seq:
        return
    if not await _is_there(bus, stream, partition, newest, digests):
        raise _missing(partition, newest)


async def _is_there(bus: Bus, stream: str, partition: int, landmark: Landmark, digests: Digests) -> bool:
    """Tell whether the log has the command; False: it has nothing there. Raises `OtherLogError` if it has another."""
    message = await message_at(bus, stream, landmark.seq)
    if message is None:
        return False
    if digests.of(message)[0] != landmark.digest:
        raise OtherLogError(
            partition, f"the log has another command at {landmark.seq} than the one that has been applied"
        )
    return True


def _missing(partition: int, landmark: Landmark) -> OtherLogError:
    return OtherLogError(partition, f"the log has lost command {landmark.seq}, which has been applied")
