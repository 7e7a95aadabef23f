"""How the SDK comes to the bus: as an app by its token, or with the operator's credentials."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bus.connection import Bus
from bus.requests import Requests
from bus.showing import ExpiringToken, Token
from bus.subjects import inbox_of_token
from llum.bus_address import bus_of, connected_as
from llum.settings_loading import load
from schemas.errors import Code, Refusal

PATIENCE_S: Final = 0.9
"""Seconds without a sign of a worker, or of whoever decides about tokens, after which an app is told so: less than a
second, so that it can say something to whoever waits before it."""


@contextlib.asynccontextmanager
async def connected(
    url: str | None, data_dir: Path | str | None, app: str, token: Token | None, patience_s: float | None
) -> AsyncIterator[tuple[Bus, Requests]]:
    """Connect: at `url`, else at LLUM_NATS_URL, else where the llum on the data folder runs.

    Raises `llum.failures.Fault` if no llum runs there, `InstallationError` where the operator's credentials cannot be
    read, `Refusal` for what is no token, `Transient`.
    """
    async with requests_over(await _bus(url, data_dir, app, token, patience_s), patience_s if token else None) as found:
        yield found


@contextlib.asynccontextmanager
async def requests_over(bus: Bus, patience_s: float | None = None) -> AsyncIterator[tuple[Bus, Requests]]:
    """Give what sends requests over a connection that stands, which is closed at the end."""
    try:
        # Without a token it is told at once when nobody listens.
        requests = Requests(bus, patience_s)
        await requests.start()
        try:
            yield bus, requests
        finally:
            await requests.close()
    finally:
        await bus.close()


async def _bus(
    url: str | None, data_dir: Path | str | None, app: str, token: Token | None, patience_s: float | None
) -> Bus:
    settings, name = load({"data_dir": data_dir}), f"llum-client-{app}"
    if token is None:
        return await connected_as(settings, "operator", name, url)
    _check(token)
    return await Bus.connect(url or bus_of(settings), name=name, token=token, undecided_after_s=patience_s)


def _check(token: Token) -> None:
    given = token() if callable(token) else token
    text = given.text if isinstance(given, ExpiringToken) else given
    if inbox_of_token(text) is None:
        raise Refusal(Code.BAD_FIELD, "this is no token of llum", "token")
