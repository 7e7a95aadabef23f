"""State that is not of the log: a partition whose log was restored from an older copy, cut, or mixed up is not served.

Method: a worker in this process on a real nats-server, whose files are exchanged or cut while it is stopped.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from actors.worker import Worker
from bus.accepting import LogAccepted, accept_log
from bus.aside import list_aside
from bus.erasing import erase
from bus.installation import install
from bus.jetstream import JetStream
from bus.pings import ping
from bus.subjects import log_stream_of, log_subject, log_subject_of, log_subjects_of_user
from schemas.commands import Forget, Tell
from schemas.errors import Code, Transient
from schemas.evidence import NewEvidence
from schemas.replies import PingReply
from tests.actors.hosting import ALICE, BOB, HERS, HIS, Host
from tests.actors.serving import PARTITIONS
from tests.waiting import DEADLINE_S, eventually

STREAM = log_stream_of(HERS, PARTITIONS)


async def while_stopped(host: Host, change: Callable[[], None]) -> None:
    """Stop nats-server, change its files, and start it again."""
    await host.server.stop()
    await asyncio.to_thread(change)
    await host.server.start()
    await host.server.wait_ready()


def nats_folder(host: Host) -> Path:
    return host.folder / "nats"


def copy(host: Host) -> None:
    shutil.copytree(nats_folder(host) / "jetstream", host.folder / "copy")


def restore(host: Host) -> None:
    shutil.rmtree(nats_folder(host) / "jetstream")
    shutil.copytree(host.folder / "copy", nats_folder(host) / "jetstream")


def cut(host: Host) -> None:
    """Cut the log's file in the midst of its last message, and have the server read it anew."""
    (folder,) = (nats_folder(host) / "jetstream").rglob(STREAM)
    block = max((folder / "msgs").glob("*.blk"))
    with block.open("r+b") as file:
        file.truncate(block.stat().st_size - 100)
    for index in (folder / "msgs").glob("index.db"):
        index.unlink()


async def pings(host: Host, partition: int = HERS) -> PingReply:
    """Give what is said of a partition, once somebody answers for it."""
    found: list[PingReply] = []

    async def answered() -> bool:
        reply = await ping(host.llum.bus, partition, DEADLINE_S)
        found.extend([reply] if reply is not None else [])
        return bool(found)

    await eventually(answered, f"partition {partition} is answered for")
    return found[0]


async def until_refused(host: Host) -> str:
    """Wait until the partition is refused, and give the reason."""
    reasons: list[str] = []

    async def refused() -> bool:
        why = (await pings(host)).pauses
        reasons.extend([why] if why is not None and "admin log accept" in why else [])
        return bool(reasons)

    await eventually(refused, "the partition is refused")
    return reasons[0]


async def until_values(host: Host, values: list[Any], user: str = ALICE) -> None:
    async def are_there() -> bool:
        with suppress(Transient):
            return await host.llum.values("a", user) == values
        return False

    await eventually(are_there, f"the values are {values}")


async def accept(host: Host) -> LogAccepted:
    accepted = await accept_log(host.llum.bus, HERS, DEADLINE_S)
    assert accepted is not None, "the partition was refused"
    return accepted


async def started(host: Host, *partitions: int) -> Worker:
    worker = await host.worker("one")
    for partition in partitions or (HERS,):
        await worker.add(partition)
    return worker


async def with_copy(host: Host) -> Worker:
    """Have two tells in a copy of the log, and two more in the log alone."""
    worker = await started(host, HERS, HIS)
    for user in (ALICE, BOB):
        await host.llum.make_person(user, "a")
    await host.llum.tell("a", 1)
    await host.llum.tell("a", 1, BOB)
    await while_stopped(host, lambda: copy(host))
    await until_values(host, [1])
    for value in (2, 3):
        await host.store_once(value)
    await until_values(host, [1, 2, 3])
    return worker


@pytest.mark.parametrize("told_meanwhile", [0, 1, 2, 5])
async def test_a_log_that_was_restored_from_an_older_copy_is_not_served(host: Host, told_meanwhile: int) -> None:
    """Whether it ends earlier or has given the same sequences to other commands. What was told is applied on accept."""
    worker = await with_copy(host)
    await worker.remove(HERS)
    await while_stopped(host, lambda: restore(host))
    await host.store_tells(told_meanwhile, first=100)
    await worker.add(HERS)
    why = await until_refused(host)
    assert f"llum admin log accept {HERS}" in why
    assert "\n" not in why
    (hers,) = [one for one in worker.figures.partitions if one.number == HERS]
    assert hers.is_lost
    assert not hers.answers
    with pytest.raises(Transient) as caught:
        await host.llum.values("a")
    assert caught.value.code is Code.UNAVAILABLE
    told = [100 + number for number in range(told_meanwhile)]
    accepted = await accept(host)
    assert (accepted.partition, accepted.lost, accepted.lost_forgets) == (HERS, 2, 0)
    assert [(one.user, one.app) for one in accepted.commands] == [(ALICE, "llum")] * 2
    await until_values(host, [1, *told])
    assert [one.path for one in list_aside(host.folder / "one")] == [accepted.aside]
    await host.llum.tell("a", "new")
    await until_values(host, [1, *told, "new"])
    await worker.remove(HERS)
    await worker.add(HERS)
    await until_values(host, [1, *told, "new"])


async def test_it_is_seen_at_a_reconnect_too_and_only_where_it_is_so(host: Host) -> None:
    """A partition whose last command is in the older copy goes on, and takes commands at sequences that were used."""
    await with_copy(host)
    await while_stopped(host, lambda: restore(host))
    await until_refused(host)
    await until_values(host, [1], BOB)
    await host.llum.tell("a", 2, BOB)
    await until_values(host, [1, 2], BOB)
    assert (await accept(host)).lost == 2
    await until_values(host, [1])


async def test_what_is_sent_again_to_the_restored_log_is_not_lost(host: Host) -> None:
    """It has the same id, and another sequence."""
    worker = await started(host)
    await host.llum.make_person(ALICE, "a")
    await while_stopped(host, lambda: copy(host))
    tells = [
        Tell(id=f"sensor-{number}", context=["c"], component="a", evidence=NewEvidence(value=number))
        for number in (1, 2)
    ]
    await until_values(host, [])
    for tell in tells:
        await host.llum.do(tell)
    await worker.remove(HERS)
    await while_stopped(host, lambda: restore(host))
    await host.llum.requests.store(ALICE, "llum", tells[1])
    await worker.add(HERS)
    await until_refused(host)
    assert [one.id for one in (await accept(host)).commands] == ["sensor-1"]


async def test_a_lost_forget_is_told_since_the_person_is_back(host: Host) -> None:
    """Of whom it was nobody can say."""
    worker = await with_copy(host)
    await host.llum.do(Forget(id="forget"))
    await worker.remove(HERS)
    await while_stopped(host, lambda: restore(host))
    await worker.add(HERS)
    await until_refused(host)
    accepted = await accept(host)
    assert (accepted.lost, accepted.lost_forgets, accepted.commands) == (1, 1, [])
    await until_values(host, [1])


async def test_a_log_that_was_cut_by_damage_is_not_served(host: Host) -> None:
    """The server says nothing of it."""
    worker = await with_copy(host)
    await worker.remove(HERS)
    await while_stopped(host, lambda: cut(host))
    await worker.add(HERS)
    await until_refused(host)
    assert [one.user for one in (await accept(host)).commands] == [ALICE]
    await until_values(host, [1, 2])


async def delete_last(host: Host) -> None:
    """As an operator may; the person is still there."""
    last = await JetStream(host.llum.bus).last(STREAM, log_subject_of(HERS))
    assert last is not None
    await JetStream(host.llum.bus).erase(STREAM, last.seq)


async def forget(host: Host) -> None:
    """With the person goes the last command, and all that is kept."""
    await host.llum.do(Forget(id="forget"))
    await erase(host.llum.bus, STREAM, log_subjects_of_user(ALICE))


async def probe(host: Host) -> None:
    """A command about nobody, of which nothing is kept, and which is erased."""
    subject = log_subject(HERS, "nobody", "llum", "tell")
    seq = await JetStream(host.llum.bus).publish(subject, b"{}")
    await eventually(lambda: _has_applied(host, seq), "the probe is applied")
    await JetStream(host.llum.bus).erase(STREAM, seq)


@pytest.mark.parametrize("delete", [delete_last, forget, probe])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_last_command_that_was_deleted_is_no_damage(
    host: Host, delete: Callable[[Host], Awaitable[None]], restarts: bool
) -> None:
    """The server lists it, and the newest one below that is kept is there. At a start and at a reconnect."""
    worker = await started(host)
    await host.llum.make_person(ALICE, "a")
    await host.llum.tell("a", 1)
    await host.llum.tell("a", 2)
    await delete(host)
    if restarts:
        await worker.remove(HERS)
    await while_stopped(host, lambda: None)
    if restarts:
        await worker.add(HERS)
    await eventually(lambda: _is_served(host), "the partition is served")


async def _has_applied(host: Host, seq: int) -> bool:
    return (await pings(host)).applied_seq >= seq


async def _is_served(host: Host) -> bool:
    return (await pings(host)).pauses is None


async def test_a_deleted_command_hides_no_other_log(host: Host) -> None:
    """The last one is listed as deleted, but the one below is another one."""
    worker = await with_copy(host)
    await worker.remove(HERS)
    await while_stopped(host, lambda: restore(host))
    await host.store_tells(2, first=100)
    await delete_last(host)
    await worker.add(HERS)
    await until_refused(host)


async def test_commands_of_a_living_person_are_not_deleted_but_lost(host: Host) -> None:
    """nats-server lists what it has cut off damaged files as deleted. The one below the last must be there."""
    worker = await with_copy(host)
    await worker.remove(HERS)
    for _ in range(2):
        await delete_last(host)
    await worker.add(HERS)
    assert "has lost command" in await until_refused(host)
    assert (await accept(host)).lost == 2


async def test_the_shard_of_another_installation_is_told_as_such(host: Host) -> None:
    """It is no damage: two folders were mixed up."""
    worker = await with_copy(host)
    await worker.remove(HERS)
    await while_stopped(host, lambda: shutil.rmtree(nats_folder(host) / "jetstream"))
    await install(host.llum.bus, PARTITIONS)
    again = await host.worker("one")
    await again.add(HERS)
    assert "another installation" in await until_refused(host)


async def test_a_partition_that_is_served_cannot_be_set_aside(host: Host) -> None:
    """Nobody listens."""
    await started(host)
    assert await accept_log(host.llum.bus, HERS, DEADLINE_S) is None
