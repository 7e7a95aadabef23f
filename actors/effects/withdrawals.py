"""Withdrawing what followed from evidence, as far as it is not done yet: in the same model, and in other people's.

In the same model a further command of llum's own goes on where the one before has ended. In another person's it is a
command of the app whose rule it was, if that person still lets its rules tell there; if not, it is reported as any rule
that fails. Ids are made of what is in the outbox, so whatever is done twice counts once.

Effects of one person leave in the order of the log, so a withdrawal leaves after whatever it withdraws.
"""

from typing import Final

import msgspec

from actors.effects.rule_values import check_tells
from actors.store.entries import GoneEntry, WithdrawElsewhereEntry, WithdrawFurtherEntry, rule_report
from actors.store.shard import OutboxEntry
from bus import rejections
from bus.connection import Bus
from bus.requests import Requests
from schemas.apps import RULES_APP
from schemas.commands import WithdrawFollowing
from schemas.errors import Error, Refusal

STORE_WITHIN_S: Final = 5.0
"""Seconds in which a command must be stored, before the entry is tried again."""

_Target = tuple[str, str, tuple[str, ...]]
"""Whose model, the app whose rules have told it something, and the component there."""


class Withdrawals:
    """Handles the entries of one partition's outbox that withdraw what followed from evidence."""

    def __init__(self, bus: Bus, requests: Requests, partition: int) -> None:
        self._bus = bus
        self._requests = requests
        self._partition = partition

    async def further(self, entry: OutboxEntry) -> None:
        """Go on in the same model. Raises `Transient`."""
        rest = msgspec.json.decode(entry.body, type=WithdrawFurtherEntry)
        command = WithdrawFollowing(id=self._id(entry, 0), origins=rest.origins, by=rest.by)
        await self._requests.store(rest.user, RULES_APP, command, timeout_s=STORE_WITHIN_S)

    async def elsewhere(self, entry: OutboxEntry) -> None:
        """Withdraw what rules have told other people's models. Raises `Transient`."""
        one = msgspec.json.decode(entry.body, type=WithdrawElsewhereEntry)
        for index, (target, gone) in enumerate(_by_target(one.gone).items()):
            try:
                await self._withdraw(one.user, target, gone, self._id(entry, index))
            except Refusal as refusal:
                await self._report(entry, one, gone, refusal.error)

    async def _withdraw(self, user: str, target: _Target, gone: list[GoneEntry], command_id: str) -> None:
        person, app, path = target
        await check_tells(self._requests, app, person, path, user)
        *context, component = path
        pieces = list(dict.fromkeys((piece.seq, piece.n) for piece in gone))
        command = WithdrawFollowing(id=command_id, person=user, pieces=pieces, context=context, component=component)
        await self._requests.store(person, app, command, timeout_s=STORE_WITHIN_S)

    async def _report(
        self, entry: OutboxEntry, one: WithdrawElsewhereEntry, gone: list[GoneEntry], error: Error
    ) -> None:
        """Report to the rules' app that what they told stays there."""
        message = f"what the rule told {gone[0].sent.person} because of withdrawn evidence stays there: {error.message}"
        told = msgspec.structs.replace(error, message=message)
        for rule in dict.fromkeys(piece.sent.rule for piece in gone):
            report = rule_report(one.user, gone[0].sent.app, rule, entry.seq, one.time, told)
            part = f"{rule}.{gone[0].sent.person}"
            await rejections.publish(self._bus, report, self._partition, entry.seq, part)

    def _id(self, entry: OutboxEntry, index: int) -> str:
        return f"gone-{self._partition}.{entry.seq}.{entry.n}-{index}"


def _by_target(gone: list[GoneEntry]) -> dict[_Target, list[GoneEntry]]:
    targets: dict[_Target, list[GoneEntry]] = {}
    for one in gone:
        assert one.sent.person is not None, "a notice is not withdrawn"
        targets.setdefault((one.sent.person, one.sent.app, tuple(one.sent.path)), []).append(one)
    return targets
