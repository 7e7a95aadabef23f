"""`/:key/settings` and what a token for a key reaches: its key, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio

from edge_http.preferences.face import PreferencesFace
from identity.preferences.joining import KeyJoining
from identity.preferences.keys import KeyRecord
from schemas.grants import Consent
from schemas.preferences import PutPreferences
from tests.actors.serving import serving
from tests.edge_http.key_grants.conftest import KeyTown
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

TERM: Final = "http://registry.gpii.net/common/fontSize"
OTHER: Final = "http://registry.gpii.net/common/cursorSize"
UNAUTHORIZED: Final = {"isError": True, "message": "Unauthorized"}


def body(*names: str, context: str = "gpii-default") -> dict[str, Any]:
    return {"contexts": {context: {"preferences": dict.fromkeys(names, 1)}}}


class Said(NamedTuple):
    """An answer."""

    status: int
    body: Any


class SettingsTown(KeyTown):
    """One whose paths of preferences are open to this machine."""

    async def say(self, method: str, path: str, token: str | None = None, **more: Any) -> Said:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = await self.http.request(method, path, headers=headers | more.pop("headers", {}), **more)
        data = await response.read()
        return Said(response.status, msgspec.json.decode(data) if data else None)

    async def token_for(self, key: str, client: str = "pilot") -> str:
        return str((await self.ask_token(client, key)).body["access_token"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SettingsTown]:
    async with serving(tmp_path_factory.mktemp("llum")) as llum:
        town = SettingsTown(llum, key_grant=True, preferences=PreferencesFace(openness="here"))
        async with town.http:
            await town.settle()
            yield town


async def test_settings_are_put_and_given_back(town: SettingsTown) -> None:
    """The first makes the safe, others are merged into it; the word before the token may be of any case."""
    for key in ("fresh", "Ünï/cödé ?#"):
        token, path = await town.token_for(key), f"/{_escaped(key)}/settings"
        done = {"gpiiKey": key, "message": "Successfully updated."}
        assert await town.say("GET", path, token) == (200, {"gpiiKey": key, "preferences": {"contexts": {}}})
        for name in (TERM, OTHER):
            headers = {"Authorization": f"bEaReR  {token}"}
            assert await town.say("PUT", path, headers=headers, json=body(name)) == (200, done)
        assert await town.say("GET", path, token) == (200, {"gpiiKey": key, "preferences": body(TERM, OTHER)})
        assert await town.say("GET", f"/preferences/{_escaped(key)}", token) == (200, body(TERM, OTHER))


async def test_a_body_is_checked_first_and_then_the_token(town: SettingsTown) -> None:
    """As programs of the original expect it."""
    token, others = await town.token_for("unused"), await town.token_for("carla")
    for sent in (None, "worthless", others, token):
        assert (await town.say("PUT", "/unused/settings", sent, json={})).status == 400
    for sent in (None, "worthless", others):
        for method, path in (
            ("PUT", "/unused/settings"),
            ("GET", "/unused/settings"),
            ("GET", "/unused/settings/%7B%7D"),
        ):
            more = {"json": body(TERM)} if method == "PUT" else {}
            assert await town.say(method, path, sent, **more) == (401, UNAUTHORIZED)
    said = await town.say("GET", "/unused/settings/%7B%22OS%22%3A%7B%7D%7D", token)
    assert (said.status, said.body["isError"]) == (501, True)
    for header in ("Bearer", f"Basic {token}", f"Bearer {token} x", token):
        said = await town.say("GET", "/unused/settings", headers={"Authorization": header})
        assert said == (401, UNAUTHORIZED)


async def test_a_credential_writes_what_it_may_in_each_context(town: SettingsTown) -> None:
    """The original looks at one context alone. An empty list allows no name."""
    credentials = town.authenticator.credentials
    pilot = await credentials.find("credential-pilot")
    assert pilot is not None
    for allowed, allows in (([TERM], True), ([], False)):
        limited = msgspec.structs.replace(
            pilot, id="credential-limited", oauth2_client_id="limited", allowed_prefs_to_write=allowed
        )
        await credentials.put(limited)
        token = await town.token_for("carla", "limited")
        for sent, is_allowed in (
            (body(TERM), allows),
            (body(TERM, context="night"), allows),
            (body(TERM, OTHER), False),
            (body(OTHER, context="night"), False),
            (body(), True),
        ):
            said = await town.say("PUT", "/carla/settings", token, json=sent)
            assert (said.status, said.body) == (200, said.body) if is_allowed else (401, UNAUTHORIZED), (allowed, sent)


async def test_what_the_preferences_refuse_is_relayed(town: SettingsTown) -> None:
    """With its status and code, and where it came from."""
    await town.make_safe("snap", body(TERM), "snapset")
    said = await town.say("PUT", "/snap/settings", await town.token_for("snap"), json=body(TERM))
    assert (said.status, said.body["isError"], said.body["errorCode"]) == (404, True, "GPII_ERR_READONLY")
    assert said.body["message"] == (
        'Can\'t update preferences for readOnly GPII key "snap" (perhaps it is a snapset)'
        " while executing HTTP PUT on url https://llum.example/preferences/snap?merge=true"
    )


async def test_a_token_for_a_key_opens_nothing_else(town: SettingsTown) -> None:
    """No other key, no model of a person, none of llum's own endpoints, and no way to make keys."""
    token = await town.token_for("carla")
    await town.say("PUT", "/preferences/other", json=body(TERM))
    for path in ("/preferences/other", "/other/settings", "/preferences/alice", "/preferences/me", "/me", "/grants"):
        assert (await town.say("GET", path, token)).status in (401, 404), path
    assert (await town.say("PUT", "/preferences/other", token, json=body(OTHER))).status == 401
    assert (await town.say("PUT", "/preferences/me", token, json=body(OTHER))).status == 401
    assert (await town.say("POST", "/preferences", token, json=body(OTHER))).status == 401
    assert (await town.say("POST", "/ask", token, json={"version": "11.2", "context": []})).status == 401
    assert await town.say("GET", "/preferences/other") == (200, body(TERM))


async def test_a_revoked_key_is_refused_by_every_face(town: SettingsTown) -> None:
    """Its tokens are worthless, and no program takes the refusal for a key that is not there."""
    token = await town.token_for("stolen")
    await town.authenticator.preference_keys.revoke("stolen", "lost")
    for method, more in (("GET", {}), ("PUT", {"json": body(TERM)})):
        said = await town.say(method, "/preferences/stolen", **more)
        assert (said.status, said.body["code"]) == (403, "key_revoked")
        assert (await town.say(method, "/stolen/settings", token, **more)).status == 401
        assert (await town.say(method, "/preferences/stolen", token, **more)).status == 401


async def test_a_put_finds_the_safe_where_it_has_gone(town: SettingsTown) -> None:
    """Be it that the edge has looked at the key before: the copied safe refuses. While it moves the sender waits."""
    keys = town.authenticator.preference_keys
    await town.make_safe("mine", body(TERM))
    stale = await keys.find("mine")
    note = f"joining.{stale.user}"
    await KeyJoining(keys, town.llum.requests).join("alice", "mine", "card")
    find = keys.find

    async def outdated(key: str) -> KeyRecord:
        return stale if key == "mine" else await find(key)

    keys.find = outdated  # type: ignore[method-assign]
    assert (await town.say("PUT", "/preferences/mine?merge=true", json=body(OTHER))).status == 200
    await keys.store.bucket.put(note, b"{}")
    assert (await town.say("PUT", "/preferences/mine?merge=true", json=body("third"))).status == 503
    await keys.store.bucket.delete(note)
    keys.find = find  # type: ignore[method-assign]
    assert await town.say("GET", "/preferences/mine") == (200, body(TERM, OTHER))


async def test_a_joined_key_reaches_one_place_by_every_face(town: SettingsTown) -> None:
    """By open paths, by its token, and by the person's own; revoking its app ends all but the last."""
    token = await town.token_for("card-key")
    await town.say("PUT", "/card-key/settings", token, json=body(TERM))
    await town.llum.do(PutPreferences(id="mine", view="flat", body=body("mine"), mode="replace"), "alice")
    keys = town.authenticator.preference_keys
    await KeyJoining(keys, town.llum.requests).join("alice", "card-key", "key")

    async def leads_there() -> bool:
        return (await keys.find("card-key")).is_joined

    await eventually(leads_there)
    for path in ("/preferences/card-key", "/preferences/card-key/"):
        assert await town.say("GET", path) == (200, body(TERM))
        assert await town.say("GET", path, token) == (200, body(TERM))
    assert (await town.say("PUT", "/card-key/settings", token, json=body(OTHER))).status == 200
    assert (await town.say("PUT", "/preferences/card-key?merge=true", json=body("third"))).status == 200
    assert await town.say("GET", "/preferences/card-key") == (200, body(TERM, OTHER, "third"))
    assert (await town.say("GET", "/preferences/alice", token)).status == 401
    app = (await keys.find("card-key")).app
    await town.llum.do(Consent(id="revoke", app=app, decision="revoked"), "alice")
    for sent in (None, token):
        for method, more in (("GET", {}), ("PUT", {"json": body(TERM)})):
            assert (await town.say(method, "/preferences/card-key", sent, **more)).status == 403
    assert (await town.say("PUT", "/card-key/settings", token, json=body(TERM))).status == 403


def _escaped(key: str) -> str:
    return quote(key, safe="")
