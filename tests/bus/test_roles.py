"""What llum's own users may say and hear on the bus: what each must, and no more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.accounts import CALLOUT_INBOXES, AppLimits
from bus.credentials import Role
from bus.embedded import EmbeddedServer
from bus.errors import EmbeddedServerError
from tests.nats_server import installed_server
from tests.raw_nats import raw

WORKERS_STREAMS = ["llum.effect.1.notify.bob.a", "llum.rejected.bob.lamp", "llum.registration.bob.lamp",
                   "llum.sched.1.bob.a", "llum.fired.1.bob.a", "llum.dead.bob.a",
                   "$O.LLUM_SNAPSHOTS.C.1-2-ab"]  # fmt: skip
AUDIT = "llum.audit.bob"
"""An edge notes sign-ins there."""

UNDOING = ["llum.accept.1", "llum.snapshot.1", "$JS.API.STREAM.DELETE.LLUM_LOG_0", "$JS.API.STREAM.PURGE.LLUM_LOG_0",
           "$JS.API.STREAM.UPDATE.LLUM_LOG_0", "$JS.API.STREAM.RESTORE.LLUM_LOG_0",
           "llum.log.1._._admin.raise_level", "llum.cmd._._admin.raise_level"]  # fmt: skip
COMMANDS = ["llum.cmd.bob.lamp.tell", "llum.log.1.bob.lamp.tell", "llum.ask.bob.lamp.ask", "llum.query.1.bob.lamp.ask"]
ACCESS = ["llum.ask.bob.lamp.access", "llum.query.1.bob.lamp.access"]
TOKENS = ["$KV.LLUM_TOKENS.a.bob.lamp", "$KV.LLUM_INSTALLATION.inbox_key", "$KV.LLUM_APP_PASSWORDS.bob.lamp"]
READS = ["$JS.API.DIRECT.GET.KV_LLUM_TOKENS", "$JS.API.STREAM.MSG.GET.KV_LLUM_INSTALLATION"]
OTHERS_READS = ["$JS.API.STREAM.MSG.GET.LLUM_LOG_0", "$JS.API.DIRECT.GET.KV_LLUM_APP_PASSWORDS",
                "$JS.API.CONSUMER.CREATE.LLUM_LOG_0", "$JS.API.STREAM.LIST", "$JS.API.STREAM.CREATE.MINE"]  # fmt: skip
SYSTEM = ["$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.A.RELOAD", "$SYS.REQ.SERVER.A.LDM", "$SYS.REQ.ACCOUNT.LLUM.CONNZ"]
SYSTEM_MUST = [
    "$SYS.REQ.SERVER.A.KICK",
    "$SYS.REQ.SERVER.A.CONNZ",
    "$SYS.REQ.SERVER.A.ACCOUNTZ",
    "$SYS.REQ.SERVER.A.VARZ",
]

MAY: dict[Role, list[str]] = {
    "edge": [*COMMANDS, *ACCESS, *TOKENS, *READS, AUDIT],
    "callout": [*ACCESS, "$KV.LLUM_TOKENS.a.bob.lamp.used", *READS],
    "auth": [],
    "system": SYSTEM_MUST,
}
MAY_NOT: dict[Role, list[str]] = {
    "edge": [*WORKERS_STREAMS, *UNDOING],
    "callout": [
        *COMMANDS,
        AUDIT,
        *WORKERS_STREAMS,
        *UNDOING,
        *TOKENS,
        *OTHERS_READS,
        "_INBOX.somebody",
        "_INBOX_APP.a.b.c",
    ],
    "auth": [*COMMANDS, *ACCESS, *TOKENS, *READS, "$SYS.REQ.USER.AUTH", "_INBOX.somebody"],
    "system": [*COMMANDS, *ACCESS, *TOKENS, *READS, *SYSTEM, "_INBOX.somebody", "$SYS.ACCOUNT.APPS.CONNECT"],
}
HEARS_NOT: dict[Role, list[str]] = {
    "callout": [">", "llum.>", "_INBOX.>", "_INBOX_APP.>", "llum.query.*.*.*.*", "$KV.LLUM_TOKENS.>"],
    "auth": [">", "$SYS.REQ.USER.>", "llum.>"],
    "system": [">", "$SYS.>", "$SYS.ACCOUNT.LLUM.CONNECT", "$SYS.REQ.USER.AUTH", "$SYS.SERVER.>"],
}
HEARS: dict[Role, list[str]] = {
    "callout": [f"{CALLOUT_INBOXES}.a.*"],
    "auth": ["$SYS.REQ.USER.AUTH", "_INBOX.a.*"],
    "system": ["$SYS.ACCOUNT.APPS.CONNECT", "$SYS.ACCOUNT.APPS.DISCONNECT", "_INBOX.a.*"],
}
ROLES = list(MAY)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with installed_server(tmp_path, 4, 2) as made:
        yield made


async def test_each_says_what_it_must_and_no_more(there: EmbeddedServer) -> None:
    """An edge writes no stream of the workers', a callout no command; auth and system stay in their accounts."""
    for role in ROLES:
        async with raw(there.url_as(role)) as client:
            assert {subject: errors for subject in MAY[role] if (errors := await client.publish(subject))} == {}, role
            for subject in MAY_NOT[role]:
                (error,) = await client.publish(subject)
                assert "Permissions Violation for Publish" in error, (role, subject)


async def test_each_hears_what_it_must_and_no_more(there: EmbeddedServer) -> None:
    """A callout hears nothing but its answers, system not who of llum's own connects."""
    for role, subjects in HEARS_NOT.items():
        async with raw(there.url_as(role)) as client:
            assert {subject: errors for subject in HEARS[role] if (errors := await client.subscribe(subject))} == {}
            for number, subject in enumerate(subjects, 100):
                (error,) = await client.subscribe(subject, number)
                assert "Permissions Violation for Subscription" in error, (role, subject)


class WithAnotherAccount(EmbeddedServer):
    """Whose operator lets an account of theirs import what llum offers to its apps."""

    def configuration(self) -> str:
        other = '"OTHER": {"imports": [{"service": {"account": "LLUM", "subject": "llum.cmd.>"}}]},'
        return super().configuration().replace('"APPS": {', f'{other} "APPS": {{')


async def test_nobody_but_the_apps_may_import_what_is_offered_to_them(tmp_path: Path) -> None:
    """nats-server does not start with a configuration in which another account does."""
    server = WithAnotherAccount(tmp_path)
    await server.start()
    with pytest.raises(EmbeddedServerError):
        await server.wait_ready()


async def test_bounds_of_apps_are_in_the_configuration(tmp_path: Path) -> None:
    """As the settings say them."""
    text = EmbeddedServer(tmp_path, limits=AppLimits(7, 8, 9000)).configuration()
    for line in ('"max_connections": 7', '"max_subscriptions": 8', '"max_payload": 9000'):
        assert line in text
