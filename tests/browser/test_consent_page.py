"""The page of consent in a browser: one sees who wants what, decides, and comes back to the app."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from schemas.slices import Slice
from tests.browser.consenting import app_at_home, asking_path, register
from tests.browser.stage import fill_model, give_session
from tests.browser.viewing import DESK, PHONE, SCHEMES, SIZES, Viewer, viewing
from tests.system.harness import Llum

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def back() -> Iterator[str]:
    with app_at_home() as address:
        yield address


@pytest.fixture(scope="module")
def sid(llum: Llum, back: str) -> str:
    fill_model(llum)
    register(llum, back)
    register(llum, back, "owner", "Log Ilum", "--owner")
    return give_session(llum, details={"firstname": "Alice"})


@pytest.fixture
def viewer(browser: Browser, base: str, sid: str) -> Iterator[Viewer]:
    with viewing(browser, base) as viewer:
        viewer.sign_in_as(sid)
        yield viewer


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_the_page_hinders_nobody(browser: Browser, base: str, sid: str, back: str, size: Any, scheme: str) -> None:
    """With values, with all that can be opened open, in red, and where something is wrong."""
    with viewing(browser, base, size, scheme) as viewer:
        viewer.sign_in_as(sid)
        page = viewer.go(asking_path(back))
        expect(page.get_by_text("Meeting").or_(page.get_by_text("busy")).first).to_be_visible()
        viewer.check("consent")
        viewer.open_all()
        viewer.check("consent-open")
        viewer.go(asking_path(back, "owner", scope="owner"))
        expect(page.get_by_text("It would own your model")).to_be_visible()
        viewer.check("consent-owner")
        viewer.go(asking_path(back, "nobody"), 404)
        viewer.check("consent-nobody")


def test_one_narrows_a_slice_sees_it_and_lets_the_app_in(viewer: Viewer, back: str) -> None:
    """By clicks: the page shows what the choice means, and the browser ends up at the app."""
    page = viewer.go(asking_path(back, "log-llum", Slice(paths=["Work"], actions=["ask"])))
    work = page.get_by_role("group", name="What Log llum would see of Work")
    expect(work.get_by_text("busy")).to_be_visible()
    page.get_by_text("Give less").click()
    page.get_by_label("Only what is told from now on").check()
    page.get_by_role("button", name="Show what it would see").click()
    expect(work.get_by_text("busy")).to_have_count(0)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
    assert "code=" in page.url


def test_without_scripts_and_by_the_keyboard_alone(browser: Browser, base: str, sid: str, back: str) -> None:
    """From the address to a refusal."""
    with viewing(browser, base, PHONE, java_script_enabled=False) as viewer:
        viewer.sign_in_as(sid)
        page = viewer.go(asking_path(back, "log-llum", Slice(paths=["Large"], actions=["ask"])))
        refuse = page.get_by_role("button", name="Refuse")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.locator("button:focus").count() and page.locator("button:focus").inner_text() == "Refuse":
                break
        expect(refuse).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()
        assert "error=access_denied" in page.url


def test_whoever_is_signed_out_signs_in_and_comes_back(browser: Browser, base: str, back: str) -> None:
    """The way in knows where one wanted to go."""
    with viewing(browser, base, DESK) as viewer:
        page = viewer.go(asking_path(back))
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_text("You come to the page that you wanted right after.")).to_be_visible()
        assert "then=%2Fconsent" in page.url
