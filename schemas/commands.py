"""Commands: what may change a model. Sent to `llum.cmd.<user>.<app>.<verb>`, kept in the log, applied in order.

The sender chooses `id`, a new one for each command of a user and app. A repeat (the same id with the same bytes)
changes nothing and gets the first outcome. The same id with other bytes is refused with `id_reused`: who sends again
sends the same bytes. Of what llum itself sends for a rule (`derive`) or a schedule (`fire`) the first one wins,
whatever ids the app has used for commands of its own.
The verb is the struct's tag and must be the subject's last token.
If a command names no result, it has none (null).
"""

from typing import Any, Final, Literal, get_args

import msgspec

from schemas.apps import OWNER_APP
from schemas.causes import Cause, CauseRange
from schemas.definitions import ComponentDefinition, ImportedApp, ImportedContext, ModelDefinition, ViewDefinition
from schemas.evidence import NewEvidence, StoredNumber
from schemas.grants import Consent, ConsentDecision
from schemas.limits import PROTOCOL_VERSION
from schemas.parts import ForgetPart, Restate
from schemas.permissions import Permission
from schemas.preferences import PutPreferences
from schemas.verbs import verb_of


class _Command(
    msgspec.Struct, kw_only=True, tag_field="verb", omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    id: str
    v: int = PROTOCOL_VERSION


class Tell(_Command, tag="tell"):
    """Add one piece of evidence to a component. Needs `tell` there."""

    context: list[str]
    component: str
    evidence: NewEvidence
    convert: bool = False
    """Take clean text for a number or boolean ("82", "True"), and numbers, booleans and null for text.

    So do the Personis protocol and rules.
    """


class Derive(Tell, kw_only=True, tag="derive"):
    """Add what a rule has derived, in the name of the rule's app. Only llum sends it.

    Needs `tell` there, of the app itself, or of its rules in the person's model that `cause` names.
    """

    cause: Cause


class Correct(_Command, tag="correct"):
    """The owner says what is right. It counts before all other evidence, for every resolver, until it is withdrawn.

    A newer one takes its place. Owner apps only. Result: {"seq": …, "n": 0}, which `withdraw` takes.
    """

    context: list[str]
    component: str
    value: Any = None
    comment: str | None = None


class Withdraw(_Command, tag="withdraw"):
    """Take back a piece of evidence. For the app that told it, or an owner app. Owner apps still see it, marked."""

    context: list[str]
    component: str
    seq: int
    n: int = 0
    comment: str | None = None


class WithdrawFollowing(_Command, tag="withdraw_following"):
    """Take back what rules have told because of evidence that no longer counts. llum sends it by itself.

    In the model of that evidence it goes on, as the app `_rules`, with what one command could not withdraw. In another
    person's it comes from the rules' app, which needs `tell` there for its rules in that person's model.
    """

    origins: list[CauseRange] = []
    """As `_rules` only: what is still to be looked at."""
    by: str | None = None
    """As `_rules` only: who withdrew or deleted the first cause."""
    person: str | None = None
    """In whose model the causes are. Null: in this one."""
    pieces: list[tuple[StoredNumber, StoredNumber]] = []
    """With `person`: the `(seq, n)` of the causes, at most 1,000."""
    context: list[str] = []
    """With `person`, as `component`: where the rules have told something."""
    component: str | None = None


class NoteSent(_Command, tag="note_sent"):
    """Note what a rule is about to bring about outside its model. Only llum sends it, as the app `_rules`."""

    cause: Cause
    app: str
    """Whose rule it is."""
    person: str | None = None
    """With `path`, what is told in whose model. Null: a URL is called."""
    path: list[str] = []
    method: Literal["GET", "POST"] = "GET"
    url: str = ""
    """The beginning of the URL, up to the host: the rest may hold values."""


class MakeModel(_Command, tag="make_model"):
    """Make the user's model from a definition. Only llum's own apps `_admin`, `_sign_in` and `_preferences` may.

    Refused with `already_exists` if there is a model. Result: true.
    """

    definition: ModelDefinition = msgspec.field(default_factory=ModelDefinition)
    owner: str = OWNER_APP
    """The app that is registered as the model's first owner app; initial evidence and rules are its own."""


class MakeContext(_Command, tag="make_context"):
    """Make a context below `context` (which must exist; [] is the root). Needs `make` there.

    Result: true; false if it was there already, which only `exist_ok` accepts.
    """

    context: list[str]
    name: str
    description: str = ""
    resolver: str | None = None
    exist_ok: bool = False
    """If there is a context of that name, accept and change nothing."""
    permissions: dict[str, Permission] = {}
    """What is set for apps in the new context: for owner apps only, and each app must be registered."""
    extra: dict[str, Any] = {}
    """Other members, kept and given back unchanged: at most 4 KiB of JSON."""


class MakeComponent(_Command, tag="make_component"):
    """Make a component in a context. Needs `make` there; for initial evidence `tell`; for rules `ask` and `rules`."""

    context: list[str]
    component: ComponentDefinition
    exist_ok: bool = False
    convert: bool = False
    """Take the values of its initial evidence as `tell` does with `convert`."""


class MakeView(_Command, tag="make_view"):
    """Make a view in a context. To change one, delete it first. Needs `make` there."""

    context: list[str]
    view: ViewDefinition


class DeleteContext(_Command, tag="delete_context"):
    """Delete a context with all that is below it. The root cannot be deleted. Needs `delete` there. Result: true."""

    context: list[str]


class DeleteComponent(_Command, tag="delete_component"):
    """Delete a component. A new one of the same name starts without evidence. Needs `delete` there."""

    context: list[str]
    component: str


class DeleteView(_Command, tag="delete_view"):
    """Delete a view. Needs `delete` there."""

    context: list[str]
    view: str


class SetResolver(_Command, tag="set_resolver"):
    """Set the resolver of a component, or of the context if `component` is null. Null: none. Needs `make` there."""

    context: list[str]
    component: str | None = None
    resolver: str | None = None


class SetGoals(_Command, tag="set_goals"):
    """Set the paths of the components that this one serves. Needs `make` there."""

    context: list[str]
    component: str
    goals: list[list[str]]


class SetTimeZone(_Command, tag="set_time_zone"):
    """Set the person's time zone, by which schedules go that name none. Owner apps only.

    A name such as Europe/Amsterdam. Null: none of their own, then it is the installation's.
    """

    time_zone: str | None = None


class MakeRule(_Command, tag="make_rule"):
    """Attach a rule to a component. It may do what the app may. Needs `ask` and `rules` there.

    Result: the rule's token, a text; with `further`, a list of them.
    """

    context: list[str]
    component: str
    statement: str
    app: str | None = None
    """Owner apps only: whose rule this is. It is suspended, as all that is imported, until `activate_rule`. Null: it is
    the sender's own and at work at once."""
    further: list[list[str]] = []
    """Paths of further components that get the same rule: all of them, or none at all."""
    user: str | None = None
    """A name that is kept and shown with the rule. It gives no rights."""


class ActivateRule(_Command, tag="activate_rule"):
    """Put a suspended rule to work. Owner apps only. A rule that is at work stays so."""

    context: list[str]
    component: str
    token: str
    further: list[str] = []
    """Tokens of further rules of the component: all of them are put to work, or none."""


class DeleteRule(_Command, tag="delete_rule"):
    """Remove a rule. For the app that made it, or an owner app."""

    context: list[str]
    component: str
    token: str


class RegisterApp(_Command, tag="register_app"):
    """Register an app with the model, or change its description or role. Owner apps only.

    With `role` owner it may do everything. Result: the registration, which is the `seq` of the command that
    registered the app first.
    """

    app: str
    description: str = ""
    role: Literal["owner", "app"] = "app"
    origins: list[str] | None = None
    """Where its web pages come from, such as `https://log.example`: scripts of such a page may read what the HTTP
    interface answers to this app's token. Null leaves them as they are."""


class DeleteApp(_Command, tag="delete_app"):
    """Remove an app with all its permissions, rules, tokens and passwords; its evidence stays. Owner apps only."""

    app: str


class SetQuota(_Command, tag="set_quota"):
    """Say how much an app may have in this model. As the app `_admin` only. Null leaves a bound as it is."""

    app: str
    things: int | None = None
    rules: int | None = None
    schedules: int | None = None
    fires_per_minute: int | None = None
    notices_per_hour: int | None = None


class SetPermission(
    Permission,
    kw_only=True,
    tag_field="verb",
    tag="set_permission",
    omit_defaults=True,
    forbid_unknown_fields=True,
    frozen=True,
):
    """Say what an app may do in a context and below (the nearest setting wins), or with one component of it.

    Owner apps only. Null leaves a part as it is.
    """

    id: str
    v: int = PROTOCOL_VERSION
    app: str
    context: list[str]
    component: str | None = None
    """Null: the setting is for the context and all below it."""
    whose_rules: str | None = None
    """A person: the setting is for the rules that the app has in that person's model, and for nothing else. Null: it is
    for the app itself, and for its rules in this model."""


class Import(_Command, tag="import"):
    """Put contexts with their evidence below a context, keeping order, times, sources and owners. Owner apps only.

    What is there stays; the import adds to it. A large import is several commands. Sending one again changes nothing.
    Result: {"contexts": …, "components": …, "views": …, "evidence": …}: how many of each were made; if there are any
    also `apps`, `rules`, `permissions` and `decisions` that were made or set, how many things of it were `found`, and
    what was `skipped`: [{"what": "permission" or "rule", "app": …, "path": …, "code": …}].
    """

    context: list[str]
    contexts: list[ImportedContext]
    apps: dict[str, ImportedApp] = {}
    """Apps to register, by id."""
    decisions: list[ConsentDecision] = []
    """What was decided about apps elsewhere: it is kept as history, and gives no right."""
    only_new: bool = False
    """Leave what is there as it is, whatever this says of it. Rules of definitions are at work then, as they are the
    importing app's own; otherwise all rules that come with an import are suspended."""


class Fire(_Command, tag="fire"):
    """The time of a rule with a schedule has come. Only llum sends it, as the app `_cron`."""

    context: list[str]
    component: str
    token: str
    at: int
    """The instant at which it was to fire, seconds since 1970."""


class Forget(_Command, tag="forget"):
    """Erase the whole model. Accepted even if there is none. Owner apps only.

    What llum keeps of the user elsewhere, the operator erases.
    """


Command = (
    Tell
    | Derive
    | Correct
    | Withdraw
    | WithdrawFollowing
    | NoteSent
    | MakeModel
    | MakeContext
    | MakeComponent
    | MakeView
    | DeleteContext
    | DeleteComponent
    | DeleteView
    | SetResolver
    | SetGoals
    | SetTimeZone
    | MakeRule
    | ActivateRule
    | DeleteRule
    | RegisterApp
    | DeleteApp
    | SetQuota
    | SetPermission
    | Consent
    | PutPreferences
    | Import
    | Fire
    | Forget
    | ForgetPart
    | Restate
)
COMMANDS: Final[tuple[type[msgspec.Struct], ...]] = get_args(Command)
COMMAND_VERBS = frozenset(map(verb_of, COMMANDS))

OF_A_STAGE: frozenset[type[msgspec.Struct]] = frozenset({Derive, WithdrawFollowing, NoteSent, Fire})
"""What llum itself sends because of what a model holds: the id says what set it off, and the body what came of it."""

LLUMS_OWN: frozenset[type[msgspec.Struct]] = OF_A_STAGE | {MakeModel, SetQuota, Restate}
"""No app of anybody sends these: no connection of an app may publish them."""
