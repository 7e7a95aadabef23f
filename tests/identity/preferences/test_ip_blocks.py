"""Blocks of addresses: which addresses are in which, and that what is no block has none in it."""

import ipaddress
from typing import Any

import pytest

from identity.preferences.ip_blocks import allows

IN = [
    (None, "10.0.0.1"),
    ("", "10.0.0.1"),
    ("10.0.0.1", "10.0.0.1"),
    ("10.0.0.1", "::ffff:10.0.0.1"),
    ("127.0.0.1/8", "127.255.3.4"),
    ("0.0.0.0/0", "192.0.2.1"),
    (["192.0.2.1", "10.0.0.0/8"], "10.1.2.3"),
    (["nonsense", 7, None, "10.0.0.0/8"], "10.1.2.3"),
    ("2001:db8::/32", "2001:db8:1::7"),
    ("2001:0DB8::0001", "2001:db8::1"),
    (" 10.0.0.0/8 ", "10.1.2.3"),
]

OUT = [
    ("10.0.0.1", "10.0.0.2"),
    ("127.0.0.1/8", "128.0.0.1"),
    ("192.168.1.1/128", "192.168.1.1"),
    ("10.0.0.0/255.0.0.0", "10.0.0.1"),
    ("10.0.0.0/-1", "10.0.0.1"),
    ("10.0.0.0/8/8", "10.0.0.1"),
    ("10.0.0.0/", "10.0.0.1"),
    ("nonsense", "10.0.0.1"),
    ([], "10.0.0.1"),
    ({"a": 1}, "10.0.0.1"),
    (True, "10.0.0.1"),
    ("::ffff:10.0.0.1", "10.0.0.1"),
    ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ("::/0", "10.0.0.1"),
    ("0.0.0.0/0", "2001:db8::1"),
    ("10.0.0.0/8", None),
]


@pytest.mark.parametrize(("blocks", "address"), IN)
def test_an_address_that_is_in_a_block_may_be_used(blocks: Any, address: str) -> None:
    """Of a text or any of a list; without blocks each may."""
    assert allows(blocks, ipaddress.ip_address(address))


@pytest.mark.parametrize(("blocks", "address"), OUT)
def test_no_other_address_may(blocks: Any, address: str | None) -> None:
    """Also where the block is no block, and where it is of the other family."""
    assert not allows(blocks, address and ipaddress.ip_address(address))  # type: ignore[arg-type]


def test_without_blocks_no_address_is_needed() -> None:
    """A socket of this machine has none."""
    assert allows(None, None)
