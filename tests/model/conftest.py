"""Tests of the model run in a sandbox: it is a function of what it is given, and of nothing else."""

from collections.abc import Iterator

import pytest

from .sandbox import sandbox


@pytest.fixture(autouse=True, scope="module")
def _sandbox() -> Iterator[None]:
    with sandbox():
        yield
