"""The life of a sign-in of an app: its access tokens, and one live refresh token."""

import asyncio

import pytest

from bus.connection import Bus
from bus.key_rings import REFRESH_KEYS, KeyRings, new_ring, replaced
from identity.oauth.families import Issued, Lifetimes
from identity.oauth.judging import REPEATED_WITHIN_S
from identity.oauth.refresh_tokens import first
from llum.processes.edge import lifetimes_of
from llum.settings_loading import load
from schemas.errors import Code, Refusal
from tests.identity.oauth.ground import Clock, Edge
from tests.waiting import until

AT_ONCE = 18


async def begun(edge: Edge, user: str = "alice", client: str = "fitbit") -> Issued:
    return await edge.issuing.begin_family(user, client, 7)


async def refused(edge: Edge, token: str, client: str = "fitbit") -> bool:
    """Tell whether a refresh token is refused."""
    try:
        await edge.families.refresh(token, client)
    except Refusal as refusal:
        return refusal.code is Code.INVALID_GRANT
    return False


async def test_a_family_begins_with_an_access_token_that_names_it(edge: Edge) -> None:
    """It stands for the person and the app; its sign-in is the family, so its inbox stays when it is refreshed."""
    issued = await edge.issuing.begin_family("alice", "fitbit", 7, "https://rs.example", "device")
    principal = await edge.tokens.look_up(issued.access_token)
    assert principal is not None
    assert (principal.user, principal.app, principal.registration) == ("alice", "fitbit", 7)
    assert (principal.sign_in, principal.audience, principal.oauth) == (issued.family, "https://rs.example", True)
    (listed,) = await edge.issuing.families_of("alice")
    assert (listed.id, listed.app, listed.how, listed.audience) == (
        issued.family,
        "fitbit",
        "device",
        principal.audience,
    )


async def test_what_begins_and_ends_is_noted_in_the_persons_record(edge: Edge, clock: Clock) -> None:
    """At once, and why. What is not there does not end; what ends with its registration, whoever ended that tells."""
    one, two, three = [await begun(edge) for _ in range(3)]
    await edge.families.end_named(one.family, "alice", "fitbit")
    await edge.families.end_named(one.family, "alice", "fitbit")
    await edge.families.refresh(two.refresh_token, "fitbit")
    clock.time += REPEATED_WITHIN_S + 1
    assert await refused(edge, two.refresh_token)
    assert await edge.families.end_of("alice", "fitbit", before=8) == 1
    assert await edge.families.end_of("alice", three.client_id) == 0
    events = [event for user, app, event in edge.noted if (user, app) == ("alice", "fitbit")]
    assert events == ["app_signed_in"] * 3 + ["app_signed_out", "app_signed_out_as_copied"]


async def test_an_old_client_is_told_as_it_always_was(edge: Edge) -> None:
    """What it lacks is not said by statuses."""
    issued = await edge.issuing.begin_family("alice", "umbrowser", 7, legacy=True)
    principal = await edge.tokens.look_up(issued.access_token)
    assert principal is not None
    assert not principal.oauth


async def test_15_access_tokens_live_for_an_hour(edge: Edge, clock: Clock) -> None:
    """At most: the setting says less."""
    assert Lifetimes().access_s == 3600
    issued = await begun(edge)
    assert issued.expires_in == 3600
    clock.time += 3600
    assert await edge.tokens.look_up(issued.access_token) is None


def test_15_no_setting_lets_access_tokens_live_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour is the most."""
    monkeypatch.setenv("LLUM_ACCESS_TOKEN_MINUTES", "61")
    with pytest.raises(Refusal, match="a number from 1 to 60"):
        load()
    monkeypatch.setenv("LLUM_ACCESS_TOKEN_MINUTES", "5")
    assert lifetimes_of(load()).access_s == 300


async def test_12_a_refresh_token_changes_with_each_use(edge: Edge, clock: Clock) -> None:
    """The one before is good for nothing after a moment; the access tokens live on for their hour."""
    issued = await begun(edge)
    after = await edge.families.refresh(issued.refresh_token, "fitbit")
    assert after.refresh_token != issued.refresh_token
    assert after.family == issued.family
    assert await edge.tokens.look_up(issued.access_token) is not None
    assert await edge.tokens.look_up(after.access_token) is not None


@pytest.mark.parametrize("passed_s", [0.0, REPEATED_WITHIN_S])
async def test_12_a_refresh_whose_answer_was_lost_can_be_repeated(
    edge: Edge, other: Edge, clock: Clock, passed_s: float
) -> None:
    """Any edge gives the same successor, for a moment."""
    issued = await begun(edge)
    lost = await edge.families.refresh(issued.refresh_token, "fitbit")
    clock.time += passed_s
    again = await other.families.refresh(issued.refresh_token, "fitbit")
    assert again.refresh_token == lost.refresh_token
    assert not await refused(edge, again.refresh_token)


async def test_12_one_that_comes_again_later_ends_the_family(edge: Edge, other: Edge, clock: Clock) -> None:
    """Somebody has a copy: all access tokens are worthless, too."""
    issued = await begun(edge)
    after = await edge.families.refresh(issued.refresh_token, "fitbit")
    clock.time += REPEATED_WITHIN_S + 1
    assert await refused(other, issued.refresh_token)
    assert await refused(edge, after.refresh_token)
    assert await edge.tokens.look_up(after.access_token) is None
    assert await edge.issuing.families_of("alice") == []


async def test_12_an_older_one_ends_the_family_at_once(edge: Edge) -> None:
    """Also within the moment: whoever has its successor has used that, too."""
    issued = await begun(edge)
    second = await edge.families.refresh(issued.refresh_token, "fitbit")
    third = await edge.families.refresh(second.refresh_token, "fitbit")
    assert await refused(edge, issued.refresh_token)
    assert await refused(edge, third.refresh_token)


async def test_12_what_llum_has_not_made_ends_nothing(edge: Edge) -> None:
    """The id of a family is in the name of an inbox: it alone is no reason."""
    issued = await begun(edge)
    after = await edge.families.refresh(issued.refresh_token, "fitbit")
    forged = first(issued.family, b"a key of somebody else").text
    assert await refused(edge, forged)
    assert await refused(edge, forged.replace(".0.", ".1."))
    assert await refused(edge, "llumr_")
    assert not await refused(edge, after.refresh_token)


async def test_12_18_refreshes_at_once_give_one_family_with_one_live_successor(edge: Edge, other: Edge) -> None:
    """At several edges: all get the same refresh token, and it works."""
    issued = await begun(edge)
    edges = [edge, other] * (AT_ONCE // 2)
    given = await asyncio.gather(*(one.families.refresh(issued.refresh_token, "fitbit") for one in edges))
    assert len({one.refresh_token for one in given}) == 1
    assert {one.family for one in given} == {issued.family}
    assert len(await edge.issuing.families_of("alice")) == 1
    for one in given:
        assert await edge.tokens.look_up(one.access_token) is not None
    assert not await refused(edge, given[0].refresh_token)


async def test_12_a_new_key_between_two_refreshes_changes_nothing(
    edge: Edge, other: Edge, bus: Bus, clock: Clock
) -> None:
    """The successor that was made with the key before is found by its hash."""
    issued = await begun(edge)
    given = await edge.families.refresh(issued.refresh_token, "fitbit")
    used = edge.ring.used
    await KeyRings(bus).change(REFRESH_KEYS, lambda ring: replaced(ring, 0.0, 0.0, None))
    await other.ring.open()
    await until(lambda: other.ring.used != used, "the other edge goes by the new key")
    again = await other.families.refresh(issued.refresh_token, "fitbit")
    assert again.refresh_token == given.refresh_token
    assert not await refused(other, again.refresh_token)


async def test_12_when_no_earlier_key_is_accepted_the_live_token_still_works(edge: Edge, other: Edge, bus: Bus) -> None:
    """It is known by its hash; nobody has to sign in again."""
    issued = await begun(edge)
    given = await edge.families.refresh(issued.refresh_token, "fitbit")
    await KeyRings(bus).change(REFRESH_KEYS, lambda _: new_ring(0.0))
    await other.ring.open()
    assert await refused(other, issued.refresh_token), "it cannot be repeated"
    assert not await refused(other, given.refresh_token)


async def test_13_a_refresh_token_of_another_client_is_refused(edge: Edge) -> None:
    """And ends nothing: who has it has not got it from llum."""
    issued = await begun(edge)
    assert await refused(edge, issued.refresh_token, "other")
    assert await refused(edge, issued.refresh_token, "*")
    assert not await refused(edge, issued.refresh_token)


async def test_a_refresh_token_expires_when_it_is_not_used(edge: Edge, clock: Clock) -> None:
    """Each use begins the time anew."""
    issued = await begun(edge)
    clock.time += Lifetimes().refresh_s - 1
    after = await edge.families.refresh(issued.refresh_token, "fitbit")
    clock.time += Lifetimes().refresh_s
    assert await refused(edge, after.refresh_token)


async def test_ending_the_sign_ins_of_an_app_ends_no_others(edge: Edge, other: Edge) -> None:
    """Each with all its access tokens."""
    ended, kept = await begun(edge), [await begun(edge, "alice", "other"), await begun(edge, "bob")]
    assert await other.issuing.end_families("alice", "fitbit") == 1
    assert await edge.tokens.look_up(ended.access_token) is None
    assert await refused(edge, ended.refresh_token)
    for one in kept:
        assert await edge.tokens.look_up(one.access_token) is not None


async def test_with_a_client_all_its_sign_ins_end(edge: Edge) -> None:
    """Of everybody."""
    mine, hers, kept = await begun(edge), await begun(edge, "bob"), await begun(edge, "bob", "other")
    assert await edge.issuing.end_families_of_client("fitbit") == 2
    assert await refused(edge, mine.refresh_token)
    assert await refused(edge, hers.refresh_token)
    assert not await refused(edge, kept.refresh_token, "other")


async def test_14_only_hashes_are_stored(edge: Edge, bus: Bus) -> None:
    """Of refresh tokens, too."""
    issued = await begun(edge)
    after = await edge.families.refresh(issued.refresh_token, "fitbit")
    stored = b"".join(entry.key.encode() + entry.value for entry in await edge.families._bucket.list("*.*.*"))
    for token in (issued.refresh_token, after.refresh_token):
        assert token.split(".")[2].encode() not in stored
        assert token not in repr(after)


async def test_nothing_is_left_of_a_person_who_is_forgotten(edge: Edge) -> None:
    """And nothing of others is lost."""
    await begun(edge)
    kept = await begun(edge, "bob")
    assert await edge.families.erase_user("alice") == 1
    assert await edge.families.count("alice") == 0
    assert not await refused(edge, kept.refresh_token)
