"""What makes a command the same command: its user, its app and its id."""

import hashlib
import struct
from typing import Final

import msgspec

from schemas.replies import Outcome


class CommandKey(msgspec.Struct, frozen=True, gc=False):
    """A command's key. Make one with `command_key`: the hash is taken once, and needed three times."""

    user: str
    app: str
    id: str
    hashed: int
    """64 bits, signed: the narrow index by which repeats are found. The rest of the key tells collisions apart."""


class First(msgspec.Struct, gc=False):
    """What is known of a command that has been seen before."""

    outcome: Outcome
    body: int | None
    """The digest of its body; None: it is not kept."""


_new: Final = hashlib.blake2b(digest_size=8).copy
_number: Final = struct.Struct("<q").unpack


def command_key(user: str, app: str, command_id: str) -> CommandKey:
    state = _new()
    state.update(f"{user}\0{app}\0{command_id}".encode())
    (hashed,) = _number(state.digest())
    return CommandKey(user, app, command_id, hashed)


def person_mark(user: str) -> CommandKey:
    """Give the key of no command, as no app has this name: it stands for all that was ever sent to a person's model."""
    return command_key(user, "", "")
