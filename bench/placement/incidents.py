"""What befalls the hosts: crashes, repairs, racks without power or network, pauses, upgrades."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from bench.placement.rates import DAY_S, HOSTS_PER_RACK, MINUTE_S, YEAR_S, Rates
from bench.placement.world import World

SEAT_S: Final = DAY_S
"""So long a host that is away keeps its place."""
DRAINED_WITHIN_S: Final = 10 * MINUTE_S
DRAINED_AT_ONCE: Final = 50
"""The share of hosts that are drained together in an upgrade is one in so many."""
LOOK_S: Final = 1.0


class Incidents:
    """Lets things happen to a world, each kind at its own rate."""

    def __init__(self, world: World, rates: Rates, chance: random.Random) -> None:
        self._world, self._chance = world, chance
        self._racks = [
            frozenset(world.hosts[first : first + HOSTS_PER_RACK])
            for first in range(0, len(world.hosts), HOSTS_PER_RACK)
        ]
        hosts, racks = len(world.hosts), len(self._racks)
        self._again(rates.crashes_per_host * hosts, lambda: self._crash([self._one()], world.times.crash()))
        self._again(rates.repairs_per_host * hosts, lambda: self._crash([self._one()], world.times.repair(), False))
        self._again(rates.outages_per_rack * racks, lambda: self._crash(self._rack(), world.times.rack_outage()))
        self._again(rates.cuts_per_rack * racks, lambda: self._cut(frozenset(self._rack()), world.times.cut()))
        self._again(rates.random_cuts * 30, lambda: self._cut(self._some(), world.times.cut()))
        self._again(rates.pauses_per_host * hosts, lambda: self._cut(frozenset([self._one()]), world.times.pause()))
        if rates.upgrades:
            world.after(YEAR_S / rates.upgrades / 2, lambda: self._upgrade(YEAR_S / rates.upgrades))

    def _again(self, per_year: float, do: Callable[[], None]) -> None:
        def happen() -> None:
            do()
            self._world.after(self._world.times.next_after(per_year), happen)

        if per_year > 0:
            self._world.after(self._world.times.next_after(per_year), happen)

    def _one(self) -> str:
        return self._chance.choice(self._world.hosts)

    def _rack(self) -> Sequence[str]:
        return sorted(self._chance.choice(self._racks))

    def _some(self) -> frozenset[str]:
        """A few hosts that hear each other and nobody else: a thirtieth of a time of random losses."""
        return frozenset(self._chance.sample(self._world.hosts, min(5, len(self._world.hosts) // 2)))

    def _crash(self, hosts: Sequence[str], lasts_s: float, keeps_disk: bool = True) -> None:
        world = self._world
        down = [host for host in hosts if host in world.up and host not in world.away]
        for host in down:
            world.stop(host, keeps_disk)
            world.after(lasts_s + world.times.start(), partial(world.start, host))
            if lasts_s > SEAT_S:
                world.after(SEAT_S, partial(world.forget, host))
        world.after(world.times.silence(), lambda: self._give_up(down))

    def _give_up(self, hosts: Sequence[str]) -> None:
        down = [host for host in hosts if host not in self._world.up]
        if down:
            self._world.given_up(down, "failure")

    def _cut(self, hosts: frozenset[str], lasts_s: float) -> None:
        world = self._world
        group = frozenset(
            host for host in hosts if host in world.up and host not in world.away and host not in world.cut
        )
        if not group:
            return
        world.cut_off(group)
        world.after(world.times.silence(), lambda: self._give_up_cut(group))
        world.after(world.times.silence(), lambda: world.alone(group) if len(group) > 1 else None)
        for host in sorted(group):
            world.after(lasts_s, partial(world.heal, host))

    def _give_up_cut(self, hosts: frozenset[str]) -> None:
        cut = sorted(host for host in hosts if host in self._world.cut)
        if cut:
            self._world.given_up(cut, "failure")

    def _upgrade(self, every_s: float) -> None:
        hosts = self._world.hosts
        self._drain(0, max(1, len(hosts) // DRAINED_AT_ONCE))
        self._world.after(every_s, lambda: self._upgrade(every_s))

    def _drain(self, first: int, count: int) -> None:
        world = self._world
        batch = [
            h
            for h in world.hosts[first : first + count]
            if h in world.up and h not in world.away and h not in world.cut
        ]
        for host in batch:
            world.drain(host)
        world.after(LOOK_S, lambda: self._restart(first, count, batch, world.now + DRAINED_WITHIN_S))

    def _restart(self, first: int, count: int, batch: list[str], until_s: float) -> None:
        """Start those anew that have handed everything over, and go on when all are back."""
        world = self._world
        for host in [host for host in batch if host in world.away and host in world.up]:
            if host not in world.cut and (world.is_free(host) or world.now >= until_s):
                world.stop(host)
                world.given_up([host], "upgrade")
                world.after(world.times.start(), partial(world.start, host))
        if any(host in world.away for host in batch):
            world.after(LOOK_S, lambda: self._restart(first, count, batch, until_s))
        elif first + count < len(world.hosts):
            self._drain(first + count, count)
