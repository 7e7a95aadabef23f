"""`llum preferences show` and `revoke`: keys as the operator sees them."""

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings


@click.command("show")
@click.argument("key")
@json_option
@settings_options(*WHERE)
def show(settings: Settings, key: str, as_json: bool) -> None:
    """Show what KEY opens: whose safe it is, whether it was revoked, how much it holds."""
    from llum.cli import layout
    from llum.cli.preferences import facts_of
    from llum.preferences.keys import look_up

    shown = with_client(settings, lambda client: look_up(client, key))
    say(shown, layout.facts(facts_of(shown), layout.terminal_width()), as_json=as_json)


@click.command("revoke")
@click.argument("key")
@click.option("--reason", help="Why: whoever uses the key is told.")
@json_option
@settings_options(*WHERE)
def revoke(settings: Settings, key: str, reason: str | None, as_json: bool) -> None:
    """Have KEY open nothing any more, and end its tokens. What it has opened stays as it is.

    Every edge refuses it within a second.
    """
    from llum.preferences.keys import revoke as revoke_key

    shown = with_client(settings, lambda client: revoke_key(client, key, reason))
    say(shown, f"the key {key} opens nothing any more", as_json=as_json)
