"""Clients that others wrote, unmodified, get a slice of a model and lose it, from the processes that a user starts."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from authlib.integrations.httpx_client import AsyncOAuth2Client
from requests_oauthlib import OAuth2Session

from tests.browser.stage import PERSON
from tests.clients.node import node_modules
from tests.programs import need
from tests.system.consenting_person import WITHIN_S, ConsentingPerson, Shown
from tests.system.harness import Llum

pytestmark = pytest.mark.long

CALLBACK = "http://127.0.0.1:9/back"
SCRIPTS = Path(__file__).parents[1] / "clients"
DETAILS = json.dumps([{"type": "llum_model", "paths": ["Sport"], "actions": ["ask"], "purpose": "to cheer you on"}])
OLD_SCOPES = ("https://www.personis.info/auth/model", "https://www.personis.com/auth/model")
"""Of the original's log-llum, and of its command line client."""


@pytest.fixture(scope="module")
def llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """One where alice has steps, and no app has anything."""
    llum = Llum(tmp_path_factory.mktemp("foreign"))
    try:
        llum.start()
        llum.run("admin", "person", "add", PERSON, "--first-name", "Alice")
        definition = llum.folder / "sport.mdef"
        definition.write_text('@@Sport: description="Moving"\n--steps: type="attribute", value_type="number"\n')
        llum.run("mdef", "apply", PERSON, str(definition))
        llum.run("tell", PERSON, "Sport/steps", "4200")
        yield llum
    finally:
        llum.clean_up()


@pytest.fixture
def home(llum: Llum) -> str:
    """The address of llum, as its pages and metadata have it."""
    return llum.http.replace("127.0.0.1", "localhost")


@pytest.fixture
def alice(llum: Llum) -> ConsentingPerson:
    return ConsentingPerson(llum)


def register(llum: Llum, name: str, *options: str) -> str:
    """Make a client, and give its secret; an empty one for a public client."""
    made = json.loads(
        llum.run("admin", "client", "add", name, "--name", name, "--redirect", CALLBACK, *options, "--json")
    )
    return str(made.get("secret") or "")


def steps(answer: Any) -> Any:
    """Give the value in an answer of the Personis protocol."""
    return {one["Identifier"]: one["value"] for one in answer}["steps"]


def asking(*context: str) -> dict[str, Any]:
    return {"version": "11.2", "modelname": "-", "context": list(context)}


def test_requests_oauthlib(llum: Llum, alice: ConsentingPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refreshes by itself, too."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # llum is on this machine
    secret = register(llum, "by-requests")
    kept: list[dict[str, Any]] = []
    proof = {"client_id": "by-requests", "client_secret": secret}
    app = OAuth2Session(
        "by-requests", redirect_uri=CALLBACK, scope=["ask:Sport"], pkce="S256",
        auto_refresh_url=f"{llum.http}/token", auto_refresh_kwargs=proof, token_updater=kept.append,
    )  # fmt: skip
    url, _ = app.authorization_url(f"{llum.http}/authorize")
    got = app.fetch_token(f"{llum.http}/token", authorization_response=alice.is_led(url), client_secret=secret)
    assert got["scope"] == ["ask:Sport"]
    assert steps(app.post(f"{llum.http}/ask", json=asking("Sport")).json()["val"]) == 4200
    denied = app.post(f"{llum.http}/ask", json=asking("Personal"))
    assert denied.status_code == 403
    assert 'error="insufficient_scope", scope="ask:Personal"' in denied.headers["WWW-Authenticate"]
    app.token = {**got, "expires_in": -10, "expires_at": 1}
    assert steps(app.post(f"{llum.http}/ask", json=asking("Sport")).json()["val"]) == 4200
    assert kept[0]["access_token"] != got["access_token"]


async def test_authlib_s_httpx_client(llum: Llum, home: str, alice: ConsentingPerson) -> None:
    """What it finds is what it uses; what it revokes is worth nothing."""
    register(llum, "by-httpx", "--public")
    async with AsyncOAuth2Client(
        "by-httpx", redirect_uri=CALLBACK, scope="ask:Sport", code_challenge_method="S256",
        token_endpoint_auth_method="none", timeout=WITHIN_S,
    ) as app:  # fmt: skip
        found = (await httpx.AsyncClient().get(f"{home}/.well-known/oauth-authorization-server")).json()
        app.metadata = found
        verifier = "v" * 50
        url, _ = app.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier)
        back = alice.is_led(url)
        got = await app.fetch_token(found["token_endpoint"], authorization_response=back, code_verifier=verifier)
        assert steps((await app.post(f"{home}/ask", json=asking("Sport"))).json()["val"]) == 4200
        again = await app.refresh_token(found["token_endpoint"])
        assert again["refresh_token"] != got["refresh_token"]
        answer = await app.revoke_token(found["revocation_endpoint"], again["refresh_token"], "refresh_token")
        assert answer.status_code == 200
        refused = await app.post(f"{home}/ask", json=asking("Sport"))
        assert refused.status_code == 401
        assert "resource_metadata=" in refused.headers["WWW-Authenticate"]


class Program:
    """A program for Node, which says in a line of JSON what it wants."""

    def __init__(self, folder: Path, name: str, **given: str) -> None:
        modules = node_modules()
        script = folder / name
        script.write_text((SCRIPTS / name).read_text())
        (folder / "node_modules").symlink_to(modules)
        command = [need("node"), str(script), json.dumps(given)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        said: dict[str, Any] = json.loads(line)
        return said

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_npm_s_oauth4webapi(llum: Llum, home: str, alice: ConsentingPerson, tmp_path: Path) -> None:
    """It is strict about what answers hold: metadata, `iss`, token responses, challenges."""
    secret = register(llum, "by-oauth4webapi")
    given = {"issuer": home, "clientId": "by-oauth4webapi", "secret": secret, "callback": CALLBACK}
    program = Program(tmp_path, "oauth4webapi.mjs", details=DETAILS, **given)
    try:
        program.tell(alice.is_led(program.hear()["go"]))
        learnt = program.hear()
    finally:
        program.close()
    assert learnt["resource"]["authorization_servers"] == [home]
    [slice_] = learnt["granted"]["authorization_details"]
    assert (slice_["paths"], slice_["actions"], slice_["purpose"]) == (["Sport"], ["ask"], "to cheer you on")
    assert steps(learnt["seen"]["val"]) == steps(learnt["later"]["val"]) == 4200
    [challenge] = learnt["denied"]["challenges"]
    assert learnt["denied"]["status"] == 403
    assert challenge["parameters"]["scope"] == "ask:Personal"
    assert learnt["revoked"]["status"] == 401


def test_npm_s_openid_client(llum: Llum, home: str, alice: ConsentingPerson, tmp_path: Path) -> None:
    """By a code, and as a device without a browser."""
    register(llum, "by-openid-client", "--public")
    given = {"issuer": home, "clientId": "by-openid-client", "callback": CALLBACK}
    program = Program(tmp_path, "openid_client.mjs", details=DETAILS, **given)
    try:
        program.tell(alice.is_led(program.hear()["go"]))
        device = program.hear()
        let_device_in(alice, device["at"], device["enter"])
        learnt = program.hear()
    finally:
        program.close()
    assert steps(learnt["seen"]["val"]) == steps(learnt["later"]["val"]) == steps(learnt["seenByDevice"]["val"]) == 4200
    assert learnt["byDevice"]["scope"] == "ask:Sport"


def let_device_in(alice: ConsentingPerson, at: str, code: str) -> None:
    """Type a code at the page that a device names, say that it is hers, and allow what it asks for."""
    asked = alice.send(alice.open(at), at, {"user_code": [code]})
    led = alice.send(Shown(asked.url, asked.text), "/device/confirm", {"user_code": [code], "answer": ["yes"]})
    alice.allow(alice.open(led.headers["Location"]))


@pytest.mark.parametrize("scope", OLD_SCOPES)
def test_what_the_original_s_clients_send(llum: Llum, alice: ConsentingPerson, scope: str) -> None:
    """As oauth2client sends it: no challenge, a scope of its own, the secret in the form, JSON and a newline.

    An expired token is a 401, by which they refresh, and try again.
    """
    name = f"old-{OLD_SCOPES.index(scope)}"
    secret = register(llum, name, "--legacy")
    given = {
        "client_id": name,
        "redirect_uri": CALLBACK,
        "scope": scope,
        "response_type": "code",
        "access_type": "offline",
    }
    url = requests.Request("GET", f"{llum.http}/authorize", params=given).prepare().url
    assert url is not None
    code = requests.utils.unquote(alice.is_led(url).partition("code=")[2].partition("&")[0])
    form = {"client_id": name, "client_secret": secret, "redirect_uri": CALLBACK, "scope": scope}
    got = exchange(llum, form | {"grant_type": "authorization_code", "code": code})
    assert call(llum, "bad", "access").status_code == 401
    token = exchange(llum, {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]} | form)[
        "access_token"
    ]
    assert call(llum, token, "access").json() == {"result": "ok", "val": True}
    made = call(llum, token, "mkcontext", context=["Apps"], contextobj={"Identifier": name, "perms": {"ask": True}})
    assert made.json()["val"] is True
    evidence = {"evidence_type": "explicit", "value": 9, "source": "llum-log", "time": 5}
    assert call(llum, token, "tell", context=["Sport"], componentid="steps", evidence=evidence).json()["val"] is None
    assert steps(call(llum, token, "ask", context=["Sport"]).json()["val"]) == 9
    # What only its owner may do is an error of the protocol, not a 403 by which they would refresh for ever.
    denied = call(llum, token, "deleteapp", app=name)
    assert (denied.status_code, denied.json()["result"]) == (200, "error")
    call(llum, token, "tell", context=["Sport"], componentid="steps", evidence=evidence | {"value": 4200})


def exchange(llum: Llum, form: dict[str, str]) -> dict[str, Any]:
    answer = requests.post(f"{llum.http}/request_token", data=form, timeout=WITHIN_S)
    assert answer.status_code == 200, answer.text
    got: dict[str, Any] = answer.json()
    return got


def call(llum: Llum, token: str, operation: str, **members: Any) -> requests.Response:
    """Call an operation as the original's client does."""
    body = json.dumps({"version": "11.2", "modelname": "-", "user": "", "password": ""} | members) + "\n"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return requests.post(f"{llum.http}/{operation}", data=body, headers=headers, timeout=WITHIN_S)
