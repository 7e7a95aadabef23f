"""The activity sensor from the key to the model: a real X server, real events, real processes.

A time is checked against moments taken before and after the event. `LATE_S` is how long the sensor is held up so that
the time of an event and the time of noticing it differ visibly.
"""

import asyncio
import itertools
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.effort import seed
from tests.programs import need
from tests.sensors.conftest import XServer
from tests.system.harness import Llum, until
from tests.system.plain_bus import LOST, PlainBus
from tests.waiting import DEADLINE_S, eventually

PATH = ["Devices", "activity_monitor", "activity", "data"]
APP = "activity_monitor"

POLL_S = 0.1
IDLE_AFTER_S = 4.0
"""A sensor that gets no processor time for longer does not see a key: a busy machine takes less."""

LATE_S = 0.5

ROUNDING_S = 0.1
"""What an X server's milliseconds and two readings of a clock may differ by."""

LOOK_S = 30.0
"""Seconds that a look at the log may take before another is taken: the bus may die in the middle of it."""

DISORDER_S = 1.0
"""By how much two sensors, one after the other, may differ on when the same thing happened."""


@pytest.fixture
def screen() -> Iterator[XServer]:
    need("xdotool")
    server = XServer()
    yield server
    server.stop()


class Sensor:
    """`llum sensor activity` as a process."""

    def __init__(self, llum: Llum, screen: XServer, idle_after_s: float = IDLE_AFTER_S) -> None:
        self._llum = llum
        self._environment = llum.environment | {"DISPLAY": screen.display}
        self.idle_after_s = idle_after_s
        self._process: subprocess.Popen[bytes] | None = None
        self.spool = llum.folder / "spool"

    def start(self) -> None:
        options = ["--poll-s", str(POLL_S), "--idle-after-s", str(self.idle_after_s), "--spool", str(self.spool)]
        command = [sys.executable, "-m", "llum", "sensor", "activity", "--user", "alice", "--backend", "x11", *options]
        with (self._llum.folder / "sensor.log").open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self._llum.folder, env=self._environment, stdout=output, stderr=output
            )

    def kill(self) -> None:
        """kill -9, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(DEADLINE_S) == 0
        self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def waiting(self) -> list[dict[str, Any]]:
        """Read the tells that lie in the spool, in their order."""
        file = self.spool / f"alice.{APP}.spool"
        if not file.exists():
            return []
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
        try:
            rows = database.execute("SELECT payload FROM entry WHERE verb = 'tell' ORDER BY number").fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()
        return [json.loads(payload) for (payload,) in rows]


@pytest.fixture
def sensor(llum: Llum, screen: XServer) -> Iterator[Sensor]:
    llum.run("admin", "person", "add", "alice")
    llum.run("sensor", "activity", "alice", "--install")
    sensor = Sensor(llum, screen)
    yield sensor
    sensor.kill()
    print((llum.folder / "sensor.log").read_text("utf-8", "replace")[-3000:])


async def told(bus: PlainBus) -> list[dict[str, Any]]:
    """Give the sensor's evidence in the model; empty while there is no component for it."""
    query = {"verb": "ask", "context": PATH[:-1], "view": PATH[-1:], "include_evidence": True}
    reply = await bus.ask("alice", "llum", query)
    return reply["components"][0].get("evidence", []) if reply.get("components") else []


async def next_told(bus: PlainBus, after: int, value: int) -> dict[str, Any]:
    """Wait for the evidence after so many pieces, which must have this value."""

    async def look() -> dict[str, Any] | None:
        found = await told(bus)
        return found[after] if len(found) > after else None

    piece: dict[str, Any] = await eventually(look, f"the sensor tells {value}")
    assert piece["value"] == value
    return piece


class Moments(NamedTuple):
    before: float
    after: float


def around(act: Callable[[], None]) -> Moments:
    before = time.time()
    act()
    return Moments(before, time.time())


@pytest.mark.storm
async def test_activity_is_told_with_the_times_at_which_it_happened(llum, bus, screen, sensor):
    """1 for a key, 0 when nothing has happened for long enough, 1 for the mouse, −1 at the end: each when it was so."""
    sensor.start()

    async def is_idle() -> int:
        found = await told(bus)
        return len(found) if found and found[-1]["value"] == 0 else 0

    count = await eventually(is_idle, "the sensor finds that nobody is there")

    sensor.freeze()
    key = around(screen.press)
    until(lambda: time.time() > key.after + LATE_S, "some time passes")
    thawed = time.time()
    sensor.thaw()
    active = await next_told(bus, count, 1)
    assert key.before - ROUNDING_S <= active["time"] <= thawed

    sensor.freeze()
    until(lambda: time.time() > key.after + IDLE_AFTER_S + LATE_S, "the person is idle for some time")
    thawed = time.time()
    sensor.thaw()
    idle = await next_told(bus, count + 1, 0)
    assert key.before + IDLE_AFTER_S - ROUNDING_S <= idle["time"] <= thawed

    mouse = around(lambda: screen.move_mouse(30, 40))
    moved = await next_told(bus, count + 2, 1)
    assert mouse.before - ROUNDING_S <= moved["time"] <= time.time()

    end = around(sensor.stop)
    shut_down = await next_told(bus, len(await told(bus)) - 1, -1)
    assert end.before <= shut_down["time"] <= end.after

    evidence = await told(bus)
    assert [piece["value"] for piece in evidence[-4:]] == [1, 0, 1, -1]
    assert [piece["time"] for piece in evidence] == sorted(piece["time"] for piece in evidence)
    stamps = {(piece["source"], piece["owner"], piece["evidence_type"]) for piece in evidence}
    assert stamps == {(APP, "alice", "implicit")}
    assert sensor.waiting() == []


class Witness:
    """Remembers every tell that it has ever seen, waiting in the spool or stored in the log, by its id."""

    def __init__(self, llum: Llum, sensor: Sensor) -> None:
        self._llum = llum
        self._sensor = sensor
        self.seen: dict[str, dict[str, Any]] = {}

    async def look(self) -> list[dict[str, Any]]:
        """Give the evidence seen so far, in the order told."""
        tells = [*await self._stored(), *self._sensor.waiting()]
        for tell in tells:
            self.seen[tell["id"]] = tell
        return [tell["evidence"] for tell in self.seen.values()]

    async def _stored(self) -> list[dict[str, Any]]:
        if self._llum.supervisor_pid is None:
            return []
        try:
            async with asyncio.timeout(LOOK_S), PlainBus.connect(self._llum.nats) as bus:
                log = await bus.log()
        except LOST:
            return []
        commands = [json.loads(data) for _, subject, data in log if subject.endswith(f".alice.{APP}.tell")]
        return list({command["id"]: command for command in commands}.values())

    async def wait_for(self, value: int, since: float) -> None:
        """Wait for a tell with this value and of a time since then."""

        async def is_there() -> bool:
            return any(it["value"] == value and it["time"] >= since - ROUNDING_S for it in await self.look())

        await eventually(is_there, f"the sensor tells {value}, in the spool or in the log")


AFTER_THE_KEY_IS_TOLD = ("kill_sensor", "kill_all_of_it", "take_llum_away")
"""When the sensor dies, a key counts once it has been told; before that, nobody knows that it was pressed. When llum is
away, nobody can look into the log any more, where the key may have got to in the last moment.
"""


class Day:
    """A day on which things die: each round presses a key, has something happen, and waits until all is quiet."""

    def __init__(self, llum: Llum, screen: XServer, sensor: Sensor) -> None:
        self._llum = llum
        self._screen = screen
        self._sensor = sensor
        self.witness = Witness(llum, sensor)
        self.presses: list[Moments] = []

    async def round(self, what: str) -> None:
        pressed = around(self._screen.press)
        self.presses.append(pressed)
        if what in AFTER_THE_KEY_IS_TOLD:
            await self.witness.wait_for(1, pressed.before)
        await asyncio.to_thread(getattr(self, f"_{what}"))
        await self.witness.wait_for(1, pressed.before)
        await self.witness.wait_for(0, pressed.before + self._sensor.idle_after_s)

    def _nothing(self) -> None:
        return

    def _kill_nats_server(self) -> None:
        self._llum.kill("nats-server")

    def _kill_worker(self) -> None:
        self._llum.kill("worker")

    def _kill_sensor(self) -> None:
        self._sensor.kill()
        self._sensor.start()

    def _take_llum_away(self) -> None:
        self._llum.kill_everything()

    def _bring_llum_back(self) -> None:
        self._llum.start()

    def _kill_all_of_it(self) -> None:
        self._sensor.kill()
        self._llum.kill_everything()
        self._sensor.start()
        self._llum.start()


@pytest.mark.storm
async def test_nothing_that_was_spooled_is_lost_doubled_or_disordered_whatever_is_killed(llum, screen, sensor):
    """Sensor, nats-server, worker and all of it are killed -9 between keys, and the bus is away for a while."""
    # A sensor that gets no processor time for longer than that does not see a key: a busy machine takes less.
    sensor.idle_after_s = 3.0
    day = Day(llum, screen, sensor)
    sensor.start()
    await day.witness.wait_for(0, 0)
    rounds = ["kill_nats_server", "kill_worker", "kill_sensor", "kill_all_of_it", "nothing"]
    random.Random(seed()).shuffle(rounds)
    for what in [*rounds, "take_llum_away", "nothing", "kill_sensor", "nothing", "bring_llum_back"]:
        print(f"{time.time():.3f} {what}")
        await day.round(what)
    sensor.stop()
    await day.witness.wait_for(-1, 0)
    assert sensor.waiting() == []
    async with PlainBus.connect(llum.nats) as bus:
        evidence = await told(bus)
    check_day(day, evidence)


def check_day(day: Day, evidence: list[dict[str, Any]]) -> None:
    seen = [(tell["evidence"]["value"], tell["evidence"]["time"]) for tell in day.witness.seen.values()]
    assert [(piece["value"], piece["time"]) for piece in evidence] == seen
    assert evidence[-1]["value"] == -1
    times = [piece["time"] for piece in evidence]
    assert all(later >= earlier - DISORDER_S for earlier, later in itertools.pairwise(times))
    starts = [piece["time"] for piece in evidence if piece["value"] == 1]
    for number, press in enumerate(day.presses):
        before_the_next = day.presses[number + 1].before if number + 1 < len(day.presses) else time.time()
        assert any(press.before - ROUNDING_S <= start < before_the_next for start in starts), f"press {number} was lost"
