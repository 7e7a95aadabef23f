"""What follows from a piece of evidence: the parts of a `FollowsReply`."""

from typing import Any

import msgspec

from schemas.asked import AskedRow
from schemas.consequences import ReachedModel, SentNotice
from schemas.evidence import CausingPiece, Withdrawal
from schemas.limits import PROTOCOL_VERSION


class ToldValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A piece of evidence that a rule has told because of the piece, or of what follows from it."""

    path: list[str]
    """Of its component, from the root."""
    seq: int
    n: int = 0
    value: Any = None
    source: str
    """The app whose rule it was."""
    creation_time: float
    """When it was accepted, seconds since 1970."""
    rule: str | None = None
    """The token of the rule."""
    cause: CausingPiece
    """The piece that has fired the rule."""
    withdrawn: Withdrawal | None = None
    """Null: it counts."""


class FiredRule(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A rule that has brought something about because of the piece, or of what follows from it."""

    path: list[str]
    """Of its component, from the root."""
    token: str
    app: str
    """Whose rule it is."""
    statement: str | None = None
    """Null: it has been deleted since."""


class FollowsReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="follows", omit_defaults=True):
    """What has followed from a piece of evidence so far."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the state that was looked at."""
    values: list[ToldValue] = []
    """What rules have told here, each after its cause."""
    rules: list[FiredRule] = []
    notices: list[SentNotice] = []
    elsewhere: list[ReachedModel] = []
    asked: list[AskedRow] = []
    """Who has asked since then where the piece, or a value that follows from it, is shown. The latest first."""
    more: bool = False
    """There is more of something than a reply holds."""
