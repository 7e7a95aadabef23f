"""The pages about what is on the bus: subjects, messages, errors."""

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Final, NamedTuple

import msgspec

from bus import subjects
from pages.markdown import code, first_paragraph, page, prose, table
from schemas import (
    asked,
    causes,
    commands,
    consequences,
    definitions,
    errors,
    evidence,
    explaining,
    following,
    granting,
    grants,
    limits,
    permissions,
    preferences,
    queries,
    replies,
    slices,
)
from schemas.verbs import verb_of

_HEADERS: Final = [
    (
        code(subjects.REPLY_TO_HEADER),
        "On a command: the inbox for its outcome. An app names [its own](bus.md#the-inbox).",
    ),
    (
        code(subjects.SETTLE_HEADER),
        "`1` on a command with an inbox: its outcome is to come when all [that it sets off by rules in its own model]"
        "(rules.md#waiting-for-rules) has ended, but after two seconds at the latest.",
    ),
]

_AS_JSON: Final = {"None": "null", "True": "true", "False": "false"}


class Field(NamedTuple):
    """A struct's field as it stands in the source."""

    name: str
    kind: str
    default: str
    description: str


def subjects_page() -> str:
    """Describe the subjects, streams, buckets and headers of the bus."""
    user_app_verb = ("<user>", "<app>", "<verb>")
    rows = [
        (code(subjects.command_subject(*user_app_verb)), "JetStream", "a command; the acknowledgement means *stored*"),
        (code(subjects.ask_subject(*user_app_verb)), "request", "a query; the reply comes to the request's inbox"),
        (
            code("llum.log.<partition>.<user>.<app>.<verb>"),
            "JetStream",
            "a command after the mapping: the log",
        ),
        (code("llum.query.<partition>.<user>.<app>.<verb>"), "request", "a query after the mapping"),
        (
            code("llum.log.<partition>._._admin.raise_level"),
            "JetStream",
            "what raises the level, from an operator alone",
        ),
        (code(subjects.rejected_subject("<user>", "<app>")), "JetStream", "commands that were refused, kept for days"),
    ]
    mappings = [f'  "{source}": "{to}"' for source, to in subjects.server_mappings(64).items()]
    return page(
        "Subjects",
        "A client needs the first two lines only: nats-server puts the partition into the subject.",
        table(("subject", "kind", "what"), rows),
        "`<user>` and `<app>` are 1 to 64 characters of `a-z`, `0-9`, `_` and `-`. They say who speaks about whom. "
        "llum reads that from the subject alone, so no field of a message can claim another name. nats-server lets an "
        "app with a token publish on the subjects of that token's person and app alone, one verb after the other, as "
        "far as the person's grants go. Only llum's own processes may publish under any name. [Who may connect]"
        "(bus.md) says how a client shows its token, and where it is answered.",
        "## Verbs",
        "What is marked *llum's own* is sent by llum's own processes alone: no app gets the subject, whatever its "
        "rights are, nor is there a way to it over HTTP.",
        table(("verb", "kind", "what"), [*_verbs("command", commands.COMMANDS), *_verbs("query", queries.QUERIES)]),
        "## Headers",
        table(("header", "what"), _HEADERS),
        "## Streams and buckets",
        table(("name", "what"), _stores()),
        "## What an external nats-server needs",
        "`llum nats-config` prints it: [accounts](bus.md#accounts) with users, passwords, bounds, the callout, and "
        "these mappings for your number of partitions. For 64, in the account `LLUM`:",
        "```\nmappings {\n" + "\n".join(mappings) + "\n}\n```",
        "[Run your own nats-server](../how-to/run-your-own-nats-server.md) says what to do with it. Then install "
        "llum there once: `llum admin install --nats-url nats://…`. It makes the streams and buckets. A "
        "start on a server without an installation is refused, as the address may be wrong.",
    )


def _stores() -> list[tuple[str, str]]:
    return [
        (
            code(subjects.LOG_STREAM),
            "The first stream of the log: every command, in order. Models are made from the log.",
        ),
        (code(subjects.REJECTED_STREAM), "Refused commands with their errors, for a week."),
        (code(subjects.EFFECTS_STREAM), "Notices of rules that wait for their delivery."),
        (
            code(subjects.SCHEDULES_STREAM),
            "The next firing of each rule with a schedule, and the firings that wait for a worker.",
        ),
        (code(subjects.DEAD_LETTERS_STREAM), "Notices that could not be delivered within a day."),
        (
            code(subjects.REGISTRATIONS_STREAM),
            "Announcements that an app was registered or deleted, for ten minutes. The HTTP edges watch them.",
        ),
        (
            code(subjects.AUDIT_STREAM),
            "Who asked what about a person, for 90 days unless the operator sets other bounds. Only llum writes it.",
        ),
        *_buckets(),
        (code(subjects.SNAPSHOT_STORE), "Snapshots of partitions: an object store, in the stream `OBJ_…`."),
    ]


def _buckets() -> list[tuple[str, str]]:
    return [
        (code(subjects.TOKEN_BUCKET), "Bearer tokens, by the hash of the token."),
        (code(subjects.FAMILY_BUCKET), "Sign-ins of apps by OAuth 2: of each the hash of its live refresh token."),
        (code(subjects.APP_PASSWORD_BUCKET), "Passwords of apps, as hashes."),
        (code(subjects.ACCOUNT_BUCKET), "Accounts of people: how each signs in, and one-time links, as hashes."),
        (code(subjects.SESSION_BUCKET), "Sessions of browsers, by the hash of the session's id."),
        (code(subjects.TEMPORARY_BUCKET), "Temporary users, and until when each is kept."),
        (
            code(subjects.FLOW_BUCKET),
            "Sign-ins that are on their way, for minutes. Each is encrypted; only its browser has the key.",
        ),
        (
            code(subjects.CLIENT_BUCKET),
            "Clients of the authorization server, each with the hash of its secret, and their icons.",
        ),
        (
            code(subjects.PREFERENCE_BUCKET),
            "Keys of preferences that were loaded, joined or revoked, credentials of the preferences service, and its "
            "tokens. Secrets and tokens are there as hashes.",
        ),
        (code(subjects.INSTALLATION_BUCKET), "What is fixed: partitions, log streams, format of the log."),
        (code(subjects.RELAYED_BUCKET), "Up to where each partition has passed on its rejections."),
        (code(subjects.LOG_SUM_BUCKET), "The sum of the digests of each partition's commands, and up to where."),
        (
            code(subjects.WORKER_BUCKET),
            "What each worker says of itself: its host, the partitions that it answers for.",
        ),
        (
            code(subjects.ERASURE_BUCKET),
            "How often somebody was forgotten in each partition, and when last: what is older is not used. "
            "And leases: who writes streams anew now.",
        ),
        (
            code(subjects.LOG_CUT_BUCKET),
            "How far each stream of the log was [cut](../how-to/cut-the-log.md), and which snapshots that relies on.",
        ),
        (
            code(subjects.FORGOTTEN_BUCKET),
            "Who was forgotten, and when: not the name, but a digest of it; of parts the command, encrypted. And where "
            "[backups](../how-to/back-up.md) are that must learn of it.",
        ),
    ]


def _verbs(kind: str, structs: Sequence[Any]) -> list[tuple[str, str, str]]:
    return [
        (
            code(verb_of(struct)),
            f"{kind}, *llum's own*" if struct in commands.LLUMS_OWN | queries.LLUMS_OWN_QUERIES else kind,
            first_paragraph(struct.__doc__),
        )
        for struct in structs
    ]


def messages_page() -> str:
    """Describe every struct on the wire."""
    bounds = [(code(name), str(getattr(limits, name)), text) for name, text in _constants(limits)]
    sections = [
        ("Commands", commands),
        ("Causes", causes),
        ("Queries", queries),
        ("Outcomes and replies", replies),
        ("Explanations", explaining),
        ("Consequences", consequences),
        ("Who asked", asked),
        ("What follows", following),
        ("Permissions", permissions),
        ("Slices", slices),
        ("Grants", grants),
        ("Previews and checks of rights", granting),
        ("Preferences of a safe", preferences),
        ("Definitions", definitions),
        ("Evidence", evidence),
    ]
    return page(
        "Messages",
        "Every message is JSON. You may leave out a field that has a default; llum leaves it out too. llum refuses "
        "commands and queries with a field that is not listed here. Times are seconds since 1970 (UTC).",
        *(part for title, module in sections for part in (f"## {title}", prose(module.__doc__), *_structs(module))),
        "## Errors",
        *_structs(errors),
        "The codes are listed in [errors](errors.md).",
        "## Limits",
        table(("limit", "value", "what and why"), bounds),
    )


def _structs(module: ModuleType) -> Iterator[str]:
    for node in _classes(module):
        struct = getattr(module, node.name)
        if isinstance(struct, msgspec.StructMeta) and not node.name.startswith("_"):
            yield from (f"### {node.name}", *_tag(struct), prose(struct.__doc__), _fields_table(struct))


def _tag(struct: Any) -> list[str]:
    config = struct.__struct_config__
    return [f'Tagged `"{config.tag_field}": "{config.tag}"`.'] if config.tag_field and config.tag else []


def _fields_table(struct: Any) -> str:
    rows = [
        (code(field.name), code(field.kind), code(field.default) if field.default else "required", field.description)
        for field in _fields(struct)
    ]
    return table(("field", "type", "default", "what"), rows) if rows else "No fields of its own."


def _fields(struct: Any) -> list[Field]:
    """Give a struct's fields, those of its bases last: they are the same in every message."""
    found: list[Field] = []
    for kind in struct.__mro__:
        if kind.__module__.startswith("schemas."):
            found += _own_fields(
                next(node for node in _classes(sys.modules[kind.__module__]) if node.name == kind.__name__)
            )
    return found


def _own_fields(node: ast.ClassDef) -> list[Field]:
    fields = []
    for index, statement in enumerate(node.body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = ast.unparse(statement.value) if statement.value else ""
            kind = ast.unparse(statement.annotation).replace("Sequence[Evidence]", "list[Evidence]")
            fields.append(Field(statement.target.id, kind, _default(default), _text_after(node.body, index)))
    return fields


def _default(source: str) -> str:
    if source == "PROTOCOL_VERSION":
        return str(limits.PROTOCOL_VERSION)
    made = source.partition("default_factory=lambda: ")[2]
    if made:
        return made.removesuffix(")").replace("'", '"')
    return "{}" if "default_factory" in source else _AS_JSON.get(source, source.replace("'", '"'))


def _classes(module: ModuleType) -> list[ast.ClassDef]:
    return [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]


def _constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(module)).body
    for index, statement in enumerate(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, _text_after(body, index)


def _text_after(body: list[ast.stmt], index: int) -> str:
    """Give the string that stands behind a field or constant: its documentation."""
    following = body[index + 1] if index + 1 < len(body) else None
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return prose(str(following.value.value)).replace("\n", " ")
    return ""


def errors_page() -> str:
    """Describe the error codes."""
    rows = [(code(each), _kind(each), each.description) for each in errors.Code]
    return page(
        "Errors",
        "The codes are the same on the bus, over HTTP, in the SDK and on the command line. After a *refusal*, change "
        "the message: sent again as it is, it is refused again. After a *transient* error, send the same again. "
        "A *setup* error is never on the wire: it says what to put right on this machine.",
        table(("code", "kind", "what"), rows),
    )


def _kind(one: errors.Code) -> str:
    if one in errors.SETUP_CODES:
        return "setup"
    return "transient" if one in errors.TRANSIENT_CODES else "refusal"
