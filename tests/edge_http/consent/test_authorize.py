"""What a client may ask for at /authorize, and where a browser is led then."""

import json
from typing import Any

from identity.oauth.client import OAuthClient
from tests.edge_http.consent.asking import CALLBACK, Scene, answer_of, authorize_path, is_of_llum

OLD = OAuthClient(id="old", name="Old llum", redirect_uris=[CALLBACK], legacy=True)


async def test_a_client_leads_a_person_to_the_page_of_consent(scene: Scene) -> None:
    """At an address that tells nobody what was asked."""
    page = await scene.asks()
    assert page.location.startswith("/consent?request=")
    assert "log" not in page.location


STRANGERS = (
    {"client_id": "nobody"},
    {"client_id": ""},
    {"client_id": "a'\"b"},
    {"client_id": "l\u00f6g"},
    {"redirect_uri": ""},
    {"redirect_uri": "https://evil.example/back"},
    {"redirect_uri": f"{CALLBACK}/"},
    {"redirect_uri": f"{CALLBACK}?x=1"},
    {"redirect_uri": "https://log.example/b\u00e4ck"},
    {"redirect_uri": 'https://log.example/"back'},
    {"redirect_uri": "javascript:alert(1)"},
)


async def test_02_whoever_is_not_known_gets_a_page_and_no_redirect(scene: Scene) -> None:
    """Neither an unknown client nor an address that is not exactly its own leads a browser anywhere."""
    for wrong in STRANGERS:
        page = await scene.asks(**wrong)
        assert 400 <= page.status < 500, wrong
        assert "Location" not in page.headers, wrong
        assert "Letting an app in" in page.text, wrong


async def test_02_what_is_there_twice_leads_nowhere(scene: Scene) -> None:
    """Of two clients or addresses nobody knows which is meant."""
    for more in ("&client_id=log", f"&redirect_uri={CALLBACK}"):
        page = await scene.alice.open(authorize_path() + more)
        assert 400 <= page.status < 500
        assert "Location" not in page.headers


UNPROVEN = (
    {"code_challenge": "", "code_challenge_method": ""},
    {"code_challenge": ""},
    {"code_challenge_method": ""},
    {"code_challenge_method": "plain"},
    {"code_challenge": "short"},
)


async def test_03_without_an_s256_challenge_nobody_gets_a_code(scene: Scene) -> None:
    """Not even a client that has a secret."""
    await scene.add(OAuthClient(id="other", name="Other", redirect_uris=[CALLBACK], kind="confidential"))
    for client in ("log", "other"):
        for wrong in UNPROVEN:
            page = await scene.asks(client_id=client, **wrong)
            assert answer_of(page)["error"] == "invalid_request", (client, wrong)


async def test_03_old_clients_may_leave_it_out_but_not_do_it_badly(scene: Scene) -> None:
    """Those of the original know no challenge; one that sends a challenge sends a good one."""
    await scene.add(OLD)
    without = await scene.asks(client_id="old", code_challenge="", code_challenge_method="")
    assert without.location.startswith("/consent?")
    plain = await scene.asks(client_id="old", code_challenge_method="plain")
    assert answer_of(plain)["error"] == "invalid_request"


async def test_an_old_client_asks_as_the_original_took_it(scene: Scene) -> None:
    """With the scope of the original, no state and no challenge: that means the whole model."""
    await scene.add(OLD)
    scope = "https://www.personis.info/auth/model"
    page = await scene.question(
        client_id="old", scope=scope, state="", code_challenge="", code_challenge_method="", access_type="offline"
    )
    assert page.status == 200
    assert "Your whole model" in page.text
    assert "It is an old app" in page.text


async def test_08_only_codes_are_given(scene: Scene) -> None:
    """A token never stands in an address."""
    for kind in ("token", "code token", "id_token", "none"):
        assert answer_of(await scene.asks(response_type=kind))["error"] == "unsupported_response_type", kind


NO_SUCH_ACTION = '[{"type":"llum_model","paths":["a"],"actions":["x"]}]'

BAD_SLICES: tuple[dict[str, Any], ...] = (
    {"past": -1},
    {"past": 1e18},
    {"since": 1e18},
    {"expires": 5},
    {"filters": ["nonsense"]},
    {"resolver": "x" * 300},
    {"resolvers": [""]},
    {"purpose": "x" * 5000},
    {"whose_rules": "bob", "actions": ["ask", "make"]},
)


async def test_a_slice_that_no_model_takes_is_told_the_client(scene: Scene) -> None:
    """Whoever decides could do nothing about it. So is one who asks by a short code."""
    for members in BAD_SLICES:
        details = json.dumps([{"type": "llum_model", "paths": ["Food"], "actions": ["ask"]} | members])
        answer = answer_of(await scene.asks(scope="", authorization_details=details))
        assert answer["error"] == "invalid_authorization_details", members
        sent = {"client_id": "log", "authorization_details": details}
        response = await scene.site.http.post("/device_authorization", data=sent)
        assert (response.status, (await response.json())["error"]) == (400, "invalid_scope"), members


MISTAKES: tuple[tuple[dict[str, str], str], ...] = (
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "c\u00f6de"}, "invalid_request"),
    ({"scope": "everything"}, "invalid_scope"),
    ({"scope": ""}, "invalid_scope"),
    ({"scope": "ask:a\u00e4"}, "invalid_request"),
    ({"scope": "owner"}, "invalid_scope"),
    ({"authorization_details": "{"}, "invalid_authorization_details"),
    ({"authorization_details": '[{"type":"payment"}]'}, "invalid_authorization_details"),
    ({"authorization_details": NO_SUCH_ACTION}, "invalid_authorization_details"),
    ({"resource": "https://elsewhere.example/"}, "invalid_target"),
)


async def test_10_an_error_names_who_answers(scene: Scene) -> None:
    """With the client's state, so that it knows whose error it is (RFC 9207)."""
    for wrong, error in MISTAKES:
        page = await scene.asks(**wrong)
        answer = answer_of(page)
        assert (answer["error"], answer["state"]) == (error, "a state"), wrong
        assert is_of_llum(page)
        assert answer["error_description"].isascii()


async def test_10_a_state_with_odd_characters_is_not_repeated(scene: Scene) -> None:
    """What cannot be a state is no text of ours either."""
    answer = answer_of(await scene.asks(state="a\u2028b"))
    assert answer["error"] == "invalid_request"
    assert "state" not in answer


async def test_22_a_client_that_has_registered_itself_leads_nobody_away(scene: Scene) -> None:
    """Else anybody could register an address, and have llum lead people there with a request that is wrong."""
    await scene.add(OAuthClient(id="own", name="Mine", redirect_uris=["https://evil.example/"], made_by="registration"))
    page = await scene.asks(client_id="own", redirect_uri="https://evil.example/", scope="everything")
    assert page.status == 400
    assert "Location" not in page.headers
    assert "You would leave llum" in page.text


async def test_24_what_is_there_twice_is_refused(scene: Scene) -> None:
    """Llum and what stands before it might take different ones."""
    for name in ("response_type", "scope", "state", "code_challenge", "authorization_details"):
        page = await scene.alice.open(f"{authorize_path(authorization_details='[]')}&{name}=code")
        assert answer_of(page)["error"] == "invalid_request", name
        assert is_of_llum(page)


ODD = ("", "%", "client_id=%ff", "client_id=log&redirect_uri=%ff", "&" * 300, "client_id=log&" + "a=b&" * 100)


async def test_whatever_comes_is_no_fault(scene: Scene) -> None:
    """Odd bytes, too much, or nothing: a page that says so."""
    for query in ODD:
        page = await scene.alice.open(f"/authorize?{query}")
        assert 400 <= page.status < 500, query


async def test_a_loopback_address_may_have_any_port(scene: Scene) -> None:
    """A program on the person's own machine takes the port that is free."""
    await scene.add(OAuthClient(id="cli", name="A command line", redirect_uris=["http://127.0.0.1/back"]))
    page = await scene.asks(client_id="cli", redirect_uri="http://127.0.0.1:43117/back")
    assert page.location.startswith("/consent?")
    page = await scene.asks(client_id="cli", redirect_uri="http://127.0.0.1:43117/elsewhere")
    assert "Location" not in page.headers


async def test_whoever_is_not_signed_in_comes_back_to_the_same_question(scene: Scene) -> None:
    """With all that was asked: the question is kept by llum, not by the address."""
    await scene.alice.open("/")
    visitor = scene.site.browser()
    question = (await scene.asks(visitor)).location
    page = await visitor.open(question)
    assert page.location.startswith("/sign-in?then=%2Fconsent")
    page = await visitor.open(page.location)
    assert "/sign-up?then=%2Fconsent" in page.text
    page = await visitor.send(
        page, "/sign-in", way="password", user="alice", password="staple battery correct", then=page.value("then")
    )
    assert page.location == question
    assert "Log llum" in (await visitor.open(question)).text


async def test_whoever_signs_up_comes_back_too(scene: Scene) -> None:
    """Past the welcome, and past the recovery codes."""
    visitor = scene.site.browser()
    question = (await scene.asks(visitor)).location
    link = await scene.site.reception.links.make("invite")
    page = await visitor.open(f"/sign-up?link={link}&then={question.replace('?', '%3F').replace('=', '%3D')}")
    fields = {"user": "bob", "link": link, "then": page.value("then")}
    page = await visitor.send(page, "/sign-up", **fields)
    page = await visitor.send(page, "/sign-up", way="password", password="staple battery correct", **fields)
    welcome = await visitor.open(page.location)
    assert f'href="{question}"' in welcome.text
    codes = await visitor.send(welcome, "/account/recovery-codes", then=welcome.value("then"))
    assert f'href="{question}"' in codes.text


async def test_addresses_of_the_original_lead_to_what_there_is_today(scene: Scene) -> None:
    """Bookmarks, and what an issuer once knew."""
    for old, new in (("/login", "/sign-in"), ("/logged_in?code=x&state=y", "/")):
        assert (await scene.alice.open(old)).location == new
