"""The program of the page about apps, run as a reader would run it, with a person who decides in a browser."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import fill_model, give_session
from tests.browser.viewing import DESK, viewing
from tests.docs.test_readme import matches, steps_of
from tests.system.harness import Llum, until

pytestmark = pytest.mark.long

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-an-app.md"


def allow(page: Page, printed: Path, number: int) -> None:
    """Open what the program says, and allow it."""

    def asked() -> list[str]:
        return re.findall(r"^open (\S+)\n", printed.read_text(), re.MULTILINE)[number:]

    page.goto(until(asked, f"the program asks, {number}")[0])
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("You can close this window.")).to_be_visible()


def test_the_program_prints_what_the_page_says(browser: Browser, llum: Llum, base: str, tmp_path: Path) -> None:
    """It asks, tells, learns what is missing, asks for that, refreshes and signs out."""
    text = PAGE.read_text()
    ((name, program),) = re.findall(r"[Ss]ave this as `(\S+)`:\n\n```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / name).write_text(program)
    (registering,) = re.findall(r"^llum (admin client add .*)$", text, re.MULTILINE)
    fill_model(llum)
    llum.run(*registering.replace("'", "").split())
    (step,) = steps_of(text)
    printed = tmp_path / "printed"
    with viewing(browser, base, DESK) as viewer, printed.open("wb") as file:
        viewer.sign_in_as(give_session(llum))
        running = subprocess.Popen([sys.executable, name, base], cwd=tmp_path, stdout=file)
        try:
            for number in range(text.count("\nopen http")):
                allow(viewer.page, printed, number)
            assert running.wait(60) == 0, printed.read_text()
        finally:
            running.kill()
    expected = [line.replace("http://localhost:8080", base) for line in step.expected]
    assert matches(expected, printed.read_text().splitlines()), printed.read_text()
