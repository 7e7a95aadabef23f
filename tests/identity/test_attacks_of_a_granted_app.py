"""An app with a good grant wants more, on the bus: another person's model, more of Carol's, or what only an owner may.

Carol has let `lamp` ask and tell `c/x`, of which it sees only what is told from now on. Her `c/y` is none of its
business, nor is anything of Bob's, who does not use the app.
"""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bus.requests import Requests
from identity.oauth.issuing import Issuing
from schemas.codec import decode_reply, encode
from schemas.commands import COMMANDS, LLUMS_OWN, MakeRule, RegisterApp, SetPermission, Tell
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.grants import Consent
from schemas.queries import (
    LLUMS_OWN_QUERIES,
    QUERIES,
    Ask,
    Asked,
    AskForRule,
    Check,
    Export,
    GetContext,
    Grants,
    ListApps,
    PreviewGrant,
    Query,
    RuleMayTell,
)
from schemas.replies import Accepted, AskReply, Failed, Refused
from schemas.slices import ACTIONS, Action, Slice
from schemas.verbs import verb_of
from tests.identity.callout_ground import Ground, ground
from tests.raw_nats import raw

ALL = Slice(paths=[""], actions=list(ACTIONS))
SEEN: list[Action] = ["ask", "tell"]


class Lamp(NamedTuple):
    """The app, let in by Carol, with a token of OAuth 2."""

    there: Ground
    registration: int
    token: str
    requests: Requests

    async def refusal(self, query: Query, user: str = "carol", app: str = "lamp") -> Code:
        """Ask what must be refused as a whole, or for each component; give why."""
        try:
            reply = await self.requests.ask(user, app, query)
        except Refusal as refused:
            return refused.code
        assert isinstance(reply, AskReply), reply
        assert reply.components == []
        (code,) = {one.error.code for one in reply.failures}
        return code

    async def sees(self, query: Ask) -> list[object]:
        """Ask; give values and pieces of evidence."""
        reply = await self.requests.ask("carol", "lamp", query)
        assert isinstance(reply, AskReply)
        assert reply.failures == []
        return [(one.value, [piece.value for piece in one.evidence or []]) for one in reply.components]


@pytest.fixture
async def lamp(tmp_path: Path) -> AsyncIterator[Lamp]:
    async with ground(tmp_path) as there:
        llum = there.llum
        await llum.make_person("carol", "x", "y")
        await llum.tell("x", "old", "carol")
        await llum.tell("y", "secret", "carol")
        granted = [Slice(components=["c/x"], actions=SEEN, since=time.time())]
        registration = await llum.do(Consent(id="let", app="lamp", decision="allowed", granted=granted), "carol")
        await llum.tell("x", "new", "carol")
        token = await there.authenticator.tokens.issue("carol", "lamp", registration, 3600.0, oauth=True)
        yield Lamp(there, registration, token, await there.requests(token))


async def test_it_sees_its_slice_and_nothing_beside(lamp: Lamp) -> None:
    """By place, view, path, filter, or all at once; nothing tells whether there is anything."""
    assert await lamp.sees(Ask(context=["c"], view=["x"], include_evidence=True)) == [("new", ["new"])]
    for query in (
        Ask(context=["c"], view=["y"]),
        Ask(view=[["c", "y"]]),
        Ask(context=["c", "y"]),
        Ask(context=["c"], view=["y"], evidence_filter=EvidenceFilter(name="all"), include_evidence=True),
        GetContext(context=["c"]),
        Ask(view=[["c", "nothing"]]),
    ):
        assert await lamp.refusal(query) is Code.PERMISSION_DENIED, query


async def test_the_past_holds_nothing_that_its_slice_does_not(lamp: Lamp) -> None:
    """Neither as the model was, nor what held then, nor the pages of evidence that come after a made-up one."""
    for query in (
        Ask(context=["c"], view=["x"], as_of_seq=2),
        Ask(context=["c"], view=["x"], as_of_time=time.time() - 1),
        Ask(context=["c"], view=["x"], held_at=time.time() - 3600),
    ):
        assert await lamp.refusal(query) is Code.PERMISSION_DENIED, query
    query = Ask(context=["c"], view=["x"], include_evidence=True, evidence_after=(1, 0))
    assert await lamp.sees(query) == [("new", ["new"])]
    await lamp.there.llum.do(Consent(id="not", app="lamp", decision="changed", granted=[]), "carol")
    again = await lamp.there.requests(lamp.token)
    with pytest.raises(Refusal):
        await again.ask("carol", "lamp", query)


async def test_what_only_an_owner_may_has_no_subject_for_it(lamp: Lamp) -> None:
    """It previews, checks, decides and lists nothing, of itself or others: no such message reaches a worker."""
    owners: list[Query] = [
        PreviewGrant(app="lamp", granted=[ALL]),
        Check(app="lamp"),
        Asked(),
        ListApps(),
        Export(),
    ]
    for query in owners:
        assert await lamp.refusal(query) is Code.PERMISSION_DENIED, query
    assert await lamp.refusal(Grants(app="llum")) is Code.PERMISSION_DENIED
    for decision in ("allowed", "changed"):
        consent = Consent(id=decision, app="lamp", decision=decision, granted=[ALL], role="owner")  # type: ignore[arg-type]
        with pytest.raises(Refusal):
            await lamp.requests.send("carol", "lamp", consent)
    may = {"tell", "withdraw", "put_preferences"}
    async with raw(lamp.there.url, auth_token=lamp.token) as client:
        for command in (*COMMANDS, *LLUMS_OWN):
            errors = await client.publish(f"llum.cmd.carol.lamp.{verb_of(command)}", b"{}")
            assert bool(errors) == (verb_of(command) not in may), verb_of(command)
    assert await lamp.sees(Ask(context=["c"], view=["x"])) == [("new", [])]


async def test_bob_is_reached_by_no_subject_and_no_rule(lamp: Lamp) -> None:
    """Nor is Carol's own other component, though an app of hers may have rules."""
    for user, app in (("bob", "lamp"), ("bob", "llum"), ("carol", "llum")):
        assert await lamp.refusal(Ask(context=["c"], view=["x"]), user, app) is Code.PERMISSION_DENIED
        told = Tell(id="t", context=["c"], component="x", evidence=NewEvidence(value=666))
        with pytest.raises(Refusal):
            await lamp.requests.send(user, app, told)
    granted = [Slice(components=["c/x"], actions=["ask", "tell", "rules"])]
    llum = lamp.there.llum
    await llum.do(Consent(id="more", app="lamp", decision="changed", granted=granted), "carol")
    requests = await lamp.there.requests(lamp.token)
    for number, effect in enumerate(
        (
            "TELL bob/c/x, explicit:666",
            "TELL ./c/y, explicit:666",
            "TELL ./c/x, explicit:<./c/y>",
            "TELL ./c/x, explicit:<bob/c/x>",
        )
    ):
        made = MakeRule(id=f"r{number}", context=["c"], component="x", statement=f"'' ~ '' : {effect}")
        assert isinstance(await requests.send("carol", "lamp", made), Accepted | Refused)
    await llum.tell("x", "his", "bob")
    await llum.settle("x", "hers", "carol")
    assert await llum.values("x", "bob") == ["his"]
    assert await llum.values("y", "carol") == ["secret"]
    assert await llum.values("x", "carol") == ["old", "new", "hers"]


async def test_it_does_not_speak_for_its_rules(lamp: Lamp) -> None:
    """What Carol lets the app's rules in Bob's model ask is for these: they get it, and the app does not."""
    llum = lamp.there.llum
    let = SetPermission(id="rules", app="lamp", context=["c"], component="y", whose_rules="bob", ask=True, tell=True)
    await llum.do(let, "carol")
    requests = await lamp.there.requests(lamp.token)
    own = Ask(context=["c"], view=["y"])
    for query in (AskForRule(whose_rules="bob", query=own), RuleMayTell(whose_rules="bob", component=["c", "y"])):
        with pytest.raises(Refusal) as denied:
            await requests.ask("carol", "lamp", query)
        assert (denied.value.code, verb_of(query) in str(denied.value)) == (Code.PERMISSION_DENIED, True)
        assert await llum.requests.ask("carol", "lamp", query), "it is what llum itself asks"
    for verb, body in (
        ("ask", b'{"verb":"ask","context":["c"],"view":["y"],"whose_rules":"bob"}'),
        ("access", b'{"verb":"access","whose_rules":"bob","component":["c","y"]}'),
    ):
        reply = decode_reply(await requests.ask_raw("carol", "lamp", verb, body))
        assert isinstance(reply, Failed)
        assert (reply.error.code, reply.error.field) == (Code.BAD_FIELD, "whose_rules")
    inside = decode_reply(
        await requests.ask_raw("carol", "lamp", "ask", encode(AskForRule(whose_rules="bob", query=own)))
    )
    assert isinstance(inside, Failed)
    assert inside.error.code is Code.UNKNOWN_VERB


async def test_no_app_has_a_subject_for_what_llum_asks_for_rules(lamp: Lamp) -> None:
    """Neither this one, nor one of the owner, about whose own model it is."""
    registration = await lamp.there.llum.do(RegisterApp(id="mine", app="mine", role="owner"), "carol")
    owners = await lamp.there.authenticator.tokens.issue("carol", "mine", registration, 3600.0)
    for app, token in (("lamp", lamp.token), ("mine", owners)):
        async with raw(lamp.there.url, auth_token=token) as client:
            for query in LLUMS_OWN_QUERIES:
                assert await client.publish(f"llum.ask.carol.{app}.{verb_of(query)}", b"{}"), (app, query)
    assert set(QUERIES) > LLUMS_OWN_QUERIES


async def test_16_only_an_access_token_for_llum_connects(lamp: Lamp) -> None:
    """No refresh token, no code, no token for another server, also where its sign-in has one for llum."""
    there = lamp.there
    issuing = Issuing(there.llum.bus, there.authenticator.tokens)
    try:
        elsewhere = await issuing.begin_family("carol", "lamp", lamp.registration, "https://rs.example")
        here = await issuing.begin_family("carol", "lamp", lamp.registration)
        code = await issuing.issue_code("lamp", "carol", lamp.registration, "", "")
    finally:
        issuing.close()
    for wrong in (elsewhere.access_token, elsewhere.refresh_token, here.refresh_token, code):
        with pytest.raises(EOFError):
            async with raw(there.url, auth_token=wrong):
                pass
    async with raw(there.url, auth_token=here.access_token) as client:
        assert await client.publish("llum.ask.carol.lamp.ask", b"{}") == []
