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
from bus.subjects import (
    APP_INBOXES,
    APP_PASSWORD_BUCKET,
    INSTALLATION_BUCKET,
    REGISTRATIONS_STREAM,
    TOKEN_BUCKET,
    bucket_key,
    bucket_stream,
)
from schemas.limits import APP_CONNECTIONS, APP_SUBSCRIPTIONS, MAX_PAYLOAD_BYTES

CALLOUT_WITHIN_S: Final = 2
"""Seconds that nats-server waits for the callout before it lets nobody in."""

OWN: Final = "LLUM"
APPS: Final = "APPS"
AUTH: Final = "AUTH"
SYSTEM: Final = "SYS"

SERVICES: Final = ("llum.cmd.>", "llum.ask.>")
"""What apps reach of llum."""

CALLOUT_INBOXES: Final = "_INBOX.callout"
"""Where a callout by itself is answered: it hears no other inbox of llum's own."""

_WRITTEN_BY_WORKERS: Final = ("llum.effect.>", "llum.rejected.>", "llum.registration.>",
                              "llum.sched.>", "llum.fired.>", "llum.dead.>", "llum.audit.>")  # fmt: skip
_OPERATOR_S: Final = ("llum.accept.>", "$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>", "$JS.API.STREAM.UPDATE.>",
                      "$JS.API.STREAM.RESTORE.>", "$JS.API.STREAM.SNAPSHOT.>")  # fmt: skip

_WATCHED: Final = (bucket_stream(TOKEN_BUCKET), bucket_stream(APP_PASSWORD_BUCKET), REGISTRATIONS_STREAM)
_READ: Final = (bucket_stream(TOKEN_BUCKET), bucket_stream(INSTALLATION_BUCKET))

_CALLOUT_SAYS: Final = (
    "llum.ask.*.*.access",
    "llum.query.*.*.*.access",
    bucket_key(TOKEN_BUCKET, "*.*.*.used"),
    *(f"$JS.API.CONSUMER.CREATE.{stream}" for stream in _WATCHED),
    *(f"$JS.API.CONSUMER.DELETE.{stream}.*" for stream in _WATCHED),
    *(f"$JS.API.DIRECT.GET.{stream}.>" for stream in _READ),
    *(f"$JS.API.STREAM.MSG.GET.{stream}" for stream in _READ),
)
"""It asks what an app may do, looks tokens up, notes that they were used, and hears what changes."""


def _allowed(publish: tuple[str, ...], subscribe: tuple[str, ...]) -> dict[str, Any]:
    return {"publish": {"allow": list(publish)}, "subscribe": {"allow": list(subscribe)}}


_PERMISSIONS: Final[Mapping[Role, dict[str, Any]]] = {
    "worker": {},
    "operator": {},
    "edge": {"publish": {"deny": [*_WRITTEN_BY_WORKERS, *_OPERATOR_S]}},
    "callout": _allowed(_CALLOUT_SAYS, (f"{CALLOUT_INBOXES}.>",)),
    "auth": _allowed((), ("$SYS.REQ.USER.AUTH", "_INBOX.>")) | {"allow_responses": {"max": 1, "expires": "1m"}},
    "system": _allowed(
        ("$SYS.REQ.SERVER.*.KICK", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.*.CONNZ", "$SYS.REQ.SERVER.*.ACCOUNTZ"),
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
    services = [{"service": subject, "accounts": [APPS]} for subject in SERVICES]
    return [*services, {"stream": f"{APP_INBOXES}.>", "accounts": [APPS]}]


def _imports() -> list[dict[str, Any]]:
    services = [{"service": {"account": OWN, "subject": subject}} for subject in SERVICES]
    return [*services, {"stream": {"account": OWN, "subject": f"{APP_INBOXES}.>"}}]


def _limits(limits: AppLimits) -> dict[str, int]:
    return {
        "max_connections": limits.connections,
        "max_subscriptions": limits.subscriptions,
        "max_payload": limits.payload,
    }
