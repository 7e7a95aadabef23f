"""log-llum beside a llum that a test can change: what it asks for, what it says when it may not, what it keeps."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from log_llum.app import make_app
from log_llum.config import Config
from log_llum.things import LABELS, WANTED

from tests.examples.fake_llum import FakeLlum


class Browser:
    """A browser at log-llum, which signs in where it is sent."""

    def __init__(self, client: TestClient, llum: FakeLlum) -> None:
        self.client = client
        self.llum = llum

    async def look(self, path: str = "/", status: int = 200) -> str:
        answer = await self.client.get(path)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def sign_in(self, path: str = "/sign-in") -> str:
        """Go to llum, agree, and come back; give the page that is then shown."""
        sent = await self.client.get(path, allow_redirects=False)
        assert sent.status == 303
        back = await self.client.get("/callback", params=self.llum.agree(sent.headers["Location"]))
        assert back.status == 200
        return await back.text()

    async def post(self, path: str, csrf: str | None = None, **form: str) -> tuple[int, str]:
        """Send a form of the first page."""
        if csrf is None:
            found = re.search('name="csrf" value="([^"]+)"', await self.look())
            assert found
            csrf = found[1]
        answer = await self.client.post(path, data={"csrf": csrf, **form})
        return answer.status, await answer.text()


@pytest.fixture
async def llum() -> AsyncIterator[FakeLlum]:
    llum = FakeLlum()
    await llum.server.start_server()
    yield llum
    await llum.server.close()


@pytest.fixture
async def browser(llum: FakeLlum) -> AsyncIterator[Browser]:
    app = make_app(Config(llum=llum.url, public_url="http://127.0.0.1:8090", client_secret="secret"))
    async with TestClient(TestServer(app)) as client:
        yield Browser(client, llum)


async def test_somebody_new_is_told_what_it_is(browser: Browser) -> None:
    """And nothing is asked of llum before they want it."""
    assert "Sign in with llum" in await browser.look()
    assert browser.llum.calls == []


async def test_a_tap_logs_and_undo_takes_the_last_one_back(browser: Browser) -> None:
    """The place is made at first use; the value is the thing, told outright with its time."""
    assert "What was it?" in await browser.sign_in()
    assert browser.llum.asked_for == [WANTED]
    assert browser.llum.calls[:2] == ["mkcontext", "mkcomponent"]
    for _ in range(2):
        status, page = await browser.post("/log", item="apple")
        assert status == 200
    assert "Logged: an apple." in page
    assert '2<span class="sr-only"> in four weeks' in page
    assert "An apple × 2" in page
    (piece, _) = browser.llum.pieces.values()
    assert (piece["value"], piece["evidence_type"]) == ("apple", "explicit")
    _, page = await browser.post("/undo")
    assert "Taken back: an apple." in page
    assert len(browser.llum.pieces) == 1
    assert "Undo" not in page


async def test_every_thing_has_a_picture(browser: Browser) -> None:
    """Its own, as SVG."""
    page = await browser.sign_in()
    for item in LABELS:
        assert f"/static/{item}.svg" in page
        assert (await browser.client.get(f"/static/{item}.svg")).content_type == "image/svg+xml"


async def test_a_grant_of_telling_alone_works_as_far_as_it_goes(browser: Browser) -> None:
    """It says what it lacks, and asks for just that."""
    browser.llum.granted = {"tell", "make"}
    page = await browser.sign_in()
    assert "log-llum may not read what you have logged" in page
    _, page = await browser.post("/log", item="water")
    assert "Logged: a glass of water." in page
    browser.llum.granted = {"ask", "tell", "make"}
    page = await browser.sign_in("/sign-in?for=ask")
    (asked,) = browser.llum.asked_for
    assert (asked["paths"], asked["actions"], asked["purpose"]) == (["Apps/Logging"], ["ask"], WANTED["purpose"])
    assert "may not" not in page
    assert "A glass of water" in page


async def test_a_right_that_was_taken_back_is_told_kindly(browser: Browser) -> None:
    """A 403 names the slice; log-llum asks for it."""
    await browser.sign_in()
    browser.llum.granted = {"ask", "make"}
    status, page = await browser.post("/log", item="walk")
    assert status == 200
    assert "log-llum may no longer write to your model" in page
    browser.llum.granted.add("tell")
    page = await browser.sign_in("/sign-in?for=tell")
    assert browser.llum.asked_for[0]["actions"] == ["tell"]
    assert "may no longer" not in page


async def test_an_app_that_was_revoked_says_so_and_asks_again(browser: Browser) -> None:
    """Also where the tokens are good for nothing."""
    await browser.sign_in()
    browser.llum.is_revoked = True
    page = await browser.look(status=403)
    assert "log-llum may no longer write to your model" in page
    assert 'href="/sign-in"' in page
    assert "Sign in with llum" in await browser.look()
    browser.llum.is_revoked = False
    assert "What was it?" in await browser.sign_in()


async def test_who_says_no_is_let_alone(browser: Browser) -> None:
    """Nothing was allowed, and the page says that this is fine."""
    sent = await browser.client.get("/sign-in", allow_redirects=False)
    back = browser.llum.agree(sent.headers["Location"])
    said = {"error": "access_denied", "state": back["state"], "iss": back["iss"]}
    answer = await browser.client.get("/callback", params=said)
    assert answer.status == 200
    assert "Ask me again" in await answer.text()


async def test_a_token_that_has_ended_is_refreshed(browser: Browser) -> None:
    """Nobody notices."""
    await browser.sign_in()
    browser.llum.expire()
    _, page = await browser.post("/log", item="coffee")
    assert "Logged: a coffee." in page


async def test_what_llum_did_not_answer_is_sent_again_and_counts_once(browser: Browser) -> None:
    """With the same key. If llum stays away, the page says so."""
    await browser.sign_in()
    csrf = re.search('name="csrf" value="([^"]+)"', await browser.look())
    assert csrf
    browser.llum.failures_to_come = 1
    await browser.post("/log", csrf[1], item="book")
    assert browser.llum.keys[-3] == browser.llum.keys[-2]
    browser.llum.failures_to_come = 100
    assert "llum does not answer" in await browser.look(status=503)


@pytest.mark.parametrize("change", [{"state": "other"}, {"iss": "https://elsewhere.example"}], ids=["state", "iss"])
async def test_an_answer_that_was_not_asked_for_signs_nobody_in(browser: Browser, change: dict[str, str]) -> None:
    """Another's `state` or issuer: somebody wants this browser to write into their model."""
    sent = await browser.client.get("/sign-in", allow_redirects=False)
    back = browser.llum.agree(sent.headers["Location"]) | change
    answer = await browser.client.get("/callback", params=back)
    assert answer.status == 403
    assert browser.llum.calls == []
    assert "Sign in with llum" in await browser.look()


async def test_a_form_of_another_page_changes_nothing(browser: Browser) -> None:
    """Without the token of the session's own pages."""
    await browser.sign_in()
    for path in ("/log", "/undo", "/sign-out"):
        status, _ = await browser.post(path, "forged", item="apple")
        assert status == 403
    assert browser.llum.pieces == {}
    assert "What was it?" in await browser.look()


async def test_a_cookie_that_was_not_signed_here_is_nobodys(browser: Browser) -> None:
    """Nor is one with another's id in it."""
    await browser.sign_in()
    (cookie,) = [one for one in browser.client.session.cookie_jar if one.key == "log_llum"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    sid, _, mac = cookie.value.rpartition(".")
    browser.client.session.cookie_jar.update_cookies({"log_llum": f"{sid}.{mac[::-1]}"}, browser.client.make_url("/"))
    assert "Sign in with llum" in await browser.look()


async def test_who_signs_out_leaves_no_tokens(browser: Browser) -> None:
    """llum is told that they are needed no more; no page has shown one."""
    page = await browser.sign_in()
    assert "a1" not in re.findall(r"\w+", page)
    status, page = await browser.post("/sign-out")
    assert (status, browser.llum.revoked) == (200, ["r1"])
    assert "Sign in with llum" in page


def test_without_a_client_it_says_what_to_run(tmp_path: Path) -> None:
    """By whom, and where the secret goes; nothing is started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLUM_", "LOG_LLUM_"))}
    command = [sys.executable, "-m", "llum", "example", "log-llum", "--at", "http://127.0.0.1:1", "--data-dir", "none"]
    done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "`llum admin client add log-llum " in done.stderr
    assert "LOG_LLUM_CLIENT_SECRET" in done.stderr


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    """And another one can be named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "log_llum", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Try --port" in done.stderr
    assert "Traceback" not in done.stderr
