"""Which registration of an app holds: known from the announcements of the workers, and from their answers.

What is known is believed while the watch of the announcements lives, and without it for `CHECKED_S`. An app that is not
known yet, or whose credentials are newer than what is known, is asked for at the worker. So whoever deletes an app at
another edge is obeyed here within a second, and a request costs a look into a dict.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from bus.connection import Bus
from bus.registrations import watch_registrations
from schemas.effects import Announcement
from schemas.errors import Code, Refusal
from schemas.queries import Access, Query
from schemas.recent import Recent
from schemas.replies import AccessReply, Reply

CHECKED_S: Final = 1.0
"""Seconds that an answer of the worker is believed while no announcement would arrive."""

KNOWN_APPS: Final = 50_000
"""Apps of persons remembered by one process, about 15 MB; others are asked for again."""

_UNREGISTERED: Final = frozenset({Code.NO_SUCH_MODEL, Code.NO_SUCH_APP})


class Asking(Protocol):
    """The part of `bus.requests.Requests` that is used here."""

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        """Ask, and give the reply."""


class _Known(NamedTuple):
    registration: int | None
    """None: the app is not registered."""
    seq: int
    """What is newer than this command of the person may have changed it."""
    checked: float
    """When it was learnt."""
    origins: frozenset[str] = frozenset()
    """Where its web pages come from."""


class Registrations:
    """Tells whether a registration of an app holds. Run `run()` for as long as it is used."""

    def __init__(self, bus: Bus, requests: Asking, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._requests = requests
        self._monotonic = monotonic
        self._known: Recent[tuple[str, str], _Known] = Recent(KNOWN_APPS)
        self.on_announcement: list[Callable[[Announcement], None]] = []
        """Called with each announcement. They must not block."""
        self.on_begin: list[Callable[[], None]] = []
        """Called when some announcements may have been missed. They must not block."""
        self._begun = 0
        """Counts the watches: an answer that was asked for under an earlier one may be outdated."""
        self._watch = watch_registrations(bus, self._take, self._begin)

    async def run(self) -> None:
        """Watch the announcements until cancelled."""
        await self._watch.run()

    @property
    def is_watching(self) -> bool:
        """Tell whether announcements arrive."""
        return self._watch.is_live

    async def holds(self, user: str, app: str, registration: int) -> bool:
        """Tell whether the app is registered, and by this registration. Raises `Transient`."""
        known = self._known.get((user, app))
        if known is None or known.seq < registration or not self._is_fresh(known):
            known = await self._asked(user, app, registration)
        return known.registration == registration

    def is_known_to_hold(self, user: str, app: str, registration: int) -> bool:
        """Tell whether `holds` would say so without asking."""
        known = self._known.get((user, app))
        return known is not None and known.registration == registration and self._is_fresh(known)

    def origins_of(self, user: str, app: str) -> frozenset[str]:
        """Give where the web pages of an app come from that has just been found to be registered."""
        known = self._known.get((user, app))
        return frozenset() if known is None else known.origins

    def note(self, user: str, app: str, registration: int | None, seq: int, origins: Iterable[str] = ()) -> None:
        """Take in what was true as of a command of the person, unless something newer is known."""
        known = self._known.get((user, app))
        if known is None or known.seq < seq:
            self._known[user, app] = _Known(registration, seq, self._monotonic(), frozenset(origins))

    def _is_fresh(self, known: _Known) -> bool:
        return self._watch.is_live or self._monotonic() - known.checked < CHECKED_S

    async def _asked(self, user: str, app: str, registration: int) -> _Known:
        """Ask the worker, once it has seen the command that made the credentials good."""
        begun, started = self._begun, self._monotonic()
        found = await _found(self._requests, user, app, registration)
        answer = _Known(None, registration, started)
        if found is not None:
            answer = _Known(found.registration, found.seq, started, frozenset(found.origins))
        known = self._known.get((user, app))
        if known is not None and known.seq > answer.seq:
            return known
        if begun == self._begun:
            self._known[user, app] = answer
        return answer

    def _take(self, announced: Announcement) -> None:
        self.note(announced.user, announced.app, announced.registration, announced.seq, announced.origins)
        for hook in self.on_announcement:
            hook(announced)

    def _begin(self) -> None:
        self._begun += 1
        self._known.clear()
        for hook in self.on_begin:
            hook()


async def access(requests: Asking, user: str, app: str, min_seq: int | None = None) -> AccessReply:
    """Ask the worker what an app is to a model. Raises `no_such_model`, `no_such_app`, `Transient`."""
    reply = await requests.ask(user, app, Access(min_seq=min_seq))
    assert isinstance(reply, AccessReply), "an access is answered by its own reply"
    return reply


async def _found(requests: Asking, user: str, app: str, min_seq: int) -> AccessReply | None:
    """Give what the app is to the model; None if it is not registered."""
    try:
        return await access(requests, user, app, min_seq)
    except Refusal as refusal:
        if refusal.code not in _UNREGISTERED:
            raise
        return None
