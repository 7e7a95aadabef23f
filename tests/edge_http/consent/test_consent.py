"""The page of consent: what it shows is what the app gets, and what the person decides is kept."""

from typing import Any

import pytest

from identity.oauth.client import OAuthClient
from schemas.commands import MakeView, SetPermission
from schemas.definitions import ViewDefinition
from schemas.errors import Code, Refusal
from schemas.queries import PreviewGrant
from schemas.scopes import format_details
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import PUBLIC_URL
from tests.edge_http.consent.asking import CALLBACK, Scene, answer_of, fields_of, is_of_llum, shown_values, words_of


def details(*slices: Slice) -> str:
    return format_details(slices)


async def test_what_the_page_shows_is_what_the_app_then_gets(scene: Scene) -> None:
    """The real values, by the same door, with nothing told in between."""
    page = await scene.question(scope="ask:Sport")
    assert shown_values(page) == {"steps": "4200", "weight": "nothing yet", "pace": "5:30"}
    answer = answer_of(await scene.decides(page))
    assert answer["code"]
    assert answer["state"] == "a state"
    assert await scene.seen("Sport") == {"steps": 4200, "weight": None}
    assert await scene.seen("Sport", "Running") == {"pace": "5:30"}
    assert await scene.refused_to("Food")


async def test_the_token_yields_what_the_page_has_shown(scene: Scene) -> None:
    """Over HTTP, narrowed, with nothing told in between; and the token response says what was granted."""
    page = await scene.question(scope="ask:Sport ask:Food tell:Food")
    page = await scene.decides(page, "/consent", what_0="refuse", limit_1="resolver:default")
    assert shown_values(page) == {"apples": "3"}
    tokens = await scene.redeems(answer_of(await scene.decides(page))["code"])
    assert await scene.seen_by_token(tokens["access_token"], "Food") == {"apples": 3}
    assert tokens["scope"] == "ask:Food tell:Food"
    [granted] = tokens["authorization_details"]
    assert (granted["paths"], granted["resolver"]) == (["Food"], "default")


async def test_from_now_on_shows_nothing_and_gives_nothing(scene: Scene) -> None:
    """Until something is told: it begins at the moment of the page."""
    page = await scene.question(scope="ask:Food")
    page = await scene.decides(page, "/consent", from_now_0="1")
    assert shown_values(page) == {"apples": "nothing yet"}
    assert answer_of(await scene.decides(page))["code"]
    assert await scene.seen("Food") == {"apples": None}
    await scene.tell("Food", "apples", 4)
    assert await scene.seen("Food") == {"apples": 4}


async def test_narrowed_by_a_view_the_app_gets_the_view(scene: Scene) -> None:
    """The page shows it with the button, and without it once more before anything is allowed."""
    view = MakeView(id=scene.llum.next_id(), context=["Sport"], view=ViewDefinition(name="walk", components=["steps"]))
    await scene.llum.do(view)
    page = await scene.question(scope="ask:Sport")
    assert "Only the view “walk”: steps" in page.text
    again = await scene.decides(page, limit_0="view:walk")
    assert again.status == 200
    assert "Please look once more" in again.text
    assert "weight" not in shown_values(again)
    assert answer_of(await scene.decides(again))["code"]
    assert "weight" not in await scene.seen("Sport")


async def test_only_the_value_gives_no_evidence(scene: Scene) -> None:
    """The value is the same; what it is made of stays with the person."""
    page = await scene.question(scope="ask:Food")
    page = await scene.decides(page, "/consent", limit_0="resolver:default")
    assert shown_values(page) == {"apples": "3"}
    await scene.decides(page)
    assert await scene.seen("Food") == {"apples": 3}
    grant = await scene.grant()
    assert grant is not None
    assert grant.slices[0].resolver == "default"


async def test_each_slice_is_decided_by_itself(scene: Scene) -> None:
    """What is refused is kept, with what was allowed, by whom and until when."""
    page = await scene.question(scope="ask:Sport tell:Food make:Food")
    page = await scene.decides(page, what_0="refuse", actions_1=["tell"], until_1="today")
    assert answer_of(page)["code"]
    grant = await scene.grant()
    assert grant is not None
    assert [(one.paths, one.actions) for one in grant.slices] == [(["Food"], ["tell"])]
    [decision] = grant.decisions
    assert (decision.decision, decision.name, decision.host) == ("allowed", "Log llum", "log.example")
    assert [one.paths for one in decision.refused] == [["Sport"]]
    assert decision.until is not None
    assert decision.how.startswith("password, ")


async def test_a_whole_refusal_is_kept_and_told_the_client(scene: Scene) -> None:
    """By either spelling of the original's address."""
    for path in ("/dissallow", "/disallow"):
        answer = await scene.decides(await scene.question(), path)
        assert answer_of(answer)["error"] == "access_denied"
        assert is_of_llum(answer)
    grant = await scene.grant()
    assert grant is not None
    assert [one.decision for one in grant.decisions] == ["refused", "refused"]
    assert grant.registration is None


async def test_all_slices_refused_is_a_refusal(scene: Scene) -> None:
    """Whichever button is pressed."""
    page = await scene.decides(await scene.question(), what_0="refuse")
    assert answer_of(page)["error"] == "access_denied"


async def test_what_an_app_has_already_is_not_asked_again(scene: Scene) -> None:
    """The person goes on by one button; nothing new is decided."""
    await scene.decides(await scene.question(scope="ask:Sport"))
    page = await scene.question(scope="ask:Sport")
    assert "Log llum has what it asks for" in page.text
    assert shown_values(page)["steps"] == "4200"
    assert answer_of(await scene.decides(page))["code"]
    grant = await scene.grant()
    assert grant is not None
    assert len(grant.decisions) == 1


async def test_an_app_that_asks_for_more_keeps_what_it_has(scene: Scene) -> None:
    """It sends the person with the slice that was missing."""
    await scene.decides(await scene.question(scope="ask:Sport"))
    missing = Slice(paths=["Food"], actions=["ask"], purpose="to count apples")
    page = await scene.question(scope="", authorization_details=details(missing))
    assert "“to count apples”" in page.text
    assert "What it may do already" in page.text
    await scene.decides(page)
    assert await scene.seen("Food") == {"apples": 3}
    assert (await scene.seen("Sport"))["steps"] == 4200


async def test_what_the_person_has_narrowed_stays_so_unless_they_say_otherwise(scene: Scene) -> None:
    """Else each sign-in of the app would undo it by a click."""
    page = await scene.decides(await scene.question(scope="ask:Food"), "/consent", from_now_0="1")
    await scene.decides(page)
    page = await scene.question(scope="ask:Food")
    assert fields_of(page)["what-0"] == ["keep"]
    assert answer_of(await scene.decides(page))["code"]
    assert await scene.seen("Food") == {"apples": None}
    page = await scene.decides(await scene.question(scope="ask:Food"), "/consent", what_0="allow")
    assert shown_values(page) == {"apples": "3"}
    await scene.decides(page)
    assert await scene.seen("Food") == {"apples": 3}


async def test_a_place_that_is_not_there_yet_is_said(scene: Scene) -> None:
    """And that the app may make it."""
    page = await scene.question(scope="tell:Apps/Logging make:Apps/Logging")
    assert "There is no Apps / Logging yet: Log llum may make it." in page.text


async def test_20_the_page_names_the_client_and_where_it_leads(scene: Scene) -> None:
    """In nobody's frame; its form leads to llum and that host alone, and its address is told to nobody."""
    page = await scene.question()
    for text in ("Log llum", "From log.example", "You go back to log.example", "You are alice"):
        assert text in words_of(page)
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://log.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]


async def test_20_consent_is_a_form_with_a_token_of_this_session(scene: Scene) -> None:
    """A GET decides nothing; a form without the token, with another's, or of another site is refused."""
    page = await scene.question()
    for path in ("/allow", "/dissallow", "/disallow"):
        assert (await scene.alice.open(path)).status in (404, 405)
        assert (await scene.decides(page, path, csrf_token="")).status == 403
        assert (await scene.decides(page, path, csrf_token="0" * 32)).status == 403
    foreign = await scene.alice.post(
        "/allow", data={"csrf_token": page.value("csrf_token")}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status == 403
    assert await scene.grant() is None


async def test_what_alice_was_shown_bob_does_not_decide(scene: Scene) -> None:
    """His own page is shown to him first; her form, with her token, is worth nothing in his session."""
    page = await scene.question()
    bob = scene.site.browser()
    await bob.sign_up("bob", await scene.site.reception.links.make("invite"))
    assert (await scene.decides(page, browser=bob)).status == 403
    own = await bob.open("/account")
    seen = await scene.decides(page, browser=bob, csrf_token=own.value("csrf_token"))
    assert seen.status == 200, "with a token of his own he sees the page as it is for him"
    assert "You are bob" in words_of(seen)
    assert await scene.grant() is None


async def test_a_form_counts_once(scene: Scene) -> None:
    """Who clicks twice comes to the same place, with the same code; and only one decision is kept."""
    page = await scene.question()
    first, second = answer_of(await scene.decides(page)), answer_of(await scene.decides(page))
    assert first == second
    grant = await scene.grant()
    assert grant is not None
    assert len(grant.decisions) == 1


async def test_a_form_is_worth_nothing_later(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its page nor the form: what was decided may have been taken back since."""
    address = (await scene.asks()).location
    page = await scene.alice.open(address)
    await scene.decides(page)
    monkeypatch.setattr("edge_http.consent.deciding.AGAIN_WITHIN_S", -1.0)
    for answer in (await scene.decides(page), await scene.decides(page, "/dissallow"), await scene.alice.open(address)):
        assert answer.status == 404
        assert "There is nothing to decide any more" in answer.text


TAMPERED: tuple[dict[str, Any], ...] = (
    {"actions_0": ["ask", "tell", "make", "delete", "rules", "notify"]},
    {"what_1": "allow", "actions_1": ["ask"]},
    {"scope": "model"},
    {"paths_0": ""},
    {"since_0": "0", "expires_0": "0"},
    {"role": "owner", "owner": "1"},
    {"client_id": "evil", "redirect_uri": "https://evil.example/"},
)


async def test_no_changed_form_gives_more_than_was_asked_for(scene: Scene) -> None:
    """What was asked for is kept by llum, not by the page."""
    for tampered in TAMPERED:
        answer = await scene.decides(await scene.question(scope="ask:Sport"), **tampered)
        assert answer_of(answer)["code"], tampered
        grant = await scene.grant()
        assert grant is not None
        assert [(one.paths, one.actions) for one in grant.slices] == [(["Sport"], ["ask"])], tampered
        assert grant.role == "app"


async def test_a_client_that_has_changed_meanwhile_gets_nothing(scene: Scene) -> None:
    """Its address was taken away, or itself: the browser is led nowhere."""
    page = await scene.question()
    await scene.add(OAuthClient(id="log", name="Log llum", redirect_uris=["https://other.example/back"]))
    answer = await scene.decides(page)
    assert answer.status == 400
    assert "Location" not in answer.headers
    await scene.site.authenticator.clients.delete("log")
    assert (await scene.decides(page)).status == 404
    assert await scene.grant() is None


async def test_whoever_may_own_asks_in_red_and_after_a_fresh_sign_in(scene: Scene) -> None:
    """Only a client that an administrator has marked, and only a person who has just signed in."""
    await scene.add(OAuthClient(id="tool", name="A tool", redirect_uris=[CALLBACK], may_own=True))
    page = await scene.question(client_id="tool", scope="owner")
    assert "It would own your model" in page.text
    assert answer_of(await scene.decides(page))["code"]
    grant = await scene.grant("tool")
    assert grant is not None
    assert grant.role == "owner"
    assert "It owns your model already" in (await scene.question(client_id="tool", scope="ask:Food")).text


async def test_a_session_that_is_old_signs_in_anew_before_it_makes_an_owner(scene: Scene) -> None:
    """On the page as in the form: the browser may have been left open."""
    await scene.add(OAuthClient(id="tool", name="A tool", redirect_uris=[CALLBACK], may_own=True))
    page = await scene.question(client_id="tool", scope="owner")
    await scene.make_session_old()
    assert (await scene.decides(page)).location.startswith("/sign-in?then=%2Fconsent")
    assert (await scene.question_of(page)).location.startswith("/sign-in?then=%2Fconsent")
    assert await scene.grant("tool") is None


async def test_a_guest_signs_up_first(scene: Scene) -> None:
    """What a temporary user allows would be forgotten with them."""
    guest = scene.site.browser()
    await guest.send(await guest.open("/sign-in"), "/try")
    assert (await guest.whoami() or "").startswith("guest-")
    page = await guest.open((await scene.asks(guest)).location)
    assert page.location.startswith("/sign-up?then=%2Fconsent")


async def test_an_app_cannot_ask_what_a_grant_would_show(scene: Scene) -> None:
    """Only the owner's session does, whatever the app may do."""
    await scene.decides(await scene.question(scope="model"))
    with pytest.raises(Refusal) as refused:
        await scene.llum.requests.ask("alice", "log", PreviewGrant(app="log"))
    assert refused.value.code is Code.PERMISSION_DENIED


async def test_names_of_others_are_flagged(scene: Scene) -> None:
    """On the page, in words."""
    await scene.add(OAuthClient(id="evil", name="Log IIum", redirect_uris=[CALLBACK], made_by="registration"))
    page = await scene.question(client_id="evil")
    assert "Its name looks like that of another app here: Log llum" in page.text
    assert "It has registered itself" in page.text


async def test_what_is_refused_stays_out_of_what_is_allowed_around_it(scene: Scene) -> None:
    """The page shows it so before anything is allowed, the app gets no more, and the whole grant says so."""
    page = await scene.question(scope="ask:Sport tell:Sport ask:Sport/Running")
    assert shown_values(page)["pace"] == "5:30"
    again = await scene.decides(page, what_1="refuse")
    assert again.status == 200
    assert shown_values(again) == {"steps": "4200", "weight": "nothing yet"}
    assert answer_of(await scene.decides(again))["code"]
    assert await scene.seen("Sport") == {"steps": 4200, "weight": None}
    assert await scene.refused_to("Sport", "Running")
    grant = await scene.grant()
    assert grant is not None
    assert [(one.paths, one.actions, one.denied) for one in grant.slices] == [
        (["Sport"], ["ask", "tell"], []),
        (["Sport/Running"], [], ["ask"]),
    ]


async def test_an_end_that_would_be_none_is_not_allowed(scene: Scene) -> None:
    """The whole would go on to give the part. The page says so, stores nothing, and takes one end for both."""
    page = await scene.question(scope="ask: ask:Food")
    assert "It would not end" not in page.text
    for address in ("/consent", "/allow"):
        page = await scene.decides(page, address, limit_1="resolver:default", until_1="today")
        assert page.status == 200
        assert "What you choose for Food would end, and it would go on all the same" in page.text
    assert await scene.grant() is None
    page = await scene.decides(page, until_0="today")
    assert answer_of(page)["code"]
    grant = await scene.grant()
    assert grant is not None
    assert len({one.expires for one in grant.slices}) == 1


async def test_tokens_for_another_server_are_said_to_be_so(scene: Scene) -> None:
    """With them it can ask who the person is: they must know. Of tokens for llum there is nothing to say."""
    audience = "https://files.example/api"
    server = OAuthClient(id="files", name="Files", kind="confidential", audience=audience)
    await scene.add(server)
    page = words_of(await scene.question(resource=audience))
    assert "The tokens are for files.example" in page
    assert "files.example can ask llum who you are, and what you allow Log llum in your model" in page
    for resource in ("", PUBLIC_URL):
        assert "The tokens are for" not in words_of(await scene.question(resource=resource))


async def test_a_right_of_the_whole_model_is_no_owners(scene: Scene) -> None:
    """`model` is every verb, everywhere, and nothing that only an owner does."""
    await scene.decides(await scene.question(scope="model"))
    assert (await scene.seen("Food")) == {"apples": 3}
    command = SetPermission(id=scene.llum.next_id(), app="log", context=[], ask=True)
    refused = await scene.llum.refused(command, app="log")
    assert refused.error.code == "permission_denied"
