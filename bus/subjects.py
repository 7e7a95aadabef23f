"""The only module that spells subjects, stream names and header names. See `docs/reference/subjects.md`.

A plain client knows `llum.cmd.<user>.<app>.<verb>` and `llum.ask.<user>.<app>.<verb>`; nats-server's mappings put the
partition in. User and app are subject tokens `[a-z0-9_-]{1,64}`, verbs `[a-z_]{1,32}`.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.errors import Code, Refusal
from schemas.paths import is_token
from schemas.recent import CHEAP_RESULTS

LOG_STREAM: Final = "LLUM_LOG_0"
"""The first log stream; there are as many as the installation has, each with every so-manieth partition."""

DEFAULT_PARTITIONS: Final = 64
"""Partitions of a new installation: more than workers will ever be, few enough to look after one by one."""

PROBE_VERB: Final = "probe"
"""The verb of messages in the log that change nothing."""

MAX_PARTITIONS: Final = 4096
"""The most that an installation may have."""

DEFAULT_LOG_STREAMS: Final = 8
"""Log streams of a new installation. Each has a file of its own: a single one can only sync one command at a time."""

ASKED_KEPT_DAYS: Final = 90
"""Days that it is kept who asked, unless the operator sets another number: a season to notice what goes on."""

ASKED_KEPT_MESSAGES: Final = 100_000
"""Messages of one person that say who asked, unless the operator sets another number; when there are more, the oldest
go. An app that asks the same all the time leaves four an hour, one that asks ever new things 1,440 a day: it would take
70 days to push out what it did before."""

REJECTED_STREAM: Final = "LLUM_REJECTED"
EFFECTS_STREAM: Final = "LLUM_EFFECTS"
SCHEDULES_STREAM: Final = "LLUM_SCHEDULES"
DEAD_LETTERS_STREAM: Final = "LLUM_DEAD_LETTERS"
REGISTRATIONS_STREAM: Final = "LLUM_REGISTRATIONS"
AUDIT_STREAM: Final = "LLUM_AUDIT"
TOKEN_BUCKET: Final = "LLUM_TOKENS"  # noqa: S105 - a bucket's name
FAMILY_BUCKET: Final = "LLUM_FAMILIES"
APP_PASSWORD_BUCKET: Final = "LLUM_APP_PASSWORDS"  # noqa: S105 - a bucket's name
ACCOUNT_BUCKET: Final = "LLUM_ACCOUNTS"
SESSION_BUCKET: Final = "LLUM_SESSIONS"
TEMPORARY_BUCKET: Final = "LLUM_TEMPORARY"
CLIENT_BUCKET: Final = "LLUM_CLIENTS"
FLOW_BUCKET: Final = "LLUM_FLOWS"
PREFERENCE_BUCKET: Final = "LLUM_PREFERENCES"
INSTALLATION_BUCKET: Final = "LLUM_INSTALLATION"
RELAYED_BUCKET: Final = "LLUM_RELAYED"
LOG_SUM_BUCKET: Final = "LLUM_LOG_SUMS"
WORKER_BUCKET: Final = "LLUM_WORKERS"
ERASURE_BUCKET: Final = "LLUM_ERASURES"
LOG_CUT_BUCKET: Final = "LLUM_LOG_CUTS"
FORGOTTEN_BUCKET: Final = "LLUM_FORGOTTEN"
SNAPSHOT_STORE: Final = "LLUM_SNAPSHOTS"

REPLY_TO_HEADER: Final = "Llum-Reply-To"
"""Names the inbox that receives a command's outcome."""

SETTLE_HEADER: Final = "Llum-Settle"
"""With the value `1`: the outcome is to come when what the command sets off in its own model has ended, too."""

APP_INBOXES: Final = "_INBOX_APP"
"""What the inboxes of those begin with who are not llum's own processes."""

ASK_QUEUE: Final = "llum"
"""The queue group of the replicas of a partition."""

_FILLERS: Final = {
    REJECTED_STREAM: "llum.rejected._._",
    DEAD_LETTERS_STREAM: "llum.dead._._",
    # Not among the registrations, or all who watch those would be sent the filling.
    REGISTRATIONS_STREAM: "llum.filler._._",
    AUDIT_STREAM: "llum.audit._",
    SCHEDULES_STREAM: "llum.sched._._",
}
"""The streams that are written anew to erase what nats-server has dropped by itself, with a subject of nobody's."""

_INBOX = re.compile(r"_INBOX[A-Za-z0-9_.-]{1,200}")

_PARTITION = re.compile(r"[0-9]{1,6}")
_VERB = re.compile(r"[a-z_]{1,32}")


class Address(NamedTuple):
    """Who speaks about whom, and what: the tokens of a log or query subject."""

    partition: int
    user: str
    app: str
    verb: str


def command_subject(user: str, app: str, verb: str) -> str:
    return f"llum.cmd.{user}.{app}.{verb}"


def ask_subject(user: str, app: str, verb: str) -> str:
    return f"llum.ask.{user}.{app}.{verb}"


@lru_cache(maxsize=CHEAP_RESULTS)
def checked_command_subject(user: str, app: str, verb: str) -> str:
    """Give the subject of a command, or raise `bad_subject`: an id with a dot or space would name another subject."""
    _check_tokens(user, app, verb)
    return command_subject(user, app, verb)


@lru_cache(maxsize=CHEAP_RESULTS)
def checked_ask_subject(user: str, app: str, verb: str) -> str:
    """Give the subject of a query, or raise `bad_subject`."""
    _check_tokens(user, app, verb)
    return ask_subject(user, app, verb)


def partition_ask_subject(partition: int) -> str:
    """Address a partition itself, past the mapping: to see whether it is served."""
    return f"llum.query.{partition}._._.ping"


def ping_subject(user: str, app: str) -> str:
    """Address whoever serves a person, as an app may."""
    return ask_subject(user, app, "ping")


def parted_subject(subject: str) -> tuple[str, str]:
    """Give user and app of a command's or query's subject that has been checked."""
    _, _, user, app, _ = subject.split(".")
    return user, app


def sums_subject(partition: int) -> str:
    """Name where the holders of a partition tell each other the sums of what they have applied. No app reaches it."""
    return f"llum.sums.{partition}"


def log_stream(index: int) -> str:
    return f"LLUM_LOG_{index}"


def all_log_streams() -> str:
    """Give the pattern that the names of log streams match, and so the names of their folders."""
    return "LLUM_LOG_*"


def is_log_stream(stream: str) -> bool:
    return stream.startswith(all_log_streams().rstrip("*"))


def is_own_stream(stream: str) -> bool:
    """Tell whether a stream is llum's, those of buckets and object stores among them."""
    return stream.removeprefix("KV_").removeprefix("OBJ_").startswith("LLUM_")


def log_stream_of(partition: int, log_streams: int) -> str:
    """Name the stream that holds a partition."""
    return log_stream(partition % log_streams)


def log_subjects(index: int, log_streams: int, partitions: int) -> list[str]:
    """Give the subjects of a log stream: those of its partitions."""
    return [f"llum.log.{partition}.*.*.*" for partition in range(index, partitions, log_streams)]


def probe_command_subject(partition: int) -> str:
    """Address the log of a partition, past the mapping: with a message about nobody."""
    return f"llum.log.{partition}._._.{PROBE_VERB}"


def is_probe(address: "Address") -> bool:
    return address.verb == PROBE_VERB and address.user == "_"


def log_subject(partition: int, user: str, app: str, verb: str) -> str:
    """Give the subject of a command in the log, as the mapping makes it."""
    return f"llum.log.{partition}.{user}.{app}.{verb}"


def all_log_subjects() -> str:
    return "llum.log.>"


def log_subjects_of_user(user: str) -> str:
    """Match all commands about a user, in whichever partition."""
    return f"llum.log.*.{user}.>"


def log_subjects_of_user_and_verb(user: str, verb: str) -> str:
    return f"llum.log.*.{user}.*.{verb}"


def log_subject_of(partition: int) -> str:
    return f"llum.log.{partition}.>"


def log_subjects_of_verb(verb: str) -> str:
    """Match one verb of every user and app in every partition."""
    return f"llum.log.*.*.*.{verb}"


def probe_subjects(app: str) -> list[str]:
    """Match what one app sends, after the mapping: of commands and of asks."""
    return [f"llum.log.*.*.{app}.*", f"llum.query.*.*.{app}.*"]


def query_subject_of(partition: int | str) -> str:
    """Match all asks of a partition; `*`: of all of them."""
    return f"llum.query.{partition}.>"


def rejected_subject(user: str, app: str) -> str:
    return f"llum.rejected.{user}.{app}"


def registration_subject(user: str, app: str) -> str:
    """Name where it is announced that a person's app was registered or deleted. No app reaches it."""
    return f"llum.registration.{user}.{app}"


def registration_subjects() -> str:
    return registration_subject("*", "*")


def event_subject(user: str) -> str:
    """Name where a worker says what has changed in a person's model, while somebody listens. No app reaches it."""
    return f"llum.event.{user}"


def listening_subject(user: str) -> str:
    """Name where it is said, again and again, that somebody listens for a person's events. No app reaches it."""
    return f"llum.listening.{user}"


def audit_subject(user: str) -> str:
    """Name where it stands who asked what about a person. No app reaches it."""
    return f"llum.audit.{user}"


def notice_subject(partition: int | str, user: str, token: str) -> str:
    """Name the queue of one rule's notices. Apps publish on `llum.cmd` and `llum.ask` only, so none reaches it."""
    return f"llum.effect.{partition}.notify.{user}.{token}"


def notice_subjects_of(partition: int | str) -> str:
    return f"llum.effect.{partition}.notify.>"


def schedule_subject(partition: int | str, user: str, token: str) -> str:
    """Name the place of what is planned for a rule: one message, that nats-server obeys."""
    return f"llum.sched.{partition}.{user}.{token}"


def is_schedule(subject: str) -> bool:
    return subject.startswith("llum.sched.")


def schedule_subjects_of(partition: int | str) -> str:
    return f"llum.sched.{partition}.>"


def fired_subject(partition: int, user: str, token: str) -> str:
    """Name where nats-server says that a rule's time has come."""
    return f"llum.fired.{partition}.{user}.{token}"


def fired_subjects() -> str:
    return "llum.fired.>"


def dead_letter_subject(user: str, token: str) -> str:
    return f"llum.dead.{user}.{token}"


def services() -> list[str]:
    """Give the subjects that apps reach: commands and asks."""
    return ["llum.cmd.>", "llum.ask.>"]


def app_inboxes() -> str:
    return f"{APP_INBOXES}.>"


WORKERS_OWN: Final = tuple(
    f"llum.{kind}.>" for kind in ("effect", "rejected", "registration", "sched", "fired", "dead", "event", "sums")
)
"""What workers alone write to, beside buckets and objects."""


def api_subject(call: str) -> str:
    """Give the subject of a call of JetStream's API, such as `STREAM.INFO.<stream>`."""
    return f"$JS.API.{call}"


def bucket_stream(bucket: str) -> str:
    """Name the stream that is a bucket."""
    return f"KV_{bucket}"


def is_bucket_stream(stream: str) -> bool:
    return stream.startswith("KV_")


def bucket_key(bucket: str, key: str) -> str:
    """Give the subject of a bucket's key; the key may be `>` for all."""
    return f"$KV.{bucket}.{key}"


def filler_subject(stream: str) -> str:
    """Name a subject of a stream that belongs to nobody: for a message that takes up room for a moment."""
    if is_bucket_stream(stream):
        return bucket_key(stream.removeprefix("KV_"), "_._")
    return _FILLERS[stream]


def effect_subjects_of_user(user: str) -> list[tuple[str, str]]:
    """List all streams of effects with the subjects that hold anything of a user in them."""
    return [
        (EFFECTS_STREAM, f"llum.effect.*.*.{user}.>"),
        (SCHEDULES_STREAM, f"llum.sched.*.{user}.>"),
        (SCHEDULES_STREAM, f"llum.fired.*.{user}.>"),
        (DEAD_LETTERS_STREAM, f"llum.dead.{user}.>"),
    ]


def parse_address(subject: str) -> Address:
    """Read a log or query subject, or raise `bad_subject`."""
    tokens = subject.split(".")
    if len(tokens) != 6 or not _PARTITION.fullmatch(tokens[2]):
        raise Refusal(Code.BAD_SUBJECT, "a subject is llum.<kind>.<user>.<app>.<verb>")
    _, _, partition, user, app, verb = tokens
    _check_tokens(user, app, verb)
    return Address(int(partition), user, app, verb)


def partition_in(subject: bytes) -> int:
    """Give the partition of a message of the log, as the mapping has written it into the subject."""
    return int(subject.split(b".", 3)[2])


def _check_tokens(user: str, app: str, verb: str) -> None:
    if not (is_token(user) and is_token(app)):
        raise Refusal(Code.BAD_SUBJECT, "user and app are 1 to 64 of a-z, 0-9, _ and -")
    if not _VERB.fullmatch(verb):
        raise Refusal(Code.BAD_SUBJECT, "a verb is 1 to 32 of a-z and _")


def is_inbox(subject: str) -> bool:
    """Tell whether outcomes may be sent there: to an inbox only, so that nobody makes llum speak on another subject."""
    return _INBOX.fullmatch(subject) is not None


def inbox_of_token(token: str) -> str | None:
    """Name the inbox that whoever has a token is answered at: its last two parts say so. None: it is no token."""
    parts = token.split(".")
    return f"{APP_INBOXES}.{parts[1]}.{parts[2]}" if len(parts) == 3 else None


def server_mappings(partitions: int) -> dict[str, str]:
    """The mappings that a nats-server needs for llum."""
    tail = "{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}"
    return {
        "llum.cmd.*.*.*": f"llum.log.{{{{partition({partitions},1)}}}}.{tail}",
        "llum.ask.*.*.*": f"llum.query.{{{{partition({partitions},1)}}}}.{tail}",
    }


def partition_of(user: str, partitions: int) -> int:
    """Compute the partition as nats-server does: FNV-1a of 32 bits, modulo. For checks only: the server decides."""
    value = 0x811C9DC5
    for byte in user.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value % partitions
