"""`/:key/settings` and what a token for a key reaches: its key, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio
from yarl import URL

from edge_http.key_grants import settings
from edge_http.preferences.face import PreferencesFace
from identity.preferences.joining import KeyJoining
from identity.preferences.keys import KeyRecord
from model.preferences.sets import deep_merge
from schemas.errors import Code, LlumError, Transient
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

    async def say(self, method: str, path: str | URL, token: str | None = None, **more: Any) -> Said:
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


async def limited_token(town: SettingsTown, key: str, allowed: list[str]) -> str:
    """Give a token of a credential that may write some terms only."""
    credentials = town.authenticator.credentials
    pilot = await credentials.find("credential-pilot")
    assert pilot is not None
    limits = {"id": "credential-limited", "oauth2_client_id": "limited", "allowed_prefs_to_write": allowed}
    await credentials.put(msgspec.structs.replace(pilot, **limits))
    return await town.token_for(key, "limited")


async def test_settings_are_put_and_given_back(town: SettingsTown) -> None:
    """The first makes the safe, others are merged into it; the word before the token may be of any case."""
    for key in ("fresh", "Ünï/cödé ?#"):
        token, path = await town.token_for(key), f"/{_escaped(key)}/settings"
        done = {"gpiiKey": key, "message": "Successfully updated."}
        assert await town.say("GET", path, token) == (200, {"gpiiKey": key, "preferences": {"contexts": {}}})
        for name in (TERM, OTHER):
            headers = {"Authorization": f"bEaReR  {token}"}
            assert await town.say("PUT", path, headers=headers, json=body(name)) == (200, done)
        for given in (path, f"{path}/"):
            found = await town.say("GET", URL(given, encoded=True), token)
            assert found == (200, {"gpiiKey": key, "preferences": body(TERM, OTHER)})
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
    for allowed, allows in (([TERM], True), ([], False)):
        token = await limited_token(town, "carla", allowed)
        for sent, is_allowed in (
            (body(TERM), allows),
            (body(TERM, context="night"), allows),
            (body(TERM, OTHER), False),
            (body(OTHER, context="night"), False),
            (body(), True),
        ):
            said = await town.say("PUT", "/carla/settings", token, json=sent)
            assert (said.status, said.body) == (200, said.body) if is_allowed else (401, UNAUTHORIZED), (allowed, sent)


NOT_ALLOWED: Final[list[Any]] = [
    *({"contexts": odd} for odd in (None, [], [1], "x", 3)),
    {"contexts": {"gpii-default": {"preferences": {TERM: 1, OTHER: None}}}},
    {"contexts": {"gpii-default": {"preferences": {TERM: 1}, "name": "Mine"}, "night": {"preferences": {OTHER: 1}}}},
]

NAMES: Final[list[Any]] = [
    body() | {"name": "Mine"},
    body() | {"metadata": [{"type": "required"}]},
    {"contexts": {"gpii-default": {"preferences": {}, "name": "Mine"}}},
    {"contexts": {"gpii-default": {"preferences": {}, "metadata": [{"type": "required", "scope": ["*"]}]}}},
    {"contexts": {"gpii-default": {"preferences": {}, "priority": 1}}},
]
"""What names and describes settings, and is none."""


@pytest.mark.parametrize("allowed", [[], [TERM]])
async def test_nothing_goes_by_a_token_that_may_write_some_terms(town: SettingsTown, allowed: list[str]) -> None:
    """By no face, whatever the form of the body. An empty set is none."""
    key = f"kept-{len(allowed)}"
    kept = body(TERM, OTHER) | {"name": "Kept"}
    await town.make_safe(key, kept)
    token = await limited_token(town, key, allowed)
    path = f"/preferences/{key}"
    patch = {"Content-Type": "application/merge-patch+json"}
    for sent in NOT_ALLOWED:
        assert await town.say("PUT", f"/{key}/settings", token, json=sent) == (401, UNAUTHORIZED), sent
        assert (await town.say("PUT", f"{path}?merge=true", token, json=sent)).status == 403, sent
        assert (await town.say("PATCH", path, token, json=sent, headers=patch)).status in (400, 403), sent
    for sent in ({}, {"name": None}, {"contexts": {"gpii-default": None}}, *NAMES):
        assert (await town.say("PATCH", path, token, json=sent, headers=patch)).status == 403, sent
    assert (await town.say("PUT", path, token, json=body(*allowed))).status == 403, "it would unset all others"
    for sent in ({"contexts": {}}, body(context="night"), body(*allowed)):
        assert (await town.say("PUT", f"/{key}/settings", token, json=sent)).status == 200, sent
        assert (await town.say("PATCH", path, token, json=sent, headers=patch)).status == 200, sent
    assert (await town.say("PATCH", path, token, json={"contexts": {"night": {}}}, headers=patch)).status == 200
    assert await town.say("GET", path) == (200, kept)


@pytest.mark.parametrize("named", NAMES)
async def test_names_and_metadata_need_no_permission(town: SettingsTown, named: Any) -> None:
    """Programs of the original send them with the terms that they may write: they are merged into what is there."""
    await town.make_safe("named", body(OTHER))
    token = await limited_token(town, "named", [TERM])
    sent = deep_merge(body(TERM), named)
    assert (await town.say("PUT", "/named/settings", token, json=sent)).status == 200
    assert (await town.say("PUT", "/preferences/named?merge=true", token, json=sent)).status == 200
    assert await town.say("GET", "/preferences/named") == (200, deep_merge(body(OTHER), sent))


@pytest.mark.parametrize("odd", [None, [], "x", 3])
async def test_a_merge_unsets_nothing_whoever_sends_it(town: SettingsTown, odd: Any) -> None:
    """What holds the settings gives way to an object alone; the rest of the body is merged."""
    await town.make_safe(f"merged-{odd}", body(TERM))
    path = f"/preferences/merged-{odd}"
    said = await town.say("PUT", f"{path}?merge=true", json={"contexts": odd, "name": "New"})
    assert (said.status, await town.say("GET", path)) == (200, (200, body(TERM) | {"name": "New"}))
    token = await town.token_for(f"merged-{odd}")
    assert (await town.say("PUT", f"/merged-{odd}/settings", token, json={"contexts": odd})).status == 200
    assert await town.say("GET", path) == (200, body(TERM) | {"name": "New"})


async def test_a_key_that_is_not_utf_8_is_nobody_s(town: SettingsTown) -> None:
    """It is not taken for the key that such bytes are often shown as."""
    token = await town.token_for("\ufffd")
    assert (await town.say("GET", "/%EF%BF%BD/settings", token)).status == 200
    for method, more in (("GET", {}), ("PUT", {"json": body(TERM)})):
        said = await town.say(method, URL("/%FF/settings", encoded=True), token, **more)
        assert said == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (Transient(Code.UNAVAILABLE, "busy", retry_after_s=7.0), 503, "7"),
        (Transient(Code.TOO_FAST, "slower", retry_after_s=2.5), 429, "3"),
    ],
)
async def test_who_must_wait_is_told_how_long(
    town: SettingsTown, monkeypatch: pytest.MonkeyPatch, error: LlumError, status: int, after: str
) -> None:
    """The header says it; the message is as programs of the original know it."""

    async def busy(*_: Any) -> bool:
        raise error

    monkeypatch.setattr(settings, "put_preferences", busy)
    headers = {"Authorization": f"Bearer {await town.token_for('carla')}"}
    async with town.http.put("/carla/settings", json=body(TERM), headers=headers) as response:
        assert (response.status, response.headers.get("Retry-After")) == (status, after)
        assert "while executing HTTP PUT" in (await response.json())["message"]


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
