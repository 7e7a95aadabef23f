"""Keys that can be replaced, and who hears of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.connection import Bus
from bus.key_rings import INBOX_KEYS, MAX_KEYS, NOTICE_KEYS, KeyRings, Ring, WatchedRing, new_ring, replaced
from schemas.errors import Code, Refusal
from tests.waiting import until

DAY_S = 86_400.0
NOW = 1_790_000_000.0


def test_a_new_key_is_accepted_before_it_is_used() -> None:
    """So that whoever uses it first finds everybody prepared."""
    old = new_ring(NOW)
    ring = replaced(old, NOW, used_after_s=10.0, accepted_s=DAY_S)
    fresh = ring.keys[0]
    assert (ring.used(NOW), ring.coming(NOW)) == (ring.keys[1], fresh)
    assert set(ring.accepted(NOW)) == set(ring.keys)
    assert ring.keys[1].secret == old.keys[0].secret
    assert (ring.used(NOW + 10), ring.coming(NOW + 10)) == (fresh, None)


def test_the_key_before_is_accepted_for_a_while() -> None:
    """Its time begins when the new one is used; without one it is accepted until somebody drops it."""
    ring = replaced(new_ring(NOW), NOW, 10.0, DAY_S)
    assert len(ring.accepted(NOW + 10 + DAY_S - 1)) == 2
    assert ring.accepted(NOW + 10 + DAY_S) == (ring.keys[0],)
    kept = replaced(new_ring(NOW), NOW, 10.0, None)
    assert len(kept.accepted(NOW + 1000 * DAY_S)) == 2


def test_what_is_no_longer_accepted_is_not_kept() -> None:
    """A replaced key is in the ring only as long as it is good for something."""
    ring = replaced(new_ring(NOW), NOW, 10.0, DAY_S)
    later = replaced(ring, NOW + 2 * DAY_S, 10.0, DAY_S)
    assert [key.made for key in later.keys] == [NOW + 2 * DAY_S, NOW]


def test_one_new_key_at_a_time() -> None:
    """While one waits to be used there is no other one, and a ring has a bound."""
    ring = replaced(new_ring(NOW), NOW, 10.0, None)
    with pytest.raises(Refusal) as waits:
        replaced(ring, NOW + 9, 10.0, None)
    assert waits.value.code is Code.ALREADY_EXISTS
    for number in range(1, MAX_KEYS - 1):
        ring = replaced(ring, NOW + number * DAY_S, 10.0, None)
    with pytest.raises(Refusal) as full:
        replaced(ring, NOW + 100 * DAY_S, 10.0, None)
    assert full.value.code is Code.QUOTA


async def test_a_ring_is_made_once(bus: Bus) -> None:
    """Also when several want it at the same time. Each purpose has a ring of its own."""
    rings = await asyncio.gather(*(KeyRings(bus).read(INBOX_KEYS) for _ in range(4)))
    assert len({ring.keys[0].secret for ring in rings}) == 1
    assert rings[0] != await KeyRings(bus).read(NOTICE_KEYS)


async def test_two_who_change_a_ring_at_once_both_do(bus: Bus) -> None:
    """None of the changes is lost."""
    await asyncio.gather(*(KeyRings(bus).change(INBOX_KEYS, _with_another) for _ in range(3)))
    assert len((await KeyRings(bus).read(INBOX_KEYS)).keys) == 4


def _with_another(ring: Ring) -> Ring:
    return replaced(ring, NOW + len(ring.keys) * DAY_S, 0.0, None)


@pytest.fixture
async def watched(bus: Bus) -> AsyncIterator[WatchedRing]:
    ring = WatchedRing(bus, INBOX_KEYS, lambda: NOW + 20 * DAY_S)
    await ring.open()
    yield ring
    ring.close()


async def test_who_watches_a_ring_hears_of_a_new_key(bus: Bus, watched: WatchedRing) -> None:
    """What was used before is accepted, and the new key is used from its time on."""
    before = watched.used
    ring = await KeyRings(bus).change(INBOX_KEYS, lambda ring: replaced(ring, NOW + 20 * DAY_S, 10.0, None))
    await until(lambda: watched.coming == ring.keys[0].bytes, "the new key is known")
    assert watched.used == before
    assert watched.accepted == (before, ring.keys[0].bytes)


async def test_who_lost_the_connection_hears_of_what_it_missed(bus: Bus, watched: WatchedRing) -> None:
    """A watch that begins anew reads the ring anew."""
    for lost in bus.on_disconnect:
        lost()
    fresh = await KeyRings(bus).change(INBOX_KEYS, lambda _: new_ring(NOW))
    await until(lambda: watched.accepted == (fresh.keys[0].bytes,), "the new key alone is accepted")
