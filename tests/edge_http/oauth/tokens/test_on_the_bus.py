"""Sign-ins of apps that are connected to the bus."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edge_http.oauth.tokens.conftest import RESOURCE, Town
from tests.identity.callout_ground import Ground, ground
from tests.waiting import until


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


@pytest.fixture
async def town(there: Ground) -> AsyncIterator[Town]:
    """An edge beside the callout."""
    town = Town(there.llum)
    async with town.http:
        await there.llum.grant("alice", "fitbit")
        await town.add("fitbit", "public")
        await town.add("rs", "confidential", audience=RESOURCE)
        yield town


async def test_27_with_a_sign_in_its_connections_end(there: Ground, town: Town) -> None:
    """At all edges and callouts. Those of another sign-in of the same app go on."""
    tokens, others = await town.signed_in(), await town.signed_in()
    bus, other = await there.connect(tokens["access_token"]), await there.connect(others["access_token"])
    refreshed = (await town.refresh(tokens["refresh_token"])).body
    again = await there.connect(refreshed["access_token"])
    lost: list[str] = []
    for name, one in (("first", bus), ("other", other), ("again", again)):
        one.on_disconnect.append(lambda name=name: lost.append(name))  # type: ignore[misc]
    await until(lambda: len(there.connections) == 3, "nats-server has told of all")
    await town.post("/revoke", {"token": refreshed["refresh_token"], "client_id": "fitbit"})
    await until(lambda: {"first", "again"} <= set(lost), "the connections have ended")
    await other.flush()
    assert "other" not in lost


async def test_an_app_hears_at_the_same_inbox_after_a_refresh(town: Town) -> None:
    """What is connected goes on with the next token."""
    tokens = await town.signed_in()
    refreshed = (await town.refresh(tokens["refresh_token"])).body
    inboxes = {one["access_token"].partition(".")[2] for one in (tokens, refreshed)}
    assert len(inboxes) == 1


async def test_16_nobody_connects_with_a_token_for_another_server(there: Ground, town: Town) -> None:
    """Nor with a refresh token."""
    tokens = await town.signed_in(audience=RESOURCE)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert await there.authenticator.by_token(token) is None
