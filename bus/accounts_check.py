"""The check that nats-server has the accounts that llum needs, and that it asks llum who connects."""

import asyncio
import re
from typing import Any, Final

import msgspec

from bus.accounts import APPS, AUTH, OWN, REMEDY
from bus.connection import Bus
from bus.credentials import Credentials
from bus.errors import InstallationError
from bus.installation import check_server
from bus.subjects import app_inboxes, server_mappings, services
from schemas.errors import Code, Transient

ANSWERED_WITHIN_S: Final = 2.0
"""Seconds for nats-server to tell of an account."""

ASKED_WITHIN_S: Final = 4.0
"""Seconds for nats-server to ask about somebody who connects."""

_NUMBER: Final = re.compile(r"partition\((\d+)")

_NOBODY: Final = "llum-check"
"""A token that is none: whoever shows it is refused."""


class _Mapped(msgspec.Struct):
    subject: str


class _Offered(msgspec.Struct):
    subject: str
    type: str = ""
    account: str = ""
    invalid: bool = False


class _Account(msgspec.Struct):
    mappings: dict[str, list[_Mapped]] = {}
    exports: list[_Offered] = []
    imports: list[_Offered] = []


class _Detail(msgspec.Struct):
    account_detail: _Account | None = None


class _Answer(msgspec.Struct):
    data: _Detail | None = None


_answers: Final = msgspec.json.Decoder(_Answer)


async def check_accounts(url: str, credentials: Credentials, partitions: int) -> None:
    """See that the accounts are there, with the right mappings and what apps reach of llum.

    Raises `InstallationError`, `Transient`.
    """
    bus = await connected_as_own(credentials.at(url, "system"), "llum-check")
    try:
        check_server(bus.server_info)
        own, apps, auth = [await _account(bus, name) for name in (OWN, APPS, AUTH)]
    finally:
        await bus.close()
    if own is None or apps is None or auth is None:
        raise InstallationError("nats-server has no accounts for llum", REMEDY)
    check_number(_mappings(own), partitions)
    if not _reached() <= {(one.type, one.subject) for one in apps.imports if one.account == OWN and not one.invalid}:
        raise InstallationError(f"the account {APPS} of nats-server does not reach llum", REMEDY)


def check_number(mappings: dict[str, str], partitions: int) -> None:
    """Raise `InstallationError` unless these are the mappings to so many partitions.

    Where they are those to another number, llum may have been installed with it. To change them then would send
    everybody's commands elsewhere.
    """
    if mappings == server_mappings(partitions):
        return
    for number in {int(found) for found in _NUMBER.findall(" ".join(mappings.values()))}:
        if mappings == server_mappings(number):
            raise InstallationError(
                f"nats-server has llum's mappings to {number} partitions, LLUM_PARTITIONS says {partitions}",
                f"an installation has one number for good. If it is {number}, set LLUM_PARTITIONS={number}; else print "
                "the configuration of this server again with `llum nats-config`",
            )
    raise InstallationError(f"nats-server lacks llum's mappings to {partitions} partitions", REMEDY)


async def check_callout(url: str, credentials: Credentials) -> None:
    """See that nats-server asks about those who connect, and seals what it asks for llum.

    Raises `InstallationError`, `Transient`.
    """
    from bus.inbox import header
    from bus.nkeys import CurveKey, KeyTextError, SealError

    bus = await connected_as_own(credentials.at(url, "auth"), "llum-check")
    asked: asyncio.Future[tuple[bytes, bytes]] = asyncio.get_running_loop().create_future()

    def on_request(_subject: bytes, _reply: bytes, headers: bytes, data: bytes) -> None:
        if not asked.done():
            asked.set_result((headers, data))

    try:
        await bus.listen("$SYS.REQ.USER.AUTH", on_request)
        await bus.flush()
        headers, data = await _asked(url, asked)
        CurveKey(bytes.fromhex(credentials.xkey)).open(data, header(headers, b"Nats-Server-Xkey") or "")
    except (SealError, KeyTextError) as error:
        raise InstallationError("nats-server asks who connects with a key that is not llum's", REMEDY) from error
    finally:
        await bus.close()


async def in_force(url: str, found: Credentials) -> Credentials:
    """Tell by which credentials nats-server goes: while they are replaced, those before may still be good.

    Raises `Transient`, `InstallationError`.
    """
    for one in found.both[:-1]:
        try:
            bus = await connected_as_own(one.at(url, "system"), "llum-check")
        except InstallationError:
            continue
        await bus.close()
        return one
    return found.both[-1]


async def connected_as_own(url: str, name: str, inbox: str = "_INBOX") -> Bus:
    """Connect as one of llum's own processes. Raises `InstallationError` if nats-server does not know it."""
    try:
        return await Bus.connect(url, name=name, inbox=inbox)
    except Transient as error:
        if error.code is not Code.NOT_AUTHENTICATED:
            raise
        raise InstallationError("nats-server does not know llum's own users", REMEDY) from error


async def _account(bus: Bus, name: str) -> _Account | None:
    """Ask for an account; None if there is none, or if this is no system account."""
    where = f"$SYS.REQ.SERVER.{bus.server_info['server_id']}.ACCOUNTZ"
    answer = await bus.inbox.request(where, msgspec.json.encode({"account": name}), ANSWERED_WITHIN_S)
    if answer.no_responders:
        return None
    found = _answers.decode(answer.data).data
    return found.account_detail if found is not None else None


def _mappings(account: _Account) -> dict[str, str]:
    return {source: to[0].subject for source, to in account.mappings.items() if len(to) == 1}


def _reached() -> set[tuple[str, str]]:
    return {*(("service", subject) for subject in services()), ("stream", app_inboxes())}


async def _asked(url: str, asked: "asyncio.Future[tuple[bytes, bytes]]") -> tuple[bytes, bytes]:
    """Connect as nobody, until nats-server asks about that."""
    connecting: asyncio.Task[Any] = asyncio.create_task(
        Bus.connect(url, name="llum-check", token=_NOBODY, within_s=ASKED_WITHIN_S)
    )
    try:
        await asyncio.wait({connecting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise InstallationError("nats-server does not ask llum who connects", REMEDY)
        return asked.result()
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
