"""A partition in a worker, from `add` to `remove`: whatever its shard comes to, it is served again from the log.

A damaged shard is set aside under a dated name. If SQLite refuses rows for what they are, nothing is set aside, but the
partition applies carefully for a while (`actors/partition.py`). A shard that fails again before it has answered is
deleted: it has nothing that the log and the one set aside do not have. Then there is a pause that grows, so that a bad
disk is not worn out.
"""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from actors.comparing import DiffersError, stopped
from actors.erasing import OutdatedError, remove_outdated
from actors.figures import PartitionFigures
from actors.ground import Ground
from actors.known_cuts import BehindCutError
from actors.levels import BeyondLevelError
from actors.refusing import refuse
from actors.same_log import OtherLogError, common_until
from actors.serving import Serving
from actors.store.batch import Unwritable
from actors.store.connection import ShardError
from actors.store.damage import ShardDamaged
from actors.store.losses import losses
from actors.store.shard import Shard
from actors.upkeep import FIRST, Anew
from bus import checkpoints, erasures, log_cuts, log_sums
from bus.accepting import LogAccepted
from bus.aside import remove_shard, set_aside
from bus.log import stream_last
from bus.logger import get_logger
from bus.retrying import Interrupted, retrying, sleeping_until
from bus.subjects import log_stream_of
from bus.sums import Sums
from schemas.codec import encode

log = get_logger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""Seconds before a shard is made anew once more that failed before it answered; doubled each time."""


FROM_THE_LOG: Final = "it is made anew from the log"

FROM_A_SNAPSHOT: Final = "it is made anew from a snapshot"

LOOK: Final = "see docs/how-to/when-replicas-differ.md"


class Life:
    """Serves one partition until told to leave."""

    def __init__(self, number: int, ground: Ground, primary: bool) -> None:
        self.number = number
        self.answers = asyncio.Event()
        """Set while asks are answered."""
        self.has_answered = False
        """Whether somebody was told that it answers: what ends it now is a failure of the worker."""
        self._ground = ground
        self._primary = primary
        self._leaving = asyncio.Event()
        self._sleep = sleeping_until(self._leaving)
        self._pause_s = 0.0
        self._is_refused = False
        """Whether asks are answered with what is wrong with the log."""
        self._telling: asyncio.Task[None] | None = None
        self._anew = FIRST
        self.serving = self._serve()

    @property
    def figures(self) -> PartitionFigures:
        """How it stands, in numbers."""
        figures = self.serving.figures
        return figures._replace(answers=False, is_lost=True) if self._is_refused else figures

    async def live(self) -> None:
        """Live until told to leave. Raises what ends it before."""
        try:
            await self._live()
        finally:
            if self._telling is not None:
                self._telling.cancel()

    async def _live(self) -> None:
        while True:
            careful_until = 0
            try:
                await self.serving.live()
                return
            except OtherLogError as error:
                await self._until_accepted(error)
            except ShardDamaged as damage:
                # Snapshots are copies of what has turned out to be damaged.
                self._ground.from_log.add(self.number)
                await self._make_anew(damage)
            except DiffersError as error:
                await self._replace(error)
            except BeyondLevelError as error:
                await self._stand_still(error)
                return
            except OutdatedError as outdated:
                log.error("shard_outdated", partition=self.number, why=outdated.what, what_now="it is made anew")
                await self._remove_outdated()
            except BehindCutError as behind:
                log.error("shard_behind_cut", partition=self.number, why=behind.what, what_now=FROM_A_SNAPSHOT)
            except Unwritable as refused:
                careful_until = self.serving.applied_seq
                log.error("rows_refused", partition=self.number, error=str(refused), careful_until=careful_until)
            await self._pause()
            if self._leaving.is_set():
                return
            self.serving = self._serve(careful_until)

    def leave(self) -> None:
        """Finish the batch in hand, and end."""
        self._leaving.set()
        self.serving.leave()

    async def set_primary(self, primary: bool) -> None:
        """Relay from now on what leaves the partition, or no longer. Returns when the role before has ended."""
        self._primary = primary
        await self.serving.set_primary(primary)

    def _serve(self, careful_until: int = 0) -> Serving:
        self._anew = self._anew._replace(life=self._anew.life + 1)
        return Serving(self.number, self._ground, self._primary, self.answers, careful_until, self._anew)

    async def _replace(self, error: DiffersError) -> None:
        """Have a copy made anew from the log that is not as others are; or stop, if that has led to the same."""
        number, again = self.number, error.seq <= self._anew.until
        if again:
            log.error("replica_stopped", partition=number, seq=error.seq, why=str(error), what_now=LOOK)
            told = Sums(
                holder=self._ground.holder,
                life=self._anew.life + 1,
                stopped=f"{error}, although it was made anew; worker {self._ground.holder} has stopped: {LOOK}",
            )
            await stopped(self._ground.bus, number, told, self._leaving)
            return
        self._anew = Anew(self._anew.life, max(error.seq, self.serving.applied_seq), error.seq)
        self._ground.from_log.add(number)
        path = self._ground.shard_of(number)
        try:
            aside = await asyncio.to_thread(set_aside, path, "differs", time.time())
        except OSError as failure:
            raise ShardError(path, failure) from failure
        log.error("replica_set_aside", partition=number, why=str(error), aside=str(aside), what_now=FROM_THE_LOG)

    async def _stand_still(self, error: BeyondLevelError) -> None:
        """Neither apply nor answer, until the partition is to leave: others know its level. The file is kept."""
        log.error("partition_stopped", partition=self.number, why=error.what, what_now=error.hint)
        self._ground.levels.stopped.add(self.number)
        try:
            await self._leaving.wait()
        finally:
            self._ground.levels.stopped.discard(self.number)

    async def _until_accepted(self, error: OtherLogError) -> None:
        """Refuse asks until the operator accepts the log; then have the shard made anew from it."""
        log.error("partition_refused", partition=self.number, why=error.message, ways_on=error.hint)
        self._is_refused = True
        reply_to = await refuse(self.number, self._ground, error, self.answers, self._leaving)
        self._is_refused = False
        if reply_to is not None:
            path = self._ground.shard_of(self.number)
            if not path.exists():
                # There was neither a file nor a snapshot: of what was lost nothing is known.
                await self._accept_gap()
                await self._ground.bus.publish(reply_to, encode(LogAccepted(self.number, "", 0, 0, [])))
                return
            with suppress(Interrupted):
                await retrying(self._relay_again, "log_waits", sleep=self._sleep, partition=self.number)
            try:
                aside = await asyncio.to_thread(set_aside, path, "other_log", time.time())
            except OSError as failure:
                raise ShardError(path, failure) from failure
            log.warning("log_accepted", partition=self.number, aside=str(aside))
            self._telling = asyncio.create_task(self._tell_losses(aside, reply_to))

    async def _relay_again(self) -> None:
        """Have what follows from commands relayed from there on where the log is another one. Raises `Transient`."""
        ground, stream = self._ground, log_stream_of(self.number, self._ground.log_streams)
        relayed_seq = await checkpoints.read(ground.bus, self.number)
        shard = await Shard.open(ground.shard_of(self.number))
        try:
            first = min(relayed_seq, await stream_last(ground.bus, stream)) + 1
            cut_seq = ground.cuts.cut_of(stream)
            common = await common_until(ground.bus, stream, shard.kept_below(first), ground.digests, cut_seq)
        finally:
            await shard.close()
        # Where nothing is in common, as with the shard of another installation, the log's own word counts.
        relayed_of_this_log = common or first - 1
        if relayed_of_this_log < relayed_seq:
            await checkpoints.write(ground.bus, self.number, relayed_of_this_log)
        await self._accept_gap()
        await log_sums.drop(ground.bus, self.number)
        await erasures.lower(ground.bus, self.number, await stream_last(ground.bus, stream))

    async def _accept_gap(self) -> None:
        """Have the partition made from what the log has, although it was cut and no snapshot was good."""
        await log_cuts.accept_gap(self._ground.bus, self.number)
        await self._ground.cuts.look()

    async def _tell_losses(self, aside: Path, reply_to: str) -> None:
        """When all of the log is applied and on the disk, say what was known before and is not in it."""
        await self.answers.wait()
        with suppress(Interrupted):
            await self.serving.flush()
        found = await asyncio.to_thread(losses, aside, self._ground.shard_of(self.number))
        log.warning("commands_lost", partition=self.number, lost=found.total, lost_forgets=found.forgets)
        told = LogAccepted(self.number, str(aside), found.total, found.forgets, found.commands)
        await self._ground.bus.publish(reply_to, encode(told))

    async def _make_anew(self, damage: ShardDamaged) -> None:
        """Take the damaged shard out of the way. Raises `ShardError` if that fails."""
        path, number = self._ground.shard_of(self.number), self.number
        if damage.is_doubt:
            self._ground.doubted[number] = time.monotonic()
        try:
            if self._pause_s and not self.serving.has_answered:
                await asyncio.to_thread(remove_shard, path)
                log.error("shard_removed", partition=number, why=damage.what, what_now="it is made anew from the log")
            else:
                aside = await asyncio.to_thread(set_aside, path, "damaged", time.time())
                log.error(
                    "shard_set_aside",
                    partition=number,
                    why=damage.what,
                    aside=str(aside),
                    what_now="it is made anew from the log",
                )
        except OSError as error:
            raise ShardError(path, error) from error

    async def _remove_outdated(self) -> None:
        """Delete a shard that an erasure has passed by. Raises `ShardError` if that fails."""
        path = self._ground.shard_of(self.number)
        try:
            await asyncio.to_thread(remove_outdated, path)
        except OSError as error:
            raise ShardError(path, error) from error

    async def _pause(self) -> None:
        """Wait, the longer the more often it has failed without an answer between."""
        if self.serving.has_answered:
            self._pause_s = 0.0
        pause_s, self._pause_s = self._pause_s, min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
        if pause_s:
            try:
                await self._sleep(pause_s)
            except Interrupted:
                return
