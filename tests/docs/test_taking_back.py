"""The page about taking something back, typed as a reader would type it."""

import os
import sys
from pathlib import Path

from tests.docs.test_readme import matches, run_all, steps_of
from tests.system.harness import Llum

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "take-something-back.md"


def test_the_page_works_as_printed(tmp_path: Path) -> None:
    """What is withdrawn goes with what a rule has told because of it, as the preview has said."""
    steps = steps_of(PAGE.read_text())
    llum = Llum(tmp_path)
    try:
        llum.start()
        path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
        ran = run_all(steps, tmp_path, os.environ | llum.environment | {"PATH": path})
        for step, printed in zip(steps, ran, strict=True):
            expected = [line for line in step.expected if line]
            assert matches(expected, printed), f"$ {step.command}\nexpected:\n{expected}\nprinted:\n{printed}"
    finally:
        llum.clean_up()
