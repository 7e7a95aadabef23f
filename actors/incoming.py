"""Log messages to commands, or to the reason why not. What is wrong with a message is found here, never raised."""

from functools import lru_cache
from typing import Final

import msgspec

from bus.level_subjects import is_raise
from bus.log import LogMessage
from bus.subjects import Address, is_probe, parse_address
from schemas.codec import command_id, decode_command
from schemas.commands import Command
from schemas.errors import Code, Error, Refusal
from schemas.levels import Vocabulary, decode_raise
from schemas.recent import CHEAP_RESULTS


class Incoming(msgspec.Struct, gc=False):
    """A log message, read. One of `command`, `error` and `level` is set; `id` may be known for each."""

    message: LogMessage
    address: Address
    id: str | None
    command: Command | None = None
    error: Error | None = None
    level: int | None = None
    """The level that the partition is to have."""


PROBED: Final = Error(Code.UNKNOWN_VERB, "a probe: it has been read, and changes nothing")
"""What is said to a probe. It is kept nowhere."""

NOBODY: Final = "_"
"""Whom messages are about that are about a partition."""

address_of = lru_cache(maxsize=CHEAP_RESULTS)(parse_address)
"""Few people tell much: the same subjects come again and again."""


def decode_incoming(message: LogMessage, known: Vocabulary | None = None) -> Incoming:
    """Decode one log message, by what is known at the partition's level."""
    try:
        address = address_of(message.subject)
    except Refusal as refusal:
        return Incoming(message, _unusable(message.partition), None, error=refusal.error)
    try:
        if address.user == NOBODY:
            if is_probe(address):
                return Incoming(message, address, None, error=PROBED)
            if is_raise(address):
                raising = decode_raise(message.data)
                return Incoming(message, address, raising.id, level=raising.level)
        command = decode_command(message.data, address.verb, known)
    except Refusal as refusal:
        return Incoming(message, address, command_id(message.data), error=refusal.error)
    return Incoming(message, address, command.id, command=command)


def _unusable(partition: int) -> Address:
    """Name the sender of a message on a subject that llum cannot use: `_` is no user's id that a person would have."""
    return Address(partition, NOBODY, "_", "_")
