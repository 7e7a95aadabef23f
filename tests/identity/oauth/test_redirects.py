"""Statement 1, and which addresses may be registered at all."""

import pytest

from identity.oauth.clients import OAuthClient, redirect_fits
from identity.oauth.redirects import MAX_URI_CHARACTERS, check_redirect
from schemas.errors import Code, Refusal

WEB = "https://log.example/cb"
LOOPBACK = "http://127.0.0.1:7000/cb?from=llum"
APP = "com.example.app:/cb"
CLIENT = OAuthClient("log", "Log", redirect_uris=[WEB, LOOPBACK, "http://[::1]/cb", "http://localhost/", APP])


@pytest.mark.parametrize("uri", CLIENT.redirect_uris)
def test_01_a_registered_address_fits(uri: str) -> None:
    """As it was registered."""
    assert redirect_fits(CLIENT, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/cb?from=llum",
        "http://127.0.0.1:65535/cb?from=llum",
        "http://[::1]:1/cb",
        "http://localhost:8080/",
    ],
)
def test_01_the_port_of_a_loopback_address_may_vary(uri: str) -> None:
    """A program takes one that is free."""
    assert redirect_fits(CLIENT, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://log.example/cb/",
        "https://log.example/cb?x=1",
        "https://log.example/cb#x",
        "https://log.example:443/cb",
        "https://LOG.example/cb",
        "https://log.example/%63b",
        "https://log.example./cb",
        "https://a@log.example/cb",
        "https://log.example@evil.example/cb",
        "http://log.example/cb",
        "https://log.example:444/cb",
        "http://127.0.0.1:7000/cb",
        "http://127.0.0.1:7000/cb?from=llum&x=1",
        "http://127.0.0.1:7000@evil.example/cb?from=llum",
        "http://127.0.0.1:/cb?from=llum",
        "http://127.0.0.1:0/cb?from=llum",
        "http://127.0.0.1:65536/cb?from=llum",
        "http://127.0.0.1:99999999/cb?from=llum",
        "http://127.0.0.1:7000\n/cb?from=llum",
        "http://127.0.0.1:٧/cb?from=llum",
        "https://127.0.0.1:7000/cb?from=llum",
        "http://127.0.0.2/cb?from=llum",
        "http://localhost:7000/cb?from=llum",
        "http://localhost.evil.example/",
        "com.example.app:/cb/",
        "com.example.app:/CB",
        "com.example.app2:/cb",
    ],
)
def test_01_any_other_address_does_not_fit(uri: str) -> None:
    """Not one that means the same to a browser, and not one port more than that of the person's own machine."""
    assert not redirect_fits(CLIENT, uri)


@pytest.mark.parametrize("uri", [*CLIENT.redirect_uris, "https://log.example", "https://[2001:db8::1]:8443/a;b,c?d=e"])
def test_addresses_of_three_sorts_are_taken(uri: str) -> None:
    """https, the person's own machine, an app's own scheme."""
    assert check_redirect(uri, "uri") == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "x" * (MAX_URI_CHARACTERS + 1),
        "/cb",
        "https:",
        "https:///cb",
        "https://a@log.example/",
        "https://log.example:port/",
        "https://*.example/cb",
        "https://log.example;sandbox/cb",
        "https://log.example,evil.example/cb",
        "https://log.example'/cb",
        "https://llum.example%2f.evil.example/cb",
        "https://log..example/cb",
        "https://[v1.x;y]/cb",
        "https://log.example/*",
        "https://log.example/cb#top",
        "https://log.example/c b",
        'https://log.example/"',
        "https://log.exämple/",
        "https://log.example/\r\nx",
        "https://log.example\\@evil.example/",
        "http://log.example/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1.evil.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "app:/cb",
        "com.example.app://a@b/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ],
)
def test_28_other_addresses_are_refused(uri: str) -> None:
    """With what to write instead."""
    with pytest.raises(Refusal) as refused:
        check_redirect(uri, "redirect_uris[0]")
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_FIELD, "redirect_uris[0]")
    assert refused.value.hint


def test_plain_http_is_for_who_has_been_there_before() -> None:
    """An old client in a house of its own; no other."""
    assert check_redirect("http://log.example/cb", "uri", plain_http=True)
    with pytest.raises(Refusal):
        check_redirect("http://log.example/*", "uri", plain_http=True)
