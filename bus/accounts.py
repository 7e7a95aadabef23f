"""The accounts of nats-server: who may reach what. Everybody but llum's own processes is in APPS, and reaches two
kinds of subjects.

    LLUM    llum's own: the streams, the mappings; workers, edges, callouts, the operator's command line
    APPS    everybody else: publishes on llum.cmd and llum.ask, which it imports from LLUM; hears its own inbox
    AUTH    the auth callout hears here who connects
    SYS     nats-server's own: connections are told of here, and ended

An inbox of APPS is `_INBOX_APP.<sign-in>.<proof>`. A plain `_INBOX` does not cross accounts.

nats-server looks at the permissions of a user of LLUM after the mapping: whoever is to send commands and asks must be
allowed `llum.log` and `llum.query`. An account's own bound for subscriptions counts for each connection.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bus.credentials import Credentials, Role
from bus.reading_subjects import reading_subjects, watching_subjects
from bus.subject_rights import access_subjects, for_operators, written_by_workers
from bus.subjects import (
    INSTALLATION_BUCKET,
    REGISTRATIONS_STREAM,
    TOKEN_BUCKET,
    app_inboxes,
    bucket_key,
    bucket_stream,
    services,
)
from schemas.limits import APP_CONNECTIONS, APP_SUBSCRIPTIONS, MAX_PAYLOAD_BYTES

CALLOUT_WITHIN_S: Final = 2
"""Seconds that nats-server waits for the callout before it lets nobody in."""

REMEDY: Final = "put what `llum nats-config` prints into its configuration, and start it again"
"""What to do with a nats-server that has not what llum needs."""

OWN: Final = "LLUM"
APPS: Final = "APPS"
AUTH: Final = "AUTH"
SYSTEM: Final = "SYS"

CALLOUT_INBOXES: Final = "_INBOX.callout"
"""Where a callout by itself is answered: it hears no other inbox of llum's own."""

_TOKENS: Final = bucket_stream(TOKEN_BUCKET)
_KEYS: Final = bucket_stream(INSTALLATION_BUCKET)
_CALLOUT_SAYS: Final = (
    *access_subjects(),
    bucket_key(TOKEN_BUCKET, "*.*.*.used"),
    *(subject for stream in (_TOKENS, REGISTRATIONS_STREAM, _KEYS) for subject in watching_subjects(stream)),
    *(subject for stream in (_TOKENS, _KEYS) for subject in reading_subjects(stream)),
)
"""It asks what an app may do, looks tokens up, notes that they were used, and hears what changes."""


def _allowed(publish: tuple[str, ...], subscribe: tuple[str, ...]) -> dict[str, Any]:
    return {"publish": {"allow": list(publish)}, "subscribe": {"allow": list(subscribe)}}


_PERMISSIONS: Final[Mapping[Role, dict[str, Any]]] = {
    "worker": {},
    "operator": {},
    "edge": {"publish": {"deny": [*written_by_workers(), *for_operators()]}},
    "callout": _allowed(_CALLOUT_SAYS, (f"{CALLOUT_INBOXES}.>",)),
    "auth": _allowed((), ("$SYS.REQ.USER.AUTH", "_INBOX.>")) | {"allow_responses": {"max": 1, "expires": "1m"}},
    "system": _allowed(
        tuple(f"$SYS.REQ.SERVER.*.{call}" for call in ("KICK", "CONNZ", "ACCOUNTZ", "VARZ")),
        (f"$SYS.ACCOUNT.{APPS}.CONNECT", f"$SYS.ACCOUNT.{APPS}.DISCONNECT", "_INBOX.>"),
    ),
}  # fmt: skip
"""What the users of llum may say and hear. Worker and operator: everything in their account. An edge speaks for
everybody, but does not write what only workers do, and undoes no stream.
"""


class AppLimits(NamedTuple):
    """How much the account of the apps may have."""

    connections: int = APP_CONNECTIONS
    """At the same time."""
    subscriptions: int = APP_SUBSCRIPTIONS
    """Of one connection."""
    payload: int = MAX_PAYLOAD_BYTES
    """Bytes of one message. nats-server ends a connection that sends more."""


DEFAULT_LIMITS: Final = AppLimits()


def accounts(credentials: Credentials, mappings: Mapping[str, str], limits: AppLimits) -> str:
    """Give the part of nats-server's configuration that makes the accounts. Strings are quoted as in JSON."""
    own = [_user(role, credentials) for role in ("worker", "operator", "edge", "callout")]
    content = {
        "system_account": SYSTEM,
        "accounts": {
            SYSTEM: {"users": [_user("system", credentials)]},
            AUTH: {"users": [_user("auth", credentials)]},
            OWN: {"jetstream": "enabled", "users": own, "exports": _exports(), "mappings": dict(mappings)},
            APPS: {"imports": _imports(), "limits": _limits(limits)},
        },
        "authorization": {
            "timeout": CALLOUT_WITHIN_S,
            "auth_callout": {
                "issuer": credentials.issuer_public,
                "account": AUTH,
                "auth_users": list(credentials.passwords),
                "xkey": credentials.xkey_public,
            },
        },
    }
    return "\n".join(f"{json.dumps(name)}: {json.dumps(value, indent=1)}" for name, value in content.items())


def _user(role: Role, credentials: Credentials) -> dict[str, Any]:
    user: dict[str, Any] = {"user": role, "password": credentials.passwords[role]}
    permissions = _PERMISSIONS[role]
    return user | {"permissions": permissions} if permissions else user


def _exports() -> list[dict[str, Any]]:
    """Offer what apps reach to the account of the apps alone."""
    offered = [{"service": subject, "accounts": [APPS]} for subject in services()]
    return [*offered, {"stream": app_inboxes(), "accounts": [APPS]}]


def _imports() -> list[dict[str, Any]]:
    reached = [{"service": {"account": OWN, "subject": subject}} for subject in services()]
    return [*reached, {"stream": {"account": OWN, "subject": app_inboxes()}}]


def _limits(limits: AppLimits) -> dict[str, int]:
    return {
        "max_connections": limits.connections,
        "max_subscriptions": limits.subscriptions,
        "max_payload": limits.payload,
    }
