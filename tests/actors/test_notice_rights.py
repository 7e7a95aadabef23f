"""Which notices may leave: as many as the app may send, with nothing in them that it may not know."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from actors.effects.notices import NO_RIGHT
from bus import notices, rejections
from schemas.apps import ADMIN_APP
from schemas.commands import DeleteApp, RegisterApp, SetPermission, SetQuota
from schemas.errors import Code
from schemas.grants import Consent
from schemas.replies import Rejection
from schemas.slices import ACTIONS, Slice
from tests.actors.receiver import Receiver, receiving
from tests.actors.serving import serving
from tests.waiting import eventually


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


async def test_an_app_calls_so_often_in_an_hour(tmp_path: Path, receiver: Receiver) -> None:
    """What is more is reported, and does not leave. Three tells are in two hours at the most, so one is too much."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "a")
        await llum.do(SetQuota(id=llum.next_id(), app="llum", notices_per_hour=1), "alice", ADMIN_APP)
        await llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}/'")
        for number in range(3):
            await llum.tell("a", number)

        async def reported() -> list[Rejection]:
            return await rejections.read(llum.bus, "alice", "llum")

        (report, *_) = await eventually(reported)
        assert (report.verb, report.error.code) == ("rule", Code.QUOTA)
        await eventually(lambda: called(receiver))
    assert len(receiver.received) <= 2


async def test_no_notice_carries_what_another_person_did_not_grant(tmp_path: Path, receiver: Receiver) -> None:
    """Bob lets the app do all in his model: a rule of it in Alice's tells nobody of him. Alice's other rule does."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "a")
        await llum.make_person("bob", "secret")
        for user in ("alice", "bob"):
            await llum.grant(user, "probe", notify=True)
        await llum.tell("secret", "gold", "bob")
        for statement in ("'' ~ '' : NOTIFY '{url}/?' <bob/c/secret>", "<bob/c/secret> ~ 'g' : NOTIFY '{url}/g'"):
            await llum.subscribe("a", statement.format(url=receiver.url), app="probe")
        await llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}/?' <./c/a>", app="probe")
        await llum.tell("a", "mine")
        await eventually(lambda: called(receiver))

        async def both_are_refused() -> bool:
            return len(await rejections.read(llum.bus, "alice", "probe")) == 2

        await eventually(both_are_refused)
    assert [one.url for one in receiver.received] == [f"{receiver.url}/?mine"]


async def called(receiver: Receiver) -> bool:
    return bool(receiver.received)


TAKEN: dict[str, list[Any]] = {
    "revoked": [Consent(id="t", app="probe", decision="revoked")],
    "revoked, and allowed again": [
        Consent(id="t", app="probe", decision="revoked"),
        Consent(id="u", app="probe", decision="allowed", granted=[Slice(paths=[""], actions=list(ACTIONS))]),
    ],
    "deleted": [DeleteApp(id="t", app="probe")],
    "deleted, and registered again": [
        DeleteApp(id="t", app="probe"),
        RegisterApp(id="u", app="probe"),
        SetPermission(id="v", app="probe", context=[], ask=True, tell=True, notify=True),
    ],
    "no notify": [SetPermission(id="t", app="probe", context=[], notify=False)],
    "no ask there": [SetPermission(id="t", app="probe", context=["c"], component="a", ask=False)],
}


@pytest.mark.parametrize("how", TAKEN)
async def test_a_notice_that_waits_is_not_delivered_without_the_right(
    tmp_path: Path, receiver: Receiver, how: str
) -> None:
    """However the right is taken, and also if the app gets another one: it becomes a dead letter. Others leave."""
    # Always, so that no attempt that was under way ends the waiting.
    receiver.answer = lambda one: web.Response(status=503 if one.url.endswith("/probe") else 204)
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "a")
        await llum.grant("alice", "probe", notify=True)
        await llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}/probe'", app="probe")
        await llum.tell("a", 1)
        await eventually(lambda: called(receiver))
        for command in TAKEN[how]:
            await llum.do(command)

        async def given_up() -> bool:
            letters = await notices.read_dead_letters(llum.bus, "alice")
            return [(one.notice.app, one.reason) for one in letters] == [("probe", NO_RIGHT)]

        await eventually(given_up)
        tried = len(receiver.received)
        await llum.subscribe("a", f"'' ~ '' : NOTIFY '{receiver.url}/own'")
        await llum.tell("a", 2)

        async def own_has_left() -> bool:
            return any(one.url.endswith("/own") for one in receiver.received)

        await eventually(own_has_left)
    late = [one for one in receiver.received[tried:] if one.url.endswith("/probe")]
    assert late == []
