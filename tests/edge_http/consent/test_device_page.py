"""The page `/device`: a person types a short code, sees who asks from where, and decides on the page of consent."""

from typing import Any

import pytest

from edge_http.devices.asking import DEVICE_GRANT
from edge_http.oauth.guard import CODES_OF_PERSON
from identity.oauth.built_in import COMMAND_LINE
from identity.oauth.client import OAuthClient
from tests.edge_http.accounts.walking import Page
from tests.edge_http.consent.asking import Scene, words_of

WATCH = OAuthClient(id="watch", name="Watch", description="Counts steps.")


@pytest.fixture(autouse=True)
async def watch(scene: Scene) -> None:
    await scene.add(WATCH)


async def begin(scene: Scene, client_id: str = "watch", scope: str = "ask:Sport") -> dict[str, Any]:
    """Have a program ask for a short code."""
    sent = {"client_id": client_id, "scope": scope}
    response = await scene.site.http.post("/device_authorization", data=sent, headers={"User-Agent": "curl/8"})
    assert response.status == 200, await response.text()
    begun: dict[str, Any] = await response.json()
    return begun


async def polled(scene: Scene, begun: dict[str, Any], client_id: str = "watch") -> dict[str, Any]:
    sent = {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"], "client_id": client_id}
    answer: dict[str, Any] = await (await scene.site.http.post("/token", data=sent)).json()
    return answer


async def typed(scene: Scene, code: str) -> Page:
    page = await scene.alice.open("/device")
    return await scene.alice.send(page, "/device", user_code=code)


async def question(scene: Scene, begun: dict[str, Any]) -> Page:
    """Type the code, say that it is the person's own, and give the page of consent."""
    page = await typed(scene, begun["user_code"])
    page = await scene.alice.send(page, "/device/confirm", user_code=begun["user_code"], answer="yes")
    assert page.location.startswith("/consent?"), page.raw
    return await scene.alice.open(page.location)


async def test_25_a_person_types_the_code_and_decides_what_the_device_gets(scene: Scene) -> None:
    """What is narrowed on the page of consent is what it gets, and what the answer with its tokens says."""
    begun = await begin(scene)
    page = await typed(scene, begun["user_code"].lower())
    assert "Watch wants to sign in as you" in words_of(page)
    assert begun["user_code"] in words_of(page)
    assert "curl, this machine" in words_of(page)
    page = await question(scene, begun)
    assert "a device that shows a code" in words_of(page)
    assert (await polled(scene, begun))["error"] == "authorization_pending"
    done = await scene.decides(page)
    assert done.location == "/device?done=allowed"
    assert "goes on by itself" in (await scene.alice.open(done.location)).text
    tokens = await polled(scene, begun)
    assert (tokens["scope"], tokens["authorization_details"][0]["paths"]) == ("ask:Sport", ["Sport"])
    assert await scene.seen("Sport", app="watch") == {"steps": 4200, "weight": None}
    assert await scene.refused_to("Food", app="watch")


async def test_25_a_code_in_the_address_is_shown_and_not_taken(scene: Scene) -> None:
    """Whoever sends somebody a link gets nothing by their opening it: they compare the code, and send it."""
    begun = await begin(scene)
    page = await scene.alice.open(begun["verification_uri_complete"].removeprefix("https://llum.example"))
    assert f'value="{begun["user_code"]}"' in page.raw
    assert "Watch" not in page.text
    assert (await polled(scene, begun))["error"] == "authorization_pending"


async def test_25_a_code_that_is_not_ones_own_is_refused(scene: Scene) -> None:
    """The program is told, and nothing is stored of it."""
    begun = await begin(scene)
    page = await typed(scene, begun["user_code"])
    page = await scene.alice.send(page, "/device/confirm", user_code=begun["user_code"], answer="no")
    assert page.location == "/device?done=refused"
    assert (await polled(scene, begun))["error"] == "access_denied"
    assert await scene.grant("watch") is None


async def test_25_a_person_who_allows_nothing_lets_nothing_in(scene: Scene) -> None:
    """Refused on the page of consent, which is kept like any refusal."""
    begun = await begin(scene)
    done = await scene.decides(await question(scene, begun), "/dissallow")
    assert done.location == "/device?done=refused"
    assert (await polled(scene, begun))["error"] == "access_denied"


async def test_25_guesses_at_codes_are_limited(scene: Scene) -> None:
    """However right the last one would be. The next person is not kept out by it."""
    begun = await begin(scene)
    for _ in range(CODES_OF_PERSON):
        assert "Nothing waits for this code" in (await typed(scene, "BBBB-BBBB")).text
    late = await typed(scene, begun["user_code"])
    assert late.status == 429
    bob = scene.site.browser()
    await bob.sign_up("bob", await scene.site.reception.links.make("invite"))
    page = await bob.send(await bob.open("/device"), "/device", user_code=begun["user_code"])
    assert "Watch wants to sign in as you" in words_of(page)


async def test_25_who_is_asked_from_elsewhere_is_warned(scene: Scene) -> None:
    """A program in another network may be somebody else's."""
    begun = await begin(scene)
    devices = scene.site.authenticator.oauth.devices
    assert "another network" not in (await typed(scene, begun["user_code"])).text
    elsewhere = await devices.begin("watch", [], owner=False, audience="", place="curl, 192.0.x.x", source="192.0.2.1")
    page = await typed(scene, elsewhere.user_code)
    assert "another network" in page.text
    assert "192.0.x.x" in page.text


async def test_25_the_command_line_of_every_installation_may_become_an_owners_app(scene: Scene) -> None:
    """The person is warned, and has proven within minutes who they are."""
    begun = await begin(scene, COMMAND_LINE, "owner")
    page = await question(scene, begun)
    assert "llum command line" in words_of(page)
    await scene.make_session_old()
    again = await scene.alice.open(f"/consent?request={page.value('request')}")
    assert again.location.startswith("/sign-in?")


async def test_25_nobody_types_codes_without_a_session(scene: Scene) -> None:
    """Whoever signs in comes back with the code."""
    visitor = scene.site.browser()
    page = await visitor.open("/device?user_code=BCDF-GHJK")
    assert page.location == "/sign-in?then=%2Fdevice%3Fuser_code%3DBCDF-GHJK"
