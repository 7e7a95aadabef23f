"""One address or those of a cluster, with a login in them or none."""

import pytest

from bus import addresses

CLUSTER = "tls://one:4222,tls://two:4223"


def test_a_login_goes_into_each_address_and_out_again() -> None:
    """Also in place of one that is there."""
    shown = addresses.with_login(CLUSTER, "edge", "secret")
    assert shown == "tls://edge:secret@one:4222,tls://edge:secret@two:4223"
    assert addresses.with_login(shown, "edge", "other") == shown.replace("secret", "other")
    assert addresses.without_login(shown) == CLUSTER
    assert addresses.each(CLUSTER) == ["tls://one:4222", "tls://two:4223"]


@pytest.mark.parametrize(
    ("url", "login"),
    [
        (CLUSTER, {}),
        ("nats://one,nats://me:p%40ss@two", {"user": "me", "password": "p@ss"}),
        ("nats://t%2Cken@one,nats://two", {"token": "t,ken"}),
    ],
)
def test_the_first_login_counts_for_all(url: str, login: dict[str, str]) -> None:
    """A comma or an @ in it is written with a percent sign."""
    assert addresses.login_in(url) == login


def test_nothing_of_a_login_is_shown() -> None:
    """Not even where somebody has written it wrongly."""
    assert addresses.with_hidden_logins("nats://me:a@b,c@one,nats://t@two") == "nats://***@one,nats://***@two"
    assert addresses.with_hidden_logins("no address") == "no address"
