"""An edge that gives tokens for keys, with clients of the preferences service that speak to it."""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import msgspec
import pytest
import pytest_asyncio

from edge_http.http.sources import Proxies
from identity.preferences.credentials import ClientCredential, InstalledClient
from identity.preferences.keys import StoredKey
from schemas.apps import PREFERENCES_APP
from schemas.preferences import PutPreferences, SafeFacts, SafeType
from tests.actors.serving import serving
from tests.edge_http.oauth.tokens.conftest import Town

SECRET: Final = "pilot-secret"

PROXY: Final = "127.0.0.1"
"""What the test's client is to the edge: what it says of whence a request comes is believed."""


class Said(NamedTuple):
    """An answer of `/access_token`."""

    status: int
    body: Any
    headers: Any


class KeyTown(Town):
    """A running edge with credentials."""

    async def settle(self) -> None:
        """Make a key with a safe, and credentials of several kinds."""
        await self.llum.make_person("alice")
        credentials = self.authenticator.credentials
        hashed = await credentials.hashed(SECRET)
        await credentials.put_client(InstalledClient("client-1", "Pilot"))
        await credentials.put_client(InstalledClient("strange", type="other"))
        makers = {"may_create_keys": True, "may_create_safes": True}
        for name, more in {
            "pilot": makers,
            "existing_only": {"may_create_keys": True},
            "revoked": {**makers, "revoked": True},
            "without_client": {**makers, "client_id": "nothing"},
            "strange": {**makers, "client_id": "strange"},
            "strange_type": {**makers, "type": "other"},
            "nowhere": {**makers, "allowed_ip_blocks": []},
            "at_home": {**makers, "allowed_ip_blocks": ["10.1.2.3/8", "192.0.2.1"]},
            "all_wrong": {"client_id": "strange", "allowed_ip_blocks": "10.0.0.1"},
            "old": makers,
            "guessed": makers,
            "guessing": {},
        }.items():
            credential = ClientCredential(f"credential-{name}", "client-1", name, hashed)
            await credentials.put(msgspec.structs.replace(credential, **more))
        await self.make_safe("carla")
        keys = self.authenticator.preference_keys
        await keys.put_record(StoredKey("new", await keys.safe_user("new"), has_safe=False))

    async def make_safe(self, key: str, body: Any = None, kind: SafeType = "user") -> None:
        """Make the model of a key's safe, with preferences or without."""
        user = await self.authenticator.preference_keys.safe_user(key)
        make = SafeFacts(key=key, type=kind)
        await self.llum.do(
            PutPreferences(id=self.llum.next_id(), view="flat", body=body, make=make), user, PREFERENCES_APP
        )

    async def ask_token(self, client: str = "pilot", key: str = "carla", **more: Any) -> Said:
        """Post a form, with what is given in place of what is right; None takes a member away."""
        headers = more.pop("headers", None)
        form = {"grant_type": "password", "client_id": client, "client_secret": SECRET, "username": key}
        form = {name: value for name, value in (form | {"password": "dummy"} | more).items() if value is not None}
        return await self.send(data=form, headers=headers)

    async def send(self, **more: Any) -> Said:
        response = await self.http.post("/access_token", **more)
        text = await response.text()
        is_json = response.content_type == "application/json"
        return Said(response.status, msgspec.json.decode(text) if is_json else text, response.headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeyTown]:
    """Serve all tests of a file. What one of them uses up is of that one alone."""
    async with serving(tmp_path_factory.mktemp("llum")) as llum:
        town = KeyTown(llum, key_grant=True, proxies=Proxies.parse(PROXY))
        async with town.http:
            await town.settle()
            yield town
