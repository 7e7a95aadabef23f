"""Hosts of a run: each with an address and a link of its own, and nothing of them left."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.chaos.hosts import FIRST_PORT, Hosts, LoopbackHosts, hosts_for
from tests.system.harness import until

LISTEN = f"""
import socket
server = socket.create_server(("", {FIRST_PORT}))
while True:
    server.accept()[0].close()
"""


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    found = hosts_for(("one", "other"))
    if not found.can_unplug:
        found.remove()
        pytest.skip(found.how)
    yield found
    found.remove()


def answers(hosts: Hosts, name: str) -> bool:
    try:
        socket.create_connection((hosts.address_of(name), FIRST_PORT), 0.5).close()
    except OSError:
        return False
    return True


def test_an_unplugged_host_is_reached_by_nobody_until_it_is_plugged(hosts: Hosts) -> None:
    """The other one is reached meanwhile."""
    running = [subprocess.Popen(hosts.on(name, sys.executable, "-c", LISTEN)) for name in ("one", "other")]
    try:
        for name in ("one", "other"):
            until(lambda name=name: answers(hosts, name), f"{name} listens")  # type: ignore[misc]
        hosts.unplug("one")
        assert (answers(hosts, "one"), answers(hosts, "other")) == (False, True)
        hosts.plug("one")
        until(lambda: answers(hosts, "one"), "it is reached again")
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_nothing_is_left_of_a_run_that_has_ended_in_any_way(hosts: Hosts) -> None:
    """What a killed one has left goes when the next one begins."""
    died = subprocess.Popen(["true"])
    died.wait()
    left = (f"llum-{died.pid}-one", f"llum{died.pid}:")
    subprocess.run(["ip", "netns", "add", left[0]], check=True)
    subprocess.run(["ip", "link", "add", f"llum{died.pid}", "type", "bridge"], check=True)
    hosts.remove()
    hosts_for(("one",)).remove()
    mine = (f"llum-{os.getpid()}-", f"llum{os.getpid()}:")
    assert not [name for name in (*left, *mine) if name in shown()]


def shown() -> str:
    commands = (["ip", "netns", "list"], ["ip", "link", "show"])
    return "".join(subprocess.run(each, check=True, capture_output=True, text=True).stdout for each in commands)


def test_where_there_are_no_namespaces_each_has_an_address_of_loopback() -> None:
    """The report says why."""
    hosts = LoopbackHosts(("one", "other"), "nobody may")
    ports = {name: hosts.ports_of(name, 2) for name in ("one", "other")}
    assert all(len(set(found)) == 2 for found in ports.values())
    assert hosts.on("one", "true") == ("true",)
    assert hosts.how == "loopback, because nobody may"
