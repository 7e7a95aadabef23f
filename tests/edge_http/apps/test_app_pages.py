"""`/list_apps`: what apps may do, what they did, and how a person changes it."""

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from identity.oauth.client import OAuthClient
from identity.sessions.session import FRESH_S
from schemas.apps import OWNER_APP
from schemas.errors import Code
from schemas.grants import Consent
from schemas.queries import Ask
from schemas.replies import AskReply
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.apps.conftest import APP, EMAIL, PERSONAL, Alice, written

JSON = "application/json"
ASK = Ask(context=["Personal"], view=["firstname"])


async def programs_view(alice: Alice, path: str) -> Any:
    return await (await alice.get(path, JSON)).json()


async def asks(site: Site) -> list[Code]:
    """Have the app ask the first name, and say why it is refused, if it is."""
    reply = await site.llum.requests.ask("alice", APP, ASK)
    assert isinstance(reply, AskReply)
    return [one.error.code for one in reply.failures]


async def let_time_pass(alice: Alice) -> None:
    """Let her sign-in be longer ago than is fresh."""
    sessions = alice.site.authenticator.sessions
    for one in await sessions.sessions_of("alice"):
        old = msgspec.structs.replace(one.session, authenticated=time.time() - FRESH_S)
        await sessions._bucket.put(one.key, msgspec.json.encode(old))
        sessions._changed(one.key)


async def test_an_old_app_is_marked(alice: Alice) -> None:
    """It may come in without PKCE: the person sees that in red, wherever the app is shown."""
    await alice.let_in(PERSONAL)
    for legacy in (False, True):
        client = OAuthClient(id=APP, name="Coach", redirect_uris=["https://coach.example/"], legacy=legacy)
        await alice.site.authenticator.clients.save(client)
        for path in ("/list_apps", f"/list_apps/{APP}"):
            assert ("It is an old app." in (await alice.open(path)).text) is legacy, path


async def test_a_person_sees_each_app_and_what_it_did(alice: Alice) -> None:
    """What it may in plain words, what it last asked and told, its decisions; llum itself is not among them."""
    await alice.let_in(PERSONAL, name="Coach", host="coach.example")
    await alice.tells("Al")
    await alice.site.llum.requests.ask("alice", APP, ASK)
    page = await alice.open("/list_apps")
    assert "see what is there, tell new things: everything in Personal" in page.text
    assert "told Personal / firstname" in page.text
    assert "asked Personal / firstname" in page.text
    assert ">Coach</a>" in page.raw
    own = await alice.open(f"/list_apps/{APP}")
    for said in (
        "coach.example",
        "tell new things",
        "You let it in",
        "“to greet you”",
        "by what it may in Personal",
        "was let in",
    ):
        assert said in own.text
    found = (await programs_view(alice, "/list_apps"))["apps"]
    assert [(one["app"], one["name"], one["host"], one["role"]) for one in found] == [
        (APP, "Coach", "coach.example", "app")
    ]
    assert msgspec.convert(found[0]["slices"], list[Slice]) == [PERSONAL]
    assert found[0]["last_told"]["path"] == ["Personal", "firstname"]


async def test_a_client_of_the_installation_has_its_name_and_icon(site: Site, alice: Alice) -> None:
    """They are what its administrator has said, not what the app calls itself; markup in them is text."""
    client = OAuthClient(
        id=APP, name="<b>Fit</b>", home="https://fit.example/", redirect_uris=["https://fit.example/b"]
    )
    await site.authenticator.clients.save(client)
    await site.authenticator.clients.set_icon(APP, b"\x89PNG\r\n\x1a\n" + bytes(40))
    await alice.let_in(PERSONAL, name="Your bank", host="bank.example")
    page = await alice.open("/list_apps")
    assert "&lt;b&gt;Fit&lt;/b&gt;" in page.raw
    assert f'src="/client-icon/{APP}"' in page.raw
    assert "fit.example" in page.text
    assert "bank.example" not in page.text


async def test_everything_is_taken_from_an_app(site: Site, alice: Alice) -> None:
    """After a page that says what would end. The app is refused; its tokens are worth nothing; the decision is kept."""
    registration = await alice.let_in(PERSONAL)
    oauth = site.authenticator.oauth
    issued = await oauth.begin_family("alice", APP, registration)
    assert await site.authenticator.by_token(issued.access_token) is not None
    page = await alice.open(f"/list_apps/{APP}/revoke")
    assert "it is signed out, 1 time" in page.text
    done = await alice.send(page, "/list_apps_save", id="revoke", value=APP)
    assert done.location == f"/list_apps/{APP}?done=revoked"
    assert await oauth.families_of("alice") == []
    assert await site.authenticator.by_token(issued.access_token) is None
    granted = await alice.grant()
    assert (granted.slices, granted.decisions[0].decision) == ([], "revoked")
    assert granted.decisions[0].how == "a password"
    assert await asks(site) == [Code.PERMISSION_DENIED]
    assert "You took everything away" in (await alice.open("/list_apps")).text
    await alice.let_in(PERSONAL)
    assert await asks(site) == []
    assert await site.authenticator.by_token(issued.access_token) is None, "what was ended stays so"


async def test_the_original_removes_an_app_so(alice: Alice) -> None:
    """By its own field, with what all forms show; by GET nothing happens."""
    await alice.let_in(PERSONAL)
    assert (await alice.get(f"/list_apps_save?id=removeOneForMe&value={APP}")).status == 405
    assert (await alice.post("/list_apps_save", data={"id": "removeOneForMe", "value": APP})).status == 403
    assert (await alice.grant()).slices == [PERSONAL]
    done = await alice.save("removeOneForMe")
    assert done.location == "/list_apps?done=revoked"
    assert (await alice.grant()).slices == []


async def test_a_slice_is_narrowed(alice: Alice) -> None:
    """Fewer verbs, only the value, only from now on, until a time: without a fresh sign-in, and the others stay."""
    await alice.let_in(PERSONAL, Slice(paths=["Work"], actions=["tell"]))
    await let_time_pass(alice)
    before = time.time()
    page = await alice.open(f"/list_apps/{APP}")
    fields = {"slice": written(PERSONAL), "actions": "ask", "since": "now", "until": "week", "how": "value:default"}
    done = await alice.send(page, "/list_apps_save", id="change", value=APP, **fields)
    assert done.location == f"/list_apps/{APP}?done=changed"
    narrowed, work = (await alice.grant()).slices
    assert (narrowed.actions, narrowed.resolver, work.actions) == (["ask"], "default", ["tell"])
    assert (narrowed.since or 0) >= before
    assert (narrowed.expires or 0) > before
    page = await alice.open(f"/list_apps/{APP}")
    for said in ("only the value, as “default” works it out", "only what came after", "until", "You changed what"):
        assert said in page.text


async def test_an_end_that_would_be_none_is_refused(alice: Alice) -> None:
    """Neither a part ends before the whole around it, nor does the whole go on after a part: each says what to do."""
    await alice.let_in(PERSONAL, EMAIL)
    done = await alice.save("change", slice=written(EMAIL), actions="ask", until="week", how="value:default")
    assert done.status == 400
    assert "would go on all the same by what you allow for Personal" in done.text
    assert "let both end at the same time" in done.text
    done = await alice.save("change", slice=written(PERSONAL), actions=["ask", "tell"], until="day")
    assert done.location == f"/list_apps/{APP}?done=changed"
    done = await alice.save("change", slice=written(EMAIL), actions="ask", until="week")
    assert done.location == f"/list_apps/{APP}?done=changed", "it ends later than what is around it"
    personal = (await alice.grant()).slices[0]
    done = await alice.save("change", slice=written(personal), actions=["ask", "tell"], until="never")
    assert done.status == 400


async def test_more_asks_for_a_fresh_sign_in(alice: Alice) -> None:
    """To tick a verb, and to take away what limits: a browser is sent to sign in and comes back to the app's page."""
    denied = Slice(components=["Personal/email"], denied=["ask"])
    await alice.let_in(PERSONAL, denied)
    await let_time_pass(alice)
    page = await alice.open(f"/list_apps/{APP}")
    headers = {"Referer": f"https://llum.example/list_apps/{APP}"}
    more = {"id": "change", "value": APP, "slice": written(PERSONAL), "actions": ["ask", "tell", "delete"]}
    away = {"id": "take", "value": APP, "slice": written(denied)}
    for fields in (more, away):
        data = {"csrf_token": page.value("csrf_token"), **fields}
        response = await alice.post("/list_apps_save", data=data, headers=headers)
        assert response.headers["Location"] == f"/sign-in?then=%2Flist_apps%2F{APP}"
    assert (await alice.grant()).slices == [PERSONAL, denied]
    await alice.sign_in("alice")
    page = await alice.open(f"/list_apps/{APP}")
    for fields in (more, away):
        data = {"csrf_token": page.value("csrf_token"), **fields}
        assert (await alice.post("/list_apps_save", data=data)).status in (303, 400)
    assert (await alice.grant()).slices[0].actions == ["ask", "tell", "delete"]


async def test_one_slice_is_taken_away(alice: Alice) -> None:
    """Taken away is taken away, also where a wider one would still allow it."""
    await alice.let_in(PERSONAL, EMAIL, Slice(paths=["Work"], actions=["ask"]))
    await alice.save("take", slice=written(EMAIL))
    work = Slice(paths=["Work"], actions=["ask"])
    denied = Slice(components=["Personal/email"], denied=["ask"])
    assert {written(one) for one in (await alice.grant()).slices} == {written(one) for one in (PERSONAL, denied, work)}
    await alice.save("take", slice=written(PERSONAL))
    assert (await alice.grant()).slices == [work]


async def test_what_has_changed_meanwhile_is_not_changed_again(alice: Alice) -> None:
    """The slice of an older page is refused, and so is what nobody can do, and an app that is not there."""
    await alice.let_in(PERSONAL)
    for what, app, fields in (
        ("take", APP, {"slice": written(EMAIL)}), ("nonsense", APP, {}), ("end_sign_in", APP, {"sign_in": "x"}),
    ):  # fmt: skip
        page = await alice.open(f"/list_apps/{APP}")
        assert (await alice.send(page, "/list_apps_save", id=what, value=app, **fields)).status == 400
    for app in ("nobody", OWNER_APP, "_sign_in"):
        assert (await alice.open(f"/list_apps/{app}")).status == 404
        assert (await alice.send(page, "/list_apps_save", id="revoke", value=app)).status == 404


async def test_one_sign_in_of_an_app_is_ended(site: Site, alice: Alice) -> None:
    """Of this app alone; nobody ends those of somebody else."""
    registration = await alice.let_in(PERSONAL)
    oauth = site.authenticator.oauth
    first, second = [await oauth.begin_family("alice", APP, registration) for _ in range(2)]
    shown = (await programs_view(alice, f"/list_apps/{APP}"))["sign_ins"]
    assert [one["id"] for one in shown] == [first.family, second.family]
    assert (await alice.save("end_sign_in", sign_in=first.family)).location.endswith("done=ended")
    assert [one.id for one in await oauth.families_of("alice")] == [second.family]
    assert await site.authenticator.by_token(first.access_token) is None
    bob = Alice(site)
    await bob.sign_up("bob")
    assert (await bob.open(f"/list_apps/{APP}")).status == 404
    page = await bob.open("/account")
    assert (await bob.send(page, "/list_apps_save", id="end_sign_in", value=APP, sign_in=second.family)).status == 404
    assert len(await oauth.families_of("alice")) == 1


async def test_an_app_of_the_owner_is_shown_in_red(alice: Alice) -> None:
    """It may do everything; it can be revoked, not narrowed."""
    await alice.let_in(app="twin", role="owner")
    page = await alice.open("/list_apps/twin")
    assert "everything that you may" in page.text
    assert "Change this" not in page.text
    await alice.save("revoke", "twin")
    assert (await alice.grant("twin")).role == "app"


async def test_a_temporary_user_takes_away_and_allows_nothing_more(make_site: Callable[..., Site]) -> None:
    """They have no fresh sign-in, so they are shown what the app may: less is what they can choose."""
    site = make_site(temporary_users=True)
    async with site.http:
        guest = Alice(site)
        await guest.send(await guest.open("/"), "/try")
        user = await guest.whoami()
        assert "No app has asked for anything yet" in (await guest.open("/list_apps")).text
        await site.llum.do(Consent(id="c", app=APP, decision="allowed", granted=[PERSONAL]), user, OWNER_APP)
        page = await guest.open(f"/list_apps/{APP}")
        assert ('value="tell"' in page.raw, 'value="delete"' in page.raw) == (True, False)
        fields = {"value": APP, "slice": written(PERSONAL)}
        more = {"csrf_token": page.value("csrf_token"), "id": "change", "actions": ["ask", "delete"], **fields}
        response = await guest.post("/list_apps_save", data=more)
        assert response.headers["Location"].startswith("/sign-in")
        done = await guest.send(page, "/list_apps_save", id="take", **fields)
        assert done.location == f"/list_apps/{APP}?done=taken"


async def test_a_program_changes_by_json(alice: Alice) -> None:
    """With the session, the token of a page and JSON, as the original's pages did."""
    await alice.let_in(PERSONAL)
    sent = {"id": "removeOneForMe", "value": APP}
    response = await alice.post(
        "/list_apps_save", accept=JSON, json=sent, headers={"X-CSRF-Token": await alice.token()}
    )
    assert (response.status, json.loads(await response.text())) == (200, {"app": APP, "done": "revoked"})
    assert (await alice.grant()).slices == []
