"""A browser's session, with the processes that a user starts."""

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.system.harness import Llum, until


class PlainBrowser:
    """Keeps cookies and posts forms from pages of one address."""

    def __init__(self, llum: Llum) -> None:
        self._llum = llum
        self.cookies: dict[str, str] = {}
        self.location = ""
        """Where the last response leads."""

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Send a request; give status and body. A connection each time: the edge may have been started anew."""
        where = urlsplit(self._llum.http)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = {"Accept": "text/html", "Cookie": cookie, "Origin": self._llum.http, **headers}
        connection.request(method, path, body, {name: value for name, value in given.items() if value})
        response = connection.getresponse()
        for name, value in re.findall(
            r"^([^=;]+)=([^;]*)", "\n".join(response.headers.get_all("Set-Cookie", [])), re.M
        ):
            self.cookies[name] = value
        self.location = response.headers.get("Location", "")
        text = response.read().decode()
        connection.close()
        return response.status, text

    def press(self, path: str, **fields: str) -> int:
        """Send a form of the first page."""
        page = self.send("GET", "/")[1]
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
        assert found, page
        body = urlencode({"csrf_token": found[1], **fields}).encode()
        return self.send("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})[0]

    def me(self) -> Any:
        status, text = self.send("GET", "/me", Accept="application/json")
        return json.loads(text) if status == 200 else None

    def tell(self, value: str) -> Any:
        """Tell something as a script of a page does."""
        call = {
            "version": "11.2",
            "context": ["Personal"],
            "componentid": "firstname",
            "evidence": {"value": value},
        }
        headers = {"Content-Type": "application/json", "X-CSRF-Token": self.me()["csrf_token"]}
        return json.loads(self.send("POST", "/tell", json.dumps(call).encode(), **headers)[1])


def test_a_session_outlives_every_process_and_ends_for_good(llum: Llum) -> None:
    """A visitor tries llum, everything is killed, and they go on where they were; when they leave, they are out."""
    browser = PlainBrowser(llum)
    assert browser.press("/try") == 303
    user = browser.me()["user"]
    assert browser.tell("Ada")["result"] == "ok"
    assert "Ada" in browser.send("GET", "/model/Personal")[1]
    llum.kill_everything()
    llum.start()
    assert browser.me()["user"] == user
    assert "Ada" in browser.send("GET", "/model/Personal")[1]
    sid = browser.cookies["llumsessionid"]
    files = [path for path in llum.data_dir.rglob("*") if path.is_file()]
    assert [path for path in files if sid.encode() in path.read_bytes()] == [], "the id is written nowhere"
    assert browser.press("/sign-out") == 303
    browser.cookies["llumsessionid"] = sid
    assert until(lambda: browser.me() is None, "the session has ended")
    llum.kill_everything()
    llum.start()
    assert browser.me() is None
