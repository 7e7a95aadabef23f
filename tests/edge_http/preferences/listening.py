"""A program that listens to changes of preferences, and others that make them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import ClientResponse

from identity.registrations import access
from schemas.grants import Consent
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import Site
from tests.waiting import DEADLINE_S

ALL: Final = Slice(paths=["Preferences"], actions=["ask", "tell", "make"])
NIGHT: Final = Slice(paths=["Preferences/flat/night"], actions=["ask"])


class Heard(NamedTuple):
    """An event of a feed; what is no event has neither kind nor data."""

    id: int | None
    kind: str = ""
    data: Any = None

    @property
    def terms(self) -> list[str]:
        """Name the settings of a change."""
        assert self.kind == "change", self
        return [one["term"] for one in self.data["settings"]]


class Feed:
    """A feed that is open."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self, kind: str = "") -> Heard:
        """Give what comes next; with a kind, the next event of that kind, past signs of life alone."""
        while True:
            heard = await asyncio.wait_for(self._read(), DEADLINE_S)
            if not kind or heard.kind:
                assert heard.kind == kind or not kind, heard
                return heard

    async def is_over(self) -> bool:
        return await asyncio.wait_for(self.response.content.read(), DEADLINE_S) == b""

    async def _read(self) -> Heard:
        fields: dict[str, str] = {}
        while line := (await self.response.content.readuntil(b"\n")).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        seq = int(fields["id"]) if "id" in fields else None
        data = msgspec.json.decode(fields["data"]) if "data" in fields else None
        return Heard(seq, fields.get("event", ""), data)


class Programs:
    """What apps of alice do over HTTP."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def let_in(self, app: str, *slices: Slice, **more: Any) -> str:
        """Have an app be let in, and give a token of it."""
        llum = self.site.llum
        decision = Consent(id=llum.next_id(), app=app, decision="allowed", granted=list(slices), **more)
        await llum.do(decision, "alice")
        registration = (await access(llum.requests, "alice", app)).registration
        return await self.site.authenticator.tokens.issue("alice", app, registration, 3600.0)

    async def patch(self, token: str, settings: dict[str, Any], key: str = "me", name: str = "gpii-default") -> None:
        """Set settings, and unset those that are None."""
        body = {"contexts": {name: {"preferences": settings}}}
        headers = {"Content-Type": "application/merge-patch+json", **_showing(token)}
        async with self.site.http.patch(f"/preferences/{key}", json=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    @asynccontextmanager
    async def listening(self, token: str = "", key: str = "me", last: int | None = None) -> AsyncIterator[Feed]:
        """Open a feed, after what was heard last."""
        headers = _showing(token) | ({} if last is None else {"Last-Event-ID": str(last)})
        async with self.site.http.get(f"/preferences/{key}/changes", headers=headers) as response:
            assert response.status == 200, await response.text()
            assert response.headers["Content-Type"].startswith("text/event-stream")
            yield Feed(response)


def _showing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
