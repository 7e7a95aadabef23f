"""Error codes: stable, documented, the same on the bus, over HTTP and in the SDK.

    LlumError
    ├── Refusal      the caller's fault: fix the message; sending it again unchanged fails again
    │   ├── BeyondAllowed                more than a limited token may write (`edge_http.preferences.limited`)
    │   ├── InvalidPreferences           with all that is wrong with them (`edge_http.preferences.answers`)
    │   └── Unauthenticated              with the challenge of an HTTP 401 (`edge_http.http.errors`)
    ├── Transient    nobody's fault: the same message may succeed later (`retry_after_s` says when)
    │   ├── ApiError                     JetStream refused (`bus.jetstream`)
    │   ├── BeyondLevelError             a partition's level is not known to this llum (`actors.levels`)
    │   ├── BehindCutError               a partition lacks what was cut off the log (`actors.known_cuts`)
    │   ├── BeingMoved                   somebody joins these preferences now (`identity.preferences.join_notes`)
    │   ├── ObjectDamaged                a stored object is not what was written (`bus.objects`)
    │   ├── OtherLogError                what is held is not of this log (`actors.same_log`)
    │   ├── OutdatedError                somebody was forgotten while a worker was away (`actors.erasing`)
    │   ├── ShardDamaged                 a shard's file is made anew from the log (`actors.store.damage`)
    │   └── ShardError                   a shard's file cannot be opened now (`actors.store.connection`)
    └── SetupError   a person must put something around llum right first: `hint` says what. Never on the wire
        ├── EmbeddedServerError          nats-server (`bus.errors`)
        ├── InstallationError            what an earlier llum left in nats-server
        ├── LogTruncatedError            the log ends too early
        ├── ShardTooOldError             an llum that is too new cannot read a shard (`actors.store.connection`)
        ├── ShardTooNewError             a later llum has written a shard (`actors.store.connection`)
        ├── SameWorkerError              two workers run under one name (`actors.sharing`)
        ├── SensorError, SpoolFullError  what a sensor needs (`sensors.errors`)
        └── Fault, HeldError             files, folders and processes of this machine (`llum.failures`)
            └── OntologyFault            files about ontologies (`llum.ontologies.mistakes`)

Anything else that is raised is a bug: it is logged, recorded with the message that caused it, and answered as
`internal`.
"""

import enum
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from schemas.slices import Slice


class Code(enum.StrEnum):
    """What went wrong. The text behind each is its public documentation."""

    def __new__(cls, value: str, description: str) -> "Code":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    description: str

    MALFORMED = "malformed", "The message is not JSON, or not UTF-8 (a lone surrogate counts as that)."
    BAD_FIELD = "bad_field", "A field is missing, unknown, or of the wrong type or form."
    TOO_LARGE = "too_large", "The message, or a part of it, is larger than the limit."
    TOO_DEEP = "too_deep", "The JSON is nested deeper than 64 levels."
    UNKNOWN_VERB = "unknown_verb", "No such command or query, or the subject's verb differs from the message's."
    UNSUPPORTED_VERSION = "unsupported_version", "This llum does not know the version in the message's `v`."
    BAD_SUBJECT = "bad_subject", "The subject does not name a user, an app and a verb."
    BAD_PATH = (
        "bad_path",
        "A name in a path is not allowed or too long, or the path has too many names.",
    )
    BAD_VALUE = "bad_value", "The value does not fit the component's value type."
    BAD_FILTER = "bad_filter", "There is no such evidence filter, or its argument is missing or wrong."
    UNKNOWN_RESOLVER = "unknown_resolver", "No resolver of that name is installed."
    NO_SUCH_MODEL = "no_such_model", "This user has no model here."
    NO_SUCH_CONTEXT = "no_such_context", "The model has no context at that path."
    NO_SUCH_COMPONENT = "no_such_component", "The context has no component of that name."
    NO_SUCH_VIEW = "no_such_view", "The context has no view of that name."
    NO_SUCH_APP = "no_such_app", "No app of that name is registered with this model."
    NO_SUCH_QUESTION = "no_such_question", "The question of an app has been answered, or was asked too long ago."
    NO_SUCH_CLIENT = "no_such_client", "No client of that id is registered with the authorization server."
    NO_SUCH_KEY = "no_such_key", "Nothing is stored under this key of preferences."
    KEY_REVOKED = "key_revoked", "The key of preferences was revoked: it opens nothing any more."
    NO_SUCH_RULE = "no_such_rule", "The component has no rule with that token."
    NO_SUCH_EVIDENCE = "no_such_evidence", "The component has no such piece of evidence, or somebody has withdrawn it."
    CAUSE_WITHDRAWN = (
        "cause_withdrawn",
        "The evidence that fired the rule has been withdrawn or deleted, so what the rule tells does not count.",
    )
    BAD_RULE = "bad_rule", "The rule has a mistake. `field` says where, the message says what was expected there."
    RULE_LIMIT = "rule_limit", "Rules have set off each other too deeply or too often."
    QUOTA = "quota", "The app has as much in this model as it may have, or does something too often."
    RESOLVER_FAILED = (
        "resolver_failed",
        "The resolver failed, or its value is not JSON. The other components are answered.",
    )
    ALREADY_EXISTS = "already_exists", "Something of that name is there already."
    ID_REUSED = "id_reused", "The `id` was used before, for another command. It keeps its first outcome."
    READ_ONLY = "read_only", "These preferences are a snapset: nobody changes them."
    PERMISSION_DENIED = "permission_denied", "The owner has not permitted this app to do that."
    TOO_MUCH_EVIDENCE = "too_much_evidence", "The resolver would have to read more evidence than one ask may read."
    NOT_AUTHENTICATED = "not_authenticated", "There is no valid bearer token, or it has expired."
    NOT_FRESH = "not_fresh", "It is too long ago that the person has proven who they are: they sign in once more first."
    CROSS_SITE = "cross_site", "The sender is known by a cookie, and no page of llum is shown to have sent the request."
    NO_SUCH_ISSUER = "no_such_issuer", "Nobody signs in at an issuer of that name here."
    ISSUER_UNAVAILABLE = (
        "issuer_unavailable",
        "The issuer does not answer, or not as OpenID Connect says. Try again later, or sign in another way.",
    )
    ISSUER_REFUSED = "issuer_refused", "The issuer has not let the person in, or the person has turned back there."
    NOT_PROVEN = (
        "not_proven",
        "What came back from the issuer does not prove who it is: it belongs to another browser or issuer, is too old, "
        "was used before, or was changed. Begin again.",
    )
    LAST_WAY_IN = "last_way_in", "It is the person's only way to sign in: without it nobody could."
    INVALID_GRANT = (
        "invalid_grant",
        "The code, refresh token or device code is unknown, was used, has expired, or belongs to another client.",
    )
    INVALID_CLIENT = (
        "invalid_client",
        "There is no client of that id here, or it has not shown that it is that one.",
    )
    INVALID_TARGET = "invalid_target", "There is no resource server of that address, or the sign-in is for another one."
    INVALID_SCOPE = "invalid_scope", "The scope is not one of llum, or is more than the person has granted."
    UNAUTHORIZED_CLIENT = "unauthorized_client", "This client may not get tokens in that way."
    AUTHORIZATION_PENDING = (
        "authorization_pending",
        "The person has not yet decided about a sign-in by a short code. Poll again after `interval` seconds.",
    )
    SLOW_DOWN = "slow_down", "A program polls for a sign-in too often. It waits 5 s longer from now on."
    EXPIRED_TOKEN = "expired_token", "The short code of a sign-in has expired, or was answered. Ask for a new one."
    ACCESS_DENIED = "access_denied", "The person has not let the app in."
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type", "There is no such way to get a token."
    RATE_LIMITED = "rate_limited", "Too many attempts in a short time. `Retry-After` says when to try again."
    TOO_FAST = (
        "too_fast",
        "The sender has too many commands under way. `Retry-After` says when to try again; it was not sent.",
    )
    TOO_SLOW = "too_slow", "The reader of a live feed takes what it is told too slowly, and was cut off."
    UNAVAILABLE = "unavailable", "No worker or no bus answered in time. Send the same message again."
    NOT_YET = "not_yet", "The worker has not yet applied the `min_seq` of the ask. Ask again."
    INTERNAL = "internal", "A fault in llum. llum has recorded it, and has not applied the message."

    SETUP = "setup", "Something on this machine keeps llum from doing what was asked."
    NATS_SERVER = "nats_server", "The nats-server that llum runs cannot start, or has ended."
    INSTALLATION = "installation", "The nats-server, or what an earlier llum left in it, does not fit."
    LOG_TRUNCATED = "log_truncated", "The log ends before what has been read from it: an older copy was restored."
    SENSOR = "sensor", "A sensor cannot work as things are on this machine."
    SPOOL_FULL = "spool_full", "What a sensor could not send yet has reached its bound; nothing is added."


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error on the wire: `code` for programs, `message` and `hint` for people, `field` for whoever fixes it."""

    code: Code
    message: str
    field: str | None = None
    hint: str | None = None
    retry_after_s: float | None = None
    """When the same may succeed, where that is known and the code alone does not say it."""
    missing: Slice | None = None
    """Of a right that an app does not have: what the owner would have to grant. It says nothing of what there is."""


class LlumError(Exception):
    """Any error with a stable code. As a text it is one line: what happened, and what to do."""

    def __init__(
        self,
        code: Code,
        message: str,
        field: str | None = None,
        hint: str | None = None,
        missing: Slice | None = None,
    ) -> None:
        super().__init__(message)
        self.error = Error(code, message, field, hint, missing=missing)

    @property
    def code(self) -> Code:
        return self.error.code

    @property
    def message(self) -> str:
        return self.error.message

    @property
    def hint(self) -> str | None:
        return self.error.hint

    @property
    def missing(self) -> Slice | None:
        """What the owner would have to grant; None: that is not why, or nothing can be granted."""
        return self.error.missing

    def __str__(self) -> str:
        field = f" (field {self.error.field})" if self.error.field else ""
        return _line(f"{self.code}: {self.message}{field}", self.hint)


class Refusal(LlumError):  # noqa: N818 - the name of the field
    """The caller's fault."""


class Transient(LlumError):  # noqa: N818 - the name of the field
    """Try the same again after `retry_after_s` seconds."""

    def __init__(self, code: Code, message: str, hint: str | None = None, retry_after_s: float = 1.0) -> None:
        super().__init__(code, message, None, hint)
        self.retry_after_s = retry_after_s


class SetupError(LlumError):
    """Something around llum must be put right first: `message` says what is wrong, `hint` what to do."""

    CODE: ClassVar[Code] = Code.SETUP

    def __init__(self, message: str, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(self.CODE, message, None, hint)
        self.details = details
        """More about it, each a line of its own."""

    def __str__(self) -> str:
        return _line(self.message, self.hint)


TRANSIENT_CODES = frozenset(
    {
        Code.RATE_LIMITED,
        Code.TOO_FAST,
        Code.TOO_SLOW,
        Code.UNAVAILABLE,
        Code.NOT_YET,
        Code.INTERNAL,
        Code.ISSUER_UNAVAILABLE,
        Code.AUTHORIZATION_PENDING,
        Code.SLOW_DOWN,
    }
)
SETUP_CODES = frozenset(
    {Code.SETUP, Code.NATS_SERVER, Code.INSTALLATION, Code.LOG_TRUNCATED, Code.SENSOR, Code.SPOOL_FULL}
)


def _line(message: str, hint: str | None) -> str:
    text = f"{message.rstrip('.')}. {hint}" if hint else message
    return " ".join(text.split())


def raised_from(error: Error) -> LlumError:
    """Give the exception that stands for an error which came over the wire."""
    raised: LlumError
    if error.code in TRANSIENT_CODES:
        raised = Transient(error.code, error.message, error.hint)
    else:
        raised = Refusal(error.code, error.message, error.field, error.hint)
    raised.error = error
    return raised
