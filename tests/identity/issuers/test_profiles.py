"""What of an issuer's claims becomes part of a new model, and which id is proposed."""

from typing import Any

import pytest

from identity.issuers.profiles import MAX_CHARACTERS, label_of, profile_of, proposed_id


def test_a_profile_is_what_the_model_has_a_place_for() -> None:
    """And nothing else that the issuer says."""
    claims = {
        "sub": "1234",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "name": "Ada Lovelace",
        "email": "ada@there.example",
        "email_verified": True,
        "picture": "https://there.example/ada.png",
        "gender": "female",
        "phone_number": "+44 1",
    }
    assert profile_of(claims) == {
        "firstname": "Ada",
        "lastname": "Lovelace",
        "email": "ada@there.example",
        "gid": "1234",
        "picture": "https://there.example/ada.png",
    }


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("given_name", ["Ada"]),
        ("given_name", "\u202e\x00\n"),
        ("given_name", "A" * (MAX_CHARACTERS + 1)),
        ("email", "not an address"),
        ("picture", "http://there.example/ada.png"),
        ("picture", "javascript:alert(1)"),
        ("picture", "https://there.example/\n"),
        ("picture", 7),
    ],
)
def test_what_is_plainly_none_is_left_out(claim: str, value: Any) -> None:
    """An issuer's claims are an outsider's words."""
    assert profile_of({"sub": "1", claim: value}) == {"gid": "1"}


def test_an_address_that_nobody_has_shown_to_be_theirs_is_left_out() -> None:
    """The issuer says so. One that says nothing of it is believed."""
    claims = {"sub": "1", "email": "ada@there.example"}
    assert profile_of(claims | {"email_verified": False}) == {"gid": "1"}
    assert profile_of(claims)["email"] == "ada@there.example"


def test_what_cannot_be_seen_goes_out_of_names() -> None:
    """So that they have one spelling and one line."""
    assert profile_of({"given_name": " Ada\u200b\n King "})["firstname"] == "Ada King"


@pytest.mark.parametrize(
    ("claims", "proposed"),
    [
        ({"preferred_username": "ada"}, "ada"),
        ({"preferred_username": "Ada.Lovelace@there.example"}, "ada-lovelace"),
        ({"preferred_username": "", "email": "Åsa.Öberg+llum@there.example"}, "asa-oberg-llum"),
        ({"given_name": "José María"}, "jose-maria"),
        ({"preferred_username": "_admin_"}, "admin"),
        ({"preferred_username": "李", "email": "li@there.example"}, "li"),
        ({"preferred_username": "x" * 100}, "x" * 32),
        ({"preferred_username": "李"}, ""),
        ({"email": 7}, ""),
        ({}, ""),
    ],
)
def test_an_id_is_proposed_that_could_be_one(claims: dict[str, Any], proposed: str) -> None:
    """Of the user name there, else of the e-mail address, else of the given name."""
    assert proposed_id(claims) == proposed


def test_an_identity_is_known_to_its_person_by_a_label() -> None:
    """The address, else the name there."""
    assert label_of({"email": "ada@there.example", "preferred_username": "ada"}) == "ada@there.example"
    assert label_of({"preferred_username": "ada"}) == "ada"
    assert label_of({}) == ""
