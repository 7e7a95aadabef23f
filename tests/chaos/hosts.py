"""Hosts for the processes of a run: each in a network namespace of its own where that is allowed, else on loopback.

A namespace has an address of its own and one link, to a bridge of this run. While the link is down nothing reaches its
processes and nothing comes from them, and nobody is told: as when the cable of a machine is pulled. Two runs at the
same time do not meet. What a run leaves that was killed, the next one removes.
"""

import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Final, Protocol

from tests.ports import free_ports

LOCAL: Final = "127.0.0.1"
FIRST_PORT: Final = 4222
"""Nobody else is in a new namespace, so any port is free."""

_NETS: Final = 512
"""Nets of 256 addresses in 198.18.0.0/15, which is for trying out devices: no real network has them."""

_PREFIX: Final = 24

_OURS: Final = re.compile(r"llum-?(\d+)")
"""Names of bridges and namespaces have the process id of their run."""


class Hosts(Protocol):
    """Where each process of a run is."""

    how: str
    """What they are, for the report."""
    here: str
    """The address of the run itself, at which hosts reach it."""
    can_unplug: bool

    def address_of(self, name: str) -> str:
        """Give the address of a host."""

    def ports_of(self, name: str, count: int) -> list[int]:
        """Give ports of a host at which nobody listens. Called once for each."""

    def on(self, name: str, *command: str) -> tuple[str, ...]:
        """Give the command that runs a command on a host, as the same process."""

    def unplug(self, name: str) -> None:
        """Have nothing reach a host nor come from it. Only where `can_unplug`."""

    def plug(self, name: str) -> None:
        """Have everything reach it again."""

    def remove(self) -> None:
        """Remove them. What runs there has ended."""


class LoopbackHosts:
    """Addresses of loopback, one for each where the system has several."""

    here = LOCAL
    can_unplug = False

    def __init__(self, names: tuple[str, ...], because: str) -> None:
        self.how = f"loopback, because {because}"
        several = _is_ours("127.0.0.2")
        self._addresses = {name: f"127.0.0.{at}" if several else LOCAL for at, name in enumerate(names, 2)}

    def address_of(self, name: str) -> str:
        return self._addresses[name]

    def ports_of(self, name: str, count: int) -> list[int]:
        return free_ports(count, self._addresses[name])

    def on(self, name: str, *command: str) -> tuple[str, ...]:
        return command

    def unplug(self, name: str) -> None:
        raise AssertionError(f"{name} has no link of its own")

    def plug(self, name: str) -> None:
        raise AssertionError(f"{name} has no link of its own")

    def remove(self) -> None:
        """Have nothing to remove."""


class NamespaceHosts:
    """Network namespaces on a bridge. Raises `OSError` or `CalledProcessError` where that is not allowed."""

    how = "namespaces"
    can_unplug = True

    def __init__(self, names: tuple[str, ...]) -> None:
        _remove_left()
        self._numbers = {name: number for number, name in enumerate(names, 2)}
        self._bridge = f"llum{os.getpid()}"
        self._net = _free_net()
        self.here = f"{self._net}.1"
        with ExitStack() as failed:
            failed.callback(self.remove)
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("address", "add", f"{self.here}/{_PREFIX}", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            for name in names:
                self._add(name)
            self._check(names[0])
            failed.pop_all()

    def _add(self, name: str) -> None:
        space, link = self._space(name), self._link(name)
        _ip("netns", "add", space)
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", link, "master", self._bridge, "up")
        _ip("-n", space, "address", "add", f"{self.address_of(name)}/{_PREFIX}", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", space, "link", "set", device, "up")

    def _check(self, name: str) -> None:
        """See that a host reaches the run: a firewall may be in between."""
        with socket.create_server((self.here, 0)) as server:
            port = server.getsockname()[1]
            reach = f"import socket; socket.create_connection(({self.here!r}, {port}), 10).close()"
            subprocess.run(self.on(name, sys.executable, "-c", reach), check=True, capture_output=True, text=True)

    def _space(self, name: str) -> str:
        return f"llum-{os.getpid()}-{name}"

    def _link(self, name: str) -> str:
        """Name our end of a host's link."""
        return f"{self._bridge}-{self._numbers[name]}"

    def address_of(self, name: str) -> str:
        return f"{self._net}.{self._numbers[name]}"

    def ports_of(self, name: str, count: int) -> list[int]:
        return list(range(FIRST_PORT, FIRST_PORT + count))

    def on(self, name: str, *command: str) -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{self._space(name)}", "--", *command)

    def unplug(self, name: str) -> None:
        _ip("link", "set", self._link(name), "down")

    def plug(self, name: str) -> None:
        _ip("link", "set", self._link(name), "up")

    def remove(self) -> None:
        for name in self._numbers:
            _remove("netns", "delete", self._space(name))
        _remove("link", "delete", self._bridge)


def hosts_for(names: tuple[str, ...]) -> Hosts:
    """Give each a host of the best kind that this machine allows."""
    if not sys.platform.startswith("linux"):
        return LoopbackHosts(names, "only Linux has network namespaces")
    try:
        return NamespaceHosts(names)
    except subprocess.CalledProcessError as error:
        return LoopbackHosts(names, str(error.stderr).strip() or str(error))
    except OSError as error:
        return LoopbackHosts(names, str(error))


def _is_ours(address: str) -> bool:
    """Tell whether one can listen there: not every system has more than one loopback address."""
    try:
        free_ports(1, address)
    except OSError:
        return False
    return True


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def _remove(*words: str) -> None:
    """Remove what may not be there."""
    with suppress(subprocess.CalledProcessError, OSError):
        _ip(*words)


def _free_net() -> str:
    """Give the first three numbers of a net that no run has."""
    taken = _ip("-o", "-4", "address", "show")
    first = os.getpid()
    nets = (f"198.{18 + number % _NETS // 256}.{number % 256}" for number in range(first, first + _NETS))
    return next(net for net in nets if f" {net}.1/" not in taken)


def _remove_left() -> None:
    """Remove what runs have left that did not end in order."""
    for line in _ip("netns", "list").splitlines():
        if _is_of_the_dead(line.split()[0]):
            _remove("netns", "delete", line.split()[0])
    for line in _ip("-o", "link", "show", "type", "bridge").splitlines():
        name = line.split()[1].rstrip(":")
        if _is_of_the_dead(name):
            _remove("link", "delete", name)


def _is_of_the_dead(name: str) -> bool:
    found = _OURS.match(name)
    return found is not None and not os.path.exists(f"/proc/{found[1]}")
