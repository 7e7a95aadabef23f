"""Programs that tests need beside Python. Where one is missing its tests are skipped; with CI set they fail."""

import os
import shutil
from typing import NoReturn

import pytest

HINT = "run deploy/install-debian-packages.sh"


def need(program: str) -> str:
    """Give a program's path. Without it the test ends as `lacking` says."""
    path = shutil.which(program)
    if path is None:
        lacking(f"{program} is not installed: {HINT}")
    return path


def lacking(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI: what is skipped there would seem to hold."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
