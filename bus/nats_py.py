"""nats-py, without what it imports for websockets and for a JetStream client that is not used here.

aiohttp alone takes three times as long to import as all the rest, in each process and in each command that is typed.
"""

import importlib
from typing import Any

from bus.lean import later

__all__ = ["nats"]


def _imported() -> Any:
    with later("aiohttp", "multidict", "nats.js") as stand_ins:
        package: Any = importlib.import_module("nats")
    if "nats.js" in stand_ins:
        package.js = stand_ins["nats.js"]
    return package


nats: Any = _imported()
"""The package as `import nats` gives it."""
