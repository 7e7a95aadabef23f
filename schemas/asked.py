"""Who asked and told what: the rows that an owner is shown, and the messages in which llum keeps the asks."""

from typing import Final, Literal

import msgspec

from schemas.limits import PROTOCOL_VERSION

PlaceKind = Literal["component", "context", "view", "model", "account"]

OPERATOR: Final = "operator"
"""In `by`: whoever has the operator's credentials."""

ADMIN: Final = "admin:"
"""In `by`, before the id of an administrator."""


class AskedRow(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What one app asked or told in one place, in the same way, how often and when (seconds since 1970)."""

    app: str
    verb: str
    """That of the query; `tell` for what was told."""
    path: list[str] = []
    """From the root. Of a view: that of its context, with the view's name last."""
    kind: PlaceKind = "component"
    """What the path names. `model`: the query is about the model as a whole, or about its apps. `account`: it is about
    the account; the verb says what was done."""
    grant: str = ""
    """Under which right: `owner`, or the path of the context whose permission applied; empty: no permission does."""
    code: str | None = None
    """Why it was refused; null: it was answered."""
    rule_of: str | None = None
    """It was not the app itself that asked, but llum, for a rule of the app in this person's model."""
    by: str | None = None
    """Who did it, if not the person: `operator`, or `admin:` and the id of an administrator."""
    place: str | None = None
    """Of a sign-in and what was done to the account: the address that it came from."""
    count: int
    first: float
    last: float


class AskedWindow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a worker has answered about one person since it last said so, in `llum.audit.<user>`."""

    v: int = PROTOCOL_VERSION
    id: str
    """One that is here twice counts once: a worker that does not know whether it was stored sends it again."""
    rows: list[AskedRow]


class AskedReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="asked", omit_defaults=True):
    """Who asked and told, the latest first."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the last command that the told rows reflect."""
    rows: list[AskedRow] = []
    more: int = 0
    """Rows beyond those that a reply holds: ask about one app, one path or a shorter time."""
