"""The life of a code: a minute, and one use."""

import asyncio
from contextlib import suppress

import pytest

from identity.oauth.codes import LIFETIME_S, FoundCode
from identity.oauth.families import Issued
from schemas.errors import Refusal
from tests.identity.oauth.ground import Clock, Edge

REDIRECT = "https://app.example/cb"


async def issue(edge: Edge) -> str:
    return await edge.issuing.issue_code("fitbit", "alice", 7, REDIRECT, "c" * 43)


async def found(edge: Edge, code: str) -> FoundCode:
    there = await edge.issuing.find_code(code)
    assert there is not None
    return there


async def test_7_a_code_is_bound_to_what_was_agreed(edge: Edge, other: Edge) -> None:
    """Any edge knows it."""
    agreed = (await found(other, await issue(edge))).agreed
    assert (agreed.client_id, agreed.user, agreed.registration) == ("fitbit", "alice", 7)
    assert (agreed.redirect_uri, agreed.challenge) == (REDIRECT, "c" * 43)


async def test_7_a_code_lives_for_a_minute(edge: Edge, clock: Clock) -> None:
    """And not a moment longer."""
    assert LIFETIME_S <= 60
    code = await issue(edge)
    clock.time += LIFETIME_S
    assert await edge.issuing.find_code(code) is None


@pytest.mark.parametrize("code", ["", "llumc_", "llumc_ü", "llumc_" + "x" * 100_000, "llumr_" + "a" * 43])
async def test_what_is_no_code_is_not_found(edge: Edge, code: str) -> None:
    """It raises nothing."""
    assert await edge.issuing.find_code(code) is None


async def test_5_of_many_who_redeem_a_code_at_once_one_succeeds(edge: Edge, other: Edge) -> None:
    """Each of 30 codes, 8 times: those who are too late end what came of it, as one of them has stolen the code."""

    async def redeem(which: Edge, code: str) -> Issued | None:
        with suppress(Refusal):
            there = await which.issuing.find_code(code)
            return None if there is None else await which.issuing.redeem(there)
        return None

    for _ in range(30):
        code = await issue(edge)
        given = await asyncio.gather(*(redeem(which, code) for which in [edge, other] * 4))
        (issued,) = [one for one in given if one is not None]
        assert await edge.issuing.families_of("alice") == []
        assert await edge.tokens.look_up(issued.access_token) is None
    assert await edge.tokens.list("alice") == []


async def test_5_a_code_is_used_by_one_of_many(edge: Edge, other: Edge) -> None:
    """All have found it unused."""
    code = await issue(edge)
    there = [await found(which, code) for which in [edge, other] * 4]
    used = await asyncio.gather(*(edge.issuing._codes.use(one, f"{n:016x}") for n, one in enumerate(there)))
    assert sum(used) == 1


async def test_6_a_code_that_comes_again_ends_what_came_from_it(edge: Edge, other: Edge, clock: Clock) -> None:
    """Its access tokens and its refresh token, also after its minute."""
    code = await issue(edge)
    issued = await edge.issuing.redeem(await found(edge, code))
    assert await edge.tokens.look_up(issued.access_token) is not None
    clock.time += LIFETIME_S + 1
    assert await other.issuing.find_code(code) is None
    assert await edge.tokens.look_up(issued.access_token) is None
    with pytest.raises(Refusal):
        await edge.families.refresh(issued.refresh_token, "fitbit")


async def test_14_the_bucket_does_not_tell_whose_a_code_is(edge: Edge) -> None:
    """Name and content are made unreadable by the code itself."""
    code = await issue(edge)
    (entry,) = await edge.issuing._codes._entries._bucket.list("code.*")
    for part in (code.encode(), b"alice", b"fitbit"):
        assert part not in entry.key.encode() + entry.value
    assert code not in repr(await found(edge, code))
