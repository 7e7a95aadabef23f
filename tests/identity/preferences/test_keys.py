"""Keys: what a key opens, with a record and without, and how fast a change is one everywhere."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import PREFERENCE_BUCKET
from identity.preferences.keys import MAX_KEY_CHARACTERS, PreferenceKeys, StoredKey, check_key, is_key
from schemas.errors import Code, Refusal
from schemas.preferences import PREFERENCES_PLACE
from tests.waiting import eventually, until

CARLA = "carla"


@pytest.fixture
def keys(bus: Bus) -> PreferenceKeys:
    return PreferenceKeys(bus)


@pytest.fixture
async def watching(bus: Bus) -> AsyncIterator[PreferenceKeys]:
    """Keys that are watched."""
    keys = PreferenceKeys(bus)
    task = asyncio.create_task(keys.run())
    await until(lambda: keys.store.is_live, "the watch")
    yield keys
    task.cancel()


async def test_a_key_without_a_record_opens_a_model_of_its_own(keys: PreferenceKeys, bus: Bus) -> None:
    """Its name is the same in each process, tells nothing of the key, and nothing is stored."""
    found = await keys.find(CARLA)
    assert (found.place, found.app, found.known, found.revoked) == (PREFERENCES_PLACE, "_preferences", False, False)
    assert found.user == await PreferenceKeys(bus).safe_user(CARLA)
    assert found.user != await keys.safe_user("carla ")
    assert found.user != await keys.user_of_safe(CARLA)
    assert CARLA not in found.user
    assert await keys.list() == []


@pytest.mark.parametrize("key", ["a", "é", "http://x/?a b", "..", "k" * MAX_KEY_CHARACTERS, "\U0001f511"])
def test_a_key_is_any_text(key: str) -> None:
    """Whatever somebody was given."""
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "a\nb", "\x7f", "\x85", "\ud800", "k" * (MAX_KEY_CHARACTERS + 1)])
def test_what_can_be_no_key_is_refused(key: str) -> None:
    """With the field that it would have been in."""
    with pytest.raises(Refusal) as refused:
        check_key(key)
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_FIELD, "gpiiKey")


async def test_a_record_says_what_a_key_opens(keys: PreferenceKeys) -> None:
    """Of two keys with one safe both do; a key may have no safe yet."""
    safe = await keys.user_of_safe("prefsSafe-1")
    for key in ("alice", "np"):
        await keys.put_record(StoredKey(key, safe))
    await keys.put_record(StoredKey("new", await keys.safe_user("new"), has_safe=False))
    assert [(await keys.find(key)).user for key in ("alice", "np")] == [safe, safe]
    assert [one.key for one in await keys.of_user(safe)] == ["alice", "np"]
    assert (await keys.find("new")).has_safe is False
    assert [one.key for one in await keys.of_user(await keys.safe_user("new"))] == ["new"]
    assert [one.key for one in await keys.list()] == ["alice", "new", "np"]


async def test_a_watched_change_is_obeyed_at_once(keys: PreferenceKeys, watching: PreferenceKeys) -> None:
    """Also of a key that was known to have no record."""
    assert not (await watching.find(CARLA)).known
    await keys.revoke(CARLA, "lost")

    async def is_refused() -> bool:
        return (await watching.find(CARLA)).revoked

    await eventually(is_refused)
    found = await watching.find(CARLA)
    assert (found.known, found.reason, found.user) == (True, "lost", await keys.safe_user(CARLA))


async def test_that_there_is_no_record_is_remembered(bus: Bus, watching: PreferenceKeys) -> None:
    """So a key without a record costs no look into the bucket. What is written past the watch shows it."""
    await watching.find(CARLA)
    reads = []
    find = watching.store.bucket.find

    async def counted(key: str) -> object:
        reads.append(key)
        return await find(key)

    watching.store.bucket.find = counted  # type: ignore[method-assign,assignment]
    for _ in range(3):
        await watching.find(CARLA)
    await watching.find("other")
    assert len(reads) == 1
    assert await Bucket(bus, PREFERENCE_BUCKET).list(">") == []


async def test_forgetting_a_person_ends_the_keys_to_their_model(keys: PreferenceKeys, bus: Bus) -> None:
    """What was joined is refused for good, and nothing names the person or the key. What was a safe is unknown."""
    safe = await keys.user_of_safe("prefsSafe-1")
    await keys.put_record(StoredKey("alice", safe))
    await keys.put_record(StoredKey(CARLA, "carol", ("Preferences", "_joined", "card"), "key-1"))
    assert [await keys.erase_user(user) for user in ("carol", safe, "carol")] == [1, 1, 0]
    assert [await keys.count(user) for user in ("carol", safe)] == [0, 0]
    with pytest.raises(Refusal) as refused:
        (await keys.find(CARLA)).check()
    assert refused.value.code is Code.KEY_REVOKED
    assert not (await keys.find("alice")).known
    left = b"".join(one.key.encode() + one.value for one in await Bucket(bus, PREFERENCE_BUCKET).list(">"))
    assert b"carol" not in left
    assert CARLA.encode() not in left
    assert await keys.list() == []
