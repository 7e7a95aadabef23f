"""`llum admin drain`."""

from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import EXIT_FAILED
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.client import Client
    from llum.people.draining import Drained


@click.command()
@click.argument("host")
@click.option("--undo", is_flag=True, help="Let the workers serve again.")
@click.option(
    "--within", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds to wait for the others."
)
@json_option
@settings_options(*WHERE)
def drain(settings: Settings, host: str, undo: bool, within: float, as_json: bool) -> None:
    """Have the workers of HOST serve nothing more, and wait until others have taken over.

    HOST is the name of a machine, or the id of one worker: `llum status` shows both. A drained worker goes on running,
    and stays drained when it is started again, until --undo. The exit code is 1 if it still serves something at the
    end.
    """
    from llum.people.draining import drain as drain_workers

    async def use(client: "Client") -> "list[Drained]":
        return await drain_workers(client.bus, host, undo=undo, within_s=within)

    found = with_client(settings, use)
    say({"workers": found}, "\n".join(_in_words(one, undo) for one in found), as_json=as_json)
    if not undo and any(one.partitions for one in found):
        raise Exit(EXIT_FAILED)


def _in_words(one: "Drained", undo: bool) -> str:
    who = f"{one.id} on {one.host}"
    if undo:
        return f"{who} serves again, as soon as it has caught up"
    if not one.partitions:
        return f"{who} serves nothing more: it may be stopped"
    served = "1 partition" if one.partitions == 1 else f"{one.partitions} partitions"
    return f"{who} still serves {served}: nobody else has taken them yet"
