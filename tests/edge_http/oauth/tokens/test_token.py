"""`/token`: who gets tokens for a code or a refresh token, and who does not."""

import asyncio
import base64
import logging
from urllib.parse import quote

import pytest

from edge_http.oauth.guard import REFRESHES
from identity.throttle import ATTEMPTS, SOURCE_ATTEMPTS
from schemas.commands import DeleteApp
from schemas.grants import Consent
from schemas.slices import Action, Slice
from tests.edge_http.oauth.tokens.conftest import ORIGIN, PUBLIC_URL, REDIRECT, RESOURCE, VERIFIER, Town
from tests.waiting import eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_client_gets_tokens_for_a_code(town: Town) -> None:
    """And refreshes them; the access tokens stand for person and app."""
    tokens = await town.signed_in()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert await town.me(tokens["access_token"]) == 200
    refreshed = await town.refresh(tokens["refresh_token"])
    assert refreshed.status == 200
    assert await town.me(refreshed.body["access_token"]) == 200
    principal = await town.authenticator.by_token(refreshed.body["access_token"])
    assert principal is not None
    assert (principal.user, principal.app, principal.oauth) == ("alice", "fitbit", True)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded; charset=utf-8"])
async def test_the_original_s_clients_post_to_request_token_with_any_content_type(
    town: Town, content_type: str
) -> None:
    """With their secret in the form, and without PKCE."""
    code = await town.code("old", "")
    form = f"grant_type=authorization_code&code={code}&redirect_uri={quote(REDIRECT, safe='')}&client_id=old"
    body = f"{form}&client_secret={town.secrets['old']}".encode()
    headers = {"Content-Type": content_type} if content_type else {}
    answered = await town.post("/request_token", body, headers=headers, skip_auto_headers=["Content-Type"])
    assert answered.status == 200
    principal = await town.authenticator.by_token(answered.body["access_token"])
    assert principal is not None
    assert not principal.oauth
    again = await town.refresh(answered.body["refresh_token"], "old")
    assert again.status == 200


async def test_4_a_verifier_without_a_stored_challenge_is_refused(town: Town) -> None:
    """An old client that sends one was not asked for it: somebody has taken the challenge out."""
    answered = await town.redeem(await town.code("old", ""), "old", code_verifier=VERIFIER)
    assert (answered.status, answered.error) == (400, "invalid_request")


@pytest.mark.parametrize("verifier", ["", "w" * 43, "v" * 42, "v" * 43 + "\n"])
@pytest.mark.parametrize("client_id", ["fitbit", "server"])
async def test_7_a_code_is_bound_to_its_challenge(town: Town, client_id: str, verifier: str) -> None:
    """For public and for confidential clients."""
    answered = await town.redeem(await town.code(client_id), client_id, code_verifier=verifier)
    assert answered.status == 400
    assert answered.error in {"invalid_request", "invalid_grant"}


async def test_7_a_new_client_redeems_no_code_without_a_challenge(town: Town) -> None:
    """Should there ever be one."""
    for client_id in ("fitbit", "server"):
        answered = await town.redeem(await town.code(client_id, ""), client_id, code_verifier="")
        assert answered.status == 400


async def test_7_a_code_is_bound_to_its_client(town: Town) -> None:
    """Another one that has it gets nothing, whatever secret it has; its own client still does."""
    code = await town.code("fitbit")
    answered = await town.redeem(code, "server")
    assert (answered.status, answered.error) == (400, "invalid_grant")
    assert (await town.redeem(code)).status == 200


@pytest.mark.parametrize("redirect_uri", ["", REDIRECT + "/", "https://evil.example/cb"])
async def test_7_a_code_is_bound_to_its_redirect_address(town: Town, redirect_uri: str) -> None:
    """It is sent again, exactly as before."""
    answered = await town.redeem(await town.code(), redirect_uri=redirect_uri)
    assert (answered.status, answered.error) == (400, "invalid_grant")


async def test_5_of_many_who_redeem_a_code_at_once_one_succeeds(town: Town) -> None:
    """Over HTTP, too."""
    code = await town.code()
    answered = await asyncio.gather(*(town.redeem(code) for _ in range(8)))
    assert sorted(one.status for one in answered) == [200] + [400] * 7
    assert {one.error for one in answered if one.status == 400} == {"invalid_grant"}


async def test_6_a_code_that_comes_again_ends_the_tokens_that_were_issued_from_it(town: Town) -> None:
    """The refresh token, too."""
    code = await town.code()
    tokens = (await town.redeem(code)).body
    assert (await town.redeem(code)).error == "invalid_grant"
    assert await town.me(tokens["access_token"]) == 401
    assert (await town.refresh(tokens["refresh_token"])).error == "invalid_grant"


async def test_9_there_is_no_password_grant_here(town: Town) -> None:
    """Nor any other that is not named."""
    for grant_type in ("password", "client_credentials", "token", "refresh_token refresh_token"):
        answered = await town.token(grant_type=grant_type, username="alice", password="x", client_id="fitbit")
        assert (answered.status, answered.error) == (400, "unsupported_grant_type")


async def test_13_a_refresh_cannot_change_the_client(town: Town) -> None:
    """Whatever secret that has."""
    tokens = await town.signed_in()
    assert (await town.refresh(tokens["refresh_token"], "server")).error == "invalid_grant"
    assert (await town.refresh(tokens["refresh_token"])).status == 200


async def test_16_a_token_for_another_server_is_worthless_here(town: Town) -> None:
    """It is meant for whom the person was asked; a refresh or a redirect changes nothing."""
    tokens = await town.signed_in(audience=RESOURCE)
    assert await town.me(tokens["access_token"]) == 401
    refreshed = await town.refresh(tokens["refresh_token"], resource=RESOURCE)
    assert refreshed.status == 200
    assert await town.me(refreshed.body["access_token"]) == 401
    for resource in (PUBLIC_URL, "https://other.example", "https://nobody.example"):
        answered = await town.refresh(refreshed.body["refresh_token"], resource=resource)
        assert (answered.status, answered.error) == (400, "invalid_target")


async def test_16_llum_itself_may_be_named(town: Town) -> None:
    """And nothing else in its place."""
    code = await town.code()
    assert (await town.redeem(code, resource=RESOURCE)).error == "invalid_target"
    assert (await town.redeem(code, resource=PUBLIC_URL + "/")).status == 200


async def test_19_answers_with_tokens_are_stored_by_nobody(town: Town) -> None:
    """Nor are errors."""
    code = await town.code()
    for answered in (await town.redeem(code), await town.redeem(code)):
        assert (answered.headers["Cache-Control"], answered.headers["Pragma"]) == ("no-store", "no-cache")


async def test_24_a_parameter_that_is_there_twice_is_refused(town: Town) -> None:
    """Whichever it is, also with the same value."""
    code = await town.code()
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "fitbit"}
    fields["code_verifier"] = VERIFIER
    for name in [*fields, "resource", "anything"]:
        pairs = [*fields.items(), (name, fields.get(name, "a"))]
        pairs += [] if name in fields else [(name, "a")]
        answered = await town.post("/token", pairs)
        assert (answered.status, answered.error) == (400, "invalid_request"), name
    assert (await town.token(**fields)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"grant_type=%FF",
        b"grant_type=authorization_code&code=%C3%BC&client_id=fitbit",
        b"grant_type=refresh_token&refresh_token=%22&client_id=fitbit",
        b"grant_type=refresh_token&refresh_token=%00&client_id=fitbit",
        b"grant_type=refresh_token&client_id=%C3%BC",
        b"grant_type=authorization_code&code=x&client_id=fitbit&redirect_uri=%22%C3%BC",
        b"grant_type=%22%5C%0A",
        b"grant_type=refresh_token&client_id=" + b"x" * 10_000,
        b"&" * 10_000,
        b'{"grant_type": "refresh_token"}',
    ],
)
async def test_what_is_wrong_is_answered_in_the_form_of_an_error(town: Town, body: bytes) -> None:
    """Never by a fault of llum."""
    answered = await town.post("/token", body, headers=FORM)
    assert answered.status in {400, 401}
    assert answered.error in {"invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type"}
    assert answered.body["code"]
    description = answered.body["error_description"]
    assert description.isascii()
    assert not {'"', "\\", "\n"} & set(description)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"server").decode(),
        "Basic " + base64.b64encode(b"server:wrong").decode(),
        "Basic " + base64.b64encode(b"server:%FF").decode(),
        "Basic " + base64.b64encode(b"nobody:x").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Bearer llum_x",
    ],
)
async def test_a_client_that_does_not_show_that_it_is_that_one_is_told_how(town: Town, header: str) -> None:
    """By a 401 with a challenge, whatever is in the header."""
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answered = await town.post("/token", form, headers={"Authorization": header})
    assert (answered.status, answered.error) == (401, "invalid_client")
    assert answered.headers["WWW-Authenticate"].startswith("Basic ")


async def test_a_client_shows_its_secret_in_a_header_or_in_the_form(town: Town) -> None:
    """Not in both, and never without it."""
    basic, form = town.basic("server"), {"grant_type": "authorization_code"}
    form |= {"redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    answered = await town.post("/token", {**form, "code": await town.code("server")}, headers=basic)
    assert answered.status == 200
    answered = await town.post("/token", {**form, "code": "x", "client_secret": "x"}, headers=basic)
    assert (answered.status, answered.error) == (400, "invalid_request")
    answered = await town.post("/token", {**form, "code": "x", "client_id": "fitbit"}, headers=basic)
    assert (answered.status, answered.error) == (400, "invalid_request")
    code = await town.code("server")
    for secret in ({}, {"client_secret": "wrong"}, {"client_secret": town.secrets["old"]}):
        answered = await town.post("/token", {**form, "code": code, "client_id": "server", **secret})
        assert (answered.status, answered.error) == (401, "invalid_client")


async def test_a_public_client_has_no_secret(town: Town) -> None:
    """One that sends some is another one."""
    answered = await town.redeem(await town.code(), client_secret="anything")
    assert (answered.status, answered.error) == (401, "invalid_client")


async def test_guesses_at_a_secret_are_limited(town: Town) -> None:
    """Of each client, from each address."""
    for _ in range(ATTEMPTS):
        assert (await town.redeem("x", "server", client_secret="wrong")).status == 401
    limited = await town.redeem("x", "server", client_secret="wrong")
    assert (limited.status, limited.body["code"]) == (429, "rate_limited")
    assert int(limited.headers["Retry-After"]) > 0


async def test_guesses_at_tokens_are_limited_and_what_is_good_is_none(town: Town) -> None:
    """From each address."""
    tokens = await town.signed_in()
    for _ in range(SOURCE_ATTEMPTS):
        assert (await town.refresh("llumr_x")).status == 400
    assert (await town.refresh(tokens["refresh_token"])).status == 429


async def test_refreshes_of_a_sign_in_are_limited(town: Town) -> None:
    """Each leaves an access token for an hour."""
    tokens = await town.signed_in()
    answered = [await town.refresh(tokens["refresh_token"]) for _ in range(REFRESHES + 1)]
    assert [one.status for one in answered] == [200] * REFRESHES + [429]


async def test_a_removed_app_refreshes_nothing(town: Town) -> None:
    """Its sign-in is over, also when it is registered again."""
    tokens, code, before = await town.signed_in(), await town.code(), await town.registration()
    await town.llum.do(DeleteApp(id=town.llum.next_id(), app="fitbit"))
    await town.llum.grant("alice", "fitbit")

    async def is_known() -> bool:
        return not await town.authenticator.registrations.holds("alice", "fitbit", before)

    await eventually(is_known, "the edge has heard of it")
    assert (await town.redeem(code)).error == "invalid_grant"
    assert (await town.refresh(tokens["refresh_token"])).error == "invalid_grant"
    assert await town.authenticator.oauth.families_of("alice") == []


async def test_a_deleted_client_gets_nothing(town: Town) -> None:
    """Its tokens end everywhere."""
    tokens, code = await town.signed_in(), await town.code()
    await town.authenticator.clients.delete("fitbit")
    assert await town.me(tokens["access_token"]) == 401
    assert (await town.refresh(tokens["refresh_token"])).error == "invalid_client"
    assert (await town.redeem(code)).error == "invalid_client"


async def test_only_the_scripts_of_a_client_s_own_pages_read_its_tokens(town: Town) -> None:
    """Those that are registered with it."""
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        code = await town.code()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "fitbit"}
        answered = await town.post("/token", form | {"code_verifier": VERIFIER}, headers={"Origin": origin})
        assert answered.status == 200
        assert answered.headers.get("Access-Control-Allow-Origin") == allowed


async def test_14_no_token_is_in_any_log(
    town: Town, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where everything is logged that libraries have to say."""
    caplog.set_level(logging.DEBUG)
    tokens = await town.signed_in("server")
    refreshed = (await town.refresh(tokens["refresh_token"], "server")).body
    await town.post("/revoke", {"token": refreshed["refresh_token"]}, headers=town.basic("server"))
    written = caplog.text + "".join(capfd.readouterr())
    assert "server" in written
    for secret in (tokens["access_token"], tokens["refresh_token"], refreshed["refresh_token"], town.secrets["server"]):
        assert secret[10:40] not in written


async def test_9_no_password_is_taken_unless_the_operator_wants_it(town: Town) -> None:
    """By default."""
    form = {"grant_type": "password", "username": "alice", "password": "x", "client_id": "old"}
    answered = await town.post("/access_token", form, headers=town.basic("old"))
    assert (answered.status, answered.error) == (400, "unsupported_grant_type")


async def decide(town: Town, *actions: Action) -> None:
    """Have alice decide what the app may do from now on."""
    granted = [Slice(paths=["c"], actions=list(actions))] if actions else []
    await town.llum.do(Consent(id=town.llum.next_id(), app="fitbit", decision="changed", granted=granted))


async def test_an_answer_says_what_was_granted(town: Town) -> None:
    """As scope and as slices, as the person's model has it now; what a client asks for changes nothing."""
    await decide(town, "ask", "tell")
    answered = await town.redeem(await town.code(), scope="owner model")
    assert answered.body["scope"] == "ask:c tell:c"
    (granted,) = answered.body["authorization_details"]
    assert (granted["type"], granted["paths"], granted["actions"]) == ("llum_model", ["c"], ["ask", "tell"])


async def test_13_a_refresh_says_and_gives_what_is_granted_now(town: Town) -> None:
    """Whatever scope it asks for: a narrower grant is said, and a wider one is not to be had."""
    tokens = await town.signed_in()
    await decide(town, "tell")
    details = '[{"type": "llum_model", "paths": [""], "actions": ["ask", "tell", "make", "delete"]}]'
    refreshed = await town.refresh(tokens["refresh_token"], scope="model owner", authorization_details=details)
    assert (refreshed.status, refreshed.body["scope"]) == (200, "tell:c")
    (granted,) = refreshed.body["authorization_details"]
    assert granted["actions"] == ["tell"]


async def test_an_app_that_may_do_nothing_is_told_no_scope(town: Town) -> None:
    """There is no word for an empty one."""
    await decide(town)
    answered = await town.redeem(await town.code())
    assert answered.status == 200
    assert "scope" not in answered.body
    assert answered.body["authorization_details"] == []
