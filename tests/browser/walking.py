"""The steps of a person's way through llum. At each stop the viewer looks at the page: `Viewer.check`."""

import re
from typing import Final

from playwright.sync_api import Page, expect

from tests.browser.passkeys import give_authenticator
from tests.browser.viewing import Viewer
from tests.system.harness import Llum, until

_OWN_PAGES: Final = (
    ("/account", "account"),
    ("/admin", "admin"),
    ("/identities", "identities"),
    ("/", ""),
    ("/model/Personal", ""),
)


def first_link(llum: Llum) -> str:
    """Give the path of the link that `llum up` has printed."""
    found = until(
        lambda: re.search(r"https?://\S+?(/sign-up\?\S+)", llum.output.read_text()), "the first link is printed"
    )
    return str(found[1])


def base_of(llum: Llum) -> str:
    return llum.http.replace("127.0.0.1", "localhost")


def begin_sign_up(viewer: Viewer, link: str, user: str) -> Page:
    """Follow a link, and give a name."""
    page = viewer.go(link)
    viewer.check("sign-up")
    page.get_by_label("Your name here").fill(user)
    page.get_by_label("First name").fill(user.title())
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="How will you sign in")).to_be_visible()
    viewer.check("sign-up-way")
    return page


def sign_up_with_passkey(viewer: Viewer, link: str) -> str:
    """Make an account, look at it, and give one of its recovery codes."""
    give_authenticator(viewer.page)
    page = begin_sign_up(viewer, link, "alice")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Welcome, alice")).to_be_visible()
    expect(page.get_by_text("You are the administrator of this llum")).to_be_visible()
    viewer.check("welcome-alice")
    page.get_by_role("button", name="Show my recovery codes").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    viewer.check("recovery-codes")
    code = page.locator(".codes code").first.inner_text()
    for path, name in _OWN_PAGES:
        viewer.go(path)
        viewer.check(name)
        viewer.open_all()
        viewer.check()
    expect(page.get_by_text("Alice").first).to_be_visible()
    return code


def come_with_code(viewer: Viewer, code: str) -> None:
    """Sign in on another device, which then has a passkey of its own."""
    give_authenticator(viewer.page)
    page = viewer.go("/sign-in")
    viewer.check("sign-in")
    page.get_by_role("link", name="Use a recovery code").click()
    expect(page.get_by_role("heading", name="Use a recovery code")).to_be_visible()
    viewer.check("recovery-code")
    page.get_by_label("Your name here").fill("alice")
    page.get_by_label("Recovery code").fill(code)
    page.get_by_role("button", name="Come back").click()
    button = page.get_by_role("button", name=re.compile("passkey"))
    expect(button).to_be_visible()
    viewer.check("new-way")
    button.click()
    expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()
    expect(page.locator("#passkeys tbody tr")).to_have_count(2)
    viewer.check()


def sign_out_everywhere(viewer: Viewer) -> None:
    page = viewer.go("/sessions")
    expect(page.locator("tbody tr")).to_have_count(2)
    viewer.check("sessions")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    viewer.check("welcome-back")


def sign_in_with_passkey(viewer: Viewer) -> None:
    page = viewer.go("/sign-in")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("heading", name="Hello, Alice")).to_be_visible()
