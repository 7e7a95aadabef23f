"""What applying a command leaves to be stored, or to be done. The shard writes these; the model does not know how.

Items are the structure of a model (its contexts, components, views, apps, permissions, rules), each under a kind and
a key, each kept in all its versions, so that a model can be loaded as it was at any sequence or time. Evidence is
only ever added; a withdrawal is a mark beside it. What is an `Effect` leaves the partition through the outbox.
"""

import msgspec

from schemas.commands import Cause
from schemas.evidence import Evidence


class PutItem(msgspec.Struct, frozen=True, gc=False):
    """Set (or, with body None, drop) one item of the model's structure."""

    kind: str
    key: str
    body: bytes | None
    """JSON."""
    item: object = None
    """What the body says."""


class AddEvidence(msgspec.Struct, frozen=True, gc=False):
    """Add a piece of evidence to a component. With the command's `seq`, `n` makes it unique in the model."""

    component_no: int
    n: int
    kind: int
    """One of `PLAIN`, `GOAL`, `CORRECTION`."""
    creation_us: int
    useby: float | None
    evidence: Evidence
    body: bytes
    """Its JSON."""

    @property
    def is_goal(self) -> bool:
        return self.kind == GOAL


PLAIN, GOAL, CORRECTION = 0, 1, 2
"""Kinds of evidence: what the shard's indexes tell apart."""


class MarkWithdrawn(msgspec.Struct, frozen=True, gc=False):
    """Evidence counts no longer, from this command on."""

    component_no: int
    seq: int
    n: int
    body: bytes
    """JSON of `schemas.evidence.Withdrawal`."""


class CountCause(msgspec.Struct, frozen=True, gc=False):
    """So many commands of rules go back to one first cause; `count` 0: it need not be remembered any more."""

    root: str
    count: int


class ForgetUser(msgspec.Struct, frozen=True, gc=False):
    """Delete everything that is stored of the user: all items in all versions, all evidence, all command ids."""


class Fired(msgspec.Struct, frozen=True, gc=False):
    """The component's rules are to be evaluated, as of this command."""

    path: tuple[str, ...]
    """Of the component, from the root."""
    cause: Cause | None = None
    """That of the command; None: the command itself is the first cause."""
    token: str | None = None
    """Exactly this rule, because its time has come; None: every rule of the component that has no schedule."""


class ScheduleSet(msgspec.Struct, frozen=True, gc=False):
    """A rule is to be fired on a schedule from now on."""

    path: tuple[str, ...]
    token: str
    cron: str
    """As it was written: `minute hour day-of-month month day-of-week`."""


class ScheduleDropped(msgspec.Struct, frozen=True, gc=False):
    """A rule is no longer to be fired on a schedule."""

    path: tuple[str, ...]
    token: str


class RegistrationChanged(msgspec.Struct, frozen=True, gc=False):
    """An app has been registered or deleted: to be announced to whoever lets apps in."""

    app: str
    registration: int | None
    """The sequence of the command that registered it; None: it is not registered any more."""


Effect = Fired | ScheduleSet | ScheduleDropped | RegistrationChanged
Change = PutItem | AddEvidence | MarkWithdrawn | CountCause | ForgetUser | Effect


class Item(msgspec.Struct, frozen=True, gc=False):
    """A stored item as the shard gives it back when a model is loaded."""

    kind: str
    key: str
    body: bytes
