"""The effects stage of one partition: what rules bring about, from the outbox, in the order of the log.

An entry `fired` names a component that was told something, and when: its rules are decided as of then. Told evidence
becomes commands with ids made of the firing and the rule, so that a firing which is relayed again after a crash tells
nothing twice; notices go into the work queue. Only when the bus has all of it is the entry forgotten. A rule that
fails is reported among the rejected commands of its app, and nothing waits for it. When the bus fails, the entry is
tried again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

from actors.chains import Chains, SentCommand
from actors.effects.notice_count import NoticeCount, hour_of
from actors.effects.notices import Notifier
from actors.effects.reasons import cause_of, host_of, own_cause_of
from actors.effects.rule_values import PastModel, Values
from actors.partition import Partition
from actors.store.entries import FiredEntry, rule_report
from actors.store.shard import OutboxEntry
from bus import notices, rejections
from bus.connection import Bus
from bus.logger import get_logger
from bus.requests import Requests
from model.commands.quotas import quotas_of
from model.commands.rules import fires_on_tells
from model.resolvers.registry import Resolvers
from model.rules.decide import Deciding, Notification, Rule, RuleEffect, Telling, Wanted, decide, parse_rule
from model.state import Model, StoredRule
from schemas.app_names import app_name
from schemas.apps import RULES_APP
from schemas.commands import Derive, NoteSent
from schemas.effects import Notice
from schemas.errors import Code, Error, LlumError, Refusal
from schemas.evidence import NewEvidence
from schemas.limits import MAX_PER_CAUSE
from schemas.recent import Recent

log = get_logger(__name__)

MAX_PARSED: Final = 4096
"""Parsed rules kept, a few kB each."""

MAX_CAUSES: Final = 1024
"""First causes whose commands are counted here; the model counts them anyway."""

STORE_WITHIN_S: Final = 5.0
"""Seconds in which a command or notice must be stored, before the entry is tried again."""

_FAULT: Final = Error(Code.INTERNAL, "a fault in llum; it has been recorded")


class _Run:
    """One rule of a firing while it is decided."""

    def __init__(self, token: str, rule: StoredRule, notices_per_hour: int) -> None:
        self.token = token
        self.app = rule.app
        self.notices_per_hour = notices_per_hour
        self.wanted: tuple[Wanted, ...] = ()
        self.read: list[Wanted] = []
        """All that was wanted so far."""
        self.effects: list[RuleEffect] = []
        self.error: Error | None = None
        self._statement = rule.statement
        self._deciding: Deciding | None = None

    def step(self, values: Values) -> bool:
        """Go on with the values that were wanted; tell whether there are more to get."""
        try:
            if self._deciding is None:
                self._deciding = decide(_parsed(self._statement))
                self.wanted = next(self._deciding)
            else:
                self.wanted = self._deciding.send([values.get(self.app, one) for one in self.wanted])
        except StopIteration as stop:
            self.effects = stop.value
            return False
        except LlumError as error:
            self.error = error.error
            return False
        except Exception:
            log.exception("rule_failed", app=self.app, rule=self.token)
            self.error = _FAULT
            return False
        self.read += self.wanted
        return True


class _Firing:
    """What is known of one entry `fired`."""

    def __init__(self, entry: FiredEntry, moment: PastModel, values: Values) -> None:
        self.entry = entry
        self.moment = moment
        self.values = values
        self.time = 0.0
        self.root = cause_of(entry, "").root


class EffectsStage:
    """Handles the entries of one partition's outbox that rules have to do with."""

    def __init__(
        self,
        bus: Bus,
        requests: Requests,
        partition: Partition,
        notifier: Notifier,
        resolvers: Resolvers,
        chains: Chains,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bus = bus
        self._requests = requests
        self._partition = partition
        self._notifier = notifier
        self._resolvers = resolvers
        self._chains = chains
        self._clock = clock
        self._sent: Recent[str, set[str]] = Recent(MAX_CAUSES)
        """By first cause, the ids of the commands that were sent for it."""
        self._notices = NoticeCount()

    async def fire(self, entry: OutboxEntry) -> None:
        """Decide the rules of a component and see to what they bring about. Raises `Transient`."""
        fired = msgspec.json.decode(entry.body, type=FiredEntry)
        moment = PastModel(self._partition, fired.user, fired.seq, self._resolvers, self._clock)
        firing = _Firing(fired, moment, Values(moment, self._requests))
        model = await moment.model()
        if model is None:
            self._chains.decided((fired.seq, fired.n), ())
            return
        firing.time = model.time_us / 1e6
        rules = _rules_that_fire(model, fired)
        runs = [_Run(token, rule, quotas_of(model, rule.app).notices_per_hour) for token, rule in rules]
        await _decide_all(runs, firing.values)
        self._chains.decided((fired.seq, fired.n), self._tells_of_its_own(firing, runs))
        await _all_of(self._bring_about(firing, run) for run in runs)

    def _tells_of_its_own(self, firing: _Firing, runs: Iterable[_Run]) -> list[SentCommand]:
        """Name the commands that a firing sends to its own model."""
        return [
            self._named(firing, run)
            for run in runs
            for effect in run.effects
            if isinstance(effect, Telling) and firing.values.is_own(effect.model)
        ]

    def _named(self, firing: _Firing, run: _Run) -> SentCommand:
        """Name the command that a rule sends: to the model that it is in, or to another."""
        entry = firing.entry
        return entry.user, run.app, f"rule-{self._partition.number}.{entry.seq}-{run.token}"

    async def _bring_about(self, firing: _Firing, run: _Run) -> None:
        entry = firing.entry
        try:
            if run.error is not None:
                await self._report(entry.user, run.app, run.token, entry.seq, firing.time, run.error)
            for effect in run.effects:
                if isinstance(effect, Telling):
                    await self._tell(firing, run, effect)
                else:
                    await self._notify(firing, run, effect)
        except Refusal as refusal:
            self._chains.given_up(self._named(firing, run))
            await self._report(entry.user, run.app, run.token, entry.seq, firing.time, refusal.error)

    async def _notify(self, firing: _Firing, run: _Run, effect: Notification) -> None:
        notice = _notice(firing, run, effect.method, effect.url, effect.matched)
        if self._notices.allows(notice.user, run.app, firing.time, notice.id, run.notices_per_hour):
            await self._note(firing, run, method=effect.method, url=host_of(effect.url))
            self._notifier.take(await notices.enqueue(self._bus, self._partition.number, notice))
        else:
            await self._report_notices(firing, run)

    async def _report_notices(self, firing: _Firing, run: _Run) -> None:
        """Report once an hour that an app has set off as many notices as it may."""
        entry = firing.entry
        message = f"rules of {app_name(run.app)} have called URLs {run.notices_per_hour} times in this hour"
        error = Error(Code.QUOTA, message, None, "call less often, or let the operator allow more")
        report = rule_report(entry.user, run.app, run.token, entry.seq, firing.time, error)
        part = f"notices.{entry.user}.{run.app}.{hour_of(firing.time)}"
        await rejections.publish(self._bus, report, self._partition.number, 0, part)

    async def _tell(self, firing: _Firing, run: _Run, telling: Telling) -> None:
        entry = firing.entry
        own, app, command_id = self._named(firing, run)
        if not self._count(firing.root, command_id):
            self._chains.given_up((own, app, command_id))
            await self._report_limit(firing, run)
            return
        if firing.values.is_own(telling.model):
            user, cause = entry.user, own_cause_of(entry, run.token, run.read)
        else:
            user, cause = telling.model, cause_of(entry, run.token)
            await firing.values.check_tells(run.app, user, telling.path)
            await self._note(firing, run, person=user, path=list(telling.path))
        *context, component = telling.path
        command = Derive(
            id=command_id,
            context=context,
            component=component,
            evidence=NewEvidence(value=telling.value, evidence_type=telling.evidence_type),
            convert=True,
            cause=cause,
        )
        await self._requests.store(user, run.app, command, timeout_s=STORE_WITHIN_S)

    async def _note(self, firing: _Firing, run: _Run, **what: Any) -> None:
        """Have the model know what is about to leave it, before it does: then what follows from evidence is known.

        If the evidence has gone by the time that this is applied, what is told is withdrawn after it was told.
        """
        entry = firing.entry
        cause = own_cause_of(entry, run.token)
        if cause.seq is not None:
            note = NoteSent(
                id=f"sent-{self._partition.number}.{entry.seq}-{run.token}", cause=cause, app=run.app, **what
            )
            await self._requests.store(entry.user, RULES_APP, note, timeout_s=STORE_WITHIN_S)

    def _count(self, root: str, command_id: str) -> bool:
        """Tell whether one more command for a first cause is within bounds.

        The model refuses what is too much, always the same. This only keeps an explosion of rules out of the log.
        """
        ids = self._sent.get(root)
        if ids is None:
            self._sent[root] = ids = set()
        if command_id not in ids and len(ids) > MAX_PER_CAUSE:
            return False
        ids.add(command_id)
        return True

    async def _report_limit(self, firing: _Firing, run: _Run) -> None:
        """Report an explosion once."""
        entry = firing.entry
        message = f"one cause has set off more than {MAX_PER_CAUSE} commands"
        error = Error(Code.RULE_LIMIT, message, "cause.root", "look for a cycle of rules")
        rejection = rule_report(entry.user, run.app, run.token, entry.seq, firing.time, error)
        await rejections.publish(self._bus, rejection, self._partition.number, 0, firing.root)

    async def _report(self, user: str, app: str, token: str, seq: int, at: float, error: Error) -> None:
        rejection = rule_report(user, app, token, seq, at, error)
        await rejections.publish(self._bus, rejection, self._partition.number, seq, token)


@lru_cache(maxsize=MAX_PARSED)
def _parsed(statement: str) -> Rule:
    return parse_rule(statement)


def _rules_that_fire(model: Model, fired: FiredEntry) -> list[tuple[str, StoredRule]]:
    """Give the rules in the order of their making."""
    context = model.context(tuple(fired.path[:-1]))
    rules = {} if context is None else context.rules.get(fired.path[-1], {})
    if fired.token is not None:
        rule = rules.get(fired.token)
        return [] if rule is None or rule.suspended is not None else [(fired.token, rule)]
    waiting = [(token, rule) for token, rule in rules.items() if fires_on_tells(rule)]
    return [(token, rule) for token, rule in waiting if token not in fired.but_not]


async def _decide_all(runs: list[_Run], values: Values) -> None:
    """Decide rules side by side, so that what they want at each step is got at once."""
    going = [run for run in runs if run.step(values)]
    while going:
        await values.fetch((run.app, wanted) for run in going for wanted in run.wanted)
        going = [run for run in going if run.step(values)]


async def _all_of(effects_of_rules: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Start all in their order, wait for all, and raise what the first that failed has raised."""
    results = await asyncio.gather(*effects_of_rules, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _notice(firing: _Firing, run: _Run, method: Any, url: str, matched: str) -> Notice:
    entry = firing.entry
    return Notice(
        id=f"{entry.seq}.{run.token}",
        user=entry.user,
        app=run.app,
        rule=run.token,
        path=entry.path,
        seq=entry.seq,
        time=firing.time,
        matched=matched,
        method=method,
        url=url,
    )
