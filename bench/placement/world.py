"""Hosts in simulated time: what they know of each other, hold, catch up with and believe to be the primary of.

The bus knows which hosts it hears. Each change of that is a new placement, of which each host hears after a delay of
its own, as of what others announce. All that a host does follows from `actors.moving.decide` on what it has heard.
"""

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Final

from actors.moving import Announced, decide
from actors.placement import Host, Placement, place
from bench.placement.measures import Measures
from bench.placement.rates import MOVES_AT_ONCE, Durations

_READY: Final = Announced(frozenset({0}))
"""Rules are asked about one partition at a time."""

COALESCE_S: Final = 0.01
"""Changes within this time are heard of together."""


class Outlook:
    """What one host knows of one partition."""

    __slots__ = ("placed", "ready", "version")

    def __init__(self, placed: tuple[str, ...], ready: set[str]) -> None:
        self.placed = placed
        self.ready = ready
        self.version = 0
        """Of the placement: one that is older than what was heard last is not heard."""


class World:
    """`count` hosts with `partitions` partitions. All are there and ready at second 0."""

    def __init__(self, count: int, partitions: int, replicas: int, chance: random.Random, measures: Measures) -> None:
        self.now = 0.0
        self.times = Durations(chance)
        self.measures = measures
        self.hosts = [f"worker-{number:04}" for number in range(count)]
        self.partitions, self.replicas = partitions, replicas
        self.up = set(self.hosts)
        self.cut: dict[str, frozenset[str]] = {}
        """By host that does not hear the bus: whom it hears."""
        self.silent: set[str] = set()
        self.away: set[str] = set()
        self.gone: set[str] = set()
        """Hosts that were away for so long that they have no place any more."""
        self.said: list[set[str]] = [set() for _ in range(partitions)]
        """Who has announced that it answers, as the bus knows it."""
        self.ready: list[set[str]] = [set() for _ in range(partitions)]
        self.holders: list[set[str]] = [set() for _ in range(partitions)]
        self.believers: list[set[str]] = [set() for _ in range(partitions)]
        """Who believes to be the primary."""
        self.held: defaultdict[str, set[int]] = defaultdict(set)
        self.stock: defaultdict[str, set[int]] = defaultdict(set)
        """Copies on the disk of each host."""
        self.views: dict[tuple[str, int], Outlook] = {}
        self._lives: defaultdict[str, int] = defaultdict(int)
        self._waiting: defaultdict[str, deque[int]] = defaultdict(deque)
        self._active: defaultdict[str, int] = defaultdict(int)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._back: set[str] = set()
        self._reason: str | None = None
        self._version = 0
        self.placement = self._place()
        self._begin()

    def after(self, delay_s: float, do: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + delay_s, self._number, do))

    def run(self, until_s: float) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now, _, do = heapq.heappop(self._events)
            do()
        self.now = until_s

    # What befalls hosts.

    def stop(self, host: str, keeps_disk: bool = True) -> None:
        """The process ends, without a word."""
        self._lives[host] += 1
        self.up.discard(host)
        self.cut.pop(host, None)
        for number in list(self.held[host]):
            self._drop(host, number)
        self._waiting[host].clear()
        self._active[host] = 0
        if not keeps_disk:
            self.stock[host].clear()

    def start(self, host: str) -> None:
        self.up.add(host)
        self.heard(host, "return")

    def given_up(self, hosts: Collection[str], reason: str) -> None:
        """The bus hears these no more."""
        for host in hosts:
            self.silent.add(host)
            self.away.add(host)
            for number in self.held[host] | self.stock[host]:
                self.said[number].discard(host)
        self.publish(reason)

    def drain(self, host: str) -> None:
        """It wants to go, and answers until others do."""
        self.away.add(host)
        self.publish("upgrade")

    def forget(self, host: str) -> None:
        self.gone.add(host)
        self.publish("gone for good")

    def heard(self, host: str, reason: str) -> None:
        """The bus hears this host, and the host the bus: after a start, or after it was cut off."""
        self.silent.discard(host)
        self.away.discard(host)
        self.gone.discard(host)
        for number in self.held[host]:
            if host in self.ready[number]:
                self.said[number].add(host)
                self._tell_holders(host, number)
        self._back.add(host)
        self.publish(reason)

    def cut_off(self, hosts: frozenset[str]) -> None:
        for host in hosts:
            self.cut[host] = hosts
            self._serve(self.held[host])

    def alone(self, hosts: frozenset[str]) -> None:
        """Those who hear each other only believe all others dead."""
        there = [Host(host, away=host not in hosts) for host in self.hosts]
        placement = place(self.partitions, there, self.replicas)
        for host in sorted(hosts & self.cut.keys()):
            for number in list(self.held[host]):
                view = self.views[host, number]
                view.placed = placement[number]
                view.ready &= hosts
                self._act(host, number)

    def heal(self, host: str) -> None:
        """It hears again; the bus hears it with its next heartbeat."""
        if self.cut.pop(host, None) is None:
            return
        self._serve(self.held[host])
        self._waiting[host].extend(sorted(n for n in self.held[host] if host not in self.ready[n]))
        life = self._lives[host]
        self.after(self.times.heartbeat() + self.times.delay(), lambda: self._resync(host, life))

    def is_free(self, host: str) -> bool:
        return not self.held[host]

    # What the bus says.

    def publish(self, reason: str) -> None:
        """Say soon where everything is to be."""
        if self._reason is None:
            self._reason = reason
            self.after(COALESCE_S, self._publish)

    def _publish(self) -> None:
        reason, self._reason = self._reason or "", None
        self._version += 1
        before, self.placement = self.placement, self._place()
        back, self._back = self._back, set()
        changed = [number for number in range(self.partitions) if before[number] != self.placement[number]]
        self._count(reason, before, changed, back)
        self._serve(changed)
        told = {number for host in sorted(back) for number in self.held[host]}
        told |= {number for number in range(self.partitions) if self.holders[number] & self.silent}
        for number in sorted(told.union(changed)):
            for host in sorted({*before[number], *self.placement[number], *self.holders[number]}):
                self._send(host, number)

    def _place(self) -> Placement:
        hosts = [Host(host, away=host in self.away) for host in self.hosts if host not in self.gone]
        placement = place(self.partitions, hosts, self.replicas)
        self.measures.placed(self.now, placement, len(hosts) - len(self.away - self.gone))
        return placement

    def _count(self, reason: str, before: Placement, changed: Iterable[int], back: set[str]) -> None:
        moves = ideal = 0
        for number in changed:
            new = set(self.placement[number]) - set(before[number])
            moves += sum(number not in self.stock[host] for host in new)
            ideal += sum(host in self.away for host in before[number])
            ideal += sum(host in back and number not in self.stock[host] for host in new)
        self.measures.moves[reason] += moves
        self.measures.ideal[reason] += ideal
        self.measures.events[reason] += 1

    def _send(self, host: str, number: int) -> None:
        if host in self.up and host not in self.cut:
            life, placed, version = self._lives[host], self.placement[number], self._version
            self.after(self.times.delay(), partial(self._deliver, host, life, number, placed, version))

    def _deliver(self, host: str, life: int, number: int, placed: tuple[str, ...], version: int) -> None:
        if self._lives[host] != life or host in self.cut:
            return
        view = self.views.get((host, number))
        if view is None:
            view = self.views[host, number] = Outlook(placed, set())
        if version < view.version:
            return
        view.version = version
        view.placed, view.ready = placed, self.said[number] - self.silent
        self._act(host, number)

    def _tell_holders(self, speaker: str, number: int) -> None:
        for host in sorted(self.holders[number] - {speaker}):
            if host not in self.cut:
                self.after(self.times.delay(), partial(self._hear, host, self._lives[host], speaker, number))

    def _hear(self, host: str, life: int, speaker: str, number: int) -> None:
        """Hear the last word that the bus has of the speaker: messages of one sender overtake none of its own."""
        view = self.views.get((host, number))
        if view is None or self._lives[host] != life or host in self.cut:
            return
        (view.ready.add if speaker in self.said[number] else view.ready.discard)(speaker)
        self._act(host, number)

    def _resync(self, host: str, life: int) -> None:
        if self._lives[host] == life and host not in self.cut:
            self.heard(host, "return")

    # What a host does.

    def _act(self, host: str, number: int) -> None:
        view = self.views[host, number]
        announced = dict.fromkeys(view.ready - {host}, _READY)
        if host in self.ready[number]:
            announced[host] = _READY
        holds = number in self.held[host]
        duties = decide(host, (0,) if holds else (), [view.placed], announced)
        if 0 in duties.hold and not holds and host not in self.cut:
            self._hold(host, number)
        elif holds and 0 not in duties.hold:
            self._leave(host, number)
        self._believe(host, number, 0 in duties.primary)

    def _hold(self, host: str, number: int) -> None:
        self.held[host].add(number)
        self.holders[number].add(host)
        self._waiting[host].append(number)
        self._catch_up_next(host)

    def _leave(self, host: str, number: int) -> None:
        self._drop(host, number)
        self.said[number].discard(host)
        if host not in self.away:
            self.stock[host].discard(number)
        self._tell_holders(host, number)

    def _drop(self, host: str, number: int) -> None:
        self.held[host].discard(number)
        self.holders[number].discard(host)
        self.ready[number].discard(host)
        self.views.pop((host, number), None)
        self._believe(host, number, False)

    def _catch_up_next(self, host: str) -> None:
        while self._waiting[host] and self._active[host] < MOVES_AT_ONCE and host not in self.cut:
            number = self._waiting[host].popleft()
            if number in self.held[host]:
                self._active[host] += 1
                life, has_copy = self._lives[host], number in self.stock[host]
                self.after(self.times.catch_up(has_copy), partial(self._caught_up, host, life, number, has_copy))

    def _caught_up(self, host: str, life: int, number: int, had_copy: bool) -> None:
        if self._lives[host] != life:
            return
        self._active[host] -= 1
        if number in self.held[host] and host not in self.cut:
            self.measures.copied += not had_copy
            self.stock[host].add(number)
            self.ready[number].add(host)
            self.said[number].add(host)
            self._serve((number,))
            self._tell_holders(host, number)
            self._act(host, number)
        self._catch_up_next(host)

    # What is counted.

    def _believe(self, host: str, number: int, is_primary: bool) -> None:
        (self.believers[number].add if is_primary else self.believers[number].discard)(host)
        self._serve((number,))

    def _serve(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            answering = self.ready[number] - self.cut.keys()
            self.measures.served(number, self.now, self.placement[number], answering)
            believers = self.believers[number]
            self.measures.believed(number, self.now, len(believers), len(believers - self.cut.keys()))

    def _begin(self) -> None:
        for number, placed in enumerate(self.placement):
            for host in placed:
                self.held[host].add(number)
                self.stock[host].add(number)
                self.views[host, number] = Outlook(placed, set(placed))
            for group in (self.ready, self.said, self.holders):
                group[number].update(placed)
            self.believers[number].add(placed[0])
