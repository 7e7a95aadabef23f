"""What comes first in a process: less to import, and the worker of `llum up`, for which all others wait.

A child waits on its lifeline to be told what to be; if `llum up` ends instead, so does the child.
"""

import importlib
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from bus.lean import without

FIRST: Final = "worker"
"""The child that `llum up` starts before it reads its options. The edge, too, would take the other of two cores from
`llum up` itself, and with it from the nats-server, which the worker waits for."""


class StartedChild(NamedTuple):
    """A child, and our end of its lifeline."""

    process: "subprocess.Popen[bytes]"
    line: socket.socket


def start(name: str) -> StartedChild:
    """Start a child; it imports what it needs and waits to be told the rest."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-P", "-m", "llum.processes", name, str(theirs.fileno())]
        process = subprocess.Popen(  # noqa: S603 - this Python
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
    return StartedChild(process, ours)


def start_for(arguments: Sequence[str]) -> dict[str, StartedChild]:
    """Start what a command line will want: the worker of `llum up`, unless it only asks for help."""
    if list(arguments[:1]) != ["up"] or not {"-h", "--help"}.isdisjoint(arguments):
        return {}
    return {FIRST: start(FIRST)}


def import_lean() -> None:
    """Import msgspec without typing_extensions, a large package: it finds the same things in Python itself."""
    with without("typing_extensions"):
        importlib.import_module("msgspec")
