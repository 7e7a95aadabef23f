"""Examples from elsewhere that lie beside the repository: read if they are there, never copied into it."""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent

SHARED_DATA: Final = Path(os.environ.get("LLUM_SHARED_DATA") or ROOT.parent / "shared" / "data")
"""The folder of the examples: beside the repository, or where the variable says."""


def shared_path(name: str) -> Path:
    """Give the place of a file or folder such as `preferences/get.json`, or skip the test if it is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(_missing(path))
    return path


def shared_json(name: str) -> Any:
    """Read one of the files, or skip the test."""
    return json.loads(shared_path(name).read_text("utf-8"))


def shared_cases(name: str, *members: str) -> list[Any]:
    """Give a list inside one of the files for `parametrize`; if the file is not there, one case that is skipped."""
    path = SHARED_DATA / name
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=_missing(path)), id="not here")]
    cases = json.loads(path.read_text("utf-8"))
    for member in members:
        cases = cases[member]
    return list(cases)


def _missing(path: Path) -> str:
    return f"the examples {path} are not here: LLUM_SHARED_DATA may name their folder"
