"""A browser that notes what it must not meet: requests to other hosts, errors in its console, what hinders people."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.programs import need
from tests.waiting import DEADLINE_S

PHONE: Final = (390, 844)
DESK: Final = (1440, 900)
SIZES: Final = (PHONE, DESK)
SCHEMES: Final = ("light", "dark")

expect.set_options(timeout=DEADLINE_S * 1000)
# What is waited for comes at once, and late on a busy machine.

_SERIOUS: Final = ("serious", "critical")


class Viewer:
    """One person's browser, with cookies of its own."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.base = base
        self.pictures: Callable[[str], Path] | None = None
        """Where the picture of a page goes, by its name."""
        self.hosts = {urlsplit(base).netloc}
        """Who may be asked for something."""
        self.strangers: list[str] = []
        """Requests that went elsewhere."""
        self.complaints: list[str] = []
        """Errors in the console, and of scripts. That a page itself is an error is none."""
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = context.new_page()

    def sign_in_as(self, sid: str) -> None:
        """Have the session of an id."""
        given = {"llumsessionid": sid, "llumprofile": "passkey"}
        self.context.add_cookies([{"name": name, "value": value, "url": self.base} for name, value in given.items()])

    def go(self, path: str, status: int = 200) -> Page:
        """Open a page."""
        response = self.page.goto(self.base + path)
        assert response is not None
        assert response.status == status, f"{path}: {response.status}"
        return self.page

    def open_all(self) -> None:
        """Open all that can be opened, forms that confirm something included."""
        self.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")

    def check(self, name: str = "") -> None:
        """See that the page as it is now hinders nobody, fits its window, and asked nobody else for anything.

        Pages with a name are photographed, if there is somewhere to put the picture.
        """
        if name and self.pictures is not None:
            self.page.screenshot(path=self.pictures(name), full_page=True)
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{self.page.url} is {overflow} px wider than its window"
        found = Axe().run(self.page).response["violations"]
        serious = [_said(one) for one in found if one["impact"] in _SERIOUS]
        assert serious == [], self.page.url
        assert self.strangers == []
        assert self.complaints == []

    def _note_request(self, request: Any) -> None:
        if urlsplit(request.url).netloc not in self.hosts:
            self.strangers.append(request.url)

    def _note_console(self, message: Any) -> None:
        is_of_page = message.text.startswith("Failed to load resource") and message.location["url"] == self.page.url
        if message.type in ("error", "warning") and not is_of_page:
            self.complaints.append(message.text)


def _said(violation: Any) -> str:
    places = [node["html"][:160] for node in violation["nodes"]]
    return f"{violation['id']}: {violation['help']}: {places}"


@contextmanager
def viewing(
    browser: Browser, base: str, size: tuple[int, int] = DESK, scheme: Any = "light", **options: Any
) -> Iterator[Viewer]:
    """Open a browser window of this size; its cookies go when it is closed."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    try:
        yield Viewer(context, base)
    finally:
        context.close()


def look_at_all(browser: Browser, base: str, sid: str, paths: Sequence[str]) -> None:
    """Look at pages as a signed-in person: on a phone and a desk, light and dark, with all that can be opened open."""
    for size in SIZES:
        for scheme in SCHEMES:
            with viewing(browser, base, size, scheme) as viewer:
                viewer.sign_in_as(sid)
                for path in paths:
                    viewer.go(path)
                    viewer.open_all()
                    viewer.check()


def chromium_options() -> dict[str, Any]:
    """Say how Debian's chromium is started. Where there is none the test ends."""
    return {"executable_path": need("chromium"), "args": ["--no-sandbox"] if os.geteuid() == 0 else []}
