"""What llum needs in a nats-server: made once, checked at every start.

`llum up` makes it in the nats-server that it runs itself. In an external one only `llum admin install` does: nothing
there tells a new server from a wrong address.
"""

import asyncio
from typing import Any, Final, NamedTuple

import msgspec

from bus import subjects
from bus.connection import Bus
from bus.errors import InstallationError
from bus.jetstream import STREAM_DIFFERS, STREAM_NOT_FOUND, ApiError, JetStream
from bus.key_rings import INBOX_KEYS, KeyRings
from bus.kv import Bucket
from bus.log_format import LOG_FORMAT, UNRECORDED, check_format
from bus.mappings import check_mappings
from bus.replicas import CHANGED_WITHIN_S, replicas_of, set_replicas
from bus.secret import DIGEST_KEY, secret
from bus.streams import bucket_stream, log_stream, own_streams, wanted_of
from schemas.levels import FIRST_LEVEL, NEWEST

MIN_SERVER_VERSION: Final = (2, 14)
"""The oldest nats-server that has everything llum uses."""

INSTALLATION_KEY: Final = "installation"
"""The key of the bucket that holds the whole record."""

PARTITIONS_KEY_1: Final = "partitions"
"""The key in which format 1 kept the number of partitions."""

_REMEDY: Final = (
    "see its log and JetStream's limits; in a cluster as many servers must run as a stream has replicas "
    "(`llum admin install --stream-replicas`)"
)

_VITAL: Final = (
    "subjects", "retention", "storage", "max_msgs_per_subject", "max_age", "allow_direct", "allow_msg_ttl",
    "allow_msg_schedules", "allow_msg_counter", "allow_rollup_hdrs", "allow_atomic", "sealed",
)  # fmt: skip
"""What an operator must not change of a stream; replicas, placement, compression and the like are theirs."""

_BOUNDS: Final = frozenset({"max_age", "max_msgs_per_subject"})
"""What settings say of the stream of who asked: see `bus.asked.set_bounds`."""


class Installation(msgspec.Struct, frozen=True):
    """What is fixed for the life of an installation."""

    partitions: int
    log_streams: int
    log_format: int = LOG_FORMAT
    level: int = FIRST_LEVEL
    """The level that its partitions begin with (`schemas.levels`): the newest that the llum knew which made it."""


class Installed(NamedTuple):
    """An installation that is there now, and what was not there before."""

    installation: Installation
    streams: list[str]
    """Streams that were made; those of buckets begin with KV_."""
    replicas: int
    """Of each stream, as long as nobody has given one another number."""
    changed: list[str]
    """Streams that were there, with another number of replicas."""


async def install(
    bus: Bus, partitions: int, log_streams: int = subjects.DEFAULT_LOG_STREAMS, replicas: int | None = None
) -> Installed:
    """Make the installation, or check the one that is there and make what it lacks.

    `log_streams` is for a new installation; an existing one has as many as it has. `replicas` is for all streams, also
    for those that are there already; None: see `bus.replicas`.

    Raises `InstallationError` when the server is too old, lacks JetStream or mappings, has not enough servers for the
    replicas, or holds an installation with another format or number of partitions; `Transient` when it does not answer.
    """
    check_server(bus.server_info)
    recorded = await _checked(bus, partitions)
    await check_mappings(bus, partitions)
    before = set(await JetStream(bus).streams(">"))
    wanted = recorded or Installation(partitions, min(log_streams, partitions), level=NEWEST)
    changed = await _replicate(bus, replicas) if before and replicas is not None else []
    replicas = replicas or await replicas_of(bus)
    installation = await _complete(bus, wanted, replicas)
    made = [name for name in _stream_names(installation) if name not in before]
    return Installed(installation, made, replicas, changed)


async def _replicate(bus: Bus, replicas: int) -> list[str]:
    try:
        return await set_replicas(bus, replicas)
    except ApiError as error:
        raise InstallationError(
            f"nats-server does not keep {replicas} replicas: {error.description}", _REMEDY
        ) from error


async def check(bus: Bus, partitions: int) -> Installation:
    """Check the installation, make what it lacks, and give what it is. What is not there at all is not made.

    Raises what `install` raises, and `InstallationError` where nothing is installed: a wrong address must not look like
    an llum that has forgotten everybody.
    """
    recorded = await find_fitting(bus, partitions)
    await check_mappings(bus, partitions)
    return await _complete(bus, recorded, await replicas_of(bus))


async def find_fitting(bus: Bus, partitions: int) -> Installation:
    """Read what is installed, and change nothing. Raises as `check` does, but does not look at the mappings."""
    check_server(bus.server_info)
    recorded = await _checked(bus, partitions)
    if recorded is None:
        raise InstallationError(
            "llum is not installed on this nats-server",
            "run `llum admin install` once, or correct LLUM_NATS_URL if it names the wrong server",
        )
    return recorded


def check_server(info: dict[str, Any]) -> None:
    version = str(info.get("version", "0"))
    numbers = [int(part) if part.isdigit() else 0 for part in version.split(".")[:2]]
    if tuple(numbers) < MIN_SERVER_VERSION:
        wanted = ".".join(map(str, MIN_SERVER_VERSION))
        raise InstallationError(
            f"nats-server {version} is too old",
            f"llum needs {wanted} or later; or unset LLUM_NATS_URL to use the embedded one",
        )
    if not info.get("jetstream"):
        raise InstallationError(
            "nats-server runs without JetStream", "add `jetstream {}` to its configuration, or start it with -js"
        )


async def _complete(bus: Bus, wanted: Installation, replicas: int) -> Installation:
    """Record the installation unless one is recorded, and make the secret and the streams that are missing."""
    jetstream = JetStream(bus)
    await _ensure_stream(jetstream, bucket_stream(subjects.INSTALLATION_BUCKET), replicas)
    recorded = await _record(bus, wanted)
    await secret(bus, DIGEST_KEY)
    await KeyRings(bus).read(INBOX_KEYS)
    await asyncio.gather(*(_ensure_stream(jetstream, stream, replicas) for stream in _streams(recorded)))
    return recorded


def _streams(installation: Installation) -> list[dict[str, Any]]:
    """Describe all streams but the bucket of the installation, which comes first."""
    count, partitions = installation.log_streams, installation.partitions
    return [*(log_stream(index, count, partitions) for index in range(count)), *own_streams()]


def _stream_names(installation: Installation) -> list[str]:
    own = subjects.bucket_stream(subjects.INSTALLATION_BUCKET)
    return [own, *(str(stream["name"]) for stream in _streams(installation))]


async def _ensure_stream(jetstream: JetStream, wanted: dict[str, Any], replicas: int) -> None:
    """Make a stream, or check the one that is there."""
    name = wanted["name"]
    try:
        await jetstream.call(f"STREAM.CREATE.{name}", wanted_of(wanted, replicas), CHANGED_WITHIN_S)
    except ApiError as error:
        if error.err_code != STREAM_DIFFERS:
            raise InstallationError(f"nats-server does not make stream {name}: {error.description}", _REMEDY) from error
        _check_stream(wanted, (await jetstream.call(f"STREAM.INFO.{name}"))["config"])


def _check_stream(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """Accept an operator's changes, except those that llum cannot work with."""
    for key in set(_VITAL) - (_BOUNDS if wanted["name"] == subjects.AUDIT_STREAM else set()):
        want, have = wanted.get(key) or None, found.get(key) or None
        if want != have and not (key.startswith("max_") and want is None and have == -1):
            raise InstallationError(
                f"stream {wanted['name']} has {key} {have!r}, llum needs {want!r}",
                "change it back with `nats stream edit`",
            )


async def changed_streams(bus: Bus, installation: Installation) -> list[InstallationError]:
    """Say what somebody has changed of streams that llum cannot work with. Raises `Transient`."""
    jetstream, changed = JetStream(bus), list[InstallationError]()
    there = set(await jetstream.streams(">"))
    for wanted in _streams(installation):
        if wanted["name"] in there:
            try:
                _check_stream(wanted, (await jetstream.call(f"STREAM.INFO.{wanted['name']}"))["config"])
            except InstallationError as error:
                changed.append(error)
    return changed


async def _checked(bus: Bus, partitions: int) -> Installation | None:
    """Read what is recorded; None where nothing is. Raises `InstallationError` when it does not fit."""
    recorded = await find(bus)
    if recorded is None:
        return None
    check_format(recorded.log_format, "this nats-server")
    if recorded.partitions != partitions:
        raise InstallationError(
            f"this installation has {recorded.partitions} partitions, LLUM_PARTITIONS says {partitions}",
            "the number is fixed for good: set it back, or start anew with an empty LLUM_DATA_DIR",
        )
    return recorded


async def find(bus: Bus) -> Installation | None:
    """Read what is installed; None where nothing is. Raises `Transient` when nats-server does not answer."""
    try:
        value = await _leaders_value(bus, INSTALLATION_KEY)
        if value is not None:
            return msgspec.json.decode(value, type=Installation)
        old = await _leaders_value(bus, PARTITIONS_KEY_1)
        return Installation(int(old), 0, UNRECORDED) if old is not None else None
    except ApiError as error:
        if error.err_code == STREAM_NOT_FOUND:
            return None
        raise


async def _leaders_value(bus: Bus, key: str) -> bytes | None:
    """Read from the leader: another replica may not have yet what was installed a moment ago."""
    name = bucket_stream(subjects.INSTALLATION_BUCKET)["name"]
    stored = await JetStream(bus).last(name, subjects.bucket_key(subjects.INSTALLATION_BUCKET, key))
    return stored.data if stored else None


async def _record(bus: Bus, wanted: Installation) -> Installation:
    """Record an installation, whole in one value, unless there is one; give the one that is there."""
    bucket = Bucket(bus, subjects.INSTALLATION_BUCKET)
    if await bucket.create(INSTALLATION_KEY, msgspec.json.encode(wanted)):
        return wanted
    recorded = await _checked(bus, wanted.partitions)
    assert recorded is not None, "the key could not be made because it is there"
    return recorded
