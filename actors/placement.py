"""Which worker serves which partition: rendezvous hashing with bounded loads, a pure function of who is there.

Each host has a list of wishes: all partitions, in an order that its id alone decides. The hosts take turns by place in
their lists, one of twice the weight twice as often, and a wish is granted if the partition lacks a copy and the host
has room. So a host that comes or goes changes little for the others, and none has more than its bound:

* Copies: its share by weight, times `SLACK`, rounded down; where the share rounded up is more, that.
* Primaries: the same of its share of primaries; where its copies divided by the replicas, rounded up, are more, that.

A host that is away for a while may stay in the list: what it had is given to others, and nothing else moves.

Methods: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); lists of wishes: Eisenbud et
al., "Maglev" (2016); bounds: Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads" (2018).
"""

import heapq
import math
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from actors.primaries import with_primaries_first
from actors.rerouting import make_room
from actors.wishes import WishList

SLACK: Final = 1.14
"""How far above its share of copies a host may come. With less, others move when a host comes or goes."""

_NOTHING: Final = 1e-9
"""By less than this a share is above a whole number because of rounding only."""

_KEPT: Final = 4
"""Sets of hosts whose copies are remembered: who goes away and comes back changes none of them."""


class Host(NamedTuple):
    """A worker process that may serve partitions."""

    id: str
    weight: float = 1.0
    """Its share of partitions, compared with others. Above 0."""
    away: bool = False
    """It is expected back. It gets nothing, but the places of all others are as if it were there."""


Placement = list[tuple[str, ...]]
"""By partition: the ids of the hosts that serve it, the one that is to be its primary first."""


def place(partitions: int, hosts: Collection[Host], replicas: int) -> Placement:
    """Give each partition as many hosts as `replicas` says, or all if there are fewer."""
    everybody = tuple(sorted(host._replace(away=False) for host in hosts))
    there = sorted(host for host in hosts if not host.away)
    present = {host.id for host in there}
    copies = [[host for host in one if host in present] for one in _with_all(partitions, everybody, replicas)]
    if len(there) < len(everybody):
        _fill(copies, there, min(replicas, len(there)))
    return with_primaries_first(copies, _primaries(copies, there, min(replicas, len(there))))


@lru_cache(_KEPT)
def _with_all(partitions: int, hosts: tuple[Host, ...], replicas: int) -> list[list[str]]:
    copies: list[list[str]] = [[] for _ in range(partitions)]
    _fill(copies, hosts, min(replicas, len(hosts)))
    return copies


def shares(partitions: int, hosts: Sequence[Host], replicas: int) -> list[float]:
    """Divide all copies by weight. None gets more than one copy of each partition: the others have the rest."""
    found = [0.0] * len(hosts)
    copies, weight = float(partitions * replicas), math.fsum(host.weight for host in hosts)
    for index in sorted(range(len(hosts)), key=lambda index: -hosts[index].weight):
        found[index] = min(copies * hosts[index].weight / weight, partitions) if weight > 0 else 0.0
        copies -= found[index]
        weight -= hosts[index].weight
    return found


def bound(share: float) -> int:
    """Say how many copies a host may have at most."""
    return max(math.ceil(share - _NOTHING), math.floor(share * SLACK))


def _fill(copies: list[list[str]], hosts: Sequence[Host], replicas: int) -> None:
    """Add hosts to the partitions that have fewer than `replicas`, within the bounds."""
    bounds = [min(bound(share), len(copies)) for share in shares(len(copies), hosts, replicas)]
    room = {host.id: most for host, most in zip(hosts, bounds, strict=True)}
    for one in copies:
        for host in one:
            room[host] -= 1
    missing = sum(replicas - len(one) for one in copies)
    missing -= _grant(copies, hosts, replicas, room, missing)
    if missing:
        make_room(copies, replicas, room)


def _primaries(copies: list[list[str]], hosts: Sequence[Host], replicas: int) -> dict[str, int]:
    """Say of how many partitions each host may be the primary."""
    counts = Counter(host for one in copies for host in one)
    fair = shares(len(copies), hosts, replicas)
    return {
        host.id: max(math.ceil(counts[host.id] / replicas), bound(share / replicas))
        for host, share in zip(hosts, fair, strict=True)
    }


def _grant(copies: list[list[str]], hosts: Sequence[Host], replicas: int, room: dict[str, int], missing: int) -> int:
    """Let the hosts take what they wish, in turns, and say how many copies they took."""
    lists = {host.id: WishList(host.id, len(copies)) for host in hosts}
    turns = [(lists[h.id].start / h.weight, h.id, 1 / h.weight, iter(lists[h.id])) for h in hosts if room[h.id] > 0]
    heapq.heapify(turns)
    taken = 0
    while turns and taken < missing:
        turn, host, step, wishes = turns[0]
        number = next(wishes, None)
        if number is None:
            heapq.heappop(turns)
            continue
        if len(copies[number]) < replicas and host not in copies[number]:
            copies[number].append(host)
            room[host] -= 1
            taken += 1
        if room[host] > 0:
            heapq.heapreplace(turns, (turn + step, host, step, wishes))
        else:
            heapq.heappop(turns)
    return taken
