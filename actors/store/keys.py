"""What makes a command the same command: its user, its app and its id."""

import hashlib
from typing import NamedTuple

import msgspec

from schemas.replies import Outcome


class CommandKey(msgspec.Struct, frozen=True, gc=False):
    """A command's key. Make one with `command_key`: the hash is taken once, and needed three times."""

    user: str
    app: str
    id: str
    hashed: int
    """64 bits, signed: the narrow index by which repeats are found. The rest of the key tells collisions apart."""


class First(NamedTuple):
    """What is known of a command that has been seen before."""

    outcome: Outcome
    body: int | None
    """The digest of its body; None: it is not kept."""


def command_key(user: str, app: str, command_id: str) -> CommandKey:
    digest = hashlib.blake2b(f"{user}\0{app}\0{command_id}".encode(), digest_size=8).digest()
    return CommandKey(user, app, command_id, int.from_bytes(digest, "little", signed=True))
