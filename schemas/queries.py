"""Queries: what may be asked. A request to `llum.ask.<user>.<app>.<verb>`.

The reply to each is the struct of `schemas.replies` whose tag is the query's verb, or `Failed`.
"""

from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from schemas.commands import DeleteComponent, DeleteContext, Withdraw
from schemas.definitions import ImportedApp, ImportedContext
from schemas.evidence import EvidenceFilter
from schemas.grants import ConsentDecision
from schemas.limits import MAX_SEQ, PROTOCOL_VERSION
from schemas.parts import ForgetPart
from schemas.slices import Action, Slice
from schemas.verbs import verb_of

Sequence = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
"""A sequence of the log, as any database can hold it."""


class _Query(msgspec.Struct, kw_only=True, tag_field="verb", omit_defaults=True, forbid_unknown_fields=True):
    v: int = PROTOCOL_VERSION
    min_seq: Sequence | None = None
    """Answer only when this sequence has been applied. With the `seq` of your last tell you see what you told."""


class PastQuery(_Query, kw_only=True):
    """A query that may be about the past."""

    as_of_seq: Sequence | None = None
    """Answer as the model was after this sequence. Today's permissions decide what the app sees, and how far back."""
    as_of_time: float | None = None
    """Answer as the model was at this time (seconds since 1970)."""


class Ask(PastQuery, tag="ask"):
    """Resolve components. Needs `ask` on each; the reply is an `AskReply`."""

    context: list[str] = []
    view: str | list[str | list[str]] | None = None
    """A stored view's name; or names of components here and paths from the root; or null: all of the context."""
    resolver: str | None = None
    """If none is named: the component's, or that of the nearest context, or `default`."""
    resolver_arguments: dict[str, Any] = {}
    """Arguments of the resolver, by their names."""
    evidence_filter: EvidenceFilter | None = None
    held_at: float | None = None
    """What was true at this time (seconds since 1970), by all that is known now, or at `as_of_*`: nothing counts that
    held only later, and the latest is what held last. An app that is no owner's may look back as far as its `past`."""
    value_over_all: bool = False
    """Resolve over all evidence: the filter only chooses the evidence that is shown, as in the original Personis.

    An app that may not use the filter `all` gets the value over what its filter lets through all the same.
    """
    include_evidence: bool = False
    """Give the evidence that the filter lets through, page by page, in the order of its acceptance.

    With `held_at` or the filter `held`: in the order in which it held.
    """
    evidence_after: tuple[Sequence, Sequence] | None = None
    """The `(seq, n)` of the last evidence of the page before, to get the next page. With it `as_of_seq`, that of the
    first page, needs no right to the past: the page is of what there is now, up to there."""
    explain: bool = False
    show_contexts: bool = False
    """Add the context's sub-contexts, views and rules."""


class AskForRule(_Query, tag="ask_for_rule"):
    """Ask for a rule that the app has in another person's model: an `AskReply`. Only llum sends it."""

    whose_rules: str
    """The person in whose model the rule is. What is set here for the app's rules there counts, and nothing of what
    the app itself may do."""
    query: Ask


class Access(_Query, tag="access"):
    """Tell whether the app is registered with the model: an `AccessReply`, or `no_such_model`, `no_such_app`."""


class RuleMayTell(_Query, tag="rule_may_tell"):
    """Tell whether a rule that the app has in another person's model may tell a component of this one.

    An `AccessReply`, or `permission_denied`. Only llum sends it.
    """

    whose_rules: str
    """The person in whose model the rule is."""
    component: list[str]
    """Its path, from the root."""


class Ping(_Query, tag="ping"):
    """Tell whether the partition is served: a `PingReply`. Needs no model and no permission."""


class GetContext(PastQuery, tag="get_context"):
    """Describe a context. Needs `ask` there; the reply is a `ContextReply`."""

    context: list[str] = []
    size: bool = False
    """Add `size`: the number of contexts, components and pieces of evidence in it and below."""


class ListResolvers(_Query, tag="list_resolvers"):
    """List the resolvers that may be named: a `ResolversReply`. Needs a model and no permission."""


class ListApps(PastQuery, tag="list_apps"):
    """List the model's apps: an `AppsReply`. Owner apps only."""


class GetPermission(PastQuery, tag="get_permission"):
    """Give what is set for an app in exactly this context or component: a `PermissionReply`.

    Owner apps, or the app itself.
    """

    app: str
    context: list[str] = []
    component: str | None = None
    below: bool = False
    """Give `settings` too: what is set in the context and below. Owner apps only."""


class Grants(_Query, tag="grants"):
    """Say what apps may do, as slices, and what was decided about them: a `GrantsReply`.

    An owner's app sees all apps. Another app sees itself, without the decisions.
    """

    app: str | None = None
    """Only this app; null: all that the asking app sees."""


class ListRules(PastQuery, tag="list_rules"):
    """List rules: a `RulesReply`. Needs `ask`. An owner app sees all rules, another app its own."""

    context: list[str] = []
    component: str | None = None
    """Null: the rules of every component of the context."""


class Export(PastQuery, tag="export"):
    """Give a part of a model as an archive, page by page: an `ExportReply`. Owner apps only."""

    context: list[str] = []
    after: tuple[str, Sequence, Sequence] | None = None
    """The `next` of the page before. All pages are of the model as it was at the first."""


class CheckImport(_Query, tag="check_import"):
    """Say whether an import would be accepted, and change nothing: a `CheckImportReply`, or why not. Owner apps only.

    The members are those of the command `import`.
    """

    context: list[str]
    contexts: list[ImportedContext]
    apps: dict[str, ImportedApp] = {}
    decisions: list[ConsentDecision] = []
    only_new: bool = False


MayGo = Withdraw | DeleteComponent | DeleteContext | ForgetPart
"""Commands of which may be asked what would follow."""


class Consequences(_Query, tag="consequences"):
    """Say what would follow if something went, and change nothing: a `ConsequencesReply`, or why it may not go.

    It needs what the command needs. An app sees what it may ask, and of evidence and rules its own.
    """

    command: MayGo
    """What would be sent, with its `verb`. Its `id` does not matter."""


class Asked(_Query, tag="asked"):
    """Say who asked and told what: an `AskedReply`. Owner apps only."""

    app: str | None = None
    """Only what this app did; null: every app."""
    path: list[str] = []
    """Only what is about this context or component, or below it."""
    since: float | None = None
    """Only what was asked or told at or after this time (seconds since 1970)."""
    until: float | None = None
    """Only what was asked or told at or before this time."""


class Follows(_Query, tag="follows"):
    """Say what has followed from a piece of evidence: a `FollowsReply`. Owner apps only.

    A piece that has been withdrawn may be asked about, too.
    """

    context: list[str]
    component: str
    seq: Sequence
    n: Sequence = 0


class MeasurePart(_Query, tag="measure_part"):
    """Say what the command `forget_part` with the same members would erase, and change nothing. Owner apps only.

    A `MeasurePartReply`. Without any member it says only whether an earlier one is still at work.
    """

    context: list[str] | None = None
    component: str | None = None
    seq: int | None = None
    n: int | None = None
    source: str | None = None
    accepted_from: float | None = None
    accepted_until: float | None = None
    held_from: float | None = None
    held_until: float | None = None


class PreviewGrant(_Query, tag="preview_grant"):
    """Say what an app would see under a grant that is not stored, and change nothing: a `PreviewGrantReply`.

    The members are those of the command `consent`. Owner apps only; the app need not be registered.
    """

    app: str
    granted: list[Slice] = []
    decision: Literal["allowed", "changed"] = "allowed"
    """`allowed`: beside what the app may do already. `changed`: that would be all it may do."""
    role: Literal["app", "owner"] = "app"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200
    """At most so many components; the reply says how many more there are."""


class Check(_Query, tag="check"):
    """Say whether an app may do something in a place, and which settings decide: a `CheckReply`. Owner apps only.

    The app need not be registered, nor need there be anything at the place.
    """

    app: str
    action: Action = "ask"
    context: list[str] = []
    component: str | None = None
    whose_rules: str | None = None
    """A person: it is about the rules that the app has in that person's model."""


class Preferences(PastQuery, tag="preferences"):
    """Give the preferences of a safe, put together: a `PreferencesReply`. Needs `ask`.

    What the app may not ask is left out. A correction by the owner counts before what was put. For the history and the
    reasons of one setting ask its component.
    """

    context: list[str] = msgspec.field(default_factory=lambda: ["Preferences"])
    """The place of the safe."""


Query = (
    Ask
    | AskForRule
    | Access
    | RuleMayTell
    | Ping
    | GetContext
    | ListResolvers
    | ListApps
    | GetPermission
    | Grants
    | ListRules
    | Export
    | CheckImport
    | Consequences
    | Asked
    | Follows
    | MeasurePart
    | Check
    | PreviewGrant
    | Preferences
)
QUERIES: Final[tuple[type[_Query], ...]] = get_args(Query)
QUERY_VERBS = frozenset(map(verb_of, QUERIES))

LLUMS_OWN_QUERIES: frozenset[type[msgspec.Struct]] = frozenset({AskForRule, RuleMayTell})
"""What llum asks for rules: no connection of an app may publish these, so the model knows who asks."""
