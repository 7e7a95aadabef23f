"""Forgetting people once more who were forgotten after a backup was made, before that counts as restored.

Their names are found by their digests: whoever stands in a subject of any stream, or has a model. Each is forgotten in
the log before a worker reads it. So nothing of them is served, no rule of theirs fires, and no notice leaves. Then the
worker does what it always does when somebody is forgotten, and so does `forget_person`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bus import erasures, log_cuts
from bus.as_app import new_id
from bus.connection import Bus
from bus.forgotten import Forgotten, KnownForgotten, NameDigests, Register, merged, names_of
from bus.installation import Installation, check
from bus.jetstream import JetStream
from bus.requests import Requests
from bus.subjects import (
    FORGOTTEN_BUCKET,
    all_log_subjects,
    bucket_stream,
    is_log_stream,
    is_own_stream,
    log_subjects_of_user,
    parse_address,
    partition_of,
)
from bus.users import list_users
from llum.backup.forgotten_since import Since, forgotten_since
from llum.backup.manifest import Manifest
from llum.client import Client
from llum.failures import Fault
from llum.people.forgetting import forget_person
from llum.people.part_forgetting import forget_part
from llum.places.files import OnProgress
from llum.places.forgotten_files import content_of, read_list
from llum.settings import Settings
from schemas.apps import OWNER_APP
from schemas.commands import Forget
from schemas.errors import Refusal
from schemas.levels import Levels
from schemas.parts import ForgetPart
from schemas.paths import is_token

ConnectWorker = Callable[[], Awaitable[Bus]]
"""Connects with the login of a worker."""

SERVED_WITHIN_S: Final = 60.0
"""Seconds for a partition to say who is in it: it is ready by then."""

ERASED_WITHIN_S: Final = 120.0
"""Seconds to wait for what a worker does once it is ready. After that people are forgotten all the same."""

LOOK_EVERY_S: Final = 0.1
"""Seconds between looks whether it is done."""


class Restoration(NamedTuple):
    """What is restored, and with what."""

    bus: Bus
    """With the login of the operator. Nobody else is there."""
    as_worker: ConnectWorker
    manifest: Manifest
    settings: Settings
    scratch: Path
    """A folder for a worker, which is deleted afterwards."""
    on_progress: OnProgress


class Again(NamedTuple):
    """What has come of it."""

    people: int
    """So many were forgotten once more."""
    known: KnownForgotten
    """All who are known to be forgotten, the latter among them."""
    installation: str
    """What lists say of whose they are."""
    newest: float | None
    """When the last of them was forgotten that any list or register knows, before this restore; None: there is none."""


async def forget_again(restoration: Restoration, lists: Sequence[Path]) -> Again:
    """Forget whoever was forgotten after the backup was made. Raises `Fault`, `Refusal`, `Transient`, `ApiError`."""
    bus = restoration.bus
    names = await names_of(bus)
    there = await JetStream(bus).streams(">")
    in_backup = await Register(bus).known() if bucket_stream(FORGOTTEN_BUCKET) in there else {}
    elsewhere = merged(*(read_list(content_of(path), str(path), names.installation) for path in lists))
    since = forgotten_since(in_backup, elsewhere, restoration.manifest.made_at)
    everybody = merged(in_backup.values(), elsewhere.values())
    people = 0
    if any(since) or everybody != in_backup:
        installation = await check(bus, restoration.manifest.partitions)
        people = await _forget(restoration, installation, names, since)
        await _enter(Register(bus), everybody)
        everybody = await Register(bus).known()
    at = [one.at for one in merged(in_backup.values(), elsewhere.values()).values()]
    return Again(people, everybody, names.installation, max(at, default=None))


async def _enter(register: Register, everybody: KnownForgotten) -> None:
    """Have the register know what lists have known."""
    known = await register.known()
    for key, one in merged(known.values(), everybody.values()).items():
        if one != known.get(key):
            await register.add(one)


async def _forget(restoration: Restoration, installation: Installation, names: NameDigests, since: Since) -> int:
    wanted = since.again | since.unfinished | {one.who for one in since.parts}
    named = _chosen(await _words(restoration.bus), names, wanted)
    # Where a log was cut, a person may stand in a snapshot alone: a worker knows.
    if not named and not (wanted and await log_cuts.read(restoration.bus)):
        return 0
    requests = Requests(restoration.bus)
    await requests.start()
    try:
        again = _chosen(named, names, since.again)
        forgets = {user: await _forget_in_the_log(restoration.bus, requests, user) for user in sorted(again)}
        restoration.on_progress("making the shards, to erase who was forgotten since")
        async with _working(restoration, installation):
            await _until_erased(restoration.bus, installation, forgets)
            users = set(await list_users(restoration.bus, SERVED_WITHIN_S))
            again |= _chosen(users, names, since.again)
            left_over = _chosen(named - users, names, since.unfinished)
            await _erase(Client(restoration.bus, requests, OWNER_APP), again | left_over, restoration)
            of_parts = await _forget_parts(restoration, requests, names, since.parts, users - again)
        return len(again | left_over | of_parts)
    finally:
        await requests.close()


async def _forget_parts(
    restoration: Restoration,
    requests: Requests,
    names: NameDigests,
    parts: Sequence[Forgotten],
    users: set[str],
) -> set[str]:
    """Forget parts of those who are there, as the apps that did it, and give of whom.

    What is refused was refused before: an app that may not do it has tried.
    """
    by_digest = {names.of(user): user for user in users} if parts else {}
    done = set[str]()
    for one in parts:
        user = by_digest.get(one.who)
        if user is not None:
            command = names.opened(user, one)
            restoration.on_progress("erasing parts of people that were forgotten since")
            client = Client(restoration.bus, requests, command.app)
            with contextlib.suppress(Refusal):
                await forget_part(client, user, msgspec.json.decode(command.body, type=ForgetPart))
                done.add(user)
    return done


def _chosen(users: Iterable[str], names: NameDigests, wanted: frozenset[str]) -> set[str]:
    return {user for user in users if names.of(user) in wanted} if wanted else set()


async def _words(bus: Bus) -> set[str]:
    """Give all words of subjects that may be the name of a person."""
    jetstream, words = JetStream(bus), set[str]()
    for stream in filter(is_own_stream, await jetstream.streams(">")):
        subject = all_log_subjects() if is_log_stream(stream) else ">"
        for one in await jetstream.subjects(stream, subject):
            words.update(one.split("."))
    return {word for word in words if is_token(word)}


async def _forget_in_the_log(bus: Bus, requests: Requests, user: str) -> int:
    """Store what forgets a person, as each app that has spoken about them: one of those may do it.

    Gives the sequence of the last one.
    """
    jetstream, commands = JetStream(bus), log_subjects_of_user(user)
    apps = {OWNER_APP}
    for stream in await jetstream.streams(commands):
        apps |= {parse_address(subject).app for subject in await jetstream.subjects(stream, commands)}
    return max([await requests.store(user, app, Forget(id=new_id())) for app in sorted(apps)])


async def _until_erased(bus: Bus, installation: Installation, forgets: Mapping[str, int]) -> None:
    """Wait until the worker has done what belongs to forgets that it has met while it caught up.

    It does that a moment after it is ready. Where the log was cut, the next forget has to wait for it.
    """
    deadline = asyncio.get_running_loop().time() + ERASED_WITHIN_S
    for user, seq in forgets.items():
        partition = partition_of(user, installation.partitions)
        while (await erasures.read(bus, partition)).seq < seq:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(LOOK_EVERY_S)


async def _erase(client: Client, users: set[str], restoration: Restoration) -> None:
    for number, user in enumerate(sorted(users), 1):
        restoration.on_progress(f"erasing who was forgotten since: {number} of {len(users)}")
        receipt = await forget_person(client, user, restoration.scratch)
        if receipt.left.total:
            raise Fault("not all could be erased of a person who was forgotten since", "Restore the backup again.")


@asynccontextmanager
async def _working(restoration: Restoration, installation: Installation) -> AsyncIterator[None]:
    """Have a worker serve all partitions, once each has read its log, for as long as the block lasts."""
    from actors.share import share_as
    from actors.worker import run_worker
    from llum.resolvers import installed, running_resolvers

    settings, shards = restoration.settings, restoration.scratch / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    ready, stop = asyncio.Event(), asyncio.Event()
    async with contextlib.AsyncExitStack() as opened:
        bus = await restoration.as_worker()
        opened.push_async_callback(bus.close)
        resolvers = await opened.enter_async_context(running_resolvers(installed(), time_zone=settings.time_zone))
        worker = asyncio.create_task(
            run_worker(
                bus,
                shard_dir=shards,
                partitions=installation.partitions,
                log_streams=installation.log_streams,
                max_active_models=settings.max_active_models,
                on_ready=ready.set,
                on_step=restoration.on_progress,
                stop=stop,
                share=share_as(f"restore-{secrets.token_hex(4)}"),
                levels=Levels(installation.level),
                resolvers=resolvers,
                time_zone=settings.time_zone,
            )
        )
        try:
            await _first(asyncio.create_task(ready.wait()), worker)
            yield
        finally:
            stop.set()
            await worker


async def _first(ready: "asyncio.Task[bool]", worker: "asyncio.Task[None]") -> None:
    """Wait until the worker is ready, or has ended, which raises what it has raised."""
    try:
        await asyncio.wait([ready, worker], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if worker.done():
        await worker
