"""The way onto the bus of an llum whose person may narrow, at any time, what a sensor may do.

A message that is stored there and refused afterwards would have left the spool for nothing. So before each one the
sensor sees what it may do, and it waits for the outcome. What is refused all the same goes on to wait, and is sent
again under another id: the first one has got its outcome for ever.
"""

import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

import msgspec

from bus.requests import Requests
from schemas.codec import decode_command
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.grants import GrantsReply
from schemas.paths import Path, format_path, parse_path
from schemas.queries import Grants
from schemas.replies import Refused
from schemas.slices import Slice
from sensors.spool import Entry

WAITS_FOR: Final = frozenset(
    {Code.PERMISSION_DENIED, Code.NO_SUCH_CONTEXT, Code.NO_SUCH_COMPONENT, Code.NO_SUCH_APP, Code.NO_SUCH_MODEL}
)
"""Why a message is refused that the person can let be accepted."""

PAUSE_S: Final = 60.0
"""Seconds from a refusal that could not be foreseen to the next attempt: each one leaves a trace in llum."""


class GrantedWay:
    """Stores entries of one sensor at one place of a model, for as long as the sensor lives."""

    def __init__(self, path: Path, component: str, hint: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._component = component
        self._hint = hint
        self._monotonic = monotonic
        self._pauses_until = 0.0

    async def store(self, requests: Requests, entry: Entry) -> None:
        """Have an entry accepted. Raises `Transient` while the person does not let it, `Refusal` if nobody could."""
        if self._monotonic() < self._pauses_until:
            raise self._not_let()
        try:
            await self._store(requests, entry)
        except Refusal as refusal:
            if refusal.code not in WAITS_FOR:
                raise
            raise self._not_let() from refusal

    async def _store(self, requests: Requests, entry: Entry) -> None:
        command = decode_command(entry.payload, entry.verb)
        await self._see_grant(requests, entry)
        for number in count():
            named = msgspec.structs.replace(command, id=f"{command.id}.{number}" if number else command.id)
            outcome = await requests.send(entry.user, entry.app, named)
            if not isinstance(outcome, Refused):
                return
            error = raised_from(outcome.error)
            if error.code in WAITS_FOR and outcome.repeated:
                continue
            self._pauses_until = self._monotonic() + PAUSE_S
            raise error

    async def _see_grant(self, requests: Requests, entry: Entry) -> None:
        """See what the sensor may do now, before anything leaves a trace. Raises `permission_denied`."""
        reply = await requests.ask(entry.user, entry.app, Grants(app=entry.app))
        assert isinstance(reply, GrantsReply), "that is the answer to this question"
        slices = [one for app in reply.apps for one in app.slices]
        if not may_tell(slices, self._path, self._component):
            raise Refusal(Code.PERMISSION_DENIED, "the person does not let this sensor tell now")

    def _not_let(self) -> Transient:
        place = format_path((*self._path, self._component))
        return Transient(Code.PERMISSION_DENIED, f"the sensor may not tell {place} now", self._hint)


def may_tell(slices: Sequence[Slice], path: Path, component: str) -> bool:
    """Tell whether a component may be told: the nearest slice that says anything of it decides."""
    said: dict[int, bool] = {}
    whole = (*path, component)
    for one in slices:
        if one.whose_rules is not None or "tell" not in (*one.actions, *one.denied):
            continue
        around = [place for place in map(parse_path, one.paths) if path[: len(place)] == place]
        around += [place for place in map(parse_path, one.components) if place == whole]
        said |= {len(place): "tell" in one.actions for place in around}
    return said[max(said)] if said else False
