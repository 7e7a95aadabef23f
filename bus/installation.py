"""What llum needs in a nats-server: made at the first start, checked at every one."""

import asyncio
from typing import Any, Final, NamedTuple

from bus import subjects
from bus.connection import Bus
from bus.erasing import FIRST_SEQUENCE
from bus.errors import InstallationError
from bus.jetstream import STREAM_DIFFERS, ApiError, JetStream
from bus.kv import Bucket, bucket_stream
from bus.mappings import check_mappings
from schemas.errors import LlumError

MIN_SERVER_VERSION: Final = (2, 14)
"""The oldest nats-server that has everything llum uses."""

REJECTED_KEPT_S: Final = 7 * 24 * 3600
"""Seconds that a rejection is kept: a week to notice what a sensor does wrong."""

REJECTED_REPEATS_KNOWN_S: Final = 120
"""Seconds in which a rejection that is relayed again is recognised: longer than a worker takes to restart."""

NOTICE_REPEATS_KNOWN_S: Final = 600
"""Seconds in which a notice that is relayed again is recognised. Later it is delivered twice."""

MAX_NOTICES_PER_RULE: Final = 1000
"""Notices of one rule that may wait to be delivered; further ones become dead letters at once."""

MAX_FIRINGS_PER_RULE: Final = 64
"""Firings of one rule that wait for a worker; while none runs for longer, the oldest are dropped."""

DEAD_LETTERS_KEPT_S: Final = 30 * 24 * 3600
"""Seconds that a notice which could not be delivered is kept: a month to find out and tell the receiver."""

PARTITIONS_KEY: Final = "partitions"
LOG_STREAMS_KEY: Final = "log_streams"

_NS: Final = 1_000_000_000

_VITAL: Final = (
    "subjects", "retention", "storage", "max_msgs_per_subject", "max_age", "allow_direct", "allow_msg_ttl",
    "allow_msg_schedules", "allow_msg_counter", "allow_rollup_hdrs", "sealed",
)  # fmt: skip
"""What an operator must not change of a stream; replicas, placement, compression and the like are theirs."""


class Installation(NamedTuple):
    """What is fixed for the life of an installation."""

    partitions: int
    log_streams: int


async def ensure(bus: Bus, partitions: int, log_streams: int = subjects.DEFAULT_LOG_STREAMS) -> Installation:
    """Make or check everything that llum needs of the server, and give what the installation is.

    `log_streams` is for a new installation; an existing one has as many as it has.

    Raises `InstallationError` when the server is too old, lacks JetStream or mappings, or holds an installation
    with another number of partitions; `Transient` when it does not answer.
    """
    _check_server(bus.nc._server_info)
    jetstream = JetStream(bus)
    await asyncio.gather(*(_ensure_stream(jetstream, stream) for stream in _own_streams()))
    recorded, _ = await asyncio.gather(_ensure_recorded(bus, partitions, log_streams), check_mappings(bus, partitions))
    logs = (_log_stream(index, recorded) for index in range(recorded.log_streams))
    await asyncio.gather(*(_ensure_stream(jetstream, stream) for stream in logs))
    return recorded


def _log_stream(index: int, installation: Installation) -> dict[str, Any]:
    """Describe a log stream: no schedules, TTLs, rollups or counters, as apps could write as others with them."""
    return {
        "name": subjects.log_stream(index),
        "subjects": subjects.log_subjects(index, installation.log_streams, installation.partitions),
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "duplicate_window": _NS // 10,
        "allow_direct": True,
    }


def _own_streams() -> list[dict[str, Any]]:
    """Describe the streams that only llum itself writes to."""
    rejected = {
        "name": subjects.REJECTED_STREAM,
        "subjects": [subjects.rejected_subject("*", "*")],
        "storage": "file",
        "retention": "limits",
        "max_age": REJECTED_KEPT_S * _NS,
        "duplicate_window": REJECTED_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    buckets = (subjects.TOKEN_BUCKET, subjects.APP_KEY_BUCKET, subjects.INSTALLATION_BUCKET, subjects.RELAYED_BUCKET)
    return [rejected, *_effect_streams(), *(bucket_stream(name) for name in buckets)]


def _effect_streams() -> list[dict[str, Any]]:
    """Give the streams that llum alone writes to: no app may publish on their subjects."""
    effects = {
        "name": subjects.EFFECTS_STREAM,
        "subjects": [subjects.notice_subjects_of("*")],
        "storage": "file",
        "retention": "workqueue",
        "discard": "new",
        "max_msgs_per_subject": MAX_NOTICES_PER_RULE,
        "discard_new_per_subject": True,
        "duplicate_window": NOTICE_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    schedules = {
        "name": subjects.SCHEDULES_STREAM,
        "subjects": [subjects.schedule_subjects_of("*"), subjects.fired_subjects()],
        "storage": "file",
        "retention": "limits",
        "max_msgs_per_subject": MAX_FIRINGS_PER_RULE,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "allow_msg_schedules": True,
        "allow_direct": True,
    }
    dead_letters = {
        "name": subjects.DEAD_LETTERS_STREAM,
        "subjects": [subjects.dead_letter_subject("*", "*")],
        "storage": "file",
        "retention": "limits",
        "max_age": DEAD_LETTERS_KEPT_S * _NS,
        "max_msgs_per_subject": MAX_NOTICES_PER_RULE,
        "duplicate_window": NOTICE_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    return [effects, schedules, dead_letters]


def _check_server(info: dict[str, Any]) -> None:
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


async def _ensure_stream(jetstream: JetStream, wanted: dict[str, Any]) -> None:
    name = wanted["name"]
    try:
        await jetstream.call(f"STREAM.CREATE.{name}", {"first_seq": FIRST_SEQUENCE, **wanted})
    except ApiError as error:
        if error.code != STREAM_DIFFERS:
            raise InstallationError(
                f"nats-server does not make stream {name}: {error.description}", "see its log and JetStream's limits"
            ) from error
        _check_stream(wanted, (await jetstream.call(f"STREAM.INFO.{name}"))["config"])


def _check_stream(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """Accept an operator's changes, except those that llum cannot work with."""
    for key in _VITAL:
        want, have = wanted.get(key) or None, found.get(key) or None
        if want != have and not (key.startswith("max_") and want is None and have == -1):
            raise InstallationError(
                f"stream {wanted['name']} has {key} {have!r}, llum needs {want!r}",
                "change it back with `nats stream edit`",
            )


async def _ensure_recorded(bus: Bus, partitions: int, log_streams: int) -> Installation:
    bucket = Bucket(bus, subjects.INSTALLATION_BUCKET)
    recorded = Installation(
        await _record(bucket, PARTITIONS_KEY, partitions),
        await _record(bucket, LOG_STREAMS_KEY, min(log_streams, partitions)),
    )
    if recorded.partitions != partitions:
        raise InstallationError(
            f"this installation has {recorded.partitions} partitions, LLUM_PARTITIONS says {partitions}",
            "the number is fixed for good: set it back, or start anew with an empty LLUM_DATA_DIR",
        )
    return recorded


async def _record(bucket: Bucket, key: str, number: int) -> int:
    """Record a number unless there is one; give the one that is there."""
    recorded = await bucket.get(key)
    if recorded is None and await bucket.create(key, str(number).encode()):
        return number
    return int(recorded or await bucket.get(key) or b"0")


async def recorded_partitions(bus: Bus) -> int | None:
    """Give the installation's number of partitions; None where llum was never started."""
    try:
        recorded = await Bucket(bus, subjects.INSTALLATION_BUCKET).get(PARTITIONS_KEY)
    except LlumError:
        return None
    return int(recorded) if recorded else None
