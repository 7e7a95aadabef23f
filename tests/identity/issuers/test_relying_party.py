"""The conversation with an issuer: what is sent, what is asked how often, and what happens when the issuer is ill."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from aiohttp import web

from identity.issuers.configured import Issuer
from identity.issuers.failures import IssuerAway, IssuerRefuses, UnprovenError
from identity.issuers.fetching import MAX_ANSWER_BYTES, Answer, Fetcher
from identity.issuers.metadata import read_metadata
from identity.issuers.relying_party import ASKED_AGAIN_S, BELIEVED_S, RelyingParty
from identity.issuers.signing_keys import REFETCH_AFTER_S
from tests.identity.issuers.hostile import ACCESS_TOKEN, CLIENT_ID, OTHER_KEY, SECRET, SUB, HostileIssuer
from tests.identity.issuers.test_statement_29 import answer, transaction

DISCOVERY = "/.well-known/openid-configuration"
CALLBACK = "https://llum.example/signed-in/there"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def party(issuer: HostileIssuer, fetcher: Fetcher, clock: Clock) -> RelyingParty:
    return RelyingParty(issuer.as_configured(), fetcher, CALLBACK, monotonic=clock)


async def test_a_person_is_sent_with_all_that_must_come_back(issuer: HostileIssuer, party: RelyingParty) -> None:
    """State, nonce, the challenge of the verifier by S256, and exactly our address."""
    sent = urlsplit(await party.address("state-1", transaction()))
    assert sent._replace(query="").geturl() == f"{issuer.url}/authorize"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")
    assert {name: one for name, [one] in parse_qs(sent.query, strict_parsing=True).items()} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": "state-1",
        "nonce": "n" * 43,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


async def test_who_must_prove_anew_who_they_are_is_sent_so(
    issuer: HostileIssuer, party: RelyingParty, fetcher: Fetcher
) -> None:
    """With `max_age`; an issuer that does not say when that was is asked for what all issuers know."""
    sent = parse_qs(urlsplit(await party.address("s", transaction(max_age_s=300))).query)
    assert (sent["max_age"], sent["prompt"]) == (["300"], ["login"])
    silent = RelyingParty(issuer.as_configured(says_when=False), fetcher, CALLBACK)
    sent = parse_qs(urlsplit(await silent.address("s", transaction(max_age_s=300))).query)
    assert "max_age" not in sent
    assert sent["prompt"] == ["select_account"]
    assert (await silent.returned(transaction(max_age_s=300), answer(issuer))).sub == SUB


async def test_the_code_goes_back_with_its_verifier(issuer: HostileIssuer, party: RelyingParty) -> None:
    """And with the client's secret in the header, encoded as OAuth 2 wants it."""
    await party.returned(transaction(), answer(issuer))
    form = {"grant_type": "authorization_code", "code": "code-1", "redirect_uri": CALLBACK, "code_verifier": "v" * 43}
    assert issuer.forms == [form]
    encoded = base64.b64encode(f"{CLIENT_ID}:a+secret+of+llum+%2B+%2F+%26".encode()).decode()
    assert issuer.authorizations == [f"Basic {encoded}"]


async def test_the_secret_goes_where_the_issuer_wants_it(issuer: HostileIssuer, fetcher: Fetcher) -> None:
    """Into the form for one that takes it only there; a client without a secret sends its id."""
    issuer.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt", "client_secret_post"]
    await RelyingParty(issuer.as_configured(), fetcher, CALLBACK).returned(transaction(), answer(issuer))
    public = RelyingParty(issuer.as_configured(client_secret=None), fetcher, CALLBACK)
    await public.returned(transaction(), answer(issuer))
    assert [form.get("client_secret") for form in issuer.forms] == [SECRET, None]
    assert [form["client_id"] for form in issuer.forms] == [CLIENT_ID, CLIENT_ID]
    assert issuer.authorizations == [None, None]


async def test_the_profile_is_fetched_when_the_token_lacks_it(issuer: HostileIssuer, party: RelyingParty) -> None:
    """With the access token; what the ID token says counts before it."""
    proven = await party.returned(transaction(), answer(issuer))
    full = await party.with_profile(proven)
    assert full.claims["family_name"] == "Lovelace"
    assert issuer.authorizations[-1] == f"Bearer {ACCESS_TOKEN}"
    issuer.claims["given_name"] = "Augusta"
    asked = len(issuer.asked)
    said = await party.with_profile(await party.returned(transaction(), answer(issuer)))
    assert said.claims["given_name"] == "Augusta"
    assert "/userinfo" not in issuer.asked[asked:]


async def test_metadata_and_keys_are_fetched_once_and_again_in_an_hour(
    issuer: HostileIssuer, party: RelyingParty, clock: Clock
) -> None:
    """Also when many people come at once."""
    await asyncio.gather(*(party.returned(transaction(), answer(issuer)) for _ in range(5)))
    assert (issuer.asked.count(DISCOVERY), issuer.asked.count("/keys")) == (1, 1)
    clock.now = BELIEVED_S + 1
    await party.returned(transaction(), answer(issuer))
    assert (issuer.asked.count(DISCOVERY), issuer.asked.count("/keys")) == (2, 2)


async def test_a_rotated_key_is_found(issuer: HostileIssuer, party: RelyingParty, clock: Clock) -> None:
    """A token that names a key which is not known has the keys fetched anew; the old key no longer counts."""
    await party.returned(transaction(), answer(issuer))
    first = issuer.signed()
    issuer.keys, issuer.key = [OTHER_KEY.as_dict(private=False)], OTHER_KEY
    issuer.header = {"alg": "RS256", "kid": "second"}
    clock.now = REFETCH_AFTER_S + 1
    assert (await party.returned(transaction(), answer(issuer))).sub == SUB
    issuer.id_token = first
    with pytest.raises(UnprovenError):
        await party.returned(transaction(), answer(issuer))


async def test_made_up_names_of_keys_have_none_fetched(
    issuer: HostileIssuer, party: RelyingParty, clock: Clock
) -> None:
    """Once in `REFETCH_AFTER_S`, however many come."""
    await party.returned(transaction(), answer(issuer))
    for number in range(5):
        issuer.header = {"alg": "RS256", "kid": f"made-up-{number}"}
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))
    assert issuer.asked.count("/keys") == 1
    clock.now = REFETCH_AFTER_S + 1
    for _ in range(5):
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))
    assert issuer.asked.count("/keys") == 2


async def test_keys_of_other_kinds_are_passed_over(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Those that are for encryption, shared, weak, broken or not known yet do not spoil the others."""
    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode().rstrip("=")}
    issuer.keys = [
        {"kty": "oct", "kid": "shared", "k": "AAAA"},
        {"kty": "AKP", "kid": "later", "pub": "AAAA"},
        {"kty": "RSA", "kid": "broken"},
        {"kty": "EC", "kid": "broken-too", "crv": "P-256", "x": 7, "y": "!"},
        {},
        weak,
        *issuer.keys,
    ]
    assert (await party.returned(transaction(), answer(issuer))).sub == SUB


def _changed(**changes: Any) -> Callable[[HostileIssuer], None]:
    return lambda issuer: issuer.metadata.update(changes)


@pytest.mark.parametrize(
    "change",
    [
        _changed(issuer=7),
        _changed(token_endpoint=None),
        _changed(token_endpoint="http://elsewhere.example/token"),
        _changed(authorization_endpoint="javascript:alert(1)"),
        _changed(authorization_endpoint=None),
        _changed(jwks_uri="http://elsewhere.example/keys"),
        _changed(jwks_uri="https://user@elsewhere.example/keys"),
        _changed(userinfo_endpoint="file:///etc/passwd"),
        _changed(response_types_supported=[]),
        _changed(response_types_supported="code"),
        _changed(code_challenge_methods_supported=["plain"]),
    ],
)
async def test_metadata_that_are_none_are_not_used(
    change: Callable[[HostileIssuer], None], issuer: HostileIssuer, party: RelyingParty
) -> None:
    """The issuer counts as away, and nobody is sent anywhere."""
    change(issuer)
    with pytest.raises(IssuerAway):
        await party.address("s", transaction())
    assert issuer.asked == [DISCOVERY]


async def test_an_issuer_elsewhere_leads_nowhere_on_this_machine(fetcher: Fetcher) -> None:
    """Its metadata cannot make llum speak to what listens here."""
    elsewhere = HostileIssuer("https://there.example")
    elsewhere.metadata["token_endpoint"] = "http://127.0.0.1:4222/"
    found = Answer(200, "application/json", msgspec.json.encode(elsewhere.metadata))
    with pytest.raises(IssuerAway, match="not safe"):
        read_metadata(found, elsewhere.as_configured())


BODIES: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "html": {"text": "<html>"},
    "list": {"text": "[]"},
    "no text": {"body": b"\xff"},
    "huge": {"body": b" " * (MAX_ANSWER_BYTES + 1)},
    "redirect": {"status": 302, "headers": {"Location": "/elsewhere"}},
    "packed": {"body": b"{}", "headers": {"Content-Encoding": "gzip"}},
    "deep": {"text": "[" * 100_000},
}


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
@pytest.mark.parametrize("body", BODIES)
async def test_an_answer_that_is_none_means_that_the_issuer_is_away(
    path: str, body: str, issuer: HostileIssuer, party: RelyingParty
) -> None:
    """Whatever it is: too large, no JSON, an error, a way to elsewhere, which is not followed."""
    issuer.answers[path] = web.Response(**BODIES[body])
    with pytest.raises(IssuerAway):
        await party.returned(transaction(), answer(issuer))
    assert "/elsewhere" not in issuer.asked


async def test_a_document_without_end_is_read_to_its_bound(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Nothing says its length before."""

    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536

    issuer.answers[DISCOVERY] = web.Response(body=without_end())
    with pytest.raises(IssuerAway, match="bytes"):
        await party.address("s", transaction())


async def test_a_slow_issuer_is_away_and_nobody_waits_twice(issuer: HostileIssuer, clock: Clock) -> None:
    """All who wait hear it at once; the next one does not wait; after a while it is tried again."""
    impatient = Fetcher(answer_within_s=0.2)
    party = RelyingParty(issuer.as_configured(), impatient, CALLBACK, monotonic=clock)
    try:
        issuer.silent.set()
        waiting = [party.address("s", transaction()) for _ in range(5)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [IssuerAway] * 5
        assert issuer.asked == [DISCOVERY]
        issuer.silent.clear()
        issuer.goes_on.set()
        with pytest.raises(IssuerAway):
            await party.address("s", transaction())
        clock.now = ASKED_AGAIN_S + 1
        assert await party.address("s", transaction())
    finally:
        await impatient.close()


async def test_an_issuer_that_is_not_there_is_away(fetcher: Fetcher) -> None:
    """Nothing listens at its address."""
    nobody = Issuer(id="there", name="There", issuer="http://127.0.0.1:1", client_id="llum")
    with pytest.raises(IssuerAway):
        await RelyingParty(nobody, fetcher, CALLBACK).address("s", transaction())


@pytest.mark.parametrize("tokens", [{"token_type": "mac"}, {"access_token": "a b"}, {"access_token": "a\r\nX: y"}])
async def test_a_token_that_cannot_be_sent_is_not_taken(
    tokens: dict[str, str], issuer: HostileIssuer, party: RelyingParty
) -> None:
    """It would be another's header, or means something else."""
    issuer.tokens |= tokens
    with pytest.raises(IssuerAway):
        await party.returned(transaction(), answer(issuer))


async def test_a_person_who_turns_back_is_no_fault(issuer: HostileIssuer, party: RelyingParty) -> None:
    """The issuer says so in its answer; a code that it does not take is one, too. None proves nothing."""
    with pytest.raises(IssuerRefuses, match="access_denied"):
        await party.returned(transaction(), {"state": "s", "iss": issuer.url, "error": "access_denied"})
    issuer.answers["/token"] = web.json_response({"error": "invalid_grant"}, status=400)
    with pytest.raises(IssuerRefuses, match="invalid_grant"):
        await party.returned(transaction(), answer(issuer))
    with pytest.raises(UnprovenError):
        await party.returned(transaction(), {"state": "s", "iss": issuer.url})
