"""The program of the page about other languages, run as a reader would run it, with a client that we did not write."""

import os
import re
import sys
from pathlib import Path

from tests.clients.node import node_modules
from tests.docs.test_readme import matches, run_all, steps_of
from tests.system.harness import Llum

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "speak-from-another-language.md"


def test_the_program_in_javascript_prints_what_the_page_says(tmp_path: Path) -> None:
    """It tells, hears the outcome, asks, and is told what it may not."""
    modules = node_modules()
    text = PAGE.read_text()
    ((name, program),) = re.findall(r"save this as `(\S+)`:\n\n```js\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    llum = Llum(tmp_path)
    try:
        llum.start()
        (tmp_path / name).write_text(program)
        (tmp_path / "node_modules").symlink_to(modules)
        path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
        environment = os.environ | llum.environment | {"PATH": path, "LLUM_BUS": llum.bus}
        steps = steps_of(text)
        for step, printed in zip(steps, run_all(steps, tmp_path, environment), strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\nexpected:\n{step.expected}\nprinted:\n{printed}"
    finally:
        llum.clean_up()
