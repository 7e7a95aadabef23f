"""Queries: what may be asked. A request to `llum.ask.<user>.<app>.<verb>`; the reply is one of `schemas.replies`."""

from typing import Annotated

import msgspec

from schemas.evidence import EvidenceFilter
from schemas.limits import PROTOCOL_VERSION

Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A sequence of the log, as any database can hold it."""


class _Query(msgspec.Struct, kw_only=True, tag_field="verb", omit_defaults=True, forbid_unknown_fields=True):
    v: int = PROTOCOL_VERSION
    min_seq: Sequence | None = None
    """Answer only after this sequence has been applied: the `seq` of one's own last tell gives read-your-writes."""


class Ask(_Query, tag="ask"):
    """Resolve components. Needs `ask` on each; the reply is an `AskReply`."""

    context: list[str] = []
    view: str | list[str | list[str]] | None = None
    """A stored view's name; or names of components here and paths from the root; or null: all of the context."""
    resolver: str | None = None
    """Absent: the component's, else its context's (nearest ancestor's), else `default`."""
    evidence_filter: EvidenceFilter | None = None
    include_evidence: bool = False
    """Give back the evidence that the filter lets through, ascending by acceptance, page by page."""
    evidence_after: tuple[Sequence, Sequence] | None = None
    """The `(seq, n)` of the last evidence of the page before, to get the next page."""
    explain: bool = False
    show_contexts: bool = False
    """Add the context's sub-contexts, views and subscriptions."""
    as_of_seq: Sequence | None = None
    """Answer as the model was after this sequence."""
    as_of_time: float | None = None
    """Answer as the model was at this time (seconds since 1970)."""


class Access(_Query, tag="access"):
    """Tell whether the model exists and the app is known to it: an `AccessReply`, or `no_such_model`."""


class Ping(_Query, tag="ping"):
    """Tell whether the partition is served: a `PingReply`. Needs no model and no permission."""


Query = Ask | Access | Ping
QUERIES: tuple[type[_Query], ...] = (Ask, Access, Ping)
QUERY_VERBS = frozenset(str(kind.__struct_config__.tag) for kind in QUERIES)
