"""`/device_authorization` and its grant at `/token`: sign-ins by a short code."""

import asyncio
import json

import pytest

from edge_http.devices.asking import DEVICE_GRANT
from schemas.commands import DeleteApp
from tests.edge_http.oauth.tokens.conftest import RESOURCE, Answered, Town


async def begin(town: Town, **more: str) -> Answered:
    form = {"client_id": "fitbit", "scope": "ask:Sport", **more}
    return await town.post("/device_authorization", {name: value for name, value in form.items() if value})


async def poll(town: Town, device_code: str, client_id: str = "fitbit", **more: str) -> Answered:
    return await town.token(grant_type=DEVICE_GRANT, device_code=device_code, client_id=client_id, **more)


async def allow(town: Town, user_code: str) -> None:
    """Let the program in as alice does on the page."""
    devices = town.authenticator.oauth.devices
    found = await devices.find(user_code)
    assert found is not None
    await devices.allow(found.handle, "alice", await town.registration())


async def test_25_a_program_gets_a_short_code_and_then_tokens(town: Town) -> None:
    """Which are good at once."""
    begun = await begin(town)
    assert (begun.status, begun.headers["Cache-Control"]) == (200, "no-store")
    assert begun.body["verification_uri"] == "https://llum.example/device"
    assert begun.body["verification_uri_complete"] == f"https://llum.example/device?user_code={begun.body['user_code']}"
    assert (begun.body["expires_in"], begun.body["interval"]) == (600, 5)
    device_code = begun.body["device_code"]
    waiting = await poll(town, device_code)
    assert (waiting.status, waiting.error) == (400, "authorization_pending")
    too_soon = await poll(town, device_code)
    assert (too_soon.status, too_soon.error) == (400, "slow_down")
    await allow(town, begun.body["user_code"])
    given = await poll(town, device_code)
    assert given.status == 200, given
    assert await town.me(given.body["access_token"]) == 200
    assert (await poll(town, device_code)).error == "invalid_grant"


async def test_25_of_many_polls_at_once_one_gets_tokens(town: Town) -> None:
    """They are good, and the only ones."""
    begun = await begin(town)
    await allow(town, begun.body["user_code"])
    given = await asyncio.gather(*(poll(town, begun.body["device_code"]) for _ in range(12)))
    (won,) = [one for one in given if one.status == 200]
    assert {one.error for one in given if one is not won} == {"invalid_grant"}
    assert await town.me(won.body["access_token"]) == 200
    assert len(await town.authenticator.oauth.families_of("alice")) == 1


async def test_25_a_code_of_an_app_that_the_person_has_removed_is_worth_nothing(town: Town) -> None:
    """Between the consent and the poll."""
    begun = await begin(town)
    await allow(town, begun.body["user_code"])
    await town.llum.do(DeleteApp(id=town.llum.next_id(), app="fitbit"))
    assert (await poll(town, begun.body["device_code"])).error == "invalid_grant"


async def test_25_only_public_clients_get_short_codes(town: Town) -> None:
    """One with a secret runs where a browser can be sent from; one that is not there gets nothing either."""
    refused = await begin(town, client_id="server", client_secret=town.secrets["server"])
    assert (refused.status, refused.error) == (400, "unauthorized_client")
    unknown = await begin(town, client_id="nobody")
    assert (unknown.status, unknown.error) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "owner"}, "invalid_scope"),
        ({"scope": "", "authorization_details": "{"}, "invalid_scope"),
        ({"scope": "", "authorization_details": json.dumps([{"type": "other"}])}, "invalid_scope"),
        ({"resource": "https://nobody.example"}, "invalid_target"),
        ({"client_id": "fit\u00fcbit"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said(town: Town, wrong: dict[str, str], error: str) -> None:
    """As RFC 6749 names it."""
    answered = await begin(town, **wrong)
    assert answered.status in (400, 401)
    assert answered.error == error


async def test_24_a_parameter_that_is_there_twice_is_refused_where_codes_are_given(town: Town) -> None:
    """Which one counts nobody could know."""
    answered = await town.post("/device_authorization", b"client_id=fitbit&scope=ask:Sport&scope=model")
    assert (answered.status, answered.error) == (400, "invalid_request")


async def test_16_a_device_is_bound_to_the_audience_that_it_has_asked_for(town: Town) -> None:
    """llum takes none of its tokens; another one cannot be asked for at the poll."""
    begun = await begin(town, resource=RESOURCE)
    await allow(town, begun.body["user_code"])
    other = await poll(town, begun.body["device_code"], resource="https://other.example")
    assert other.error == "invalid_target"
    given = await poll(town, begun.body["device_code"], resource=RESOURCE)
    assert given.status == 200, given
    assert await town.me(given.body["access_token"]) == 401


async def test_25_an_address_gets_few_short_codes(town: Town) -> None:
    """Who wants many has to wait."""
    statuses = [(await begin(town)).status for _ in range(25)]
    assert statuses[:20] == [200] * 20
    assert statuses[-1] == 429
