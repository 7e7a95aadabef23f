"""The activity sensor with a real X server and real input: what it tells, and that nothing is lost on the way."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from schemas.commands import Tell
from schemas.errors import Refusal
from sensors.activity.messages import telling
from sensors.activity.sensor import ActivityOptions, ActivitySensor, run_activity_sensor
from sensors.activity.states import Observation
from sensors.errors import SensorError
from sensors.publisher import Store
from sensors.spool import Spool
from tests.nats_server import installed_server
from tests.sensors.conftest import XServer
from tests.sensors.reading import logged_commands, spooled, told, values
from tests.waiting import DEADLINE_S

ROUNDING_S = 1.0
"""Seconds that a telling's time may be off: the X server rounds, and a loaded machine looks late."""

POLL_S = 0.05
IDLE_AFTER_S = 2.0
"""A sensor that gets no processor time for longer does not see a key: a busy machine takes less."""


@pytest.fixture
def options(x_server: XServer, tmp_path: Path, monkeypatch) -> ActivityOptions:
    monkeypatch.setenv("DISPLAY", x_server.display)
    return options_for(tmp_path)


def options_for(tmp_path: Path, nats_url: str | Callable[[], str | None] = lambda: None) -> ActivityOptions:
    return ActivityOptions(
        user="alice",
        nats_url=nats_url,
        spool_folder=tmp_path / "spool",
        poll_s=POLL_S,
        idle_after_s=IDLE_AFTER_S,
        backend="x11",
    )


def spool_of(options: ActivityOptions) -> Path:
    return options.spool_folder / "alice.activity_monitor.spool"


@asynccontextmanager
async def sensor(options: ActivityOptions) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_activity_sensor(options, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_key_and_mouse_make_active_and_rest_makes_idle(options, x_server, until, monkeypatch):
    """Given a real X server, each change is told with the time of the input, or that plus the threshold."""
    monkeypatch.setattr("sensors.activity.sensor.SHUTDOWN_S", 0.01)
    path = spool_of(options)

    def last() -> object:
        return (values(spooled(path)) or [None])[-1]

    async with sensor(options):
        for act in (lambda: x_server.press("a"), lambda: x_server.move_mouse(50, 60)):
            await until(lambda: last() == 0, "idle")
            before = time.time()
            act()
            after = time.time()
            await until(lambda: last() == 1, "active")
            active = told(spooled(path))[-1]
            assert before - ROUNDING_S <= active.time <= after + ROUNDING_S
            await until(lambda: last() == 0, "idle again")
            idle = told(spooled(path))[-1]
            assert abs(idle.time - active.time - IDLE_AFTER_S) < ROUNDING_S
    evidence = told(spooled(path))
    assert [it.value for it in evidence][-6:] == [0, 1, 0, 1, 0, -1]
    assert [it.time for it in evidence] == sorted(it.time for it in evidence)
    assert {it.evidence_type for it in evidence} == {"implicit"}


async def test_an_x_server_that_goes_and_returns_does_not_end_the_sensor(options, x_server, until, logged, monkeypatch):
    monkeypatch.setattr("sensors.activity.sensor.SHUTDOWN_S", 0.01)

    def events() -> list[object]:
        return [line["event"] for line in logged]

    async with sensor(options):
        await until(lambda: values(spooled(spool_of(options))), "the first telling")
        x_server.stop()
        await until(lambda: "sensor.sees_nothing" in events(), "the loss is noticed")
        x_server.start()
        await until(lambda: "sensor.sees_nothing_ended" in events(), "the return is noticed")
        await until(lambda: values(spooled(spool_of(options)))[-1] == 0, "idle")
        x_server.press("a")
        await until(lambda: values(spooled(spool_of(options)))[-1] == 1, "active")
    assert events().count("sensor.sees_nothing") == 1


async def test_a_second_sensor_of_the_same_user_is_a_clear_error(options, until, monkeypatch):
    monkeypatch.setattr("sensors.activity.sensor.SHUTDOWN_S", 0.01)
    async with sensor(options):
        await until(lambda: spooled(spool_of(options)), "the first has started")
        with pytest.raises(SensorError, match="another sensor is running"):
            await run_activity_sensor(options, asyncio.Event())


async def test_without_any_back_end_the_sensor_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":54321")
    options = options_for(tmp_path)
    with pytest.raises(SensorError, match="x11 does not work here"):
        await run_activity_sensor(options, asyncio.Event())
    assert spooled(spool_of(options)) == []


class Awake:
    """A back end of a person who has just touched a key."""

    name = "awake"

    def probe(self) -> None:
        pass

    def idle_s(self) -> float:
        return 0.0

    def close(self) -> None:
        pass


@asynccontextmanager
async def unreachable() -> AsyncIterator[Store]:
    raise OSError("away")
    yield


async def test_what_a_full_spool_refuses_is_told_when_there_is_room(tmp_path, until, logged, monkeypatch):
    """A telling that is not kept has not been told: the next look tries again; one line is logged, not one per look."""
    monkeypatch.setattr("sensors.activity.sensor.SHUTDOWN_S", 0.01)
    options = options_for(tmp_path)
    stop = asyncio.Event()

    def events() -> list[object]:
        return [line["event"] for line in logged]

    with Spool(options.spool_folder, "alice.activity_monitor", max_entries=2) as spool:
        earlier = Observation(1, 1.0)
        spool.append(*[telling("alice", "activity_monitor", earlier)] * 2)
        task = asyncio.create_task(ActivitySensor(options, Awake(), spool).run(unreachable, stop))
        await until(lambda: "sensor.cannot_keep" in events(), "the refusal is logged")
        spool.remove_up_to(spool.oldest(2)[-1][0])
        await until(lambda: "sensor.cannot_keep_ended" in events(), "there is room")
        stop.set()
        await task
    assert values(spooled(spool_of(options))) == [1, -1]
    assert events().count("sensor.cannot_keep") == 1


@pytest.mark.parametrize(
    ("poll_s", "idle_after_s"), [(0, 10), (-1, 10), (20, 10), (float("nan"), 10), (5, float("nan"))]
)
def test_settings_that_make_no_sense_are_refused(tmp_path, poll_s, idle_after_s):
    with pytest.raises(SensorError):
        ActivityOptions(
            user="alice", nats_url="", spool_folder=tmp_path, poll_s=poll_s, idle_after_s=idle_after_s
        ).check()


def test_a_user_that_cannot_be_one_is_refused(tmp_path):
    with pytest.raises(Refusal):
        ActivityOptions(user="alice.*", nats_url="", spool_folder=tmp_path).check()


async def test_on_a_real_bus_everything_arrives_in_order(options, x_server, tmp_path, until):
    """Tellings, then the shutdown, all as the sensor's own app; the spool is empty afterwards."""
    async with installed_server(tmp_path / "bus", 4, 1) as server:
        async with sensor(options_for(tmp_path, server.url_as("operator"))):
            await until(lambda: spool_of(options).exists() and not spooled(spool_of(options)), "all is delivered")
            x_server.press("a")
        commands = await logged_commands(server.url_as("operator"))
    assert all(isinstance(command, Tell) and app == "activity_monitor" for app, command in commands)
    assert values([command for _, command in commands])[-1] == -1
    assert spooled(spool_of(options)) == []


async def test_a_bus_that_dies_and_returns_elsewhere_gets_everything(options, x_server, tmp_path, until):
    """While the bus is away the sensor tells on; the restarted one has another port and gets all of it, in order."""
    where: list[str | None] = [None]
    path = spool_of(options)
    async with sensor(options_for(tmp_path, lambda: where[0])):
        await until(lambda: values(spooled(path)), "the sensor has started without a bus")
        async with installed_server(tmp_path / "bus", 4, 1) as server:
            where[0] = server.url_as("operator")
            await until(lambda: not spooled(path), "all is delivered")
            x_server.press("a")
            os.kill(server.pid or 0, signal.SIGKILL)
            await server.wait()
            where[0] = None
            await until(lambda: values(spooled(path))[-1:] == [0], "idle is spooled")
            x_server.press("a")
            await until(lambda: values(spooled(path))[-1:] == [1], "active is spooled")
        async with installed_server(tmp_path / "bus", 4, 1) as server:
            where[0] = server.url_as("operator")
            await until(lambda: not spooled(path), "the rest is delivered")
            commands = [command for _, command in await logged_commands(server.url_as("operator"))]
    evidence = told(commands)
    assert [it.time for it in evidence] == sorted(it.time for it in evidence)
    assert {0, 1} <= {it.value for it in evidence}
    assert all(one.value != next_one.value for one, next_one in pairwise(evidence))


PROGRAM = """
import asyncio, signal, sys
from pathlib import Path
from sensors.activity.sensor import ActivityOptions, run_activity_sensor

async def main():
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_activity_sensor(
        ActivityOptions(
            user="alice", nats_url=lambda: None, spool_folder=Path(sys.argv[1]), poll_s=0.05, idle_after_s=0.4
        ),
        stop,
    )

asyncio.run(main())
"""


async def test_kill_9_loses_nothing_and_invents_nothing(options, x_server, until):
    """Killed while active, the sensor starts again: no shutdown is told for the killed one, nothing told is lost."""
    path = spool_of(options)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(path.parent)], stderr=subprocess.DEVNULL)

    first = start()
    await until(lambda: values(spooled(path)), "the first telling")
    first.kill()
    first.wait()
    before = spooled(path)
    second = start()
    await until(lambda: len(values(spooled(path))) > len(values(before)), "a telling of the second")
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait, DEADLINE_S) == 0
    after = spooled(path)
    assert after[: len(before)] == before
    assert values(after)[-1] == -1
    assert values(after).count(-1) == 1
