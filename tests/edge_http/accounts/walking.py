"""A browser that fills in the forms of pages, as a person does."""

import html
import re
from typing import Any

from aiohttp import ClientResponse

from tests.edge_http.browser import Browser
from tests.identity.accounts.authenticator import Authenticator

GOOD = "staple battery correct"


class Page:
    """What came back."""

    def __init__(self, response: ClientResponse, text: str) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = html.unescape(text)
        self.raw = text

    @property
    def location(self) -> str:
        assert self.status == 303, f"{self.status}: {self.text}"
        return str(self.headers["Location"])

    def value(self, name: str) -> str:
        """Give what stands in a field of this name."""
        found = re.search(rf'<input[^>]* name="{name}"[^>]*?value="([^"]*)"', self.raw)
        assert found, f"there is a field {name} in: {self.text}"
        return html.unescape(found[1])

    @property
    def options(self) -> str:
        """Give what the page has for passkeys."""
        found = re.search(r'data-options="([^"]*)"', self.raw)
        assert found, f"the page takes passkeys: {self.text}"
        return html.unescape(found[1])

    def error(self, field: str) -> str:
        """Give what stands as an error next to a field."""
        found = re.search(rf'id="error-{field}">(?:<svg.*?</svg>)?(.*?)</p>', self.raw, re.DOTALL)
        assert found, f"there is an error next to {field}: {self.text}"
        return html.unescape(found[1])


class Walker(Browser):
    """Opens pages and sends their forms."""

    async def open(self, path: str) -> Page:
        response = await self.get(path)
        return Page(response, await response.text())

    async def send(self, page: Page, path: str, **fields: str) -> Page:
        """Send a form of a page, with its token."""
        data = {"csrf_token": page.value("csrf_token"), **fields}
        response = await self.post(path, data=data, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/150.0"})
        return Page(response, await response.text())

    async def choose_name(self, user: str, link: str = "", **more: str) -> Page:
        """Take the first step of signing up, and give the second page."""
        page = await self.open(f"/sign-up?link={link}")
        return await self.send(page, "/sign-up", user=user, link=link, **more)

    async def sign_up(self, user: str, link: str = "", password: str = GOOD, **more: str) -> Page:
        """Sign up with a password."""
        page = await self.choose_name(user, link, **more)
        return await self.send(page, "/sign-up", way="password", user=user, link=link, password=password, **more)

    async def sign_up_with_passkey(self, user: str, authenticator: Authenticator, link: str = "") -> Page:
        page = await self.choose_name(user, link)
        credential, handle = authenticator.make(page.options), page.value("handle")
        return await self.send(
            page, "/sign-up", way="passkey", user=user, link=link, credential=credential, handle=handle
        )

    async def sign_in(self, user: str, password: str = GOOD, then: str = "/") -> Page:
        page = await self.open(f"/sign-in?then={then}")
        return await self.send(page, "/sign-in", way="password", user=user, password=password, then=then)

    async def sign_in_with_passkey(self, authenticator: Authenticator) -> Page:
        page = await self.open("/sign-in")
        return await self.send(page, "/sign-in", way="passkey", credential=authenticator.prove(page.options), whose="")

    async def whoami(self) -> Any:
        response = await self.get("/me", "application/json")
        return (await response.json()).get("user")
