"""The same identity on the bus: what an app may say and hear there, and when its connection ends."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.as_app import new_id
from bus.connection import Bus
from bus.key_rings import INBOX_KEYS, KeyRings, new_ring, replaced
from bus.subjects import REPLY_TO_HEADER, inbox_of_token
from identity.inboxes import Inboxes, new_sign_in
from identity.oauth.clients import Clients, OAuthClient
from identity.tokens import Tokens
from schemas.codec import encode
from schemas.commands import DeleteApp, Forget, MakeContext, SetPermission, Tell
from schemas.errors import Code, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.grants import Consent
from schemas.queries import Ask
from schemas.replies import Accepted, AskReply, Refused
from schemas.slices import ACTIONS, Slice
from tests.identity.callout_ground import Ground, ground
from tests.waiting import eventually, until


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


def tell(id: str, value: int = 1) -> Tell:
    return Tell(id=id, context=["c"], component="x", evidence=NewEvidence(value=value))


async def heard(bus: Bus, subject: str) -> list[bytes]:
    """Listen to a subject, as far as nats-server lets it; give what comes, as it comes."""
    came: list[bytes] = []
    await bus.listen(subject, lambda _subject, _reply, _headers, data: came.append(data))
    await bus.flush()
    return came


async def test_an_app_with_a_token_tells_and_asks_as_itself(there: Ground) -> None:
    """It gets outcomes and replies at its own inbox."""
    requests = await there.requests(await there.token("alice", "lamp"))
    assert isinstance(await requests.send("alice", "lamp", tell("a", 7)), Accepted)
    reply = await requests.ask("alice", "lamp", Ask(context=["c"], view=["x"]))
    assert isinstance(reply, AskReply)
    assert reply.components[0].value == 7
    assert await requests.store("alice", "lamp", tell("b")) > 0


@pytest.mark.parametrize(("user", "app"), [("bob", "lamp"), ("alice", "llum"), ("alice", "other"), ("bob", "llum")])
async def test_it_reaches_nothing_of_others(there: Ground, user: str, app: str) -> None:
    """Neither another person, nor another app of the same one, the owner's among them; it is told so at once."""
    requests = await there.requests(await there.token("alice", "lamp"))
    for attempt in (requests.send(user, app, tell("a")), requests.ask(user, app, Ask(context=["c"], view=["x"]))):
        with pytest.raises(Refusal) as caught:
            await attempt
        assert caught.value.code is Code.PERMISSION_DENIED
    assert await there.llum.values("x", "alice") == await there.llum.values("x", "bob") == []


async def test_it_gets_the_verbs_of_its_rights_alone(there: Ground) -> None:
    """Who may only ask cannot even send a tell, nor what is the owner's."""
    requests = await there.requests(await there.token("alice", "lamp", tell=False))
    assert isinstance(await requests.ask("alice", "lamp", Ask(context=["c"], view=["x"])), AskReply)
    for command in (tell("a"), MakeContext(id="b", context=[], name="new"), DeleteApp(id="c", app="lamp")):
        with pytest.raises(Refusal):
            await requests.send("alice", "lamp", command)


async def test_it_cannot_write_or_read_where_only_llum_does(there: Ground) -> None:
    """The log itself, buckets, JetStream's interface, nats-server's own subjects."""
    bus = await there.connect(await there.token("alice", "lamp"))
    denied: list[str] = []
    bus.on_denied.append(denied.append)
    subjects = ["llum.log.0.bob.llum.tell", "$KV.LLUM_TOKENS.a.b.c", "$JS.API.STREAM.LIST", "$SYS.REQ.SERVER.PING",
                "llum.registration.bob.llum", "llum.effect.0.notify.bob.1", "_INBOX.somebody"]  # fmt: skip
    for subject in subjects:
        await bus.publish(subject, b"{}")
    await bus.flush()
    await until(lambda: denied == [subject.lower() for subject in subjects], "each is denied")


async def test_nobody_hears_what_is_not_for_them(there: Ground) -> None:
    """Wildcards and others' inboxes are not heard, whatever one subscribes to."""
    hers = await there.token("alice", "lamp")
    his = await there.connect(await there.token("bob", "lamp"))
    inbox = inbox_of_token(hers)
    came = [await heard(his, subject) for subject in (">", "_INBOX_APP.>", f"{inbox}.>", "llum.>", "_INBOX.>")]
    requests = await there.requests(hers)
    await requests.send("alice", "lamp", tell("a"))
    await there.llum.tell("x", 2)
    await his.flush()
    assert came == [[], [], [], [], []]


@pytest.mark.parametrize("foreign", ["another app's", "another person's", "invented"])
async def test_an_outcome_goes_to_no_inbox_but_the_sender_s(there: Ground, foreign: str) -> None:
    """Even to one who knows the other inbox by its whole name."""
    whose = {"another app's": ("alice", "other"), "another person's": ("bob", "lamp"), "invented": ("alice", "other")}
    other = await there.token(*whose[foreign])
    victim = await there.connect(other)
    inbox = inbox_of_token(other) or ""
    came = await heard(victim, f"{inbox}.x")
    named = f"{inbox}.x" if foreign != "invented" else f"{inbox[:-1]}{'0' if inbox[-1] != '0' else '1'}.x"
    sender = await there.connect(await there.token("alice", "lamp"))
    await sender.publish("llum.cmd.alice.lamp.tell", encode(tell("a")), headers={REPLY_TO_HEADER: named})
    await there.llum.until("x", [1])
    await there.llum.tell("x", 2)
    await victim.flush()
    assert came == []


async def test_a_reply_subject_of_the_log_stores_nothing(there: Ground) -> None:
    """nats-server would send its acknowledgement there: as a command about somebody else."""
    sender = await there.connect(await there.token("alice", "lamp"))
    await sender.publish("llum.cmd.alice.lamp.tell", encode(tell("a")), reply="llum.cmd.bob.llum.tell")
    await there.llum.until("x", [1])
    assert await there.llum.values("x", "bob") == []
    await there.llum.tell("x", 3, user="bob")
    assert await there.llum.values("x", "bob") == [3]


async def test_an_inbox_outlives_the_key_that_proved_it(there: Ground) -> None:
    """A token from before hears outcomes where it did, on its old connection and on a new one; so does a new token."""
    old = await there.token("alice", "lamp")
    standing = await there.requests(old)
    await KeyRings(there.llum.bus).change(INBOX_KEYS, lambda ring: replaced(ring, time.time(), 0.0, None))
    new = await there.another_token("alice", "lamp")
    for number, token in enumerate((old, new)):
        requests = await there.requests(token)
        assert isinstance(await requests.send("alice", "lamp", tell(f"new-{number}")), Accepted)
    assert isinstance(await standing.send("alice", "lamp", tell("standing")), Accepted)


async def test_what_a_leaked_key_proves_is_worth_nothing_any_more(there: Ground) -> None:
    """When the ring holds another one alone, outcomes go to no inbox of the old key's."""
    sender = await there.connect(await there.token("alice", "lamp"))
    leaked = Inboxes((await KeyRings(there.llum.bus).read(INBOX_KEYS)).keys[0].bytes)
    await KeyRings(there.llum.bus).change(INBOX_KEYS, lambda _: new_ring(time.time()))
    (inbox,) = leaked.prefixes("alice", "lamp", new_sign_in())
    came = await heard(there.llum.bus, f"{inbox}.>")

    async def nothing_comes() -> bool:
        before = len(came)
        await sender.publish(
            "llum.cmd.alice.lamp.tell", encode(tell(new_id())), headers={REPLY_TO_HEADER: f"{inbox}.x"}
        )
        await there.llum.tell("x", 2)
        await there.llum.bus.flush()
        return len(came) == before

    await eventually(nothing_comes, "the worker has heard of the new key")


@pytest.mark.parametrize("token", ["", "nonsense", f"llum_{'a' * 43}.{'0' * 16}.{'0' * 32}"])
async def test_nobody_is_let_in_without_a_good_token(there: Ground, token: str) -> None:
    """The error says what may be wrong."""
    with pytest.raises(Transient) as caught:
        await Bus.connect(there.url, name="stranger", token=token, within_s=1.0)
    assert caught.value.code is Code.NOT_AUTHENTICATED


async def test_27_a_revoked_token_ends_its_connections_and_no_others(there: Ground) -> None:
    """Be it revoked at another edge. Those of the app's other tokens go on."""
    bus = await there.connect(await there.token("alice", "lamp"))
    elsewhere = Tokens(there.llum.bus)
    (one,) = await elsewhere.list("alice")
    other = await there.connect(await there.another_token("alice", "lamp"))
    lost: list[str] = []
    bus.on_disconnect.append(lambda: lost.append("revoked"))
    other.on_disconnect.append(lambda: lost.append("other"))
    await until(lambda: len(there.connections) == 2, "nats-server has told of both")
    await elsewhere.revoke(one)
    await until(lambda: "revoked" in lost, "the connection has ended")
    await other.flush()
    assert set(lost) == {"revoked"}


async def test_27_with_a_client_its_connections_end_and_no_others(there: Ground) -> None:
    """An administrator deletes a program of somebody else: what it was let in with is worthless on the bus, too."""
    lamp = await there.connect(await there.token("alice", "lamp"))
    other = await there.connect(await there.token("alice", "phone"))
    await until(lambda: len(there.connections) == 2, "nats-server has told of both")
    clients = Clients(there.llum.bus)
    await clients.add(OAuthClient("lamp", "The lamp"))
    assert await clients.delete("lamp")
    await until(lambda: not lamp.connected, "the connection has ended")
    await other.flush()
    assert other.connected


async def test_27_another_callout_ends_what_one_that_is_gone_has_let_in(there: Ground) -> None:
    """The one that admitted the connection has ended before the token is revoked."""
    bus = await there.connect(await there.token("alice", "lamp"))
    second = await there.callout()
    await there.first.aclose()
    (one,) = await there.authenticator.tokens.list("alice")
    assert bus.connected
    await there.authenticator.tokens.revoke(one)
    await until(lambda: not bus.connected, "the connection has ended")
    await second.aclose()


async def test_27_what_was_revoked_while_no_callout_ran_ends_with_the_next_one(there: Ground) -> None:
    """It looks at all connections when it starts: rights that have changed meanwhile, and tokens; the rest goes on."""
    revoked = await there.connect(await there.token("alice", "lamp"))
    (one,) = await there.authenticator.tokens.list("alice")
    changed = await there.connect(await there.token("alice", "phone"))
    same = await there.connect(await there.token("bob", "lamp"))
    lost: list[str] = []
    for name, bus in (("revoked", revoked), ("changed", changed), ("same", same)):
        bus.on_disconnect.append(functools.partial(lost.append, name))
    await there.first.aclose()
    await Tokens(there.llum.bus).revoke(one)
    await there.llum.do(SetPermission(id="less", app="phone", context=[], ask=True, tell=False))
    assert lost == []
    await there.callout()
    await until(lambda: {"revoked", "changed"} <= set(lost), "both connections have ended")
    await until(lambda: changed.connected, "who still may is back")
    await same.flush()
    assert "same" not in lost


async def test_27_a_person_who_is_forgotten_loses_all_connections(there: Ground) -> None:
    """Those of the owner's own app, too."""
    hers = [await there.connect(await there.token("alice", app)) for app in ("lamp", "phone")]
    own = await there.connect(await there.another_token("alice", "llum"))
    his = await there.connect(await there.token("bob", "lamp"))
    lost: list[None] = []
    his.on_disconnect.append(lambda: lost.append(None))
    await until(lambda: len(there.connections) == 4, "nats-server has told of all")
    await there.llum.do(Forget(id="all"))
    await Tokens(there.llum.bus).erase_user("alice")
    await until(lambda: not any(bus.connected for bus in (*hers, own)), "hers have ended")
    await his.flush()
    assert lost == []


async def test_a_removed_app_loses_its_connections(there: Ground) -> None:
    """And comes back with none of its old tokens, also when an app of that name is registered again."""
    token = await there.token("alice", "lamp")
    bus = await there.connect(token)
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    await there.llum.do(DeleteApp(id="gone", app="lamp"))
    await until(lambda: not bus.connected, "the connection has ended")
    await bus.close()
    await there.llum.grant("alice", "lamp")
    with pytest.raises(Transient):
        await there.connect(token, within_s=1.0)


async def test_a_revoked_app_loses_its_connections(there: Ground) -> None:
    """And comes back with none of its old tokens, also when it is allowed something again."""
    token = await there.token("alice", "lamp")
    bus = await there.connect(token)
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    await there.llum.do(Consent(id="r", app="lamp", decision="revoked"))
    await until(lambda: not bus.connected, "the connection has ended")
    await bus.close()
    everything = Slice(paths=[""], actions=list(ACTIONS))
    await there.llum.do(Consent(id="a", app="lamp", decision="allowed", granted=[everything]))
    with pytest.raises(Transient):
        await there.connect(token, within_s=1.0)


async def test_a_change_of_rights_ends_the_connection_which_comes_back_with_the_new_ones(there: Ground) -> None:
    """Whoever may tell from now on need not connect anew by itself."""
    requests = await there.requests(await there.token("alice", "lamp", tell=False))
    with pytest.raises(Refusal):
        await requests.send("alice", "lamp", tell("a"))
    await until(lambda: len(there.connections) == 1, "nats-server has told of it")
    await there.llum.do(SetPermission(id="more", app="lamp", context=[], tell=True))

    async def may_tell() -> bool:
        try:
            return isinstance(await requests.send("alice", "lamp", tell("b")), Accepted)
        except Refusal:
            return False

    await eventually(may_tell, "the connection is back with the new rights")


async def test_without_a_callout_connections_go_on_and_new_ones_get_an_error(there: Ground) -> None:
    """And with another callout they come through again."""
    token = await there.token("alice", "lamp")
    requests = await there.requests(token)
    await there.first.aclose()
    assert isinstance(await requests.send("alice", "lamp", tell("a")), Accepted)
    with pytest.raises(Transient) as caught:
        await there.connect(token, within_s=60.0, undecided_after_s=0.5)
    assert caught.value.code is Code.UNAVAILABLE
    await there.callout()
    assert (await there.connect(token)).connected


async def test_a_token_that_expires_ends_its_connection(there: Ground) -> None:
    """nats-server sees to it, by the time that the callout has named."""
    bus = await there.connect(await there.token("alice", "lamp", lifetime_s=2.0))
    ended = asyncio.Event()
    bus.on_disconnect.append(ended.set)
    await ended.wait()


async def test_what_the_model_refuses_is_said_as_ever(there: Ground) -> None:
    """A right somewhere opens the subject; where it holds, the model says."""
    token = await there.token("alice", "lamp")
    requests = await there.requests(token)
    outcome = await requests.send(
        "alice", "lamp", Tell(id="a", context=["d"], component="x", evidence=NewEvidence(value=1))
    )
    assert isinstance(outcome, Refused)
