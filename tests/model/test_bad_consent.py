"""What an owner cannot decide: refused with a code and the field, and nothing changes."""

import pytest

from schemas.errors import Code
from schemas.grants import Consent
from schemas.queries import Grants
from schemas.slices import Slice

from .given import Person

PERSONAL = Slice(paths=["Personal"], actions=["ask"])

BAD = {
    "llum's own": (Consent(id="x", app="_admin", decision="allowed"), Code.BAD_FIELD, "app"),
    "no id": (Consent(id="x", app="Ä", decision="allowed"), Code.BAD_FIELD, "app"),
    "revoke what is not there": (Consent(id="x", app="nobody", decision="revoked"), Code.NO_SUCH_APP, "app"),
    "change what is not there": (Consent(id="x", app="nobody", decision="changed"), Code.NO_SUCH_APP, "app"),
    "grant by refusing": (
        Consent(id="x", app="probe", decision="refused", granted=[PERSONAL]),
        Code.BAD_FIELD,
        "granted",
    ),
    "an owner by revoking": (Consent(id="x", app="probe", decision="revoked", role="owner"), Code.BAD_FIELD, "role"),
    "a bad filter": (
        Consent(
            id="x", app="probe", decision="allowed", granted=[Slice(paths=["a"], actions=["ask"], filters=["none"])]
        ),
        Code.BAD_FILTER,
        "granted[0].filters[0]",
    ),
    "a bad past": (
        Consent(id="x", app="probe", decision="allowed", granted=[Slice(paths=["a"], actions=["ask"], past=-1)]),
        Code.BAD_FIELD,
        "granted[0].past",
    ),
    "over already": (
        Consent(id="x", app="probe", decision="allowed", granted=[Slice(paths=["a"], actions=["ask"], expires=5.0)]),
        Code.BAD_FIELD,
        "granted[0].expires",
    ),
    "rules that make": (
        Consent(
            id="x",
            app="probe",
            decision="allowed",
            granted=[Slice(paths=["a"], actions=["make"], whose_rules="bob")],
        ),
        Code.BAD_FIELD,
        "granted[0].make",
    ),
    "rules of oneself": (
        Consent(
            id="x",
            app="probe",
            decision="allowed",
            granted=[Slice(paths=["a"], actions=["ask"], whose_rules="alice")],
        ),
        Code.BAD_FIELD,
        "granted.whose_rules",
    ),
    "a text too long": (
        Consent(id="x", app="probe", decision="refused", purpose="x" * 5000),
        Code.TOO_LARGE,
        "purpose",
    ),
    "too much": (
        Consent(
            id="x",
            app="probe",
            decision="refused",
            refused=[Slice(paths=["/".join(["n" * 200] * 20)], actions=["ask"]) for _ in range(60)],
        ),
        Code.TOO_LARGE,
        "granted",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_decided_is_refused(case: str) -> None:
    """With a code and the field, and nothing changes."""
    command, code, field = BAD[case]
    person = Person()
    person.register("probe")
    error = person.refuses(command)
    assert (error.code, error.field) == (code, field)
    (found,) = person.answered(Grants(app="probe")).apps
    assert (found.slices, found.decisions) == ([], [])


def test_an_app_gets_a_bounded_number_of_places() -> None:
    """However often it is allowed more."""
    person = Person()
    for first in range(0, 250, 50):
        some = Slice(paths=[f"a{n}" for n in range(first, first + 50)], actions=["ask"])
        person.do(Consent(id="y", app="probe", decision="allowed", granted=[some]))
    more = Slice(paths=[f"b{n}" for n in range(7)], actions=["ask"])
    error = person.refuses(Consent(id="x", app="probe", decision="allowed", granted=[more]))
    assert error.code is Code.TOO_LARGE
