"""Why a component has its value: a part of the reply to an ask with `explain`."""

from typing import Literal

import msgspec

from schemas.evidence import Evidence


class Reason(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why some evidence did not decide the value: how many pieces, and the newest few of them."""

    reason: Literal[
        "filter",
        "expired",
        "ahead",
        "goal_flag",
        "no_goal_flag",
        "older",
        "no_permission",
        "withdrawn",
        "cause_withdrawn",
        "outranked",
        "corrected",
    ]
    count: int
    examples: list[Evidence] = []


class Skew(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far apart the two times of a piece of evidence are."""

    seq: int
    n: int = 0
    held: float
    """Since when it held, by its teller, seconds since 1970."""
    known: float
    """Since when llum has known it: its `creation_time`."""
    skew_s: float
    """Seconds that it became known after it held; less than 0: it was told ahead of its time."""
    large: bool = False
    """More than a day late, or a minute ahead: a late spool, an import, a plan, or a clock that is wrong."""


class Explanation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a component has its value."""

    resolver: str
    resolver_from: Literal["ask", "component", "context", "default", "grant"]
    """`grant`: the app is bound to this resolver."""
    evidence_filter: str = "all"
    grant: str
    """Under which right the app asked: `owner`, or the path of the context whose permission applied."""
    evaluated_at: float
    """The time at which expiry was judged, seconds since 1970."""
    used: list[Evidence] = []
    left_out: list[Reason] = []
    skews: list[Skew] = []
    """Of the evidence that is given here and has a time of its own: both times and what is between them."""
