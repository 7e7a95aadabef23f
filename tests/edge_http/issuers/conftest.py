"""A whole edge with a worker behind it, two issuers that answer as a test wants, and browsers."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge_http.app import make_app
from edge_http.http.server import serve_on
from identity.accounts.store import Accounts
from identity.authenticator import Authenticator
from identity.issuers.relying_party import identity_key
from schemas.evidence import Evidence
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors.serving import PARTITIONS, Llum, serving
from tests.edge_http.issuers.browsing import Browsing, browsing
from tests.identity.issuers.hostile import HostileIssuer, hostile_issuer
from tests.waiting import DEADLINE_S


class Stage:
    """What a test acts on."""

    def __init__(
        self, url: str, llum: Llum, authenticator: Authenticator, there: HostileIssuer, other: HostileIssuer
    ) -> None:
        self.url = url
        self.llum = llum
        self.authenticator = authenticator
        self.accounts = Accounts(llum.bus, llum.requests)
        self.there = there
        self.other = other

    async def personal(self, user: str) -> dict[str, Evidence]:
        """Give the newest evidence of each component of Personal that has any."""
        query = Ask(context=["Personal"], include_evidence=True)
        reply = await self.llum.requests.ask(user, "llum", query, DEADLINE_S)
        assert isinstance(reply, AskReply)
        return {one.path[-1]: one.evidence[-1] for one in reply.components if one.evidence}

    def key_at(self, issuer: HostileIssuer) -> str:
        """Name the identity of whom an issuer speaks of now."""
        return identity_key(issuer.url, issuer.claims["sub"])

    async def make_stale(self, browser: Browsing) -> None:
        """Let it be long ago that the person in a browser has proven who they are."""
        sid, sessions = browser.cookie("llumsessionid") or "", self.authenticator.sessions
        session = await sessions.get_session(sid)
        assert session is not None
        await sessions.set_session(sid, msgspec.structs.replace(session, authenticated=time.time() - 3600))

    async def user_in(self, browser: Browsing) -> str | None:
        """Tell who is signed in in a browser."""
        sid = browser.cookie("llumsessionid")
        session = await self.authenticator.sessions.get_session(sid) if sid else None
        return None if session is None else session.user


@pytest.fixture
async def stage(new_stage: Stage) -> Stage:
    """One where somebody has an account already, so that others may sign up."""
    await new_stage.accounts.register("founder")
    return new_stage


@pytest.fixture
async def new_stage(tmp_path: Path) -> AsyncIterator[Stage]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with serving(tmp_path) as llum, hostile_issuer() as there, hostile_issuer() as other:
        configured = {
            "there": there.as_configured(),
            "other": other.as_configured(id="other", name="Other", client_secret=None),
        }
        authenticator = Authenticator(llum.bus, llum.requests)
        app = make_app(llum.bus, llum.requests, authenticator, url, PARTITIONS, issuers=configured)
        stop, serves = asyncio.Event(), asyncio.Event()
        edge = asyncio.create_task(serve_on(listening, app, stop, serves.set))
        await serves.wait()
        yield Stage(url, llum, authenticator, there, other)
        stop.set()
        await edge


@pytest.fixture
async def browser() -> AsyncIterator[Browsing]:
    async with browsing() as browser:
        yield browser
