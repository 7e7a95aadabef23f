"""`/list_clients`: an administrator adds, edits, marks and deletes clients, without any script."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import FormData

from identity.accounts.events import events_of
from identity.oauth.clients import Clients, OAuthClient
from identity.oauth.icons import MAX_ICON_BYTES
from identity.sessions.store import Sessions
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.walking import Page, Walker

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FOOD: dict[str, str] = {
    "client_id": "food",
    "name": "Food log",
    "home": "https://log.example/",
    "redirect_uris": "https://log.example/cb\r\nhttp://127.0.0.1/cb",
    "origins": "https://log.example",
    "description": "Counts apples.",
    "audience": "",
    "confidential": "1",
}


async def add(admin: Walker, **more: str) -> Page:
    return await admin.send(await admin.open("/list_clients?add"), "/list_clients/add", **(FOOD | more))


def secret_in(page: Page) -> str:
    (found,) = re.findall(r'<code class="link">([\w-]{43})</code>', page.raw)
    return str(found)


async def test_what_is_done_to_a_client_stands_in_the_administrators_record(admin: Walker, site: Site) -> None:
    """At once, under the client's id."""
    await add(admin)
    page = await admin.open("/list_clients?edit=food")
    await admin.send(page, "/list_clients/delete", client_id="food")
    events = [one.verb for one in await events_of(site.llum.bus, "alice") if one.app == "food"]
    assert events == ["deleted_client", "added_client"]


async def test_a_client_is_added_and_its_secret_shown_once(admin: Walker, clients: Clients) -> None:
    """The page after that does not show it any more."""
    page = await add(admin)
    assert page.status == 200
    assert await clients.check_secret("food", secret_in(page))
    found = await clients.find("food")
    assert found is not None
    assert found.redirect_uris == ["https://log.example/cb", "http://127.0.0.1/cb"]
    assert (found.kind, found.made_by, found.legacy, found.may_own) == ("confidential", "administrator", False, False)
    again = await admin.open("/list_clients")
    assert secret_in(page) not in again.raw
    assert "Counts apples." in again.text
    assert "http://127.0.0.1/cb" in again.text


async def test_a_client_is_edited_in_its_place(admin: Walker, clients: Clients) -> None:
    """The form stands where the client is, with all that is known of it. A public one has no secret any more."""
    secret = secret_in(await add(admin))
    form = await admin.open("/list_clients?edit=food")
    assert form.value("name") == "Food log"
    assert "https://log.example/cb\nhttp://127.0.0.1/cb</textarea>" in form.text
    changed = {**FOOD, "name": "Fruit log", "redirect_uris": "com.example.log:/cb"}
    del changed["confidential"]
    page = await admin.send(form, "/list_clients/change", **changed)
    assert "Fruit log is changed." in page.text
    found = await clients.find("food")
    assert found is not None
    assert (found.name, found.redirect_uris, found.kind) == ("Fruit log", ["com.example.log:/cb"], "public")
    assert not await clients.check_secret("food", secret)


async def test_the_page_says_in_red_what_takes_trust(admin: Walker) -> None:
    """Legacy clients, those that may ask for everything, and names that look like others."""
    assert "Legacy: it may leave out PKCE" not in (await add(admin)).text
    page = await add(
        admin, client_id="old", name="F00d log", legacy="1", may_own="1", redirect_uris="http://a.example/"
    )
    (card,) = re.findall(r'<section class="card" id="client-old".*?</section>', page.raw, re.DOTALL)
    red = re.findall(r'<p class="error">.*?<span>(.*?)</span></p>', card)
    assert [one.partition(":")[0] for one in red] == ["Legacy", "It may ask for everything", "Look twice"]
    assert "Food log (food)" in red[2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", "llum"),
        ("client_id", "Food Log"),
        ("name", ""),
        ("home", "http://log.example/"),
        ("redirect_uris", "https://log.example/cb http://log.example/*"),
        ("origins", "https://log.example/path"),
        ("audience", "api"),
    ],
)
async def test_what_is_wrong_stands_next_to_its_field(admin: Walker, clients: Clients, field: str, value: str) -> None:
    """With all that was typed still there, and nothing stored."""
    page = await add(admin, **{field: value})
    assert page.status in (400, 413)
    assert page.error(field)
    assert "Counts apples." in page.text
    assert await clients.list() == []


async def test_a_mistake_in_an_edit_keeps_the_form_open(admin: Walker, clients: Clients) -> None:
    """With what was typed; the client stays as it is."""
    await add(admin)
    form = await admin.open("/list_clients?edit=food")
    page = await admin.send(form, "/list_clients/change", **{**FOOD, "name": "Fruit", "home": "nowhere"})
    assert page.error("home")
    assert page.value("name") == "Fruit"
    found = await clients.find("food")
    assert found is not None
    assert found.name == "Food log"


async def test_an_id_that_is_taken_is_refused(admin: Walker) -> None:
    """Next to the id."""
    await add(admin)
    page = await add(admin, name="Another")
    assert page.status == 409
    assert "there is a client food" in page.error("client_id").lower()


async def test_a_new_secret_ends_the_one_before(admin: Walker, clients: Clients) -> None:
    """It is shown on that page alone."""
    first = secret_in(await add(admin))
    page = await admin.send(await admin.open("/list_clients"), "/list_clients/secret", client_id="food")
    assert await clients.check_secret("food", secret_in(page))
    assert not await clients.check_secret("food", first)


async def test_a_client_is_deleted_with_its_tokens(admin: Walker, clients: Clients, site: Site) -> None:
    """The edge takes none of them any more."""
    await add(admin)
    token = await site.authenticator.tokens.issue("alice", "food", 1, 3600)
    page = await admin.send(await admin.open("/list_clients"), "/list_clients/delete", client_id="food")
    assert "Food log is no client any more" in page.text
    assert await clients.find("food") is None
    assert await site.authenticator.by_token(token) is None
    gone = await admin.send(page, "/list_clients/delete", client_id="food")
    assert gone.status == 404
    again = await add(admin)
    assert "A new one would get what people allow to that: choose another id" in again.text
    assert await clients.find("food") is None


async def upload(admin: Walker, data: bytes | None, **fields: str) -> Page:
    """Send the form of an icon as a browser does: the file calls itself whatever it wants."""
    form = FormData({"csrf_token": await admin.token(), "client_id": "food", **fields})
    named = {"filename": "icon.svg", "content_type": "image/svg+xml"} if data else {"filename": ""}
    form.add_field("icon", data or b"", **named)
    response = await admin.post("/list_clients/icon", data=form)
    return Page(response, await response.text())


async def test_an_icon_is_taken_and_shown_as_what_its_bytes_are(admin: Walker, site: Site) -> None:
    """To everybody, from llum itself, and as nothing else than a picture."""
    await add(admin)
    assert '<img src="/client-icon/food"' in (await upload(admin, PNG)).raw
    shown = await site.browser().get("/client-icon/food")
    assert (shown.status, shown.content_type, await shown.read()) == (200, "image/png", PNG)
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "<img" not in (await upload(admin, None, remove="1")).raw
    assert (await site.browser().get("/client-icon/food")).status == 404


@pytest.mark.parametrize("data", [None, b"<svg xmlns='http://www.w3.org/2000/svg'/>", PNG + bytes(MAX_ICON_BYTES)])
async def test_what_is_no_icon_is_not_taken(admin: Walker, clients: Clients, data: bytes | None) -> None:
    """No file, another kind, a large one: it says so."""
    await add(admin)
    page = await upload(admin, data)
    assert page.status in (400, 413)
    assert await clients.icon("food") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--x\r\n\r\nno name\r\n--x--",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n",
        b'--x\r\nContent-Disposition: form-data; name="\x10"\r\n\r\nx\r\n--x--\r\n',
    ],
)
async def test_a_malformed_upload_is_refused(admin: Walker, body: bytes) -> None:
    """No fault, and no upload without the token of a page."""
    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-CSRF-Token": await admin.token()}
    response = await admin.post("/list_clients/icon", accept="application/json", headers=headers, data=body)
    assert response.status in (400, 403)
    without = await admin.post(
        "/list_clients/icon", data=FormData({"client_id": "food"}), headers=headers | {"X-CSRF-Token": ""}
    )
    assert without.status in (400, 403)


async def test_it_is_for_administrators_who_have_just_signed_in(
    admin: Walker, site: Site, person: Callable[[str], Awaitable[Walker]], clients: Clients
) -> None:
    """Others see nothing; one who signed in long ago sees, and signs in once more to change anything."""
    await add(admin)
    bob = await person("bob")
    for browser, status in ((site.browser(), 303), (bob, 403)):
        assert (await browser.open("/list_clients")).status == status
    assert (await bob.get("/list_clients_json", "application/json")).status == 403
    token = await bob.token()
    response = await bob.post("/list_clients/delete", data={"csrf_token": token, "client_id": "food"})
    assert response.status == 403
    await long_ago(admin, site)
    page = await admin.open("/list_clients")
    assert page.status == 200
    refused = await admin.send(page, "/list_clients/delete", client_id="food")
    assert refused.location.startswith("/sign-in?then=")
    assert await clients.find("food") is not None


async def long_ago(admin: Walker, site: Site) -> None:
    """Have an administrator have signed in a while ago."""
    sid = next(value for name, value in admin.cookies.items() if name.endswith("sessionid"))
    sessions = Sessions(site.llum.bus)
    session = await sessions.get_session(sid)
    assert session is not None
    await sessions.set_session(sid, msgspec.structs.replace(session, authenticated=time.time() - 3600))
    site.authenticator.sessions._cache.clear()


async def test_the_list_has_a_bound(admin: Walker, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients may register themselves: the page says how many more there are."""
    monkeypatch.setattr("edge_http.clients.page.MOST_SHOWN", 2)
    for number in range(3):
        await clients.add(OAuthClient(f"c{number}", f"Client {number}"))
    page = await admin.open("/list_clients")
    assert "And 1 more" in page.text
    assert page.text.count('class="client-head"') == 2


async def test_administration_leads_to_it(admin: Walker) -> None:
    """By a link."""
    assert 'href="/list_clients"' in (await admin.open("/admin")).raw


async def put(browser: Walker, **fields: str) -> Any:
    headers = {"X-CSRF-Token": await browser.token()}
    return await browser.post("/list_clients_put", accept="*/*", data=fields, headers=headers)


async def test_the_requests_of_the_original_work_with_a_token_of_a_page(admin: Walker, clients: Clients) -> None:
    """Add one, name it, set where it is called back, give it a secret, remove it."""
    client_id = await (await put(admin, id="addOneForMe", value="")).text()
    assert await (await put(admin, id=f"{client_id}|friendly_name", value="Mneme")).text() == "Mneme"
    assert (await put(admin, id=f"{client_id}|redirect_uri", value="https://mneme.example/cb")).status == 200
    secret = await (await put(admin, id=f"{client_id}|secret", value="mine")).text()
    assert await clients.check_secret(client_id, secret)
    listed = await (await admin.get("/list_clients_json", "application/json")).json()
    assert listed == {
        client_id: {
            "client_id": client_id,
            "friendly_name": "Mneme",
            "secret": "",
            "redirect_uri": "https://mneme.example/cb",
            "icon": "",
        }
    }
    for wrong in (f"{client_id}|icon", f"{client_id}|legacy", client_id, ""):
        assert (await put(admin, id=wrong, value="x")).status == 400
    assert (await put(admin, id="nobody|friendly_name", value="x")).status == 404
    assert (await put(admin, id="removeOneForMe", value=client_id)).status == 200
    assert await clients.list() == []


async def test_a_browser_that_saves_as_in_the_original_comes_back_to_the_page(admin: Walker) -> None:
    """By 303, and a GET changes nothing."""
    data = {"id": "addOneForMe", "value": "", "csrf_token": await admin.token()}
    response = await admin.post("/list_clients_save", data=data)
    assert (response.status, response.headers["Location"]) == (303, "/list_clients")
    assert (await admin.get("/list_clients_put?id=addOneForMe&value=")).status == 405
