"""The pages about apps, in a browser: a person sees what an app may do, narrows it, and takes everything away."""

import pytest
from playwright.sync_api import Browser, expect

from llum.client import Client
from schemas.grants import Consent
from schemas.slices import Slice
from tests.browser.stage import PERSON, fill_model, give_session, in_a_loop
from tests.browser.viewing import PHONE, look_at_all, viewing
from tests.system.harness import Llum

pytestmark = pytest.mark.long

GRANTED = [
    Slice(paths=["Goals", "Work"], actions=["ask", "tell"], purpose="to find a good time for a walk"),
    Slice(components=["Personal/firstname"], actions=["ask"], resolver="default", since=1_790_000_000.0),
]


def let_in(llum: Llum, app: str, name: str, **more: object) -> None:
    """Consent as the person."""

    async def consent() -> None:
        async with Client.connect(data_dir=llum.data_dir, app="llum") as own:
            command = Consent(
                id=f"in-{app}", app=app, decision="allowed", name=name, host=f"{app}.example",
                purpose="to get you moving", **more,  # type: ignore[arg-type]
            )  # fmt: skip
            await own.send(PERSON, command)
            if app == "coach":
                await own.set_time_zone(PERSON, "Europe/Amsterdam")

    in_a_loop(consent)


@pytest.fixture(scope="module")
def sid(llum: Llum) -> str:
    fill_model(llum)
    let_in(llum, "coach", "Fitness Coach", granted=GRANTED, refused=[Slice(paths=["Devices"], actions=["ask"])])
    let_in(llum, "twin", "Household twin", role="owner")
    llum.run("tell", PERSON, "Goals/Health/steps", "9000")
    return give_session(llum, details={"firstname": "Alice"})


def test_every_page_about_apps_hinders_nobody(browser: Browser, base: str, sid: str) -> None:
    """On a phone and a desk, light and dark, with all that can be opened open; also what may be checked."""
    look_at_all(browser, base, sid, PAGES)


PAGES = (
    "/list_apps",
    "/list_apps/coach",
    "/list_apps/calendar",
    "/list_apps/twin",
    "/list_apps/coach/revoke",
    "/check",
    "/check?app=coach&verb=ask&place=Work/state",
    "/check?app=keyboard&verb=ask&place=Personal/email",
)


def test_a_person_narrows_and_revokes_without_a_script(browser: Browser, base: str, sid: str) -> None:
    """From the first page by links and forms alone, with the keyboard where a form is sent."""
    with viewing(browser, base, PHONE, java_script_enabled=False) as viewer:
        viewer.sign_in_as(sid)
        page = viewer.go("/")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Apps").click()
        page.get_by_role("link", name="Fitness Coach").click()
        page.get_by_text("Change this").first.click()
        page.get_by_label("tell new things").first.uncheck()
        page.get_by_label("For how long").first.select_option("sunday")
        page.get_by_role("button", name="Change it").first.press("Enter")
        expect(page.get_by_text("What it may do is changed")).to_be_visible()
        expect(page.get_by_text("You changed what it may do").first).to_be_visible()
        page.get_by_role("link", name="Take everything away").click()
        page.get_by_role("button", name="Take everything away").press("Enter")
        expect(page.get_by_text("It may do nothing any more")).to_be_visible()
        expect(viewer.go("/list_apps").get_by_text("You took everything away")).to_be_visible()
