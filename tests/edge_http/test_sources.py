"""Whom a request comes from."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from edge_http.http.sources import PROXIES, Proxies, source_of
from tests.edge_http.conftest import Edge
from tests.edge_http.test_passwords import SCALE

PROXY, CLIENT, MADE_UP = "192.0.2.1", "198.51.100.7", "203.0.113.9"


def test_an_address_counts_however_it_is_spelt() -> None:
    """IPv4 within IPv6; of IPv6 the network, for whoever has one address has 2**64."""
    assert source_of(("192.0.2.1", 80)) == source_of(("::ffff:192.0.2.1", 80, 0, 0)) == "192.0.2.1"
    assert source_of(("2001:db8::1", 80, 0, 0)) == source_of(("2001:db8::ffff", 80, 0, 0)) == "2001:db8::/64"
    assert source_of(("2001:db8:1::1", 80, 0, 0)) != source_of(("2001:db8::1", 80, 0, 0))
    assert source_of(("fe80::1%eth0", 80, 0, 2)) == "fe80::/64"
    assert source_of(None) == source_of("") == source_of(()) == ""


def sender(proxies: str, remote: str, *forwarded: str) -> str:
    headers = CIMultiDict([("X-Forwarded-For", one) for one in forwarded])
    request = make_mocked_request("POST", "/tell", headers=headers).clone(remote=remote)
    return Proxies.parse(proxies).sender_of(request)


def test_only_a_proxy_is_believed() -> None:
    """Whoever connects directly is who it is, whatever it says."""
    assert sender("", CLIENT, MADE_UP) == CLIENT
    assert sender(PROXY, CLIENT, MADE_UP) == CLIENT
    assert sender(PROXY, PROXY, CLIENT) == CLIENT
    assert sender("192.0.2.0/24, 2001:db8::/32", PROXY, CLIENT) == CLIENT


def test_what_the_client_adds_itself_does_not_count() -> None:
    """Each proxy adds at the end whom it has heard; what stands before that may be made up."""
    assert sender(PROXY, PROXY, f"{MADE_UP}, {CLIENT}") == CLIENT
    assert sender(PROXY, PROXY, MADE_UP, CLIENT) == CLIENT
    assert sender("192.0.2.0/24", PROXY, f"{MADE_UP}, {CLIENT}, 192.0.2.2") == CLIENT


def test_a_proxy_that_says_nothing_is_the_sender() -> None:
    """Nor is what is no address anybody's name. Addresses count as those of connections do."""
    assert sender(PROXY, PROXY) == PROXY
    assert sender(PROXY, PROXY, "") == PROXY
    assert sender(PROXY, PROXY, f"{CLIENT}, unknown") == PROXY
    assert sender(PROXY, f"::ffff:{PROXY}", f"::ffff:{CLIENT}") == CLIENT
    assert sender(PROXY, PROXY, "2001:db8::1") == "2001:db8::/64"


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/99", "10.0.0.1 10.0.0.2"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    """At the start, and not with the first request."""
    with pytest.raises(ValueError, match="does not appear"):
        Proxies.parse(text)


async def test_passwords_are_counted_by_the_address_behind_a_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default nobody is a proxy."""
    for believed in ("", "127.0.0.1"):
        monkeypatch.setattr(edge.app[PROXIES], "_networks", Proxies.parse(believed)._networks)
        await edge.post("access", SCALE, token=None, headers={"X-Forwarded-For": CLIENT})
    assert edge.authenticator.sources == {"127.0.0.1", CLIENT}
