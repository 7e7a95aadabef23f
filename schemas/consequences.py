"""What follows if something goes: the parts of a `ConsequencesReply`."""

from typing import Any, Literal

import msgspec

from schemas.errors import Error
from schemas.evidence import CausingPiece


class ChangedValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A component whose value would be another one, as the asking app gets it. Values that stay are left out."""

    path: list[str]
    """From the root, the component's own name last."""
    before: Any = None
    after: Any = None
    goes: bool = False
    """The component itself is deleted: there is no value after that."""
    error_before: Error | None = None
    """Why there is no value now."""
    error_after: Error | None = None
    """Why there would be none."""


class GoingPiece(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A piece of evidence that would no longer count."""

    path: list[str]
    """Of its component, from the root."""
    seq: int
    n: int = 0
    value: Any = None
    source: str
    """The app that told it."""
    creation_time: float
    """When it was accepted, seconds since 1970."""
    rule: str | None = None
    """The token of the rule that told it."""
    cause: CausingPiece | None = None
    """The piece that it was told because of, and goes with; null: it goes by itself. Shown to owner apps only."""


class GoingRule(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A rule that would be deleted with its component."""

    path: list[str]
    """Of its component, from the root."""
    token: str
    app: str


class SentNotice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A URL that a rule has called because of what goes, or is about to call. That cannot be taken back."""

    app: str
    """Whose rule it is."""
    rule: str
    """The rule's token."""
    time: float
    """When that was noted, seconds since 1970."""
    method: Literal["GET", "POST"] = "GET"
    url: str = ""
    """The beginning of the URL, up to the host."""


class ReachedModel(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Another person's model, which a rule has told something because of what goes.

    It is withdrawn there, too, if that person still lets the rule tell; else that is reported. It stays there if what
    goes is forgotten, which changes nobody else's model.
    """

    person: str
    path: list[str] = []
    """The component that was told something, from the root."""
    app: str
    """Whose rule it is."""
    rule: str
    """The rule's token."""
    time: float
    """When that was noted, seconds since 1970."""


class Uncounted(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an answer has no room for: how many of each."""

    values: int = 0
    """Components whose values were not compared. Some of them may stay as they are."""
    pieces: int = 0
    rules: int = 0
    notices: int = 0
    elsewhere: int = 0
    unseen: bool = False
    """More follows than was looked at, more than 20,000 pieces of evidence, and nobody has counted that."""
