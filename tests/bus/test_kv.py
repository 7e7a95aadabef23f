"""Buckets of a cluster, whose replicas may be a moment behind."""

from typing import Any

import pytest

from bus.connection import Bus
from bus.jetstream import JetStream, Stored
from bus.kv import Bucket
from bus.subjects import TOKEN_BUCKET


async def nothing_yet(_self: JetStream, _stream: str, _subject: str) -> Stored | None:
    return None


@pytest.mark.parametrize(("cluster", "found"), [({"cluster": "llum"}, b"value"), ({}, None)])
async def test_a_value_that_has_not_come_to_a_replica_is_asked_of_the_leader(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, cluster: dict[str, Any], found: bytes | None
) -> None:
    """Such as a session that was made at another edge. A single server is asked once."""
    bucket = Bucket(bus, TOKEN_BUCKET)
    await bucket.put("a.b", b"value")
    monkeypatch.setattr(JetStream, "direct_last", nothing_yet)
    bus.nc._server_info = bus.server_info | cluster
    assert await bucket.get("a.b") == found
    assert await bucket.get("a.c") is None
