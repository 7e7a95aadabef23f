"""Who reaches preferences, and as which app: the model decides what that app may do there."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from edge_http.preferences.face import PreferencesFace
from schemas.errors import Code, Error
from schemas.preferences import PreferencesReply
from schemas.replies import Accepted
from schemas.slices import Slice
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import key_record, token_of

SET = {"contexts": {"gpii-default": {"preferences": {"size": 1}}}}
GOOD = "llum_good"
EVIL = "https://evil.example"


def edge_with(openness: Any, public_url: str = "http://127.0.0.1:80") -> Edge:
    edge = Edge(public_url, preferences=PreferencesFace(openness=openness))
    edge.authenticator.known[GOOD] = token_of("alice", "probe")
    return edge


@pytest.fixture
async def closed() -> AsyncIterator[Edge]:
    edge = edge_with("closed")
    async with edge.http:
        yield edge


@pytest.fixture
async def opened() -> AsyncIterator[Edge]:
    edge = edge_with("here")
    async with edge.http:
        yield edge


async def read(edge: Edge, key: str = "carla", token: str | None = None, **headers: str) -> tuple[int, Any]:
    """Get the preferences of a key, which holds a set."""
    edge.requests.replies.append(PreferencesReply(seq=1, sets={"flat": SET}))
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    async with edge.http.get(f"/preferences/{key}", headers=shown | headers) as response:
        return response.status, await response.json()


async def test_without_a_token_nobody_is_answered_unless_the_paths_are_open(closed: Edge) -> None:
    """The answer says what is missing, as these clients and as all others know it. No key is looked at."""
    async with closed.http.get("/preferences/carla") as response:
        body = await response.json()
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert (body["isError"], body["code"]) == (True, "not_authenticated")
    assert body["hint"]
    async with closed.http.post("/preferences", json=SET) as response:
        assert response.status == 401
    assert closed.requests.asked == closed.requests.sent == []


async def test_where_the_paths_are_open_a_key_is_enough(opened: Edge) -> None:
    """Its safe is a model of its own, which llum's own app for that speaks about."""
    assert await read(opened) == (200, SET)
    [(user, app, query)] = opened.requests.asked
    assert (user, app, query.context) == (key_record("carla").user, "_preferences", ["Preferences"])


async def test_a_key_that_was_joined_reaches_one_place_as_an_app_of_its_own(opened: Edge) -> None:
    """In the person's model, and not as somebody who makes models."""
    place = ("Preferences", "_joined", "kiosk")
    opened.authenticator.preference_keys.records["carla"] = key_record("carla", user="alice", place=place, app="key-7")
    assert (await read(opened))[0] == 200
    [(user, app, query)] = opened.requests.asked
    assert (user, app, tuple(query.context)) == ("alice", "key-7", place)
    opened.requests.outcomes.append(lambda command: _made(command.id, made=False))
    async with opened.http.put("/preferences/carla", json=SET) as response:
        assert response.status == 200
    [command] = opened.requests.commands
    assert (tuple(command.context), command.make) == (place, None)  # type: ignore[union-attr]


def _made(identifier: str, *, made: bool) -> Any:
    return Accepted(id=identifier, seq=1, result={"made": made})


async def test_a_revoked_key_is_refused(opened: Edge) -> None:
    """Before anything is asked; the reason is said."""
    opened.authenticator.preference_keys.records["carla"] = key_record("carla", revoked=True, reason="lost")
    status, body = await read(opened)
    assert (status, body["code"], body["isError"]) == (403, "key_revoked", True)
    assert "lost" in body["message"]
    assert opened.requests.asked == []


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}])
async def test_no_page_of_another_site_uses_open_paths(opened: Edge, headers: dict[str, str]) -> None:
    """Its visitor's browser is on the trusted network, and sends whatever the page says."""
    status, body = await read(opened, **headers)
    assert (status, body["code"]) == (403, "cross_site")
    form = {"contexts[gpii-default][preferences][size]": "2"}
    async with opened.http.post("/preferences", data=form, headers=headers) as response:
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers
    assert opened.requests.asked == opened.requests.sent == []


async def test_no_name_of_others_for_this_machine_is_believed(opened: Edge) -> None:
    """A site whose name has come to mean this machine would pass for llum itself. Where other machines reach llum by
    any name that they have for it, that is allowed."""
    status, body = await read(opened, Host="evil.example:80")
    assert (status, body["code"], body["field"]) == (403, "cross_site", "Host")
    assert (await read(opened, Host="localhost:8080"))[0] == 200
    assert (await read(opened, Host="[::1]:8080"))[0] == 200
    anywhere = edge_with("anywhere", "https://llum.example")
    async with anywhere.http:
        assert (await read(anywhere, Host="preferences.internal"))[0] == 200


async def test_a_token_reaches_the_preferences_of_its_person(closed: Edge) -> None:
    """As `me` or by name: the app of the token speaks, and nothing is made for it."""
    assert await read(closed, "me", GOOD) == (200, SET)
    assert await read(closed, "alice", GOOD) == (200, SET)
    assert [(user, app) for user, app, _ in closed.requests.asked] == [("alice", "probe")] * 2


async def test_a_token_reaches_the_safes_that_its_person_has_joined(closed: Edge) -> None:
    """As the app of the token, not as that of the key."""
    place = ("Preferences", "_joined", "kiosk")
    closed.authenticator.preference_keys.records["carla"] = key_record("carla", user="alice", place=place, app="key-7")
    assert (await read(closed, "carla", GOOD))[0] == 200
    [(user, app, query)] = closed.requests.asked
    assert (user, app, tuple(query.context)) == ("alice", "probe", place)


@pytest.mark.parametrize("openness", ["closed", "here"])
async def test_a_token_is_judged_by_itself(openness: Any) -> None:
    """It opens no other preferences, be they there or not, and a worthless one nothing, open paths or not."""
    edge = edge_with(openness)
    async with edge.http:
        status, body = await read(edge, "carla", GOOD)
        assert (status, body["code"]) == (403, "permission_denied")
        status, body = await read(edge, "me", "llum_worthless")
        assert (status, body["code"]) == (401, "not_authenticated")
    assert edge.requests.asked == []


async def test_an_app_is_told_which_right_it_lacks(closed: Edge) -> None:
    """With the slice that the owner would have to grant."""
    missing = Slice(paths=["Preferences"], actions=["ask"])
    closed.requests.replies.append(Error(Code.PERMISSION_DENIED, "no", missing=missing))
    status, body = await read(closed, "me", GOOD)
    assert (status, body["code"], body["missing"]["paths"]) == (403, "permission_denied", ["Preferences"])


async def test_a_page_of_an_app_reads_the_preferences_of_its_person(closed: Edge) -> None:
    """With the token of the app, and no page of another one does."""
    closed.authenticator.registrations.note("alice", "probe", 1, 1, ["https://log.example"])
    for origin, reader in (("https://log.example", "https://log.example"), (EVIL, None)):
        closed.requests.replies.append(PreferencesReply(seq=1, sets={"flat": SET}))
        headers = {"Authorization": f"Bearer {GOOD}", "Origin": origin}
        async with closed.http.get("/preferences/me", headers=headers) as response:
            assert (response.status, response.headers.get("Access-Control-Allow-Origin")) == (200, reader)
            assert "ETag" in response.headers.get("Access-Control-Expose-Headers", "ETag" if reader is None else "")


async def test_only_open_paths_give_new_keys(closed: Edge, opened: Edge) -> None:
    """Whoever has a token keeps preferences in the model of its person."""
    shown = {"Authorization": f"Bearer {GOOD}"}
    async with closed.http.post("/preferences", json=SET, headers=shown) as response:
        assert (response.status, (await response.json())["code"]) == (403, "permission_denied")
    opened.requests.outcomes.append(lambda command: _made(command.id, made=True))
    async with opened.http.post("/preferences", json=SET) as response:
        assert response.status == 200
        key = (await response.json())["gpiiKey"]
    [(user, app, command)] = opened.requests.sent
    assert (user, app) == (key_record(key).user, "_preferences")
    assert command.make.key == key  # type: ignore[union-attr]
