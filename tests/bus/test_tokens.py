"""The life of a token."""

import hashlib

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.erasing import FIRST_SEQUENCE
from bus.jetstream import JetStream
from identity.tokens import CACHE_AGE_S, CACHE_ENTRIES, GRACE_S, Identity, Tokens
from schemas.errors import Refusal
from tests.bus.conftest import Connect
from tests.nats_server import kill_and_restart
from tests.waiting import until


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


async def test_an_issued_token_stands_for_its_user_and_app(tokens: Tokens, clock: Clock) -> None:
    """Until it expires."""
    token = await tokens.issue("alice", "probe", 3600)
    assert token.startswith("llum_")
    assert await tokens.look_up(token) == Identity("alice", "probe", clock() + 3600)


async def test_two_tokens_are_never_the_same(tokens: Tokens) -> None:
    """They are random."""
    assert await tokens.issue("alice", "probe", 60) != await tokens.issue("alice", "probe", 60)


async def test_a_token_is_worthless_from_its_expiry_on(tokens: Tokens, clock: Clock) -> None:
    """Also while it is remembered."""
    token = await tokens.issue("alice", "probe", 2)
    assert await tokens.look_up(token) is not None
    clock.time += 2
    assert await tokens.look_up(token) is None


@pytest.mark.parametrize("token", ["", "llum_", "llum_" + "a" * 43, "llum_" + "a" * 42 + "*", "x" * 100_000, "llum_ü"])
async def test_unknown_and_malformed_tokens_stand_for_nobody(tokens: Tokens, token: str) -> None:
    """They raise nothing."""
    assert await tokens.look_up(token) is None


async def test_a_revoked_token_is_worthless_at_once_where_it_was_revoked(tokens: Tokens) -> None:
    """And revoking it twice is harmless."""
    token = await tokens.issue("alice", "probe", 3600)
    assert await tokens.look_up(token) is not None
    await tokens.revoke(token)
    await tokens.revoke(token)
    assert await tokens.look_up(token) is None


async def test_a_token_revoked_elsewhere_is_believed_for_the_cache_s_age_only(
    tokens: Tokens, clock: Clock, connect: Connect
) -> None:
    """The bound that the documentation promises."""
    token = await tokens.issue("alice", "probe", 3600)
    assert await tokens.look_up(token) is not None
    await Tokens(await connect(), clock, clock).revoke(token)
    clock.time += CACHE_AGE_S + 0.1
    assert await tokens.look_up(token) is None


async def test_a_lost_connection_empties_the_cache(
    server: EmbeddedServer, bus: Bus, tokens: Tokens, connect: Connect
) -> None:
    """What happened meanwhile is not known."""
    token = await tokens.issue("alice", "probe", 3600)
    assert await tokens.look_up(token) is not None
    other = await connect()
    await kill_and_restart(server)
    await until(lambda: other.connected, "the other connection")
    await Tokens(other).revoke(token)
    await until(lambda: bus.connected, "the connection")
    assert await tokens.look_up(token) is None


async def test_the_token_itself_is_nowhere_in_the_store(bus: Bus, tokens: Tokens) -> None:
    """Only its hash is."""
    token = await tokens.issue("alice", "probe", 3600)
    stored = (await JetStream(bus).call("STREAM.MSG.GET.KV_LLUM_TOKENS", {"seq": FIRST_SEQUENCE}))["message"]
    assert hashlib.sha256(token.encode()).hexdigest() in stored["subject"]
    assert token not in str(stored)


async def test_the_server_forgets_a_token_that_has_expired(bus: Bus, tokens: Tokens) -> None:
    """The bucket does not grow for ever: the server is told the lifetime, and some grace."""
    await tokens.issue("alice", "probe", 10.5)
    stored = await JetStream(bus).page("KV_LLUM_TOKENS", "$KV.LLUM_TOKENS.>", 1, 1)
    assert b"Nats-TTL: %ds" % (11 + GRACE_S) in stored[0][0].headers


async def test_the_cache_is_bounded(tokens: Tokens) -> None:
    """The longest unused entry goes."""
    known = Identity("alice", "probe", 2e9)
    for number in range(CACHE_ENTRIES):
        tokens._cache[str(number)] = (0.0, known)
    token = await tokens.issue("alice", "probe", 60)
    await tokens.look_up(token)
    assert len(tokens._cache) == CACHE_ENTRIES
    assert "0" not in tokens._cache


@pytest.mark.parametrize(("user", "app"), [("Alice", "probe"), ("alice", "a.b"), ("", "probe")])
async def test_no_token_is_issued_for_ids_that_cannot_be(tokens: Tokens, user: str, app: str) -> None:
    """They could name another subject."""
    with pytest.raises(Refusal):
        await tokens.issue(user, app, 60)
