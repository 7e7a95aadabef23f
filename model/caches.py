"""What is remembered beside a model, so that it need not be read or worked out again. It is no part of the model.

All of it may be dropped at any moment; what it says then is found anew, and models are compared without it. Whoever
holds a model holds its caches and tells them of each change.
"""

import msgspec

from model.changes import AddEvidence, Change, ForgetUser, MarkWithdrawn, PutItem
from model.permissions import Grants
from model.state import NUMBERS_PER_COMMAND, Component
from schemas.evidence import GOAL_FLAG, Evidence


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

    def note(self, change: Change, seq: int) -> None:
        """Keep what is remembered true after a change."""
        if type(change) is AddEvidence:
            latest = self.latest.get(change.component_no)
            if latest is not None:
                _keep_latest(latest, change.evidence)
        elif type(change) is PutItem:
            self._note_item(change, seq)
        elif type(change) is MarkWithdrawn:
            self.latest.pop(change.component_no, None)
        elif type(change) is ForgetUser:
            self.latest.clear()
            self.grants.clear()

    def _note_item(self, change: PutItem, seq: int) -> None:
        if change.kind == "component":
            self._note_component(change.item, seq)
        elif change.kind in ("app", "permission", "component_permission") or change.item is None:
            self.grants.clear()

    def _note_component(self, component: object, seq: int) -> None:
        if component is None:
            self.latest.clear()
        elif isinstance(component, Component) and component.number // NUMBERS_PER_COMMAND == seq:
            self.latest.setdefault(component.number, Latest())


def _keep_latest(latest: Latest, evidence: Evidence) -> None:
    """Evidence arrives in order, so the newest is the latest of its kind."""
    if evidence.correction:
        latest.correction = evidence
    elif GOAL_FLAG in evidence.flags:
        latest.goal = evidence
    else:
        latest.plain = evidence
