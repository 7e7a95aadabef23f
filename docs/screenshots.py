"""Take the pictures of pages that the docs show, of a llum that is started for it: `python -m docs.screenshots`.

With a folder, as in `python -m docs.screenshots /tmp/pages`: take all pages, on a phone and a desk, light and dark.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from tests.browser.log_llum import running_log_llum
from tests.browser.stage import PERSON, fill_model, give_session
from tests.browser.test_log_llum_walk import look_at, walk
from tests.browser.viewing import DESK, PHONE, SCHEMES, SIZES, Viewer, chromium_options, viewing
from tests.browser.walking import (
    base_of,
    come_with_code,
    first_link,
    sign_in_with_passkey,
    sign_out_everywhere,
    sign_up_with_passkey,
)
from tests.system.harness import Llum

PICTURES: Final = Path(__file__).with_name("pictures")

SIZE_IN_DOCS: Final = (1024, 960)

_NAMES: Final = {PHONE: "phone", DESK: "desk", SIZE_IN_DOCS: "page"}

LOG_LLUM_PICTURES: Final = {"consent": "consent", "logged": "log-llum"}
"""The pictures of the tutorial, by the stops of the walk."""

SOME_DAYS: Final = (
    "apple coffee walk sleep",
    "apple water coffee book smile",
    "bread coffee",
    "apple apple walk water water",
    "sleep coffee coffee",
    "apple walk smile",
    "water bread book sleep",
    "coffee apple",
    "walk apple water coffee sleep smile",
)
"""What was logged yesterday, the day before, and so on."""

MODEL_PAGES: Final = (
    ("home", "/", 200),
    ("work", "/model/Work", 200),
    ("state", "/model/Work/state", 200),
    ("large", "/model/Large?page=2", 200),
    ("nowhere", "/nowhere", 404),
)


def take_for_docs(browser: Browser) -> None:
    """Take the one that the README shows, with a reason open."""
    with _running() as llum:
        fill_model(llum)
        sid = give_session(llum)
        for scheme in SCHEMES:
            with _looking(browser, llum, PICTURES, SIZE_IN_DOCS, scheme) as viewer:
                viewer.sign_in_as(sid)
                viewer.go("/model/Work")
                viewer.page.locator("summary").first.click()
                assert viewer.pictures is not None
                viewer.page.screenshot(path=viewer.pictures("work"))
    with _running() as llum:
        _take_log_llum_for_docs(browser, llum)


def _take_log_llum_for_docs(browser: Browser, llum: Llum) -> None:
    """Take what the tutorial shows of a person's way with log-llum: the question, and the log after some days."""
    with running_log_llum(llum) as at, viewing(browser, at, PHONE, reduced_motion="reduce") as viewer:

        def look(name: str) -> None:
            if name == "logged":
                _log_some_days(llum)
                viewer.go("/")
            for scheme in SCHEMES if name in LOG_LLUM_PICTURES else ():
                viewer.page.emulate_media(color_scheme=scheme)
                path = PICTURES / f"{LOG_LLUM_PICTURES[name]}-phone-{scheme}.png"
                viewer.page.screenshot(path=path, full_page=True)

        walk(viewer, llum, look)


def _log_some_days(llum: Llum) -> None:
    """Log as somebody does who has used it for two weeks."""
    llum.run("sensor", "log", PERSON, "--install")
    for days, items in enumerate(SOME_DAYS, 1):
        llum.run("sensor", "log", PERSON, *items.split(), "--time", f"{days} days ago")


def take_all(browser: Browser, folder: Path) -> None:
    """Take all pages, for somebody to look at."""
    with _running() as llum:
        fill_model(llum)
        sid = give_session(llum, details={"firstname": "Alice"})
        _everywhere(lambda *how: _take_model_pages(browser, llum, folder, sid, *how))
    _everywhere(lambda *how: _take_walk(browser, folder, *how))
    with _running() as llum, running_log_llum(llum) as at, viewing(browser, at, PHONE) as viewer:
        viewer.pictures = lambda name: folder / f"log-llum-{name}.png"
        walk(viewer, llum, look_at(viewer))


def _take_model_pages(browser: Browser, llum: Llum, folder: Path, sid: str, *how: Any) -> None:
    with _looking(browser, llum, folder, *how) as viewer:
        viewer.go("/")
        viewer.check("welcome")
        viewer.sign_in_as(sid)
        for name, path, status in MODEL_PAGES:
            viewer.go(path, status)
            viewer.check(name)


def _take_walk(browser: Browser, folder: Path, *how: Any) -> None:
    with (
        _running() as llum,
        _looking(browser, llum, folder, *how) as first,
        _looking(browser, llum, folder, *how) as second,
    ):
        come_with_code(second, sign_up_with_passkey(first, first_link(llum)))
        sign_out_everywhere(first)
        sign_in_with_passkey(first)


def _everywhere(take: Callable[..., None]) -> None:
    for size in SIZES:
        for scheme in SCHEMES:
            take(size, scheme)


@contextmanager
def _looking(browser: Browser, llum: Llum, folder: Path, size: tuple[int, int], scheme: str) -> Iterator[Viewer]:
    folder.mkdir(parents=True, exist_ok=True)
    with viewing(browser, base_of(llum), size, scheme, reduced_motion="reduce") as viewer:
        viewer.pictures = lambda name: folder / f"{name}-{_NAMES[size]}-{scheme}.png"
        yield viewer


@contextmanager
def _running() -> Iterator[Llum]:
    with tempfile.TemporaryDirectory() as folder:
        llum = Llum(Path(folder))
        try:
            llum.start()
            yield llum
        finally:
            llum.clean_up()


def main(folder: Path | None) -> None:
    """Take them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        if folder is None:
            take_for_docs(browser)
        else:
            take_all(browser, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
