"""An app that asks for slices, and the person who decides."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from edge_http.consent.authorize import consent_path
from identity.oauth.client import OAuthClient
from schemas.commands import MakeComponent, MakeContext, Tell
from schemas.definitions import ComponentDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.grants import GrantedApp, GrantsReply
from schemas.queries import Ask, Grants
from schemas.replies import AskReply
from tests.edge_http.accounts.conftest import PUBLIC_URL, Site
from tests.edge_http.accounts.walking import Page, Walker

CALLBACK = "https://log.example/back"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-take"
LOG = OAuthClient(id="log", name="Log llum", home="https://log.example/", redirect_uris=[CALLBACK])


class Scene:
    """A site, alice's browser, and the app."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.llum = site.llum
        self.alice: Walker = site.browser()

    async def begin(self) -> None:
        await self.alice.sign_up("alice", await self.site.reception.links.make("first"))
        await self.add(LOG)
        for context, name in (([], "Sport"), (["Sport"], "Running"), ([], "Food")):
            await self.llum.do(MakeContext(id=self.llum.next_id(), context=context, name=name))
        for place, name in (("Sport", "steps"), ("Sport", "weight"), ("Sport/Running", "pace"), ("Food", "apples")):
            component = ComponentDefinition(name=name, value_type="JSON")
            made = MakeComponent(id=self.llum.next_id(), context=place.split("/"), component=component)
            await self.llum.do(made)
        await self.tell("Sport", "steps", 4200)
        await self.tell("Sport/Running", "pace", "5:30")
        await self.tell("Food", "apples", 3)

    async def add(self, client: OAuthClient) -> None:
        await self.site.authenticator.clients.save(client)

    async def tell(self, context: str, name: str, value: Any) -> None:
        evidence = NewEvidence(value=value)
        told = Tell(id=self.llum.next_id(), context=context.split("/"), component=name, evidence=evidence)
        await self.llum.do(told)

    async def asks(self, browser: Walker | None = None, **parameters: str) -> Page:
        """Have the app lead a browser to llum, and give what comes back."""
        return await (browser or self.alice).open(authorize_path(**parameters))

    async def question(self, browser: Walker | None = None, **parameters: str) -> Page:
        """Do the same up to the page of consent."""
        browser = browser or self.alice
        return await browser.open((await self.asks(browser, **parameters)).location)

    async def decides(
        self, page: Page, path: str = "/allow", browser: Walker | None = None, **changes: str | list[str]
    ) -> Page:
        """Send the form of consent as it stands, but for some fields: `from_now_0` means `from-now-0`."""
        fields = {"csrf_token": [page.value("csrf_token")]} | fields_of(page)
        for name, value in changes.items():
            fields[re.sub(r"_(?=[0-9])|(?<=from)_", "-", name)] = [value] if isinstance(value, str) else value
        data = urlencode(fields, doseq=True)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
            "Origin": "null",
        }
        response = await (browser or self.alice).post(path, data=data, headers=headers)
        return Page(response, await response.text())

    async def grant(self, app: str = "log") -> GrantedApp | None:
        """Give what the model holds for an app."""
        reply = await self.llum.requests.ask("alice", "llum", Grants())
        assert isinstance(reply, GrantsReply)
        return next((one for one in reply.apps if one.app == app), None)

    async def redeems(self, code: str) -> dict[str, Any]:
        """Get tokens for a code, as the app does."""
        form = {"grant_type": "authorization_code", "client_id": "log", "redirect_uri": CALLBACK, "code": code}
        response = await self.site.http.post("/token", data=form | {"code_verifier": VERIFIER})
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        return answer

    async def seen_by_token(self, token: str, *context: str) -> dict[str, Any]:
        """Ask over HTTP with a token, and give the values by name."""
        body = {"version": "11.2", "modelname": "-", "context": list(context), "showcontexts": False}
        response = await self.site.http.post("/ask", json=body, headers={"Authorization": f"Bearer {token}"})
        assert response.status == 200
        return {one["Identifier"]: one["value"] for one in (await response.json())["val"]}

    async def refused_to(self, *context: str, app: str = "log") -> bool:
        """Tell whether the app may not ask there."""
        try:
            await self.seen(*context, app=app)
        except Refusal as refused:
            return refused.code is Code.PERMISSION_DENIED
        return False

    async def question_of(self, page: Page) -> Page:
        """Open the page of the same question once more."""
        return await self.alice.open(consent_path(page.value("request")))

    async def make_session_old(self) -> None:
        """Have alice's sign-in be an hour ago."""
        sessions, sid = self.site.authenticator.sessions, self.alice.cookies["__Host-llumsessionid"]
        session = await sessions.get_session(sid)
        assert session is not None
        await sessions.set_session(sid, msgspec.structs.replace(session, authenticated=session.authenticated - 3600))

    async def seen(self, *context: str, app: str = "log") -> dict[str, Any]:
        """Ask as the app, and give the values by name."""
        query = Ask(context=list(context))
        reply = await self.llum.requests.ask("alice", app, query)
        assert isinstance(reply, AskReply), reply
        return {one.path[-1]: one.value for one in reply.components}


def authorize_path(**parameters: str) -> str:
    """Give the address that an app leads a browser to. A parameter that is empty is left out."""
    given = {
        "response_type": "code",
        "client_id": "log",
        "redirect_uri": CALLBACK,
        "state": "a state",
        "scope": "ask:Sport",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    } | parameters
    return f"/authorize?{urlencode({name: value for name, value in given.items() if value})}"


def answer_of(page: Page) -> dict[str, str]:
    """Give what a client is told at its address."""
    address, _, query = page.location.partition("?")
    assert address == CALLBACK, page.location
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def is_of_llum(page: Page) -> bool:
    return answer_of(page)["iss"] == PUBLIC_URL


def fields_of(page: Page) -> dict[str, list[str]]:
    """Give the fields of the form of consent as they stand, but for the token."""
    form = page.raw[page.raw.index('class="stack consent"') :]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([a-z-]+)="([^"]*)"', tag)}
        is_chosen = attributes.get("type") not in ("radio", "checkbox") or " checked" in tag
        if is_chosen and attributes.get("name") not in (None, "csrf_token"):
            fields.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    for name, options in re.findall(r'<select[^>]* name="([^"]*)">(.*?)</select>', form, re.DOTALL):
        [value] = re.findall(r'value="([^"]*)" selected', options) or [""]
        fields[name] = [html.unescape(value)]
    return fields


def shown_values(page: Page) -> dict[str, str]:
    """Give the values that the page shows, by the names of their components."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page.raw, re.DOTALL)
    return {_text(name): _text(value) for name, value in found}


def _text(markup: str) -> str:
    without = re.sub(r'<span class="quiet small">.*?</span>', "", markup, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", without)).strip()


def words_of(page: Page) -> str:
    """Give what a page says, as people read it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page.raw)).split())
