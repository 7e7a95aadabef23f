"""One browser and one llum for each module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.viewing import chromium_options
from tests.system.conftest import pytest_runtest_makereport as pytest_runtest_makereport
from tests.system.harness import Llum


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**chromium_options())
        yield started
        started.close()


@pytest.fixture(scope="module")
def llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    llum = Llum(tmp_path_factory.mktemp("pages"))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()


@pytest.fixture(scope="module")
def base(llum: Llum) -> str:
    """Where the browser finds it: passkeys need a name, and take this one without TLS."""
    return llum.http.replace("127.0.0.1", "localhost")
