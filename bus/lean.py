"""Importing libraries without what they would bring along: a start is mostly imports, and all of it stays in memory."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where OpenSSL looks."""


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
def without_certificates() -> Iterator[None]:
    """Have no certificates of authorities loaded as long as the block lasts.

    aiohttp loads them twice when it is imported, for its client: a tenth of what the whole import takes. A process that
    is only a server needs none. With a context that was made meanwhile, no other side can be verified.
    """
    before = {name: os.environ.get(name) for name in _CERTIFICATES}
    os.environ.update(dict.fromkeys(_CERTIFICATES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
