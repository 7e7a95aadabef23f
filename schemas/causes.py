"""Causes: what made llum itself send a command, and evidence from which something may follow."""

import msgspec

from schemas.evidence import StoredNumber


class Cause(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """Why llum itself sends a command: the rule that fired, and what set off the chain of rules. It limits cycles."""

    rule: str
    """The rule's token."""
    root: str
    """Names the first cause: `<user>.<seq>` of the command that no rule sent, or a cron firing."""
    depth: int
    """How many rules lie between the first cause and this command."""
    person: str | None = None
    """In whose model the rule is. In another model than that the command has the rights that are set there for
    `whose_rules`, and none of the app's own. Null: llum was older, or somebody else sent it."""
    seq: StoredNumber | None = None
    """With `n`, the piece of evidence that fired the rule, in that person's model. Null: a schedule did."""
    n: StoredNumber = 0
    path: list[str] = []
    """The component of that piece, from the root. Empty in other models than the rule's own."""
    read: list[str] = []
    """Paths of the other values that the rule has read, as rules write them. As `path`."""


class CauseRange(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """Where to look for what follows from evidence: a piece, or all pieces of a component."""

    component_no: StoredNumber = 0
    """llum's own number of the component; 0: it is in another person's model."""
    seq: StoredNumber | None = None
    """Null: all pieces of the component."""
    n: StoredNumber = 0
    grantee: str = ""
    """Of a piece in another person's model: the rules there that told something here, `<app>@<person>`."""
    only_no: StoredNumber = 0
    """Only what follows in the component with this number; 0: in any."""
    after: tuple[int, int, int, int] | None = None
    """Only what comes after this `seq` and `n` of the causing and of the following piece."""
