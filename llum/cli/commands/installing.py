"""`llum admin install`: the one way to a new llum on an external nats-server."""

import asyncio
from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import settings_options
from llum.failures import Fault
from llum.settings import Settings, hide_password

if TYPE_CHECKING:
    from bus.installation import Installed


@click.command()
@json_option
@settings_options("data_dir", "nats_url", "credentials", "partitions")
def install(settings: Settings, as_json: bool) -> None:
    """Install llum on an external nats-server. Do this once, before the first start.

    It makes the streams and buckets that llum needs, and checks the accounts that `llum nats-config` has printed. An
    installation that is there already stays as it is.
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
    made = asyncio.run(_install(settings, url))
    answer = {"nats": hide_password(url), "installation": made.installation, "made": made.streams}
    say(answer, "\n".join(report(made, hide_password(url))), as_json=as_json)


async def _install(settings: Settings, url: str) -> "Installed":
    from bus.accounts_check import check_callout
    from bus.installation import install
    from llum.own_credentials import checked_bus, credentials_of, is_ruled_by_others

    bus = await checked_bus(settings, "operator", url, "llum-install")
    try:
        if not is_ruled_by_others(url):
            await check_callout(url, credentials_of(settings))
        return await install(bus, settings.partitions)
    finally:
        await bus.close()


def report(made: "Installed", where: str) -> list[str]:
    """Say what is installed and what was made for it."""
    what = made.installation
    sizes = f"{what.partitions} partitions in {what.log_streams} log streams, log format {what.log_format}"
    if not made.streams:
        return [f"llum is there already on {where}: {sizes}", "nothing was made or changed"]
    return [f"llum is installed on {where}: {sizes}", "made the streams " + ", ".join(made.streams)]
