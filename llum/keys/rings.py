"""Keys that are kept on the bus: their ages, and new ones."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bus.key_rings import KeyRings, Ring, RingKey, new_ring, replaced
from identity.tokens import Tokens
from llum.keys.kinds import RINGS, RingKind

if TYPE_CHECKING:
    from llum.client import Client

_SLACK_S: Final = 60.0
"""Seconds that an issuer may take between reading a key and storing what was made with it."""


async def read_rings(client: "Client") -> dict[RingKind, Ring]:
    """Read all rings. Raises `Transient`."""
    rings = KeyRings(client.bus)
    return {kind: await rings.read(rule.ring) for kind, rule in RINGS.items()}


async def rotate_ring(client: "Client", kind: RingKind, *, now_only: bool) -> Ring:
    """Put a new key into a ring. With `now_only` it is used at once, and no other one is accepted.

    Raises `Refusal` while another new key waits, `Transient`.
    """
    rings, rule = KeyRings(client.bus), RINGS[kind]
    if now_only:
        return await rings.change(rule.ring, lambda _: new_ring(time.time()))
    lifetimes = await Tokens(client.bus).lifetimes() if rule.accepted_s is None else []

    def with_new(ring: Ring) -> Ring:
        kept = without_unneeded(ring, lifetimes) if rule.accepted_s is None else ring
        return replaced(kept, time.time(), rule.used_after_s, rule.accepted_s)

    return await rings.change(rule.ring, with_new)


def without_unneeded(ring: Ring, lifetimes: Sequence[tuple[float, float]]) -> Ring:
    """Drop the keys with which no token was made that is there still. `lifetimes`: when each was made, and expires."""
    newest, *older = ring.keys
    successors: list[RingKey] = [newest, *older]
    kept = [
        key
        for key, successor in zip(older, successors, strict=False)
        if any(key.used_from <= made < successor.used_from + _SLACK_S for made, _ in lifetimes)
    ]
    return Ring((newest, *kept))
