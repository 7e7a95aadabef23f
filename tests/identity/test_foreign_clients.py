"""What clients that others wrote can do with a token, and what nobody can do with it: all by plain nats-py."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import pytest

from bus.subjects import REPLY_TO_HEADER, inbox_of_token
from schemas.commands import LLUMS_OWN, DeleteApp, Tell
from schemas.errors import Code, LlumError
from schemas.evidence import NewEvidence
from schemas.replies import Accepted
from schemas.verbs import verb_of
from tests.identity.callout_ground import Ground, ground
from tests.waiting import until


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


def tell(id: str, value: int = 1, **more: Any) -> dict[str, Any]:
    return {"verb": "tell", "id": id, "context": ["c"], "component": "x", "evidence": {"value": value}, **more}


class Stranger:
    """A connection of nats-py as it comes, and what nats-server has said to it."""

    def __init__(self, token: str) -> None:
        self.inbox = inbox_of_token(token) or ""
        self.token = token
        self.errors: list[str] = []
        self.nc: Any

    async def open(self, url: str) -> None:
        async def failed(error: Exception) -> None:
            self.errors.append(str(error).lower())

        self.nc = await nats.connect(url, token=self.token, inbox_prefix=self.inbox, error_cb=failed)

    async def say(self, subject: str, message: dict[str, Any] | bytes = b"", **more: Any) -> None:
        """Publish, and return when nats-server has dealt with it."""
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.nc.publish(subject, data, **more)
        await self.nc.flush()

    async def hear(self, subject: str) -> list[bytes]:
        """Listen, as far as nats-server lets it; what comes is in the list."""
        came: list[bytes] = []

        async def take(message: Any) -> None:
            came.append(message.data)

        await self.nc.subscribe(subject, cb=take)
        await self.nc.flush()
        return came

    async def outcome(self, subject: str, command: dict[str, Any]) -> dict[str, Any]:
        """Send a command, and give its outcome."""
        inbox = f"{self.inbox}.mine.{command['id']}"
        came = await self.hear(inbox)
        await self.say(subject, command, headers={REPLY_TO_HEADER: inbox})
        await until(lambda: came, "the outcome")
        return json.loads(came[0])  # type: ignore[no-any-return]


@asynccontextmanager
async def stranger(there: Ground, token: str) -> AsyncIterator[Stranger]:
    made = Stranger(token)
    await made.open(there.url)
    try:
        yield made
    finally:
        await made.nc.close()


async def test_a_plain_client_tells_asks_and_hears_outcomes(there: Ground) -> None:
    """With its token, and the inbox that the token names."""
    async with stranger(there, await there.token("alice", "lamp")) as lamp:
        outcome = await lamp.outcome("llum.cmd.alice.lamp.tell", tell("a", 7))
        assert outcome["outcome"] == "accepted"
        stored = await lamp.nc.request("llum.cmd.alice.lamp.tell", json.dumps(tell("b", 8)).encode(), timeout=30)
        assert json.loads(stored.data)["seq"] > outcome["seq"]
        query = {"verb": "ask", "context": ["c"], "view": ["x"], "min_seq": json.loads(stored.data)["seq"]}
        reply = await lamp.nc.request("llum.ask.alice.lamp.ask", json.dumps(query).encode(), timeout=30)
        assert json.loads(reply.data)["components"][0]["value"] == 8
        refused = await lamp.outcome("llum.cmd.alice.lamp.tell", tell("a", 9))
        assert refused["error"]["code"] == "id_reused"


async def test_an_app_says_nothing_that_only_llum_says(there: Ground) -> None:
    """None of those verbs, whatever its rights are; nor a cause in a tell; nor as one of llum's own apps."""
    async with stranger(there, await owner_token(there)) as owner:
        for command in LLUMS_OWN:
            await owner.say(f"llum.cmd.alice.llum.{verb_of(command)}", {"verb": verb_of(command), "id": "x"})
        for app in ("_rules", "_cron", "_admin", "_restate", "_edge"):
            await owner.say(f"llum.cmd.alice.{app}.tell", tell("x"))
        await until(lambda: len(owner.errors) == len(LLUMS_OWN) + 5, "each is denied")
        assert all("permissions violation" in error for error in owner.errors)
        cause = {"rule": "7", "root": "alice.1", "depth": 1}
        outcome = await owner.outcome("llum.cmd.alice.llum.tell", tell("c", cause=cause))
        assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "bad_field")
        assert "cause" in json.dumps(outcome["error"])
        members = {"value": 1, "source": "doctor", "owner": "bob", "seq": 1, "creation_time": 1.0, "correction": True}
        for name in ("source", "owner", "seq", "creation_time", "correction", "rule", "cause", "withdrawn"):
            forged = {"value": 1, name: members.get(name, "x")}
            outcome = await owner.outcome("llum.cmd.alice.llum.tell", tell(f"f-{name}", evidence=forged))
            assert (outcome["outcome"], outcome["error"]["code"]) == ("refused", "bad_field")
    assert await there.llum.values("x") == []


async def owner_token(there: Ground) -> str:
    return await there.another_token("alice", "llum")


@pytest.mark.parametrize("app", ["_rules", "_cron", "_admin", "_edge"])
async def test_no_token_is_for_one_of_llum_s_own_apps(there: Ground, app: str) -> None:
    with pytest.raises(LlumError) as caught:
        await there.authenticator.tokens.issue("alice", app, 1, 60.0)
    assert caught.value.code is Code.BAD_FIELD


ASK = {"verb": "ask", "context": ["c"], "view": ["x"]}

SUBJECTS_OF_BOB = (
    "llum.cmd.bob.lamp.tell",
    "llum.cmd.bob.llum.forget",
    "llum.log.0.bob.lamp.tell",
    "llum.ask.bob.lamp.ask",
    "llum.query.0.bob.lamp.ask",
    "$KV.LLUM_TOKENS.x",
)

TRAPS = {
    "Nats-Schedule": "@at 2020-01-01T00:00:00Z",
    "Nats-Schedule-Target": "llum.log.0.bob.lamp.tell",
    "Nats-Rollup": "all",
    "Nats-TTL": "1s",
    "Nats-Trace-Dest": "llum.cmd.bob.lamp.tell",
}


def guesses(theirs: str, mine: str) -> list[str]:
    """Name inboxes as one does who knows the other's sign-in, but not what proves it."""
    prefix, sign_in, proof = theirs.split(".")
    invented = "0" * len(proof) if proof[0] != "0" else "1" * len(proof)
    return [f"{prefix}.{sign_in}.{other}.x" for other in (mine.split(".")[2], invented)]


async def test_a_token_of_mallory_reaches_nothing_of_bob(there: Ground) -> None:
    """By no subject, reply subject, header, message id, wildcard or inbox: his model is as it was, and says nothing."""
    await there.llum.make_person("mallory", "x")
    async with (
        stranger(there, await there.token("bob", "lamp")) as his,
        stranger(there, await there.token("mallory", "lamp")) as hers,
    ):
        came = [await his.hear(f"{his.inbox}.>")]
        heard = [await hers.hear(subject) for subject in (f"{his.inbox}.>", "_INBOX_APP.>", "llum.>", ">", "$SYS.>")]
        mine, guessed = "llum.cmd.mallory.lamp.tell", guesses(his.inbox, hers.inbox)
        for number, subject in enumerate([*SUBJECTS_OF_BOB, *guessed]):
            await hers.say(subject, tell(f"s{number}"))
            await hers.say(mine, tell(f"r{number}"), reply=subject)
            await hers.say(mine, tell(f"h{number}"), headers={REPLY_TO_HEADER: subject})
        await hers.say(mine, tell("known"), headers={REPLY_TO_HEADER: f"{his.inbox}.x"})
        for name, value in TRAPS.items():
            await hers.say(mine, tell(f"t-{name}"), headers={name: value})
        for subject in guessed:
            await hers.say("llum.ask.mallory.lamp.ask", ASK, reply=subject)
        # A message id is the sender's to choose: it must not make his command be dropped as hers.
        await hers.say(mine, tell("same"), headers={"Nats-Msg-Id": "same"})
        told = await there.llum.requests.send("bob", "llum", Tell(**members("same")))
        assert isinstance(told, Accepted)
        assert not told.repeated
        outcome = await his.outcome("llum.cmd.bob.lamp.tell", tell("same"))
        assert outcome["outcome"] == "accepted"
        last = await hers.outcome(mine, tell("last"))
        await his.nc.flush()
        await hers.nc.flush()
        assert last["outcome"] == "accepted"
    assert [json.loads(one)["id"] for one in came[0]] == ["same"]
    assert heard == [[], [], [], [], []]
    assert [piece.source for piece in await there.llum.evidence("x", "bob")] == ["llum", "lamp"]


def members(id: str) -> dict[str, Any]:
    return {"id": id, "context": ["c"], "component": "x", "evidence": NewEvidence(value=1)}


async def test_an_app_hears_no_other_app_of_the_same_person_nor_its_own_earlier_self(there: Ground) -> None:
    """Nothing goes to another inbox: another app's, or that of an earlier registration or sign-in of the app."""
    earlier = await there.token("alice", "lamp")
    await there.llum.do(DeleteApp(id="gone", app="lamp"))
    other = await there.token("alice", "kitchen")
    sign_in = await there.token("alice", "lamp")
    again = await there.another_token("alice", "lamp")
    inboxes = [inbox_of_token(token) or "" for token in (earlier, other, sign_in)]
    async with stranger(there, again) as lamp, stranger(there, other) as kitchen, stranger(there, sign_in) as first:
        came = [await kitchen.hear(f"{inboxes[1]}.>")]
        heard = [await lamp.hear(f"{inbox}.>") for inbox in inboxes]
        for number, inbox in enumerate(inboxes[:2]):
            for guess in guesses(inbox, lamp.inbox):
                await lamp.say("llum.cmd.alice.lamp.tell", tell(f"r{number}"), reply=guess)
                await lamp.say("llum.ask.alice.lamp.ask", ASK, reply=guess)
            await lamp.say("llum.cmd.alice.lamp.tell", tell(f"h{number}"), headers={REPLY_TO_HEADER: f"{inbox}.x"})
        assert (await first.outcome("llum.cmd.alice.lamp.tell", tell("mine")))["outcome"] == "accepted"
        assert (await lamp.outcome("llum.cmd.alice.lamp.tell", tell("last")))["outcome"] == "accepted"
        await kitchen.nc.flush()
        await lamp.nc.flush()
    assert came == [[]]
    assert heard == [[], [], []]


async def test_a_fresh_token_keeps_the_inbox_and_loses_no_outcome(there: Ground) -> None:
    """A command that was sent with the earlier one is answered to the connection of the next."""
    token = await there.token("alice", "lamp")
    principal = await there.authenticator.tokens.look_up(token)
    assert principal is not None
    fresh = await there.authenticator.tokens.renew(principal, 3600.0)
    assert inbox_of_token(fresh) == inbox_of_token(token)
    async with stranger(there, fresh) as after:
        came = await after.hear(f"{after.inbox}.kept")
        async with stranger(there, token) as before:
            await before.say("llum.cmd.alice.lamp.tell", tell("a"), headers={REPLY_TO_HEADER: f"{before.inbox}.kept"})
        await until(lambda: came, "the outcome comes")
    assert json.loads(came[0])["outcome"] == "accepted"


async def test_a_forged_reply_settles_nothing_that_waits(there: Ground) -> None:
    """nats-server sends a reply wherever its asker says. Who knows an inbox by its name knows not what waits in it."""
    token = await there.token("alice", "lamp")
    client = await there.client("lamp", token)
    await there.llum.make_person("mallory", "x")
    async with stranger(there, await there.token("mallory", "lamp")) as hers:
        newest = (await client.tell("alice", "c/x", 1)).seq
        asking = asyncio.create_task(client.ask("alice", "c/x", min_seq=newest + 1))
        for number in range(20):
            await hers.say("llum.ask.mallory.lamp.ask", ASK, reply=f"{inbox_of_token(token)}.{number:x}")
        await there.llum.tell("x", 2)
        assert (await asking).value == 2
