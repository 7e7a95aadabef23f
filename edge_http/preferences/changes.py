"""`GET /preferences/:key/changes`: what changes in a safe, told as it happens.

An event of a worker says which places have changed. Before the caller is told, everything is looked at anew: who they
are, and which of these places they may ask at this moment. So nothing is told by a right that has ended.
"""

import asyncio
from collections import deque
from typing import Any, Final

from aiohttp import hdrs, web

from edge_http.http.event_stream import HEADERS, EventStream, ReaderGone
from edge_http.preferences.asked import key_of
from edge_http.preferences.feeds import FEEDS, Feeds
from edge_http.preferences.reached import ReachedPlace, reach
from edge_http.preferences.what_changed import ChangedSetting, ChangeInSafe, change_in, differing, setting_at
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.events import Event
from schemas.grants import GrantsReply
from schemas.paths import Path
from schemas.preferences import PreferencesReply
from schemas.queries import Ask, Grants, Preferences
from schemas.replies import AskReply
from schemas.slices import Slice

HEARTBEAT_S: Final = 15.0
"""Seconds without a change after which the caller is looked at, and told that the feed is alive."""

AGAIN_S: Final = 1.0
"""Seconds until that is tried anew where something did not answer."""

MAX_WAITING: Final = 256
"""Changes that wait for a reader."""

_LAST_EVENT_ID: Final = "Last-Event-ID"

_MAY_ASK: Final = frozenset({Code.NO_SUCH_COMPONENT, Code.NO_SUCH_CONTEXT})
"""What is said of a place that is not there any more, to whom may ask it alone."""

_NO_MORE: Final = frozenset({Code.PERMISSION_DENIED, Code.NO_SUCH_APP, Code.NO_SUCH_MODEL})


async def changes(request: web.Request) -> web.StreamResponse:
    """Tell what changes, until the right to know ends, or the reader goes."""
    reached = await reach(request, key_of(request))
    feeds, feed = reached.edge[FEEDS], _Feed(request, reached)
    if request.method == hdrs.METH_HEAD:
        await feed.begin()
        return web.Response(headers=HEADERS)
    with feeds.place((reached.user, reached.app)):
        async with feeds.events.listening(reached.user, feed.take):
            await feed.begin()
            return await feed.told(feeds)


class _Feed:
    """One caller, and what waits to be told."""

    def __init__(self, request: web.Request, reached: ReachedPlace) -> None:
        self._request = request
        self._reached = reached
        self._waiting: deque[ChangeInSafe] = deque()
        self._awake = asyncio.Event()
        self._early: list[Event] | None = []
        """What is heard before it is known from which command on changes are told; None: that is known."""
        self._heard_seq = 0
        """The last command that was heard of. Whoever is answered by a later one has missed something, and so has
        whoever hears of a later one that names another as the one before it."""
        self._from_seq = 0
        self._missed = False
        self._overrun = False
        self._granted: list[Slice] = []
        self._stream: EventStream

    def take(self, event: Event) -> None:
        """Take an event from the bus."""
        if self._early is not None:
            self._early.append(event)
            return
        if event.seq > self._heard_seq:
            self._note(event)
        change = change_in(event, self._reached.place)
        if change is None:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._overrun = True
        else:
            self._waiting.append(change)
        self._awake.set()

    def _note(self, event: Event) -> None:
        if event.before != self._heard_seq:
            self._missed = True
            self._awake.set()
        self._heard_seq = event.seq

    async def begin(self) -> None:
        """Look at what there is. Raises what is wrong with the caller or the key, as long as an answer can say so."""
        reply, self._granted = await self._asked(), await self._grants()
        self._from_seq = self._heard_seq = reply.seq
        early, self._early = self._early or [], None
        for event in early:
            self.take(event)

    async def told(self, feeds: Feeds) -> web.StreamResponse:
        """Tell what changes, and give the response when that is over. It is cancelled when the reader goes."""
        self._stream = await EventStream.begin(self._request, self._from_seq)
        ends = [asyncio.create_task(feeds.stopping.wait()), asyncio.create_task(self._tell())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        return self._stream.response

    async def _tell(self) -> None:
        try:
            await self._tell_what_was_missed()
            while True:
                await self._step()
        except ReaderGone:
            return

    async def _step(self) -> None:
        """Wait for a change, or for a heartbeat. What is refused ends the feed, what does not answer is tried anew."""
        try:
            change = await self._next()
            await (self._look() if change is None else self._deliver(change))
        except Transient:
            # Nothing is told by a right that nobody can look at now.
            self._missed = True
        except LlumError as error:
            await self._stream.end(error.error)

    async def _next(self) -> ChangeInSafe | None:
        """Give the next change; None: it is time to look."""
        if self._overrun:
            await self._stream.cut_off()
        if self._missed:
            await asyncio.sleep(AGAIN_S)
            return None
        if not self._waiting:
            self._awake.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._awake.wait()
            except TimeoutError:
                return None
        return None if self._missed else self._waiting.popleft()

    async def _look(self) -> None:
        """See whether the caller may still know, and whether something was missed."""
        await self._check_caller()
        missed, self._missed = self._missed, False
        reply = await self._asked(self._heard_seq)
        if missed or reply.seq > self._heard_seq:
            # What came meanwhile and is newer is told after it.
            self._waiting = deque(change for change in self._waiting if change.seq > reply.seq)
            self._heard_seq = max(self._heard_seq, reply.seq)
            self._from_seq = reply.seq
            await self._reload(reply.seq)
        elif not self._waiting:
            # An id says that all up to it has been told.
            await self._stream.beat(reply.seq)

    async def _deliver(self, change: ChangeInSafe) -> None:
        if change.seq <= self._from_seq:
            return
        await self._check_caller()
        if change.what == "settings":
            await self._deliver_settings(change)
            return
        await self._asked(change.seq)
        granted = await self._grants() if change.what == "rights" else self._granted
        if change.what == "more" or granted != self._granted:
            self._granted = granted
            await self._reload(change.seq)

    async def _deliver_settings(self, change: ChangeInSafe) -> None:
        """Tell of those places that the caller may ask now."""
        seen = await self._seen(change)
        if seen is None:
            await self._reload(change.seq)
        elif seen:
            named = [setting_at(path, self._reached.place) for path in seen]
            await self._say(change.seq, change.time, [one for one in named if one is not None])

    async def _seen(self, change: ChangeInSafe) -> list[Path] | None:
        """Ask for the places, and give those that are answered. None: that is too much for one answer."""
        try:
            view: list[str | list[str]] = [list(path) for path in change.paths]
            reply = await self._reached.as_app.find(Ask(view=view, min_seq=change.seq), AskReply)
        except Refusal as refusal:
            if refusal.code in _NO_MORE:
                raise
            return None
        hidden = {tuple(one.path) for one in reply.failures if one.error.code not in _MAY_ASK}
        return [path for path in change.paths if path not in hidden]

    async def _tell_what_was_missed(self) -> None:
        """Tell whoever comes back how the safe differs from what they have heard of."""
        last = self._request.headers.get(_LAST_EVENT_ID, "")
        if not last or last == str(self._from_seq):
            return
        try:
            then = await self._asked_as_of(int(last))
            now = await self._asked(self._from_seq)
        except (LlumError, ValueError):
            # The past is not for everybody. What has ended meanwhile is seen with the next look.
            await self._reload(self._from_seq)
            return
        changed = differing(then.sets, now.sets)
        if changed is not None:
            self._from_seq = now.seq
            await self._say(now.seq, None, changed)

    async def _asked_as_of(self, seq: int) -> PreferencesReply:
        if not 0 < seq <= self._from_seq:
            raise ValueError(seq)
        query = Preferences(context=list(self._reached.place), as_of_seq=seq)
        return await self._reached.as_app.find(query, PreferencesReply)

    async def _check_caller(self) -> None:
        """See that the request still reaches what it did. Raises what refuses it."""
        reached = await reach(self._request, self._reached.key)
        if (reached.user, reached.app, reached.place) != (self._reached.user, self._reached.app, self._reached.place):
            raise Refusal(Code.NOT_AUTHENTICATED, "the key opens something else now", hint="connect anew")

    async def _asked(self, min_seq: int | None = None) -> PreferencesReply:
        query = Preferences(context=list(self._reached.place), min_seq=min_seq)
        return await self._reached.as_app.find(query, PreferencesReply)

    async def _grants(self) -> list[Slice]:
        reached = self._reached
        reply = await reached.as_app.find(Grants(app=reached.app), GrantsReply)
        return [slice_ for one in reply.apps for slice_ in one.slices]

    async def _say(self, seq: int, time: float | None, settings: list[ChangedSetting]) -> None:
        said: dict[str, Any] = {"seq": seq, "time": time, "settings": settings}
        await self._stream.send("change", said, seq)

    async def _reload(self, seq: int) -> None:
        await self._stream.send("reload", {"seq": seq}, seq)
