"""People sign in at issuers that llum has no part in, with the processes that an operator starts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.edge_http.issuers.browsing import Browsing, Shown, browsing
from tests.system.harness import Llum
from tests.system.outside_issuers import oidc_provider, oidc_provider_mock, sign_in_at_mock, sign_in_at_npm

SECRET = "a secret of llum, with / and +"


@pytest.fixture
def issuers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Two that run, and one that is not there."""
    with oidc_provider_mock(tmp_path) as mock, oidc_provider(tmp_path / "npm") as npm:
        yield {"mock": mock, "npm": npm, "gone": "http://127.0.0.1:1"}


@pytest.fixture
def llum(tmp_path: Path, issuers: dict[str, str]) -> Iterator[Llum]:
    file = tmp_path / "issuers.toml"
    tables = [
        f'[{id_}]\nname = "{id_.title()}"\nissuer = "{url}"\nclient_id = "llum"\nclient_secret = "{SECRET}"\n'
        for id_, url in issuers.items()
    ]
    file.write_text("\n".join(tables) + "\n")
    file.chmod(0o600)
    llum = Llum(tmp_path)
    llum.options = ("--issuers", str(file))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()


def first_link(llum: Llum) -> str:
    """Give the address that `llum up` has printed for whoever is to be first."""
    match = re.search(r"http://\S+/sign-up\?link=\S+", llum.output.read_text())
    assert match is not None, llum.last_words()
    return match[0]


def button_of(page: Shown, issuer: str) -> str:
    """Give where the button of an issuer leads."""
    [href] = [link for link in page.links if link.startswith(f"/sign-in/with/{issuer}")]
    return urljoin(page.url, href)


async def registered(browser: Browsing, page: Shown) -> Shown:
    """Take the id that is proposed."""
    assert page.path == "/sign-up/with", page.text
    return await browser.send(page, "/sign-up/with")


async def test_a_person_signs_in_at_two_issuers_of_others(llum: Llum) -> None:
    """Signs up at the one with the first link, proves anew who they are, links the other, and comes back by it.

    The profile is in the model, and the command line says where it is from. What was linked can be unlinked. An issuer
    that is gone keeps nobody from the others.
    """
    base = llum.http.replace("127.0.0.1", "localhost")
    async with browsing() as browser:
        page = await browser.go(first_link(llum))
        page = await sign_in_at_npm(browser, await browser.go(button_of(page, "npm")), "hopper")
        assert "administrator" in page.text
        await registered(browser, page)
        page = await browser.go(f"{base}/identities")
        assert "hopper@navy.example" in page.text
        asked = json.loads(llum.run("ask", "grace-hopper", "Personal/firstname", "--evidence", "--json"))
        assert "Grace" in json.dumps(asked)
        assert '"source": "npm"' in json.dumps(asked)

        gone = await browser.go(f"{base}/sign-in/with/gone")
        assert (gone.status, gone.headers["Retry-After"]) == (503, "30")

        page = await browser.send(page, "/identities/link", button={"issuer": "mock"})
        assert page.path == "/sign-in", "linking asks for a fresh proof"
        page = await browser.go(button_of(page, "npm"))
        assert "/interaction/" in page.url, "it asks anew who one is"
        page = await sign_in_at_npm(browser, page, "hopper")
        page = await sign_in_at_mock(browser, await browser.send(page, "/identities/link", button={"issuer": "mock"}))
        assert (page.path, page.status) == ("/identities", 200)
        assert "Mock · grace@mock.example" in page.text

        async with browsing() as another:
            page = await sign_in_at_mock(another, await another.go(f"{base}/sign-in/with/mock?then=/identities"))
            assert "Npm · hopper@navy.example" in page.text

        page = await browser.go(f"{base}/identities")
        npm, _ = [one for one in page.forms if one.action == "/identities/unlink"]
        page = await browser.send(page, "/identities/unlink", button={"identity": npm.fields["identity"]})
        assert "Npm · hopper@navy.example" not in page.text

    async with browsing() as stranger:
        page = await sign_in_at_npm(stranger, await stranger.go(f"{base}/sign-in/with/npm"), "hopper")
        assert page.path == "/sign-up/with"


async def test_who_turns_back_at_an_issuer_is_shown_the_way(llum: Llum) -> None:
    """Both say it in their own way; neither signs anybody in."""
    base = llum.http.replace("127.0.0.1", "localhost")
    async with browsing() as browser:
        page = await browser.go(f"{base}/sign-in/with/mock")
        deny = page.forms[1]._replace(fields={"action": "deny"})
        page = await browser.send(page._replace(forms=[deny]), "")
        assert (page.path, page.status) == ("/signed-in/mock", 400)
        page = await browser.go(f"{base}/sign-in/with/npm")
        [cancel] = [link for link in page.links if link.endswith("/abort")]
        page = await browser.go(cancel)
        assert (page.path, page.status) == ("/signed-in/npm", 403)
        assert browser.cookie("llumsessionid") is None


def test_a_mistake_in_the_file_is_told_at_the_start(tmp_path: Path) -> None:
    """With the table and the member, and no secret; so is a file that others can read."""
    file = tmp_path / "issuers.toml"
    llum = Llum(tmp_path)
    told = {}
    for mistake, content, mode in (
        ("member", '[there]\nname = "There"\nclient_id = "llum"\nclient_secret = "GOCSPX"\n', 0o600),
        (
            "mode",
            '[there]\nname = "There"\nissuer = "https://x.example"\nclient_id = "l"\nclient_secret = "GOCSPX"\n',
            0o644,
        ),
    ):
        file.write_text(content)
        file.chmod(mode)
        ran = llum.run_as_it_is("up", "--issuers", str(file))
        assert ran.returncode != 0
        told[mistake] = ran.stdout + ran.stderr
    assert "issuer" in told["member"]
    assert "(there)" in told["member"]
    assert "chmod 600" in told["mode"]
    assert "GOCSPX" not in "".join(told.values())
