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

from tests.browser.stage import fill_model, give_session
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


def take_all(browser: Browser, folder: Path) -> None:
    """Take all pages, for somebody to look at."""
    with _running() as llum:
        fill_model(llum)
        sid = give_session(llum, details={"firstname": "Alice"})
        _everywhere(lambda *how: _take_model_pages(browser, llum, folder, sid, *how))
    _everywhere(lambda *how: _take_walk(browser, folder, *how))


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
