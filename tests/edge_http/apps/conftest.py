"""An edge on a real nats-server with a worker, and Alice, who has signed up and let an app in."""

from typing import Any

import msgspec
import pytest

from schemas.apps import OWNER_APP
from schemas.commands import Command, MakeComponent, Tell
from schemas.definitions import ComponentDefinition
from schemas.evidence import NewEvidence
from schemas.grants import Consent, GrantedApp, GrantsReply
from schemas.queries import Grants
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.conftest import llum as llum
from tests.edge_http.accounts.conftest import make_site as make_site
from tests.edge_http.accounts.conftest import site as site
from tests.edge_http.accounts.walking import Page, Walker

APP = "coach"
PERSONAL = Slice(paths=["Personal"], actions=["ask", "tell"], purpose="to greet you")
EMAIL = Slice(components=["Personal/email"], actions=["ask"])


class Alice(Walker):
    """Her browser, and what stands behind it."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "https://llum.example")  # type: ignore[arg-type]
        self.site = site

    async def own(self, command: Command) -> Any:
        """Send a command as her own app."""
        return await self.site.llum.do(command, "alice", OWNER_APP)

    async def let_in(self, *slices: Slice, app: str = APP, **more: Any) -> int:
        """Consent, and give the app's registration."""
        command = Consent(id=self.site.llum.next_id(), app=app, decision="allowed", granted=list(slices), **more)
        return int(await self.own(command))

    async def grant(self, app: str = APP) -> GrantedApp:
        """Give what an app may do, as the model has it."""
        reply = await self.site.llum.requests.ask("alice", OWNER_APP, Grants(app=app))
        assert isinstance(reply, GrantsReply)
        return reply.apps[0]

    async def save(self, what: str, app: str = APP, **fields: Any) -> Page:
        """Send a form of the app's page."""
        page = await self.open(f"/list_apps/{app}")
        return await self.send(page, "/list_apps_save", id=what, value=app, **fields)

    async def make(self, name: str) -> None:
        """Make a component beside the first name."""
        component = ComponentDefinition(name=name, value_type="string")
        await self.own(MakeComponent(id=self.site.llum.next_id(), context=["Personal"], component=component))

    async def tells(self, value: Any, app: str = APP) -> None:
        """Have an app tell the first name."""
        command = Tell(
            id=self.site.llum.next_id(), context=["Personal"], component="firstname", evidence=NewEvidence(value=value)
        )
        await self.site.llum.do(command, "alice", app)


def written(one: Slice) -> str:
    return msgspec.json.encode(one).decode()


@pytest.fixture
async def alice(site: Site) -> Alice:
    """She has just signed up, so her sign-in is fresh."""
    browser = Alice(site)
    await browser.sign_up("alice", await site.reception.links.make("first"), firstname="Alice")
    return browser
