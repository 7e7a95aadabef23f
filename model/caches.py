"""What is remembered beside a model, so that it need not be read or worked out again. It is no part of the model.

All of it may be dropped at any moment; what it says then is found anew, and models are compared without it. Whoever
holds a model holds its caches, and tells them of each change before the model takes it.
"""

from collections.abc import Sequence
from typing import Final

from model.changes import AddEvidence, Change, ForgetUser, MarkWithdrawn, PutItem
from model.latest import LatestPieces
from model.permissions import KnownGrants
from model.reads import Found, Read
from model.state import NUMBERS_PER_COMMAND, Component, Model
from model.tails import Tails
from schemas.paths import Path
from schemas.recent import Room

_DECIDE_GRANTS: Final = frozenset({"app", "permission", "component_permission", "context"})
"""Items from which permission answers come. Answers are remembered for contexts that exist only."""


class Caches:
    """The caches of one model. Without a room, of its evidence only the latest is kept."""

    __slots__ = ("_newest", "_room", "_tails", "grants", "latest")

    def __init__(self, room: Room | None = None) -> None:
        self.latest = LatestPieces()
        self.grants: KnownGrants = {}
        """Answers of `model.permissions`. Whatever may change one, empties it."""
        self._newest = 0
        """The number of the newest component that was made. Of it all evidence is known: at first there was none."""
        self._room = room
        self._tails: Tails | None = None

    def enter(self, room: Room) -> None:
        """Keep the newest evidence of components in this room from now on, once it has been read."""
        self._room = room

    def leave(self) -> None:
        """Keep it no longer."""
        if self._tails is not None:
            self._tails.leave()
        self._room = self._tails = None

    def rest(self, owner: str) -> None:
        """Take little room until the model is used again. `owner` is whose model it is."""
        self.latest.rest(owner)
        if self.grants:
            self.grants = {}
        self.leave()

    def recall(self, reads: Sequence[Read], model: Model) -> list[Found | None]:
        """Give what these reads of the model find; None for each one that goes to the disk."""
        tails = self._tails
        return [None] * len(reads) if tails is None else [tails.find(read, model) for read in reads]

    def whole(self, component_no: int) -> list[bytes] | None:
        """Give all evidence of a component that has no withdrawals, as it is now; None: it is read as any other."""
        return None if self._tails is None else self._tails.whole(component_no)

    def learn(self, reads: Sequence[Read], found: Sequence[Found], model: Model) -> None:
        """Take what was found on the disk. The model must be as it was when the reads were planned."""
        if self._room is None:
            return
        if self._tails is None:
            self._tails = Tails(self._room)
        for read, one in zip(reads, found, strict=True):
            self._tails.learn(read, one, model)

    def begin(self, changes: Sequence[Change]) -> None:
        """Know all evidence of a new model, of whose components each has one piece."""
        for change in changes:
            if type(change) is AddEvidence:
                self._newest = change.component_no
                self.latest.begin(change.component_no).add(change.kind, change.evidence)

    def note(self, model: Model | None, change: Change, seq: int) -> None:
        """Keep what is remembered true. The model is as it was before the change, `seq` is that of the command."""
        if type(change) is AddEvidence:
            latest = self.latest.ready.get(change.component_no)
            if latest is None:
                self.latest.add(change.component_no, change.kind, change.evidence)
            else:
                latest.add(change.kind, change.evidence)
            if self._tails is not None:
                self._tails.add(change)
        elif type(change) is PutItem:
            self._note_item(model, change, seq)
        elif type(change) is MarkWithdrawn:
            self.latest.drop(change.component_no)
            if self._tails is not None:
                self._tails.withdraw(change)
        elif type(change) is ForgetUser:
            self.latest.clear()
            self.grants.clear()
            self.leave()

    def _note_item(self, model: Model | None, change: PutItem, seq: int) -> None:
        content = change.content
        if type(content) is Component:
            if content.number > self._newest and content.number >= seq * NUMBERS_PER_COMMAND:
                self._newest = content.number
                self.latest.begin(content.number)
        elif change.kind == "component":
            self._note_dropped(_component_at(model, change.path))
        elif self.grants and change.kind in _DECIDE_GRANTS:
            self.grants.clear()

    def _note_dropped(self, component: Component | None) -> None:
        if component is not None:
            self.latest.drop(component.number)
            if self._tails is not None:
                self._tails.drop(component.number)


def _component_at(model: Model | None, path: Path) -> Component | None:
    context = None if model is None else model.context(path[:-1])
    return None if context is None else context.component(path[-1])
