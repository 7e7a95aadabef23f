"""What a command changes: to be taken into the model, to be stored, or to be done.

`model.commands.decide` gives changes, `model.fold.evolve` takes them into a model, the shard writes them. All that is
stored is encoded when the change is made, so what cannot be encoded is refused before anything is touched.

Items are the structure of a model (its contexts, components, views, apps, permissions, rules), each under a kind and
a path, each kept in all its versions, so that a model can be loaded as it was at any sequence or time. Evidence is
only ever added; a withdrawal is a mark beside it. What is an `Effect` leaves the partition through the outbox.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from model.reads import EvidenceKind
from model.state import App, Component, ContextItem, Model, StoredRule, View
from schemas.causes import Cause, CauseRange
from schemas.effects import Sent
from schemas.errors import Error
from schemas.evidence import GOAL_FLAG, Evidence, Withdrawal
from schemas.grants import ConsentDecision
from schemas.paths import Path
from schemas.permissions import Permission

ItemKind = Literal[
    "model", "context", "component", "view", "app", "permission", "component_permission", "rule", "decision"
]
Content = ContextItem | Component | View | App | Permission | StoredRule | ConsentDecision

_encode: Final = msgspec.json.Encoder().encode


class PutItem(msgspec.Struct, frozen=True, gc=False):
    """Set one item of the model's structure, or drop it: then `content` and `body` are None."""

    kind: ItemKind
    path: Path
    """Of a context, a component or a view its path; of an app its id; of a permission the app and the path; of a rule
    the component's path and the token; of a decision the app and which of the command's decisions about it it is."""
    content: Content | None
    body: bytes | None
    """The content as JSON."""


class AddEvidence(msgspec.Struct, frozen=True, gc=False):
    """Add a piece of evidence to a component. With the command's `seq`, `n` makes it unique in the model."""

    component_no: int
    n: int
    kind: EvidenceKind
    creation_us: int
    useby: float | None
    evidence: Evidence
    body: bytes
    """The evidence as JSON."""
    held: float | None = None
    """Its place in the order of holding, seconds since 1970; None: its component is not kept in that order."""
    path: Path | None = None
    """Of its component, if the command does not name that."""

    @property
    def is_goal(self) -> bool:
        return self.kind == "goal"


class KeepHeldOrder(msgspec.Struct, frozen=True, gc=False):
    """A component's evidence is kept in the order in which it held, too, from now on.

    What was told before has no time of its own: it held in the order of its acceptance.
    """

    component_no: int


class MarkWithdrawn(msgspec.Struct, frozen=True, gc=False):
    """Evidence counts no longer, from this command on."""

    component_no: int
    seq: int
    n: int
    body: bytes
    """JSON of `schemas.evidence.Withdrawal`."""
    path: Path | None = None
    """Of its component, if the command does not name that."""


class NoteConsequence(msgspec.Struct, frozen=True, gc=False):
    """A piece of evidence has set off something outside the model."""

    component_no: int
    seq: int
    n: int
    body: bytes
    """JSON of `schemas.effects.Sent`."""


class CountCause(msgspec.Struct, frozen=True, gc=False):
    """So many commands of rules go back to one first cause; `count` 0: it need not be remembered any more."""

    root: str
    count: int


class ForgetUser(msgspec.Struct, frozen=True, gc=False):
    """Delete everything that is stored of the user: all items in all versions, all evidence, all command ids."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """Which part of a model is meant: what fulfils all that is set. See `schemas.commands.ForgetPart`."""

    path: Path | None = None
    """Of a component, from the root."""
    seq: int | None = None
    n: int | None = None
    source: str | None = None
    accepted_from: float | None = None
    accepted_until: float | None = None
    held_from: float | None = None
    held_until: float | None = None

    @property
    def is_whole_component(self) -> bool:
        """Whether the component itself is meant, not only some evidence of it."""
        return self.path is not None and self == Part(path=self.path)


class ForgetThePart(msgspec.Struct, frozen=True, gc=False):
    """Delete what is stored of a part, in all versions. The store finds it: it knows the past, too."""

    part: Part


class Restated(msgspec.Struct, frozen=True, gc=False):
    """What is left of a person has been said anew. The store keeps it, and puts it in place once it is whole."""


class Fired(msgspec.Struct, frozen=True, gc=False):
    """The component's rules are to be evaluated, as of this command."""

    path: Path
    """Of the component, from the root."""
    cause: Cause | None = None
    """That of the command; None: the command itself is the first cause."""
    token: str | None = None
    """Exactly this rule, because its time has come; None: every rule of the component that has no schedule."""
    but_not: tuple[str, ...] = ()
    """Tokens of rules for whose apps what was told does not exist."""
    n: int = 0
    """Which of the command's pieces of evidence has fired them."""


class SchedulePlanned(msgspec.Struct, frozen=True, gc=False):
    """The next firing of a rule with a schedule is to be planned."""

    path: Path
    token: str
    after_s: int
    """The first one after this instant, seconds since 1970."""


class ScheduleDropped(msgspec.Struct, frozen=True, gc=False):
    """A rule is no longer to be fired on a schedule."""

    path: Path
    token: str


class RuleSuspended(msgspec.Struct, frozen=True, gc=False):
    """A rule does not work because its app lacks a right: to be reported to the app and the operator."""

    path: Path
    """Of its component."""
    token: str
    app: str
    time: float
    """Seconds since 1970."""
    error: Error


class RegistrationChanged(msgspec.Struct, frozen=True, gc=False):
    """An app has been registered or deleted: to be announced to whoever lets apps in."""

    app: str
    registration: int | None
    """The sequence of the command that registered it; None: it is not registered any more."""
    origins: tuple[str, ...] = ()


class CauseGone(msgspec.Struct, frozen=True, gc=False):
    """A piece of evidence counts no longer because of which a rule has told another person's model something."""

    seq: int
    n: int
    sent: Sent


class WithdrawElsewhere(msgspec.Struct, frozen=True, gc=False):
    """What rules have told other people's models is to be withdrawn there."""

    time: float
    """Seconds since 1970."""
    causes: tuple[CauseGone, ...]


class WithdrawFurther(msgspec.Struct, frozen=True, gc=False):
    """More follows from withdrawn evidence than one command withdraws: another one is to go on."""

    origins: tuple[CauseRange, ...]
    by: str
    """Who has withdrawn the evidence."""


Effect = (
    WithdrawElsewhere
    | WithdrawFurther
    | Fired
    | SchedulePlanned
    | ScheduleDropped
    | RuleSuspended
    | RegistrationChanged
)
Change = (
    PutItem
    | AddEvidence
    | KeepHeldOrder
    | MarkWithdrawn
    | NoteConsequence
    | CountCause
    | ForgetUser
    | ForgetThePart
    | Restated
    | Effect
)


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What a command comes to. No changes: it found nothing to do. All of the changes count, or none."""

    changes: Sequence[Change]
    result: Any = None
    whole: Model | None = None
    """The model that the changes make where there was none, if it is at hand. Each of its components has evidence, and
    one piece of it."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A stored item as the shard gives it back when a model is loaded."""

    kind: ItemKind
    path: Path
    body: bytes


def put(kind: ItemKind, path: Path, content: Content) -> PutItem:
    """Set an item."""
    return PutItem(kind, path, content, _encode(content))


def drop(kind: ItemKind, path: Path) -> PutItem:
    """Drop an item. What stands below it has to be dropped before."""
    return PutItem(kind, path, None, None)


def add(
    evidence: Evidence, component_no: int, creation_us: int, held_order: bool = False, path: Path | None = None
) -> AddEvidence:
    """Add evidence that was accepted at this time (microseconds since 1970). `held_order` is that of its component.

    `path` is that of its component, if the command does not name it.
    """
    kind: EvidenceKind = "correction" if evidence.correction else "goal" if GOAL_FLAG in evidence.flags else "plain"
    held = evidence.held_from if held_order else None
    body = _encode(evidence)
    return AddEvidence(component_no, evidence.n, kind, creation_us, evidence.useby, evidence, body, held, path)


def mark_withdrawn(
    component_no: int, seq: int, n: int, withdrawal: Withdrawal, path: Path | None = None
) -> MarkWithdrawn:
    """Mark a piece of evidence; `path` is that of its component, if the command does not name it."""
    return MarkWithdrawn(component_no, seq, n, _encode(withdrawal), path)


def note_consequence(component_no: int, seq: int, n: int, sent: Sent) -> NoteConsequence:
    """Note what a piece of evidence has set off outside the model."""
    return NoteConsequence(component_no, seq, n, _encode(sent))
