"""Signing in at outside issuers, in a real browser: its rules about cookies, forms and redirects are the real ones."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.viewing import SCHEMES, SIZES, Viewer, viewing
from tests.browser.walking import base_of, first_link
from tests.system.harness import Llum
from tests.system.outside_issuers import MOCK_PERSON, oidc_provider_mock

pytestmark = pytest.mark.long


@pytest.fixture
def llum(tmp_path: Path) -> Iterator[Llum]:
    """One with two issuers that never say when somebody has proven who they are, as many large ones do not."""
    folders = {name: tmp_path / name for name in ("blue", "green")}
    for folder in folders.values():
        folder.mkdir()
    llum = Llum(tmp_path)
    with oidc_provider_mock(folders["blue"]) as blue, oidc_provider_mock(folders["green"]) as green:
        tables = [
            f'[{name}]\nname = "{name.title()} & Co."\nissuer = "{url}"\nsays_when = false\n'
            'client_id = "llum"\nclient_secret = "any"\n'
            for name, url in (("blue", blue), ("green", green))
        ]
        file = tmp_path / "issuers.toml"
        file.write_text("\n".join(tables))
        file.chmod(0o600)
        llum.options = ("--issuers", str(file))
        try:
            llum.start()
            yield llum
        finally:
            llum.clean_up()


def agree(viewer: Viewer, sub: str = str(MOCK_PERSON["sub"])) -> None:
    """Say at an issuer who one is. What its own pages ask for is its business."""
    viewer.page.fill('input[name="sub"]', sub)
    viewer.page.get_by_role("button", name="Authorize").click()
    viewer.page.wait_for_url(f"{viewer.base}/**")
    viewer.strangers.clear()
    viewer.complaints.clear()


def look(viewer: Viewer, name: str) -> None:
    """See that a page hinders nobody, on a phone and a desk, light and dark."""
    for (width, height), scheme in itertools.product(SIZES, SCHEMES):
        viewer.page.set_viewport_size({"width": width, "height": height})
        viewer.page.emulate_media(color_scheme=scheme)
        viewer.check(f"{name}-{width}-{scheme}")


def test_one_signs_up_links_another_and_comes_back(browser: Browser, llum: Llum) -> None:
    """By links and forms of the pages alone, and no page on the way hinders anybody."""
    with viewing(browser, base_of(llum)) as viewer:
        page = viewer.page
        viewer.go(first_link(llum))
        page.get_by_role("link", name="Blue & Co.").click()
        agree(viewer)
        assert page.url.endswith("/sign-up/with"), page.inner_text("body")
        look(viewer, "register")
        page.get_by_label("Your name here").fill("grace")
        page.get_by_role("button", name="Make my account").click()
        page.wait_for_url(lambda url: "/sign-up" not in url)
        viewer.go("/identities")
        look(viewer, "one identity")
        page.get_by_role("button", name="Green & Co.").click()
        agree(viewer)
        look(viewer, "two identities")
        assert page.get_by_role("button", name="Unlink").count() == 2
        page.get_by_role("button", name="Sign out").first.click()
        viewer.go("/sign-in?then=/identities")
        page.get_by_role("link", name="Green & Co.").click()
        agree(viewer)
        assert page.get_by_role("button", name="Unlink").count() == 2
        page.get_by_role("button", name="Unlink Blue").click()
        page.wait_for_load_state()
        assert page.get_by_role("button", name="Unlink").count() == 0
        viewer.go("/signed-in/blue?state=made-up&code=x", 400)
        look(viewer, "not proven")
