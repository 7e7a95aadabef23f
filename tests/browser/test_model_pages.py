"""The first page, and the pages of a model, in a browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stage import PERSON, fill_model, give_session
from tests.browser.viewing import DESK, PHONE, SCHEMES, SIZES, Viewer, viewing
from tests.system.harness import Llum

pytestmark = pytest.mark.long

PAGES = (
    "/",
    "/model/Work",
    "/model/Work/state",
    "/model/Personal",
    "/model/Large?page=2",
    "/model/https:~1~1terms.example~1accessibility",
    "/sessions",
    "/identities",
)


@pytest.fixture(scope="module")
def sid(llum: Llum) -> str:
    fill_model(llum)
    return give_session(llum, details={"firstname": "Alice"})


@pytest.fixture
def viewer(browser: Browser, base: str, sid: str) -> Iterator[Viewer]:
    with viewing(browser, base) as viewer:
        viewer.sign_in_as(sid)
        yield viewer


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_every_page_hinders_nobody(browser: Browser, base: str, sid: str, size: Any, scheme: str) -> None:
    """Signed out, signed in, and where something is wrong; with all that can be opened open."""
    with viewing(browser, base, size, scheme) as viewer:
        viewer.go("/")
        viewer.check()
        viewer.go("/nowhere", 404)
        viewer.check()
        viewer.sign_in_as(sid)
        for path in PAGES:
            viewer.go(path)
            viewer.open_all()
            viewer.check()
        viewer.go("/model/Nowhere", 404)
        viewer.check()


def test_one_finds_a_value_and_why_it_is_so(viewer: Viewer) -> None:
    """From the first page, by clicks: who told it, when by one's own clock, and what was left out."""
    page = viewer.go("/")
    expect(page.get_by_role("heading", name="Hello, Alice")).to_be_visible()
    page.get_by_role("link", name="Work", exact=True).click()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="state"))
    expect(row.get_by_text("Meeting with the board")).to_be_hidden()
    row.get_by_text("Why?").click()
    expect(row.get_by_text("Meeting with the board")).to_be_visible()
    expect(row.get_by_text("told by calendar").first).to_be_visible()
    expect(row.get_by_text("no longer valid")).to_be_visible()
    expect(row.get_by_text("Europe/Amsterdam")).to_be_visible()


def test_pages_work_without_scripts(browser: Browser, base: str, sid: str) -> None:
    """All of it: the reasons open, too, and a large context is leafed through."""
    with viewing(browser, base, PHONE, java_script_enabled=False) as viewer:
        viewer.sign_in_as(sid)
        page = viewer.go("/model/Work/../Large")
        expect(page.get_by_text("Page 1 of 3")).to_be_visible()
        page.get_by_role("link", name="More").click()
        expect(page.get_by_text("Page 2 of 3")).to_be_visible()
        page.get_by_text("Why?").first.click()
        expect(page.get_by_text("Nothing that counts has been told yet.").first).to_be_visible()


def test_the_keyboard_is_enough(viewer: Viewer) -> None:
    """From the address to a reason with Tab and Enter alone; the first stop leads past the navigation."""
    page = viewer.go("/model/Work")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    why = page.locator("summary").first
    for _ in range(30):
        if why.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(why).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("This counts").first).to_be_visible()


def test_a_page_shows_what_was_just_told(viewer: Viewer, llum: Llum) -> None:
    """On the next load."""
    llum.run("tell", PERSON, "Personal/lastname", '"Hargreaves"')
    expect(viewer.go("/model/Personal").get_by_text("Hargreaves").first).to_be_visible()


def test_a_stranger_sees_nothing_of_it(browser: Browser, base: str, sid: str, llum: Llum) -> None:
    """Neither without a session nor with one of somebody else: the same address means their own model."""
    llum.run("admin", "person", "add", "bob")
    with viewing(browser, base, DESK) as viewer:
        viewer.sign_in_as(give_session(llum, "bob"))
        viewer.go("/model/Work/state", 404)
        assert "busy" not in viewer.page.content()


@pytest.mark.parametrize("wrong", ["<input>", "<svg width=3000 height=1></svg>"])
def test_what_hinders_is_found(viewer: Viewer, wrong: str) -> None:
    """A field without a label, a page that is too wide: the check above sees them."""
    viewer.go("/")
    viewer.check()
    _put(viewer, wrong)
    with pytest.raises(AssertionError):
        viewer.check()


def test_nothing_comes_from_another_host(viewer: Viewer) -> None:
    """Not even where a page would have it: the browser refuses, and says so where the check above looks."""
    viewer.go("/")
    with viewer.page.expect_console_message():
        _put(viewer, "<img alt='' src='http://llum.example.invalid/x.png'>")
    with pytest.raises(AssertionError):
        viewer.check()


def _put(viewer: Viewer, html: str) -> None:
    viewer.page.locator("main").evaluate("(main, html) => { main.innerHTML = html }", html)
