"""The life of a sign-in by a short code, which a person types into a browser elsewhere."""

import asyncio

import pytest

from identity.oauth.devices import (
    ALPHABET,
    INTERVAL_S,
    LIFETIME_S,
    REMEMBERED_S,
    BegunDevice,
    FoundDevice,
    typed_code,
)
from identity.oauth.families import Issued
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.slices import Slice
from tests.identity.oauth.ground import Clock, Edge

SLICES = [Slice(paths=["Personal"], actions=["ask"])]


async def begin(edge: Edge) -> BegunDevice:
    return await edge.devices.begin(
        "watch", SLICES, owner=False, audience="", place="curl on Linux", source="192.0.2.1"
    )


async def found(edge: Edge, begun: BegunDevice) -> FoundDevice:
    there = await edge.devices.find(begun.user_code)
    assert there is not None
    return there


async def poll(edge: Edge, begun: BegunDevice, client_id: str = "watch") -> Issued | Code:
    """Give what a poll gives: tokens, or the code of its refusal."""
    try:
        return await edge.devices.poll(begun.device_code, client_id)
    except LlumError as error:
        return error.code


async def test_25_a_person_finds_by_the_short_code_what_is_asked_for(edge: Edge, other: Edge) -> None:
    """At any edge, in whatever way they type it."""
    begun = await begin(edge)
    for typed in (begun.user_code, begun.user_code.lower(), begun.user_code.replace("-", " "), f" {begun.user_code}. "):
        there = await other.devices.find(typed)
        assert there is not None
        assert (there.asked.client_id, there.asked.slices, there.asked.place) == ("watch", SLICES, "curl on Linux")


async def test_25_short_codes_are_of_letters_that_nobody_mistakes(edge: Edge) -> None:
    """Eight of twenty, without vowels."""
    begun = await begin(edge)
    assert len(typed_code(begun.user_code)) == 8
    assert not set(ALPHABET) & set("AEIOUY0123456789")
    assert set(typed_code(begun.user_code)) <= set(ALPHABET)


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJA", "BCDFGHJKL", "*.*", "BCDF-GHJK" * 1000, "ＢＣＤＦＧＨＪＫ"])
async def test_25_what_is_no_short_code_is_not_found(edge: Edge, typed: str) -> None:
    """It raises nothing, and leads to nobody's request."""
    await begin(edge)
    assert await edge.devices.find(typed) is None


async def test_25_a_program_waits_until_its_person_has_decided(edge: Edge, other: Edge, clock: Clock) -> None:
    """Then it gets tokens, at any edge, for the registration that the person has agreed to."""
    begun = await begin(edge)
    assert await poll(edge, begun) is Code.AUTHORIZATION_PENDING
    await other.devices.allow((await found(other, begun)).handle, "alice", 7)
    clock.time += INTERVAL_S
    issued = await poll(edge, begun)
    assert isinstance(issued, Issued)
    principal = await other.tokens.look_up(issued.access_token)
    assert principal is not None
    assert (principal.user, principal.app, principal.registration) == ("alice", "watch", 7)
    assert await edge.devices.find(begun.user_code) is None, "nobody else can answer it"


async def test_25_a_device_code_is_redeemed_once_of_many(edge: Edge, other: Edge) -> None:
    """Each of 20 codes, 8 times at once at two edges: one gets a family, and that is the only one there is."""
    for number in range(20):
        begun = await begin(edge)
        await edge.devices.allow((await found(edge, begun)).handle, f"user{number}", 7)
        given = await asyncio.gather(*(poll(which, begun) for which in [edge, other] * 4))
        (issued,) = [one for one in given if isinstance(one, Issued)]
        assert {one for one in given if one is not issued} == {Code.INVALID_GRANT}
        assert [one.id for one in await edge.issuing.families_of(f"user{number}")] == [issued.family]
        assert len(await edge.tokens.list(f"user{number}")) == 1
        assert await poll(edge, begun) is Code.INVALID_GRANT


async def test_25_who_polls_too_often_has_to_wait_longer(edge: Edge, other: Edge, clock: Clock) -> None:
    """5 s longer each time, whichever edge it asks."""

    async def told_to_wait(which: Edge) -> tuple[Code, float]:
        with pytest.raises(Transient) as refused:
            await which.devices.poll(begun.device_code, "watch")
        return refused.value.code, refused.value.retry_after_s

    begun = await begin(edge)
    assert await told_to_wait(edge) == (Code.AUTHORIZATION_PENDING, 5)
    assert await told_to_wait(other) == (Code.SLOW_DOWN, 10)
    clock.time += 6
    assert await told_to_wait(edge) == (Code.SLOW_DOWN, 15)
    clock.time += 15
    assert await told_to_wait(other) == (Code.AUTHORIZATION_PENDING, 15)


async def test_25_a_program_is_told_that_it_was_refused(edge: Edge, other: Edge, clock: Clock) -> None:
    """And nobody can let it in afterwards."""
    begun = await begin(edge)
    handle = (await found(edge, begun)).handle
    await edge.devices.refuse(handle, "alice")
    assert await poll(other, begun) is Code.ACCESS_DENIED
    with pytest.raises(Refusal) as late:
        await other.devices.allow(handle, "alice", 7)
    assert late.value.code is Code.EXPIRED_TOKEN
    assert await poll(other, begun) is Code.ACCESS_DENIED


async def test_25_of_two_people_who_answer_one_code_the_first_counts(edge: Edge, other: Edge) -> None:
    """The same answer of the same person once more is none."""
    begun = await begin(edge)
    handle = (await found(edge, begun)).handle
    await edge.devices.allow(handle, "alice", 7)
    await edge.devices.allow(handle, "alice", 7)
    with pytest.raises(Refusal):
        await other.devices.allow(handle, "mallory", 8)
    issued = await poll(other, begun)
    assert isinstance(issued, Issued)
    assert issued.user == "alice"


async def test_25_a_code_expires(edge: Edge, clock: Clock) -> None:
    """Be it unanswered or not yet fetched: the program is told, and the person finds it no more."""
    unanswered, unfetched = await begin(edge), await begin(edge)
    late, handle = (await found(edge, unanswered)).handle, (await found(edge, unfetched)).handle
    await edge.devices.allow(handle, "alice", 7)
    clock.time += LIFETIME_S
    assert await edge.devices.find(unanswered.user_code) is None
    assert await poll(edge, unanswered) is Code.EXPIRED_TOKEN
    assert await poll(edge, unfetched) is Code.EXPIRED_TOKEN
    with pytest.raises(Refusal):
        await edge.devices.allow(late, "alice", 7)
    assert LIFETIME_S + REMEMBERED_S <= 1200


async def test_25_an_unknown_device_code_is_an_invalid_grant(edge: Edge) -> None:
    """As is that of another client, which learns nothing from it."""
    begun = await begin(edge)
    assert await poll(edge, begun, "other") is Code.INVALID_GRANT
    assert await poll(edge, begun, "ü") is Code.INVALID_GRANT
    for code in ("", "llumd_", "llumd_" + "x" * 43, "llumd_ü", "llumd_" + "x" * 100_000, begun.user_code):
        assert await poll(edge, begun._replace(device_code=code)) is Code.INVALID_GRANT


async def test_14_the_bucket_tells_neither_code(edge: Edge) -> None:
    """Names and contents are made unreadable; all short codes could be tried, so a key of llum's is needed as well."""
    begun = await begin(edge)
    await edge.devices.allow((await found(edge, begun)).handle, "alice", 7)
    entries = await edge.devices._requests._bucket.list(">")
    assert len(entries) == 2
    for part in (begun.device_code, begun.user_code, typed_code(begun.user_code), "alice", "watch", "192.0.2.1"):
        assert all(part.encode() not in entry.key.encode() + entry.value for entry in entries)
    assert begun.device_code not in repr(begun)
    assert begun.user_code not in repr(await edge.devices.find(begun.user_code) or begun)
