"""The next firing of each rule with a schedule: planned at nats-server, and made a command when it comes.

A rule's time is a message in the log like any other. The command's id is the rule and the instant, so a firing that is
taken twice fires once; it does not matter which worker takes it. What is to be planned next follows from the command,
in the outbox: the next instant is at nats-server before the firing has been dealt with, whatever dies in between.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from actors.effects.firing_times import next_firing
from actors.partition import Partition
from actors.store.entries import ScheduleEntry, rule_report
from actors.store.shard import OutboxEntry, Scheduled
from bus import rejections, schedules
from bus.connection import Bus
from bus.logger import get_logger
from bus.requests import Requests
from bus.retrying import retrying
from bus.schedules import Firings, Taken
from bus.time_zones import zone_named
from model.rules.schedules import CronError, parse_cron
from model.state import Model, StoredRule
from schemas.apps import CRON_APP
from schemas.commands import Fire
from schemas.effects import Firing
from schemas.errors import Code, Refusal
from schemas.time_zones import UTC

log = get_logger(__name__)


class Schedules:
    """Plans what the rules of one partition wait for."""

    def __init__(
        self, bus: Bus, partition: Partition, time_zone: str = UTC, clock: Callable[[], float] = time.time
    ) -> None:
        """`time_zone` is that of people who have set none."""
        self._bus = bus
        self._partition = partition
        self._time_zone = time_zone
        self._clock = clock

    async def plan(self, entry: OutboxEntry) -> None:
        """Plan a rule's next firing, or none any more. Raises `Transient`."""
        one = msgspec.json.decode(entry.body, type=ScheduleEntry)
        if one.after_s is None:
            await schedules.remove(self._bus, self._partition.number, one.user, one.token)
            return
        async with self._partition.reading(one.user) as live:
            model = None if live is None else live.model
            rule = None if model is None else _rule_at(model, one)
            zone = None if model is None else model.time_zone
        if rule is None or rule.cron is None or rule.suspended is not None:
            return  # a later entry takes the plan down
        try:
            await self._plan(Scheduled(one.user, one.path, one.token, rule.cron, zone), one.after_s, entry.seq)
        except Refusal as refusal:
            await schedules.remove(self._bus, self._partition.number, one.user, one.token)
            report = rule_report(one.user, rule.app, one.token, entry.seq, self._clock(), refusal.error)
            await rejections.publish(self._bus, report, self._partition.number, entry.seq, one.token)

    async def reconcile(self) -> None:
        """Have nats-server plan what the models say: what was lost comes back, what was left over goes."""
        number, now_s = self._partition.number, int(self._clock())
        there = {(one.user, one.token): one for one in await schedules.planned(self._bus, number)}
        wanted = {(one.user, one.token): one for one in await self._partition.shard.schedules()}
        for user, token in there.keys() - wanted.keys():
            await schedules.remove(self._bus, number, user, token)
        for key, one in wanted.items():
            if not self._stands(there.get(key), one, now_s):
                try:
                    await self._plan(one, now_s, self._partition.applied_seq)
                except Refusal as refusal:
                    log.warning("schedule_refused", user=one.user, rule=one.token, error=str(refusal))

    def _stands(self, planned: Firing | None, wanted: Scheduled, now_s: int) -> bool:
        """Tell whether a plan is what the model says. What is due comes first: the next is planned after it."""
        if planned is None:
            return False
        is_due = 0 < planned.at <= now_s
        return is_due or (planned.cron, planned.time_zone) == (wanted.cron, self._zone_of(wanted))

    async def _plan(self, one: Scheduled, after_s: int, seq: int) -> None:
        await schedules.plan(self._bus, self._partition.number, planned_firing(one, self._zone_of(one), after_s, seq))

    def _zone_of(self, one: Scheduled) -> str:
        return one.time_zone or self._time_zone


def planned_firing(one: Scheduled, person_zone: str, after_s: int, seq: int) -> Firing:
    """Give a rule's first firing after an instant. Raises `bad_rule`."""
    try:
        schedule = parse_cron(one.cron)
        at = next_firing(schedule, after_s, zone_named(schedule.time_zone or person_zone))
    except CronError as error:
        raise Refusal(Code.BAD_RULE, error.message, f"statement:1:{error.offset + 1}") from error
    except Refusal as refusal:
        raise Refusal(Code.BAD_RULE, refusal.message, "statement:1:1", refusal.hint) from refusal
    if at is None:
        raise Refusal(Code.BAD_RULE, "the schedule names no time of the next 50 years", "statement:1:1")
    return Firing(one.user, one.path, one.token, at, seq, one.cron, person_zone)


def _rule_at(model: Model, entry: ScheduleEntry) -> StoredRule | None:
    context = model.context(tuple(entry.path[:-1]))
    return None if context is None else context.rules.get(entry.path[-1], {}).get(entry.token)


async def relay_firings(bus: Bus, requests: Requests) -> NoReturn:
    """Turn firings into commands until cancelled."""
    await retrying(lambda: _relay(bus, requests), "firings_wait")
    raise AssertionError("only a failure or a cancellation ends it")


async def _relay(bus: Bus, requests: Requests) -> NoReturn:
    firings = Firings(bus)
    try:
        await firings.open()
        while True:
            await asyncio.gather(*(_fire(requests, firings, taken) for taken in await firings.take()))
    finally:
        await firings.close()


async def _fire(requests: Requests, firings: Firings, taken: Taken) -> None:
    firing = taken.firing
    *context, component = firing.path
    command_id = f"fire-{firing.token}-{firing.at}"
    command = Fire(id=command_id, context=context, component=component, token=firing.token, at=firing.at)
    try:
        await requests.store(firing.user, CRON_APP, command)
    except Refusal as refusal:
        log.error("firing_refused", user=firing.user, rule=firing.token, error=str(refusal))
    await firings.done(taken)
