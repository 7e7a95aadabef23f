"""What a shard holds for people of whom a part was forgotten: how much there is of it, and what is still to be done.

All of it is about what is committed.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from actors.store import part_sql as sql
from actors.store import parts, restating
from actors.store.connection import ShardConnection
from actors.store.restating import Attempt, Marks, Page
from model.changes import Part
from schemas.parts import LeftOver, PartSize


class Rewriting(NamedTuple):
    """A person of whom the log is to be written anew."""

    user: str
    seq: int
    """Of the command that forgot a part; or, once all is said anew, of the last one that says it."""
    kept: frozenset[int] | None
    """The sequences of the commands that say it; None: it is still to be said."""


class Rewritings:
    """Reads them, and notes what has been done."""

    def __init__(self, connection: ShardConnection, has_data: Callable[[], bool]) -> None:
        self._connection = connection
        self._has_data = has_data
        """Whether there was anything in the file when it was found."""

    async def part_size(self, user_key: int, part: Part) -> PartSize:
        """Count what there is of a part of a model."""
        return await self._connection.run(partial(parts.size_of, user_key, part))

    async def attempt(self, user: str) -> Attempt | None:
        """Give the attempt to say a person anew whose first chunks are there; None: there is none."""
        return await self._connection.run(partial(restating.read_attempt, user))

    async def page(self, user: str, marks: Marks, max_bytes: int) -> Page:
        """Read what there is of a person behind the marks."""
        return await self._connection.run(partial(restating.read_page, user, marks, max_bytes))

    async def left_over(self, user: str, clock_us: int, digest_key: int) -> LeftOver:
        """Read what goes with the last page of a person."""
        return await self._connection.run(partial(restating.read_rest, user, clock_us, digest_key))

    async def all(self) -> list[Rewriting]:
        """List the people of whom the log is to be written anew."""
        if not self._connection.is_open and not self._has_data():
            return []
        return [
            Rewriting(user, seq, None if kept is None else frozenset(msgspec.json.decode(kept)))
            for user, seq, kept in await self._connection.execute_fetchall(sql.READ_REWRITING)
        ]

    async def waits(self, user: str) -> bool:
        """Tell whether the log is still to be written anew for a person."""
        ((waits,),) = await self._connection.execute_fetchall(sql.IS_REWRITTEN, (user,))
        return bool(waits)

    async def end(self, done: Rewriting) -> None:
        """Note that it is done, unless something else of the person has been forgotten since."""
        await self._connection.execute(sql.END_REWRITING, (done.user, done.seq))

    async def leaves(self, user: str, seq: int) -> bool:
        """Tell whether something that a person's commands up to a sequence have left is still in the outbox."""
        ((leaves,),) = await self._connection.execute_fetchall(sql.LEAVES, (seq, user))
        return bool(leaves)

    async def reduced(self, user: str) -> frozenset[int]:
        """Give the sequences of a person's commands of which only the hash is left."""
        rows = await self._connection.execute_fetchall(sql.REDUCED_COMMANDS, (user,))
        return frozenset(seq for (seq,) in rows)
