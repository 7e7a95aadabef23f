"""Signing a program in: by a browser, by a short code, and what is said when it fails."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from llum.failures import Fault
from llum.oauth.asking import fetcher
from llum.oauth.by_browser import sign_in_by_browser
from llum.oauth.by_code import sign_in_by_code
from llum.oauth.prompts import SignInPrompt, has_browser, lines_of
from llum.oauth.servers import Server, checked_address, discover
from llum.oauth.signed_in import SignedIn
from llum.oauth.signing_in import sign_in
from llum.oauth.wishes import Received, Wish
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.slices import Slice
from tests.llum.oauth.fake_llum import FakeLlum

SLICE = Slice(paths=["Personal"], actions=["ask"])


async def found(fake: FakeLlum) -> Server:
    asking = fetcher()
    try:
        return await discover(asking, fake.url)
    finally:
        await asking.close()


class Person:
    """Decides in a browser: what comes back from there is the test's to say."""

    def __init__(self, fake: FakeLlum, **answers: str) -> None:
        self.asked: dict[str, str] = {}
        self.pages: list[str] = []
        self._fake = fake
        self._answers = answers

    async def open(self, address: str) -> None:
        self.asked = {name: one for name, (one,) in parse_qs(urlsplit(address).query).items()}
        self._task = asyncio.create_task(self._come_back())

    async def _come_back(self) -> None:
        given = {"state": self.asked["state"], "iss": self._fake.url, "code": "llumc_1"} | self._answers
        async with aiohttp.ClientSession() as http:
            for sent in ({**given, "state": "guessed"}, given):
                sent = {name: value for name, value in sent.items() if value}
                async with http.get(self.asked["redirect_uri"], params=sent) as page:
                    self.pages.append(f"{page.status} {await page.text()}")


async def by_browser(fake: FakeLlum, person: Person) -> Received:
    asking = fetcher()
    try:
        wish = Wish("", [SLICE])
        return await sign_in_by_browser(
            asking, await found(fake), "kitchen", wish, lambda _: None, open_page=person.open
        )
    finally:
        await asking.close()
        await person._task


async def by_code(fake: FakeLlum, waits: list[float], prompts: list[SignInPrompt] | None = None) -> Received:
    """Sign in by a code, without waiting; `waits` gets how long it would have been."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    asking = fetcher()
    try:
        show = (prompts if prompts is not None else []).append
        return await sign_in_by_code(asking, await found(fake), "kitchen", Wish("ask:Personal"), show, sleep)
    finally:
        await asking.close()


async def test_a_browser_comes_back_with_a_code_that_only_this_program_can_redeem(fake: FakeLlum) -> None:
    """By PKCE; what was granted is what the answer says. Who does not know the state is sent away."""
    person = Person(fake)
    given = await by_browser(fake, person)
    assert given.granted.slices == [SLICE]
    assert person.asked["code_challenge_method"] == "S256"
    assert (person.asked["client_id"], person.asked["resource"]) == ("kitchen", fake.url)
    assert "Personal" in person.asked["authorization_details"]
    (form,) = fake.forms
    assert form["redirect_uri"] == person.asked["redirect_uri"]
    assert form["redirect_uri"].startswith("http://127.0.0.1:")
    assert 43 <= len(form["code_verifier"]) <= 128
    assert [page[:3] for page in person.pages] == ["400", "200"]
    assert "You have signed in" in person.pages[1]


async def test_a_person_who_refuses_is_believed(fake: FakeLlum) -> None:
    """Nothing is redeemed."""
    with pytest.raises(Refusal) as refused:
        await by_browser(fake, Person(fake, code="", error="access_denied"))
    assert refused.value.code is Code.ACCESS_DENIED
    assert fake.forms == []


async def test_a_code_of_another_server_is_not_taken(fake: FakeLlum) -> None:
    """`iss` says who has made it (RFC 9207)."""
    with pytest.raises(Fault, match=r"another server than .* has answered"):
        await by_browser(fake, Person(fake, iss="https://evil.example"))
    assert fake.forms == []


async def test_a_program_without_a_browser_shows_a_code_and_waits(fake: FakeLlum) -> None:
    """As long as the server says, and longer whenever it says so."""
    fake.polls = ["authorization_pending", "slow_down", "authorization_pending"]
    waits: list[float] = []
    prompts: list[SignInPrompt] = []
    given = await by_code(fake, waits, prompts)
    assert given.granted.slices == [SLICE]
    assert waits == [5, 5, 10, 10]
    (prompt,) = prompts
    assert (prompt.url, prompt.code) == (f"{fake.url}/device", "BCDF-GHJK")
    assert fake.forms[0] == {"client_id": "kitchen", "scope": "ask:Personal", "resource": fake.url}


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
async def test_a_code_that_leads_nowhere_is_said(fake: FakeLlum, error: str) -> None:
    """It is not polled any longer."""
    fake.polls = [error]
    with pytest.raises(Refusal, match=f"refuses: it is {error}") as refused:
        await by_code(fake, [])
    assert refused.value.code == error
    assert fake.calls["token"] == 1


async def test_a_code_that_nobody_types_expires(fake: FakeLlum) -> None:
    """Whatever the server says of it."""
    fake.polls = ["authorization_pending"] * 1000
    waits: list[float] = []
    with pytest.raises(Refusal) as refused:
        await by_code(fake, waits)
    assert refused.value.code is Code.EXPIRED_TOKEN
    assert sum(waits) == 600


async def signed_in(fake: FakeLlum, **more: Any) -> SignedIn:
    fake.interval_s = 0
    return await sign_in(fake.url, "kitchen", "ask:Personal", how="device", show=lambda _: None, **more)


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


async def test_a_sign_in_is_kept_and_taken_the_next_time(fake: FakeLlum, own_folder: Path) -> None:
    """Nobody is asked then, unless it is to be made anew. Only the user can read it."""
    first = await signed_in(fake)
    assert (first.user, first.scope, first.granted) == ("alice", "ask:Personal", [SLICE])
    again = await signed_in(fake)
    assert fake.calls["device"] == 1
    assert await again.token() == await first.token()
    (file,) = files_in(own_folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    await signed_in(fake, anew=True)
    assert fake.calls["device"] == 2


async def test_a_sign_in_need_not_be_kept(fake: FakeLlum, own_folder: Path) -> None:
    """Then nothing is written."""
    assert await (await signed_in(fake, keep=False)).token() in fake.access
    assert files_in(own_folder) == []


@pytest.mark.parametrize(
    "url", ["llum.example", "ftp://llum.example", "http://llum.example", "https://", "https://a/?b"]
)
def test_what_cannot_be_the_address_of_an_llum_is_said(url: str) -> None:
    """Without TLS only one on this machine is taken."""
    with pytest.raises(Refusal) as refused:
        checked_address(url)
    assert refused.value.code is Code.BAD_FIELD
    assert refused.value.hint
    assert checked_address("http://127.0.0.1:8000/") == "http://127.0.0.1:8000"


async def error_of(url: str) -> LlumError:
    asking = fetcher()
    try:
        with pytest.raises(LlumError) as caught:
            await discover(asking, url)
        return caught.value
    finally:
        await asking.close()


async def test_each_mistake_about_the_address_says_what_to_do(fake: FakeLlum) -> None:
    """Nobody there, no llum there, another name, no TLS there."""
    nobody = await error_of("http://127.0.0.1:9")
    assert isinstance(nobody, Transient)
    assert "does not answer" in nobody.message
    no_llum = await error_of(f"{fake.url}/nothing")
    assert "no llum answers" in no_llum.message
    no_tls = await error_of(fake.url.replace("http://", "https://"))
    assert isinstance(no_tls, Fault)
    assert "does not show that it is" in no_tls.message
    fake.metadata = {"resource": "https://llum.example"}
    other = await error_of(fake.url)
    assert f"the llum at {fake.url} calls itself https://llum.example" in other.message
    assert all(error.hint for error in (nobody, no_llum, no_tls, other))


async def test_this_machine_may_be_called_by_any_of_its_names(fake: FakeLlum) -> None:
    """The llum there says which one it has for itself, and a sign-in is found by each."""
    by_name = fake.url.replace("127.0.0.1", "localhost")
    asking = fetcher()
    try:
        assert (await discover(asking, by_name)).url == fake.url
    finally:
        await asking.close()
    await signed_in(fake)
    await sign_in(by_name, "kitchen", how="device")
    assert fake.calls["device"] == 1


async def test_metadata_that_name_an_unprotected_endpoint_are_not_followed(fake: FakeLlum) -> None:
    """The token would be everybody's."""
    fake.metadata = {"token_endpoint": "http://llum.example/token"}
    assert "is not protected" in (await error_of(fake.url)).message


def test_a_person_far_away_is_asked_for_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over ssh, or without a display, nobody sees a browser of this machine."""
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("SSH_CONNECTION", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_browser()
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22")
    assert not has_browser()


def test_what_a_person_is_told_fits_a_narrow_terminal() -> None:
    """In 40 columns; the address and the code have lines of their own."""
    code = lines_of(SignInPrompt("https://llum.example/device", "BCDF-GHJK"))
    assert all(len(line) <= 40 for line in code), code
    assert "  https://llum.example/device" in code
    assert "  BCDF-GHJK" in code
