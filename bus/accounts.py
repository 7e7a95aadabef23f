"""The accounts of nats-server: who may reach what. Everybody but llum's own processes is in APPS, and reaches two
kinds of subjects.

    LLUM    llum's own: the streams, the mappings; workers, edges, callouts, the operator's command line
    APPS    everybody else: publishes on llum.cmd and llum.ask, which it imports from LLUM; hears its own inbox
    AUTH    the auth callout hears here who connects
    SYS     nats-server's own: connections are ended here

An inbox of APPS is `_INBOX_APP.<sign-in>.<proof>`. A plain `_INBOX` does not cross accounts.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from bus.credentials import Credentials, Role
from bus.subjects import APP_INBOXES

CALLOUT_WITHIN_S: Final = 2
"""Seconds that nats-server waits for the callout before it lets nobody in."""

OWN: Final = "LLUM"
APPS: Final = "APPS"

_WRITTEN_BY_WORKERS: Final = ("llum.effect.>", "llum.rejected.>", "llum.registration.>",
                              "llum.sched.>", "llum.fired.>", "llum.dead.>", "llum.audit.>")  # fmt: skip
_STREAMS_ARE_KEPT: Final = ("$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>", "$JS.API.STREAM.UPDATE.>",
                            "$JS.API.STREAM.RESTORE.>")  # fmt: skip

_MAY_NOT_PUBLISH: Final[Mapping[Role, tuple[str, ...]]] = {
    "worker": (),
    "operator": (),
    "edge": (*_WRITTEN_BY_WORKERS, *_STREAMS_ARE_KEPT),
    "callout": ("llum.log.>", *_WRITTEN_BY_WORKERS, *_STREAMS_ARE_KEPT),
}
"""What the users of LLUM may not say, although they may say everything else. An edge writes no log past the
mappings.
"""


def accounts(credentials: Credentials, mappings: Mapping[str, str]) -> str:
    """Give the part of nats-server's configuration that makes the accounts. Strings are quoted as in JSON."""
    own = [_user(role, credentials, denied) for role, denied in _MAY_NOT_PUBLISH.items()]
    imports = [_service("llum.cmd.>"), _service("llum.ask.>"), _stream(f"{APP_INBOXES}.>")]
    content = {
        "system_account": "SYS",
        "accounts": {
            "SYS": {"users": [_user("system", credentials)]},
            "AUTH": {"users": [_user("auth", credentials)]},
            OWN: {
                "jetstream": "enabled",
                "users": own,
                "exports": [{"service": "llum.cmd.>"}, {"service": "llum.ask.>"}, {"stream": f"{APP_INBOXES}.>"}],
                "mappings": dict(mappings),
            },
            APPS: {"imports": imports},
        },
        "authorization": {
            "timeout": CALLOUT_WITHIN_S,
            "auth_callout": {
                "issuer": credentials.issuer_public,
                "account": "AUTH",
                "auth_users": list(credentials.passwords),
                "xkey": credentials.xkey_public,
            },
        },
    }
    return "\n".join(f"{json.dumps(name)}: {json.dumps(value, indent=1)}" for name, value in content.items())


def _user(role: Role, credentials: Credentials, denied: tuple[str, ...] = ()) -> dict[str, Any]:
    user: dict[str, Any] = {"user": role, "password": credentials.passwords[role]}
    return user if not denied else user | {"permissions": {"publish": {"deny": list(denied)}}}


def _service(subject: str) -> dict[str, Any]:
    return {"service": {"account": OWN, "subject": subject}}


def _stream(subject: str) -> dict[str, Any]:
    return {"stream": {"account": OWN, "subject": subject}}
