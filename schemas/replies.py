"""Outcomes of commands and replies to queries. The reply to a query has the query's verb for its tag."""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from schemas.asked import AskedReply
from schemas.consequences import ChangedValue, GoingPiece, GoingRule, ReachedModel, SentNotice, Uncounted
from schemas.definitions import ImportedContext, Suspension
from schemas.errors import Error
from schemas.evidence import ComponentType, Evidence, EvidenceType, FilterName, ValueType
from schemas.explaining import Explanation
from schemas.following import FollowsReply
from schemas.granting import CheckReply, PreviewGrantReply
from schemas.grants import ConsentDecision, GrantsReply
from schemas.limits import PROTOCOL_VERSION
from schemas.parts import MeasurePartReply
from schemas.permissions import Permission
from schemas.preferences import PreferencesReply
from schemas.quotas import Quotas


class Accepted(msgspec.Struct, kw_only=True, tag_field="outcome", tag="accepted", omit_defaults=True, gc=False):
    """The command has been applied: asks show it. `seq` is its place in the log."""

    v: int = PROTOCOL_VERSION
    id: str
    seq: int
    result: Any = None
    """What the command says of it in [commands](#commands); null for most."""
    repeated: bool = False
    """This is the first outcome of a command that was sent again."""
    settled_seq: int | None = None
    """With `Llum-Settle`: the last of the commands that rules have sent to the same model because of it, or `seq`."""
    settled: bool | None = None
    """With `Llum-Settle`: whether all that has ended. Null for a command that was sent again, if it is not known."""


class Refused(msgspec.Struct, kw_only=True, tag_field="outcome", tag="refused", omit_defaults=True, gc=False):
    """The command changed nothing. `id` is null if the message was too broken to have one."""

    v: int = PROTOCOL_VERSION
    id: str | None = None
    seq: int
    error: Error
    repeated: bool = False


Outcome = Accepted | Refused


class Rejection(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What llum keeps of a refused command, in `llum.rejected.<user>.<app>`, for a week."""

    v: int = PROTOCOL_VERSION
    user: str
    app: str
    verb: str
    id: str | None = None
    seq: int
    time: float
    error: Error


class RuleDescription(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A rule of a component."""

    statement: str
    """As it was written."""
    app: str
    """Who made it: the rule may do what this app may."""
    created: float
    """Seconds since 1970."""
    user: str | None = None
    """A name that whoever made it has given; it gives no rights."""
    schedule: str | None = None
    """Its cron specification, by the person's time zone unless it names one; null: it fires on tells."""
    suspended: Suspension | None = None
    """Why it is not at work, until an owner's app activates it; null: it is at work."""


class ComponentAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    path: list[str]
    """From the root, the component's own name last."""
    description: str = ""
    component_type: ComponentType = "attribute"
    value_type: ValueType = "string"
    value_list: list[str] = []
    value: Any = None
    value_filtered_by: FilterName | None = None
    """The resolver saw only what this evidence filter lets through; null: all evidence, or a correction decided."""
    resolver: str | None = None
    """The component's own resolver, if one is set."""
    goals: list[list[str]] = []
    creation_time: float = 0.0
    """When the component was made, seconds since 1970."""
    extra: dict[str, Any] | None = None
    """Other members that whoever made it has given."""
    evidence: Sequence[Evidence] | None = None
    evidence_ahead: list[tuple[int, int]] = []
    """The `(seq, n)` of what `evidence` gives and does not count yet, because its time is too far ahead."""
    evidence_more: bool = False
    """There is a further page: ask again with `evidence_after` and `as_of_seq` set to this reply's `seq`."""
    explanation: Explanation | None = None


class ComponentFailure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A component that could not be answered; the others are."""

    path: list[str]
    error: Error


class ViewDetails(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a view holds beside its components."""

    description: str = ""
    extra: dict[str, Any] = {}
    """Other members that whoever made it has given."""


class AskReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="ask", omit_defaults=True):
    """Answers component by component: those that cannot be answered are among the failures."""

    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that the answer reflects."""
    components: list[ComponentAnswer] = []
    failures: list[ComponentFailure] = []
    contexts: list[str] | None = None
    """With `show_contexts`, as what follows: the names of the sub-contexts that the app may ask."""
    views: dict[str, list[str | list[str]]] | None = None
    """The context's views by name: names of components in it, or paths from the root."""
    rules: dict[str, dict[str, RuleDescription]] | None = None
    """Rules by the name of their component and by token; an owner app sees all, another app its own.

    An owner app also sees, empty, the components that had rules and have none.
    """
    view_details: dict[str, ViewDetails] | None = None
    """Of those of the views that have more than their components, by name."""
    context_description: str | None = None


class AccessReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="access", omit_defaults=True):
    """The model exists, and the app is registered with it."""

    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that changed the model."""
    role: Literal["owner", "app"]
    registration: int
    """The sequence of the command that registered the app: a token for an earlier one of that name is worthless."""
    origins: list[str] = []
    """Where the app's web pages come from."""
    rights: list[str] = []
    """What it may do somewhere in the model, of `ask`, `tell`, `make`, `delete`, `rules` and `notify`."""


class PingReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="ping", omit_defaults=True):
    """The partition is served."""

    v: int = PROTOCOL_VERSION
    partition: int
    applied_seq: int
    """The sequence of the last command that has been applied."""
    pauses: str | None = None
    """Why commands wait and are not applied for the time being, or soon will, for people; null: they are applied."""
    lost: str | None = None
    """What commands the log has lost or changed since they were applied, for people; null: none, as far as is known."""
    idle_s: float | None = None
    """Seconds since the partition has applied a command; null: it has not since its worker took it."""
    differs: str | None = None
    """What is wrong with copies of the partition that other workers hold, for people; null: nothing that is known."""
    level: int = 1
    """What the partition takes: verbs and members up to this level (`llum admin upgrade`)."""


class Granted(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the asking app may do in a context, after all that is set there and above."""

    ask: bool
    tell: bool
    make: bool = False
    delete: bool = False
    rules: bool = False
    notify: bool = False
    resolvers: list[str] = []
    """Names of the resolvers that it may use, sorted; empty: all."""
    filters: list[str] = []
    """Names of the evidence filters that it may use, sorted; empty: all."""
    bind_resolver: str | None = None
    """It gets the value of this resolver and no evidence; null: unbound."""
    bind_view: str | None = None
    """It sees only the components of this view; null: unbound."""
    types: list[EvidenceType] = []
    """The types of evidence that exist for it, sorted; empty: all."""
    past: float | None = None
    """How many seconds back it may ask; null: not at all, or for an owner app without bound."""
    since: float | None = None
    """Evidence that was accepted earlier does not exist for it; null: all of it does."""
    purpose: str | None = None
    """What for, in the app's words."""
    source: str = ""
    """Where `ask` comes from: `owner`, or the path of a context with a `/` in front; empty: said nowhere."""


class ContextSize(msgspec.Struct, kw_only=True):
    """How many there are in a context and below that the app may ask, the context itself included."""

    contexts: int
    components: int
    evidence: int
    """Pieces, those that have expired included; those that have been withdrawn for an owner app only."""


class ContextReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="get_context", omit_defaults=True):
    """What is known of a context, as far as the app may see it."""

    v: int = PROTOCOL_VERSION
    seq: int
    """The sequence of the last command that the answer reflects."""
    path: list[str]
    description: str = ""
    resolver: str | None = None
    """The context's own resolver, if one is set."""
    created: float
    """Seconds since 1970."""
    contexts: list[str] = []
    """Names of the sub-contexts, sorted."""
    components: list[str] = []
    """Names, in the order of their making."""
    views: dict[str, list[str | list[str]]] = {}
    """By name: names of components in this context, or paths from the root."""
    view_details: dict[str, ViewDetails] = {}
    """Of those of the views that have more than their components, by name."""
    extra: dict[str, Any] = {}
    """Other members that whoever made the context has given."""
    time_zone: str | None = None
    """Of the root: the person's; null: none is set, the installation's counts."""
    permission: Granted
    size: ContextSize | None = None
    """With `size` in the query."""


class ResolversReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="list_resolvers", omit_defaults=True):
    """The resolvers that may be named here."""

    v: int = PROTOCOL_VERSION
    seq: int
    resolvers: dict[str, str]
    """Descriptions by name, sorted by name."""


class AppDescription(msgspec.Struct, kw_only=True, omit_defaults=True):
    description: str
    role: Literal["owner", "app"]
    origins: list[str] = []
    quotas: Quotas | None = None
    """How much it may have here; null: as much as any app."""


class AppsReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="list_apps", omit_defaults=True):
    """The apps that are registered with the model."""

    v: int = PROTOCOL_VERSION
    seq: int
    apps: dict[str, AppDescription]
    """By id, sorted by id."""


class PermissionReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="get_permission", omit_defaults=True):
    """What is set for an app in exactly one place."""

    v: int = PROTOCOL_VERSION
    seq: int
    permission: Permission | None = None
    """Null: nothing is set there for the app itself."""
    rules_of: dict[str, Permission] = {}
    """What is set there for the rules that the app has in other people's models, by person."""
    settings: "list[ArchivedPermission]" = []
    """With `below` in the query: all that is set in the context and below, contexts first."""


class RulesReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="list_rules", omit_defaults=True):
    """The rules that the app may see."""

    v: int = PROTOCOL_VERSION
    seq: int
    rules: dict[str, dict[str, RuleDescription]]
    """By the name of the component and by token; components without rules are left out."""


class ArchivedRule(msgspec.Struct, kw_only=True, omit_defaults=True):
    path: list[str]
    """Of the context, from the root."""
    component: str
    statement: str
    app: str
    """Who made it."""
    user: str | None = None


class ArchivedPermission(Permission, kw_only=True, omit_defaults=True, frozen=True):
    """What is set for an app in a context, or for one component of it."""

    context: list[str]
    """From the root."""
    component: str | None = None
    whose_rules: str | None = None
    """Null: for the app itself."""


class ArchivedApp(AppDescription, kw_only=True, omit_defaults=True):
    permissions: list[ArchivedPermission] = []


class ExportReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="export", omit_defaults=True):
    """A page of an archive: contexts parents first, each context's components with a part of their evidence."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the state that is exported: that of the first page."""
    contexts: list[ImportedContext] = []
    rules: list[ArchivedRule] = []
    """With the first page: the rules at and below the context."""
    apps: dict[str, ArchivedApp] = {}
    """With the first page: all apps by id, with what is set for them at and below the context."""
    decisions: list[ConsentDecision] = []
    """With the first page of a whole model: what was decided about apps, the latest about each, the oldest first."""
    next: tuple[str, int, int] | None = None
    """Ask for the next page with `after` set to this; null: that was all."""


class CheckImportReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="check_import", omit_defaults=True):
    """The import would be accepted."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the model that it was checked against."""


class ConsequencesReply(msgspec.Struct, kw_only=True, tag_field="reply", tag="consequences", omit_defaults=True):
    """What would follow, as far as the app may see it. Nothing has changed."""

    v: int = PROTOCOL_VERSION
    seq: int
    """Of the state that was looked at."""
    values: list[ChangedValue] = []
    pieces: list[GoingPiece] = []
    rules: list[GoingRule] = []
    notices: list[SentNotice] = []
    elsewhere: list[ReachedModel] = []
    cut: Uncounted | None = None
    """How much more there is than the answer has room for; null: it is whole."""


class Failed(msgspec.Struct, kw_only=True, tag_field="reply", tag="failed", omit_defaults=True):
    """Why there is no answer."""

    v: int = PROTOCOL_VERSION
    error: Error


Reply = (
    AskReply
    | AccessReply
    | PingReply
    | ContextReply
    | ResolversReply
    | AppsReply
    | PermissionReply
    | GrantsReply
    | RulesReply
    | ExportReply
    | CheckImportReply
    | ConsequencesReply
    | AskedReply
    | FollowsReply
    | MeasurePartReply
    | CheckReply
    | PreviewGrantReply
    | PreferencesReply
    | Failed
)
REPLIES: Final[tuple[type[msgspec.Struct], ...]] = get_args(Reply)
