"""`llum admin install`: the one way to a new llum on an external nats-server."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import settings_options
from llum.failures import Fault
from llum.settings import Settings, hide_password
from schemas.errors import Transient
from schemas.limits import MAX_STREAM_REPLICAS

if TYPE_CHECKING:
    from bus.installation import Installed

LED_WITHIN_S: Final = 30.0
"""Seconds for a cluster to find a leader."""

AGAIN_S: Final = 0.5
"""Seconds between two attempts."""


@click.command()
@json_option
@click.option(
    "--stream-replicas",
    type=click.IntRange(1, MAX_STREAM_REPLICAS),
    help="Servers of a cluster that keep each stream, also those that are there already. Default: 3 in a cluster.",
)
@settings_options("data_dir", "nats_url", "credentials", "partitions")
def install(settings: Settings, stream_replicas: int | None, as_json: bool) -> None:
    """Install llum on an external nats-server. Do this once, before the first start.

    It makes the streams and buckets that llum needs, and checks the accounts that `llum nats-config` has printed. An
    installation that is there already stays as it is, but for --stream-replicas.
    `llum up` without an external nats-server needs no installing.
    """
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    url = settings.nats_url
    if url is None:
        raise Fault(
            "no nats-server is named",
            "Name an external one with --nats-url or LLUM_NATS_URL; `llum up` without one installs by itself.",
        )
    made, silent = asyncio.run(_install(settings, url, stream_replicas))
    answer = {"nats": hide_password(url), "installation": made.installation, "made": made.streams}
    answer |= {"replicas": made.replicas, "changed": made.changed, "silent": silent}
    lines = [
        *report(made, hide_password(url)),
        *(f"did not answer, so its accounts were not seen: {one}" for one in silent),
    ]
    say(answer, "\n".join(lines), as_json=as_json)


async def _install(settings: Settings, url: str, replicas: int | None) -> "tuple[Installed, list[str]]":
    """Install. Gives the addresses of servers that do not answer, too."""
    from bus.accounts_check import check_callout
    from bus.installation import install
    from llum.own_credentials import connected_with_login, credentials_of, is_ruled_by_others

    silent: list[str] = []
    if not is_ruled_by_others(url):
        silent = await _look_at_each(settings, url)
        await check_callout(url, credentials_of(settings))
    bus = await connected_with_login(settings, "operator", url, "llum-install")
    try:
        return await _once_led(lambda: install(bus, settings.partitions, replicas=replicas)), silent
    finally:
        await bus.close()


async def _look_at_each(settings: Settings, url: str) -> list[str]:
    """Look at the accounts of each server, as each of a cluster has a configuration of its own; name those that do not
    answer.

    Raises `InstallationError` about the first that is wrong, `Transient` if none answers.
    """
    from bus import addresses
    from bus.accounts_check import check_accounts, in_force
    from bus.errors import InstallationError
    from llum.own_credentials import credentials_of

    silent: list[str] = []
    own, each = await in_force(url, credentials_of(settings)), addresses.each(url)
    for address in each:
        try:
            await check_accounts(address, own, settings.partitions)
        except InstallationError as error:
            if len(each) == 1:
                raise
            raise InstallationError(f"{address}: {error.error.message}", error.error.hint or "") from error
        except Transient:
            silent.append(address)
            if len(silent) == len(each):
                raise
    return silent


async def _once_led(installing: "Callable[[], Awaitable[Installed]]") -> "Installed":
    """Try again for a while: a cluster that has just been started says nothing until it has a leader."""
    deadline = time.monotonic() + LED_WITHIN_S
    while True:
        try:
            return await installing()
        except Transient:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(AGAIN_S)


def report(made: "Installed", where: str) -> list[str]:
    """Say what is installed and what was made for it."""
    what = made.installation
    sizes = f"{what.partitions} partitions in {what.log_streams} log streams, log format {what.log_format}"
    sizes += f", replicas of a stream: {made.replicas}"
    done = ["made the streams " + ", ".join(made.streams)] if made.streams else []
    done += [f"now kept {made.replicas} times: " + ", ".join(made.changed)] if made.changed else []
    state = "is installed" if made.streams else "is there already"
    return [f"llum {state} on {where}: {sizes}", *(done or ["nothing was made or changed"])]
