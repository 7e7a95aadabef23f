"""A browser without scripts: it keeps cookies, follows redirects and refreshes, and sends the forms of pages."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp

MAX_STEPS = 20
"""Pages that lead on to another by themselves: more is a circle."""


class FoundForm(NamedTuple):
    """A form of a page."""

    action: str
    method: str
    fields: dict[str, str]
    """With what stands in them already."""


class Shown(NamedTuple):
    """What the browser shows in the end."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    forms: list[FoundForm]
    links: list[str]
    refresh: str | None
    """Where it leads by itself."""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, action: str, **fields: str) -> FoundForm:
        """Find a form by where it leads, and by what stands in it."""
        [found] = [one for one in self.forms if one.action == action and fields.items() <= one.fields.items()]
        return found


class Browsing:
    """One browser."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.history: list[str] = []
        """All addresses that it was at."""

    async def go(self, url: str, *, follow: bool = True) -> Shown:
        """Enter an address."""
        return await self._ask("GET", url, None, {"Sec-Fetch-Site": "none"}, follow)

    async def send(
        self,
        shown: Shown,
        action: str,
        fields: Mapping[str, str] | None = None,
        button: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
    ) -> Shown:
        """Fill in a form of a page, and send it. `button`: what stands in the form that is meant."""
        form = shown.form(action, **(button or {}))
        headers = {"Origin": origin_of(shown.url), "Sec-Fetch-Site": "same-origin", "Referer": shown.url}
        url = urljoin(shown.url, form.action or shown.url)
        return await self._ask(form.method, url, {**form.fields, **(fields or {})}, headers, follow)

    def forget(self, *names: str) -> None:
        """Lose cookies by their names."""
        self._session.cookie_jar.clear(lambda cookie: cookie.key in names)

    def cookie(self, name: str) -> str | None:
        return next((one.value for one in self._session.cookie_jar if one.key == name), None)

    async def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str], follow: bool
    ) -> Shown:
        for _ in range(MAX_STEPS):
            self.history.append(url)
            async with self._session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                shown = _shown(url, answer, await answer.text())
            onward = answer.headers.get("Location") or shown.refresh
            if onward is None or not follow:
                return shown
            method, url, form, headers = "GET", urljoin(url, onward), None, {"Sec-Fetch-Site": "cross-site"}
        raise AssertionError(f"it goes round in a circle: {self.history[-MAX_STEPS:]}")


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@asynccontextmanager
async def browsing() -> AsyncIterator[Browsing]:
    """Open a browser without any cookies, and close it."""
    headers = {
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
        "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/1",
    }
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers) as session:
        yield Browsing(session)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FoundForm] = []
        self.links: list[str] = []
        self.refresh: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(FoundForm(given.get("action", ""), given.get("method", "get").upper(), {}))
        elif tag in ("input", "button") and self.forms and given.get("name") and given.get("type") != "submit":
            if tag == "input":
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.refresh = given["content"].partition("url=")[2]


def _shown(url: str, answer: aiohttp.ClientResponse, text: str) -> Shown:
    reader = _Reader()
    reader.feed(text)
    return Shown(url, answer.status, text, answer.headers, reader.forms, reader.links, reader.refresh)
