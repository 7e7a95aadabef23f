"""`/access_token`: the password grant, which is off unless the operator wants it."""

import msgspec
import pytest

from edge_http.accounts.reception import RECEPTION
from identity.throttle import ATTEMPTS
from tests.edge_http.oauth.tokens.conftest import PUBLIC_URL, Answered, Town

PASSWORD = "correct horse battery stäple"


@pytest.fixture
async def town(town_with_passwords: Town) -> Town:
    """Bob has an account with a password, and lets an old client in."""
    town = town_with_passwords
    reception = town.app[RECEPTION]
    hashed = await reception.passwords.hashed(PASSWORD)
    await reception.accounts.register("bob", change=lambda one: msgspec.structs.replace(one, password=hashed))
    for client in ("old", "server"):
        await town.llum.grant("bob", client)
    return town


async def give(town: Town, client: str = "old", path: str = "/access_token", **more: str) -> Answered:
    form = {"grant_type": "password", "username": "bob", "password": PASSWORD, "client_id": client}
    return await town.post(path, form | {"client_secret": town.secrets[client]} | more)


async def test_9_an_old_client_gets_tokens_for_a_password(town: Town) -> None:
    """For the person that has let it in; they are refreshed like others."""
    answered = await give(town)
    assert answered.status == 200
    principal = await town.authenticator.by_token(answered.body["access_token"])
    assert principal is not None
    assert (principal.user, principal.app, principal.oauth) == ("bob", "old", False)
    assert (await town.refresh(answered.body["refresh_token"], "old")).status == 200


async def test_9_no_other_client_and_no_other_address_takes_passwords(town: Town) -> None:
    """Nor does one that has not shown which client it is."""
    assert (await give(town, "server")).error == "unauthorized_client"
    assert (await give(town, client_secret="wrong")).error == "invalid_client"
    assert (await give(town, path="/token")).error == "unsupported_grant_type"
    assert (await give(town, path="/request_token")).error == "unsupported_grant_type"
    assert (await give(town, grant_type="refresh_token")).error == "unsupported_grant_type"


async def test_9_guesses_are_limited_and_say_nothing(town: Town) -> None:
    """Whether there is such an account or not."""
    nobody = await give(town, username="nobody")
    assert (nobody.status, nobody.error) == (400, "invalid_grant")
    for _ in range(ATTEMPTS):
        wrong = await give(town, password="wrong")
        assert wrong.body == nobody.body
    assert (await give(town)).status == 429


async def test_9_a_password_lets_no_app_in(town: Town) -> None:
    """That is for the person to say, on the page of llum."""
    await town.add("new_old", "confidential", legacy=True)
    assert (await give(town, "new_old")).error == "invalid_grant"


async def test_9_metadata_do_not_name_it(town: Town) -> None:
    """Neither the address nor the grant."""
    response = await town.http.get("/.well-known/oauth-authorization-server")
    text = await response.text()
    assert PUBLIC_URL in text
    assert "access_token" not in text
    assert "password" not in text
