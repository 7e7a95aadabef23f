"""`llum admin`: people, apps, tokens, backups, rejected commands."""

from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.accounts import account
from llum.cli.commands.apps import app
from llum.cli.commands.archives import export, import_
from llum.cli.commands.backup_places import backups
from llum.cli.commands.backups import backup, restore
from llum.cli.commands.clients import client
from llum.cli.commands.draining import drain
from llum.cli.commands.forgetting import forget
from llum.cli.commands.installing import install
from llum.cli.commands.keys import keys
from llum.cli.commands.logs import log
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.commands.rules import rule
from llum.cli.commands.serving import nats_config
from llum.cli.commands.snapshots import snapshot, snapshots
from llum.cli.commands.tokens import token
from llum.cli.commands.upgrading import upgrade
from llum.settings import Settings
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.effects import DeadLetter
    from schemas.replies import Rejection


@click.group()
def admin() -> None:
    """People, apps, tokens, backups, rejected commands."""


admin.add_command(account)
admin.add_command(app)
admin.add_command(client)
admin.add_command(drain)
admin.add_command(upgrade)
admin.add_command(token)
admin.add_command(rule)
admin.add_command(install)
admin.add_command(nats_config)
admin.add_command(backup)
admin.add_command(restore)
admin.add_command(backups)
admin.add_command(log)
admin.add_command(snapshots)
admin.add_command(snapshot)
admin.add_command(keys)


@admin.group()
def person() -> None:
    """The people who have a model."""


person.add_command(export)
person.add_command(import_)
person.add_command(forget)


@person.command("add")
@click.argument("user")
@click.option("--first-name", default="", help="The value of Personal/firstname.")
@click.option("--last-name", default="", help="The value of Personal/lastname.")
@click.option("--email", default="", help="The value of Personal/email.")
@click.option("--exist-ok", is_flag=True, help="If there is a model, leave it as it is, and succeed.")
@json_option
@settings_options(*WHERE)
def person_add(
    settings: Settings, user: str, first_name: str, last_name: str, email: str, exist_ok: bool, as_json: bool
) -> None:
    """Make a model for USER, with the contexts that every new model has. USER is an id of a-z, 0-9, _ and -."""
    from identity.new_people import default_model
    from llum.people.sign_ins import sign_in_command

    definition = default_model(user, firstname=first_name, lastname=last_name, email=email)

    async def use(client: "Client") -> bool:
        try:
            await client.make_model(user, definition)
        except Refusal as refusal:
            if not (exist_ok and refusal.code is Code.ALREADY_EXISTS):
                raise
            return False
        return True

    made = with_client(settings, use)
    text = f"{user} has a model {'now' if made else 'already'}"
    text += f"\nto speak for {user} from here: {sign_in_command(settings, user)}"
    say({"user": user, "made": made}, text, as_json=as_json)


@person.command("list")
@json_option
@settings_options(*WHERE)
def person_list(settings: Settings, as_json: bool) -> None:
    """List the ids of the people who have a model, one in each line."""
    from llum.people.people import list_people

    people = with_client(settings, list_people)
    if people or as_json:
        say({"people": people}, "\n".join(people), as_json=as_json)


@person.command("show")
@click.argument("user")
@json_option
@settings_options(*WHERE)
def person_show(settings: Settings, user: str, as_json: bool) -> None:
    """Show the contexts of the model of USER, and the values in Personal."""
    from llum.cli.render import tree, values_table
    from llum.people.people import Overview, overview
    from schemas.lookalikes import warnings

    shown: Overview = with_client(settings, lambda client: overview(client, user))
    lines = [f"{user}: {shown.role} access for this command line, state as of sequence {shown.seq}"]
    lines += [f"time zone: {shown.time_zone}"] if shown.time_zone else []
    lines.append(tree(shown.contexts))
    lines += [values_table(shown.personal)] if shown.personal else []
    lines += warnings(shown.contexts)
    say({"user": user, **shown._asdict()}, "\n".join(lines), as_json=as_json)


@person.command("time-zone")
@click.argument("user")
@click.argument("zone", required=False)
@click.option("--none", "unset", is_flag=True, help="Set none: then that of the installation counts.")
@json_option
@settings_options(*WHERE)
def person_time_zone(settings: Settings, user: str, zone: str | None, unset: bool, as_json: bool) -> None:
    """Set the time zone of USER to ZONE, and print it. Without ZONE: print it.

    ZONE is a name such as Europe/Amsterdam. Schedules of rules that name no zone go by it.
    """
    if unset and zone is not None:
        raise click.UsageError("name a ZONE or give --none, not both")

    async def use(client: "Client") -> str | None:
        if unset or zone is not None:
            await client.set_time_zone(user, zone)
        return (await client.get_context(user)).time_zone

    found = with_client(settings, use)
    say({"user": user, "time_zone": found}, found or "none is set: that of the installation counts", as_json=as_json)


@admin.command()
@click.argument("user")
@click.option("--app", help="Only commands of this app.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most; the newest."
)
@json_option
@settings_options(*WHERE)
def rejected(settings: Settings, user: str, app: str | None, limit: int, as_json: bool) -> None:
    """List commands about USER that were refused in the last week, the oldest first."""
    from llum.cli.render import rejections_table
    from schemas.app_names import app_id
    from schemas.paths import check_token

    check_token(user, "user")

    async def use(client: "Client") -> "list[Rejection]":
        from bus.rejections import read

        return await read(client.bus, user, app and app_id(app), limit)

    found = with_client(settings, use)
    text = rejections_table(found) if found else f"no command about {user} was refused"
    say({"rejected": found}, text, as_json=as_json)


@admin.command()
@click.argument("user", required=False)
@json_option
@settings_options(*WHERE)
def dead(settings: Settings, user: str | None, as_json: bool) -> None:
    """List notices of rules that could not be delivered, the oldest first. Without USER: those of everybody."""
    from llum.cli.render import dead_letters_table
    from schemas.paths import check_token

    if user is not None:
        check_token(user, "user")

    async def use(client: "Client") -> "list[DeadLetter]":
        from bus.notices import read_dead_letters

        return await read_dead_letters(client.bus, user)

    found = with_client(settings, use)
    text = dead_letters_table(found) if found else "every notice has been delivered, or waits for its next attempt"
    say({"dead": found}, text, as_json=as_json)
