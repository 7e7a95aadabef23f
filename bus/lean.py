"""Importing libraries without what they would bring along: a start is mostly imports, and all of it stays in memory."""

import importlib
import importlib.util
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


def modules_alone(name: str) -> None:
    """Have modules of a package imported without the package's own `__init__`, unless that has run already.

    It runs when something is wanted from the package that is no module of it. aiohttp's imports its whole client, half
    of what it is, and loads the certificates of authorities twice: a process that is a server needs neither.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is not None:
        package = importlib.util.module_from_spec(spec)
        package.__class__ = _ModulesAlone
        sys.modules[name] = package


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


class _ModulesAlone(ModuleType):
    """A package whose `__init__` has not run."""

    __version__ = ""
    """What its modules may want before they know the right one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or importlib.util.find_spec(f"{self.__name__}.{name}") is not None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)
