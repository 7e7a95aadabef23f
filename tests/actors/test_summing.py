"""Sums of what was applied: a shard that is made anew from the log must come to the same one."""

from contextlib import suppress

import pytest

from actors.worker import Worker
from bus import log_sums
from bus.accepting import accept_log
from bus.aside import remove_shard
from bus.erasing import erase
from bus.jetstream import JetStream
from bus.log_sums import LogSum
from bus.pings import ping
from bus.subjects import log_stream_of, log_subject_of, log_subjects_of_user, partition_of
from schemas.commands import Forget
from schemas.errors import Transient
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.serving import PARTITIONS
from tests.waiting import DEADLINE_S, eventually

STREAM = log_stream_of(HERS, PARTITIONS)

ANN = next(name for name in ("ann", "amy", "ava", "ada", "abe") if partition_of(name, PARTITIONS) == HERS)
"""Another person of the same partition."""


async def started(host: Host) -> Worker:
    """Have a worker that has applied three tells about each of two people."""
    worker = await host.worker("one")
    await worker.add(HERS)
    for user in (ALICE, ANN):
        await host.llum.make_person(user, "a")
    for user in (ALICE, ANN):
        for value in (1, 2, 3):
            await host.store_once(value, user)
        await host.llum.until("a", [1, 2, 3], user)
    return worker


async def recorded(host: Host) -> LogSum:
    found = await log_sums.read(host.llum.bus, HERS)
    assert found is not None
    return found


async def make_anew(host: Host, worker: Worker) -> None:
    """Have the partition leave, which records its sum, and made anew from the log."""
    await worker.remove(HERS)
    remove_shard(host.folder / "one" / f"{HERS}.db")
    await worker.add(HERS)


async def lost(host: Host) -> str | None:
    """Give what is said to be lost."""
    reply = await ping(host.llum.bus, HERS, DEADLINE_S)
    assert reply is not None
    return reply.lost


async def lose(host: Host, nth: int) -> None:
    """Take one of the tells out of the log, as damage would: a person who is not forgotten."""
    page, _ = await JetStream(host.llum.bus).page(STREAM, log_subject_of(HERS), 1, 100)
    tells = [stored for stored in page if stored.subject.endswith(".tell")]
    await JetStream(host.llum.bus).erase(STREAM, tells[nth].seq)


async def test_a_sound_log_gives_the_same_sum(host: Host) -> None:
    """Also when commands were stored after the last record, and are applied together with the others."""
    worker = await started(host)
    await worker.remove(HERS)
    before = await recorded(host)
    await host.store_tells(5)
    await make_anew(host, worker)
    assert await lost(host) is None
    await worker.remove(HERS)
    after = await recorded(host)
    assert after.seq > before.seq
    assert after.digests != before.digests


@pytest.mark.parametrize("stored_later", [0, 5])
@pytest.mark.parametrize("nth", [0, 3, 5])
async def test_what_the_log_has_lost_is_told(host: Host, nth: int, stored_later: int) -> None:
    """The partition is served, since the rest is right; status tells that something is missing."""
    worker = await started(host)
    await worker.remove(HERS)
    await host.store_tells(stored_later)
    await lose(host, nth)
    remove_shard(host.folder / "one" / f"{HERS}.db")
    await worker.add(HERS)
    found = await lost(host)
    assert found is not None
    assert f"partition {HERS}" in found
    assert "llum doctor" in found


async def test_a_forget_is_recorded_before_its_outcome_is_said(host: Host) -> None:
    """After that the log loses the person's commands, and a crash would leave a sum that nobody can come to."""
    worker = await started(host)
    await worker.remove(HERS)
    before = await recorded(host)
    await worker.add(HERS)
    outcome = await host.llum.requests.send(ALICE, "llum", Forget(id="forget"), DEADLINE_S)
    now = await recorded(host)
    assert now.seq >= outcome.seq, "a forget that takes long is sent again"
    assert now.digests != before.digests
    await erase(host.llum.bus, STREAM, log_subjects_of_user(ALICE))
    await make_anew(host, worker)
    assert await lost(host) is None
    assert (await recorded(host)).digests == now.digests


async def test_the_sum_of_a_log_that_was_accepted_is_not_compared(host: Host) -> None:
    """The operator has been told what is lost."""
    worker = await started(host)
    await worker.remove(HERS)
    await lose(host, 5)
    await lose(host, 4)
    await worker.add(HERS)

    async def accepted() -> bool:
        with suppress(Transient):
            return await accept_log(host.llum.bus, HERS, DEADLINE_S) is not None
        return False

    await eventually(accepted, "the log is accepted")
    assert await lost(host) is None
