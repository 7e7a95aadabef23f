"""The client that waits: the same methods, on an event loop in a thread of its own."""

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bus.turns import MAX_ON_BUS
from llum.client import Client
from llum.failures import Fault
from llum.sync import SyncClient
from schemas.commands import Command
from schemas.errors import Code, Error, Refusal, Transient
from schemas.queries import Query
from schemas.replies import Accepted, AccessReply, ExportReply, Outcome, Refused, Reply

METHODS = {
    name: method
    for name, method in vars(Client).items()
    if not name.startswith("_") and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method))
}


class Requests:
    """Accepts every command about alice and no other; the third page of an export is the last."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.sent: list[Command] = []
        self.pages = 0
        self.closed = False
        self.under_way = 0
        self.most = 0

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        self.threads.add(threading.get_ident())
        self.sent.append(command)
        seq = len(self.sent)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if user != "alice":
            return Refused(id=command.id, seq=1, error=Error(Code.NO_SUCH_MODEL, "there is no model"))
        return Accepted(id=command.id, seq=seq)

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        if query.__struct_config__.tag == "export":
            self.pages += 1
            return ExportReply(seq=1, next=("x", self.pages, 0) if self.pages < 3 else None)
        return AccessReply(seq=query.min_seq or 0, role="owner", registration=1)


class Silent(Requests):
    """Never answers. `waiting` is set when somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        self.waiting.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


Connects = Callable[[Any], Any]


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> Connects:
    """Let `Client.connect` give a client of laid-out requests, or raise."""

    def lay_out(requests: Any) -> Any:
        @contextlib.asynccontextmanager
        async def connect(*_: Any) -> AsyncIterator[Client]:
            if isinstance(requests, Exception):
                raise requests
            yield Client(None, requests, "kitchen")  # type: ignore[arg-type]
            requests.closed = True

        monkeypatch.setattr(Client, "connect", connect)
        return requests

    return lay_out


def client_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "llum-client"]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_form_that_waits(name: str) -> None:
    """With the same parameters and the same explanation; it is a plain function."""
    waiting = getattr(SyncClient, name)
    assert inspect.signature(waiting) == inspect.signature(METHODS[name])
    assert inspect.getdoc(waiting) == inspect.getdoc(METHODS[name])
    assert not inspect.iscoroutinefunction(waiting)


def test_it_gives_what_the_method_gives_and_raises_what_it_raises(connects: Connects) -> None:
    """Replies, refusals, and the pages of an export one by one; an ask sees what was told before."""
    connects(Requests())

    with SyncClient.connect() as llum:
        assert llum.app == "kitchen"
        assert llum.tell("alice", "Personal/firstname", "Al").seq == 1
        assert llum.access("alice").seq == 1
        assert len(list(llum.export("alice"))) == 3
        with pytest.raises(Refusal, match="no_such_model"):
            llum.tell("bob", "Personal/firstname", "Bob")
        with pytest.raises(Refusal, match="bad_path"):
            llum.tell("alice", "", "Al")


def test_many_threads_share_one_client(connects: Connects) -> None:
    """Each gets its own answer; the work is done in one thread."""
    requests = connects(Requests())

    with SyncClient.connect() as llum, ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: llum.tell("alice", "a/b", number), range(200)))

    assert sorted(outcome.seq for outcome in told) == list(range(1, 201))
    assert len(requests.threads) == 1


def test_a_client_waits_for_its_turn(connects: Connects) -> None:
    """However many commands about a person it is given at once: few are on the bus at a time, and none is refused."""
    requests = connects(Requests())
    asked = [("alice", f"a/b{number}", number) for number in range(200)]

    async def tell_all(client: Client) -> list[int]:
        return [told.seq for told in await asyncio.gather(*(client.tell(*each) for each in asked))]

    with SyncClient.connect() as llum:
        assert sorted(llum._background.call(tell_all)) == list(range(1, 201))

    assert requests.most == MAX_ON_BUS


def test_after_its_block_nothing_is_left(connects: Connects) -> None:
    """The connection is closed and the thread has ended; a later call says why it fails."""
    requests = connects(Requests())

    with SyncClient.connect() as llum:
        llum.access("alice")

    assert requests.closed
    assert client_threads() == []
    with pytest.raises(RuntimeError, match="closed"):
        llum.access("alice")


def test_what_cannot_be_connected_raises_at_the_start(connects: Connects) -> None:
    """As the asynchronous client does, and no thread is left."""
    connects(Fault("no llum runs here", "start it"))

    with pytest.raises(Fault, match="start it"), SyncClient.connect():
        raise AssertionError("there is nothing to do")

    assert client_threads() == []


def test_whoever_waits_while_it_is_closed_hears_of_it(connects: Connects) -> None:
    """A call of another thread does not wait for ever."""
    requests = connects(Silent())
    with ThreadPoolExecutor(1) as pool:
        with SyncClient.connect() as llum:
            call = pool.submit(llum.tell, "alice", "a/b", 1)
            assert requests.waiting.wait(60)

        with pytest.raises(Transient, match="closed"):
            call.result(60)


def test_an_error_in_the_block_closes_it_too(connects: Connects) -> None:
    """Nothing hides the error."""
    connects(Requests())

    with pytest.raises(ZeroDivisionError), SyncClient.connect():
        _ = 1 / 0

    assert client_threads() == []
