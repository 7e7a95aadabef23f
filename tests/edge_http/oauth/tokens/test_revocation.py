"""`/revoke`: a client gives its tokens back."""

import pytest

from tests.edge_http.oauth.tokens.conftest import Town


async def test_27_what_is_unknown_is_revoked_already(town: Town) -> None:
    """Whatever the hint says, and whatever it looks like."""
    for token in ("x", "llum_x", "llumr_x", "llum_" + "a" * 43 + "." + "0" * 16 + "." + "0" * 32):
        for hint in ({}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "something"}):
            answered = await town.post("/revoke", {"token": token, "client_id": "fitbit", **hint})
            assert (answered.status, answered.body) == (200, {})


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token"])
async def test_27_with_a_refresh_token_the_whole_sign_in_ends(town: Town, hint: str) -> None:
    """Also with one that has been used since."""
    tokens, other = await town.signed_in(), await town.signed_in()
    refreshed = (await town.refresh(tokens["refresh_token"])).body
    form = {"token": tokens["refresh_token"], "client_id": "fitbit", "token_type_hint": hint}
    assert (await town.post("/revoke", form)).status == 200
    assert await town.me(tokens["access_token"]) == 401
    assert await town.me(refreshed["access_token"]) == 401
    assert (await town.refresh(refreshed["refresh_token"])).error == "invalid_grant"
    assert await town.me(other["access_token"]) == 200


async def test_27_an_access_token_ends_alone(town: Town) -> None:
    """The sign-in goes on."""
    tokens = await town.signed_in()
    assert (await town.post("/revoke", {"token": tokens["access_token"], "client_id": "fitbit"})).status == 200
    assert await town.me(tokens["access_token"]) == 401
    assert (await town.refresh(tokens["refresh_token"])).status == 200


async def test_nobody_revokes_the_token_of_another_client(town: Town) -> None:
    """Nor without having shown which client it is."""
    tokens = await town.signed_in("server")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        await town.post("/revoke", {"token": token, "client_id": "fitbit"})
        assert (await town.post("/revoke", {"token": token, "client_id": "server"})).error == "invalid_client"
        assert (await town.post("/revoke", {"token": token})).error == "invalid_client"
    assert await town.me(tokens["access_token"]) == 200
    assert (await town.refresh(tokens["refresh_token"], "server")).status == 200


async def test_a_revocation_without_a_token_says_what_is_missing(town: Town) -> None:
    """As an error of its own form."""
    answered = await town.post("/revoke", {"client_id": "fitbit"})
    assert (answered.status, answered.error) == (400, "invalid_request")
