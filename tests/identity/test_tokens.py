"""The life of a token."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.jetstream import JetStream
from bus.streams import FIRST_SEQUENCE
from identity.tokens import CACHE_ENTRIES, GRACE_S, USE_NOTED_EVERY_S, IssuedToken, Tokens
from schemas.errors import Refusal
from tests.bus.conftest import Connect
from tests.nats_server import kill_and_restart
from tests.waiting import eventually, until


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(bus: Bus, clock: Clock) -> Tokens:
    return Tokens(bus, clock, clock)


@pytest.fixture
async def watching(bus: Bus, clock: Clock) -> AsyncIterator[Tokens]:
    """Tokens that are watched."""
    tokens = Tokens(bus, clock)
    task = asyncio.create_task(tokens.run())
    yield tokens
    task.cancel()


async def test_an_issued_token_stands_for_its_user_and_app(tokens: Tokens) -> None:
    """And for the registration that it was issued to. Until it expires."""
    token = await tokens.issue("alice", "probe", 7, 3600)
    assert token.startswith("llum_")
    found = await tokens.look_up(token)
    assert found is not None
    assert (found.user, found.app, found.registration, found.how) == ("alice", "probe", 7, "token")
    assert found.expires == cast("Clock", tokens._now).time + 3600


async def test_two_tokens_are_never_the_same(tokens: Tokens) -> None:
    """They are random."""
    assert await tokens.issue("alice", "probe", 7, 60) != await tokens.issue("alice", "probe", 7, 60)


async def test_a_token_is_worthless_from_its_expiry_on(tokens: Tokens, clock: Clock) -> None:
    """Also while it is remembered."""
    token = await tokens.issue("alice", "probe", 7, 2)
    assert await tokens.look_up(token) is not None
    clock.time += 2
    assert await tokens.look_up(token) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "llum_",
        f"llum_{'a' * 43}.{'0' * 16}.{'0' * 32}",
        "llum_" + "a" * 43,
        "llum_" + "a" * 42 + "*",
        "x" * 100_000,
        "llum_ü",
    ],
)
async def test_unknown_and_malformed_tokens_stand_for_nobody(tokens: Tokens, token: str) -> None:
    """They raise nothing."""
    assert await tokens.look_up(token) is None


async def test_a_revoked_token_is_worthless_at_once_where_it_was_revoked(tokens: Tokens) -> None:
    """And revoking it twice is harmless."""
    token = await tokens.issue("alice", "probe", 7, 3600)
    assert await tokens.look_up(token) is not None
    await revoke(tokens)
    await revoke(tokens)
    assert await tokens.look_up(token) is None


async def test_a_token_revoked_elsewhere_is_at_hand_no_longer(watching: Tokens, connect: Connect) -> None:
    """The watch hears of it; nobody has to ask."""
    token = await watching.issue("alice", "probe", 7, 3600)
    await until_at_hand(watching, token)
    await revoke(Tokens(await connect()))
    await until(lambda: watching.at_hand(token) is None, "the watch has heard of it")
    assert await watching.look_up(token) is None


async def test_a_token_of_somebody_who_was_forgotten_elsewhere_is_at_hand_no_longer(
    watching: Tokens, connect: Connect
) -> None:
    """What is erased is revoked before."""
    token, others = await watching.issue("alice", "probe", 7, 3600), await watching.issue("bob", "probe", 7, 3600)
    await until_at_hand(watching, token)
    await Tokens(await connect()).erase_user("alice")
    await until(lambda: watching.at_hand(token) is None, "the watch has heard of it, or has begun anew")
    assert await watching.look_up(token) is None
    await until_at_hand(watching, others)


async def test_what_is_at_hand_is_what_was_looked_up(watching: Tokens) -> None:
    """Never before it was looked up, nor after it has expired or was revoked here."""
    clock = cast("Clock", watching._now)
    token = await watching.issue("alice", "probe", 7, 2)
    assert watching.at_hand(token) is None
    await until_at_hand(watching, token)
    assert watching.at_hand(token) == await watching.look_up(token)
    clock.time += 2
    assert watching.at_hand(token) is None, "it has expired"
    other = await watching.issue("alice", "probe", 7, 3600)
    await until_at_hand(watching, other)
    await revoke(watching)
    assert watching.at_hand(other) is None


async def test_without_a_watch_nothing_is_at_hand(tokens: Tokens) -> None:
    """Who does not hear of changes asks each time."""
    token = await tokens.issue("alice", "probe", 7, 3600)
    assert await tokens.look_up(token)
    assert tokens.at_hand(token) is None


async def test_after_a_lost_connection_the_bucket_is_asked(
    server: EmbeddedServer, bus: Bus, watching: Tokens, connect: Connect
) -> None:
    """What happened meanwhile is not known."""
    tokens = watching
    token = await tokens.issue("alice", "probe", 7, 3600)
    await until_at_hand(tokens, token)
    other = await connect()
    await kill_and_restart(server)
    await until(lambda: other.connected, "the other connection")
    await revoke(Tokens(other))
    await until(lambda: bus.connected, "the connection")
    assert await tokens.look_up(token) is None


async def test_the_token_itself_is_nowhere_in_the_store(bus: Bus, tokens: Tokens) -> None:
    """Only its hash is."""
    token = await tokens.issue("alice", "probe", 7, 3600)
    stored = (await JetStream(bus).call("STREAM.MSG.GET.KV_LLUM_TOKENS", {"seq": FIRST_SEQUENCE}))["message"]
    assert hashlib.sha256(token.encode()).hexdigest() in stored["subject"]
    assert token not in str(stored)


async def test_the_server_forgets_a_token_that_has_expired(bus: Bus, tokens: Tokens) -> None:
    """The bucket does not grow for ever: the server is told the lifetime, and some grace."""
    await tokens.issue("alice", "probe", 7, 10.5)
    stored = await JetStream(bus).page("KV_LLUM_TOKENS", "$KV.LLUM_TOKENS.>", 1, 1)
    assert b"Nats-TTL: %ds" % (11 + GRACE_S) in stored[0][0].headers


async def test_the_cache_is_bounded(tokens: Tokens) -> None:
    """The longest unused entry goes."""
    for number in range(CACHE_ENTRIES):
        tokens._cache[str(number)] = cast("Any", object())
    token = await tokens.issue("alice", "probe", 7, 60)
    await tokens.look_up(token)
    assert len(tokens._cache) == CACHE_ENTRIES
    assert "0" not in tokens._cache


@pytest.mark.parametrize(
    ("user", "app"),
    [("Alice", "probe"), ("alice", "a.b"), ("", "probe"), ("alice", "_admin"), ("alice", "_cron"), ("_", "probe")],
)
async def test_no_token_is_issued_for_ids_that_get_none(tokens: Tokens, user: str, app: str) -> None:
    """They could name another subject, or llum itself."""
    with pytest.raises(Refusal):
        await tokens.issue(user, app, 7, 60)


async def test_tokens_are_listed_without_themselves(tokens: Tokens, clock: Clock) -> None:
    """With their app, when they were made and when they were used; those of others and expired ones are not."""
    first = await tokens.issue("alice", "probe", 7, 3600)
    clock.time += 10
    await tokens.issue("alice", "wallet", 8, 3600)
    await tokens.issue("alice", "short", 9, 5)
    await tokens.issue("bob", "probe", 7, 3600)
    clock.time += 10
    assert await tokens.look_up(first)
    listed = await until_used(tokens)
    assert [(one.app, one.registration) for one in listed] == [("probe", 7), ("wallet", 8)]
    assert [one.used for one in listed] == [clock.time, None]
    assert [one.made for one in listed] == [clock.time - 20, clock.time - 10]
    assert listed[0].id == hashlib.sha256(first.encode()).hexdigest()[:16]
    assert first not in str(listed)


async def test_a_use_is_noted_now_and_then_only(tokens: Tokens, bus: Bus, clock: Clock) -> None:
    """A busy token costs no write for each request."""
    token = await tokens.issue("alice", "probe", 7, 36_000)
    for _ in range(20):
        assert await tokens.look_up(token)
        clock.time += 1
    await until_used(tokens)
    info = await JetStream(bus).call("STREAM.INFO.KV_LLUM_TOKENS")
    assert info["state"]["last_seq"] == FIRST_SEQUENCE + 1
    clock.time += USE_NOTED_EVERY_S
    assert await tokens.look_up(token)
    await eventually(lambda: used_at(tokens, clock.time))


async def test_the_tokens_of_earlier_registrations_are_deleted(tokens: Tokens) -> None:
    """Of the app that is named; those of a later registration stay."""
    old, new = await tokens.issue("alice", "probe", 7, 60), await tokens.issue("alice", "probe", 12, 60)
    other = await tokens.issue("alice", "wallet", 7, 60)
    await tokens.delete_of("alice", "probe", 10)
    assert await tokens.look_up(old) is None
    assert await tokens.look_up(new)
    assert await tokens.look_up(other)


async def test_all_tokens_of_a_user_are_forgotten(tokens: Tokens) -> None:
    """With the notes of their use; nobody else's."""
    mine = [await tokens.issue("alice", app, 7, 60) for app in ("probe", "wallet")]
    others = await tokens.issue("bob", "probe", 7, 60)
    assert await tokens.look_up(mine[0])
    await until_used(tokens)
    assert await tokens.erase_user("alice") == 2
    assert await tokens.count("alice") == 0
    assert [await tokens.look_up(one) for one in mine] == [None, None]
    assert await tokens.look_up(others)


async def until_at_hand(tokens: Tokens, token: str) -> None:
    """Look a token up until it is at hand: until the watch lives."""

    async def at_hand() -> bool:
        assert await tokens.look_up(token)
        return tokens.at_hand(token) is not None

    await eventually(at_hand)


async def revoke(tokens: Tokens) -> None:
    """Revoke the tokens of alice."""
    for one in await tokens.list("alice"):
        await tokens.revoke(one)


async def until_used(tokens: Tokens) -> list[IssuedToken]:
    """Wait until a use of one of alice's tokens has been noted, and list them."""
    await eventually(lambda: used_at(tokens))
    return await tokens.list("alice")


async def used_at(tokens: Tokens, when: float | None = None) -> bool:
    used = [one.used for one in await tokens.list("alice") if one.used is not None]
    return bool(used) and when in (None, *used)
