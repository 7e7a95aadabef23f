"""Commands and asks over a real server, with a worker played by the test."""

import asyncio

import msgspec
import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.hedging import MOST_AT_ONCE, HedgeBudget
from bus.inbox import header
from bus.jetstream import JetStream
from bus.log import stream_last
from bus.pings import ping
from bus.requests import Requests
from bus.streams import FIRST_SEQUENCE
from schemas.commands import MakeModel
from schemas.errors import Code, Error, LlumError, Refusal, Transient
from schemas.queries import Ping
from schemas.replies import Accepted, Failed, PingReply, Refused
from tests.bus.conftest import Connect
from tests.nats_server import kill_and_restart
from tests.waiting import DEADLINE_S, until


class FakeWorker:
    """Answers every command and ask; `deaf` lets the first few pass unheard."""

    def __init__(self, bus: Bus, outcome: object, reply: object, deaf: int = 0) -> None:
        self._bus = bus
        self._outcome = outcome
        self._reply = reply
        self._deaf = deaf
        self.heard: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> "FakeWorker":
        await self._bus.listen("llum.log.>", self._on_command)
        await self._bus.listen("llum.query.>", self._on_ask)
        await self._bus.nc.flush()
        return self

    def _on_command(self, _subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        self._answer(header(headers, b"Llum-Reply-To") or "", data, self._outcome)

    def _on_ask(self, _subject: bytes, reply: bytes, _headers: bytes, data: bytes) -> None:
        self._answer(reply.decode(), data, self._reply)

    def _answer(self, to: str, data: bytes, answer: object) -> None:
        self.heard.append(data)
        if len(self.heard) > self._deaf and to:
            task = asyncio.get_running_loop().create_task(self._bus.publish(to, msgspec.json.encode(answer)))
            self._tasks.add(task)


ACCEPTED = Accepted(id="one", seq=1)
PONG = PingReply(partition=3, applied_seq=7)


async def test_a_sent_command_comes_back_with_its_outcome(connect: Connect, requests: Requests) -> None:
    """And it is in the log."""
    await FakeWorker(bus := await connect(), ACCEPTED, PONG).start()
    assert await requests.send("alice", "app", MakeModel(id="one")) == ACCEPTED
    assert await stream_last(bus) == FIRST_SEQUENCE


async def test_a_refusal_is_an_outcome_like_any_other(connect: Connect, requests: Requests) -> None:
    """It is given back, not raised: the command was received and dealt with."""
    refused = Refused(id="one", seq=1, error=Error(Code.ALREADY_EXISTS, "there is one"))
    await FakeWorker(await connect(), refused, PONG).start()
    assert await requests.send("alice", "app", MakeModel(id="one")) == refused


async def test_many_commands_at_once_each_get_their_own_outcome(connect: Connect, requests: Requests) -> None:
    """Outcomes are told apart by their inbox, whatever the order they come in."""
    bus = await connect()
    await bus.listen(
        "llum.log.>",
        lambda _subject, _reply, headers, data: _echo_id(bus, header(headers, b"Llum-Reply-To") or "", data),
    )
    await bus.nc.flush()
    outcomes = await asyncio.gather(*(requests.send(f"u{n}", "app", MakeModel(id=f"id{n}")) for n in range(300)))
    assert [outcome.id for outcome in outcomes] == [f"id{n}" for n in range(300)]


_TASKS: set["asyncio.Task[None]"] = set()


def _echo_id(bus: Bus, to: str, data: bytes) -> None:
    outcome = Accepted(id=msgspec.json.decode(data)["id"], seq=1)
    _TASKS.add(asyncio.get_running_loop().create_task(bus.publish(to, msgspec.json.encode(outcome))))


async def test_a_command_without_an_outcome_is_sent_again_unchanged(connect: Connect, requests: Requests) -> None:
    """The worker may have died with it; the id keeps it from counting twice."""
    worker = await FakeWorker(await connect(), ACCEPTED, PONG, deaf=1).start()
    assert await requests.send("alice", "app", MakeModel(id="one")) == ACCEPTED
    assert worker.heard[0] == worker.heard[1]


async def test_a_command_nobody_applies_is_unavailable_at_the_deadline(requests: Requests) -> None:
    """The caller may send it again: the id keeps it from counting twice."""
    with pytest.raises(Transient) as caught:
        await requests.send("alice", "app", MakeModel(id="one"), timeout_s=0.2)
    assert caught.value.code == Code.UNAVAILABLE


async def test_commands_under_way_survive_a_killed_server(
    server: EmbeddedServer, connect: Connect, bus: Bus, requests: Requests
) -> None:
    """They are sent again as soon as the connection is back."""
    worker_bus = await connect()
    sending = asyncio.create_task(requests.send("alice", "app", MakeModel(id="one"), timeout_s=DEADLINE_S))
    await until(lambda: bool(requests._under_way), "the command on its way")
    await kill_and_restart(server)
    await worker_bus.wait_connected(DEADLINE_S)
    await FakeWorker(worker_bus, ACCEPTED, PONG).start()
    assert await sending == ACCEPTED


async def test_storing_gives_the_sequence(bus: Bus, requests: Requests) -> None:
    """Of a command, or of its bytes with the verb beside."""
    assert await requests.store("alice", "app", MakeModel(id="one")) == FIRST_SEQUENCE
    assert await requests.store("alice", "app", b"any bytes", verb="tell", reply_to="_INBOX.x.y") == FIRST_SEQUENCE + 1
    assert await stream_last(bus) == FIRST_SEQUENCE + 1


async def test_storing_waits_out_a_restart_of_the_server(server: EmbeddedServer, bus: Bus, requests: Requests) -> None:
    """A command that is stored while the server is away is in the log when it is back."""
    server.kill()
    await server.wait()
    await until(lambda: not bus.connected, "the loss")
    storing = asyncio.create_task(requests.store("alice", "app", MakeModel(id="one"), timeout_s=DEADLINE_S))
    await server.start()
    await server.wait_ready()
    assert await storing == await stream_last(bus)


async def test_a_stream_that_refuses_is_said_in_the_server_s_words(bus: Bus, requests: Requests) -> None:
    """A full disk, for example: nothing is gained by trying on."""
    config = (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"]
    await JetStream(bus).call("STREAM.UPDATE.LLUM_LOG_0", {**config, "max_bytes": 10})
    with pytest.raises(Transient) as caught:
        await requests.store("alice", "app", MakeModel(id="one"))
    assert "maximum bytes exceeded" in str(caught.value)


async def test_without_a_stream_storing_is_unavailable(bus: Bus, requests: Requests) -> None:
    """After trying for as long as it may: the stream may be coming."""
    await JetStream(bus).call("STREAM.DELETE.LLUM_LOG_0")
    with pytest.raises(Transient) as caught:
        await requests.store("alice", "app", MakeModel(id="one"), timeout_s=0.2)
    assert "no stream" in str(caught.value)


async def test_an_ask_gets_its_reply(connect: Connect, requests: Requests) -> None:
    """Decoded, or raw for those who only pass it on."""
    await FakeWorker(await connect(), ACCEPTED, PONG).start()
    assert await requests.ask("alice", "app", Ping()) == PONG
    assert msgspec.json.decode(await requests.ask_raw("alice", "app", "ping", b"{}"))["applied_seq"] == 7


@pytest.mark.parametrize(("code", "kind"), [(Code.NO_SUCH_MODEL, Refusal), (Code.NOT_YET, Transient)])
async def test_a_failed_ask_raises_what_the_worker_said(
    connect: Connect, requests: Requests, code: Code, kind: type[LlumError]
) -> None:
    """Refusals and transients stay what they are."""
    await FakeWorker(await connect(), ACCEPTED, Failed(error=Error(code, "said so"))).start()
    with pytest.raises(kind) as caught:
        await requests.ask("alice", "app", Ping())
    assert caught.value.code == code


async def test_an_ask_waits_for_a_worker_within_its_time(connect: Connect, requests: Requests) -> None:
    """No responders is known at once, and tried again."""
    asking = asyncio.create_task(requests.ask("alice", "app", Ping(), timeout_s=DEADLINE_S))
    await until(lambda: any(exchange._trouble for exchange in requests._under_way), "a vain attempt")
    await FakeWorker(await connect(), ACCEPTED, PONG).start()
    assert await asking == PONG


async def test_an_ask_without_a_worker_is_unavailable(requests: Requests) -> None:
    """It says that nobody serves the user."""
    with pytest.raises(Transient) as caught:
        await requests.ask("alice", "app", Ping(), timeout_s=0.2)
    assert caught.value.code == Code.UNAVAILABLE
    assert "no worker" in str(caught.value)


@pytest.mark.parametrize(
    ("user", "app", "verb"),
    [("a.b", "app", "tell"), ("", "app", "tell"), ("alice", "a b", "tell"), ("*", "app", "tell"), ("a", "b", ">")],
)
async def test_ids_that_would_name_another_subject_are_refused(
    requests: Requests, user: str, app: str, verb: str
) -> None:
    """Nothing is sent."""
    with pytest.raises(Refusal) as caught:
        await requests.store(user, app, b"{}", verb=verb)
    assert caught.value.code == Code.BAD_SUBJECT
    with pytest.raises(Refusal):
        await requests.ask_raw(user, app, verb, b"{}")


async def test_what_is_too_large_for_the_bus_is_refused_here(bus: Bus, requests: Requests) -> None:
    """The connection stays."""
    with pytest.raises(Refusal) as caught:
        await requests.store("alice", "app", b"x" * (bus.nc.max_payload + 1), verb="tell")
    assert caught.value.code == Code.TOO_LARGE


async def test_nothing_is_left_behind_by_what_has_ended(connect: Connect, requests: Requests) -> None:
    """Answered, failed or cancelled: the table of waiting answers is empty again."""
    with pytest.raises(Transient):
        await requests.ask("alice", "app", Ping(), timeout_s=0.05)
    cancelled = asyncio.create_task(requests.ask("alice", "app", Ping()))
    await until(lambda: bool(requests._under_way), "the ask on its way")
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await FakeWorker(await connect(), ACCEPTED, PONG).start()
    await requests.send("alice", "app", MakeModel(id="one"))
    assert not requests._under_way
    assert not requests._inbox._waiting


async def test_closing_answers_everyone_who_waits(bus: Bus) -> None:
    """With unavailable, at once."""
    requests = Requests(bus)
    await requests.start()
    asking = asyncio.create_task(requests.ask("alice", "app", Ping(), timeout_s=60))
    await until(lambda: bool(requests._under_way), "the ask on its way")
    await requests.close()
    with pytest.raises(Transient):
        await asking


NEVER_S = 100 * DEADLINE_S


async def taken_by_a_worker_that_dies(connect: Connect) -> FakeWorker:
    """Have each first ask lie in the sockets of a worker that never answers, and the next ones come to another."""
    return await FakeWorker(await connect(), ACCEPTED, PONG, deaf=1).start()


async def test_an_ask_that_lies_with_a_dead_worker_goes_to_another_one_early(
    connect: Connect, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait until the time of the first attempt is over, which never comes here."""
    monkeypatch.setattr("bus.exchanges.AGAIN_S", NEVER_S)
    worker = await taken_by_a_worker_that_dies(connect)
    assert await requests.ask("alice", "app", Ping(), timeout_s=NEVER_S) == PONG
    assert len(worker.heard) == 2


async def test_a_ping_that_lies_with_a_dead_worker_is_sent_again(connect: Connect, bus: Bus) -> None:
    """Else whoever sends it would take a partition that has a standby for one that nobody serves."""
    worker = await taken_by_a_worker_that_dies(connect)
    assert await ping(bus, 3, NEVER_S) == PONG
    assert len(worker.heard) == 2


async def test_a_command_is_not_sent_early(
    connect: Connect, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the log, and whoever applies it says what became of it: twice in the log would be for nothing."""
    monkeypatch.setattr("bus.exchanges.AGAIN_S", NEVER_S)
    worker = await FakeWorker(await connect(), ACCEPTED, PONG, deaf=2).start()
    sending = asyncio.create_task(requests.send("alice", "app", MakeModel(id="one"), timeout_s=NEVER_S))
    await until(lambda: len(worker.heard) == 1, "the command came")
    assert await requests.ask("alice", "app", Ping(), timeout_s=NEVER_S) == PONG
    assert len(worker.heard) == 3
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_where_no_answers_come_few_asks_are_sent_early(
    connect: Connect, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may be sent early is earned by quick answers, so a slow worker does not get all asks twice."""
    monkeypatch.setattr("bus.exchanges.AGAIN_S", NEVER_S)
    monkeypatch.setattr("bus.hedging.MOST_AT_ONCE", 3)
    requests._hedges = HedgeBudget()
    worker = await FakeWorker(slow_bus := await connect(), ACCEPTED, PONG, deaf=1000).start()
    asking = [asyncio.create_task(requests.ask("alice", "app", Ping(), timeout_s=NEVER_S)) for _ in range(50)]
    await until(lambda: len(worker.heard) >= 53, "three asks came twice")
    await requests._bus.flush()
    await slow_bus.flush()
    assert len(worker.heard) == 53
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


def test_each_early_ask_costs_ten_quick_answers() -> None:
    """A budget begins full and is never more than that."""
    budget = HedgeBudget()
    budget.earn(1_000_000)
    assert sum(budget.spend() for _ in range(1000)) == MOST_AT_ONCE
    budget.earn(9)
    assert not budget.spend()
    budget.earn(11)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
