"""What is remembered beside a model, so that it need not be read or worked out again. It is no part of the model.

All of it may be dropped at any moment; what it says then is found anew, and models are compared without it. Whoever
holds a model holds its caches, and tells them of each change before the model takes it.
"""

from typing import Final

from model.changes import AddEvidence, Change, ForgetUser, MarkWithdrawn, PutItem
from model.latest import LatestPieces
from model.permissions import Grants
from model.state import Component, Model
from schemas.paths import Path

_DECIDE_GRANTS: Final = frozenset({"app", "permission", "component_permission", "context"})
"""Items from which permission answers come. Answers are remembered for contexts that exist only."""


class Caches:
    """The caches of one model."""

    __slots__ = ("grants", "latest")

    def __init__(self) -> None:
        self.latest = LatestPieces()
        self.grants: Grants = {}
        """Answers of `model.permissions`. Whatever may change one, empties it."""

    def rest(self, owner: str) -> None:
        """Take little room until the model is used again. `owner` is whose model it is."""
        self.latest.rest(owner)
        self.grants = {}

    def note(self, model: Model | None, change: Change) -> None:
        """Keep what is remembered true. The model is as it was before the change."""
        if type(change) is AddEvidence:
            latest = self.latest.get(change.component_no)
            if latest is not None:
                # Evidence arrives in order, so the newest is the latest of its kind.
                setattr(latest, change.kind, change.evidence)
        elif type(change) is PutItem:
            self._note_item(model, change)
        elif type(change) is MarkWithdrawn:
            self.latest.drop(change.component_no)
        elif type(change) is ForgetUser:
            self.latest.clear()
            self.grants.clear()

    def _note_item(self, model: Model | None, change: PutItem) -> None:
        if change.kind == "component":
            self._note_component(_component_at(model, change.path), change.content)
        elif change.kind in _DECIDE_GRANTS:
            self.grants.clear()

    def _note_component(self, before: Component | None, after: object) -> None:
        """Of a new component all evidence is known: there is none yet."""
        if before is not None and after is None:
            self.latest.drop(before.number)
        elif before is None and isinstance(after, Component):
            self.latest.begin(after.number)


def _component_at(model: Model | None, path: Path) -> Component | None:
    context = None if model is None else model.context(path[:-1])
    return None if context is None else context.component(path[-1])
