"""Nothing that opens anything is on the disk or in a log: secrets are stored as hashes, and logged nowhere.

Method: `llum up` logs all that it can. A person signs up, apps get a token and a password, both are used, mistakes are
made with them, the token is revoked. Then the whole data folder is searched for what was secret.
"""

import asyncio
import html
import http.client
import json
import re
import urllib.parse
from pathlib import Path
from urllib.parse import urlsplit

from identity.oauth.clients import Clients, OAuthClient
from identity.oauth.issuing import Issuing
from identity.registrations import access
from identity.tokens import Tokens
from llum.client import Client
from tests.system.harness import Llum, until
from tests.system.plain_http import PlainHttp

PASSWORD = "staple battery correct"
DEVICE = "the scale in the bathroom"


class Visitor:
    """A browser without a screen: cookies, forms, and the token in each."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url).netloc.replace("127.0.0.1", "localhost")
        self.cookies: dict[str, str] = {}
        self.page = ""

    def go(self, method: str, path: str, **fields: str) -> int:
        """Open a page, or send a form with the token of the last page; give the status."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept": "text/html",
        }
        body = None
        if method == "POST":
            headers |= {"Origin": f"http://{self._place}", "Content-Type": "application/x-www-form-urlencoded"}
            body = urllib.parse.urlencode({"csrf_token": self.csrf_token, **fields})
        connection = http.client.HTTPConnection(self._place, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            self.page = html.unescape(answer.read().decode())
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status
        finally:
            connection.close()

    @property
    def csrf_token(self) -> str:
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', self.page)
        assert found, self.page
        return found[1]


def test_14_nothing_that_opens_anything_is_on_the_disk_or_in_a_log(installation: Llum) -> None:
    """Tokens, passwords, links, ids of sessions, tokens of forms: whoever has a copy of the folder can use none."""
    installation.options = ("--log-level", "debug", "--http-port", "0")
    installation.start()
    link = str(until(lambda: first_link(installation.output), "the first link is printed"))
    alice = Visitor(installation.http)
    assert alice.go("GET", f"/sign-up?link={link}") == 200
    assert alice.go("POST", "/sign-up", user="alice", link=link) == 200
    forms = [alice.csrf_token]
    assert alice.go("POST", "/sign-up", user="alice", link=link, way="password", password=PASSWORD) == 303
    secrets = {link: "the link", PASSWORD: "the password", alice.cookies["llumsessionid"]: "the id of a session"}
    token = installation.run("admin", "token", "alice", "--app", "kitchen", "--owner")
    installation.run("admin", "app", "add", "alice", "scale", "--password-stdin", text=DEVICE)
    secrets |= {token.partition(".")[0]: "a token", DEVICE: "the password of a device"}
    use(installation, token)
    secrets |= asyncio.run(oauth(installation))
    mistakes = Visitor(installation.http)
    mistakes.go("GET", "/sign-in")
    assert mistakes.go("POST", "/sign-in", user="alice", password="a wrong guess of hers") == 401
    secrets["a wrong guess of hers"] = "what was typed wrongly"
    assert alice.go("GET", "/sessions") == 200
    forms.append(alice.csrf_token)
    secrets |= dict.fromkeys(forms, "the token of a form")
    assert alice.go("POST", "/sign-out") == 303
    installation.run("admin", "token", "revoke", "alice", shown_id(installation))
    installation.stop()
    log = (installation.data_dir / "log" / "edge.jsonl").read_text()
    assert "/sign-in" in log, "what is said is seen here"
    assert found_in(installation.data_dir, secrets) == []


def use(llum: Llum, token: str) -> None:
    """Tell with the token, rightly and wrongly; and with the password of a device."""
    context = {"context": ["Personal"], "componentid": "firstname"}
    told = {**context, "evidence": {"value": "Al", "evidence_type": "explicit"}}
    for shown in (token, token[:-1], f"{token}x"):
        client = PlainHttp(llum.http, shown)
        client.call("tell", told, Idempotency_Key="1")
        client.close()
    place = urlsplit(llum.http).netloc
    for password in (DEVICE, f"{DEVICE}!"):
        connection = http.client.HTTPConnection(place, timeout=60)
        body = {**told, "version": "11.2", "user": "scale", "password": password, "modelname": "alice"}
        connection.request("POST", "/tell", json.dumps(body))
        connection.getresponse().read()
        connection.close()


async def oauth(llum: Llum) -> dict[str, str]:
    """Have a client sign in with its secret and a code, and refresh; give all that was secret, codes and tokens too."""
    async with Client.connect(llum.nats) as client:
        clients, issuing = Clients(client.bus), Issuing(client.bus, Tokens(client.bus))
        await clients.add(OAuthClient(id="kitchen", name="kitchen", kind="confidential", legacy=True))
        secret = await clients.new_secret("kitchen")
        registration = (await access(client.requests, "alice", "kitchen")).registration
        code = await issuing.issue_code("kitchen", "alice", registration, "", "")
    shown = {"client_id": "kitchen", "client_secret": secret}
    given = post_form(llum, {**shown, "grant_type": "authorization_code", "code": code})
    again = post_form(llum, {**shown, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]})
    wrong = {**shown, "grant_type": "refresh_token", "refresh_token": given["refresh_token"][:-1]}
    assert "error" in post_form(llum, wrong)
    tokens = [
        one for answer in (given, again) for one in (answer["access_token"], answer["refresh_token"].split(".")[2])
    ]
    return {secret: "a client's secret", code: "a code"} | dict.fromkeys(tokens, "a token of OAuth")


def post_form(llum: Llum, form: dict[str, str]) -> dict[str, str]:
    connection = http.client.HTTPConnection(urlsplit(llum.http).netloc, timeout=60)
    connection.request("POST", "/token", urllib.parse.urlencode(form))
    answer: dict[str, str] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def shown_id(llum: Llum) -> str:
    listed = llum.run("admin", "token", "list", "alice")
    return next(line.split()[0] for line in listed.splitlines() if "kitchen" in line)


def first_link(output: Path) -> str | None:
    found = re.search(r"/sign-up\?link=(\S+)", output.read_text("utf-8", "replace"))
    return found[1] if found else None


def found_in(folder: Path, secrets: dict[str, str]) -> list[str]:
    """Say which secrets stand where."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [
        f"{what} is in {file.relative_to(folder)}"
        for file in files
        for secret, what in secrets.items()
        if secret.encode() in file.read_bytes()
    ]
