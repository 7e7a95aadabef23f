"""Tokens for keys: what each opens, and what ends it, on every edge."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import msgspec
import pytest

from bus.connection import Bus
from bus.kv import Bucket
from bus.subjects import PREFERENCE_BUCKET
from identity.preferences.credentials import ClientCredential, ClientCredentials, InstalledClient
from identity.preferences.key_tokens import KeyTokens, StoredToken, hash_in_document, token_hash
from identity.preferences.keys import PreferenceKeys, StoredKey
from schemas.errors import Code, Refusal
from tests.waiting import eventually, until

CREDENTIAL: Final = ClientCredential("credential-1", "client-1", "pilot", "", None, ["a"])


class Clock:
    """Says what time it is."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Edge:
    """What one process has of keys and tokens."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.keys = PreferenceKeys(bus)
        self.credentials = ClientCredentials(self.keys.store)
        self.tokens = KeyTokens(self.keys, self.credentials, clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def edge(bus: Bus, clock: Clock) -> Edge:
    edge = Edge(bus, clock)
    await edge.credentials.put(CREDENTIAL)
    return edge


@pytest.fixture
async def other(bus: Bus, clock: Clock) -> AsyncIterator[Edge]:
    """Another process, which watches."""
    edge = Edge(bus, clock)
    task = asyncio.create_task(edge.keys.run())
    await until(lambda: edge.keys.store.is_live, "the watch")
    yield edge
    task.cancel()


async def test_a_token_opens_one_key(edge: Edge, other: Edge, bus: Bus) -> None:
    """Each request gets another one, all are good, and none is stored."""
    tokens = [await edge.tokens.issue("carla", CREDENTIAL) for _ in range(2)]
    assert len(set(tokens)) == 2
    for token in tokens:
        assert len(token) == 32
        grant = await other.tokens.grant(token)
        assert grant is not None
        assert (grant.key, grant.credential_id, grant.client_id, grant.allowed) == (
            "carla",
            "credential-1",
            "pilot",
            ["a"],
        )
    stored = b"".join(one.key.encode() + one.value for one in await Bucket(bus, PREFERENCE_BUCKET).list(">"))
    assert not any(token.encode() in stored for token in tokens)


async def test_what_is_no_token_opens_nothing(edge: Edge) -> None:
    """Whatever text it is; also where there are tokens."""
    await edge.tokens.issue("carla", CREDENTIAL)
    for text in ("", "x" * 300, "0" * 32, "*", "a.b", "\ud800"):
        assert await edge.tokens.grant(text) is None


async def test_a_hash_opens_nothing(edge: Edge) -> None:
    """Who has read a dump has no token."""
    hashed = token_hash(await edge.tokens.issue("carla", CREDENTIAL))
    assert await edge.tokens.grant(hashed) is None
    assert await edge.tokens.grant(f"sha256:{hashed}") is None


Ending = Callable[[Edge], Coroutine[Any, Any, object]]

ENDINGS: list[Ending] = [
    lambda edge: edge.keys.revoke("carla"),
    lambda edge: edge.credentials.revoke("credential-1", "lost"),
    lambda edge: edge.credentials.delete("credential-1"),
    lambda edge: edge.credentials.put(msgspec.structs.replace(CREDENTIAL, revoked=True, oauth2_client_id="other")),
]


@pytest.mark.parametrize("end", ENDINGS)
async def test_a_token_ends_with_key_and_credential(edge: Edge, other: Edge, end: Ending) -> None:
    """On the edge that ends it at once, on others as soon as the watch tells."""
    token = await edge.tokens.issue("carla", CREDENTIAL)
    for each in (edge, other):
        assert await each.tokens.grant(token) is not None
    await end(edge)
    assert await edge.tokens.grant(token) is None

    async def is_ended() -> bool:
        return await other.tokens.grant(token) is None

    await eventually(is_ended)


async def test_a_token_ends_when_its_person_is_forgotten(edge: Edge, other: Edge) -> None:
    """As the key does."""
    await edge.keys.put_record(StoredKey("carla", "carol", ("Preferences", "_joined", "card"), "key-1"))
    token = await edge.tokens.issue("carla", CREDENTIAL)
    assert await other.tokens.grant(token) is not None
    await edge.keys.erase_user("carol")

    async def is_ended() -> bool:
        return await other.tokens.grant(token) is None

    await eventually(is_ended)
    assert await edge.tokens.list() == []


async def test_the_seconds_that_remain_are_rounded(edge: Edge, clock: Clock) -> None:
    """Less than half a second is none."""
    token, end = await edge.tokens.issue("carla", CREDENTIAL), clock.now + 3600
    for left_s, is_good in ((3600, True), (0.5, True), (0.49, False), (0, False), (-1, False)):
        clock.now = end - left_s
        assert (await edge.tokens.grant(token) is not None) is is_good, left_s


async def test_a_loaded_authorization_works_until_it_expires(edge: Edge, clock: Clock) -> None:
    """Its token may be any text, and a dump has only the hash of it; the record stays as it is."""
    stored = StoredToken(
        "carla",
        "credential-1",
        "client-1",
        clock.now,
        clock.now + 60,
        hash_in_document("an old token"),
        document={"type": "x"},
    )
    await edge.tokens.load(stored)
    assert hash_in_document(f"sha256:{stored.hash}") == stored.hash
    assert await edge.tokens.grant("an old token") is not None
    clock.now += 61
    assert await edge.tokens.grant("an old token") is None
    assert await edge.tokens.list() == [stored]


async def test_a_revoked_authorization_is_loaded_as_one(edge: Edge, clock: Clock) -> None:
    """It opens nothing."""
    await edge.tokens.load(
        StoredToken("carla", "credential-1", "client-1", 0, clock.now + 60, token_hash("t"), revoked=True)
    )
    assert await edge.tokens.grant("t") is None


async def test_a_secret_proves_a_credential(edge: Edge) -> None:
    """Plain or as our hash in the document. Of several with one client id, the first that is not revoked counts."""
    credentials = edge.credentials
    hashed = await credentials.hashed("pilot-secret")
    assert hashed != "pilot-secret"
    assert await credentials.hashed(hashed) == hashed
    first = msgspec.structs.replace(CREDENTIAL, id="a", revoked=True, secret=await credentials.hashed("old"))
    await credentials.put(first)
    await credentials.put(msgspec.structs.replace(CREDENTIAL, secret=hashed))
    assert await credentials.proven("pilot", "pilot-secret") is None, "its program is missing"
    await credentials.put_client(InstalledClient("client-1"))
    proven = await credentials.proven("pilot", "pilot-secret")
    assert proven is not None
    assert (proven.credential.id, proven.fits) == ("credential-1", True)
    for client_id, secret in (("pilot", "old"), ("pilot", hashed), ("pilot", ""), ("other", "pilot-secret")):
        assert await credentials.proven(client_id, secret) is None


async def test_a_hash_that_costs_too_much_is_taken_for_a_secret(edge: Edge) -> None:
    """Whoever guesses would use up the memory."""
    costly = "$argon2id$v=19$m=9999999,t=9,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
    assert await edge.credentials.hashed(costly) != costly


async def test_what_is_not_there_cannot_be_revoked(edge: Edge) -> None:
    """It is said so."""
    with pytest.raises(Refusal) as refused:
        await edge.credentials.revoke("nobody")
    assert refused.value.code is Code.NO_SUCH_CLIENT
