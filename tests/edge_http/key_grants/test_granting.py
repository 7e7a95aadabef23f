"""`/access_token` of the preferences service: who gets a token for a key, and what is checked first."""

from pathlib import Path
from typing import Any, Final

import pytest

from identity.throttle import ATTEMPTS
from tests.actors.serving import serving
from tests.edge_http.key_grants.conftest import SECRET, KeyTown
from tests.edge_http.oauth.tokens.conftest import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNAUTHORIZED: Final = {"error": "server_error", "error_description": "Unauthorized"}


def invalid(description: str) -> dict[str, str]:
    return {"error": "invalid_request", "error_description": description}


def unsupported(kind: str) -> dict[str, str]:
    return {"error": "unsupported_grant_type", "error_description": f"Unsupported grant type: {kind}"}


CHECKS: Final[list[tuple[dict[str, Any], int, Any]]] = [
    ({"client_secret": ""}, 401, "Unauthorized"),
    ({"client_secret": "wrong"}, 401, UNAUTHORIZED),
    ({"client_secret": SECRET, "grant_type": None}, 501, unsupported("undefined")),
    ({"grant_type": "code"}, 501, unsupported("code")),
    ({"grant_type": "password", "username": ""}, 400, invalid("Missing required parameter: username")),
    ({"username": "nobody", "password": None}, 400, invalid("Missing required parameter: password")),
    ({"password": "x", "scope": ["a", "b"]}, 400, invalid("Invalid parameter: scope must be a string")),
    ({"scope": "anything"}, 401, UNAUTHORIZED),
]
"""Each changes the request before it so that one more check is passed, and those after it still fail."""


async def test_checks_come_in_their_order(town: KeyTown) -> None:
    """What is wrong first is what is said, whatever else is wrong."""
    sent: dict[str, Any] = {"grant_type": None, "username": "", "password": None}
    for change, status, body in CHECKS:
        sent |= change
        said = await town.ask_token("all_wrong", **{"scope": ["a", "b"]} | sent)
        assert (said.status, said.body) == (status, body), change
        assert said.headers["Cache-Control"] == "no-store"


async def test_a_program_gets_a_token_for_a_key(town: KeyTown) -> None:
    """By a form or JSON, for a key that is there, that has no safe, or that is not there; each time another one."""
    said = await town.ask_token()
    assert (said.status, said.body | {"access_token": ""}) == (
        200,
        {"access_token": "", "expiresIn": 3600, "token_type": "Bearer"},
    )
    assert (said.headers["Cache-Control"], said.headers["Pragma"]) == ("no-store", "no-cache")
    form = {"grant_type": "password", "client_id": "pilot", "client_secret": SECRET, "password": "1"}
    by_json = await town.send(json={**form, "username": "carla"})
    tokens = [said.body["access_token"], by_json.body["access_token"]]
    assert len(set(tokens)) == 2
    for token in tokens:
        grant = await town.authenticator.key_tokens.grant(token)
        assert grant is not None
        assert grant.key == "carla"
    for key in ("new", "not there", "Ünïcode ?/#"):
        assert (await town.ask_token(key=key)).status == 200


ODD_BODIES: Final = [
    ("{", 400),
    ("7", 400),
    ("[]", 401),
    ("{}", 401),
    ("", 401),
    ('{"client_id": ["a"], "client_secret": {"a": 1}}', 401),
]


async def test_an_odd_body_is_answered(town: KeyTown) -> None:
    """What is no JSON is refused; what has no client in it is nobody's."""
    for body, status in ODD_BODIES:
        said = await town.send(data=body, headers={"Content-Type": "application/json"})
        assert said.status == status, body


async def test_who_may_not_have_a_token_is_not_told_why(town: KeyTown) -> None:
    """Be it for the client, the credential, the address or the key."""
    await town.authenticator.preference_keys.revoke("lost")
    requests = [
        ("nobody", "new"),
        ("revoked", "new"),
        ("without_client", "new"),
        ("strange", "new"),
        ("strange_type", "new"),
        ("nowhere", "new"),
        ("existing_only", "not there"),
        ("pilot", "lost"),
        ("pilot", "a\nb"),
    ]
    for client, key in requests:
        said = await town.ask_token(client, key)
        assert (said.status, said.body) == (401, UNAUTHORIZED), (client, key)
    assert (await town.ask_token("existing_only", "new")).status == 200


ADDRESSES: Final = [
    ("at_home", "10.9.9.9", 200),
    ("at_home", "192.0.2.1", 200),
    ("at_home", "::ffff:192.0.2.1", 200),
    ("at_home", "192.0.2.1, 203.0.113.9", 401),
    ("at_home", "203.0.113.9, 192.0.2.1", 200),
    ("at_home", "garbage", 401),
    ("at_home", None, 401),
    ("pilot", "garbage, , x", 200),
]


async def test_an_address_is_what_a_known_proxy_says(town: KeyTown) -> None:
    """Of a list the last that is no proxy's; the sender writes all those before it."""
    for client, forwarded, status in ADDRESSES:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        assert (await town.ask_token(client, headers=headers)).status == status, forwarded


async def test_guesses_are_limited(town: KeyTown) -> None:
    """At secrets, and at keys by a client that may have tokens only for those that are there."""
    for _ in range(ATTEMPTS):
        assert (await town.ask_token("guessing", "guess")).status == 401
    said = await town.ask_token("guessing", "carla")
    assert (said.status, said.body["error"]) == (429, "temporarily_unavailable")
    assert int(said.headers["Retry-After"]) >= 1
    for _ in range(ATTEMPTS):
        assert (await town.ask_token("guessed", client_secret="wrong")).status == 401
    assert (await town.ask_token("guessed")).status == 429


async def test_the_grants_live_side_by_side(tmp_path: Path) -> None:
    """A client of the service goes the one way, one of llum the other; a stranger is told what the original says."""
    async with serving(tmp_path) as llum:
        town = KeyTown(llum, key_grant=True, password_grant=True)
        async with town.http:
            await town.settle()
            await town.add("server", "confidential")
            await town.add("old", "confidential", legacy=True)
            secret = town.secrets["server"]
            assert (await town.ask_token("server", client_secret=secret)).body["error"] == "unauthorized_client"
            assert (await town.send(data={"grant_type": "password"}, headers=town.basic("server"))).status == 400
            assert (await town.ask_token("stranger")).body == UNAUTHORIZED
            assert (await town.ask_token("old")).status == 200, "a credential goes before a client of llum of its id"


async def test_it_is_off_unless_the_operator_wants_it(tmp_path: Path) -> None:
    """What it says does not tell whether there is such a client."""
    async with serving(tmp_path) as llum:
        town = Town(llum)
        async with town.http:
            answered = await town.post("/access_token", {"grant_type": "password", "client_id": "pilot"})
            assert answered.error == "unsupported_grant_type"


async def test_metadata_do_not_name_it(town: KeyTown) -> None:
    """Programs that knew the original know it."""
    for address in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"):
        assert "access_token" not in await (await town.http.get(address)).text()


@pytest.mark.parametrize(
    ("sent", "kind", "hinted"),
    [
        (b"3", "application/json", '{"grant_type": "password"'),
        (b"{", "application/json", '{"grant_type": "password"'),
        (b"client_id=%FF", "application/x-www-form-urlencoded", "--data-urlencode"),
        ("client_id=é".encode(), "application/x-www-form-urlencoded", "--data-urlencode"),
        (b"&".join([b"a=1"] * 100), "application/x-www-form-urlencoded", "at most 64 fields"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_what_to_send(
    town: KeyTown, sent: bytes, kind: str, hinted: str
) -> None:
    """In words of whoever sends it: JSON, or a form as curl sends it."""
    said = await town.send(data=sent, headers={"Content-Type": kind})
    assert (said.status, hinted in str(said.body)) == (400, True), said.body
