"""Which worker serves which partition: weighted rendezvous hashing, a pure function of who is there.

Each pair of a partition and a host has a score of its own, so a host that comes or goes moves the partitions that are
its own and no others, and a host of twice the weight has twice as many. Method and weights: Thaler and Ravishankar,
"Using name-based mappings to increase hit rates" (1998); Schindelhauer and Schomaker, "Weighted distributed hash
tables" (2005): the score of weight w and a hash h from (0, 1) is -w / ln h.
"""

import hashlib
import math
from collections.abc import Collection
from typing import Final, NamedTuple

_BITS: Final = 52
"""Bits of a hash that are used: a float has room for them between 0 and 1, without either."""


class Host(NamedTuple):
    """A worker process that may serve partitions."""

    id: str
    weight: float = 1.0
    """Its share of partitions, compared with others. Above 0."""


Placement = list[tuple[str, ...]]
"""By partition: the ids of the hosts that serve it, the one that is to be its primary first."""


def place(partitions: int, hosts: Collection[Host], replicas: int) -> Placement:
    """Give each partition as many hosts as `replicas` says, or all if there are fewer."""
    return [tuple(_ranked(number, hosts)[:replicas]) for number in range(partitions)]


def _ranked(partition: int, hosts: Collection[Host]) -> list[str]:
    return [host.id for host in sorted(hosts, key=lambda host: (-_score(partition, host), host.id))]


def _score(partition: int, host: Host) -> float:
    digest = hashlib.blake2b(f"{partition}/{host.id}".encode(), digest_size=8).digest()
    share = ((int.from_bytes(digest) >> (64 - _BITS)) + 0.5) / 2**_BITS
    return -host.weight / math.log(share)
