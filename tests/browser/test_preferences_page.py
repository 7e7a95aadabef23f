"""The pages about preferences, in a browser: a person changes one with the keyboard alone, and joins a key."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bus.as_app import AsApp, LastWrites, new_id
from identity.preferences.keys import PreferenceKeys
from llum.client import Client
from schemas.grants import Consent
from schemas.preferences import PutPreferences, SafeFacts
from schemas.slices import Slice
from tests.browser.stage import PERSON, fill_model, give_session, in_a_loop
from tests.browser.viewing import PHONE, look_at_all, viewing
from tests.system.harness import Llum

pytestmark = pytest.mark.long

KEY = "alice of the library"

COMMON = "http://registry.gpii.net/common/"

PUT = {
    f"{COMMON}fontSize": 18,
    f"{COMMON}highContrast/enabled": True,
    f"{COMMON}cursorColor": "Black",
    f"{COMMON}tracking": ["mouse", "caret"],
    f"{COMMON}auditoryOutLanguage": "en-GB",
    f"{COMMON}contrast": 70,
    "http://registry.gpii.net/applications/org.example.reader": {"voice": "Ada", "rates": {"fast": [1, 2]}},
    "https://a-very-long-name.example/of/a/setting/that/nobody/has/described/and/that/does/not/end": "x" * 300,
}


def fill_preferences(llum: Llum) -> None:
    """Let a kiosk in that sets some preferences, twice; and store some under a key."""
    in_a_loop(lambda: _fill(llum))


async def _fill(llum: Llum) -> None:
    async with Client.connect(data_dir=llum.data_dir, app="llum") as own:
        granted = [Slice(paths=["Preferences"], actions=["ask", "tell", "make"])]
        consent = Consent(id="in-kiosk", app="kiosk", decision="allowed", name="Library kiosk", granted=granted)
        await own.send(PERSON, consent)
        for size in (12, 18):
            body = {"contexts": {"gpii-default": {"preferences": {**PUT, f"{COMMON}fontSize": size}}}}
            command = PutPreferences(id=new_id(), view="flat", body=body, mode="patch")
            await AsApp(own.requests, PERSON, "kiosk", LastWrites()).send(command)
        safe = await PreferenceKeys(own.bus).safe_user(KEY)
        command = PutPreferences(id=new_id(), view="flat", body=body, make=SafeFacts(key=KEY))
        await AsApp(own.requests, safe, "_preferences", LastWrites()).send(command)


@pytest.fixture(scope="module")
def sid(llum: Llum) -> str:
    fill_model(llum)
    fill_preferences(llum)
    return give_session(llum, details={"firstname": "Alice"})


def test_every_page_about_preferences_hinders_nobody(browser: Browser, base: str, sid: str) -> None:
    """On a phone and a desk, light and dark, with all that can be opened open."""
    look_at_all(browser, base, sid, PAGES)


PAGES = (
    "/my-preferences",
    "/my-preferences?add=http://registry%5C.gpii%5C.net/common/captions/enabled",
    "/my-preferences/join",
)


def test_a_person_changes_a_preference_and_joins_a_key_without_a_script(
    browser: Browser, base: str, sid: str, llum: Llum
) -> None:
    """From the first page by the keyboard alone. What is wrong is said where it is. The key can be taken back."""
    with viewing(browser, base, PHONE, java_script_enabled=False) as viewer:
        viewer.sign_in_as(sid)
        page = viewer.go("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Preferences").press("Enter")
        change(page, "Size of text", "1")
        expect(page.get_by_text("The value must be at least 3")).to_be_visible()
        field(page, "Size of text").fill("20")
        field(page, "Size of text").press("Enter")
        expect(page.get_by_text("That is changed")).to_be_visible()
        expect(row(page, "Size of text").get_by_text("Set by you")).to_be_visible()
        expect(row(page, "Size of text").get_by_text("Before: 18 pt, set by Library kiosk")).to_be_visible()

        page.get_by_role("link", name="I have a key").press("Enter")
        page.get_by_label("Key", exact=True).fill("mistyped")
        page.get_by_label("A name for it").fill("Library card")
        page.get_by_label("A name for it").press("Enter")
        expect(page.get_by_text("Nothing is stored under this key")).to_be_visible()
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_label("Key", exact=True).press("Enter")
        expect(page.get_by_text("These preferences are yours now")).to_be_visible()
        page.get_by_role("link", name="Your preferences").press("Enter")
        page.get_by_role("link", name="See what the key may do").press("Enter")
        expect(page.get_by_role("heading", name="Key of preferences: Library card")).to_be_visible()
    with viewing(browser, base, PHONE) as viewer:
        viewer.sign_in_as(sid)
        viewer.go("/my-preferences/joined/Library%20card")
        viewer.open_all()
        viewer.check()


def change(page: Page, title: str, value: str) -> None:
    """Open a preference, and send another value, past what the browser itself looks at."""
    row(page, title).get_by_text("Change", exact=True).press("Enter")
    field(page, title).evaluate("one => one.form.noValidate = true")
    field(page, title).fill(value)
    field(page, title).press("Enter")


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


def field(page: Page, title: str) -> Locator:
    return row(page, title).get_by_label(title, exact=True)
