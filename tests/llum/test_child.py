"""Keeping a child alive, with a child that is none."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from llum.failures import Fault
from llum.processes import child
from llum.processes.child import MAX_FAILED_STARTS, PythonChild, how_it_ended, keep_alive
from llum.processes.early import StartedChild
from llum.processes.lifeline import Begin


class Scripted:
    """A process whose lives are known beforehand: whether each comes to serve."""

    name = "scripted"
    pid = None

    def __init__(self, *serves: bool) -> None:
        self._lives: Iterator[bool] = iter(serves)
        self.last_words: str | None = None
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1

    async def serving(self) -> None:
        serves = next(self._lives, None)
        if serves is None:
            raise Fault("the script is over")
        if not serves:
            raise ChildProcessError("exit code 1")

    async def answer(self) -> None:
        """It is alive."""

    async def wait(self) -> str:
        return "killed by SIGKILL"

    async def stop(self, within_s: float) -> None:
        """It has ended."""

    def kill(self) -> None:
        """It has ended."""


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long it would have been waited, and do not wait."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


async def test_dead_child_is_started_again_with_growing_pauses(pauses: list[float]) -> None:
    """From a tenth of a second on, doubling, never more than five seconds; each death is reported."""
    deaths: list[str] = []
    served: list[bool] = []
    with pytest.raises(Fault, match="script is over"):
        await keep_alive(Scripted(*[True] * 9), lambda: served.append(True), lambda _, how: deaths.append(how))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert deaths == ["killed by SIGKILL"] * 9
    assert len(served) == 9


async def test_child_that_never_serves_is_given_up() -> None:
    """After some starts in a row, with what it said last."""
    scripted = Scripted(*[False] * 20)
    scripted.last_words = "unavailable: no nats-server answers"
    with pytest.raises(Fault, match="scripted does not start: unavailable: no nats-server answers"):
        await keep_alive(scripted, lambda: None, lambda *_: None)
    assert scripted.starts == MAX_FAILED_STARTS


async def test_one_life_that_serves_makes_failed_starts_forgotten() -> None:
    """Only starts in a row count."""
    lives = [*[False] * (MAX_FAILED_STARTS - 1), True] * 2
    with pytest.raises(Fault, match="script is over"):
        await keep_alive(Scripted(*lives), lambda: None, lambda *_: None)


async def test_pause_is_short_again_after_a_long_life(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that dies once a day is back at once."""
    monkeypatch.setattr(child, "SETTLED_S", -1.0)
    with pytest.raises(Fault, match="script is over"):
        await keep_alive(Scripted(True, True, True), lambda: None, lambda *_: None)
    assert pauses == [0.1, 0.1, 0.1]


def test_ends_are_said_in_words() -> None:
    """Exit codes, and signals by name."""
    assert how_it_ended(3) == "exit code 3"
    assert how_it_ended(-9) == "killed by SIGKILL"
    assert how_it_ended(-77) == "killed by signal 77"


@pytest.fixture
def idle() -> Iterator[tuple[PythonChild, socket.socket]]:
    """A child that does nothing at all, and its end of the lifeline."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    with theirs, process:
        yield PythonChild("worker", Begin({}, ""), started=StartedChild(process, ours)), theirs
        process.kill()


async def test_a_child_that_does_not_get_on_is_killed(
    idle: tuple[PythonChild, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it waits for; the step at which it was is what it is remembered by."""
    monkeypatch.undo()
    monkeypatch.setattr(child, "STEP_WITHIN_S", 0.2)
    stuck, line = idle
    await stuck.start()
    stuck.tell_nats_url("nats://127.0.0.1:1")
    line.send(b'{"step": "63 of 64 partitions answer"}\n')
    with pytest.raises(ChildProcessError, match=r"did not get on .* 63 of 64 partitions answer"):
        await stuck.serving()
    assert "63 of 64" in (stuck.last_words or "")


async def test_a_child_without_an_address_waits_for_us(
    idle: tuple[PythonChild, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nats-server may take long; only then does the child's time begin."""
    monkeypatch.undo()
    monkeypatch.setattr(child, "STEP_WITHIN_S", 0.05)
    patient, line = idle
    await patient.start()
    serving = asyncio.create_task(patient.serving())
    await asyncio.wait([serving], timeout=0.3)
    assert not serving.done()
    line.send(b'{"ready": true}\n')
    await serving


class Watched(Scripted):
    """A process that serves, answers so many times, and lives until it is killed."""

    def __init__(self, *answers: bool) -> None:
        super().__init__(True)
        self.answers = iter(answers)
        self.end = asyncio.Event()
        self.asked = 0

    async def answer(self) -> None:
        self.asked += 1
        if not next(self.answers, False):
            await asyncio.Event().wait()

    async def wait(self) -> str:
        await self.end.wait()
        return "killed by SIGKILL"

    def kill(self) -> None:
        self.end.set()


async def test_a_child_that_no_longer_answers_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After several looks in a row, whatever came before; how it ended says so."""
    monkeypatch.setattr(child, "LOOK_EVERY_S", 0.01)
    deaths: list[str] = []
    watched = Watched(True, False, False, True)
    with pytest.raises(Fault, match="script is over"):
        await keep_alive(watched, lambda: None, lambda _, how: deaths.append(how))
    assert deaths == ["it did not answer for 0.06 s, killed by SIGKILL"]
    assert watched.asked == 4 + child.MISSED_LOOKS


async def test_a_child_answers_over_its_lifeline(idle: tuple[PythonChild, socket.socket]) -> None:
    """As often as it is asked. This one is asked by hand, and answers by hand."""
    watched, line = idle
    await watched.start()
    await asyncio.to_thread(line.recv, 1000)
    waiting = asyncio.create_task(watched.wait())
    for _ in range(2):
        asking = asyncio.create_task(watched.answer())
        received = b""
        while not received.endswith(b"\n"):
            received += await asyncio.to_thread(line.recv, 1000)
        assert msgspec.json.decode(received.splitlines()[-1]) == {"alive": True}
        assert not asking.done()
        line.send(b'{"alive": true}\n')
        await asking
    waiting.cancel()
