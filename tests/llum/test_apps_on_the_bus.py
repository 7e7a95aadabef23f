"""What an app meets that speaks to llum by the SDK with a token: fresh tokens, lost connections, and clear errors."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bus.showing import ExpiringToken
from bus.subjects import inbox_of_token
from identity.registrations import access
from llum.client import Client
from llum.connecting import PATIENCE_S
from llum.people.tokens import sign_in_app
from llum.sync import SyncClient
from schemas.commands import DeleteApp, SetPermission
from schemas.errors import Code, LlumError, Refusal, Transient
from schemas.replies import Accepted
from schemas.slices import Slice
from tests.identity.callout_ground import Ground, ground
from tests.nats_server import kill_and_restart
from tests.waiting import eventually, until

TELLS = 520
AT_ONCE = 8


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


class ShortTokens:
    """Tokens of one sign-in that are good for few seconds, each followed by the next: what refreshing gives an app."""

    LIFETIME_S = 3.0

    def __init__(self, there: Ground, first: str) -> None:
        self._tokens = there.authenticator.tokens
        self.all = [first]
        self._shown = ExpiringToken(first, 0.0)

    def __call__(self) -> ExpiringToken:
        return self._shown

    async def next(self) -> None:
        principal = await self._tokens.look_up(self.all[0])
        assert principal is not None, "the first token is good for an hour"
        text = await self._tokens.renew(principal, self.LIFETIME_S)
        fresh = await self._tokens.look_up(text)
        assert fresh is not None
        assert fresh.expires is not None
        self.all.append(text)
        self._shown = ExpiringToken(text, fresh.expires)

    async def keep_fresh(self) -> None:
        while True:
            # While nats-server is away there is no other token either.
            with suppress(Transient):
                await self.next()
                await asyncio.sleep(self.LIFETIME_S / 4)
            await asyncio.sleep(0.05)


async def told_at_last(client: Client, number: int) -> None:
    """Tell as an app does that wants nothing lost: again with the same id, for as long as that may help."""
    while True:
        try:
            await client.tell("alice", "c/x", number, id=f"tell-{number}")
        except Transient:
            continue
        return


async def test_no_tell_is_lost_over_fresh_tokens_and_a_restart_of_nats_server(there: Ground) -> None:
    """Each is applied once, and the inbox stays the same."""
    tokens = ShortTokens(there, await there.token("alice", "lamp"))
    await tokens.next()
    refreshing = asyncio.create_task(tokens.keep_fresh())
    client = await there.client("lamp", tokens)
    back: list[str] = []
    client.bus.on_reconnect.append(lambda: back.append("back"))
    inbox = client.bus.inbox.subject(b"")
    numbers = iter(range(1_000_000))
    done: list[int] = []

    async def tell_on() -> None:
        while len(done) < TELLS or len(back) < 5:
            number = next(numbers)
            await told_at_last(client, number)
            done.append(number)
            await asyncio.sleep(0.02)  # not so many that the test measures the machine

    telling = [asyncio.create_task(tell_on()) for _ in range(AT_ONCE)]
    await until(lambda: len(back) >= 2, "the token was replaced twice")
    await kill_and_restart(there.server)
    await asyncio.gather(*telling)
    refreshing.cancel()
    assert client.bus.inbox.subject(b"") == inbox
    assert {inbox_of_token(token) for token in tokens.all} == {inbox_of_token(tokens.all[0])}
    owner = Client(there.llum.bus, there.llum.requests, "llum")
    assert (await owner.ask("alice", "c/x", resolver="count")).value == len(done)
    assert (await owner.ask("alice", "c/x", resolver="sum")).value == sum(done)


async def test_a_token_that_says_nothing_of_its_end_is_replaced_when_it_has_expired(there: Ground) -> None:
    """nats-server ends the connection; the function gives the next one, and what was under way goes again."""
    first = await there.token("alice", "lamp", lifetime_s=2.0)
    principal = await there.authenticator.tokens.look_up(first)
    assert principal is not None
    second = await there.authenticator.tokens.renew(principal, 3600.0)
    given = iter([first, first, first])
    client = await there.client("lamp", lambda: next(given, second))
    back = asyncio.Event()
    client.bus.on_reconnect.append(back.set)
    await back.wait()
    assert (await client.tell("alice", "c/x", 1)).seq


async def test_whoever_holds_a_revoked_token_is_told_so(there: Ground) -> None:
    """The one under way, and the next; and not that something is away."""
    client = await there.client("lamp", await there.token("alice", "lamp"))
    await client.tell("alice", "c/x", 1)
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    (one,) = await there.authenticator.tokens.list("alice")
    await there.authenticator.tokens.revoke(one)
    await until(lambda: not client.bus.connected, "the connection has ended")
    for _ in range(2):
        with pytest.raises(Transient) as caught:
            await client.tell("alice", "c/x", 2)
        assert caught.value.code is Code.NOT_AUTHENTICATED


async def test_an_app_goes_on_with_the_next_token_after_a_refusal(there: Ground) -> None:
    """The connection never gives up: who signs in again in the meantime need not start it anew."""
    shown = [await there.token("alice", "lamp")]
    principal = await there.authenticator.tokens.look_up(shown[0])
    assert principal is not None
    client = await there.client("lamp", lambda: shown[0])
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    (one,) = await there.authenticator.tokens.list("alice")
    await there.authenticator.tokens.revoke(one)
    await until(lambda: client.bus.is_refused, "the token is refused")
    shown[0] = await there.authenticator.tokens.renew(principal, 3600.0)
    await until(lambda: client.bus.connected, "it is back")
    assert (await client.tell("alice", "c/x", 1)).seq


async def test_signing_in_again_goes_on_with_the_same_sign_in(there: Ground) -> None:
    """The earlier token ends, and what is connected with it comes back with the next one."""
    operator = Client(there.llum.bus, there.llum.requests, "llum")
    kept = [await sign_in_app(operator, "alice", "llum", 3600.0)]
    client = await there.client("llum", lambda: kept[-1].shown)
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    back = asyncio.Event()
    client.bus.on_reconnect.append(back.set)
    kept.append(await sign_in_app(operator, "alice", "llum", 3600.0, kept[0]))
    await back.wait()
    assert (await client.tell("alice", "c/x", 1)).seq
    assert inbox_of_token(kept[0].token) == inbox_of_token(kept[1].token)
    assert await there.authenticator.by_token(kept[0].token) is None
    third = await sign_in_app(operator, "alice", "llum", 3600.0, kept[0])
    assert inbox_of_token(third.token) != inbox_of_token(kept[0].token)


async def test_a_token_of_an_earlier_registration_comes_back_no_more(there: Ground) -> None:
    """Nor does one that follows it, though the app is registered again under its name."""
    token = await there.token("alice", "lamp")
    principal = await there.authenticator.tokens.look_up(token)
    assert principal is not None
    await there.llum.do(DeleteApp(id="gone", app="lamp"))
    await there.llum.grant("alice", "lamp")
    follower = await there.authenticator.tokens.renew(principal, 3600.0)
    again, known = (await access(there.llum.requests, "alice", "lamp")).registration, there.authenticator.registrations
    await until(lambda: known.is_known_to_hold("alice", "lamp", again), "the callout has heard of it")
    for old in (token, follower):
        with pytest.raises(Transient) as caught:
            await there.client("lamp", old)
        assert caught.value.code is Code.NOT_AUTHENTICATED


async def test_an_app_hears_that_no_worker_is_there(there: Ground) -> None:
    """It need not wait for its whole time; what it has told counts once when the worker is back."""
    client = await there.client("lamp", await there.token("alice", "lamp"), patience_s=3.0)
    await there.llum.tell("x", 1)
    await there.stop_worker()
    for attempt in (client.tell("alice", "c/x", 2, id="two"), client.ask("alice", "c/x")):
        with pytest.raises(Transient) as caught:
            await attempt
        assert caught.value.code is Code.UNAVAILABLE
        assert "no worker serves alice" in caught.value.message
    await there.start_worker()

    async def answered() -> Accepted | None:
        with suppress(Transient):
            return await client.tell("alice", "c/x", 2, id="two")
        return None

    assert (await eventually(answered, "the worker is back")).repeated
    assert await there.llum.values("x") == [1, 2]


async def test_an_answer_that_takes_its_time_is_waited_for(there: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a worker is there: the ping that is answered says so."""
    from bus import probing

    pinged: list[str] = []
    is_served = probing.Probes._is_served

    async def counting(self: probing.Probes, subject: str) -> bool:
        served = await is_served(self, subject)
        pinged.append(subject)
        return served

    monkeypatch.setattr(probing, "AGAIN_S", 0.05)
    monkeypatch.setattr(probing.Probes, "_is_served", counting)
    client = await there.client("lamp", await there.token("alice", "lamp"))
    newest = (await client.tell("alice", "c/x", 1)).seq
    asking = asyncio.create_task(client.ask("alice", "c/x", min_seq=newest + 1))
    await until(lambda: len(pinged) >= 3, "it was pinged while the ask waits")
    await there.llum.tell("x", 2)
    assert (await asking).value == 2
    assert set(pinged) == {"llum.ask.alice.lamp.ping"}


@pytest.mark.parametrize("size", [2 * 1024 * 1024, 9 * 1024 * 1024])
async def test_an_app_hears_that_what_it_tells_is_too_large(there: Ground, size: int) -> None:
    """For a command, or for nats-server; and its connection goes on."""
    client = await there.client("lamp", await there.token("alice", "lamp"))
    with pytest.raises(Refusal) as caught:
        await client.tell("alice", "c/x", "x" * size)
    assert caught.value.code is Code.TOO_LARGE
    assert (await client.tell("alice", "c/x", 1)).seq


async def test_an_app_hears_that_it_may_not(there: Ground) -> None:
    """What it has no right for, and what it has none for any more."""
    client = await there.client("lamp", await there.token("alice", "lamp"))
    with pytest.raises(Refusal) as caught:
        await client.forget("alice")
    assert (caught.value.code, caught.value.missing) == (Code.PERMISSION_DENIED, None)
    await client.tell("alice", "c/x", 1)
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    await there.llum.do(SetPermission(id="less", app="lamp", context=[], tell=False))

    async def refusal() -> LlumError | None:
        try:
            await client.tell("alice", "c/x", 2)
        except LlumError as error:
            return error
        return None

    error = await eventually(refusal, "it is refused")
    assert error.code is Code.PERMISSION_DENIED
    assert error.missing == Slice(components=["c/x"], actions=["tell"]), "whoever has refused it"
    assert await there.llum.values("x") == [1]


async def test_without_a_callout_who_is_in_stays_and_who_comes_is_told(there: Ground) -> None:
    """That nobody decides about them is not that their token is not good."""
    token = await there.token("alice", "lamp")
    client = await there.client("lamp", token)
    await there.first.aclose()
    assert (await client.tell("alice", "c/x", 1)).seq
    with pytest.raises(Transient) as caught:
        await there.client("lamp", token, patience_s=PATIENCE_S)
    assert caught.value.code is Code.UNAVAILABLE
    assert "nobody has told nats-server" in caught.value.message
    await there.callout()
    other = await there.client("lamp", token, patience_s=None)
    assert (await other.ask("alice", "c/x")).value == 1


async def test_what_is_no_token_is_refused_before_anything_is_sent(there: Ground) -> None:
    with pytest.raises(Refusal) as caught:
        await there.client("lamp", "nonsense")
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "token")


def test_an_app_that_says_nothing_about_it_hears_within_a_second() -> None:
    """Of a worker, or somebody who decides about tokens, that is not there."""
    patience = inspect.signature(Client.connect).parameters["patience_s"].default
    assert patience == inspect.signature(SyncClient.connect).parameters["patience_s"].default == PATIENCE_S < 1
