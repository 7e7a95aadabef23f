"""How many servers of a cluster keep each stream.

A new installation has one replica of each stream on a single server, and three in a cluster. Later streams have as many
as the record of the installation has, so workers need not be told. An operator may set another number for all.
"""

from typing import Any, Final

from bus.connection import Bus
from bus.jetstream import STREAM_NOT_FOUND, ApiError, JetStream
from bus.subjects import INSTALLATION_BUCKET, bucket_stream, is_own_stream

IN_CLUSTER: Final = 3
"""Replicas of a stream in a cluster, unless somebody says otherwise: one server may be lost."""

CHANGED_WITHIN_S: Final = 30.0
"""Seconds for JetStream to make a stream or to give it other replicas: servers have to agree first."""


async def replicas_of(bus: Bus) -> int:
    """Say how many replicas a stream is to have that is made now. Raises `Transient`."""
    if not bus.in_cluster:
        return 1
    try:
        found = await JetStream(bus).call(f"STREAM.INFO.{bucket_stream(INSTALLATION_BUCKET)}")
    except ApiError as error:
        if error.err_code == STREAM_NOT_FOUND:
            return IN_CLUSTER
        raise
    return _replicas(found["config"])


async def set_replicas(bus: Bus, wanted: int) -> list[str]:
    """Give all of llum's streams this number of replicas, and name those that had another one.

    New replicas are filled after that, while everything goes on. Raises `Transient`, or `ApiError` where JetStream
    has not enough servers.
    """
    jetstream = JetStream(bus)
    changed = []
    for name in sorted(filter(is_own_stream, await jetstream.streams(">"))):
        config = (await jetstream.call(f"STREAM.INFO.{name}"))["config"]
        if _replicas(config) != wanted:
            body = config | {"num_replicas": wanted}
            await jetstream.call(f"STREAM.UPDATE.{name}", body, CHANGED_WITHIN_S)
            changed.append(name)
    return changed


def _replicas(config: dict[str, Any]) -> int:
    return int(config.get("num_replicas") or 1)
