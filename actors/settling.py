"""Settling: commands are applied in memory one after the other; each gets its outcome, and its rows begin to wait.

Between two commands, and whenever something must be read, models and rows are in step: asks may look at the models,
and a commit may take the rows.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from actors.incoming import PROBED, Incoming
from actors.live import Applied, LiveModel
from actors.store.entries import REJECTION
from actors.store.keys import CommandKey, First, command_key
from actors.store.restating import Attempt, Chunk, is_sound, joined
from actors.store.shard import Shard
from actors.uncommitted import Uncommitted
from bus.logger import get_logger
from model.changes import Change
from model.reads import Reading
from schemas.commands import OF_A_STAGE
from schemas.errors import Code, Error
from schemas.parts import Restate
from schemas.replies import Outcome, Refused, Rejection
from schemas.verbs import verb_of

log = get_logger(__name__)

FAULT: Final = Error(Code.INTERNAL, "a fault in llum; the command was recorded and passed over")

_ID_REUSED = Error(
    Code.ID_REUSED, "the id was used before, for another command", "id", "choose a new id, or send the same bytes again"
)

_NAMED_BY_LLUM: Final = frozenset(map(verb_of, OF_A_STAGE))
"""Verbs of commands whose ids llum itself makes."""


class Settled(msgspec.Struct, gc=False):
    """A log message that has been applied, and may be answered."""

    incoming: Incoming
    outcome: Outcome
    leaves: bool = False
    """Something of it must leave soon: an effect or an announcement is in the outbox."""
    changes: Sequence[Change] = ()
    """What it has changed in the model; nothing when it had been applied before."""
    before: int = 0
    """The sequence of what had changed that model last; 0: there was none."""


class Settling:
    """The applying of some commands to the models of their users."""

    def __init__(
        self,
        waiting: Uncommitted,
        actors: dict[str, LiveModel],
        known: dict[CommandKey, First],
        shard: Shard,
        attempt: Attempt | None = None,
    ) -> None:
        self.settled: list[Settled] = []
        self.faulty_user: str | None = None
        """Whose model a fault of ours may have left half changed: nothing was settled after that."""
        self._waiting = waiting
        self._attempt = attempt
        """What has been said anew so far, before a `Restate` that stands alone."""
        self._actors = actors
        self._known = known
        self._repeats = shard.repeats
        self._digests = shard.digests
        self._new: list[int] = []
        """Hashes of what has been applied here, before the filter has them."""

    def settle(self, incoming: Sequence[Incoming], keys: Sequence[CommandKey | None]) -> Reading[None]:
        """Settle all of them, or up to a command that hit a fault of ours. Yields what a command needs read."""
        try:
            yield from self._settle(incoming, keys)
        finally:
            self._repeats.add(self._new)

    def _settle(self, incoming: Sequence[Incoming], keys: Sequence[CommandKey | None]) -> Reading[None]:
        waiting, known, digests_of = self._waiting, self._known, self._digests.of
        for one, key in zip(incoming, keys, strict=True):
            # Not of what waits: a commit may have taken that away since it was looked at.
            first = None if key is None else known.get(key)
            digests = digests_of(one.message)
            if first is not None:
                self._settle_repeat(one, first, digests[1])
            else:
                # A partition's clock never goes back.
                time_us = max(one.message.time_us, waiting.clock_us)
                applied = self._apply_at_once(one, time_us) or (yield from self._apply(one, time_us))
                record = self._record if type(one.command) is not Restate else self._record_chunk
                record(one, key, time_us, applied, digests)
            waiting.note(one.message, digests[0])
            if self.faulty_user is not None:
                return

    def settle_at_once(self, one: Incoming, key: CommandKey) -> Settled | None:
        """Settle a command that is certainly no repeat; None, and nothing is done, if it needs something read.

        Raises what a fault of ours raises; the model may be half changed then.
        """
        address, message, waiting = one.address, one.message, self._waiting
        assert one.command is not None, "only a command is settled at once"
        time_us = max(message.time_us, waiting.clock_us)
        applied = self._actors[address.user].apply_at_once(address.app, one.command, message.seq, time_us)
        if applied is None:
            return None
        digests = self._digests.of(message)
        self._record(one, key, time_us, applied, digests)
        self._repeats.add(self._new)
        waiting.note(message, digests[0])
        return self.settled[0]

    def _settle_repeat(self, one: Incoming, first: First, body: int) -> None:
        """Give a repeat the first outcome. Refuse another command with the same id."""
        assert one.id is not None, "a repeat is known by its id"
        if first.body in (None, body) or type(one.command) in OF_A_STAGE:
            outcome: Outcome = msgspec.structs.replace(first.outcome, id=one.id, repeated=True)
        else:
            outcome = Refused(id=one.id, seq=one.message.seq, error=_ID_REUSED)
            self._reject(one, outcome)
        self.settled.append(Settled(one, outcome))

    def _apply_at_once(self, one: Incoming, time_us: int) -> Applied | None:
        """Apply what needs nothing read, as most commands do. None: it may need something."""
        address, seq = one.address, one.message.seq
        if one.command is None:
            assert one.error is not None
            return Applied(Refused(id=one.id, seq=seq, error=one.error))
        try:
            return self._actors[address.user].apply_at_once(address.app, one.command, seq, time_us)
        except Exception:  # noqa: BLE001 - logged there; then the command is refused
            log_failed(one)
            return self._failed(one)

    def _apply(self, one: Incoming, time_us: int) -> Reading[Applied]:
        address, command = one.address, one.command
        assert command is not None, "what is no command has been refused at once"
        try:
            return (yield from self._actors[address.user].apply(address.app, command, one.message.seq, time_us))
        except Exception:  # noqa: BLE001 - logged there; then the command is refused
            log_failed(one)
            return self._failed(one)

    def _failed(self, one: Incoming) -> Applied:
        """Refuse a command that we cannot apply. The log is not stopped by it: record it, report it, go on after it."""
        self.faulty_user = one.address.user
        return Applied(Refused(id=one.id, seq=one.message.seq, error=FAULT))

    def _record(
        self, one: Incoming, key: CommandKey | None, time_us: int, applied: Applied, digests: tuple[bytes, int]
    ) -> None:
        """Have what came of a command wait for its commit.

        Its outcome is kept with the model; of a user without one only the rejection is kept.
        """
        seq, outcome = one.message.seq, applied.outcome
        actor = self._actors[one.address.user]
        model, batch = actor.model, self._waiting.gathering.batch
        entries = len(batch.outbox)
        if model is not None:
            share = batch.add_changes(actor.key, actor.user, applied.changes, seq, model.time_us)
            if key is not None:
                share += batch.add_command(key, actor.key, seq, time_us, outcome, digests)
                self._waiting.clock_us = time_us
                self._waiting.keep(actor, digests[0])
                self._remember(key, First(outcome, digests[1]))
            self._waiting.grow(actor, share)
            batch.add_user(actor.key, actor.user, model.seq, model.time_us, actor.log_sum, actor.state_sum)
            if batch.structures:
                batch.add_structure(actor.key, model)
            self._waiting.gathering.models[actor.user] = actor
        elif applied.changes:
            assert key is not None, "what was applied has an id"
            batch.add_changes(actor.key, actor.user, applied.changes, seq, time_us)
            batch.add_forget(key, seq, time_us)
            # As of every command that is kept: a shard that is opened anew reads the clock from these.
            self._waiting.clock_us = time_us
            self._waiting.forget(actor)
            self._remember(key, First(outcome, None))
            self._waiting.gathering.models[actor.user] = actor
        self.settled.append(Settled(one, outcome, len(batch.outbox) > entries, applied.changes, applied.before))
        if type(outcome) is Refused and outcome.error is not PROBED:
            self._reject(one, outcome)

    def _record_chunk(
        self, one: Incoming, key: CommandKey | None, time_us: int, applied: Applied, digests: tuple[bytes, int]
    ) -> None:
        """Have a chunk of what is said anew wait for its commit. It changes nothing in memory: the model is let go."""
        command, seq = one.command, one.message.seq
        assert isinstance(command, Restate), "nothing else comes here"
        assert key is not None, "a command has an id"
        attempt = joined(self._attempt, command, digests[0])
        self.settled.append(Settled(one, applied.outcome))
        if type(applied.outcome) is Refused:
            self._reject(one, applied.outcome)
        elif attempt is not None and is_sound(command):
            actor, waiting = self._actors[one.address.user], self._waiting
            if command.last is not None:
                time_us = max(time_us, command.last.clock_us)
                waiting.replace(actor, attempt.share)
            waiting.clock_us = time_us
            chunk = Chunk(
                user=actor.user,
                user_key=actor.key,
                attempt=attempt.name,
                number=command.number,
                seq=seq,
                time_us=time_us,
                hashed=key.hashed,
                command_id=key.id,
                digest=digests[0],
                body=one.message.data,
                share=attempt.share,
                is_last=command.last is not None,
            )
            waiting.gathering.batch.add_chunk(chunk)
            self._new.append(key.hashed)

    def _reject(self, one: Incoming, outcome: Refused) -> None:
        """Leave the refusal in the outbox, unless it has left before."""
        batch, seq = self._waiting.gathering.batch, one.message.seq
        if seq > batch.relayed_seq:
            batch.add_entry(seq, REJECTION, msgspec.json.encode(_rejection(one, outcome)))

    def _remember(self, key: CommandKey, first: First) -> None:
        self._waiting.gathering.outcomes[key] = self._known[key] = first
        self._new.append(key.hashed)


def log_failed(one: Incoming) -> None:
    """Report a fault of ours. To be called while it is handled."""
    address = one.address
    log.exception("command_failed", user=address.user, app=address.app, verb=address.verb, seq=one.message.seq)


def as_faulty(one: Incoming) -> Incoming:
    """Have a command refused for a fault of ours, without another attempt."""
    return msgspec.structs.replace(one, command=None, error=FAULT)


def key_of(one: Incoming) -> CommandKey | None:
    """Give a command's key; None: the message has no usable id.

    llum's own commands have ids to themselves, with a blank, which no sender's id has: an app that chooses the id of
    what a rule of its own is about to send cannot have that taken for a repeat.
    """
    if one.id is None:
        return None
    _, user, app, verb = one.address
    return command_key(user, app, one.id if verb not in _NAMED_BY_LLUM else f"{verb} {one.id}")


def _rejection(one: Incoming, outcome: Refused) -> Rejection:
    _, user, app, verb = one.address
    time = one.message.time_us / 1e6
    return Rejection(user=user, app=app, verb=verb, id=one.id, seq=outcome.seq, time=time, error=outcome.error)
