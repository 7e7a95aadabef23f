"""What is remembered beside a model, so that it need not be read or worked out again. It is no part of the model.

All of it may be dropped at any moment; what it says then is found anew, and models are compared without it. Whoever
holds a model holds its caches, and tells them of each change before the model takes it.
"""

from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from model.changes import AddEvidence, Change, ForgetUser, MarkWithdrawn, PutItem
from model.permissions import Grants
from model.reads import EvidenceKind
from model.state import Component, Model
from schemas.evidence import Evidence
from schemas.paths import Path

_DECIDE_GRANTS: Final = frozenset({"app", "permission", "component_permission", "context"})
"""Items from which permission answers come. Answers are remembered for contexts that exist only."""

KINDS: Final[tuple[EvidenceKind, ...]] = get_args(EvidenceKind)


class Latest(msgspec.Struct, gc=False):
    """The latest evidence without and with the goal flag, and the correction in effect. None: there is none."""

    plain: Evidence | None = None
    goal: Evidence | None = None
    correction: Evidence | None = None


class Caches:
    """The caches of one model."""

    __slots__ = ("grants", "latest")

    def __init__(self) -> None:
        self.latest: dict[int, Latest] = {}
        """By component number; absent: not looked at since the model was activated."""
        self.grants: Grants = {}
        """Answers of `model.permissions`. Whatever may change one, empties it."""

    def keep_latest(self, component_no: int, read: Mapping[EvidenceKind, Evidence | None]) -> None:
        """Keep what was read as the latest of some kinds. To begin with, a component needs all of them."""
        latest = self.latest.get(component_no)
        if latest is None:
            if len(read) < len(KINDS):
                return
            latest = self.latest[component_no] = Latest()
        for kind, piece in read.items():
            setattr(latest, kind, piece)

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
            self.latest.pop(change.component_no, None)
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
            self.latest.pop(before.number, None)
        elif before is None and isinstance(after, Component):
            self.latest[after.number] = Latest()


def _component_at(model: Model | None, path: Path) -> Component | None:
    context = None if model is None else model.context(path[:-1])
    return None if context is None else context.component(path[-1])
