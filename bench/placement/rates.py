"""How often what fails, and how long it takes. Each figure has its source, or says that it is assumed.

Dean: talks about Google's clusters (2008, 2009). Ford et al.: "Availability in globally distributed storage systems"
(2010). Vishwanath and Nagappan: "Characterizing cloud computing hardware reliability" (2010). Gill, Jain and Nagappan:
"Understanding network failures in data centers" (2011).
"""

import random
from typing import Final

import msgspec

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0
YEAR_S: Final = 365 * DAY_S

HEARTBEAT_S: Final = 0.5
DEAD_AFTER_S: Final = 2.0
"""A host that was not heard for so long is believed dead."""
MOVES_AT_ONCE: Final = 4
"""Partitions that a host catches up with at the same time."""
HOSTS_PER_RACK: Final = 40
"""Dean: 40 to 80 machines."""


class Rates(msgspec.Struct, frozen=True):
    """Failures per year."""

    crashes_per_host: float = 12 / 4.3
    """Ford et al. (2010): a node fails every 4.3 months."""
    repairs_per_host: float = 0.08
    """Vishwanath and Nagappan (2010): 8 % of servers need a repair in a year."""
    outages_per_rack: float = 20 / 45
    """Dean (2008): 20 racks fail in the first year of a cluster of 1,800 machines, 45 racks of 40."""
    cuts_per_rack: float = 0.05
    """Gill et al. (2011): 5 % of the switches of racks fail in a year. Here the rack's hosts see each other still."""
    random_cuts: float = 4.0
    """Dean (2008): four times a year maintenance of the network makes connections fail at random for 30 minutes."""
    pauses_per_host: float = 1.0
    """Assumed: a process that stands still for seconds, by a full disk, swapping, a virtual machine that moves."""
    upgrades: float = 12.0
    """Assumed: all hosts are drained and started anew each month."""


class Durations:
    """Draws times, in seconds, from one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def next_after(self, per_year: float) -> float:
        return self._chance.expovariate(per_year / YEAR_S)

    def crash(self) -> float:
        """Ford et al.: less than a tenth lasts longer than 15 minutes. The median of 4 minutes is assumed."""
        return max(10.0, self._lognormal(4 * MINUTE_S, 1.03))

    def repair(self) -> float:
        """Assumed: one to four days, without what was on the disk."""
        return self._chance.uniform(1, 4) * DAY_S

    def rack_outage(self) -> float:
        """Dean (2008): one to six hours."""
        return self._chance.uniform(1, 6) * HOUR_S

    def cut(self) -> float:
        """Gill et al.: most are over in minutes. Assumed: a median of a minute, 3 seconds to an hour."""
        return min(HOUR_S, max(3.0, self._lognormal(MINUTE_S, 1.5)))

    def pause(self) -> float:
        """Assumed."""
        return self._lognormal(5.0, 0.7)

    def delay(self) -> float:
        """On the way over the bus: a median of 5 ms; 1 in 1,000 is lost and read half a second later. Assumed."""
        lost = 0.5 if self._chance.random() < 0.001 else 0.0
        return lost + self._lognormal(0.005, 0.8)

    def silence(self) -> float:
        """From a failure until the bus gives the host up: its last heartbeat was up to half a second before."""
        return DEAD_AFTER_S - self._chance.uniform(0, HEARTBEAT_S)

    def heartbeat(self) -> float:
        return self._chance.uniform(0, HEARTBEAT_S)

    def start(self) -> float:
        """Assumed: until a process that starts is on the bus."""
        return self._chance.uniform(2, 5)

    def catch_up(self, has_copy: bool) -> float:
        """Assumed: reading the tail of the log, or restoring a snapshot of about 100 MB first."""
        return self._lognormal(2.0, 0.5) if has_copy else self._lognormal(20.0, 0.6)

    def _lognormal(self, median: float, sigma: float) -> float:
        return median * self._chance.lognormvariate(0, sigma)
