"""An app that is refused learns what it lacks; the person sees what it would get, and it gets exactly that."""

from typing import Any

from schemas.commands import RegisterApp
from schemas.granting import PreviewGrantReply
from schemas.grants import Consent
from schemas.queries import Asked, PreviewGrant
from schemas.replies import Accepted
from schemas.slices import Slice

from .conftest import REDIRECT, Town


async def ask(town: Town, token: str, **more: Any) -> tuple[int, dict[str, Any], str]:
    """Ask as the app; give the status, the body and the challenge."""
    body = {"version": "11.2", "context": ["c"], "view": None, "resolver": None, **more}
    response = await town.http.post("/ask", json=body, headers={"Authorization": f"Bearer {token}"})
    return response.status, await response.json(), response.headers.get("WWW-Authenticate", "")


async def test_18_what_was_missing_is_granted_and_gives_what_the_preview_has_shown(town: Town) -> None:
    """By the same token: no new one is needed. Sign-in, refusal and decision stand in the record at once."""
    llum = town.llum
    await llum.requests.send("alice", "llum", RegisterApp(id="newcomer", app="newcomer"))
    await town.add("newcomer", "public", redirect_uris=[REDIRECT])
    tokens = await town.signed_in("newcomer")
    status, body, challenge = await ask(town, tokens["access_token"])
    assert (status, body["error"]["missing"]["paths"]) == (403, ["c"])
    assert 'scope="ask:c"' in challenge
    missing = Slice(paths=body["error"]["missing"]["paths"], actions=body["error"]["missing"]["actions"])
    shown = await llum.requests.ask("alice", "llum", PreviewGrant(app="newcomer", granted=[missing]))
    assert isinstance(shown, PreviewGrantReply)
    consent = Consent(id="yes", app="newcomer", decision="allowed", granted=[missing])
    assert isinstance(await llum.requests.send("alice", "llum", consent), Accepted)
    status, body, _ = await ask(town, tokens["access_token"])
    assert (status, body["result"]) == (200, "ok")
    (previewed,) = shown.asks
    assert [one["value"] for one in body["val"]] == [one.value for one in previewed.components]
    record = await llum.requests.ask("alice", "llum", Asked(app="newcomer"))
    done = [(one.verb, one.code) for one in record.rows]  # type: ignore[union-attr]
    assert set(done) >= {("app_signed_in", None), ("ask", "permission_denied"), ("consent_allowed", None)}
