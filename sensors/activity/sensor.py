"""The activity sensor: looks every few seconds, tells changes into the spool, and has the spool published.

It needs no more than `tell` in its own context, where the owner has installed it. At each start it tells what the first
look shows. What a process that was killed had last told is not corrected by a later one: nobody knows when it stopped
being true, so nothing is invented; the first look of the next start is told with the time at which it really happened.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bus.logger import get_logger
from schemas.paths import check_token
from sensors import clock
from sensors.activity import states
from sensors.activity.backends import Backend
from sensors.activity.messages import APP, telling
from sensors.activity.sampler import Sampler, chosen
from sensors.channel import BusAddress, SensorToken, bus_at
from sensors.errors import SensorError
from sensors.publisher import Connect, Publisher
from sensors.spool import Spool

POLL_S: Final = 5.0
"""Seconds between two looks, as with the original sensor: asking costs next to nothing, a finer grain tells little."""

IDLE_AFTER_S: Final = 10.0
"""Seconds without input after which the person counts as idle, as with the original sensor."""

SHUTDOWN_S: Final = 3.0
"""Seconds to try to deliver the last telling; then it stays in the spool for the next start."""

SUSPENDED_S: Final = 1.0
"""Seconds that the machine must have slept between two looks for it to count: less is the clocks' own play."""

log = get_logger("llum.sensor")


@dataclass(frozen=True, kw_only=True)
class ActivityOptions:
    """How the sensor is to run, as said on the command line."""

    user: str
    nats_url: BusAddress
    """The bus's address, or a function that finds it anew for each connection (None: there is none now)."""
    spool_folder: Path
    token: SensorToken | None = None
    """Gives the sensor's token for the bus; None: the address says who connects."""
    connect: Connect | None = None
    """Another way to the bus than that address and token."""
    poll_s: float = POLL_S
    idle_after_s: float = IDLE_AFTER_S
    backend: str = "auto"
    app: str = APP

    def check(self) -> None:
        """Raise a `Refusal` for a user or app that cannot be one, `SensorError` for numbers that make no sense."""
        check_token(self.user, "user")
        check_token(self.app, "app")
        if not 0 < self.poll_s <= self.idle_after_s:
            raise SensorError(
                f"looking every {self.poll_s:g} s would miss activity when idle is after {self.idle_after_s:g} s",
                "let the time between looks be more than 0 and at most the time after which a person is idle",
            )


async def run_activity_sensor(options: ActivityOptions, stop: asyncio.Event) -> None:
    """Run until `stop` is set; then tell the shutdown and try for up to 3 s to deliver it.

    The bus may be away, at the start too. Raises `SensorError` if no back end works, or another sensor has the spool.
    """
    options.check()
    with Spool(options.spool_folder, f"{options.user}.{options.app}") as spool:
        backend = await chosen(options.backend)
        log.info("sensor.starts", user=options.user, app=options.app, backend=backend.name, waiting=len(spool))
        sensor = ActivitySensor(options, backend, spool)
        connect = options.connect or bus_at(options.nats_url, options.app, options.token)
        await sensor.run(connect, stop)
        log.info("sensor.stops", user=options.user, app=options.app, waiting=len(spool))


class ActivitySensor:
    """The loop itself, over parts that are open already."""

    def __init__(self, options: ActivityOptions, backend: Backend, spool: Spool) -> None:
        self._options = options
        self._settings = states.ActivitySettings(options.idle_after_s)
        self._sampler = Sampler(backend)
        self._spool = spool
        self._state = states.State()
        self._suspended_s = clock.suspended_s()
        self._troubles: dict[str, bool] = {}

    async def run(self, connect: Connect, stop: asyncio.Event) -> None:
        publisher = Publisher(self._spool, connect)
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(publisher.run())
            watching = tasks.create_task(self._watch())
            await stop.wait()
            watching.cancel()
            await asyncio.wait({watching})
            self._take(states.shut_down(self._state, clock.now()))
            await publisher.flush(SHUTDOWN_S)
            publishing.cancel()

    async def _watch(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self._options.poll_s)

    async def _look(self) -> None:
        try:
            sample = await self._sampler.sample()
        except SensorError as error:
            self._note("sensor.sees_nothing", error)
            return
        self._note("sensor.sees_nothing", None)
        if self._has_slept():
            self._take(states.slept(self._state, sample.at, self._settings))
        self._take(states.look(self._state, sample.idle_s, sample.at, self._settings))

    def _has_slept(self) -> bool:
        before, self._suspended_s = self._suspended_s, clock.suspended_s()
        return self._suspended_s - before > SUSPENDED_S

    def _take(self, step: tuple[states.State, list[states.Observation]]) -> None:
        """Keep the tellings, then the state: what the spool refuses is told again by the next look."""
        state, tellings = step
        entries = [telling(self._options.user, self._options.app, it) for it in tellings]
        try:
            if entries:
                self._spool.append(*entries)
                self._note("sensor.cannot_keep", None)
        except SensorError as error:
            self._note("sensor.cannot_keep", error)
        else:
            self._state = state

    def _note(self, trouble: str, error: SensorError | None) -> None:
        """Log a trouble when it begins and when it ends, not while it lasts."""
        if error is not None and not self._troubles.get(trouble):
            log.warning(trouble, reason=error.message, hint=error.hint)
        if error is None and self._troubles.get(trouble):
            log.info(f"{trouble}_ended")
        self._troubles[trouble] = error is not None
