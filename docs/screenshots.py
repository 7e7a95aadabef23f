"""Take the pictures of pages that the docs show, of a llum that is started for it: `python -m docs.screenshots`.

With a folder, as in `python -m docs.screenshots /tmp/pages`: take all pages, on a phone and a desk, light and dark.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from tests.browser.stage import fill_model, give_session
from tests.browser.viewing import DESK, PHONE, SCHEMES, SIZES, Viewer, chromium_options, viewing
from tests.system.harness import Llum

PICTURES: Final = Path(__file__).with_name("pictures")

_PICTURE: Final = (1024, 960)

_NAMES: Final = {PHONE: "phone", DESK: "desk", _PICTURE: "page"}


class Shot(NamedTuple):
    """A page to be taken."""

    name: str
    path: str
    signed_in: bool = True
    opened: int = 0
    """How many of the parts that can be opened are open, from above."""


ALL: Final = (
    Shot("welcome", "/", signed_in=False),
    Shot("nowhere", "/nowhere", signed_in=False),
    Shot("home", "/"),
    Shot("work", "/model/Work", opened=1),
    Shot("state", "/model/Work/state"),
    Shot("sessions", "/sessions"),
    Shot("large", "/model/Large?page=2"),
)

IN_DOCS: Final = (ALL[3],)


def main(folder: Path | None) -> None:
    """Take them."""
    shots = ALL if folder else IN_DOCS
    sizes = SIZES if folder else (_PICTURE,)
    into = folder or PICTURES
    into.mkdir(parents=True, exist_ok=True)
    with _running() as (llum, browser):
        base = llum.http.replace("127.0.0.1", "localhost")
        sid = give_session(llum, details={"firstname": "Alice"})
        for size in sizes:
            for scheme in SCHEMES:
                with viewing(browser, base, size, scheme, reduced_motion="reduce") as viewer:
                    for shot in shots:
                        _take(viewer, shot, sid, into / f"{shot.name}-{_NAMES[size]}-{scheme}.png", whole=bool(folder))


def _take(viewer: Viewer, shot: Shot, sid: str, file: Path, *, whole: bool) -> None:
    viewer.context.clear_cookies()
    if shot.signed_in:
        viewer.sign_in_as(sid)
    viewer.page.goto(viewer.base + shot.path)
    _open(viewer.page, shot.opened)
    viewer.page.screenshot(path=file, full_page=whole)
    print(file)


def _open(page: Any, count: int) -> None:
    page.locator("main details").evaluate_all(f"all => all.slice(0, {count}).forEach(one => {{ one.open = true }})")


@contextmanager
def _running() -> Iterator[tuple[Llum, Browser]]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        llum = Llum(Path(folder))
        try:
            llum.start()
            fill_model(llum)
            browser = playwright.chromium.launch(**chromium_options())
            yield llum, browser
            browser.close()
        finally:
            llum.clean_up()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
