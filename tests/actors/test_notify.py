"""Notices reach their URLs: in order per rule, at least once, signed, for a day; and no private address by default."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from actors.effects.notices import Notifier
from actors.effects.posting import is_public
from actors.effects.webhooks import Webhooks
from actors.figures import Counters
from bus import notices
from bus.connection import Bus
from bus.requests import Requests
from bus.streams import MAX_NOTICES_PER_RULE
from identity import signing
from schemas.effects import Notice
from tests.actors.receiver import Receiver, receiving
from tests.actors.serving import PARTITIONS, Llum, serving, worker
from tests.nats_server import installed_server
from tests.waiting import eventually

SECRET = b"a secret for tests"
PRIVATE = "the URL leads to a private address"
NO_ADDRESS = "the URL is not an http or https address"


class Time:
    """A clock that sleeping moves on, so that a day of attempts takes a moment; or that stands still."""

    def __init__(self) -> None:
        self.time_s = time.time()
        self.pauses: list[float] = []
        self.stands = False

    def now(self) -> float:
        return self.time_s

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time_s += 0.0 if self.stands else seconds
        await asyncio.sleep(0.01)


async def _may(_notice: Notice) -> bool:
    """Let every notice leave: none of these is about rights."""
    return True


class Queue:
    """The work queue on a private nats-server."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.time = Time()
        self.secrets = signing.Secrets(SECRET)
        self.counters = Counters()

    async def _secrets(self) -> signing.Secrets:
        return self.secrets

    async def put(self, url: str, rule: str = "7", number: int = 1, method: Any = "POST") -> str:
        notice = Notice(
            id=f"{number}.{rule}", user="alice", app="probe", rule=rule, path=["c", "a"], seq=number, time=12.5,
            matched="yes", method=method, url=url,
        )  # fmt: skip
        return (await notices.enqueue(self.bus, 1, notice)).subject

    @asynccontextmanager
    async def delivering(self, allow_private: bool = True) -> AsyncIterator[Notifier]:
        webhooks = Webhooks(self._secrets, allow_private)
        notifier = Notifier(self.bus, 1, webhooks, _may, self.time.now, self.time.sleep, self.counters)
        task = asyncio.create_task(notifier.run())
        try:
            yield notifier
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await webhooks.close()

    async def letters(self) -> list[str]:
        return [letter.reason for letter in await notices.read_dead_letters(self.bus, "alice")]

    async def empty(self) -> bool:
        return not await notices.waiting_subjects(self.bus, range(PARTITIONS))


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    async with installed_server(tmp_path, PARTITIONS) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        yield Queue(bus)
        await bus.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


def count_of(receiver: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return len(receiver.received) >= count

    return reached


async def test_a_post_says_what_has_happened_and_is_signed(queue: Queue, receiver: Receiver) -> None:
    """The receiver checks the signature over the body with the app's key."""
    await queue.put(receiver.url + "/hook")
    async with queue.delivering():
        await eventually(queue.empty)
    (one,) = receiver.received
    assert json.loads(one.body) == {
        "v": 1, "id": "1.7", "user": "alice", "app": "probe", "rule": "7", "path": ["c", "a"], "seq": 1, "time": 12.5,
        "matched": "yes",
    }  # fmt: skip
    key = signing.signing_key(SECRET, "probe")
    assert key != signing.signing_key(SECRET, "other")
    expected = hmac.new(key.encode(), one.body, hashlib.sha256).hexdigest()
    assert one.headers["Llum-Signature"] == f"sha256={expected}"
    assert one.headers["Llum-Id"] == "1.7"
    assert one.headers["Content-Type"] == "application/json"


async def test_a_notice_has_two_signatures_while_a_new_key_waits(queue: Queue, receiver: Receiver) -> None:
    """By the key that the receiver has, and by the one that it will need. Later notices are signed with that."""
    for number, secrets in enumerate((signing.Secrets(SECRET, b"new"), signing.Secrets(b"new")), start=1):
        queue.secrets = secrets
        await queue.put(receiver.url + "/hook", number=number)
        async with queue.delivering():
            await eventually(queue.empty)
    old, new = (signing.signing_key(secret, "probe") for secret in (SECRET, b"new"))
    first, second = receiver.received
    assert first.headers["Llum-Signature"] == signing.signature(old, first.body)
    assert first.headers["Llum-Signature-Next"] == signing.signature(new, first.body)
    assert second.headers["Llum-Signature"] == signing.signature(new, second.body)
    assert "Llum-Signature-Next" not in second.headers


async def test_a_get_fetches_the_url_as_the_original_did(queue: Queue, receiver: Receiver) -> None:
    """Its signature is over the URL."""
    await queue.put(receiver.url + "/tell?place=a%20b%2Fc", method="GET")
    async with queue.delivering():
        await eventually(queue.empty)
    (one,) = receiver.received
    assert (one.method, one.body) == ("GET", b"")
    assert one.url == receiver.url + "/tell?place=a%20b/c"
    key = signing.signing_key(SECRET, "probe")
    assert one.headers["Llum-Signature"] == signing.signature(key, one.url.encode())


async def test_a_notice_is_tried_again_with_growing_pauses(queue: Queue, receiver: Receiver) -> None:
    """One second at first, doubling."""
    receiver.fail_first(6)
    await queue.put(receiver.url)
    async with queue.delivering():
        await eventually(queue.empty)
    assert len(receiver.received) == 7
    assert [round(pause) for pause in queue.time.pauses] == [1, 1, 2, 4, 8, 16]
    assert len({one.body for one in receiver.received}) == 1


async def test_a_receiver_may_ask_for_a_longer_pause(queue: Queue, receiver: Receiver) -> None:
    """`Retry-After`, up to an hour."""
    answers = iter([web.Response(status=429, headers={"Retry-After": text}) for text in ("90", "99999", "soon")])
    receiver.answer = lambda _: next(answers, web.Response(status=200))
    await queue.put(receiver.url)
    async with queue.delivering():
        await eventually(queue.empty)
    assert [round(pause) for pause in queue.time.pauses[:2]] == [90, 3600]


async def test_after_a_day_a_notice_is_given_up(queue: Queue, receiver: Receiver) -> None:
    """It becomes a dead letter with the reason, and the next one of the rule has its turn."""
    receiver.answer = lambda one: web.Response(status=500 if one.url.endswith("bad") else 200)
    await queue.put(receiver.url + "/bad", number=1)
    await queue.put(receiver.url + "/good", number=2)
    async with queue.delivering():
        await eventually(queue.empty)
    assert await queue.letters() == ["the receiver answered 500"]
    assert 24 * 3600 <= sum(queue.time.pauses) < 26 * 3600
    assert max(queue.time.pauses) <= 3600
    assert receiver.received[-1].url.endswith("good")
    counted = queue.counters
    assert (counted.notices_delivered, counted.notices_failed, counted.notices_dead) == (
        1,
        len(receiver.received) - 1,
        1,
    )
    letters = await notices.read_dead_letters(queue.bus)
    assert [(letter.notice.user, letter.notice.url) for letter in letters] == [("alice", receiver.url + "/bad")]
    assert await notices.read_dead_letters(queue.bus, "bob") == []


async def test_notices_of_a_rule_keep_their_order(queue: Queue, receiver: Receiver) -> None:
    """A later one waits until the one before it has been delivered; other rules go on."""
    blocked = queue.time.stands = True
    receiver.answer = lambda one: web.Response(status=503 if blocked and "/slow" in one.url else 200)
    for number in range(20):
        await queue.put(f"{receiver.url}/slow/{number}", rule="7", number=number)
        await queue.put(f"{receiver.url}/fast/{number}", rule="8", number=number)

    async def fast_is_through() -> bool:
        return sum("/fast" in one.url for one in receiver.received) == 20

    async with queue.delivering():
        await eventually(fast_is_through)
        assert {one.url for one in receiver.received if "/slow" in one.url} == {f"{receiver.url}/slow/0"}
        blocked = False
        await eventually(queue.empty)
    for rule in ("slow", "fast"):
        urls = [one.url for one in receiver.received if f"/{rule}/" in one.url]
        assert list(dict.fromkeys(urls)) == [f"{receiver.url}/{rule}/{number}" for number in range(20)]


async def test_what_waits_is_delivered_by_the_next_worker(queue: Queue, receiver: Receiver) -> None:
    """Nothing of a queue is in memory only."""
    queue.time.stands = True
    receiver.answer = lambda _: web.Response(status=503)
    for number in range(3):
        await queue.put(f"{receiver.url}/{number}", number=number)
    async with queue.delivering():
        await eventually(count_of(receiver, 2))
    receiver.answer = lambda _: web.Response(status=200)
    receiver.received.clear()
    async with queue.delivering():
        await eventually(queue.empty)
    assert [one.url for one in receiver.received] == [f"{receiver.url}/{number}" for number in range(3)]


async def test_a_notice_that_is_relayed_again_is_delivered_once(queue: Queue, receiver: Receiver) -> None:
    """Also when it has been delivered in between."""
    async with queue.delivering() as notifier:
        for _ in range(2):
            notifier.wake(await queue.put(receiver.url))
            await eventually(queue.empty)
    assert len(receiver.received) == 1


async def test_a_full_queue_makes_dead_letters(queue: Queue) -> None:
    """A rule that fires for ever cannot fill the disk."""
    await asyncio.gather(*(queue.put("http://a.example", number=number) for number in range(MAX_NOTICES_PER_RULE)))
    await queue.put("http://a.example", number=MAX_NOTICES_PER_RULE)
    assert await queue.letters() == ["too many notices of this rule wait already"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "017700000001",
        "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[2002:7f00:1::]",
    ],
)  # fmt: skip
async def test_private_addresses_are_refused(queue: Queue, receiver: Receiver, host: str) -> None:
    """However they are spelt, and whatever name leads to them."""
    await queue.put(receiver.url.replace("127.0.0.1", host))
    async with queue.delivering(allow_private=False):
        await eventually(queue.empty)
    assert set(await queue.letters()) < {PRIVATE, NO_ADDRESS}
    assert receiver.received == []


async def test_a_name_is_judged_by_the_address_that_is_connected_to(
    queue: Queue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up once for each attempt, so it cannot lead elsewhere between a check and the connection."""
    looked_up: list[str] = []

    async def leads_home(host: str, port: int, **_: Any) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    await queue.put(receiver.url.replace("127.0.0.1", "rebinding.example"))
    async with queue.delivering(allow_private=False):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", leads_home)
        await eventually(queue.empty)
        monkeypatch.undo()
    assert looked_up == ["rebinding.example"]
    assert await queue.letters() == [PRIVATE]
    assert receiver.received == []


@pytest.mark.parametrize("url", ["ftp://a.example/x", "//a.example", "", "http://", "http://[::1", "javascript:x"])
async def test_what_is_no_web_address_is_refused(queue: Queue, url: str) -> None:
    """Nothing but http and https."""
    await queue.put(url)
    async with queue.delivering():
        await eventually(queue.empty)
    assert await queue.letters() == [NO_ADDRESS]


async def test_redirects_are_not_followed(queue: Queue, receiver: Receiver) -> None:
    """A public receiver cannot send llum on to a private one."""
    receiver.answer = lambda _: web.Response(status=307, headers={"Location": receiver.url + "/other"})
    await queue.put(receiver.url)
    async with queue.delivering():
        await eventually(queue.empty)
    assert await queue.letters() == ["the receiver answered 307: redirects are not followed"]
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("::7f00:1", False),
        ("::10.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::7f00:1", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
        ("::1", False),
        ("::", False),
        ("0.0.0.0", False),
        ("0.1.2.3", False),
        ("255.255.255.255", False),
        ("fec0::1", False),
        ("ff0e::1", False),
        ("1::1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("nonsense", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Private, loopback, link-local, shared, multicast ones are not, nor what wraps them into IPv6."""
    assert is_public(address) is public


async def test_a_rule_notifies(tmp_path: Path, receiver: Receiver) -> None:
    """From the tell to the receiver; the URL is what the items make."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "a")
        await llum.subscribe("a", f"<./c/a> ~ '.' : NOTIFY '{receiver.url}/?a=' <./c/a>")
        await llum.subscribe("a", f"<./c/a> ~ '.' : NOTIFY POST '{receiver.url}/post'")
        for value in ("x y", "z"):
            await llum.tell("a", value)
        await eventually(count_of(receiver, 4))
    assert [one.url for one in receiver.received if one.method == "GET"] == [
        f"{receiver.url}/?a=x%20y", f"{receiver.url}/?a=z",
    ]  # fmt: skip
    assert [json.loads(one.body)["matched"] for one in receiver.received if one.method == "POST"] == ["x y", "z"]


async def test_notices_survive_the_worker(tmp_path: Path, receiver: Receiver) -> None:
    """A worker that stops while a receiver is away leaves the delivery to the next one."""
    receiver.answer = lambda _: web.Response(status=503)
    async with installed_server(tmp_path, PARTITIONS) as server:
        bus = await Bus.connect(server.url_as("operator"), name="test")
        llum = await _client(bus, tmp_path)
        async with worker(server.url_as("operator"), tmp_path / "shards"):
            await llum.make_person("alice", "a")
            await llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}/'")
            await llum.tell("a", 1)
            await eventually(count_of(receiver, 1))
        receiver.answer = lambda _: web.Response(status=200)
        async with worker(server.url_as("operator"), tmp_path / "shards"):
            await eventually(count_of(receiver, 2))
        await bus.close()


async def _client(bus: Bus, folder: Path) -> Llum:
    requests = Requests(bus)
    await requests.start()
    return Llum(bus, requests, folder / "shards")
