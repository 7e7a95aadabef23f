"""Many tellers at once: what is acknowledged is stored once, in order, whatever dies meanwhile.

Every client sends its commands one after the other and repeats each under its id until it is acknowledged. So at the
end a model must hold exactly what its teller sent, in the order it was sent, at the sequences of the log.
"""

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, nullcontext

import pytest

from tests.system.harness import Faults, Llum
from tests.system.plain_bus import PlainBus, first_tells, tell
from tests.system.plain_http import PlainHttp, tell_body

HTTP_CLIENTS = 8
HTTP_TELLS = 200

BUS_USERS = 200
BUS_TELLS = 100

PATH = ["Personal", "firstname"]

MODEL = {"contexts": [{"path": ["Log"], "components": [{"name": "entry", "value_type": "string"}]}]}


class Acknowledged:
    """Counts what has been acknowledged, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def one_more(self) -> None:
        with self._lock:
            self.count += 1


def tell_over_http(llum: Llum, token: str, client: int, acknowledged: Acknowledged) -> None:
    http = PlainHttp(llum.http, token)
    for number in range(HTTP_TELLS):
        body = tell_body(PATH[:-1], PATH[-1], f"{client}-{number}")
        status, answer = http.call_until_known("tell", body, f"tell-{client}-{number}")
        assert (status, answer) == (200, {"result": "ok", "val": None})
        acknowledged.one_more()
    http.close()


async def check_http_tells(bus: PlainBus) -> None:
    log = first_tells(await bus.log(), "alice", "probe")
    evidence = await bus.evidence("alice", "llum", PATH, min_seq=log[-1][0])
    told = [(piece["seq"], piece["value"]) for piece in evidence if piece["source"] == "probe"]
    assert told == [(seq, value) for seq, value, _ in log]
    for client in range(HTTP_CLIENTS):
        of_client = [value for _, value in told if value.startswith(f"{client}-")]
        assert of_client == [f"{client}-{number}" for number in range(HTTP_TELLS)]
    assert len(told) == HTTP_CLIENTS * HTTP_TELLS


@pytest.mark.storm
@pytest.mark.parametrize("with_faults", [False, True], ids=["calm", "faults"])
async def test_eight_http_clients_telling_one_component_lose_and_double_nothing(llum, with_faults):
    """Every acknowledged tell is in the evidence once, by ascending sequence and in each client's own order."""
    llum.run("admin", "person", "add", "alice")
    token = llum.run("admin", "token", "alice", "--app", "probe", "--owner")
    supervisor = llum.supervisor_pid
    acknowledged = Acknowledged()
    faults = Faults(llum, HTTP_CLIENTS * HTTP_TELLS) if with_faults else None

    def tell_all() -> None:
        with faults.around(lambda: acknowledged.count) if faults else nullcontext(), ThreadPoolExecutor() as pool:
            list(pool.map(lambda n: tell_over_http(llum, token, n, acknowledged), range(HTTP_CLIENTS)))

    await asyncio.to_thread(tell_all)
    assert acknowledged.count == HTTP_CLIENTS * HTTP_TELLS
    async with PlainBus.connect(llum.nats) as bus:
        await check_http_tells(bus)
    check_http_ask(llum, token)
    assert llum.supervisor_pid == supervisor
    if faults:
        assert len(faults.killed) >= len(faults.schedule)


def check_http_ask(llum: Llum, token: str) -> None:
    """The HTTP face gives the same evidence, complete and with each client's own in order."""
    ask = {"modelname": "-", "context": PATH[:-1], "view": PATH[-1:], "resolver": {"evidence_filter": "all"}}
    status, answer = PlainHttp(llum.http, token).call_until_known("ask", ask, "ask")
    assert status == 200
    values = [piece["value"] for piece in answer["val"][0]["evidencelist"] if piece["source"] == "probe"]
    assert len(values) == HTTP_CLIENTS * HTTP_TELLS
    by_client = sorted(values, key=lambda value: int(value.split("-")[0]))
    assert by_client == [f"{c}-{n}" for c, n in itertools.product(range(HTTP_CLIENTS), range(HTTP_TELLS))]


async def tell_on_bus(bus: PlainBus, user: str, acknowledged: Acknowledged) -> int:
    """Tell all of a user's evidence; give the sequence of the last acknowledgement."""
    seq = 0
    for number in range(BUS_TELLS):
        seq = await bus.store(user, "probe", tell(f"tell-{number}", ["Log"], "entry", f"{user} {number}"))
        acknowledged.one_more()
    return seq


async def make_user(bus: PlainBus, user: str) -> None:
    await bus.accept(user, "_admin", {"verb": "make_model", "id": "make", "definition": MODEL})
    await bus.accept(user, "llum", {"verb": "register_app", "id": "register", "app": "probe", "role": "owner"})


@pytest.mark.storm
@pytest.mark.parametrize("with_faults", [False, True], ids=["calm", "faults"])
async def test_two_hundred_users_telling_on_the_bus_lose_and_double_nothing(llum, with_faults):
    """Every tell that got a PubAck is in its user's model once, at its sequence; and nothing is that was never sent."""
    users = [f"user-{number}" for number in range(BUS_USERS)]
    acknowledged = Acknowledged()
    faults = Faults(llum, BUS_USERS * BUS_TELLS) if with_faults else None
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(PlainBus.connect(llum.nats)) for _ in users]
        await asyncio.gather(*map(make_user, buses, users))
        with faults.around(lambda: acknowledged.count) if faults else nullcontext():
            seqs = await asyncio.gather(*map(tell_on_bus, buses, users, itertools.repeat(acknowledged)))
        assert acknowledged.count == BUS_USERS * BUS_TELLS
        log = await buses[0].log()
        await asyncio.gather(*(check_user(*each, log) for each in zip(buses, users, seqs, strict=True)))
    if faults:
        assert len(faults.killed) >= len(faults.schedule)


async def check_user(bus: PlainBus, user: str, seq: int, log: list[tuple[int, str, bytes]]) -> None:
    expected = first_tells(log, user, "probe")
    assert [value for _, value, _ in expected] == [f"{user} {number}" for number in range(BUS_TELLS)]
    assert seq >= expected[-1][0], "the last acknowledgement names the last tell, or a repeat of it"
    evidence = await bus.evidence(user, "probe", ["Log", "entry"], min_seq=seq)
    assert [(piece["seq"], piece["value"]) for piece in evidence] == [(at, value) for at, value, _ in expected]
    assert {piece["source"] for piece in evidence} == {"probe"}
