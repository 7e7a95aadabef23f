"""Pages about one person's evidence, typed as a reader would type them."""

import os
import sys
from pathlib import Path

import pytest

from tests.docs.test_readme import matches, run_all, steps_of
from tests.system.harness import Llum

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.parametrize("page", ["take-something-back.md", "ask-what-was-true.md"])
def test_the_page_works_as_printed(tmp_path: Path, page: str) -> None:
    """What follows is withdrawn, as the preview has said; and what arrives late takes its place in the past."""
    steps = steps_of((PAGES / page).read_text())
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
