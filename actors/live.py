"""One user's live model, and the bounded set of those that are active.

An actor is activated by its first message and passivated when it has not been used for longest and there are too
many. It holds nothing that is not committed or about to be, so passivating is forgetting.
"""

from collections.abc import Sequence

import msgspec

from actors.store.batch import check_writable
from model.caches import Caches
from model.changes import Change, Decision
from model.commands import decide, decide_at_once
from model.fold import take_decision
from model.reads import Reading
from model.stamp import Stamp, stamp_after
from model.state import Model
from schemas.commands import Command
from schemas.errors import Refusal
from schemas.recent import Recent, Room
from schemas.replies import Accepted, Outcome, Refused

MAX_BUSY_MODELS = 1024
"""Models of a worker that are kept ready, about 15 kB each; the other active ones rest in a quarter of that."""

MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
"""Bytes of the evidence of all active models that is kept in memory, once it has been read."""

_Key = tuple[int, str]


class Applied(msgspec.Struct, gc=False):
    """What came of one command: its outcome, and what is to be written."""

    outcome: Outcome
    changes: Sequence[Change] = ()
    before: int = 0
    """The model's sequence before that; 0: there was none."""


class LiveModel:
    """Holds a user's model (None: there is none) with its caches, and applies commands to it, one after the other."""

    __slots__ = ("caches", "key", "log_sum", "model", "state_sum", "user")

    def __init__(self, user: str, key: int, model: Model | None, log_sum: int = 0, state_sum: int = 0) -> None:
        self.user = user
        self.key = key
        self.model = model
        self.log_sum = log_sum
        """The sum of the digests of the commands that are kept with the model."""
        self.state_sum = state_sum
        """The sum of the checksums of its rows, committed or not."""
        self.caches = Caches()

    def apply(self, app: str, command: Command, seq: int, time_us: int) -> Reading[Applied]:
        """Decide a command and take what it changes; a refused one leaves the model as it was.

        Raises `Unwritable`, which leaves it, too.
        """
        applied = self.apply_at_once(app, command, seq, time_us)
        if applied is not None:
            return applied
        stamp = stamp_after(self.model, self.user, app, seq, time_us)
        try:
            caches = self.caches
            decision = yield from decide(self.model, command, stamp, caches.grants, caches.latest)
            return self._take(decision, command, stamp)
        except Refusal as refusal:
            return Applied(Refused(id=command.id, seq=seq, error=refusal.error))

    def apply_at_once(self, app: str, command: Command, seq: int, time_us: int) -> Applied | None:
        """Do what `apply` does for less; None, and nothing is done, where something must be read first."""
        stamp = stamp_after(self.model, self.user, app, seq, time_us)
        try:
            caches = self.caches
            decision = decide_at_once(self.model, command, stamp, caches.grants, caches.latest)
        except Refusal as refusal:
            return Applied(Refused(id=command.id, seq=seq, error=refusal.error))
        return None if decision is None else self._take(decision, command, stamp)

    def _take(self, decision: Decision, command: Command, stamp: Stamp) -> Applied:
        check_writable(decision.changes)
        before = 0 if self.model is None else self.model.seq
        self.model = take_decision(self.model, decision, stamp, self.caches)
        return Applied(Accepted(id=command.id, seq=stamp.seq, result=decision.result), decision.changes, before)

    def rest(self) -> None:
        """Take little room until the model is used again."""
        self.caches.rest(self.user)


class ActiveModels:
    """The active actors of a worker, least recently used first. Those that were not used lately rest.

    They are kept by partition and user: whoever writes to the log's own subjects can put a person's command into a
    partition that is not theirs, and it must not meet their model there.
    """

    def __init__(self, limit: int) -> None:
        busy = min(limit, MAX_BUSY_MODELS)
        self._busy: Recent[_Key, LiveModel] = Recent(busy)
        self._resting: Recent[_Key, LiveModel] = Recent(limit - busy)
        self._room = Room(MAX_EVIDENCE_BYTES)

    def __len__(self) -> int:
        return len(self._busy) + len(self._resting)

    def get(self, partition: int, user: str) -> LiveModel | None:
        key = (partition, user)
        actor = self._busy.get(key)
        if actor is None and (actor := self._resting.discard(key)) is not None:
            self._use(key, actor)
        return actor

    def activate(self, partition: int, actor: LiveModel) -> None:
        self._resting.discard((partition, actor.user))
        self._use((partition, actor.user), actor)

    def passivate(self, partition: int, user: str) -> None:
        for actors in (self._busy, self._resting):
            actor = actors.discard((partition, user))
            if actor is not None:
                actor.caches.leave()

    def passivate_all(self, partition: int) -> None:
        """Let all models of a partition go."""
        for actors in (self._busy, self._resting):
            for key in actors:
                if key[0] == partition:
                    self.passivate(*key)

    def _use(self, key: _Key, actor: LiveModel) -> None:
        """Count an actor among the busy. The one of them that was unused for longest rests, if they are too many."""
        actor.caches.enter(self._room)
        idle = self._busy.put(key, actor)
        if idle is not None:
            idle[1].rest()
            gone = self._resting.put(*idle)
            if gone is not None:
                gone[1].caches.leave()
