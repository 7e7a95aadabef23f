"""What is remembered while a person is at an issuer: state and browser of statement 29, on a real nats-server."""

import asyncio
from typing import Any

import pytest

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import FLOW_BUCKET, bucket_key, bucket_stream
from identity.issuers.failures import UnprovenError
from identity.issuers.transactions import LIFETIME_S, Transactions
from identity.sealed import SealedEntries


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def test_29_a_state_is_good_once(bus: Bus) -> None:
    """Of many who bring it at once, one goes on."""
    transactions = Transactions(bus)
    state, begun = await transactions.begin("there", "browser", "/account")
    ends = [transactions.end("there", "browser", state) for _ in range(8)]
    found = await asyncio.gather(*ends, return_exceptions=True)
    assert [one for one in found if not isinstance(one, UnprovenError)] == [begun]


async def test_29_a_state_is_good_in_the_browser_that_was_sent_away(bus: Bus) -> None:
    """Whoever makes another's browser bring it signs nobody in (login CSRF). Trying spoils it."""
    transactions = Transactions(bus)
    for other in ("another browser", "", None, "\udcff"):
        state, _ = await transactions.begin("there", "browser", "/")
        with pytest.raises(UnprovenError, match="browser"):
            await transactions.end("there", other, state)
        with pytest.raises(UnprovenError):
            await transactions.end("there", "browser", state)


async def test_29_a_state_is_good_at_its_issuer(bus: Bus) -> None:
    """One issuer's answer does not end at another's address (mix-up)."""
    transactions = Transactions(bus)
    state, _ = await transactions.begin("there", "browser", "/")
    with pytest.raises(UnprovenError, match="another issuer"):
        await transactions.end("elsewhere", "browser", state)


@pytest.mark.parametrize("state", ["", "made-up", "x" * 10_000, "*", ">", "a b", "é", "\udcff", "\x00"])
async def test_29_a_made_up_state_is_none(state: str, bus: Bus) -> None:
    """Whatever it is made of."""
    with pytest.raises(UnprovenError):
        await Transactions(bus).end("there", "browser", state)


async def test_a_state_is_good_for_ten_minutes(bus: Bus) -> None:
    """nats-server forgets it then; before, it is too old by the clock."""
    clock = Clock()
    transactions = Transactions(bus, clock)
    state, _ = await transactions.begin("there", "browser", "/")
    clock.now += LIFETIME_S
    with pytest.raises(UnprovenError, match="too long"):
        await transactions.end("there", "browser", state)


async def test_who_reads_the_bucket_learns_nothing(bus: Bus) -> None:
    """Neither state, nor what is kept, nor whose it is."""
    state, begun = await Transactions(bus).begin("there", "browser", "/account", user="alice")
    stored: Any = await JetStream(bus).last(bucket_stream(FLOW_BUCKET), bucket_key(FLOW_BUCKET, "at_issuer.*"))
    whole = f"{stored.subject} {stored.headers!r} {stored.data!r}"
    for secret in (state, begun.nonce, begun.verifier, begun.browser, "alice", "account"):
        assert secret not in whole


async def test_what_is_sealed_is_for_one_purpose(bus: Bus) -> None:
    """A secret of one kind opens nothing of another; reading leaves it, taking does not."""
    entries = SealedEntries(bus, "one")
    await entries.put("secret", b"content", 60)
    assert await SealedEntries(bus, "another").read("secret") is None
    assert (await entries.read("secret"), await entries.take("secret")) == (b"content", b"content")
    assert (await entries.read("secret"), await entries.take("secret")) == (None, None)
