"""The command line of somebody who is not the operator: it signs in at an address, and keeps that."""

import msgspec
import pytest
from click.testing import CliRunner

from llum.cli.main import cli
from llum.failures import Fault
from llum.oauth.keeping import Kept, KeptSignIn
from llum.people.remote_sign_ins import find_remote, sign_in_at, sign_out_at, with_remote
from schemas.errors import Code, Refusal
from tests.llum.oauth.fake_llum import FakeLlum


async def signed_in(fake: FakeLlum, user: str = "alice") -> None:
    fake.interval_s = 0
    await sign_in_at(user, fake.url, "device", show=lambda _: None)


def expire(kept: KeptSignIn) -> None:
    """Have the access token of a sign-in be too old."""
    tokens = Kept().tokens(kept)
    assert tokens is not None
    Kept().keep(kept, msgspec.structs.replace(tokens, expires=0.0))


async def test_it_asks_for_all_that_is_the_persons_own(fake: FakeLlum) -> None:
    """As the client that every installation has, and the one of this person is found again."""
    await signed_in(fake)
    assert (fake.forms[0]["client_id"], fake.forms[0]["scope"]) == ("llum-cli", "owner")
    kept = find_remote("alice")
    assert kept is not None
    assert (kept.user, kept.server.url) == ("alice", fake.url)
    assert find_remote("bob") is None
    assert find_remote("alice", "https://elsewhere.example") is None


async def test_a_newer_sign_in_ends_the_earlier_one(fake: FakeLlum) -> None:
    """It is revoked: nobody looks after it any more."""
    await signed_in(fake)
    first = fake.live
    await signed_in(fake)
    assert fake.forms[-1] == {"token": first, "client_id": "llum-cli"}


async def test_it_speaks_for_nobody_but_whom_it_was_told(fake: FakeLlum) -> None:
    """Whoever is signed in in the browser decides: if that is another person, nothing is kept."""
    with pytest.raises(Fault, match="alice has decided in the browser, and not bob") as caught:
        await signed_in(fake, "bob")
    assert f"llum sign-in alice --at {fake.url}" in (caught.value.hint or "")
    assert fake.calls["revoke"] == 1
    assert list(Kept().all()) == []


async def test_one_that_has_ended_says_how_to_sign_in_again(fake: FakeLlum) -> None:
    """With the command as it is to be typed."""
    await signed_in(fake)
    kept = find_remote("alice")
    assert kept is not None
    fake.ended = True
    expire(kept)

    async def nothing(_: object) -> None:
        return None

    with pytest.raises(Refusal) as refused:
        await with_remote(kept, None, nothing)
    assert refused.value.code is Code.INVALID_GRANT
    assert f"`llum sign-in alice --at {fake.url}`" in (refused.value.hint or "")
    assert find_remote("alice") is None


async def test_two_places_must_be_told_apart(fake: FakeLlum) -> None:
    """Nobody's word goes to the wrong llum."""
    other = FakeLlum()
    async with other.server:
        await signed_in(fake)
        await signed_in(other)
        with pytest.raises(Fault, match="speaks for alice at several places"):
            find_remote("alice")
        kept = find_remote("alice", other.url)
        assert kept is not None
        assert await sign_out_at(kept)
        assert find_remote("alice") is not None


def test_options_of_another_way_are_refused() -> None:
    """They would be ignored."""
    ran = CliRunner().invoke(cli, ["sign-in", "alice", "--device"])
    assert ran.exit_code == 2
    assert "go with --at" in ran.output


def test_who_has_not_signed_in_there_has_nothing_to_sign_out_of() -> None:
    """It is said, and is no error."""
    ran = CliRunner().invoke(cli, ["sign-out", "alice", "--at", "https://llum.example", "--json"])
    assert ran.exit_code == 0, ran.output
    assert ran.output.strip() == '{"user":"alice","signed_out":false,"revoked":false}'
