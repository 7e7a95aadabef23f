"""Signing in and coming back, on pages."""

from urllib.parse import urlencode

import pytest

from identity.accounts.events import events_of
from identity.throttle import ATTEMPTS
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.walking import GOOD, Page, Walker
from tests.identity.accounts.authenticator import Authenticator

TLS = {"origin": "https://llum.example", "host": "llum.example"}


@pytest.fixture
async def alice(site: Site) -> Walker:
    """Alice's browser: she has signed up with a password."""
    browser = site.browser()
    await browser.sign_up("alice", await site.reception.links.make("first"))
    return browser


async def codes_of(browser: Walker) -> list[str]:
    import re

    shown = await browser.send(await browser.open("/account"), "/account/recovery-codes")
    return re.findall(r"<code>([a-z0-9-]{19})</code>", shown.raw)


def what_is_said(page: Page, typed: str) -> tuple[int, str]:
    """Give all that a page says, without tokens and what was typed."""
    import re

    text = re.sub(r'value="[^"]*"|data-options="[^"]*"', "", page.raw)
    return page.status, text.replace(typed, "")


async def test_the_same_is_said_whether_there_is_such_an_account(site: Site, alice: Walker) -> None:
    """Login enumeration: a wrong password, no account, an account without a password."""
    await site.browser().sign_up_with_passkey("carol", Authenticator(**TLS))
    said = {
        what_is_said(await site.browser().sign_in(user, "wrong one"), user) for user in ("alice", "nobody", "carol")
    }
    assert len(said) == 1
    assert said.pop()[0] == 401
    for path in ("/sign-in/recovery-code",):
        said = set()
        for user in ("alice", "nobody", "carol"):
            browser = site.browser()
            page = await browser.open(path)
            said.add(what_is_said(await browser.send(page, path, user=user, code="aaaa-aaaa-aaaa-aaaa"), user))
        assert len(said) == 1


async def test_what_was_typed_is_kept_but_for_the_password(site: Site, alice: Walker) -> None:
    """And where the person wanted to go."""
    page = await site.browser().sign_in("alice", "wrong secret", then="/sessions")
    assert (page.value("user"), page.value("then")) == ("alice", "/sessions")
    assert "wrong secret" not in page.text
    assert "The name or the password is wrong" in page.text


async def test_guessing_is_limited(site: Site, alice: Walker) -> None:
    """429 with the time to wait, the same for an account that is not there; who is signed in goes on."""
    for user in ("alice", "nobody"):
        for _ in range(ATTEMPTS):
            assert (await site.browser().sign_in(user, "wrong one")).status == 401
        limited = await site.browser().sign_in(user, GOOD)
        assert limited.status == 429
        assert int(limited.headers["Retry-After"]) > 0
    assert (await alice.sign_in("alice")).location


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_22_signing_in_leads_nowhere_else(site: Site, alice: Walker, then: str) -> None:
    """Statement 22: no open redirect, in the address or the form."""
    browser = site.browser()
    page = await browser.open(f"/sign-in?then={then}")
    assert page.value("then") == "/"
    sent = await browser.send(page, "/sign-in", way="password", user="alice", password=GOOD, then=then)
    assert sent.location in ("/", "/?first=1")


async def test_21_whoever_has_sent_a_secret_is_sent_on_by_303(site: Site, alice: Walker) -> None:
    """Statement 21: so that going back or loading anew sends no secret again."""
    codes = await codes_of(alice)
    browser = site.browser()
    assert (await browser.sign_in("alice")).status == 303
    page = await browser.open("/account")
    assert (await browser.send(page, "/account/password", password="paper garden kettle")).status == 303
    page = await browser.open("/sign-in/recovery-code")
    assert (await browser.send(page, "/sign-in/recovery-code", user="alice", code=codes[0])).status == 303


async def test_a_browser_that_calls_another_host_is_sent_nowhere_by_it(site: Site) -> None:
    """Only the configured name counts, never the one in the request."""
    page = await site.browser().get("/sign-in", Host="127.0.0.1")
    assert page.status == 200


async def test_forms_of_other_sites_are_refused(site: Site, alice: Walker) -> None:
    """CSRF on every POST of these pages: without a token, and from another origin."""
    from edge_http.accounts.routes import _POSTED

    for path in _POSTED:
        refused = await alice.post(path, data={"user": "mallory"})
        assert refused.status == 403, path
        foreign = await alice.post(path, data={}, headers={"Origin": "https://evil.example"})
        assert foreign.status == 403, path
    assert await alice.whoami() == "alice"


async def test_19_pages_about_signing_in_are_kept_by_nobody(site: Site, alice: Walker) -> None:
    """Statement 19 and clickjacking: no-store, no-referrer, in nobody's frame."""
    for path in ("/sign-in", "/sign-up", "/sign-in/recovery-code", "/sign-in/by-link"):
        headers = (await alice.open(path)).headers
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path


async def test_a_recovery_code_lets_in_once_and_leads_to_a_new_way(site: Site, alice: Walker) -> None:
    """The person is asked for a new passkey or password; their record says that a code was used."""
    codes = await codes_of(alice)
    browser = site.browser()
    page = await browser.open("/sign-in/recovery-code")
    sent = await browser.send(page, "/sign-in/recovery-code", user="alice", code=codes[0])
    assert sent.location == "/account/new-way"
    new_way = await browser.open(sent.location)
    added = Authenticator(**TLS)
    done = await browser.send(new_way, "/account/passkeys/add", credential=added.make(new_way.options))
    assert done.location == "/account?done=passkey"
    assert (await site.browser().sign_in_with_passkey(added)).status == 303
    again = site.browser()
    page = await again.open("/sign-in/recovery-code")
    refused = await again.send(page, "/sign-in/recovery-code", user="alice", code=codes[0])
    assert refused.status == 401
    assert "signed_in_with_recovery_code" in [one.verb for one in await events_of(site.llum.bus, "alice")]
    assert "signed in with a recovery code" in (await browser.open("/account")).text


async def test_who_comes_back_by_a_code_comes_to_the_page_that_they_wanted(site: Site, alice: Walker) -> None:
    """An app may have sent them. It is a page of ours, or none."""
    wanted = "/consent?request=abc"
    for then, after in ((wanted, wanted), ("//evil.example/", "/")):
        [code, *_] = await codes_of(alice)
        browser = site.browser()
        page = await browser.open(f"/sign-in?{urlencode({'then': then})}")
        assert ("/sign-in/recovery-code?then=" in page.raw) is (then == wanted)
        page = await browser.open(f"/sign-in/recovery-code?{urlencode({'then': then})}")
        sent = await browser.send(page, "/sign-in/recovery-code", user="alice", code=code, then=then)
        new_way = await browser.open(sent.location)
        done = await browser.send(new_way, "/account/password", password=GOOD + "!", then=then)
        assert done.location == after
        await alice.sign_in("alice", GOOD + "!")


async def test_a_link_of_the_operator_lets_a_lost_person_in_once(site: Site, alice: Walker) -> None:
    """To open it does not use it up: what looks at links in messages would."""
    token = await site.reception.links.make("recover", "alice")
    browser = site.browser()
    for _ in range(2):
        page = await browser.open(f"/sign-in/by-link?link={token}")
        assert "alice" in page.text
    assert (await browser.send(page, "/sign-in/by-link", link=token)).location == "/account/new-way"
    assert await browser.whoami() == "alice"
    other = site.browser()
    page = await other.open(f"/sign-in/by-link?link={token}")
    assert page.status == 403
    assert await other.whoami() is None


async def test_nobody_but_the_person_learns_whether_an_account_has_passkeys(site: Site, alice: Walker) -> None:
    """Another person's name in the form of a passkey changes nothing of what is said."""
    authenticator = Authenticator(**TLS)
    said = set()
    for whose in ("alice", "nobody"):
        browser = site.browser()
        page = await browser.open("/sign-in")
        sent = {"way": "passkey", "credential": authenticator.prove(page.options), "whose": whose}
        said.add(what_is_said(await browser.send(page, "/sign-in", **sent), whose))
    assert len(said) == 1
