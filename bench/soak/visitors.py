"""A browser that tries llum, does a few things, and leaves: a session and a temporary user that come and go."""

import ipaddress
import re
from typing import Any, Final

import aiohttp

FIRST_ADDRESS: Final = int(ipaddress.IPv4Address("10.0.0.1"))

FORM_TOKEN: Final = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


class WrongAnswer(Exception):  # noqa: N818 - says what has come of it
    """llum has answered something else than it should."""


async def visit(http: str, tells: int, number: int) -> None:
    """Try llum, tell so many things, look at them, and sign out, which forgets the user. Raises `WrongAnswer`.

    Each visitor, by their number, comes from another address: one may try only now and then.
    """
    address = str(ipaddress.IPv4Address(FIRST_ADDRESS + number))
    headers = {"Origin": http, "X-Forwarded-For": address}
    jar = aiohttp.CookieJar(unsafe=True)  # Cookies of an address in numbers, too.
    async with aiohttp.ClientSession(http, headers=headers, cookie_jar=jar) as browser:
        await _press(browser, "/try")
        me = await _json(browser, "GET", "/me")
        proof = {"X-CSRF-Token": me["csrf_token"]}
        for number in range(tells):
            told = await _json(browser, "POST", "/tell", headers=proof, json=_tell(f"Ada {number}"))
            if told["result"] != "ok":
                raise WrongAnswer(str(told))
        async with browser.get("/model/Personal", headers={"Accept": "text/html"}) as page:
            if f"Ada {tells - 1}" not in await page.text():
                raise WrongAnswer("the page does not show what was told")
        await _press(browser, "/sign-out")


async def _press(browser: aiohttp.ClientSession, path: str) -> None:
    """Send a form of the first page."""
    async with browser.get("/", headers={"Accept": "text/html"}) as page:
        found = FORM_TOKEN.search(await page.text())
    if found is None:
        raise WrongAnswer("the first page has no form")
    form, html = {"csrf_token": found[1]}, {"Accept": "text/html"}
    async with browser.post(path, data=form, headers=html, allow_redirects=False) as answer:
        if answer.status != 303:
            raise WrongAnswer(f"{path}: {answer.status} {await answer.text()}")


async def _json(browser: aiohttp.ClientSession, method: str, path: str, **options: Any) -> Any:
    options["headers"] = {"Accept": "application/json", **options.get("headers", {})}
    async with browser.request(method, path, **options) as answer:
        if answer.status != 200:
            raise WrongAnswer(f"{path}: {answer.status} {await answer.text()}")
        return await answer.json()


def _tell(value: str) -> dict[str, Any]:
    return {"version": "11.2", "context": ["Personal"], "componentid": "firstname", "evidence": {"value": value}}
