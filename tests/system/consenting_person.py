"""A person with a browser and a session, who lets apps in: plain HTTP, as a browser without scripts sends it."""

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

from tests.browser.stage import PERSON, give_session
from tests.edge_http.consent.asking import fields_of
from tests.system.harness import Llum

WITHIN_S = 60


class Shown(NamedTuple):
    """A page."""

    url: str
    raw: str


class ConsentingPerson:
    """Alice, at her browser."""

    def __init__(self, llum: Llum) -> None:
        self.home = llum.http.replace("127.0.0.1", "localhost")
        self._browser = requests.Session()
        self._browser.cookies.set("llumsessionid", give_session(llum, PERSON))

    def is_led(self, url: str) -> str:
        """Go where an app leads, allow all that it asks for, and give the address that the browser comes back to."""
        return self.allow(self.open(url))

    def open(self, url: str) -> Shown:
        """Open a page of llum."""
        answer = self._browser.get(urljoin(self.home, url), timeout=WITHIN_S)
        assert answer.status_code == 200, answer.text
        return Shown(answer.url, answer.text)

    def allow(self, page: Shown) -> str:
        """Send the form of consent as it stands, and give where that leads."""
        return self.send(page, "/allow", fields_of(page)).headers["Location"]

    def send(self, page: Shown, path: str, fields: dict[str, list[str]]) -> requests.Response:
        """Send a form of a page."""
        home = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        token = {"csrf_token": [_token(page)]}
        answer = self._browser.post(
            urljoin(page.url, path),
            data=token | fields,
            headers={"Origin": home},
            timeout=WITHIN_S,
            allow_redirects=False,
        )
        assert answer.status_code in (200, 303), answer.text
        return answer


def _token(page: Shown) -> str:
    start = page.raw.index('name="csrf_token"')
    return page.raw[start:].split('value="', 1)[1].split('"', 1)[0]
