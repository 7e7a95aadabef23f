"""Real X servers and D-Bus daemons."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from sensors.spool import Spool
from tests import waiting
from tests.programs import need
from tests.waiting import DEADLINE_S


class XServer:
    """An Xvfb that can be stopped, started again on the same display, frozen and thawed."""

    def __init__(self) -> None:
        self._program = need("Xvfb")
        self._process: subprocess.Popen[bytes] | None = None
        self.display = ""
        self.start()

    def start(self) -> None:
        read, write = os.pipe()
        command = [self._program, *([self.display] if self.display else []), "-displayfd", str(write)]
        command += ["-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb has ended without telling its display"
        self.display = f":{number}"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def press(self, key: str = "a") -> None:
        self._xdotool("key", key)

    def move_mouse(self, x: int, y: int) -> None:
        self._xdotool("mousemove", str(x), str(y))

    def _xdotool(self, *arguments: str) -> None:
        environ = os.environ | {"DISPLAY": self.display}
        subprocess.run([need("xdotool"), *arguments], env=environ, check=True, capture_output=True, timeout=DEADLINE_S)


@pytest.fixture
def x_server() -> Iterator[XServer]:
    need("xdotool")
    server = XServer()
    yield server
    server.stop()


@pytest.fixture
def dbus_address(tmp_path: Path) -> Iterator[str]:
    """The address of a private D-Bus daemon."""
    program = need("dbus-daemon")
    command = [program, "--session", "--nofork", f"--address=unix:path={tmp_path}/bus", "--print-address=1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    yield process.stdout.readline().decode().strip()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", "alice.probe") as spool:
        yield spool


@pytest.fixture
def logged() -> Iterator[list[dict[str, object]]]:
    """What is logged during the test, one dict for each line."""
    with structlog.testing.capture_logs() as lines:
        yield lines  # type: ignore[misc]


@pytest.fixture
def until() -> Callable[..., object]:
    """Wait for a condition, and fail with a message if it does not come about."""

    return waiting.until
