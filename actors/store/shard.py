"""One partition's models in one SQLite file: the materialised view of the log.

Nothing here is the truth. A shard that is lost, or written by another version of the schema, is rebuilt from the log.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from actors.store import checksums, evidence_sql, following, recounting, scrubbing, sql, sql_times
from actors.store.batch import Batch, Unwritable
from actors.store.connection import Look, ShardConnection, look_at
from actors.store.copying import Copier
from actors.store.damage import ShardDamaged, fault_of
from actors.store.decisions import DecisionRow, decision_query
from actors.store.digests import Digests, Landmark, StateSum
from actors.store.gathering import LargeReads, gather
from actors.store.keys import CommandKey, First, command_key
from actors.store.loading import Loaded, fetch_models, loaded_from
from actors.store.repeats import Repeats
from actors.store.repeats_loading import RepeatsLoading, WaitForTurn
from actors.store.rewritings import Rewritings
from actors.store.writing import repeated_outcome, write_batch
from bus.aside import remove_aside
from bus.logger import get_logger
from model.changes import Item
from model.evidence import marked
from model.reads import Decisions, Follow, Followed, Found, Read
from model.state import StoredRule
from schemas.errors import LlumError
from schemas.paths import split_path

log = get_logger(__name__)

_ALWAYS_US = 2**63 - 1
"""Later than any time, in microseconds since 1970."""

_encode = msgspec.json.encode


class OutboxEntry(msgspec.Struct, frozen=True, gc=False):
    """Something that must leave the partition, once its transaction is on the disk."""

    seq: int
    n: int
    kind: str
    body: str


class Scheduled(msgspec.Struct, frozen=True):
    """A rule that is to be fired on a schedule."""

    user: str
    path: list[str]
    token: str
    cron: str
    time_zone: str | None
    """The person's; None: that of the installation."""


class Shard:
    """The SQLite file of one partition, made and opened when something is first wanted of it."""

    def __init__(
        self,
        path: Path,
        found: Look,
        large: LargeReads,
        digests: Digests,
        *,
        trusted: bool = False,
        turn: WaitForTurn = nullcontext,
    ) -> None:
        self.path = path
        self._connection = ShardConnection(path, self._opened, self._stop_for_damage, trusted=trusted)
        self.on_damage: Callable[[ShardDamaged], None] = lambda _: None
        """Called once when the file turns out to be damaged: nothing can be read or written any more."""
        self._found = found
        self.rewritings = Rewritings(self._connection, lambda: bool(found.committed_seq))
        """What it holds for those of whom a part was forgotten."""
        self._large = large
        self.committed_seq = found.committed_seq
        """Everything up to here that belongs to the partition is committed."""
        self.clock_us = found.clock_us
        """The latest time of a command that is kept, microseconds since 1970. Never goes back."""
        self.last = found.last
        """The last command that is committed; None: there is none, or it is not known."""
        self.log_sum = found.log_sum
        """The sum of the digests of all commands that are kept."""
        self.state_sum = found.state_sum
        """The sum of the checksums of all rows that models are made of."""
        self.level = found.level
        """The level that a command has raised the partition to; 0: none has."""
        self.digests = digests
        self.erased_seq = found.erased_seq
        """The last erasure that is known to be in it."""
        self.digest_key = found.digest_key or digests.fingerprint
        """The fingerprint of the key that its digests were made with."""
        self._last_user_key = found.last_user_key
        self.command_count = found.command_count
        """So many commands were written, those since forgotten included: the number of the era."""
        self.traces_seq = 0
        """The sequence of a forget whose traces are still to be removed; 0: there are none."""
        self.repeats = Repeats(is_complete=not found.clock_us)
        """Whether a command may be here already. A shard without a clock has no commands."""
        self._loading = RepeatsLoading(self.repeats, self._connection, turn)
        self._scrubber = scrubbing.Scrubber(path, self._connection, is_filled=bool(found.committed_seq))
        self.copier = Copier(path)
        """Makes copies of the file while it is in use."""

    @classmethod
    async def open(
        cls,
        path: Path,
        large: LargeReads | None = None,
        digests: Digests | None = None,
        *,
        trusted: bool = False,
        is_needed: bool = False,
        turn: WaitForTurn = nullcontext,
    ) -> "Shard":
        """Open the file. One of an older schema is removed: the log has the data, unless it `is_needed`.

        `large` is shared by the shards of a worker; `digests` are made with the installation's key; `trusted` is a file
        that has been made anew because of a doubt; `turn` is waited for before the filter of repeats is loaded.
        Raises `ShardDamaged`, `ShardTooNewError`, `ShardTooOldError`, and `ShardError` when the file can be neither
        read nor removed.
        """
        found = await look_at(path, is_needed=is_needed)
        shard = cls(path, found, large or LargeReads(), digests or Digests(), trusted=trusted, turn=turn)
        try:
            if shard._found.traces:
                await shard.remove_traces()
        except BaseException:
            await shard.close()
            raise
        return shard

    async def close(self) -> None:
        await self._loading.close()
        async with self.copier.paused():
            await self._connection.close()

    def _opened(self) -> None:
        self._loading.begin_once(self.command_count)

    def _stop_for_damage(self, damage: ShardDamaged) -> None:
        self.on_damage(damage)

    def doubted(self, error: Exception) -> Exception:
        """Give what to raise when somebody cannot read what the shard has given: `ShardDamaged`, the first time."""
        return self._connection.doubted(error)

    def new_user_key(self) -> int:
        self._last_user_key += 1
        return self._last_user_key

    async def write(self, batch: Batch) -> None:
        """Commit a batch: all of it or nothing.

        Raises `Unwritable` when these rows can never be written, `ShardDamaged`, and what SQLite raises when it cannot
        write now. A batch that forgets or replaces somebody must hold the last command that was applied: the filter of
        repeats begins anew with what is applied after this call.
        """
        if batch.changes_commands:
            self._loading.empty()
        self._scrubber.deletions += batch.leaves_traces
        try:
            write = partial(write_batch, batch, self.command_count, self.digest_key)
            count, state_sum = await self._connection.run(write)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            # A doubt that comes here is about a file that has been made anew: the row is to blame.
            if fault_of(error) in ("row", "doubt"):
                raise Unwritable(f"{type(error).__name__}: {error}") from error
            raise
        self.committed_seq = batch.applied_seq
        self.last, self.log_sum, self.state_sum = batch.last, batch.log_sum, state_sum
        self.command_count = count
        self.level = self.level if batch.level is None else batch.level
        if batch.commands:
            self.clock_us = batch.commands[-1][1]
        if batch.chunk is not None:
            self.clock_us = max(self.clock_us, batch.chunk.time_us)
        if batch.leaves_traces:
            await self.remove_traces()
        if batch.changes_commands:
            self._loading.begin(self.command_count)

    @property
    def _era(self) -> int:
        return self.command_count >> sql.ERA_BITS

    async def remove_traces(self) -> None:
        """Rewrite the file without what was deleted, and delete what was set aside, which may hold it still.

        If that is interrupted or fails, it is done at the next start.
        """
        async with self._scrubber.kept_away():
            await self._remove_traces()

    async def _remove_traces(self) -> None:
        try:
            await asyncio.to_thread(remove_aside, self.path)
            # Whoever reads what was there before keeps it in the file.
            async with self.copier.paused():
                for statement in (*sql.REMOVE_TRACES, sql.TRACES_ARE_REMOVED):
                    await self._connection.execute_fetchall(statement)
        except (sqlite3.Error, OSError) as error:
            log.warning("traces_not_removed", error=str(error))
        self.traces_seq = (await _one(self._connection, sql.READ_TRACES))[0]

    async def note_erasure(self, seq: int) -> None:
        """Note that all is in it that was to be forgotten up to a sequence. Raises what SQLite raises."""
        if seq > self.erased_seq:
            await self._connection.execute(sql.NOTE_ERASURE, (seq,))
            self.erased_seq = seq

    async def users_after(self, name: str, count: int) -> list[str]:
        """Name people whom the shard has heard of, in their order, from behind one on. Raises what SQLite raises."""
        return [one for (one,) in await self._connection.execute_fetchall(sql.USERS_AFTER, (name, count))]

    async def known_commands(self, keys: Iterable[CommandKey]) -> dict[CommandKey, First]:
        """Give what came first of those commands that have been seen before."""
        wanted = {key.hashed: key for key in keys}
        rows = await self._connection.execute_fetchall(sql.KNOWN_COMMANDS, (self._era, _encode(list(wanted)).decode()))
        known: dict[CommandKey, First] = {}
        for user, app, command, hashed, seq, text, body in rows:
            key = wanted[hashed] if user is None or not app else command_key(user, app, command)
            with self._reading():
                known[key] = First(repeated_outcome(key.id, seq, text), body)
        return known

    async def kept_below(self, seq: int) -> AsyncIterator[Landmark]:
        """Give the commands below a sequence whose digests are kept, the newest first."""
        while page := list(await self._connection.execute_fetchall(sql.KEPT_BELOW, (seq,))):
            for row in page:
                yield Landmark(*row)
            seq = page[-1][0]

    async def scrub(self, pause: Callable[[], Awaitable[None]]) -> str | None:
        """Read the whole file, with pauses, and give what is wrong with it; None: nothing.

        What is wrong stops the shard as all damage does, unless it was made anew for that lately.
        """
        return await self._scrubber.scrub(pause)

    async def count_state(self) -> StateSum:
        """Add up the checksums of all rows that models are made of, as they are committed. Reads the whole file."""
        return await self._connection.run(recounting.count_state)

    async def load(self, users: Sequence[str]) -> dict[str, Loaded]:
        """Load the models of those users that the shard has heard of, as they are now."""
        found = await self._connection.run(partial(fetch_models, users))
        with self._reading():
            return {name: loaded_from(name, *rows) for name, rows in found.items()}

    async def items_as_of(self, user: str, seq: int, until_us: int | None) -> list[Item]:
        """Load the structure of a model as it was at a sequence and, unless it is None, a time (microseconds)."""
        bounds = (user, seq, _ALWAYS_US if until_us is None else until_us)
        rows = await self._connection.execute_fetchall(sql.LOAD_ITEMS_AS_OF, bounds)
        with self._reading():
            return [Item(kind, split_path(key), body.encode()) for kind, key, body, _ in rows if body is not None]

    async def committed_decisions(self, wanted: Decisions) -> list[DecisionRow]:
        """Read what was decided about a person's apps, the latest first."""
        rows = await self._connection.execute_fetchall(*decision_query(wanted))
        return [(seq, key, body) for seq, key, body in rows]

    async def last_seq_until(self, time_us: int) -> int:
        """Give the sequence of the partition's last command at or before a time (microseconds); 0 if there is none."""
        seq: int = (await _one(self._connection, sql_times.LAST_SEQ_UNTIL, (time_us,)))[0]
        return seq

    async def first_time(self) -> int:
        """Give the time (microseconds) of the oldest command that is kept; 0 if there is none."""
        rows = list(await self._connection.execute_fetchall(sql_times.FIRST_TIME))
        return rows[0][0] if rows else 0

    async def time_at(self, seq: int) -> int:
        """Give the time (microseconds) of the partition's last command up to a sequence; 0 if there is none."""
        rows = list(await self._connection.execute_fetchall(sql_times.TIME_AT_SEQ, (seq,)))
        return rows[0][0] if rows else 0

    async def read(self, reads: Sequence[Read]) -> list[Found]:
        """Read evidence: one indexed range for each read, ascending."""
        return [await self._read(read) for read in reads]

    async def _read(self, read: Read) -> Found:
        if not read.count_only and read.limit > 1:
            with self._reading():
                return await gather(self._connection.execute_fetchall, read, self._large)
        statement, values = evidence_sql.evidence_query(read)
        rows = list(await self._connection.execute_fetchall(statement, values))
        if read.count_only:
            return Found(count=rows[0][0])
        return Found(
            bodies=[body.encode() if mark is None else marked(body.encode(), mark.encode()) for body, mark in rows]
        )

    async def follow(self, wanted: Follow) -> list[Followed]:
        return await self._connection.run(partial(following.follow, wanted))

    async def schedules(self) -> list[Scheduled]:
        """List the rules that are to be fired on a schedule, of all users."""
        if not (self._connection.is_open or self._found.has_rules):
            return []
        found: list[Scheduled] = []
        for user, key, body, zone in await self._connection.execute_fetchall(sql.LOAD_RULES):
            with self._reading():
                rule = None if body is None else msgspec.json.decode(body, type=StoredRule)
            if rule is not None and rule.cron is not None and rule.suspended is None:
                *path, token = split_path(key)
                found.append(Scheduled(user, path, token, rule.cron, zone))
        return found

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Have it be the shard's fault if what llum itself has written cannot be read, whatever that raises."""
        try:
            yield
        except (sqlite3.Error, LlumError):
            raise
        except Exception as error:
            raise self.doubted(error) from error

    async def outbox(self, limit: int, after: int = 0) -> list[OutboxEntry]:
        """Give the oldest entries after a sequence.

        Those of one command are never apart, so there may be more than `limit`.
        """
        if not (self._connection.is_open or self._found.has_outbox):
            return []
        return self._entries(await self._connection.execute_fetchall(sql.OUTBOX, (after, limit)))

    async def outbox_of(self, seqs: Sequence[int]) -> list[OutboxEntry]:
        """Give the entries of these commands that are still there, in their order."""
        return self._entries(await self._connection.execute_fetchall(sql.OUTBOX_OF, (_encode(seqs).decode(),)))

    def _entries(self, rows: Iterable[Sequence[Any]]) -> list[OutboxEntry]:
        with self._reading():
            for *entry, checksum in rows:
                if checksum != checksums.of_row(*entry):
                    raise ValueError("an entry of the outbox is not what was written")
            return [OutboxEntry(*row[:-1]) for row in rows]

    async def drop_outbox(self, seq: int, also: Sequence[int] = ()) -> None:
        """Drop what has been relayed: up to and including a sequence, and what these later commands have left."""
        if not (self._connection.is_open or self._found.has_outbox):
            return
        await self._connection.execute(sql.FORGET_OUTBOX, (seq,))
        if also:
            await self._connection.execute(sql.FORGET_OUTBOX_OF, (_encode(also).decode(),))
        await self.remove_traces_if_nothing_keeps_them()

    async def remove_traces_if_nothing_keeps_them(self) -> None:
        """Rewrite the file if it still has to be, and no entry of the outbox names who was forgotten."""
        if self.traces_seq and not (await _one(self._connection, sql.KEEPS_TRACES))[0]:
            await self.remove_traces()


async def _one(connection: ShardConnection, statement: str, values: tuple[Any, ...] = ()) -> Any:
    return next(iter(await connection.execute_fetchall(statement, values)))
