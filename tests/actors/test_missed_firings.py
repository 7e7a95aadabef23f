"""Schedules across outages, night changes of the clock and moves, from firing to firing.

Method: the model decides and the planner plans, with instants that the test gives; no clock runs. What is planned
becomes a command when it comes due, or when the broker is there again.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from actors.effects.firing_times import next_firing
from model.changes import Fired, SchedulePlanned
from model.commands.rules import CRON_APP
from model.rules.schedules import parse_cron
from schemas.commands import Command, Fire, MakeRule, SetTimeZone
from tests.model.given import RULE, Person

AGE = ("Personal", "age")


def seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes").removesuffix("+00:00")


class Life:
    """A person with one rule with a schedule, and what has been planned for it."""

    def __init__(self, cron: str, begin: str) -> None:
        self.person = Person()
        self.cron = cron
        self.due: int | None = None
        self.fired: list[str] = []
        """When the rule fired, by the log."""
        self.instants: list[str] = []
        """For which instant."""
        self.token = str(self.do(MakeRule(id="r", context=["Personal"], component="age", statement=self.rule), begin))

    @property
    def rule(self) -> str:
        return f'["{self.cron}"] {RULE}'

    def do(self, command: Command, at: str | int, app: str = "llum") -> object:
        """Apply a command at a moment, and plan what it wants planned."""
        now = seconds(at) if isinstance(at, str) else at
        applied = self.person.do(command, app, time_us=now * 1_000_000)
        for change in applied.changes:
            if isinstance(change, SchedulePlanned):
                schedule = parse_cron(self.cron)
                zone = ZoneInfo(schedule.time_zone or self.person.live.time_zone or "UTC")
                self.due = next_firing(schedule, change.after_s, zone)
            elif isinstance(change, Fired):
                self.fired.append(text(now))
        return applied.result

    def move(self, zone: str | None, at: str) -> None:
        self.do(SetTimeZone(id="z", time_zone=zone), at)

    def until(self, end: str, broker_from: str = "1970-01-01T00:00") -> None:
        """Let time pass; what comes due before the broker is there comes when it is."""
        while self.due is not None and max(self.due, seconds(broker_from)) <= seconds(end):
            at, count = self.due, len(self.fired)
            fire = Fire(id=f"f{at}", context=list(AGE[:1]), component=AGE[1], token=self.token, at=at)
            self.do(fire, max(at, seconds(broker_from)), CRON_APP)
            self.instants += [text(at)] * (len(self.fired) - count)


def test_what_was_missed_in_a_month_does_not_fire() -> None:
    """Unless the schedule says otherwise; from the next time on it fires as before."""
    life = Life("0 9 * * *", "2026-06-01T12:00")
    life.until("2026-06-03T12:00")
    life.until("2026-07-05T08:00", broker_from="2026-07-05T07:30")
    assert life.fired == ["2026-06-02T09:00", "2026-06-03T09:00"]
    life.until("2026-07-06T12:00")
    assert life.fired[2:] == ["2026-07-05T09:00", "2026-07-06T09:00"]


@pytest.mark.parametrize("cron", ["MISSED=once 0 9 * * *", "MISSED=once * * * * *"])
def test_what_was_missed_in_a_month_fires_once_if_the_schedule_says_so(cron: str) -> None:
    """As soon as it can, for all that were missed, also of a schedule that fires each minute."""
    life = Life(cron, "2026-06-03T09:00")
    life.until("2026-07-05T07:30", broker_from="2026-07-05T07:30")
    assert life.fired == ["2026-07-05T07:30"]
    following = "2026-07-05T09:00" if "9" in cron else "2026-07-05T07:31"
    life.until(following)
    assert life.fired[1:] == life.instants[1:] == [following]


def test_a_firing_that_is_a_minute_late_is_not_late() -> None:
    """Each instant of the last minute fires; earlier ones were missed."""
    life = Life("* * * * *", "2026-06-01T12:00")
    life.until("2026-06-01T12:05", broker_from="2026-06-01T12:05")
    assert life.instants == ["2026-06-01T12:04", "2026-06-01T12:05"]


def test_the_next_firing_is_by_the_zone_to_which_a_person_has_moved() -> None:
    """From Amsterdam to Tokyo after breakfast: the next nine o'clock is that of Tokyo, the same for the way back."""
    life = Life("0 9 * * *", "2026-07-01T00:00")
    life.move("Europe/Amsterdam", "2026-07-01T01:00")
    life.until("2026-07-01T08:00")
    life.move("Asia/Tokyo", "2026-07-01T08:00")
    life.until("2026-07-03T00:30")
    life.move(None, "2026-07-03T00:30")
    life.until("2026-07-03T10:00")
    assert life.fired == ["2026-07-01T07:00", "2026-07-02T00:00", "2026-07-03T00:00", "2026-07-03T09:00"]


def test_a_move_during_an_outage_does_not_fire_what_has_passed() -> None:
    """The plan of before comes late, after it was planned anew: it is another instant, and was missed."""
    life = Life("0 9 * * *", "2026-07-01T00:00")
    before = life.due
    assert before is not None
    life.move("Asia/Tokyo", "2026-07-01T10:00")
    fire = Fire(id="late", context=["Personal"], component="age", token=life.token, at=before)
    life.do(fire, "2026-07-01T10:05", CRON_APP)
    assert life.fired == []
    assert life.due == seconds("2026-07-02T00:00")


def test_a_schedule_with_a_zone_of_its_own_stays_when_its_person_moves() -> None:
    life = Life("TZ=America/New_York 0 9 * * *", "2026-07-01T00:00")
    life.move("Asia/Tokyo", "2026-07-01T08:00")
    life.until("2026-07-01T20:00")
    assert life.fired == ["2026-07-01T13:00"]


def test_nights_in_which_clocks_change_are_fired_once_each() -> None:
    """Half past two in Amsterdam, across both changes."""
    life = Life("30 2 * * *", "2026-10-23T12:00")
    life.move("Europe/Amsterdam", "2026-10-23T12:00")
    life.until("2026-10-26T12:00")
    assert life.fired == ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]
    life = Life("30 2 * * *", "2027-03-26T12:00")
    life.move("Europe/Amsterdam", "2027-03-26T12:00")
    life.until("2027-03-29T12:00")
    assert life.fired == ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"]


@pytest.mark.parametrize("at", [-(2**63), 0, 2**63 - 1])
def test_an_instant_that_llum_never_sends_does_no_harm(at: int) -> None:
    """What is planned next is near the time of the log."""
    life = Life("0 9 * * *", "2026-07-01T00:00")
    life.do(Fire(id="f", context=["Personal"], component="age", token=life.token, at=at), "2026-07-01T10:00", CRON_APP)
    assert life.due == seconds("2026-07-02T09:00")
