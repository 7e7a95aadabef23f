"""A person's way through llum, from the first link to the last session.

Goal: who starts `llum up` on an empty folder gets in by a browser alone, and gets everybody out again.
Method: the processes that a user starts, two browsers with a passkey each, at the width of a phone and of a desk.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.viewing import DESK, PHONE, viewing
from tests.browser.walking import (
    base_of,
    come_with_code,
    first_link,
    sign_in_with_passkey,
    sign_out_everywhere,
    sign_up_with_passkey,
)
from tests.system.harness import Llum

pytestmark = pytest.mark.long

PASSWORD = "seventeen lamps on a green hill"


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A llum that nobody has an account with."""
    llum = Llum(tmp_path_factory.mktemp("fresh"))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_from_the_first_link_to_the_last_session(browser: Browser, fresh: Llum, size: Any, scheme: str) -> None:
    """Sign up by a passkey, see what the command line tells, come from a second device by a recovery code, and sign out
    everywhere from the first."""
    base = base_of(fresh)
    with viewing(browser, base, size, scheme) as first, viewing(browser, base, size, scheme) as second:
        code = sign_up_with_passkey(first, first_link(fresh))
        fresh.run("tell", "alice", "Personal/email", '"alice@wonderland.example"')
        expect(first.go("/model/Personal").get_by_text("alice@wonderland.example").first).to_be_visible()
        come_with_code(second, code)
        sign_out_everywhere(first)
        second.page.goto(f"{base}/account")
        expect(second.page).to_have_url(re.compile("/sign-in"))
        sign_in_with_passkey(first)


def test_the_keyboard_alone_signs_up_and_in(browser: Browser, fresh: Llum) -> None:
    """By a password, without a script: every field and button is reached with Tab, and Enter sends."""
    with viewing(browser, base_of(fresh), DESK, java_script_enabled=False) as viewer:
        page = viewer.go(first_link(fresh))
        type_into(page, "Your name here", "bob")
        page.keyboard.press("Enter")
        type_into(page, "Password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Welcome, bob")).to_be_visible()
        press(page, "button", "Sign out")
        expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
        viewer.go("/sign-in")
        type_into(page, "Your name here", "bob")
        type_into(page, "Password", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def test_a_visitor_tries_llum_and_keeps_what_they_did(browser: Browser, fresh: Llum) -> None:
    """One click, and they have a model; the page says how to keep it."""
    with viewing(browser, base_of(fresh), PHONE) as viewer:
        viewer.go("/").get_by_role("button", name="Try it without an account").click()
        expect(viewer.page.get_by_text("You are trying llum out")).to_be_visible()
        viewer.check()
        expect(viewer.page.get_by_role("link", name="Keep it: sign up")).to_be_visible()


def type_into(page: Page, label: str, text: str) -> None:
    """Come to a field by Tab, and type."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def press(page: Page, role: Any, name: str) -> None:
    tab_to(page, page.get_by_role(role, name=name).first)
    page.keyboard.press("Enter")


def tab_to(page: Page, wanted: Any) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {wanted}")
