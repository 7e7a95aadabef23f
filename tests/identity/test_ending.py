"""Which connections a callout ends, and when: with stand-ins for nats-server, tokens and the worker."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from identity.callout.connections import Identity
from identity.callout.ending import LATELY_S, Ending
from schemas.errors import Code, Transient
from schemas.queries import Query
from schemas.replies import AccessReply, Reply
from tests.waiting import until

LAMP = Identity("alice", "lamp", "abcd", 7, "ask")
OTHERS = [Identity(f"person{number}", "lamp", "abcd", 7, "ask") for number in range(40)]


class There:
    """Connections as a test makes them."""

    def __init__(self, *there: Identity) -> None:
        self.there = list(there)
        self.on_new: Callable[[Identity], None]
        self.on_begin: list[Callable[[], None]] = []
        self.lists = 0

    def whose(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((one.user, one.app) for one in self.there))

    def of(self, user: str, app: str) -> list[Identity]:
        return [one for one in self.there if (one.user, one.app) == (user, app)]

    async def end(self, user: str, app: str, but: Identity | None = None, credential: str | None = None) -> None:
        self.there = [one for one in self.there if one not in self.of(user, app) or self._stays(one, but, credential)]

    @staticmethod
    def _stays(one: Identity, but: Identity | None, credential: str | None) -> bool:
        if credential is not None:
            return one.credential != credential
        return but is not None and one[3:] == but[3:]

    async def list(self) -> None:
        self.lists += 1


class Token:
    def __init__(self, id: str, app: str) -> None:
        self.id, self.app = id, app


class Known:
    """Tokens and registrations that change as a test says."""

    def __init__(self) -> None:
        self.tokens = self.registrations = self
        self.on_change: list[Any] = []
        self.on_announcement: list[Any] = []
        self.on_begin: list[Callable[[], None]] = []
        self.good = {"abcd"}

    async def list(self, _user: str) -> list[Token]:
        return [Token(id, "lamp") for id in self.good]


class Worker:
    """Answers about all but some people."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.rights = ["ask"]
        self.asks = 0

    async def ask(self, user: str, _app: str, _query: Query) -> Reply:
        self.asks += 1
        if user in self.silent:
            raise Transient(Code.UNAVAILABLE, "no worker serves this user now")
        return AccessReply(registration=7, role="app", rights=self.rights, seq=9)


class Turns:
    """Sleeps until the test says that the time is over."""

    def __init__(self) -> None:
        self.sleepers = 0
        self.go_on = asyncio.Event()

    async def sleep(self, _seconds: float) -> None:
        self.sleepers += 1
        await self.go_on.wait()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def known() -> Known:
    return Known()


def ending(there: Any, known: Any, worker: Worker, now: list[float], turns: Turns | None = None) -> Ending:
    return Ending(there, known, worker, lambda: now[0], (turns or Turns()).sleep)


async def test_whom_nobody_can_tell_about_keeps_out_no_others_and_is_looked_at_again(
    known: Known, worker: Worker
) -> None:
    """Many people's partition is not served when the callout starts; the tokens of all have been revoked."""
    there, turns = There(*OTHERS, LAMP), Turns()
    known.good.clear()
    worker.silent = {one.user for one in OTHERS}
    async with ending(there, known, worker, [0.0], turns).running():
        await until(lambda: turns.sleepers == 1, "it waits before it looks again")
        assert there.there == OTHERS
        worker.silent.clear()
        turns.go_on.set()
        await until(lambda: not there.there, "theirs have ended, too")


@pytest.mark.parametrize("what", ["a token is revoked", "rights change"])
async def test_a_connection_that_comes_about_while_something_changes_is_looked_at(
    known: Known, worker: Worker, what: str
) -> None:
    """It was decided on before the change, and nobody knew of it when the change was told."""
    there, now = There(), [0.0]
    async with ending(there, known, worker, now).running():
        await until(lambda: there.lists == 1, "it has looked once")
        if what == "rights change":
            worker.rights = ["ask", "tell"]
        else:
            known.good.clear()
        for hook in known.on_change:
            hook("alice", "lamp", "abcd")
        there.there.append(LAMP)
        there.on_new(LAMP)
        await until(lambda: not there.there, "it has ended")


async def test_what_comes_long_after_a_change_is_taken_as_decided(known: Known, worker: Worker) -> None:
    """It costs no look-up: whoever let it in knew of the change."""
    there, now = There(), [0.0]
    async with ending(there, known, worker, now).running():
        await until(lambda: there.lists == 1, "it has looked once")
        for hook in known.on_change:
            hook("alice", "lamp", "wxyz")
        now[0] += LATELY_S
        known.good.clear()
        there.there.append(LAMP)
        there.on_new(LAMP)
        for hook in known.on_begin:
            hook()  # something may have been missed: now all are looked at
        await until(lambda: not there.there, "it has ended")
        assert worker.asks == 1


@pytest.mark.parametrize("place", ["tokens", "connections"])
async def test_whenever_something_may_have_been_missed_all_are_looked_at(
    known: Known, worker: Worker, place: str
) -> None:
    """A watch was broken, or the connection on which nats-server tells who comes and goes."""
    there = There(LAMP)
    async with ending(there, known, worker, [0.0]).running():
        await until(lambda: there.lists == 1, "it has looked once")
        assert there.there == [LAMP]
        known.good.clear()
        for hook in (known if place == "tokens" else there).on_begin:
            hook()
        await until(lambda: not there.there, "it has ended")
