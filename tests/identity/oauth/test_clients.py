"""Clients: what is stored of them, who may come as one, and how fast a change is one everywhere."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.kv import Bucket
from bus.subjects import CLIENT_BUCKET
from identity.oauth.client import MAX_REDIRECTS
from identity.oauth.clients import ClientChange, Clients, OAuthClient
from identity.oauth.icons import MAX_ICON_BYTES
from identity.tokens import Tokens
from schemas.errors import Code, Refusal
from tests.bus.conftest import Connect
from tests.nats_server import kill_and_restart
from tests.waiting import eventually, until

LOG = OAuthClient("log", "Log", "https://log.example/", ["https://log.example/cb"], "confidential")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def clients(bus: Bus) -> Clients:
    return Clients(bus)


@pytest.fixture
async def watching(bus: Bus) -> AsyncIterator[Clients]:
    """Clients that are watched."""
    clients = Clients(bus)
    task = asyncio.create_task(clients.run())
    yield clients
    task.cancel()


async def refusal(doing: object) -> tuple[Code, str | None]:
    with pytest.raises(Refusal) as refused:
        await doing  # type: ignore[misc]
    return refused.value.code, refused.value.error.field


async def test_a_client_is_found_as_it_was_made(clients: Clients) -> None:
    """With the time at which it was made."""
    made = await clients.add(LOG)
    assert made.made > 0
    assert await clients.find("log") == made
    assert await clients.list() == [made]


async def test_an_id_is_one_clients(clients: Clients) -> None:
    """Of many who take it at once, one gets it; `save` changes what is there instead."""
    done = await asyncio.gather(*(clients.add(LOG) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, OAuthClient) for one in done) == 1
    assert await refusal(clients.add(LOG)) == (Code.ALREADY_EXISTS, "client_id")
    saved = await clients.save(msgspec.structs.replace(LOG, name="Other", made_by="registration"))
    assert (saved.name, saved.made_by) == ("Other", "operator")
    assert await clients.find("log") == saved


@pytest.mark.parametrize("client_id", ["", "none", "*", ">", "a.b", "log.icon", "ü", "x" * 1000])
async def test_who_is_no_client_is_not_found(clients: Clients, client_id: str) -> None:
    """Nothing that is no id is looked for: a wildcard would find somebody else."""
    await clients.add(LOG)
    assert await clients.find(client_id) is None
    assert not await clients.check_secret(client_id, "")
    assert await clients.icon(client_id) is None
    assert not await clients.delete(client_id)
    assert await refusal(clients.change(client_id, lambda one: one)) == (Code.NO_SUCH_CLIENT, "client_id")
    assert await clients.find("log") is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "llum"}, "client_id"),
        ({"id": "_admin"}, "client_id"),
        ({"id": "Log"}, "client_id"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "L\u202eog"}, "name"),
        ({"name": "L\nog"}, "name"),
        ({"home": "javascript:x"}, "home"),
        ({"home": "com.example.app:/"}, "home"),
        ({"redirect_uris": ["https://a.example/", "http://a.example/"]}, "redirect_uris[1]"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(MAX_REDIRECTS + 1)]}, "redirect_uris"),
        ({"audience": "api"}, "audience"),
        ({"origins": ["https://a.example/path"]}, "origins[0]"),
        ({"description": "x" * 501}, "description"),
    ],
)
async def test_what_cannot_be_a_client_is_refused(clients: Clients, change: dict[str, object], field: str) -> None:
    """It names the field, and stores nothing."""
    wrong = msgspec.structs.replace(LOG, **change)
    assert (await refusal(clients.add(wrong)))[1] == field
    assert await clients.list() == []


async def test_a_secret_is_shown_once_and_stored_as_a_hash(clients: Clients, bus: Bus) -> None:
    """A new one takes the place of the one before."""
    await clients.add(LOG)
    first = await clients.new_secret("log")
    second = await clients.new_secret("log")
    assert [await clients.check_secret("log", one) for one in (second, first, "", second + "x")] == [True, *3 * [False]]
    stored = await Bucket(bus, CLIENT_BUCKET).get("log")
    assert stored is not None
    assert second.encode() not in stored


async def test_who_has_no_secret_shows_none(clients: Clients) -> None:
    """A public client is given none, one that becomes public loses it, and an empty one is never right."""
    await clients.add(LOG)
    assert not await clients.check_secret("log", "")
    secret = await clients.new_secret("log")
    await clients.change("log", lambda one: msgspec.structs.replace(one, kind="public"))
    assert not await clients.check_secret("log", secret)
    assert await refusal(clients.new_secret("log")) == (Code.BAD_FIELD, "kind")
    await clients.change("log", lambda one: msgspec.structs.replace(one, kind="confidential"))
    assert not await clients.check_secret("log", secret)


async def test_changes_at_once_are_all_kept(clients: Clients) -> None:
    """And the secret stays while something else changes."""
    await clients.add(LOG)
    secret = await clients.new_secret("log")

    def adding(n: int) -> ClientChange:
        uri = f"https://a.example/{n}"
        return lambda one: msgspec.structs.replace(one, redirect_uris=[*one.redirect_uris, uri])

    await asyncio.gather(*(clients.change("log", adding(n)) for n in range(5)))
    found = await clients.find("log")
    assert found is not None
    assert len(found.redirect_uris) == 6
    assert await clients.check_secret("log", secret)


@pytest.mark.parametrize("data", [PNG, b"\xff\xd8\xff\xe0" + bytes(9), b"RIFF\x00\x00\x00\x00WEBPVP8 "])
async def test_an_icon_is_kept_with_its_client(clients: Clients, data: bytes) -> None:
    """Until it is taken away, or the client goes."""
    await clients.add(LOG)
    assert (await clients.set_icon("log", data)).has_icon
    assert await clients.icon("log") == data
    assert not (await clients.set_icon("log", None)).has_icon
    assert await clients.icon("log") is None
    await clients.set_icon("log", data)
    await clients.delete("log")
    assert await clients.icon("log") is None


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", PNG + bytes(MAX_ICON_BYTES)]
)
async def test_what_is_no_icon_is_refused(clients: Clients, data: bytes) -> None:
    """By its bytes, whatever it is called; and so is an icon of nobody."""
    await clients.add(LOG)
    assert (await refusal(clients.set_icon("log", data)))[1] == "icon"
    assert (await refusal(clients.set_icon("nobody", PNG)))[0] == Code.NO_SUCH_CLIENT
    assert await clients.icon("log") is None


async def test_a_change_elsewhere_is_heard_of(watching: Clients, connect: Connect) -> None:
    """What is at hand is never what was before: neither a client nor its secret."""
    await watching.add(LOG)
    old = await watching.new_secret("log")
    await until_at_hand(watching)
    other = Clients(await connect())
    fresh = await other.new_secret("log")
    await eventually(lambda: watching.check_secret("log", fresh), "the new secret")
    assert not await watching.check_secret("log", old)
    await until_at_hand(watching)
    await other.delete("log")
    await until(lambda: watching.at_hand("log") is None, "the watch has heard of it")
    assert await watching.find("log") is None


async def test_after_a_lost_connection_the_bucket_is_asked(
    server: EmbeddedServer, watching: Clients, connect: Connect
) -> None:
    """What happened meanwhile is not known."""
    await watching.add(LOG)
    await until_at_hand(watching)
    other = await connect()
    await kill_and_restart(server)
    await until(lambda: other.connected, "the other connection")
    await Clients(other).delete("log")
    await eventually(lambda: is_gone(watching))
    assert watching.at_hand("log") is None


async def test_with_a_client_its_tokens_go(clients: Clients, bus: Bus) -> None:
    """Everybody's, and no other app's."""
    tokens = Tokens(bus)
    await clients.add(LOG)
    given = [await tokens.issue(user, "log", 1, 60) for user in ("alice", "bob")]
    kept = await tokens.issue("alice", "log2", 1, 60)
    assert await clients.delete("log")
    assert [await tokens.look_up(one) for one in given] == [None, None]
    assert await tokens.look_up(kept) is not None
    assert not await clients.delete("log")


async def test_the_id_of_a_deleted_client_is_no_new_ones(clients: Clients, connect: Connect) -> None:
    """What people allowed to the old one would be the new one's. An operator who knows that may use it again."""
    await clients.add(LOG)
    await clients.delete("log")
    for edge in (clients, Clients(await connect())):
        assert await refusal(edge.add(LOG)) == (Code.ALREADY_EXISTS, "client_id")
        assert await refusal(edge.save(LOG)) == (Code.ALREADY_EXISTS, "client_id")
    assert await clients.list() == []
    assert not await clients.delete("nobody")
    assert await clients.add(msgspec.structs.replace(LOG, id="nobody"))
    made = await clients.add(LOG, again=True)
    assert await clients.find("log") == made
    assert not await clients.check_secret("log", "")
    await clients.delete("nobody", unused=True)
    assert await clients.add(msgspec.structs.replace(LOG, id="nobody")), "nothing was kept of it"


async def until_at_hand(clients: Clients) -> None:
    """Wait until the client is remembered under a live watch."""

    async def look() -> OAuthClient | None:
        await clients.find("log")
        return clients.at_hand("log")

    await eventually(look, "the client is at hand")


async def is_gone(clients: Clients) -> bool:
    return await clients.find("log") is None
