"""Which issuers there are: what the operator may write, and what is refused with the place of the mistake."""

from typing import Any

import pytest

from identity.issuers.configured import MAX_ISSUERS, issuers_of
from schemas.errors import Code, Refusal

GOOGLE = {
    "name": "Google",
    "issuer": "https://accounts.google.com",
    "client_id": "1-x.apps.googleusercontent.com",
    "client_secret": "GOCSPX-s3cret",
}


def test_a_table_is_an_issuer() -> None:
    """Its name is the id; scopes that nobody sets are those for a profile."""
    found = issuers_of({"google": GOOGLE})
    assert list(found) == ["google"]
    assert (found["google"].id, found["google"].name) == ("google", "Google")
    assert found["google"].scopes == ("openid", "profile", "email")


def test_no_text_of_an_issuer_shows_its_secret() -> None:
    """Neither its own, nor that of what holds it."""
    found = issuers_of({"google": GOOGLE})
    assert "s3cret" not in f"{found} {found['google']!r} {found['google']}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"issuer": "http://accounts.example"}, "there.issuer"),
        ({"issuer": "accounts.example"}, "there.issuer"),
        ({"issuer": "https://accounts.example?x=1"}, "there.issuer"),
        ({"issuer": "https://accounts.example#x"}, "there.issuer"),
        ({"issuer": "https://user:pass@accounts.example"}, "there.issuer"),
        ({"issuer": "https://accounts.example:port"}, "there.issuer"),
        ({"issuer": ""}, "there"),
        ({"client_id": 7}, "there"),
        ({"secret": "x"}, "there"),
        ({"name": "n" * 65}, "there"),
        ({"id": "here"}, "there.id"),
        ({"scopes": ["profile"]}, "there.scopes"),
        ({"scopes": ["openid", "two words"]}, "there.scopes"),
    ],
)
def test_what_cannot_be_an_issuer_is_refused(changes: dict[str, Any], field: str) -> None:
    """With the table, and the member where that is known. The message holds no secret."""
    with pytest.raises(Refusal) as refused:
        issuers_of({"there": {**GOOGLE, **changes}})
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_FIELD, field)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9400", "http://localhost:9400/realm", "http://[::1]:1"])
def test_this_machine_may_be_asked_without_tls(url: str) -> None:
    """For trying it out, and for a proxy that runs beside llum."""
    assert issuers_of({"here": {**GOOGLE, "issuer": url}})["here"].issuer == url


def test_ids_are_of_the_form_of_ids() -> None:
    """They stand in addresses, and as the source of evidence."""
    for id_ in ("", "Google", "goo gle", "_google", "a/b", "x" * 65):
        with pytest.raises(Refusal):
            issuers_of({id_: GOOGLE})


def test_one_issuer_has_one_id() -> None:
    """A person would be two otherwise; and there are not too many to choose from."""
    with pytest.raises(Refusal, match="same issuer"):
        issuers_of({"google": GOOGLE, "again": GOOGLE})
    many = {f"i{number}": {**GOOGLE, "issuer": f"https://{number}.example"} for number in range(MAX_ISSUERS + 1)}
    with pytest.raises(Refusal, match="at most"):
        issuers_of(many)
    with pytest.raises(Refusal):
        issuers_of({"google": "https://accounts.google.com"})
