"""An app with a good grant wants more, over HTTP: another person's model, more of Alice's, or what only an owner may.

Log llum may ask, tell and have rules in Alice's Sport. All else of hers, and all of Bob's, stays as it was.
"""

from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from identity.oauth.client import OAuthClient
from schemas.commands import MakeComponent, MakeContext, Tell
from schemas.definitions import ComponentDefinition
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.edge_http.all_routes import paths_of
from tests.edge_http.consent.asking import CALLBACK, VERIFIER, Scene, answer_of

SCOPE = "ask:Sport tell:Sport rules:Sport"
OTHER_CALLBACK = "https://log.example/other"
SECRET = "a secret of bob's"


class App(NamedTuple):
    """Log llum, let in by Alice, with what it tries."""

    scene: Scene
    tokens: dict[str, Any]

    async def call(self, op: str, token: str = "", **body: Any) -> tuple[int, str]:
        """Call an operation; give the status and all that was answered."""
        said = {"version": "11.2", "context": None, "view": None, "resolver": None, **body}
        bearer = {"Authorization": f"Bearer {token or self.tokens['access_token']}"}
        response = await self.scene.site.http.post(f"/{op}", json=said, headers=bearer)
        return response.status, await response.text()

    async def me(self, token: str, **headers: str) -> int:
        response = await self.scene.site.http.get("/me", headers={"Authorization": f"Bearer {token}", **headers})
        return response.status

    async def token(self, **form: str) -> tuple[int, dict[str, Any]]:
        response = await self.scene.site.http.post("/token", data={"client_id": "log", **form})
        return response.status, await response.json()

    async def redeem(self, code: str, **changes: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code}
        return await self.token(**form | changes)

    async def code(self, **asked: str) -> str:
        """Have Alice go on with what the app has already."""
        return answer_of(await self.scene.decides(await self.scene.question(scope=SCOPE, **asked)))["code"]


@pytest.fixture
async def app(scene: Scene) -> App:
    """Let Log llum in by Alice; Bob has a model, too, and not the app."""
    bob = scene.site.browser()
    await bob.sign_up("bob", await scene.site.reception.links.make("invite"))
    await scene.llum.do(MakeContext(id="b1", context=[], name="Sport"), "bob")
    component = ComponentDefinition(name="steps", value_type="JSON", description=SECRET)
    await scene.llum.do(MakeComponent(id="b2", context=["Sport"], component=component), "bob")
    code = answer_of(await scene.decides(await scene.question(scope=SCOPE)))["code"]
    return App(scene, await scene.redeems(code))


def rule(statement: str, *context: str, component: str) -> dict[str, Any]:
    return {"context": list(context), "componentid": component, "subscription": statement}


EVIDENCE = {"evidence_type": "explicit", "value": 666}
OWNERS: dict[str, dict[str, Any]] = {
    "listapps": {},
    "asked": {},
    "export_model": {},
    "import_model": {"partial_model": "{}"},
    "registerapp": {"app": "evil", "realm": "oauth"},
    "deleteapp": {"app": "llum"},
    "setpermission": {"app": "log", "context": [], "permissions": {"ask": True, "tell": True}},
    "forgetpart": {"context": ["Food"], "componentid": "apples"},
    "measurepart": {"context": ["Food"], "componentid": "apples"},
}
MORE: list[tuple[str, dict[str, Any]]] = [
    ("ask", {"context": ["Food"]}),
    ("ask", {"context": "Food/"}),
    ("ask", {"context": [], "view": [["Food", "apples"]]}),
    ("ask", {"context": ["Food"], "view": ["apples"], "held_at": 4e9}),
    ("ask", {"context": ["Food"], "resolver": {"evidence_filter": "all"}}),
    ("tell", {"context": ["Food"], "componentid": "apples", "evidence": EVIDENCE}),
    ("mkcomponent", {"context": ["Sport"], "componentobj": {"Identifier": "x", "component_type": "attribute"}}),
    ("mkcontext", {"context": ["Sport"], "contextobj": {"Identifier": "x"}}),
    ("mkview", {"context": ["Sport"], "viewobj": {"Identifier": "x", "component_list": [["Food", "apples"]]}}),
    ("delcomponent", {"context": ["Sport"], "componentid": "steps"}),
    ("delcontext", {"context": ["Food"]}),
    ("subscribe", rule("'' ~ '' : TELL ./Sport/weight, explicit:<./Food/apples>", "Food", component="apples")),
    *OWNERS.items(),
]


async def test_more_of_a_model_than_was_granted_is_to_be_had_by_no_call(app: App) -> None:
    """By context, path, view, time, rule or verb; nor by what only an owner's app may. Each is a plain refusal."""
    before = await app.scene.seen("Food", app="llum"), await app.scene.grant()
    for op, body in MORE:
        status, text = await app.call(op, **body)
        assert status == 403, (op, body, text)
        assert "apples" not in text or "apples" in str(body), (op, text)
    assert (await app.scene.seen("Food", app="llum"), await app.scene.grant()) == before


async def test_a_rule_does_what_its_app_may_do_and_no_more(app: App) -> None:
    """Where it may have one: neither what it reads nor what it tells is elsewhere, nor in another person's model."""
    llum = app.scene.llum
    for statement in (
        "'' ~ '' : TELL ./Food/apples, explicit:666",
        "'' ~ '' : TELL ./Sport/weight, explicit:<./Food/apples>",
        "'' ~ '' : TELL bob/Sport/steps, explicit:666",
        "'' ~ '' : TELL ./Sport/weight, explicit:<bob/Sport/steps>",
    ):
        await app.call("subscribe", **rule(statement, "Sport", component="steps"))
    evidence = NewEvidence(value=1)
    await llum.settled(Tell(id=llum.next_id(), context=["Sport"], component="steps", evidence=evidence))
    assert await app.scene.seen("Food", app="llum") == {"apples": 3}
    assert await app.scene.seen("Sport", app="llum") == {"steps": 1, "weight": None}
    reply = await llum.requests.ask("bob", "llum", Ask(context=["Sport"]))
    assert isinstance(reply, AskReply)
    assert [one.value for one in reply.components] == [None]


@pytest.mark.parametrize(
    "place", [["Sport", "..", "Food"], "Sport/../Food", "Sport/%2e%2e/Food", "../bob/Sport", "/bob/Sport", "Sport\x00"]
)
async def test_a_path_leads_nowhere_but_down(app: App, place: Any) -> None:
    """What is no place of what was granted is refused, whatever it might have meant."""
    for op, more in (("ask", {}), ("tell", {"componentid": "steps", "evidence": EVIDENCE})):
        status, text = await app.call(op, context=place, **more)
        assert status in (400, 403) or '"result":"error"' in text.replace(" ", ""), (op, text)
        assert SECRET not in text
        assert '"value":3' not in text


async def test_another_person_s_model_is_reached_by_no_name_and_no_cookie(app: App) -> None:
    """Whichever model the call names; a token is no cookie; and nobody's cookie makes a token worth more."""
    told = {"componentid": "steps", "evidence": EVIDENCE}
    for op, more in [("ask", {}), ("tell", told), *OWNERS.items()]:
        status, text = await app.call(op, **{"context": ["Sport"], **more, "modelname": "bob"})
        assert status in (401, 403), (op, text)
        assert SECRET not in text
    token = app.tokens["access_token"]
    for name in ("__Host-llumsessionid", "llumsessionid"):
        cookie = SimpleCookie({name: token})
        response = await app.scene.site.http.get("/me", headers={"Cookie": f"{name}={cookie[name].coded_value}"})
        assert (await response.json()).get("user") is None
    assert await app.scene.seen("Sport", app="llum") == {"steps": 4200, "weight": None}


async def test_pages_of_people_take_no_token(app: App) -> None:
    """An app neither sees its owner's pages nor sends their forms, so it decides and previews nothing by them."""
    before = await app.scene.grant()
    bearer = {"Authorization": f"Bearer {app.tokens['access_token']}", "Accept": "application/json"}
    http = app.scene.site.http
    for path in ("/list_apps", "/list_apps/log", "/check", "/check.json?app=log", "/list_clients_json", "/account"):
        response = await http.get(path, headers=bearer, allow_redirects=False)
        assert response.status in (401, 403), path
    posted = [
        path
        for path in paths_of("POST")
        if path.startswith(("/allow", "/dis", "/consent", "/list_apps", "/list_clients"))
    ]
    posted += ["/device", "/device/confirm"]
    assert {"/allow", "/consent", "/list_apps_save"} <= set(posted)
    for path in posted:
        response = await http.post(path, data={"id": "change", "value": "log"}, headers=bearer, allow_redirects=False)
        assert response.status in (400, 401, 403), path
    assert await app.scene.grant() == before


async def test_each_sort_of_token_opens_its_own_door_alone(app: App) -> None:
    """No refresh token or code is a bearer, no access token refreshes, no token is redeemed as a code."""
    access, refresh, code = app.tokens["access_token"], app.tokens["refresh_token"], await app.code()
    device = await app.scene.site.http.post("/device_authorization", data={"client_id": "log", "scope": "ask:Sport"})
    device_code = (await device.json())["device_code"]
    for wrong in (refresh, code, device_code, refresh.replace("llumr_", "llum_"), code.replace("llumc_", "llum_")):
        assert await app.me(wrong) == 401
    for wrong in (access, code, device_code, access.replace("llum_", "llumr_")):
        status, body = await app.token(grant_type="refresh_token", refresh_token=wrong)
        assert (status, body["error"]) == (400, "invalid_grant")
    for wrong in (access, refresh, device_code):
        status, body = await app.redeem(wrong)
        assert (status, body["error"]) == (400, "invalid_grant")
    for wrong in (access, refresh, code):
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        status, body = await app.token(grant_type=grant, device_code=wrong)
        assert (status, body["error"]) == (400, "invalid_grant")
    assert await app.me(access) == 200
    assert (await app.redeem(code))[0] == 200


async def test_nothing_that_a_program_sends_widens_what_a_token_opens(app: App) -> None:
    """A wider scope, slices, another person or client, at a redemption, at a refresh, by a short code."""
    wider = '[{"type": "llum_model", "paths": [""], "actions": ["ask", "tell"]}]'
    more = {"scope": "model owner", "authorization_details": wider, "username": "bob", "user": "bob", "sub": "bob"}
    _, again = await app.redeem(await app.code(), **more)
    _, refreshed = await app.token(grant_type="refresh_token", refresh_token=again["refresh_token"], **more)
    begun = await app.scene.site.http.post("/device_authorization", data={"client_id": "log", **more})
    assert (await begun.json())["error"] == "invalid_scope", "the scope owner is not for this client"
    for tokens in (again, refreshed):
        assert tokens["scope"] == SCOPE
        assert (await app.call("ask", tokens["access_token"], context=["Food"]))[0] == 403
        assert (await app.call("ask", tokens["access_token"], context=["Sport"], modelname="bob"))[0] in (401, 403)
    data = {"client_id": "log", "scope": "model"}
    waiting = await (await app.scene.site.http.post("/device_authorization", data=data)).json()
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    status, body = await app.token(grant_type=grant, device_code=waiting["device_code"])
    assert (status, body["error"]) == (400, "authorization_pending"), "though the app is let in already"


async def test_a_code_is_for_the_address_that_it_was_sent_to(app: App) -> None:
    """Not for another one of the same client, nor for one left out, nor for a client that somebody else has made."""
    await app.scene.add(OAuthClient(id="log", name="Log llum", redirect_uris=[CALLBACK, OTHER_CALLBACK]))
    await app.scene.add(OAuthClient(id="evil", name="Evil", redirect_uris=[CALLBACK]))
    code = await app.code()
    for changes in (
        {"redirect_uri": OTHER_CALLBACK},
        {"redirect_uri": ""},
        {"client_id": "evil"},
        {"code_verifier": create_s256_code_challenge(VERIFIER)},
    ):
        status, body = await app.redeem(code, **changes)
        assert (status, body["error"]) == (400, "invalid_grant"), changes
    assert (await app.redeem(code))[0] == 200
    asked = await app.scene.asks(redirect_uri="https://log.example/third")
    assert asked.status == 400
    assert "Location" not in asked.headers
