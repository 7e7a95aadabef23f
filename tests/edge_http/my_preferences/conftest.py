"""An edge on a real nats-server with a worker, and Alice, who is signed in, with preferences that programs have set."""

import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest

from bus.as_app import new_id
from edge_http.preferences.face import PreferencesFace
from identity.sessions.session import Session
from identity.sessions.store import new_sid
from llum.ontologies.loading import load
from schemas.preferences import PutPreferences, SafeFacts, SafeType
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.conftest import llum as llum
from tests.edge_http.accounts.conftest import make_site as make_site
from tests.edge_http.accounts.walking import Page
from tests.edge_http.apps.conftest import Alice

FONT_SIZE: Final = "http://registry.gpii.net/common/fontSize"
ALL: Final = Slice(paths=["Preferences"], actions=["ask", "tell", "make"])


class Person(Alice):
    """Her browser on the pages about preferences."""

    async def set_by(self, app: str, settings: dict[str, Any], view: str = "flat") -> None:
        """Have an app set settings, and nothing else."""
        body = {"contexts": {"gpii-default": {"preferences": settings}}}
        await self.site.llum.do(PutPreferences(id=new_id(), view=view, body=body, mode="patch"), "alice", app)

    async def make_safe(self, key: str, settings: dict[str, Any], kind: SafeType = "user") -> None:
        """Have something be stored under a key."""
        body = {"contexts": {"gpii-default": {"preferences": settings}}}
        command = PutPreferences(id=new_id(), view="flat", body=body, make=SafeFacts(key=key, type=kind))
        user = await self.site.authenticator.preference_keys.safe_user(key)
        await self.site.llum.do(command, user, "_preferences")

    async def change(self, title: str, *values: str, path: str = "/my-preferences", **more: str) -> Page:
        """Send the form of a setting."""
        page = await self.open(path)
        fields = fields_of(row_of(page, title))
        return await self.send(page, "/my-preferences", **fields, value=list(values), **more)  # type: ignore[arg-type]


def row_of(page: Page, title: str) -> str:
    """Give the part of a page that is about a setting."""
    rows = re.findall(r'<li class="component preference".*?</form>.*?</li>', page.raw, re.DOTALL)
    return next(row for row in rows if f"<h3>{title}</h3>" in row)


def fields_of(row: str) -> dict[str, str]:
    """Give the hidden fields of a form, but for the token."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', row)
    return {name: value for name, value in hidden if name != "csrf_token"}


def words_of(row: str) -> str:
    """Give what people read."""
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


@pytest.fixture
async def alice(make_site: Callable[..., Site]) -> AsyncIterator[Person]:
    """She has just signed in; a phone and a desk may set preferences."""
    site = make_site(preferences=PreferencesFace(lambda: load(None), "anywhere"))
    async with site.http:
        await site.llum.make_person("alice", "steps")
        person = Person(site)
        now, sid = time.time(), new_sid()
        session = Session(user="alice", how="password", made=now, expires=now + 3600.0, authenticated=now)
        await site.authenticator.sessions.set_session(sid, session)
        person.cookies["__Host-llumsessionid"] = sid
        for app in ("phone", "desk"):
            await person.let_in(ALL, app=app)
        yield person
