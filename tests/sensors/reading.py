"""Looking into a spool that a sensor has open, and into the log of a real bus."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import LOG_STREAM, parse_address
from schemas.codec import decode_command
from schemas.commands import Command, Tell
from schemas.evidence import NewEvidence


def spooled(path: Path) -> list[Command]:
    """Give what waits in a spool, without taking it from its sensor."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone():
            return []
        rows = database.execute("SELECT payload, verb FROM entry ORDER BY number").fetchall()
    return [decode_command(payload, verb) for payload, verb in rows]


async def logged_commands(url: str) -> list[tuple[str, Command]]:
    """Give the apps and commands of a bus's log, in order, repeats left out as the worker would."""
    bus = await Bus.connect(url, name="test")
    try:
        messages, _ = await JetStream(bus).page(LOG_STREAM, "llum.log.>", 1, 1000)
    finally:
        await bus.close()
    found: dict[tuple[str, str], tuple[str, Command]] = {}
    for message in messages:
        address = parse_address(message.subject)
        command = decode_command(message.data, address.verb)
        found.setdefault((address.app, command.id), (address.app, command))
    return list(found.values())


def told(commands: list[Command]) -> list[NewEvidence]:
    return [command.evidence for command in commands if isinstance(command, Tell)]


def values(commands: list[Command]) -> list[object]:
    return [evidence.value for evidence in told(commands)]
