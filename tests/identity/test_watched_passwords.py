"""Passwords whose bucket is watched."""

import asyncio

import pytest

from bus.connection import Bus
from bus.kv import KeyValue
from identity.app_passwords import AppPasswords
from tests.waiting import eventually


async def test_a_watched_password_needs_no_look_until_it_is_changed_elsewhere(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch hears of the change."""
    keys = AppPasswords(bus)
    watching = asyncio.create_task(keys.run())
    await keys.store("alice", "scale", 7, await keys.hashed("one"))
    looks: list[str] = []
    find = keys._watched.find

    async def counted(key: str) -> KeyValue | None:
        looks.append(key)
        return await find(key)

    monkeypatch.setattr(keys._watched, "find", counted)

    async def is_believed() -> bool:
        before = len(looks)
        assert await keys.verify("alice", "scale", "one")
        return len(looks) == before

    await eventually(is_believed, "a password that is watched is believed")
    await AppPasswords(bus).delete("alice", "scale")

    async def is_wrong() -> bool:
        return not await keys.verify("alice", "scale", "one")

    await eventually(is_wrong, "the watch has heard of it")
    watching.cancel()
