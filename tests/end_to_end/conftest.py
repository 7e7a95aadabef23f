"""A whole llum as processes, as a person would run it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from llum.settings import SETTINGS, variable

LLUM = [sys.executable, "-m", "llum"]
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0


def wait_until(condition: Callable[[], Any], what: str, within_s: float = READY_WITHIN_S) -> Any:
    """Wait for a condition and give what it gives; fail with its name when the time is over."""
    deadline = time.monotonic() + within_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)
    return result


def clean_environment(**settings: str) -> dict[str, str]:
    """Give this process's environment with just these settings of llum."""
    ours = {variable(name) for name in SETTINGS} | {"LLUM_CONFIG"}
    return {name: value for name, value in os.environ.items() if name not in ours} | settings


class Llum:
    """A `llum up` with its data in a folder of its own, on free ports."""

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.ready_file = folder / "ready.json"
        self.environment = clean_environment(LLUM_DATA_DIR=str(self.data), **settings)
        self.options = options
        self.process: subprocess.Popen[str] | None = None

    def launch(self) -> "Llum":
        """Start the process, without waiting until it serves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        ports = ["--http-port", "0", "--nats-port", "0"]
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [*LLUM, "up", "--ready-file", str(self.ready_file), *ports, *self.options],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
                text=True,
            )
        return self

    def start(self) -> "Llum":
        """Start and wait until everything answers."""
        self.launch()
        wait_until(lambda: self.ready_file.exists() or self.ended(), "llum up is ready")
        assert not self.ended(), self.output()
        return self

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def output(self) -> str:
        """Give all that `llum up` has printed."""
        return (self.folder / "out").read_text()

    @property
    def ready(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.ready_file.read_text())
        return content

    @property
    def http(self) -> str:
        return str(self.ready["http"])

    @property
    def nats(self) -> str:
        return str(self.ready["nats"])

    def child(self, name: str) -> psutil.Process | None:
        """Give the process of `nats-server`, `worker` or `edge`; None when it is not there now."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if name in line or any(part.endswith(name) for part in line[:1]):
                return process
        return None

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of llum against it."""
        ran = subprocess.run(
            [*LLUM, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert not check or ran.returncode == 0, f"llum {' '.join(arguments)}: {ran.stderr}"
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran

    def post(self, operation: str, token: str, **members: Any) -> Any:
        """Call an operation of the Personis face and give what its JSON says."""
        body = json.dumps({"version": "11.2", "modelname": "-", **members}).encode() + b"\n"
        request = urllib.request.Request(
            f"{self.http}/{operation}", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())

    def get_status(self, path: str) -> int:
        """Give the HTTP status of a GET; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.http}{path}", timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and give the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_WITHIN_S)

    def clean_up(self) -> None:
        """Leave no process behind, whatever the test did."""
        if self.process is None or self.ended():
            return
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for child in children:
            if child.is_running():
                child.kill()


@pytest.fixture
def make_llum(tmp_path: Path) -> Iterator[Callable[..., Llum]]:
    """Make llums that are not started yet; each of them ends with the test."""
    made: list[Llum] = []

    def make(name: str = "llum", *options: str, **settings: str) -> Llum:
        made.append(Llum(tmp_path / name, *options, **settings))
        return made[-1]

    yield make
    for llum in made:
        llum.clean_up()


@pytest.fixture
def llum_up(make_llum: Callable[..., Llum]) -> Llum:
    """A running llum that is empty."""
    return make_llum().start()


@pytest.fixture(scope="module")
def shared_llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A running llum for all tests of a module that leave it running; each takes a person of its own."""
    llum = Llum(tmp_path_factory.mktemp("llum")).start()
    yield llum
    llum.clean_up()
