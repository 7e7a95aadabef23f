"""A whole llum as processes, as a person would run it."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.system import harness
from tests.waiting import DEADLINE_S


class Llum(harness.Llum):
    """A `llum up` with settings of its own, and the ways in that a person has."""

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.settings = settings

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | self.settings

    @property
    def ready(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.ready_file.read_text())
        return content

    def printed(self) -> str:
        """Give all that `llum up` has printed."""
        return self.output.read_text()

    def all_children(self) -> list[psutil.Process]:
        """Give the processes below `llum up`."""
        return psutil.Process(self.supervisor_pid).children(recursive=True)

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of llum against it; `check`: it must succeed."""
        ran = self.command(*arguments)
        assert not check or ran.returncode == 0, f"llum {' '.join(arguments)}: {ran.stderr}"
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran

    def signal(self, number: int) -> subprocess.Popen[bytes]:
        """Send `llum up` a signal, and give the process to wait for."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process

    def post(self, operation: str, token: str, **members: Any) -> Any:
        """Call an operation of the Personis face and give what its JSON says."""
        body = json.dumps({"version": "11.2", "modelname": "-", **members}).encode() + b"\n"
        request = urllib.request.Request(f"{self.http}/{operation}", body, {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return json.loads(response.read())

    def get_status(self, path: str) -> int:
        """Give the HTTP status of a GET; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.http}{path}", timeout=DEADLINE_S) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@pytest.fixture
def make_llum(tmp_path: Path) -> Iterator[Callable[..., Llum]]:
    """Start llums; each of them ends with the test."""
    made: list[Llum] = []

    def make(name: str = "llum", *options: str, **settings: str) -> Llum:
        made.append(Llum(tmp_path / name, *options, **settings))
        made[-1].start()
        return made[-1]

    yield make
    for llum in made:
        llum.clean_up()


@pytest.fixture
def llum_up(make_llum: Callable[..., Llum]) -> Llum:
    """A running llum that is empty."""
    return make_llum()


@pytest.fixture(scope="module")
def shared_llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A running llum for all tests of a module that leave it running; each takes a person of its own."""
    llum = Llum(tmp_path_factory.mktemp("llum"))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()
