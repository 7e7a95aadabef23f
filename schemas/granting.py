"""What an owner asks about the rights of an app: what it would see, what it may do and why."""

from typing import Any, Literal

import msgspec

from schemas.errors import Error
from schemas.evidence import ComponentType, ValueType
from schemas.limits import PROTOCOL_VERSION
from schemas.slices import Action, Slice


class PreviewedComponent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A component as the app would get it."""

    path: list[str]
    """From the root, the component's own name last."""
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value: Any = None
    evidence: int = 0
    """Pieces of evidence that exist for the app: its value is made of these, and it lists them if no resolver is bound.

    What has expired is counted, too.
    """
    error: Error | None = None
    """Why it would get no value."""


class PreviewedAsk(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one ask of the app would give: of a context, of a view of it, or of some of its components."""

    context: list[str]
    view: str | list[str] | None = None
    """As in the query `ask`."""
    whose_rules: str | None = None
    """It is what the app's rules in this person's model would read; null: what the app itself sees."""
    components: list[PreviewedComponent] = []
    more: int = 0
    """Components beyond those that the reply has room for."""
    error: Error | None = None
    """Why the whole ask would be refused: there may be no such place yet."""


class PreviewGrantReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="preview_grant", omit_defaults=True):
    """What the app would see: of each place where it may ask, all contexts below. Nothing has changed."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the model that was looked at."""
    time: float
    """Of all of it, seconds since 1970, and later than all evidence: `since` set to it means "from now on"."""
    asks: list[PreviewedAsk] = []
    empty: bool = False
    """Of what is there now the app would see no value and no evidence, only names and descriptions."""
    more_components: int = 0
    """Components that the app would see, beyond those in the reply."""
    more_contexts: int = 0
    """Contexts of which the reply says nothing."""


class CheckedPart(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One part of what holds for the app in a place, and what decides it."""

    part: str
    """Its name, as in [a permission](#permission)."""
    value: bool | float | str | list[str] | None = None
    """What counts; null: not restricted, or not allowed."""
    place: str | None = None
    """Where the setting is that says so, with a `/` in front; null: nothing says anything, or the app is an owner's."""
    is_component: bool = False
    """That place is a component."""
    said_as: str | None = None
    """The part that the setting says, if it is another one: `tell`, which says the same of `make`."""
    until: float | None = None
    """When that setting stops to count, seconds since 1970."""
    expired: str | None = None
    """A nearer place whose setting said something else and has expired."""


CheckVerdict = Literal[
    "owner", "setting", "not_said", "forbidden", "expired", "outside_view", "needs", "not_registered"
]


class CheckReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="check", omit_defaults=True):
    """Whether the app may, and why."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the model that was looked at."""
    time: float
    """Expiry is judged at this time, seconds since 1970."""
    allowed: bool
    reason: CheckVerdict
    """`owner`: the app is an owner's. `setting`: the part of that verb decides. Else it may not: `not_said`: no setting
    says anything. `forbidden`: the deciding setting says no. `expired`: the setting that allowed it has expired.
    `outside_view`: the app is bound to a view that does not have it. `needs`: another verb is missing, too.
    `not_registered`: the model does not know the app."""
    needs: list[Action] = []
    """Verbs that are missing, if it may not."""
    role: Literal["owner", "app"] | None = None
    """Null: the app is not registered."""
    exists: bool = True
    """There is such a context or component."""
    parts: list[CheckedPart] = []
    """The verb's first."""
    missing: Slice | None = None
    """If it may not: what the owner would have to grant."""
