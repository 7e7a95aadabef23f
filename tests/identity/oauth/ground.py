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
        self.tokens = Tokens(bus, clock)
        self.ring = WatchedRing(bus, REFRESH_KEYS)
        self.issuing = Issuing(bus, self.tokens)
        self.issuing.families = Families(Bucket(bus, FAMILY_BUCKET), self.tokens, self.ring, now=clock)
        self.issuing._codes = Codes(bus, clock)
        self.families = self.issuing.families
        self.devices = self.issuing.devices = Devices(bus, self.ring, self.families, clock)

    def close(self) -> None:
        self.ring.close()
