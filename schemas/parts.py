"""A part of a model that is forgotten: how it is named and counted, and how what is left is said anew."""

from typing import Any

import msgspec

from schemas.limits import PROTOCOL_VERSION


class _Own(msgspec.Struct, kw_only=True, tag_field="verb", omit_defaults=True, forbid_unknown_fields=True):
    id: str
    v: int = PROTOCOL_VERSION


class ForgetPart(_Own, tag="forget_part"):
    """Erase a part of the model: what fulfils all that is set here, and what rules have derived from it.

    Owner apps only. At least one member must be set. It is accepted even if there is no such part, so it can be sent
    again. llum then writes into the log anew what is left of the person, and erases the earlier messages; the query
    `measure_part` says when that is done.
    """

    context: list[str] | None = None
    """Of the component; it goes with `component`."""
    component: str | None = None
    """Only evidence of this component. If nothing else is set the component itself goes, too, with its rules and
    permissions, as if it had never been."""
    seq: int | None = None
    """Only the evidence of the component that this command brought."""
    n: int | None = None
    """Only this piece of it. Null: all that the command brought."""
    source: str | None = None
    """Only evidence that this app told."""
    accepted_from: float | None = None
    """Only evidence that was accepted then or later, seconds since 1970."""
    accepted_until: float | None = None
    """Only evidence that was accepted before that."""
    held_from: float | None = None
    """Only evidence that held then or later: by its `time`, or its acceptance if it has none."""
    held_until: float | None = None
    """Only evidence that held before that."""


class LeftOver(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """What ends a restating."""

    clock_us: int
    """The partition's clock as it was: no later command is older."""
    digest_key: int
    """Names the key that the digests of bodies were made with."""
    causes: list[tuple[str, int, int]] = []
    """First causes that are counted: the root, the sequence that counted last, the count."""
    held_orders: list[int] = []
    """Numbers of the components of which evidence is kept in the order in which it held, too."""


class Restate(_Own, tag="restate"):
    """Say anew what is left of a person. Only llum sends it, as the app `_restate`.

    Several make one attempt. With the last of them the person's model is what all of them say, and nothing else. An
    attempt that is not whole counts for nothing.
    """

    attempt: str
    number: int
    """The first one of an attempt is 0."""
    rows: dict[str, list[list[Any]]] = {}
    """By table: what the shard keeps, without digests of the log and without the person's key."""
    last: LeftOver | None = None
    """Null: more will follow."""


class PartSize(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How much there is of a part of a model."""

    components: int = 0
    evidence: int = 0
    """Pieces that are meant."""
    derived: int = 0
    """Further pieces of the same model that rules have derived from them."""
    withdrawals: int = 0
    """Marks that some of all these pieces were withdrawn."""
    rules: int = 0
    permissions: int = 0
    """Of the component."""

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in self.__struct_fields__)


class MeasurePartReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="measure_part", omit_defaults=True):
    """What a part of the model is, and whether an earlier part is still being erased."""

    v: int = PROTOCOL_VERSION
    seq: int
    size: PartSize | None = None
    """Null: the query does not say which part is meant."""
    waits: bool = False
    """What is left of the person is not in the log anew yet, or the earlier messages are not all erased."""
