"""A person takes everything from an app on its page: wherever it is, it is out, and nothing of it happens any more.

Goal: one click ends an app. Method: the app has an open connection to the bus, a token that two edges have let in, and
a rule with a notice that waits, as its receiver is away.
"""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from actors.effects.notices import NO_RIGHT
from bus import notices
from bus.connection import Bus
from edge_http.accounts.reception import RECEPTION
from edge_http.app import make_app
from identity.authenticator import Authenticator
from schemas.commands import MakeComponent, MakeContext
from schemas.definitions import ComponentDefinition
from schemas.grants import Consent, GrantedApp, GrantsReply
from schemas.queries import Grants
from schemas.slices import Slice
from tests.actors.receiver import Receiver, receiving
from tests.edge_http.accounts.walking import Walker
from tests.edge_http.conftest import EdgeServer
from tests.identity.callout_ground import Ground, ground
from tests.waiting import eventually, until

APP = "coach"
ALL_OF_C = Slice(paths=["c"], actions=["ask", "tell", "rules", "notify"])


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as there:
        yield there


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """It is away at first."""
    async with receiving() as one:
        one.answer = lambda _: web.Response(status=503)
        yield one


class Edge:
    """An HTTP edge beside others."""

    def __init__(self, there: Ground, bus: Bus) -> None:
        self.authenticator = Authenticator(bus, there.llum.requests)
        self.app = make_app(bus, there.llum.requests, self.authenticator, "http://llum.example", 2)
        self.http = TestClient(EdgeServer(self.app))

    async def status(self, token: str) -> int:
        """Ask with a token, as an app does; give the status."""
        body = {"version": "11.2", "context": ["c"], "view": ["x"]}
        response = await self.http.post("/ask", json=body, headers={"Authorization": f"Bearer {token}"})
        return int(response.status)


async def statuses_are(edges: list[Edge], token: str, status: int) -> bool:
    return {await edge.status(token) for edge in edges} == {status}


async def make_component(there: Ground) -> None:
    """Make `c/x` beside what a new person has."""
    component = ComponentDefinition(name="x", value_type="JSON")
    await there.llum.do(MakeContext(id=there.llum.next_id(), context=[], name="c"), "carol")
    await there.llum.do(MakeComponent(id=there.llum.next_id(), context=["c"], component=component), "carol")


async def grant(there: Ground) -> GrantedApp:
    reply = await there.llum.requests.ask("carol", "llum", Grants(app=APP))
    assert isinstance(reply, GrantsReply)
    return reply.apps[0]


async def let_in(there: Ground) -> int:
    command = Consent(id=there.llum.next_id(), app=APP, decision="allowed", granted=[ALL_OF_C])
    return int(await there.llum.do(command, "carol"))


async def test_27_what_is_revoked_on_the_page_ends_everywhere(there: Ground, receiver: Receiver) -> None:
    """Token, connection, rule and notice; the sign-in is gone. To let the app in again brings nothing of it back."""
    here, elsewhere = Edge(there, there.llum.bus), Edge(there, there.llum.bus)
    async with here.http, elsewhere.http:
        await until(lambda: here.authenticator.registrations.is_watching, "the first edge hears of what changes")
        person = Walker(here, "http://llum.example")  # type: ignore[arg-type]
        await person.sign_up("carol", await here.app[RECEPTION].links.make("first"))
        await make_component(there)
        issued = await here.authenticator.oauth.begin_family("carol", APP, await let_in(there))
        token = issued.access_token
        assert await statuses_are([here, elsewhere], token, 200)
        app = await there.connect(token)
        rule = await there.llum.subscribe("x", f"'' ~ '' : NOTIFY '{receiver.url}/'", "carol", APP)
        await there.llum.tell("x", 1, "carol")
        await until(lambda: bool(receiver.received), "the receiver was called, and was away")

        page = await person.open(f"/list_apps/{APP}/revoke")
        assert (await person.send(page, "/list_apps_save", id="revoke", value=APP)).status == 303

        await eventually(partial(statuses_are, [here, elsewhere], token, 401))
        await until(lambda: not app.connected, "the connection has ended")
        found = await grant(there)
        assert (found.slices, found.rules, found.suspended) == ([], 1, 1)
        assert await here.authenticator.oauth.families_of("carol") == []

        async def notice_is_given_up() -> list[Any]:
            return await notices.read_dead_letters(there.llum.bus, "carol")

        (letter,) = await eventually(notice_is_given_up)
        assert (letter.notice.rule, letter.reason) == (rule, NO_RIGHT)
        called = len(receiver.received)
        receiver.answer = lambda _: web.Response(status=204)
        await there.llum.settle("x", 2, "carol")
        assert len(receiver.received) == called

        await let_in(there)
        assert await statuses_are([here, elsewhere], token, 401)
        assert ((await grant(there)).suspended, len(receiver.received)) == (1, called)
        again = await here.authenticator.oauth.begin_family("carol", APP, (await grant(there)).registration or 0)
        assert await statuses_are([here, elsewhere], again.access_token, 200)
