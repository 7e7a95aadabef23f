"""`/introspect`: resource servers ask about tokens that are meant for them."""

import time

from schemas.commands import DeleteApp
from tests.edge_http.oauth.tokens.conftest import PUBLIC_URL, RESOURCE, Town
from tests.waiting import eventually


async def test_26_a_resource_server_learns_whose_token_it_is(town: Town) -> None:
    """And for how long it is good."""
    tokens = await town.signed_in(audience=RESOURCE)
    about = (await town.introspect(tokens["access_token"])).body
    assert (about["active"], about["sub"], about["client_id"]) == (True, "alice", "fitbit")
    assert (about["aud"], about["iss"], about["token_type"]) == (RESOURCE, PUBLIC_URL, "Bearer")
    assert 0 < about["exp"] - time.time() <= 3600


async def test_26_unknown_and_foreign_tokens_are_not_active(town: Town) -> None:
    """Nothing more is said of them; refresh tokens are no tokens to be shown around."""
    tokens, own = await town.signed_in(audience=RESOURCE), await town.signed_in()
    assert (await town.introspect(tokens["access_token"], "other_rs")).body == {"active": False}
    for token in ("x", own["access_token"], tokens["refresh_token"], own["refresh_token"]):
        answered = await town.introspect(token, token_type_hint="anything")
        assert (answered.status, answered.body) == (200, {"active": False})


async def test_26_a_revoked_token_is_not_active(town: Town) -> None:
    """Nor one whose app the person has removed."""
    tokens, others = await town.signed_in(audience=RESOURCE), await town.signed_in(audience=RESOURCE)
    await town.post("/revoke", {"token": tokens["access_token"], "client_id": "fitbit"})
    assert (await town.introspect(tokens["access_token"])).body == {"active": False}
    assert (await town.introspect(others["access_token"])).body["active"]
    await town.llum.do(DeleteApp(id=town.llum.next_id(), app="fitbit"))

    async def ended() -> bool:
        return (await town.introspect(others["access_token"])).body == {"active": False}

    await eventually(ended, "the edge has heard that the app is gone")


async def test_26_who_asks_shows_who_it_is(town: Town) -> None:
    """A client that is no resource server is told nothing."""
    tokens = await town.signed_in(audience=RESOURCE)
    token = tokens["access_token"]
    for form in ({}, {"client_id": "rs"}, {"client_id": "rs", "client_secret": "wrong"}, {"client_id": "nobody"}):
        answered = await town.post("/introspect", {"token": token, **form})
        assert (answered.status, answered.error) == (401, "invalid_client")
    assert (await town.post("/introspect", {"token": token, "client_id": "fitbit"})).error == "unauthorized_client"
    assert (await town.introspect(token, "server")).error == "unauthorized_client"
