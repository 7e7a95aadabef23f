"""Outcomes of commands and replies to queries."""

from typing import Any, Literal

import msgspec

from schemas.definitions import ImportedContext
from schemas.errors import Error
from schemas.evidence import ComponentType, Evidence, ValueType
from schemas.limits import PROTOCOL_VERSION


class Accepted(msgspec.Struct, kw_only=True, tag_field="outcome", tag="accepted", omit_defaults=True):
    """The command has been applied and committed. `seq` is its place in the log."""

    v: int = PROTOCOL_VERSION
    id: str
    seq: int
    result: Any = None
    repeated: bool = False
    """This is the first outcome of a command that was sent again."""


class Refused(msgspec.Struct, kw_only=True, tag_field="outcome", tag="refused", omit_defaults=True):
    """The command changed nothing. `id` is null when the message was too broken to have one."""

    v: int = PROTOCOL_VERSION
    id: str | None = None
    seq: int
    error: Error
    repeated: bool = False


Outcome = Accepted | Refused


class Rejection(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept in `llum.rejected.<user>.<app>` of a refused command, for days."""

    v: int = PROTOCOL_VERSION
    user: str
    app: str
    verb: str
    id: str | None = None
    seq: int
    time: float
    error: Error


class Reason(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why some evidence did not decide the value: how many pieces, and the newest few of them."""

    reason: Literal[
        "filter",
        "expired",
        "goal_flag",
        "no_goal_flag",
        "older",
        "no_permission",
        "withdrawn",
        "outranked",
        "corrected",
    ]
    count: int
    examples: list[Evidence] = []


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


class ComponentAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    path: list[str]
    """From the root, the component's own name last."""
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value_list: list[str] = []
    value: Any = None
    resolver: str | None = None
    """The component's own resolver, if one is set."""
    goals: list[list[str]] = []
    creation_time: float = 0.0
    evidence: list[Evidence] | None = None
    evidence_more: bool = False
    """There is a further page: ask again with `evidence_after` and `as_of_seq` set to this reply's `seq`."""
    explanation: Explanation | None = None


class ComponentFailure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A component that could not be answered; the others are."""

    path: list[str]
    error: Error


class AskReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="ask", omit_defaults=True):
    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that the answer reflects."""
    components: list[ComponentAnswer] = []
    failures: list[ComponentFailure] = []
    contexts: list[str] | None = None
    views: dict[str, list[str | list[str]]] | None = None
    subscriptions: dict[str, dict[str, Any]] | None = None
    context_description: str | None = None


class AccessReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="access", omit_defaults=True):
    v: int = PROTOCOL_VERSION
    seq: int
    role: Literal["owner", "app"]


class PingReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="ping", omit_defaults=True):
    v: int = PROTOCOL_VERSION
    partition: int
    applied_seq: int


class ResultReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="result", omit_defaults=True):
    """The reply to the smaller queries; `result` is described with each."""

    v: int = PROTOCOL_VERSION
    seq: int
    result: Any = None


class ExportReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="export", omit_defaults=True):
    """A page of an archive: contexts parents first, each context's components with a part of their evidence."""

    v: int = PROTOCOL_VERSION
    seq: int
    contexts: list[ImportedContext] = []
    rules: list[dict[str, Any]] = []
    """With the first page: [{path, component, statement, app}]."""
    apps: dict[str, Any] = {}
    """With the first page: {app: {description, role, permissions: [{context, component, …}]}}."""
    next: tuple[str, int, int] | None = None
    """Ask for the next page with `after` set to this; null: that was all."""


class Failed(msgspec.Struct, kw_only=True, tag_field="reply", tag="failed", omit_defaults=True):
    v: int = PROTOCOL_VERSION
    error: Error


Reply = AskReply | AccessReply | PingReply | ResultReply | ExportReply | Failed
