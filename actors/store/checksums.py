"""Checksums of rows: whether they are what was written, and whether two copies of a partition hold the same.

The checksum of a row is 32 bits long. A person's *share* is the sum of those of the rows that the person's model is
made of, and the partition's sum is that of its people. So a person who is forgotten takes exactly their share away, and
a share tells nothing about anybody else.

Theory: CRC-32 finds each flipped byte. It is no secret and no protection against somebody who writes into the file: who
can do that, can write whole models. A sum of fewer than 2^31 rows fits into 63 bits, so it is exact, and is taken back
by subtraction. Numbers that differ between copies of a partition, such as keys of people and eras, are left out.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

import msgspec

from actors.store.digests import stored

_evidence: Final = struct.Struct("<qqqqqd").pack
_command: Final = struct.Struct("<qqqqB16s").pack
_user: Final = struct.Struct("<qqqq16s").pack
_encode: Final = msgspec.json.encode


def of_evidence(row: tuple[int, int, int, int, int, float | None, Any], body: bytes) -> int:
    """Give the checksum of a piece of evidence: its row up to the body, and the body."""
    number, seq, n, kind, creation_us, useby = row[:6]
    try:
        if useby is None:
            return crc32(_evidence(number, seq, n, kind, creation_us, -1.0) + body)
        # A number that is never a kind of its own says that there is an expiry.
        return crc32(_evidence(number, seq, n, kind + 64, creation_us, useby) + body)
    except struct.error:
        # SQLite does not take such a row either, and says so when it is written.
        return 0


def of_command(seq: int, time_us: int, hashed: int, outcome: str | None, digest: bytes | None, body: int | None) -> int:
    """Give the checksum of a command. Whose it is, of which app and with which id, its hash says."""
    flags = (digest is None) + 2 * (body is None) + 4 * (outcome is None)
    found = crc32(_command(seq, time_us, hashed, body or 0, flags, digest or b""))
    return found if outcome is None else crc32(outcome.encode(), found)


def of_item(user: str, kind: str, key: str, seq: int, time_us: int, body: str | None) -> int:
    """Give the checksum of one version of an item."""
    return of_row("item", user, kind, key, seq, time_us, body)


def of_withdrawal(row: Sequence[Any]) -> int:
    """Give the checksum of a withdrawal: component, seq and n of the evidence, seq and time of the command, body."""
    return of_row("withdrawal", *row)


def of_consequence(user: str, row: Sequence[Any]) -> int:
    """Give the checksum of what follows from evidence: all columns behind the person's key."""
    return of_row("consequence", user, *row)


def of_level(level: int) -> int:
    """Give what the level of a partition adds to its sum; 0, that no command has raised it, adds nothing."""
    return of_row("level", level) if level else 0


def of_user(key: int, name: str, seq: int, time_us: int, log_sum: bytes, state_sum: int) -> int:
    """Give the checksum of a person's own row. It is in no sum: the row is what holds the person's."""
    return crc32(_user(key, seq, time_us, state_sum, log_sum) + name.encode())


def of_row(*values: Any) -> int:
    """Give the checksum of a row of which there are few."""
    return crc32(_encode(values))


def user_row(key: int, name: str, seq: int, time_us: int, log_sum: int, state_sum: int) -> tuple[Any, ...]:
    """Give a person's row as it is stored, with its checksum."""
    total = stored(log_sum)
    return (key, name, seq, time_us, total, state_sum, of_user(key, name, seq, time_us, total, state_sum))


def cause_row(user_key: int, root: str, seq: int, count: int) -> tuple[Any, ...]:
    """Give a row of a first cause as it is stored, with its checksum."""
    return user_key, root, seq, count, of_row(root, seq, count)
