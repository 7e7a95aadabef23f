"""The socket of the HTTP edge: bound before the edge runs."""

import socket

import pytest

from llum.failures import Fault
from llum.processes.listening import listen, url_of

HOST = "127.0.0.1"


def test_any_free_port_is_reported() -> None:
    """Port 0 becomes a real one."""
    with listen(HOST, 0) as listening:
        assert url_of(listening) == f"http://{HOST}:{listening.getsockname()[1]}"
        assert listening.getsockname()[1] > 0


def test_a_taken_port_is_a_clear_error() -> None:
    """One line that names the address, and a hint that says what to do."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fault) as caught:
            listen(HOST, port)
    assert f"port {port} of {HOST}" in caught.value.message
    assert "LLUM_HTTP_PORT" in caught.value.hint


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    """So is an address that cannot be listened on for other reasons."""
    with pytest.raises(Fault, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)
