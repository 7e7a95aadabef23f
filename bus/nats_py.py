"""nats-py, without what it imports for websockets and for a JetStream client that is not used here.

aiohttp alone takes three times as long to import as all the rest, in each process and in each command that is typed.
So stand-ins are there while nats-py is imported. They import the real thing when it is first looked into.
"""

import importlib
import sys
from types import ModuleType
from typing import Any, Final

__all__ = ["nats"]

_LATER: Final = ("aiohttp", "multidict", "nats.js")
"""What nats-py imports at once, and uses seldom or, from here, never."""


class _Later(ModuleType):
    """A module that is imported when something in it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _imported() -> Any:
    stand_ins = {name: _Later(name) for name in _LATER if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        package: Any = importlib.import_module("nats")
    finally:
        for name in stand_ins:
            del sys.modules[name]
    if "nats.js" in stand_ins:
        package.js = stand_ins["nats.js"]
    return package


nats: Any = _imported()
"""The package as `import nats` gives it."""
