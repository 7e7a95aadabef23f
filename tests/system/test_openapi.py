"""schemathesis sends what the OpenAPI document allows, and what it does not, to a real edge.

Goal: no fault, no status that is not documented, and bodies as the document says. Method: whoever sends is an
administrator who has just signed in, with the token of a page, and comes from another address each time, so that
nothing is slowed down. What is sent follows from a fixed seed.
"""

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import Failure, FailureGroup, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from identity.oauth.clients import Clients, OAuthClient
from identity.oauth.issuing import Issuing
from identity.tokens import Tokens
from llum.client import Client
from llum.people.accounts import accounts_of
from tests.browser.stage import give_session, in_a_loop
from tests.system.harness import Llum

pytestmark = pytest.mark.long

EXAMPLES = 80
"""Requests to each endpoint: about a minute for all."""

ENDLESS = "/changes"
"""What the paths end with whose answers go on until the right to know ends."""

QUESTIONS = 5
"""Requests of a client that wait for the person's decision."""

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

_addresses = (f"192.0.{high}.{low}" for high, low in itertools.product(range(2, 256), range(1, 255)))


LIKELY: dict[str, tuple[Any, ...]] = {
    "actions": ("ask", "tell"),
    "app": ("food", "nobody"),
    "audience": ("", "https://api.example/"),
    "client_id": ("food", "api", "fresh"),
    "contexts": ({}, {"gpii-default": {"preferences": {"http://registry.gpii.net/common/fontSize": 18}}}),
    "client_name": ("Food log",),
    "code_challenge": ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",),
    "code_challenge_method": ("S256",),
    "grant_type": ("refresh_token", "password"),
    "resource": ("",),
    "grant_types": (["authorization_code"], ["refresh_token"]),
    "key": ("carla", "me"),
    "merge": ("true", "no"),
    "term": ("http://registry.gpii.net/common/fontSize", "display.screenEnhancement.fontSize"),
    "view": ("flat", "ISO24751", "own"),
    "home": ("", "https://log.example/"),
    "id": ("addOneForMe", "food|friendly_name", "food|secret", "revoke", "end_sign_in"),
    "origins": ("", "https://log.example"),
    "password": ("staple battery correct",),
    "place": ("Personal", "Personal/firstname", ""),
    "redirect_uri": ("https://log.example/cb",),
    "redirect_uris": ("https://log.example/cb", ["https://log.example/cb"], ["http://127.0.0.1/"]),
    "response_type": ("code",),
    "response_types": (["code"],),
    "scope": ("ask:Personal", "model", "owner"),
    "token_endpoint_auth_method": ("none", "client_secret_basic"),
    "username": ("alice",),
    "value": ("food", "Food log"),
    "verb": ("ask", "notify"),
}
"""Values that mean something: by chance alone few requests would get beyond the first check."""


class Sender:
    """What goes with each request."""

    def __init__(self, llum: Llum, sid: str, likely: dict[str, tuple[Any, ...]]) -> None:
        self.base = llum.http
        self.cookies = {"llumsessionid": sid, "llumprofile": "passkey"}
        answer = httpx.get(f"{self.base}/me", cookies=self.cookies, headers={"Accept": "application/json"})
        self.csrf = answer.json()["csrf_token"]
        self.likely = likely | {"request": tuple(self.question() for _ in range(QUESTIONS))}
        self._llum = llum

    def question(self) -> str:
        """Have the client ask for a slice, and give what names that question."""
        asked = {
            "response_type": "code",
            "client_id": "food",
            "redirect_uri": "https://log.example/cb",
            "scope": "ask:Personal",
            "code_challenge": LIKELY["code_challenge"][0],
            "code_challenge_method": "S256",
        }
        answer = httpx.get(f"{self.base}/authorize", params=asked, headers={"Accept": "text/html"})
        return parse_qs(urlsplit(answer.headers["Location"]).query)["request"][0]

    def mend(self) -> None:
        """Bring back what earlier requests have deleted."""
        in_a_loop(lambda: mend(self._llum))

    def headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "Cookie": cookie,
            "X-CSRF-Token": self.csrf,
            "Origin": self.base,
            "X-Forwarded-For": next(_addresses),
        }


class ForeignLlum(Llum):
    """One behind a proxy, where programs may register themselves, and use preferences."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "LLUM_PROXIES": "127.0.0.1",
            "LLUM_CLIENT_REGISTRATIONS": "10000",
            "LLUM_PASSWORD_GRANT": "true",
            "LLUM_PREFERENCES_OPEN": "true",
            "LLUM_PREFERENCES_OPEN_ANYWHERE": "true",
        }


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    """Give what a request needs to come from an administrator, on an llum with a client."""
    llum = ForeignLlum(tmp_path_factory.mktemp("openapi"))
    try:
        llum.start()
        tokens = in_a_loop(lambda: fill(llum))
        yield Sender(llum, give_session(llum), LIKELY | tokens)
    finally:
        llum.clean_up()


async def fill(llum: Llum) -> dict[str, tuple[Any, ...]]:
    """Make an account, an app that has signed in, a client and a resource server; give secrets and tokens of these."""
    async with Client.connect(data_dir=llum.data_dir, app="llum") as client:
        await accounts_of(client).register("alice", admin=True)
        registration = (await client.register_app("alice", "food", "Food log")).result
        secret = await add_clients(client)
        issuing = Issuing(client.bus, Tokens(client.bus))
        found = await issuing.begin_family("alice", "food", registration)
        meant = await issuing.begin_family("alice", "food", registration, "https://api.example/")
        return {
            "client_secret": ("", secret),
            "refresh_token": (found.refresh_token,),
            "token": (found.access_token, found.refresh_token, meant.access_token),
        }


async def mend(llum: Llum) -> None:
    async with Client.connect(data_dir=llum.data_dir, app="llum") as client:
        await save_food(Clients(client.bus))


async def save_food(clients: Clients) -> None:
    if await clients.find("food") is None:
        # What the requests before have deleted is the same client still.
        await clients.add(OAuthClient("food", "Food log", redirect_uris=["https://log.example/cb"]), again=True)
    await clients.set_icon("food", PNG)


async def add_clients(client: Client) -> str:
    clients = Clients(client.bus)
    await save_food(clients)
    await clients.save(OAuthClient("api", "A server", kind="confidential", audience="https://api.example/"))
    return await clients.new_secret("api")


def with_likely(schema: Any, likely: dict[str, tuple[Any, ...]], name: str = "") -> Any:
    """Give a document in which each member of a request has one of its likely values."""
    if isinstance(schema, list):
        return [with_likely(one, likely, name) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if name in likely and "type" in schema:
        return {"enum": list(likely[name])}
    if "in" in schema and "name" in schema:
        return schema | {"schema": with_likely(schema["schema"], likely, schema["name"])}
    changed = {key: value if key == "responses" else with_likely(value, likely, key) for key, value in schema.items()}
    if "requestBody" in schema:
        for content in changed["requestBody"]["content"].values():
            members = content["schema"].get("properties", {})
            content["schema"] |= {"additionalProperties": False, "required": [one for one in members if one in likely]}
    return changed


def test_each_endpoint_answers_as_the_document_says(sender: Sender) -> None:
    """Whatever is sent to it. All that is wrong is told at the end."""
    document = httpx.get(f"{sender.base}/openapi.json").json()
    wrong: dict[str, object] = {}
    for one, likely in zip(endpoints(document), endpoints(with_likely(document, sender.likely)), strict=True):
        seen = set[int]()
        sender.mend()
        try:
            _send(one, likely, sender, seen)
        except (FailureGroup, Failure, AssertionError) as failure:
            wrong[f"{one.method} {one.path}"] = str(failure)
        print(one.method, one.path, sorted(seen))
    assert not wrong, "\n".join(f"{name}: {failure}" for name, failure in wrong.items())


def endpoints(document: Any) -> list[Any]:
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


def _send(endpoint: Any, likely: Any, sender: Sender, seen: set[int]) -> None:
    """Send to one endpoint what means something, what fits, and what does not. What goes wrong is raised."""
    negative = endpoint.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @given(case=likely.as_strategy() | endpoint.as_strategy() | negative)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def sent(case: Any) -> None:
        if endpoint.path.endswith(ENDLESS):
            seen.add(_begun(endpoint, case, sender))
            return
        response = case.call(base_url=sender.base, headers=sender.headers(), allow_redirects=False, timeout=60)
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    sent()


def _begun(endpoint: Any, case: Any, sender: Sender) -> int:
    """Send to an endpoint whose answer goes on: see how it begins, and hang up. Gives the status."""
    request = case.as_transport_kwargs(base_url=sender.base, headers=sender.headers())
    with requests.request(**request, stream=True, timeout=60) as response:
        documented = endpoint.definition.raw["responses"]
        assert str(response.status_code) in documented, f"status {response.status_code} of {response.url}"
        kinds = documented[str(response.status_code)]["content"]
        assert response.headers["Content-Type"].partition(";")[0] in kinds, response.url
        return response.status_code
