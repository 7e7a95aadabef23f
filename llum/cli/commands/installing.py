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
@settings_options("nats_url", "partitions", "credentials")
def install(settings: Settings, as_json: bool) -> None:
    """Install llum on an external nats-server. Do this once, before the first start.

    It makes the streams and buckets that llum needs. An installation that is there already stays as it is.
    `llum up` without an external nats-server needs no installing.
    """
    from llum.bus_address import bus_as
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    url = settings.nats_url
    if url is None:
        raise Fault(
            "no nats-server is named",
            "Name an external one with --nats-url or LLUM_NATS_URL; `llum up` without one installs by itself.",
        )
    made = asyncio.run(_install(bus_as(settings, "operator", url), settings.partitions))
    answer = {"nats": hide_password(url), "installation": made.installation, "made": made.streams}
    say(answer, "\n".join(report(made, hide_password(url))), as_json=as_json)


async def _install(url: str, partitions: int) -> "Installed":
    from bus.connection import Bus
    from bus.installation import install

    bus = await Bus.connect(url, name="llum-install")
    try:
        return await install(bus, partitions)
    finally:
        await bus.close()


def report(made: "Installed", where: str) -> list[str]:
    """Say what is installed and what was made for it."""
    what = made.installation
    sizes = f"{what.partitions} partitions in {what.log_streams} log streams, log format {what.log_format}"
    if not made.streams:
        return [f"llum is there already on {where}: {sizes}", "nothing was made or changed"]
    return [f"llum is installed on {where}: {sizes}", "made the streams " + ", ".join(made.streams)]
