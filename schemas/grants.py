"""Grants: what each app may do in a model, how an owner decides that, and what was decided."""

from typing import Final, Literal

import msgspec

from schemas.limits import PROTOCOL_VERSION
from schemas.slices import Slice

ConsentVerdict = Literal["allowed", "refused", "changed", "revoked"]
"""What an owner can decide about an app."""

MAX_DECISIONS: Final = 50
"""Decisions about one app that are shown and exported: the latest."""

MAX_DECISION_BYTES: Final = 32 * 1024
"""Bytes of one decision as JSON."""


class Consent(
    msgspec.Struct,
    kw_only=True,
    tag_field="verb",
    tag="consent",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Decide what an app may do. The decision is kept with the model. Owner apps only.

    Result: the app's registration; null if it is refused and not registered.
    """

    id: str
    v: int = PROTOCOL_VERSION
    app: str
    decision: ConsentVerdict
    """`allowed`: the app is registered, if it is not, and gets what is `granted`; what it may do at other places stays.
    `changed`: what is `granted` is all that it may do from now on. `refused`: nothing changes. `revoked`: it may do
    nothing any more, its rules are suspended until an owner's app activates them, and its tokens, passwords and
    connections end."""
    granted: list[Slice] = []
    """Places need not be there yet."""
    refused: list[Slice] = []
    """What it asked for and did not get."""
    name: str = ""
    """What the app calls itself."""
    host: str = ""
    """Where it comes from, for people: the host that the person is sent back to, say."""
    purpose: str = ""
    """What for, in the app's words; of each slice that says nothing of its own."""
    role: Literal["app", "owner"] = "app"
    """With `allowed`, `owner` makes it an owner's app; `changed` makes it what this says."""
    how: str = ""
    """How the person was there when they decided: the sign-in, say. It is shown to owners."""


class ConsentDecision(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A decision about an app, as it is kept with the model."""

    app: str
    decision: ConsentVerdict
    time: float
    """When, seconds since 1970."""
    by: str
    """The app that it came through."""
    how: str = ""
    """How the person was there, in that app's words: the sign-in, say."""
    granted: list[Slice] = []
    refused: list[Slice] = []
    name: str = ""
    """What the app called itself then."""
    host: str = ""
    """Where it came from then."""
    purpose: str = ""
    """What for, in the app's words."""
    role: Literal["owner", "app"] = "app"
    until: float | None = None
    """When all that was granted ends, seconds since 1970; null: some of it lasts, or nothing was granted."""
    imported: bool = False
    """It was decided elsewhere, and came with an import: it gives no right here."""


class GrantedApp(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An app, what it may do now, and the decisions about it."""

    app: str
    name: str = ""
    """What the app called itself when it was last decided about."""
    host: str = ""
    description: str = ""
    role: Literal["owner", "app"] = "app"
    """An owner's app may do everything, whatever its slices are."""
    registration: int | None = None
    """The sequence of the command that registered it; null: it is not registered."""
    slices: list[Slice] = []
    decisions: list[ConsentDecision] = []
    """The latest first. For owner apps only."""
    rules: int = 0
    """How many rules it has in this model."""
    suspended: int = 0
    """How many of them are not at work."""


class GrantsReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="grants", omit_defaults=True):
    """What apps may do in a model now."""

    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that the answer reflects."""
    apps: list[GrantedApp] = []
    """Sorted by id. An owner's app sees all, also those that are not registered and were decided about."""
    more: int = 0
    """Decisions for which the answer has no room: ask about one app."""
