"""The sessions of browsers: what is kept of them, and how fast an end is an end everywhere."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.key_rings import SESSION_KEYS, KeyRings, WatchedRing, replaced
from bus.streams import FIRST_SEQUENCE
from identity.sessions.csrf import CsrfTokens
from identity.sessions.session import Session
from identity.sessions.store import (
    CACHE_ENTRIES,
    GRACE_S,
    MAX_SESSION_BYTES,
    USE_NOTED_EVERY_S,
    Sessions,
    new_sid,
    shown_id,
)
from schemas.errors import Refusal
from tests.bus.conftest import Connect
from tests.identity.test_tokens import Clock
from tests.nats_server import kill_and_restart
from tests.waiting import eventually, until

NOW = 1_800_000_000.0
SID = "6f1d2c1e-5a0b-4c55-9b1e-0a8d7d0e1f2a"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(bus: Bus, clock: Clock) -> Sessions:
    return Sessions(bus, clock, clock)


@pytest.fixture
async def watching(bus: Bus, clock: Clock) -> AsyncIterator[Sessions]:
    """Sessions that are watched."""
    sessions = Sessions(bus, clock)
    task = asyncio.create_task(sessions.run())
    yield sessions
    task.cancel()


def session(user: str = "alice", lifetime_s: float = 3600.0, **more: Any) -> Session:
    return Session(user=user, made=NOW, expires=NOW + lifetime_s, authenticated=NOW, how="passkey", **more)


async def test_a_session_is_found_by_its_id(sessions: Sessions) -> None:
    """With all that is known of the person, and by a text of the form of a UUID."""
    sid, kept = new_sid(), session(details={"fullname": "Alice Ä.", "identifiers": [{"identifiertype": "email"}]})
    await sessions.set_session(sid, kept)
    assert await sessions.get_session(sid) == kept
    assert str(uuid.UUID(sid)) == sid


async def test_absent_and_ended_sessions_are_no_error(sessions: Sessions) -> None:
    """An end of one that is not there does nothing."""
    sid = new_sid()
    assert await sessions.get_session(sid) is None
    await sessions.delete_session(sid)
    await sessions.set_session(sid, session())
    await sessions.delete_session(sid)
    await sessions.delete_session(sid)
    assert await sessions.get_session(sid) is None


@pytest.mark.parametrize("sid", ["", "x", "*", ">", "a.b", SID.upper(), SID + "\n", "ü" * 36, "9" * 100_000])
async def test_a_malformed_id_is_an_error(sessions: Sessions, sid: str) -> None:
    """In the words of the seed. Nothing that is no UUID is looked for."""
    for call in (sessions.get_session(sid), sessions.set_session(sid, session()), sessions.delete_session(sid)):
        with pytest.raises(Refusal, match="Incorrect UUID format for sessionid"):
            await call


async def test_a_session_ends_when_it_expires(watching: Sessions) -> None:
    """Also while it is remembered."""
    clock, sid = cast("Clock", watching._now), new_sid()
    await watching.set_session(sid, session(lifetime_s=2))
    await until_at_hand(watching, sid)
    clock.time += 2
    assert watching.at_hand(sid) is None
    assert await watching.get_session(sid) is None
    assert await watching.sessions_of("alice") == []


async def test_a_session_ended_elsewhere_is_at_hand_no_longer(watching: Sessions, connect: Connect) -> None:
    """The watch hears of it; nobody has to ask. Other sessions go on."""
    sid, other = new_sid(), new_sid()
    await watching.set_session(sid, session())
    await watching.set_session(other, session())
    await until_at_hand(watching, sid)
    await until_at_hand(watching, other)
    await Sessions(await connect()).delete_session(sid)
    await until(lambda: watching.at_hand(sid) is None, "the watch has heard of it")
    assert await watching.get_session(sid) is None
    await until_at_hand(watching, other)


async def test_a_session_that_was_changed_elsewhere_is_read_anew(watching: Sessions, connect: Connect) -> None:
    """What is at hand is never what was before."""
    sid = new_sid()
    await watching.set_session(sid, session())
    await until_at_hand(watching, sid)
    changed = session(details={"fullname": "Alice"})
    await Sessions(await connect()).set_session(sid, changed)
    await eventually(lambda: is_found(watching, sid, changed))


async def test_an_id_belongs_to_one_person(sessions: Sessions) -> None:
    """A session that is given to somebody else is no longer in the list of who had it."""
    sid = new_sid()
    await sessions.set_session(sid, session("guest-1"))
    await sessions.set_session(sid, session("alice"))
    found = await sessions.get_session(sid)
    assert found is not None
    assert found.user == "alice"
    assert await sessions.sessions_of("guest-1") == []
    await sessions.delete_session(sid)
    assert await sessions.get_session(sid) is None


async def test_after_a_lost_connection_the_bucket_is_asked(
    server: EmbeddedServer, bus: Bus, watching: Sessions, connect: Connect
) -> None:
    """What happened meanwhile is not known."""
    sid = new_sid()
    await watching.set_session(sid, session())
    await until_at_hand(watching, sid)
    other = await connect()
    await kill_and_restart(server)
    await until(lambda: other.connected, "the other connection")
    await Sessions(other).delete_session(sid)
    await until(lambda: bus.connected, "the connection")
    assert await watching.get_session(sid) is None


async def test_the_id_itself_is_nowhere_in_the_store(bus: Bus, sessions: Sessions) -> None:
    """Only its hash is; and the server forgets the session by itself, some time after it has expired."""
    sid = new_sid()
    clock = cast("Clock", sessions._now)
    await sessions.set_session(sid, session(lifetime_s=10.5))
    stored, _ = await JetStream(bus).page("KV_LLUM_SESSIONS", "$KV.LLUM_SESSIONS.>", 1, 1)
    assert clock.time == NOW
    assert stored[0].subject == f"$KV.LLUM_SESSIONS.{hashlib.sha256(sid.encode()).hexdigest()}.alice"
    assert sid.encode() not in stored[0].data
    assert b"Nats-TTL: %ds" % (11 + GRACE_S) in stored[0].headers


async def test_the_cache_is_bounded(sessions: Sessions) -> None:
    """The longest unused entry goes: an edge never holds the whole bucket."""
    for number in range(CACHE_ENTRIES):
        sessions._cache[str(number)] = cast("Any", object())
    sid = new_sid()
    await sessions.set_session(sid, session())
    await sessions.get_session(sid)
    assert len(sessions._cache) == CACHE_ENTRIES
    assert "0" not in sessions._cache


async def test_a_session_is_bounded(sessions: Sessions) -> None:
    """What an outside issuer says of a person cannot fill the memory."""
    with pytest.raises(Refusal) as raised:
        await sessions.set_session(new_sid(), session(details={"biography": "x" * MAX_SESSION_BYTES}))
    assert raised.value.code == "too_large"


async def test_the_sessions_of_a_person_are_listed(sessions: Sessions) -> None:
    """The latest first, with when they were used; those of others are not, and no id opens anything."""
    clock = cast("Clock", sessions._now)
    first, second = new_sid(), new_sid()
    await sessions.set_session(first, session(place="Firefox on Linux"))
    await sessions.set_session(second, msgspec.structs.replace(session(place="Chrome on Android"), made=NOW + 5))
    await sessions.set_session(new_sid(), session("bob"))
    clock.time += USE_NOTED_EVERY_S + 1
    await sessions.get_session(first)
    await eventually(lambda: is_used(sessions, clock.time))
    listed = await sessions.sessions_of("alice")
    assert [one.id for one in listed] == [shown_id(second), shown_id(first)]
    assert [one.session.place for one in listed] == ["Chrome on Android", "Firefox on Linux"]
    assert [one.used for one in listed] == [NOW + 5, clock.time]
    assert first not in str(listed)


async def test_one_session_or_all_others_are_ended(sessions: Sessions) -> None:
    """By the name in the list; nobody ends those of another person."""
    mine = [new_sid() for _ in range(4)]
    others = new_sid()
    for sid in mine:
        await sessions.set_session(sid, session())
    await sessions.set_session(others, session("bob"))
    assert not await sessions.end("alice", shown_id(others))
    assert await sessions.end("alice", shown_id(mine[0]))
    assert not await sessions.end("alice", shown_id(mine[0]))
    assert await sessions.end_all("alice", but=mine[1]) == 2
    assert [await sessions.get_session(sid) is not None for sid in mine] == [False, True, False, False]
    assert await sessions.end_all("alice") == 1
    assert await sessions.get_session(others) is not None


async def test_all_sessions_of_a_person_are_erased(sessions: Sessions) -> None:
    """With the notes of their use; nobody else's."""
    clock = cast("Clock", sessions._now)
    mine, others = new_sid(), new_sid()
    await sessions.set_session(mine, session())
    await sessions.set_session(others, session("bob"))
    clock.time += USE_NOTED_EVERY_S + 1
    await sessions.get_session(mine)
    await eventually(lambda: is_used(sessions, clock.time))
    assert await sessions.erase_user("alice") == 1
    assert await sessions.count("alice") == 0
    assert await sessions.get_session(mine) is None
    assert await sessions.get_session(others) is not None


async def test_the_server_keeps_one_message_of_a_session(bus: Bus, sessions: Sessions) -> None:
    """Uses are noted now and then only, and nothing piles up."""
    sid = new_sid()
    await sessions.set_session(sid, session())
    for _ in range(20):
        await sessions.get_session(sid)
    info = await JetStream(bus).call("STREAM.INFO.KV_LLUM_SESSIONS")
    assert info["state"]["last_seq"] == FIRST_SEQUENCE


async def test_a_csrf_token_is_that_of_one_session_and_the_same_on_every_edge(bus: Bus, connect: Connect) -> None:
    """Before the secret is read, none is right, not even an empty one."""
    here, there = (CsrfTokens(WatchedRing(one, SESSION_KEYS)) for one in (bus, await connect()))
    sid = new_sid()
    assert here.make(sid) == ""
    assert not here.is_right(sid, "")
    await here.load()
    await there.load()
    token = here.make(sid)
    assert there.is_right(sid, token)
    assert not there.is_right(new_sid(), token)
    assert not any(there.is_right(sid, wrong) for wrong in ("", "ü", token[:-1], token.upper(), "\udcff"))
    here.close()
    there.close()


async def test_a_page_that_was_open_when_the_key_was_replaced_can_still_be_sent(bus: Bus) -> None:
    """For a day. New pages have tokens of the new key, once everybody knows it."""
    now = [1_790_000_000.0]
    tokens, sid = CsrfTokens(WatchedRing(bus, SESSION_KEYS, lambda: now[0])), new_sid()
    await tokens.load()
    before = tokens.make(sid)
    await KeyRings(bus).change(SESSION_KEYS, lambda ring: replaced(ring, now[0], 10.0, 86_400.0))
    now[0] += 11
    await until(lambda: tokens.make(sid) != before, "the new key is used")
    assert tokens.is_right(sid, before)
    assert tokens.is_right(sid, tokens.make(sid))
    now[0] += 86_400
    assert not tokens.is_right(sid, before)
    tokens.close()


async def is_found(sessions: Sessions, sid: str, wanted: Session) -> bool:
    return await sessions.get_session(sid) == wanted


async def is_used(sessions: Sessions, when: float) -> bool:
    return when in [one.used for one in await sessions.sessions_of("alice")]


async def until_at_hand(sessions: Sessions, sid: str) -> None:
    """Look a session up until it is at hand: until the watch lives."""

    async def at_hand() -> bool:
        assert await sessions.get_session(sid)
        return sessions.at_hand(sid) is not None

    await eventually(at_hand)
