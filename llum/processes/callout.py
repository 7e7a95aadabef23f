"""`llum callout`: the wiring of an auth callout that runs by itself."""

import asyncio
from contextlib import AsyncExitStack

from bus.accounts import CALLOUT_INBOXES
from bus.accounts_check import check_accounts, in_force
from bus.connection import Bus
from bus.credentials import load
from bus.installation import find_fitting
from bus.requests import Requests
from identity.authenticator import Bearers
from identity.callout.deciding import kinds_of
from identity.callout.running import running_callout
from llum.failures import Fault
from llum.own_credentials import connected_with_login, credentials_file, is_ruled_by_others
from llum.processes.process import Starting, Supervised, run_process
from llum.settings import Settings, hide_password


def run(settings: Settings, supervised: Supervised) -> int:
    """Answer nats-server until a signal."""

    async def serve(nats_url: str, starting: Starting, stop: asyncio.Event) -> None:
        if is_ruled_by_others(nats_url):
            raise Fault(
                f"{hide_password(nats_url)} holds a login",
                "Name the address alone: a callout shows what is in the file of credentials.",
            )
        file = credentials_file(settings)
        await check_accounts(nats_url, await in_force(nats_url, load(file)), settings.partitions)
        async with AsyncExitStack() as stack:
            bus = await connected_with_login(settings, "callout", nats_url, "llum-callout", CALLOUT_INBOXES)
            stack.push_async_callback(bus.close)
            await find_fitting(bus, settings.partitions)
            requests = await _requests(bus, stack)
            bearers = _bearers(bus, requests, stack)
            kinds = kinds_of(settings.app_clients)
            await stack.enter_async_context(running_callout(nats_url, bus, requests, bearers, file, kinds))
            starting.ready()
            await stop.wait()

    return run_process("callout", settings, supervised, serve)


async def _requests(bus: Bus, stack: AsyncExitStack) -> Requests:
    requests = Requests(bus)
    await requests.start()
    stack.push_async_callback(requests.close)
    return requests


def _bearers(bus: Bus, requests: Requests, stack: AsyncExitStack) -> Bearers:
    """Make what knows tokens, and hears of what changes for as long as the callout runs."""
    bearers = Bearers(bus, requests)
    watching = asyncio.create_task(bearers.run())
    stack.callback(watching.cancel)
    return bearers
