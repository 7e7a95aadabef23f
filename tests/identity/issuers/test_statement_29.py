"""Statement 29: as relying party, state, nonce, iss, aud, exp and an algorithm allow-list are checked.

Identity is (iss, sub), never the e-mail. The issuer here is real HTTP, and lies as each test wants it. What is said of
state and browser is in `test_transactions`.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from identity.issuers.failures import IssuerAway, UnprovenError
from identity.issuers.id_tokens import ALGORITHMS
from identity.issuers.relying_party import RelyingParty
from identity.issuers.transactions import Transaction
from tests.identity.issuers.hostile import KEY, NONCE, OTHER_KEY, SECRET, SUB, HostileIssuer

GONE: Any = object()
"""The claim is left out."""

LONG_AGO = 1_600_000_000
FAR_OFF = 4_000_000_000
"""Times that are the same in every process of the tests: they stand in the names of tests."""


def transaction(**more: Any) -> Transaction:
    members = {"issuer": "there", "nonce": NONCE, "verifier": "v" * 43, "then": "/", "made": 0.0, "browser": ""}
    return Transaction(**{**members, **more})


def answer(issuer: HostileIssuer, **more: str) -> dict[str, str]:
    return {"code": "code-1", "state": "s", "iss": issuer.url, **more}


async def test_29_a_right_answer_says_who_it_is(issuer: HostileIssuer, party: RelyingParty) -> None:
    """The pair of issuer and subject, whatever else the token holds."""
    proven = await party.returned(transaction(), answer(issuer))
    assert (proven.issuer.issuer, proven.sub) == (issuer.url, SUB)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://elsewhere.example"),
        ("iss", GONE),
        ("sub", GONE),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 256),
        ("aud", "another-client"),
        ("aud", ["another-client"]),
        ("aud", GONE),
        ("aud", []),
        ("aud", {"llum-there": 1}),
        ("azp", "another-client"),
        ("azp", 7),
        ("exp", LONG_AGO),
        ("exp", "tomorrow"),
        ("exp", GONE),
        ("iat", FAR_OFF),
        ("iat", GONE),
        ("nbf", FAR_OFF),
        ("nonce", "another"),
        ("nonce", ""),
        ("nonce", GONE),
        ("nonce", [NONCE]),
        ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("at_hash", ["x"]),
    ],
)
async def test_29_a_token_with_a_wrong_claim_proves_nothing(
    claim: str, value: Any, issuer: HostileIssuer, party: RelyingParty
) -> None:
    """Issuer, subject, audience, times, nonce and the hash of the access token: each alone is enough to refuse it."""
    if value is GONE:
        del issuer.claims[claim]
    else:
        issuer.claims[claim] = value
    with pytest.raises(UnprovenError):
        await party.returned(transaction(), answer(issuer))


async def test_29_a_token_for_several_names_the_party_it_is_for(issuer: HostileIssuer, party: RelyingParty) -> None:
    """With more than one audience there must be an authorized party, and it must be llum."""
    issuer.claims["aud"] = ["llum-there", "another-client"]
    with pytest.raises(UnprovenError):
        await party.returned(transaction(), answer(issuer))
    issuer.claims["azp"] = "llum-there"
    assert (await party.returned(transaction(), answer(issuer))).sub == SUB


async def test_29_an_unsigned_token_proves_nothing(issuer: HostileIssuer, party: RelyingParty) -> None:
    """`alg: none` is not on the list, with and without a signature behind the last dot."""
    head, body, _ = jwt.encode({"alg": "RS256", "kid": "first"}, issuer.claims, KEY).split(".")
    none = "eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ"
    for token in (f"{none}.{body}.", f"{none}.{body}.AAAA", f"{head}.{body}."):
        issuer.id_token = token
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))


async def test_29_a_token_signed_with_what_both_know_proves_nothing(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Neither with the client's secret, nor with the public key taken for a secret (confusion of algorithms)."""
    head, body = b'{"alg":"HS256","kid":"first"}', json.dumps(issuer.claims).encode()
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (head, body))
    for secret in (SECRET.encode(), KEY.as_pem(private=False)):
        mac = urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
        issuer.id_token = (signed + b"." + mac).decode()
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))


def test_29_the_list_of_algorithms_has_no_shared_secrets() -> None:
    """Only what signs with a private key is on it."""
    assert not {name for name in ALGORITHMS if name.startswith("HS") or name.lower() == "none"}


async def test_29_a_token_signed_by_a_foreign_key_proves_nothing(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Also when it calls itself by the name of the issuer's key, or brings its own key along."""
    issuer.key = OTHER_KEY
    for header in (
        {"alg": "RS256", "kid": "first"},
        {"alg": "RS256", "kid": "second"},
        {"alg": "RS256", "kid": "first", "jwk": OTHER_KEY.as_dict(private=False)},
    ):
        issuer.header = header
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))


async def test_29_a_token_that_was_changed_proves_nothing(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Claims of one token under the signature of another, texts that are none, and one that is far too long."""
    mine = issuer.signed()
    other = jwt.encode(issuer.header, issuer.claims | {"sub": "somebody-else"}, KEY)
    mixed = ".".join([mine.split(".")[0], other.split(".")[1], mine.split(".")[2]])
    for token in (mixed, "", "a.b.c", "é.é.é", mine + "A" * 40_000, mine.replace(".", "!")):
        issuer.id_token = token
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answer(issuer))


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", RSAKey.generate_key(2048, {"kid": "k"})),
        ("ES256", ECKey.generate_key("P-256", {"kid": "k"})),
    ],
)
async def test_29_other_signatures_with_private_keys_count(
    algorithm: str, key: Any, issuer: HostileIssuer, party: RelyingParty
) -> None:
    """An issuer chooses among those of the list."""
    issuer.key, issuer.header = key, {"alg": algorithm, "kid": "k"}
    issuer.keys = [key.as_dict(private=False)]
    del issuer.claims["at_hash"]
    assert (await party.returned(transaction(), answer(issuer))).sub == SUB


async def test_29_who_it_is_follows_from_issuer_and_subject_alone(issuer: HostileIssuer, party: RelyingParty) -> None:
    """The same e-mail under another subject is another identity; the same subject with another e-mail is not."""
    issuer.claims |= {"email": "ada@there.example", "email_verified": True}
    first = await party.returned(transaction(), answer(issuer))
    issuer.claims["sub"] = "person-2"
    second = await party.returned(transaction(), answer(issuer))
    issuer.claims |= {"sub": SUB, "email": "new@there.example"}
    third = await party.returned(transaction(), answer(issuer))
    assert first.key == third.key != second.key
    elsewhere = first._replace(issuer=issuer.as_configured(issuer="https://elsewhere.example"))
    assert elsewhere.key != first.key


async def test_29_the_answer_names_its_issuer(issuer: HostileIssuer, party: RelyingParty) -> None:
    """An answer of another issuer is refused before its code goes anywhere (RFC 9207: mix-up)."""
    for answered in (
        {"code": "code-1", "state": "s"},
        answer(issuer, iss="https://elsewhere.example"),
        answer(issuer, iss=issuer.url + "/"),
        answer(issuer, iss="https://elsewhere.example", error="access_denied"),
    ):
        with pytest.raises(UnprovenError):
            await party.returned(transaction(), answered)
    assert "/token" not in issuer.asked


async def test_29_how_long_ago_a_person_has_proven_who_they_are_is_checked(
    issuer: HostileIssuer, party: RelyingParty
) -> None:
    """Where that was asked for: without a time, or with one too long ago or ahead, it is not proven."""
    now = time.time()
    for auth_time in (GONE, now - 3600, now + 3600, "now", True):
        issuer.claims.pop("auth_time", None)
        if auth_time is not GONE:
            issuer.claims["auth_time"] = auth_time
        with pytest.raises(UnprovenError):
            await party.returned(transaction(max_age_s=300), answer(issuer))
    issuer.claims["auth_time"] = int(now)
    assert (await party.returned(transaction(max_age_s=300), answer(issuer))).sub == SUB


async def test_29_the_metadata_are_those_of_the_issuer(issuer: HostileIssuer, party: RelyingParty) -> None:
    """Byte for byte: a slash more is another issuer."""
    issuer.metadata["issuer"] = issuer.url + "/"
    with pytest.raises(IssuerAway, match="another issuer"):
        await party.returned(transaction(), answer(issuer))


async def test_29_the_profile_is_that_of_the_same_subject(issuer: HostileIssuer, party: RelyingParty) -> None:
    """A profile of somebody else, or of nobody, is not taken."""
    proven = await party.returned(transaction(), answer(issuer))
    assert (await party.with_profile(proven)).claims["given_name"] == "Ada"
    issuer.userinfo = {"sub": "somebody-else", "given_name": "Bob"}
    with pytest.raises(UnprovenError):
        await party.with_profile(proven)
    for nobody in ({"given_name": "Bob"}, {"sub": ""}, ["Bob"]):
        issuer.userinfo = nobody
        with pytest.raises(IssuerAway):
            await party.with_profile(proven)
