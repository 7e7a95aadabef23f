"""One user's live model, and the bounded set of those that are active.

An actor is activated by its first message and passivated when it has not been used for longest and there are too
many. It holds nothing that is not committed or about to be, so passivating is forgetting.
"""

from collections.abc import Sequence

import msgspec

from model.caches import Caches
from model.changes import Change
from model.commands import decide
from model.fold import take
from model.reads import Reading
from model.stamp import stamp_after
from model.state import Model
from schemas.commands import Command
from schemas.errors import Refusal
from schemas.recent import Recent
from schemas.replies import Accepted, Outcome, Refused


class Applied(msgspec.Struct, gc=False):
    """What came of one command: its outcome, and what is to be written."""

    outcome: Outcome
    changes: Sequence[Change] = ()


class LiveModel:
    """Holds a user's model (None: there is none) with its caches, and applies commands to it, one after the other."""

    __slots__ = ("caches", "key", "model", "user")

    def __init__(self, user: str, key: int, model: Model | None) -> None:
        self.user = user
        self.key = key
        self.model = model
        self.caches = Caches()

    def apply(self, app: str, command: Command, seq: int, time_us: int) -> Reading[Applied]:
        """Decide a command and take what it changes; a refused one leaves the model as it was."""
        stamp = stamp_after(self.model, self.user, app, seq, time_us)
        try:
            decision = yield from decide(self.model, command, stamp, self.caches.grants)
        except Refusal as refusal:
            return Applied(Refused(id=command.id, seq=seq, error=refusal.error))
        self.model = take(self.model, decision.changes, stamp, self.caches)
        return Applied(Accepted(id=command.id, seq=seq, result=decision.result), decision.changes)


class ActiveModels:
    """The active actors of a worker, least recently used first.

    They are kept by partition and user: whoever writes to the log's own subjects can put a person's command into a
    partition that is not theirs, and it must not meet their model there.
    """

    def __init__(self, limit: int) -> None:
        self._actors: Recent[tuple[int, str], LiveModel] = Recent(limit)

    def __len__(self) -> int:
        return len(self._actors)

    def get(self, partition: int, user: str) -> LiveModel | None:
        return self._actors.get((partition, user))

    def activate(self, partition: int, actor: LiveModel) -> None:
        self._actors[(partition, actor.user)] = actor

    def passivate(self, partition: int, user: str) -> None:
        self._actors.discard((partition, user))

    def passivate_all(self, partition: int) -> None:
        """Let all models of a partition go."""
        for key in self._actors:
            if key[0] == partition:
                self._actors.discard(key)
