"""The programs of the page about the SDK, run as a reader would run them.

Method: each `python` block is saved under the name that the text before it says, and the console blocks run in one
shell beside a fresh llum, as those of the README do.
"""

import os
import re
import sys
from pathlib import Path

from tests.docs.test_readme import matches, run_all, steps_of
from tests.system.harness import Llum

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-sdk.md"


def programs_of(markdown: str) -> dict[str, str]:
    """Give the programs by the names that they are saved under."""
    found = re.findall(r"[Ss]ave this as `(\w+\.py)`:\n\n```python\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    return dict(found)


def test_the_programs_print_what_the_page_says(tmp_path: Path) -> None:
    """All of them, in the order of the page."""
    text = PAGE.read_text()
    llum = Llum(tmp_path)
    try:
        llum.start()
        for name, program in programs_of(text).items():
            (tmp_path / name).write_text(program)
        path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
        steps = steps_of(text)
        ran = run_all(steps, tmp_path, os.environ | llum.environment | {"PATH": path})
        for step, printed in zip(steps, ran, strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\nexpected:\n{step.expected}\nprinted:\n{printed}"
    finally:
        llum.clean_up()


def test_every_program_of_the_page_is_run() -> None:
    """None is printed without a name, or saved and not started."""
    text = PAGE.read_text()
    names = list(programs_of(text))
    assert len(names) == text.count("```python")
    assert [step.command for step in steps_of(text) if step.command.startswith("python ")] == [
        f"python {name}" for name in names
    ]
