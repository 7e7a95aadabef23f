"""A person's whole way with an app of somebody else: let in with less than it wants, seen, and taken back."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.log_llum import running_log_llum
from tests.browser.passkeys import give_authenticator
from tests.browser.viewing import PHONE, SCHEMES, SIZES, Viewer, viewing
from tests.browser.walking import base_of, first_link
from tests.system.harness import Llum

pytestmark = pytest.mark.long

WRITES_NO_MORE = "log-llum may no longer write to your model"

Look = Callable[[str], None]


def look_at(viewer: Viewer) -> Look:
    """Give what sees that a page hinders nobody, on a phone and a desk, light and dark."""

    def look(name: str) -> None:
        for (width, height), scheme in itertools.product(SIZES, SCHEMES):
            viewer.page.set_viewport_size({"width": width, "height": height})
            viewer.page.emulate_media(color_scheme=scheme)
            viewer.check(f"{name}-{width}-{scheme}")
        viewer.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})

    return look


def sign_up(page: Page, link: str) -> None:
    """Make an account with a passkey."""
    give_authenticator(page)
    page.goto(link)
    page.get_by_label("Your name here").fill("alice")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Welcome, alice")).to_be_visible()


def let_in_to_write(page: Page, look: Look) -> None:
    """Narrow what log-llum asks for: it may write until Sunday, and read nothing."""
    page.get_by_role("link", name="Sign in with llum").click()
    expect(page.get_by_role("heading", name="log-llum asks for a part of your model")).to_be_visible()
    expect(page.get_by_text("To write down what you tap")).to_be_visible()
    look("consent")
    page.get_by_text("Give less").click()
    page.get_by_label("see what is there").uncheck()
    page.get_by_label("For how long").select_option("sunday")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="What was it?")).to_be_visible()
    expect(page.get_by_text("log-llum may not read what you have logged")).to_be_visible()
    look("narrowed")


def tap_apple(page: Page) -> None:
    page.locator("button.thing", has_text="An apple").click()


def let_it_read(page: Page) -> None:
    """Allow the slice that was missing."""
    page.get_by_role("link", name="Ask me again for that").click()
    expect(page.get_by_text("see what is there").first).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="The last four weeks")).to_be_visible()


def revoke(page: Page, llum_at: str, look: Look) -> None:
    """Find log-llum among one's apps, and take everything away."""
    page.goto(f"{llum_at}/list_apps")
    app = page.get_by_role("region", name="log-llum")
    expect(app.get_by_text(re.compile("Apps / Logging")).first).to_be_visible()
    look("apps")
    app.get_by_role("link", name="Take everything away").click()
    page.get_by_role("button", name="Take everything away").click()
    expect(page.get_by_text("It may do nothing any more")).to_be_visible()


def walk(viewer: Viewer, llum: Llum, look: Look) -> None:
    """Go the whole way, by links and forms alone."""
    page, llum_at = viewer.page, base_of(llum)
    viewer.hosts.add(urlsplit(llum_at).netloc)
    viewer.go("/")
    look("first-visit")
    sign_up(page, llum_at + first_link(llum))
    viewer.go("/")
    let_in_to_write(page, look)
    tap_apple(page)
    expect(page.get_by_text("Logged: an apple.")).to_be_visible()
    let_it_read(page)
    expect(page.get_by_text("1 in all.")).to_be_visible()
    told = json.loads(llum.run("ask", "alice", "Apps/Logging/logged_items", "--evidence", "--json"))
    assert [(piece["value"], piece["source"]) for piece in told["evidence"]] == [("apple", "log-llum")]
    viewer.open_all()
    look("logged")
    revoke(page, llum_at, look)
    viewer.page.goto(viewer.base)
    expect(page.get_by_role("heading", name=WRITES_NO_MORE)).to_be_visible()
    look("refused")
    page.get_by_role("link", name="Ask me again").click()
    expect(page.get_by_role("heading", name="log-llum asks for a part of your model")).to_be_visible()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="That is fine")).to_be_visible()
    look("not-allowed")


def test_a_person_lets_log_llum_in_and_takes_it_back(tmp_path: Path, browser: Browser) -> None:
    """What was decided counts at once; refused, log-llum says so kindly and asks again."""
    llum = Llum(tmp_path)
    try:
        llum.start()
        with running_log_llum(llum) as at, viewing(browser, at, PHONE) as viewer:
            walk(viewer, llum, look_at(viewer))
    finally:
        llum.clean_up()
