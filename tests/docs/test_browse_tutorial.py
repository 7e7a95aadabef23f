"""The browser's tutorial, typed into a terminal by the tests as a person would."""

import os
import sys
from pathlib import Path

from tests.docs.screen import COLUMNS, Terminal, matches, steps_of
from tests.system.harness import Llum

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "browse.md"


def test_the_screens_are_those_of_the_page(tmp_path: Path) -> None:
    """Whoever types what the page says sees what the page shows."""
    llum = Llum(tmp_path)
    try:
        llum.start()
        (tmp_path / ".venv").symlink_to(sys.prefix)
        (tmp_path / "examples").symlink_to(ROOT / "examples")
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        terminal = Terminal(tmp_path, kept | llum.environment)
        try:
            for step, shown in terminal.run(steps_of(PAGE.read_text())):
                assert matches(step.expected, shown), (
                    f"{step.prompt} {step.typed}\nexpected:\n{step.expected}\nshown:\n{shown}\n\n{terminal.text()}"
                )
        finally:
            terminal.close()
    finally:
        llum.clean_up()


def test_the_page_fits_its_terminal() -> None:
    """Nothing that is typed or shown is wider than the terminal that the page promises."""
    too_wide = [
        line
        for step in steps_of(PAGE.read_text())
        for line in (f"{step.prompt} {step.typed}", *step.expected)
        if len(line) > COLUMNS and "…" not in line
    ]
    assert not too_wide
