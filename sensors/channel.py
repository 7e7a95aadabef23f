"""The way from a publisher to the real bus."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bus.connection import Bus
from bus.logger import get_logger
from bus.requests import Requests
from bus.showing import ExpiringToken, Token
from schemas.codec import decode_outcome
from schemas.errors import Code, Transient
from schemas.replies import Refused
from sensors.publisher import Connect, Store
from sensors.spool import Entry

BusAddress = str | Callable[[], str | None]
"""Where the bus is: an address, or a function that looks for it and gives None when there is none now."""

CONNECT_WITHIN_S: Final = 3.0
"""Seconds for a connection to come about before the address is looked for again."""

STORE_TIMEOUT_S: Final = 5.0
"""Seconds to wait for the bus to confirm one entry, enough for a busy disk; then it is sent again, harmlessly."""

log = get_logger("llum.sensor")


SensorToken = Callable[[], str | ExpiringToken | None]
"""Gives the sensor's token; None when there is none now. It is called at each connection: there may be a new one."""


def bus_at(address: BusAddress, name: str, token: SensorToken | None = None) -> Connect:
    """Give the `Connect` of a publisher. Of refusals it logs code and field, never values.

    Without a token the address says who connects.
    """

    @asynccontextmanager
    async def connect() -> AsyncIterator[Store]:
        shown = _shown(token)
        bus = await Bus.connect(_found(address), name=name, within_s=CONNECT_WITHIN_S, token=shown)
        requests = Requests(bus)
        try:
            await requests.start()
            inbox: str = bus.nc.new_inbox()
            await bus.listen(inbox, _outcome_came)
            yield _store(bus, requests, inbox)
        finally:
            try:
                await requests.close()
            finally:
                await bus.close()

    return connect


def _found(address: BusAddress) -> str:
    url = address if isinstance(address, str) else address()
    if url is None:
        raise Transient(Code.UNAVAILABLE, "no llum is running here", "start it: llum up")
    return url


def _shown(token: SensorToken | None) -> Token | None:
    """Give what is to be shown to the bus. Raises `not_authenticated` if there is nothing."""
    if token is None:
        return None
    if not token():
        raise Transient(Code.NOT_AUTHENTICATED, "the sensor has no token", "install it anew")
    return lambda: token() or ""


def check_connected(bus: Bus) -> None:
    """Raise `unavailable` if there is no connection now: it may come back elsewhere, so better look than wait."""
    if not bus.connected:
        raise Transient(Code.UNAVAILABLE, "the connection to the bus is lost")


def _store(bus: Bus, requests: Requests, inbox: str) -> Store:
    async def store(entry: Entry) -> None:
        check_connected(bus)
        await requests.store(
            entry.user, entry.app, entry.payload, verb=entry.verb, reply_to=inbox, timeout_s=STORE_TIMEOUT_S
        )

    return store


def _outcome_came(_subject: bytes, _reply: bytes, _headers: bytes, data: bytes) -> None:
    try:
        outcome = decode_outcome(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        log.warning("sensor.outcome_unreadable")
        return
    if isinstance(outcome, Refused):
        error = outcome.error
        log.error("sensor.refused", code=error.code.value, field=error.field, id=outcome.id, seq=outcome.seq)
