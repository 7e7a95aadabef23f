"""Importing libraries without what they would bring along: a start is mostly imports, and all of it stays in memory."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Have these modules missing as long as the block lasts, unless they have been imported already.

    For what a library uses if it is there, and does without otherwise.
    """
    with _standing_in(dict.fromkeys(names)):
        yield


@contextmanager
def later(*names: str) -> Iterator[dict[str, ModuleType]]:
    """Have imports of these modules give stand-ins, which import the real ones when they are first looked into.

    Gives those stand-ins that were needed.
    """
    stand_ins: dict[str, ModuleType] = {name: _Later(name) for name in names if name not in sys.modules}
    with _standing_in(stand_ins):
        yield stand_ins


@contextmanager
def _standing_in(modules: Any) -> Iterator[None]:
    needed = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(needed)
    try:
        yield
    finally:
        for name in needed:
            del sys.modules[name]


class _Later(ModuleType):
    """A module that is imported when something in it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)
