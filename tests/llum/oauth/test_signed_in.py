"""A sign-in: its token is always a fresh one, whoever shares it; and its end is said clearly."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.SecretService import Keyring as SecretService

from llum.failures import Fault
from llum.oauth.keeping import Kept, KeptSignIn
from llum.oauth.keyrings import Keyring, is_real
from llum.oauth.servers import Server
from llum.oauth.signed_in import SignedIn
from llum.oauth.signing_in import find_sign_in
from llum.oauth.wishes import GrantedSlices, KeptTokens
from schemas.errors import Code, LlumError, Refusal
from tests.llum.oauth.fake_llum import FakeLlum
from tests.waiting import until


def sign_in_at(fake: FakeLlum, kept: Kept | None, expires_in: float = 3600.0) -> SignedIn:
    """Give a sign-in that the fake knows, kept if it is to be."""
    fake.live, access = "llumr_first", "llum_first"
    fake.access.add(access)
    server = Server(fake.url, fake.url, f"{fake.url}/token", revocation_endpoint=f"{fake.url}/revoke")
    made = KeptSignIn(server, "kitchen", "", "alice", GrantedSlices("ask:Personal"))
    tokens = KeptTokens(access, fake.live, time.time() + expires_in)
    if kept is not None:
        kept.keep(made, tokens)
    return SignedIn(made, tokens, kept)


async def ended(signed_in: SignedIn) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await signed_in.refresh()
    return refused.value


async def test_a_token_is_refreshed_before_it_expires(fake: FakeLlum) -> None:
    """Not while it is good for long; what was granted is what the last answer says."""
    fresh = sign_in_at(fake, None)
    assert await fresh.token() == "llum_first"
    assert fake.calls["token"] == 0
    old = sign_in_at(fake, None, expires_in=0.1)
    await until(lambda: old._due_in_s() <= 0, "it is due")
    assert await old.token() in fake.access
    assert await old.token() == await old.token()
    assert fake.calls["token"] == 1
    assert [one.paths for one in old.granted] == [["Personal"]]


async def test_many_tasks_refresh_once(fake: FakeLlum) -> None:
    """They all get the same token."""
    signed_in = sign_in_at(fake, None)
    await asyncio.gather(*(signed_in.refresh() for _ in range(10)))
    assert fake.calls["token"] == 1


async def test_several_processes_share_a_sign_in(fake: FakeLlum, kept: Kept) -> None:
    """Each refreshes when it has to; none shows a refresh token that another one has used, which would end it."""
    first = sign_in_at(fake, kept)
    others = [find_sign_in(Kept(), first._kept.name) for _ in range(5)]
    for _ in range(3):
        await asyncio.gather(*(one.refresh() for one in others if one is not None), first.refresh())
    assert not fake.ended
    tokens = {await one.token() for one in (first, *others) if one is not None}
    assert fake.access & tokens
    assert fake.calls["token"] < 18, "most took what another one had got"


async def test_a_sign_in_that_was_revoked_says_so_and_is_forgotten(fake: FakeLlum, kept: Kept) -> None:
    """Every process that shares it hears the same, and llum is asked no more."""
    signed_in = sign_in_at(fake, kept)
    other = find_sign_in(kept, signed_in._kept.name)
    assert other is not None
    fake.ended = True
    error = await ended(signed_in)
    assert error.code is Code.INVALID_GRANT
    assert "has ended" in error.message
    assert error.hint == "sign in again"
    assert (await ended(signed_in)) is error
    assert (await ended(other)).message == error.message
    assert fake.calls["token"] == 1
    assert list(kept.all()) == []


async def test_an_llum_that_is_away_ends_nothing(fake: FakeLlum, kept: Kept) -> None:
    """The next attempt may succeed."""
    signed_in = sign_in_at(fake, kept)
    fake.token_error = {"error": "temporarily_unavailable", "code": "unavailable"}
    with pytest.raises(LlumError) as away:
        await signed_in.refresh()
    assert away.value.code is Code.UNAVAILABLE
    fake.token_error = None
    await signed_in.refresh()
    assert await signed_in.token() in fake.access


async def test_signing_out_revokes_and_forgets(fake: FakeLlum, kept: Kept) -> None:
    """Afterwards it is as one that was revoked."""
    signed_in = sign_in_at(fake, kept)
    await signed_in.sign_out()
    assert fake.forms[-1] == {"token": "llumr_first", "client_id": "kitchen"}
    assert list(kept.all()) == []
    assert (await ended(signed_in)).code is Code.INVALID_GRANT
    assert fake.calls["token"] == 0


async def test_in_the_background_a_token_never_expires(fake: FakeLlum) -> None:
    """What is shown to the bus is replaced before it is due there; a failure is tried again."""
    signed_in = sign_in_at(fake, None, expires_in=0.2)
    fake.lifetime_s = 0.3
    async with signed_in.staying_fresh():
        await until(lambda: fake.calls["token"] >= 3, "three refreshes")
        assert signed_in.shown().text != "llum_first"
        fake.token_error = {"error": "temporarily_unavailable", "code": "unavailable"}
        calls = fake.calls["token"]
        await until(lambda: fake.calls["token"] > calls, "an attempt that fails")
        fake.token_error, fake.lifetime_s = None, 3600
        await until(lambda: signed_in.shown().expires > time.time() + 1000, "one that succeeds")


async def test_requests_over_http_carry_the_token(fake: FakeLlum) -> None:
    """One that was refused for its token is sent once more with the next one."""
    signed_in = sign_in_at(fake, None)
    async with signed_in.http() as http, http.post("ask", json={"a": 1}) as answer:
        assert await answer.json() == {"val": [1]}
    fake.access.clear()
    async with signed_in.http() as http, http.post("ask", json={"a": 1}) as answer:
        assert answer.status == 200
    assert (fake.calls["ask"], fake.calls["token"]) == (3, 1)


def only_file_in(folder: Path) -> Path:
    (file,) = folder.glob("*.json")
    return file


async def test_a_token_goes_to_its_own_llum_alone(fake: FakeLlum) -> None:
    """Whatever address a program asks with the same session."""
    other = FakeLlum()
    async with other.server, sign_in_at(fake, None).http() as http:
        other.access.add("llum_first")
        async with http.post(f"{other.url}/ask") as answer:
            assert answer.status == 401, "it came without a token"


class _Backend:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.kept[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


async def test_with_a_keyring_no_file_holds_a_token(fake: FakeLlum, own_folder: Path) -> None:
    """It is found again through it, and gone from it after signing out."""
    backend = _Backend()
    kept = Kept(keyring=lambda: Keyring(backend))  # type: ignore[arg-type] - it does what is needed of one
    signed_in = sign_in_at(fake, kept)
    text = only_file_in(own_folder).read_text()
    assert "alice" in text
    assert "llum_first" not in text
    assert "llumr_first" not in text
    (secret,) = backend.kept.values()
    assert msgspec.json.decode(secret)["refresh_token"] == "llumr_first"
    found = find_sign_in(kept, signed_in._kept.name)
    assert found is not None
    assert await found.token() == "llum_first"
    await found.sign_out()
    assert backend.kept == {}


def test_only_a_keyring_that_keeps_secrets_is_one() -> None:
    """Backends that write plain text come from elsewhere, and are never used without anybody's knowing."""

    class PlainText(SecretService):
        priority = 5  # type: ignore[assignment]

    class Chain(ChainerBackend):
        backends = [PlainText()]  # type: ignore[assignment]

    Chain.__module__ = ChainerBackend.__module__
    assert not is_real(NoKeyring())
    assert not is_real(PlainText())
    assert not is_real(Chain())


def test_a_damaged_file_is_named(own_folder: Path, kept: Kept) -> None:
    """It is not taken for none."""
    own_folder.mkdir(parents=True)
    (own_folder / "x.json").write_text("{")
    with pytest.raises(Fault, match="cannot read"):
        list(kept.all())
