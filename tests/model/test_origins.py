"""The origins of an app's web pages: who reads answers to its token over HTTP."""

import pytest

from schemas.commands import RegisterApp
from schemas.errors import Code
from schemas.queries import Access, ListApps

from .given import Person


def registering(*origins: str) -> RegisterApp:
    return RegisterApp(id="r", app="log", origins=list(origins))


def origins_of(person: Person) -> list[str]:
    """Give the origins as the app itself is told them."""
    told: list[str] = person.describe(Access(), app="log").origins
    assert person.describe(ListApps()).apps["log"].origins == told
    return told


def test_an_app_has_the_origins_that_its_owner_says() -> None:
    """Sorted, each once; without any in the command they stay, an empty list takes them away."""
    person = Person()
    person.do(registering("https://log.example", "http://localhost:8000", "https://log.example"))
    assert origins_of(person) == ["http://localhost:8000", "https://log.example"]
    person.do(RegisterApp(id="s", app="log", description="another one"))
    assert origins_of(person) == ["http://localhost:8000", "https://log.example"]
    person.do(registering())
    assert origins_of(person) == []


def test_a_change_is_announced() -> None:
    """Whoever lets apps in has to know; a command that changes nothing announces nothing."""
    person = Person()
    person.do(registering("https://a.example"))
    registered = person.store.announced[-1]
    person.do(registering("https://a.example"))
    assert person.store.announced[-1] is registered
    person.do(registering("https://b.example"))
    assert person.store.announced[-1].origins == ("https://b.example",)
    assert person.store.announced[-1].registration == registered.registration


@pytest.mark.parametrize(
    "origin", ["", "null", "*", "log.example", "https://", "https://log.example/", "https://LOG.example", "https://a b"]
)
def test_what_no_browser_sends_is_refused(origin: str) -> None:
    """It would never match, and the owner would not know why."""
    refused = Person().refuses(registering("https://log.example", origin))
    assert (refused.code, refused.field) == (Code.BAD_FIELD, "origins[1]")


@pytest.mark.parametrize(
    "origin", ["https://log.example", "http://[::1]:8080", "http://127.0.0.1:3000", "chrome-extension://abcdefgh"]
)
def test_what_browsers_send_is_accepted(origin: str) -> None:
    """With a port, an address, or of an extension."""
    person = Person()
    person.do(registering(origin))
    assert origins_of(person) == [origin]


def test_there_are_not_many() -> None:
    """Sixteen at most."""
    assert Person().refuses(registering(*(f"https://{n}.example" for n in range(17)))).code is Code.TOO_LARGE
