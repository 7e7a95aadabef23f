"""Temporary users: a visitor tries llum, and keeps what they have done if they register."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import TestClient

from bus.erasing import fill
from bus.jetstream import JetStream
from bus.subjects import REJECTED_STREAM, rejected_subject
from edge_http.app import make_app
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.forms import posted_form
from edge_http.sessions.signing_in import after_authentication
from edge_http.sessions.trial_bounds import CALLS, MAX_BODY_BYTES
from edge_http.sessions.trying import AT_ONCE
from identity.accounts.store import Accounts
from identity.authenticator import Authenticator
from identity.sessions.store import Sessions
from identity.temporary.users import TemporaryUsers
from llum.people import forgetting
from llum.people.forgetter import Counts, Forgetter
from llum.processes.sweeping import sweep
from schemas.errors import Code, Refusal, Transient
from schemas.queries import Ask, GetContext
from schemas.replies import AskReply
from tests.actors.serving import PARTITIONS, Llum, serving
from tests.edge_http.browser import Browser, token_in
from tests.edge_http.conftest import EdgeServer
from tests.waiting import eventually

JSON = "application/json"
URL = "http://llum.example"


class Site:
    """An edge in front of a worker; `/test/in` lets anybody in."""

    def __init__(self, llum: Llum, *, temporary_users: bool = True) -> None:
        self.llum = llum
        authenticator = Authenticator(llum.bus, llum.requests)
        self.app = make_app(llum.bus, llum.requests, authenticator, URL, PARTITIONS, temporary_users=temporary_users)
        self.app.router.add_post("/test/in", _sign_in)
        self.http = TestClient(EdgeServer(self.app), cookie_jar=DummyCookieJar())

    def browser(self) -> Browser:
        return Browser(self)  # type: ignore[arg-type]


async def _sign_in(request: web.Request) -> web.Response:
    return await after_authentication(request, (await posted_form(request)).get("user"), "password")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as llum:
        site = Site(llum)
        async with site.http:
            yield site


async def press(browser: Browser, path: str, **fields: str) -> Any:
    """Press a button of the first page."""
    token = token_in(await (await browser.get("/")).text())
    return await browser.post(path, data={"csrf_token": token, **fields})


async def trial(site: Site) -> tuple[Browser, str]:
    """Give the browser of somebody who has just begun, and who they are."""
    browser = site.browser()
    assert (await press(browser, "/try")).status == 303
    return browser, str((await (await browser.get("/me", JSON)).json())["user"])


async def tell(browser: Browser, value: Any, component: str = "firstname", **more: Any) -> Any:
    body = {"version": "11.2", "context": ["Personal"], "componentid": component, "evidence": {"value": value, **more}}
    headers = {"X-CSRF-Token": await browser.token()}
    return await browser.post("/tell", accept=JSON, json=body, headers=headers)


async def evidence_of(site: Site, user: str, component: str = "firstname") -> list[Any]:
    query = Ask(context=["Personal"], view=[component], include_evidence=True)
    reply = await site.llum.requests.ask(user, "llum", query)
    assert isinstance(reply, AskReply)
    return list(reply.components[0].evidence)


async def test_a_visitor_tries_llum(site: Site) -> None:
    """They get a model and a session of a day, and work as normal; the first page shows them their model."""
    browser, user = await trial(site)
    assert user.startswith("guest-")
    about = await (await browser.get("/me", JSON)).json()
    assert about["temporary"] is True
    assert about["expires"] > time.time() + 86_000
    assert browser.cookies["llumprofile"] == "temporary"
    assert (await (await tell(browser, "Ada")).json())["result"] == "ok"
    page = await (await browser.get("/")).text()
    assert "Personal" in page
    assert user not in page, "nobody needs to see such a name"
    assert (await press(browser, "/try")).headers["Location"] == "/", "who has a session keeps it"


async def test_what_was_done_belongs_to_who_registers(site: Site) -> None:
    """All of it, with its times and sources, and nothing names the temporary user. Then the trial is over."""
    browser, guest = await trial(site)
    await tell(browser, "Ada", time=1_700_000_000.0, comment="by hand")
    (before,) = [one for one in await evidence_of(site, guest) if one.value == "Ada"]
    await Accounts(site.llum.bus, site.llum.requests).register("ada")
    old = browser.cookies["llumsessionid"]
    assert (await press(browser, "/test/in", user="ada")).status == 303
    assert browser.cookies["llumsessionid"] != old
    (moved,) = await evidence_of(site, "ada")
    assert (moved.value, moved.time, moved.comment, moved.source) == ("Ada", 1_700_000_000.0, "by hand", "llum")
    assert moved.creation_time == before.creation_time
    assert moved.owner == "ada"
    modeled = await site.llum.requests.ask("ada", "llum", Ask(context=["modelinfo"], view=["modeled"]))
    assert isinstance(modeled, AskReply)
    assert modeled.components[0].value == "ada"
    assert await TemporaryUsers(site.llum.bus).over() == [guest]
    copied = site.browser()
    copied.cookies = {"llumsessionid": old}
    assert (await copied.get("/me", JSON)).status == 401


async def test_nothing_is_put_into_an_account_that_was_there_before(site: Site) -> None:
    """Whoever signs in to it has not asked for that."""
    await Accounts(site.llum.bus, site.llum.requests).register("ada")
    browser, guest = await trial(site)
    await tell(browser, "Somebody else")
    await press(browser, "/test/in", user="ada")
    assert await evidence_of(site, "ada") == []
    assert await TemporaryUsers(site.llum.bus).over() == [guest]


async def test_whoever_does_not_register_is_forgotten(site: Site, tmp_path: Path) -> None:
    """When their time is over, and after signing out at once; whoever still tries llum is not."""
    gone, guest = await trial(site)
    _, other = await trial(site)
    await press(gone, "/sign-out")
    late, late_guest = await trial(site)
    users = TemporaryUsers(site.llum.bus)
    assert await users.over() == [guest]
    await users.end(late_guest)
    assert await sweep(site.llum.bus, tmp_path / "nowhere") == 2
    assert await users.over() == []
    for one in (guest, late_guest):
        assert await users.count(one) + await Sessions(site.llum.bus).count(one) == 0
    await eventually(lambda: is_out(late), "the session has ended with its person")
    assert await has_model(site, other)
    assert not await has_model(site, guest)
    assert await sweep(site.llum.bus, tmp_path / "nowhere") == 0


async def test_a_trial_that_began_half_is_swept_too(site: Site, tmp_path: Path) -> None:
    """The time is written down before anything is made: a process that dies in between leaves nothing for ever."""
    later = TemporaryUsers(site.llum.bus, now=lambda: 0.0)
    await later._bucket.put("guest-half", b"1")
    assert await sweep(site.llum.bus, tmp_path / "nowhere") == 1
    assert await later.count("guest-half") == 0


async def test_one_who_cannot_be_forgotten_keeps_no_other(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are forgotten, and the next look finds that one again."""
    users = TemporaryUsers(site.llum.bus)
    for user in ("guest-1", "guest-2", "guest-3"):
        await users.keep_until(user, 1.0)
    erase = Forgetter.erase_rounds

    async def erase_some(forgetter: Forgetter) -> Counts:
        if forgetter._user == "guest-2":
            raise Transient(Code.UNAVAILABLE, "nobody answers")
        return await erase(forgetter)

    monkeypatch.setattr(Forgetter, "erase_rounds", erase_some)
    assert await sweep(site.llum.bus, tmp_path / "nowhere") == 2
    assert await users.over() == ["guest-2"]
    monkeypatch.undo()
    assert await sweep(site.llum.bus, tmp_path / "nowhere") == 1


async def test_where_something_fails_the_next_look_finds_them_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's time is taken for over and done with while anything may be left of them."""
    users, bus = TemporaryUsers(site.llum.bus), site.llum.bus
    for user in ("guest-1", "guest-2"):
        await users.keep_until(user, 1.0)

    async def fail(*_: object) -> None:
        raise Transient(Code.UNAVAILABLE, "a stream is away")

    async def no_disk(_: Forgetter) -> Counts:
        raise OSError("no disk")

    for what, name, wrong in ((forgetting, "_write_anew", fail), (Forgetter, "left_in_files", no_disk)):
        monkeypatch.setattr(what, name, wrong)
        assert await sweep(bus, tmp_path / "nowhere") == 0
        monkeypatch.undo()
        assert await users.over() == ["guest-1", "guest-2"]
    assert await sweep(bus, tmp_path / "nowhere") == 2
    assert await users.over() == []


async def test_many_whose_time_is_over_cost_little_more_than_one(site: Site, tmp_path: Path) -> None:
    """What nats-server has dropped is written anew once for all of them."""
    users, bus = TemporaryUsers(site.llum.bus), site.llum.bus

    async def written() -> int:
        info = await JetStream(bus).call(f"STREAM.INFO.{REJECTED_STREAM}")
        return int(info["state"]["last_seq"])

    filling = len(await fill(bus, REJECTED_STREAM))
    await JetStream(bus).publish(rejected_subject("bob", "probe"), b"{}")
    for count in (1, 5):
        for number in range(count):
            await users.keep_until(f"guest-{count}-{number}", 1.0)
        before = await written()
        assert await sweep(bus, tmp_path / "nowhere") == count
        assert await written() - before == filling + 1, "the filling of one renewal, and what is bob's"


async def test_a_temporary_user_has_small_bounds(site: Site) -> None:
    """A large call is refused, and so are too many; a sensitive one needs an account first."""
    browser, _ = await trial(site)
    large = await tell(browser, "x" * MAX_BODY_BYTES)
    assert (await large.json())["error"]["code"] == "too_large"
    headers = {"X-CSRF-Token": await browser.token()}
    export = await browser.post("/export_model", accept=JSON, json={"version": "11.2"}, headers=headers)
    assert (await export.json())["error"]["code"] == "not_fresh"
    body = {"version": "11.2"}
    calls = [browser.post("/access", accept=JSON, json=body, headers=headers) for _ in range(CALLS + 20)]
    statuses = [response.status for response in await asyncio.gather(*calls)]
    assert set(statuses) == {200, 429}


async def test_an_address_begins_a_few_trials_only(site: Site) -> None:
    """One more is a 429 that says when. Nothing is made for it."""
    for _ in range(AT_ONCE):
        await trial(site)
    browser = site.browser()
    response = await press(browser, "/try")
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "llumsessionid" not in browser.cookies


async def test_where_it_is_not_allowed_nobody_tries(tmp_path: Path) -> None:
    """The first page offers it to nobody, and the address says so."""
    async with serving(tmp_path) as llum:
        site = Site(llum, temporary_users=False)
        async with site.http:
            page = await site.browser().get("/")
            assert "/try" not in await page.text()
            assert (await press_without_a_button(site, "/try")).status == 403


async def test_a_session_that_ends_on_one_edge_has_ended_on_another(site: Site) -> None:
    """Two edges on one bus: the second one, which has just seen the session, hears of the end by itself."""
    second = Site(site.llum)
    async with second.http:
        browser, _ = await trial(site)
        there = second.browser()
        there.cookies = dict(browser.cookies)
        assert (await there.get("/me", JSON)).status == 200
        await press(browser, "/sign-out")
        await eventually(lambda: is_out(there), "the other edge knows that the session has ended")


async def press_without_a_button(site: Site, path: str) -> Any:
    """Post to a path with a good token, from a page that has no button for it."""
    browser = site.browser()
    browser.cookies["llumvisitor"] = "6f1d2c1e-5a0b-4c55-9b1e-0a8d7d0e1f2a"
    await browser.get("/")
    token = site.app[AUTHENTICATOR].csrf.make(browser.cookies["llumvisitor"])
    return await browser.post(path, accept=JSON, data={"csrf_token": token})


async def is_out(browser: Browser) -> bool:
    return (await browser.get("/me", JSON)).status == 401


async def has_model(site: Site, user: str) -> bool:
    try:
        await site.llum.requests.ask(user, "llum", GetContext())
    except Refusal as refusal:
        return refusal.code is not Code.NO_SUCH_MODEL
    return True
