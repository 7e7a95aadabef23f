"""Answers that come in a call back, and not to a coroutine."""

import asyncio
import contextlib
from typing import Any

import pytest

from bus.as_app import LastWrites
from bus.calling_back import CallingBack
from bus.connection import Bus
from bus.exchanges import OnSettled
from bus.requests import Requests
from bus.turns import MAX_ON_BUS, Turns
from schemas.codec import encode
from schemas.commands import Command, Forget, MakeModel, Tell
from schemas.errors import Code, Error, LlumError, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.queries import Access, Ping, Query
from schemas.replies import Accepted, AccessReply, Failed, Refused
from tests.bus.conftest import Connect
from tests.bus.test_requests import ACCEPTED, PONG, FakeWorker
from tests.waiting import DEADLINE_S, until

ALICE = ("alice", "kitchen")


class Said:
    """What came in a call back, once."""

    def __init__(self) -> None:
        self.came: list[tuple[Any, Exception | None]] = []

    def __call__(self, answer: Any, error: Exception | None) -> None:
        self.came.append((answer, error))

    async def only(self) -> tuple[Any, Exception | None]:
        await until(lambda: bool(self.came), "an answer or an error came")
        (one,) = self.came
        return one


class Worker:
    """Keeps what is sent until a test settles it."""

    def __init__(self) -> None:
        self.under_way: list[tuple[Command | Query, OnSettled]] = []
        self.takes: Exception | bool = True

    def send_soon(
        self, user: str, app: str, command: Command, on_settled: OnSettled, timeout_s: float = 0.0, *, settle: bool
    ) -> bool:
        return self._take(command, on_settled)

    def ask_soon(self, user: str, app: str, query: Query, on_settled: OnSettled) -> bool:
        return self._take(query, on_settled)

    def _take(self, message: Command | Query, on_settled: OnSettled) -> bool:
        if isinstance(self.takes, Exception):
            raise self.takes
        if self.takes:
            self.under_way.append((message, on_settled))
        return self.takes

    def settle(self, answer: Any = None, error: Exception | None = None) -> None:
        self.under_way.pop(0)[1](answer if answer is None else encode(answer), error)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def calling(worker: Worker) -> CallingBack:
    return CallingBack(worker, LastWrites(), Turns(5))


def test_an_ask_sees_what_the_app_has_written(calling: CallingBack, worker: Worker) -> None:
    """Or what the request says that it has written elsewhere, if that is later."""
    said = Said()
    assert calling.send(ALICE, Forget(id="x"), said)
    worker.settle(Accepted(id="x", seq=41, settled_seq=44))
    assert said.came == [(Accepted(id="x", seq=41, settled_seq=44), None)]
    for seen in (None, 43, 45):
        calling.ask(ALICE, Access(), seen, said)
    calling.ask(("bob", "kitchen"), Access(), None, said)
    calling.ask(ALICE, Access(min_seq=7), 45, said)
    assert [message for message, _ in worker.under_way] == [
        *(Access(min_seq=seq) for seq in (44, 44, 45)),
        Access(),
        Access(min_seq=7),
    ]
    worker.settle(AccessReply(seq=44, role="app", registration=1))
    assert said.came[-1] == (AccessReply(seq=44, role="app", registration=1), None)


def test_what_was_refused_or_failed_is_told(calling: CallingBack, worker: Worker) -> None:
    """Nothing is written then. An answer that cannot be read is an error, too."""
    said, refused, trouble = Said(), Refused(id="x", seq=9, error=Error(Code.BAD_VALUE, "no")), ZeroDivisionError()
    for _ in range(3):
        calling.send(ALICE, Forget(id="x"), said)
    calling.ask(ALICE, Access(), None, said)
    calling.ask(ALICE, Access(), None, said)
    worker.settle(refused)
    worker.settle(error=trouble)
    worker.settle("no outcome")
    worker.settle(Failed(error=Error(Code.NO_SUCH_APP, "none")))
    worker.settle("no reply")
    assert said.came[:2] == [(refused, None), (None, trouble)]
    assert said.came[3] == (Failed(error=Error(Code.NO_SUCH_APP, "none")), None)
    assert [(answer, error is not None) for answer, error in (said.came[2], said.came[4])] == [(None, True)] * 2
    calling.ask(ALICE, Access(), None, said)
    assert worker.under_way[0][0] == Access()


def test_a_command_that_would_have_to_wait_is_not_sent(calling: CallingBack, worker: Worker) -> None:
    """Each takes a turn, and gives it back."""
    said = Said()
    assert [calling.send(ALICE, Forget(id="x"), said) for _ in range(MAX_ON_BUS + 1)] == [True] * MAX_ON_BUS + [False]
    worker.settle(ACCEPTED)
    assert [calling.send(ALICE, Forget(id="x"), said) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("trouble", [False, Transient(Code.UNAVAILABLE, "no")])
def test_what_is_not_sent_has_no_turn(calling: CallingBack, worker: Worker, trouble: Any) -> None:
    """Whether that is said or raised."""
    worker.takes = trouble
    for _ in range(2 * MAX_ON_BUS):
        with contextlib.suppress(Transient):
            assert not calling.send(ALICE, Forget(id="x"), Said())
    worker.takes = True
    assert calling.send(ALICE, Forget(id="x"), Said())


def test_what_nobody_may_send_is_refused(calling: CallingBack, worker: Worker) -> None:
    """As where it is waited for."""
    evidence = NewEvidence(value=1, extra={"seq": 1})
    with pytest.raises(Refusal) as refusal:
        calling.send(ALICE, Tell(id="x", context=[], component="c", evidence=evidence), Said())
    assert refusal.value.code is Code.BAD_FIELD
    assert not worker.under_way


def _has_nothing_left(requests: Requests) -> bool:
    return not (requests._under_way or requests._inbox._waiting)


async def test_outcomes_and_replies_come_from_the_bus(connect: Connect, requests: Requests) -> None:
    """Encoded, and once. Nothing is left behind."""
    await FakeWorker(await connect(), ACCEPTED, PONG).start()
    outcome, reply = Said(), Said()
    assert requests.send_soon("alice", "app", MakeModel(id="one"), outcome, DEADLINE_S, settle=True)
    assert requests.ask_soon("alice", "app", Ping(), reply, DEADLINE_S)
    assert await outcome.only() == (encode(ACCEPTED), None)
    assert await reply.only() == (encode(PONG), None)
    assert _has_nothing_left(requests)


async def test_what_nobody_hears_is_sent_again(connect: Connect, requests: Requests) -> None:
    """As it is where somebody waits."""
    worker = await FakeWorker(await connect(), ACCEPTED, PONG, deaf=1).start()
    said = Said()
    assert requests.ask_soon("alice", "app", Ping(), said, DEADLINE_S)
    assert await said.only() == (encode(PONG), None)
    assert len(worker.heard) == 2


@pytest.mark.parametrize("timeout_s", [0.05, 0.3])
async def test_what_is_not_answered_ends_with_its_time(requests: Requests, timeout_s: float) -> None:
    """However short that is."""
    said = Said()
    assert requests.send_soon("alice", "app", MakeModel(id="one"), said, timeout_s, settle=False)
    _, error = await said.only()
    assert isinstance(error, Transient)
    assert "no outcome came" in error.error.message
    assert _has_nothing_left(requests)


async def test_closing_tells_everyone(bus: Bus) -> None:
    """Nobody is left without a word."""
    requests, said = Requests(bus), Said()
    await requests.start()
    assert requests.send_soon("alice", "app", MakeModel(id="one"), said, DEADLINE_S, settle=False)
    await requests.close()
    (_, error), *none = said.came
    assert isinstance(error, LlumError)
    assert error.code is Code.UNAVAILABLE
    assert not none


async def test_without_a_connection_nothing_is_under_way(bus: Bus, requests: Requests) -> None:
    """Whoever can wait waits until it is back."""
    await bus.close()
    said = Said()
    assert not requests.ask_soon("alice", "app", Ping(), said, 0.05)
    assert not requests.send_soon("alice", "app", MakeModel(id="one"), said, 0.05, settle=False)
    await asyncio.sleep(0)
    assert not said.came
    assert _has_nothing_left(requests)
