"""The sandbox that all tests of the model run in bites."""

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .sandbox import Impure, sandbox

OUTSIDE = [
    ("import time", "time.time()"),
    ("from time import monotonic", "monotonic()"),
    ("from datetime import datetime", "datetime.now()"),
    ("import datetime", "datetime.date.today()"),
    ("import random", "random.random()"),
    ("from random import choice", "choice([1])"),
    ("from random import Random", "Random()"),
    ("import uuid", "uuid.uuid4()"),
    ("import secrets", "secrets.token_hex()"),
    ("from os import urandom", "urandom(1)"),
    ("import io", "io.open('/dev/null')"),
    ("from pathlib import Path", "Path('/dev/null').read_bytes()"),
    ("import os", "os.listdir('/')"),
    ("import socket", "socket.socket()"),
    ("import subprocess", "subprocess.run(['true'])"),
    ("import sqlite3", "sqlite3.connect(':memory:')"),
    ("import threading", "threading.Thread(target=print).start()"),
    ("import time", "time.sleep(0)"),
]
"""What a module might import, and do."""


def module_of(name: str, imports: str, does: str) -> types.ModuleType:
    """Make a module with a function `act`."""
    module = types.ModuleType(name)
    exec(f"{imports}\ndef act():\n    return {does}\n", vars(module))
    return module


@pytest.fixture
def pretender() -> Iterator[Callable[[str, str], Any]]:
    """Give the function of a module that is said to be the model's and was there before the sandbox."""
    with pytest.MonkeyPatch.context() as patch:

        def pretend(imports: str, does: str) -> Any:
            module = module_of("model.pretender", imports, does)
            patch.setitem(sys.modules, "model.pretender", module)
            return module.act

        yield pretend


@pytest.mark.parametrize(("imports", "does"), OUTSIDE)
def test_the_model_cannot(imports: str, does: str, pretender: Callable[[str, str], Any]) -> None:
    """Neither directly nor by a name that it has imported before."""
    act = pretender(imports, does)
    with sandbox(), pytest.raises(Impure):
        act()


def test_a_library_cannot_for_the_model_either(pretender: Callable[[str, str], Any]) -> None:
    """What is called on behalf of the model is its doing, however far down."""
    act = pretender("import tempfile", "tempfile.TemporaryFile()")
    with sandbox(), pytest.raises(Impure):
        act()


@pytest.mark.parametrize(("imports", "does"), OUTSIDE)
def test_all_others_can(imports: str, does: str) -> None:
    """Hypothesis needs its dice, pytest its clock, and a test may read a file."""
    module_of("somebody_else", imports, does).act()


def test_an_impure_model_fails_however_much_it_catches(pretender: Callable[[str, str], Any]) -> None:
    """A broad except does not hide it."""
    act = pretender(CATCHING, "read('/dev/null')")
    with sandbox(), pytest.raises(Impure):
        act()


CATCHING = """
def read(path):
    try:
        return open(path)
    except Exception:
        return None
"""
