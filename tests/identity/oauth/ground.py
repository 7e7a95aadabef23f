"""What the tests of codes and families stand on."""

from bus.connection import Bus
from bus.key_rings import REFRESH_KEYS, WatchedRing
from bus.kv import Bucket
from bus.subjects import FAMILY_BUCKET
from identity.oauth.codes import Codes
from identity.oauth.devices import Devices
from identity.oauth.families import Families
from identity.oauth.issuing import Issuing
from identity.tokens import Tokens


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Edge:
    """One of several processes that issue tokens."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self.noted: list[tuple[str, str, str]] = []
        """What was written into people's records."""
        self.tokens = Tokens(bus, clock)
        self.ring = WatchedRing(bus, REFRESH_KEYS)
        self.issuing = Issuing(bus, self.tokens)
        bucket = Bucket(bus, FAMILY_BUCKET)
        self.issuing.families = Families(bucket, self.tokens, self.ring, now=clock, note=self._noted)
        self.issuing._codes = Codes(bus, clock)
        self.families = self.issuing.families
        self.devices = self.issuing.devices = Devices(bus, self.ring, self.families, clock)

    async def _noted(self, user: str, app: str, event: str) -> None:
        self.noted.append((user, app, event))

    def close(self) -> None:
        self.ring.close()
